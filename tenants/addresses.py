"""Where a request comes from, believing only proxies that the settings name; and where we are."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from django.conf import settings


def client_address(environ: Mapping[str, Any]) -> str:
    """Return the address of the client, without its port.

    ``X-Forwarded-For`` counts only when the peer is in ``GATEHOUSE_TRUSTED_PROXIES``, and then
    from the right: the last entry was written by the proxy we know, the first by anybody.
    """
    peer = _host(str(environ.get("REMOTE_ADDR", "")))
    if peer not in settings.TRUSTED_PROXIES:
        return peer
    for entry in reversed(str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
        address = _host(entry.strip())
        if not address:
            break
        if address not in settings.TRUSTED_PROXIES:
            return address
    return peer


def _host(text: str) -> str:
    """Return the address in "1.2.3.4:5678", "[::1]:5678" or "::1"; empty when it is none."""
    host = text
    if text.startswith("["):
        host = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        host = text.partition(":")[0]
    try:
        return str(ip_address(host))
    except ValueError:
        return ""


def own_address() -> str:
    """Return the address that people open."""
    host = "localhost" if settings.HOST in {"0.0.0.0", "::"} else settings.HOST  # noqa: S104
    return settings.PUBLIC_URL or f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}"
