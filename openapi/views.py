"""The document, and the page on which it is read and tried out.

Both are open to everybody: they tell what the product can do and nothing about who uses it. What
is tried out on the page needs a login of its own; the session of the console opens nothing.
"""

import hashlib
from functools import lru_cache
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from openapi.generate import document_text
from tenants.api.describing import ANYTHING, JSON, Answer, Operation, described
from tenants.api.http import PUBLIC, api_view
from ui.middleware import CONTENT_SECURITY_POLICY

# The library draws its arrows from addresses that hold the picture; no other page may.
PAGE_POLICY: Final = CONTENT_SECURITY_POLICY.replace("img-src 'self'", "img-src 'self' data:")


@described(
    "Documentation",
    {
        "GET": Operation(
            "Read this document",
            {
                200: Answer("The OpenAPI document.", ANYTHING),
                304: Answer("It is still the one that `If-None-Match` names."),
            },
        )
    },
)
@api_view(GET=PUBLIC)
def openapi_json(request: HttpRequest) -> HttpResponse:
    """Answer with the document; it changes with the code only, so clients may keep it."""
    tag = _tag()
    kept = get_conditional_response(request, etag=tag)
    response = kept or HttpResponse(document_text(), content_type=JSON)
    response["ETag"] = tag
    response["Cache-Control"] = "no-cache"  # kept, and asked about every time
    return response


@lru_cache(maxsize=1)
def _tag() -> str:
    return f'"{hashlib.sha256(document_text().encode()).hexdigest()[:32]}"'


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Show the page; whoever is signed in has the console around it."""
    response = render(request, "openapi/api_docs.html")
    response["Content-Security-Policy"] = PAGE_POLICY
    return response
