"""All of Gatehouse's addresses, and the empty view that they are measured against."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as gatehouse_urls

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def empty(_request: HttpRequest) -> HttpResponse:
    """Answer with nothing, behind the console's whole middleware."""
    return HttpResponse()


urlpatterns = [path("bench/empty", empty), *gatehouse_urls]
