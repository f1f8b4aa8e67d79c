"""Addresses of signing in and out."""

from django.urls import path

from tenants.console.accounts import views

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="sign_in"),
    path("sign-out/", views.SignOut.as_view(), name="sign_out"),
    path("welcome/<str:secret>/", views.welcome, name="welcome"),
]
