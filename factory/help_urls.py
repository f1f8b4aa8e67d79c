from django.urls import path

from factory.help import problem, problems

app_name = "problems"
urlpatterns = [
    path("problems/", problems, name="list"),
    path("problems/<slug:name>", problem, name="detail"),
]
