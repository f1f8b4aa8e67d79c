"""Where a request comes from, believing only proxies that the settings name; and where we are."""

from collections.abc import Mapping
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any, Final

from django.conf import settings

IPV6_NETWORK: Final = 64  # bits; what one customer has at least


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


def network_of(address: str) -> str:
    """Return an address as one person has it; of IPv6 that is a whole network."""
    if not address:
        return ""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, IPV6_NETWORK), strict=False))


def own_address() -> str:
    """Return the address that people open."""
    host = "localhost" if settings.HOST in {"0.0.0.0", "::"} else settings.HOST  # noqa: S104
    return settings.PUBLIC_URL or f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}"
