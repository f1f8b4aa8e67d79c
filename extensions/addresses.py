"""Which addresses the server may call: every one a name stands for is looked at.

The address that was checked is the address that is connected to, so that a name cannot point
elsewhere a moment later. Source: OWASP, server-side request forgery prevention.
"""

import socket
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address

SHARED: Final = IPv4Network("100.64.0.0/10")  # of carriers, behind their address translation
INTERNET: Final = IPv6Network("2000::/3")  # all that was ever handed out of IPv6 as public
# Networks of IPv6 that lead into IPv4, the address at the end of theirs.
TRANSLATED: Final = IPv6Network("64:ff9b::/96")
COMPATIBLE: Final = IPv6Network("::/96")
# Leads into IPv4 too, in as many ways as there are networks; where to cannot be seen.
OPAQUE: Final = IPv6Network("64:ff9b:1::/48")
# Where clouds tell a machine its secrets, besides 169.254.0.0/16.
METADATA: Final = frozenset(
    ip_address(text)
    for text in (
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure, and a public address
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",  # Amazon
        "fd20:ce::254",  # Google
    )
)
LOOKUPS: Final = 8  # names that are looked up at once; a slow server of names holds no more threads
_executor = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="names")


class AddressError(Exception):
    """A host that the server may not call, or that nobody knows; the message says why."""


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses that the system knows of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def checked_addresses(
    host: str,
    port: int,
    *,
    allows_private: bool,
    timeout: float,
) -> list[Address]:
    """Return the addresses of ``host``, all of which may be called.

    Raises:
        AddressError: it has none, or one of them is not to be called.
    """
    looking: Future[list[str]] = _executor.submit(resolve, host, port)
    try:
        texts = looking.result(timeout)
    except LateError as error:
        looking.cancel()
        raise AddressError(f"Looking up {host} took too long.") from error
    except (OSError, UnicodeError) as error:
        raise AddressError(f"There is no host {host}.") from error
    addresses = [ip_address(text) for text in texts]
    if not addresses:
        raise AddressError(f"There is no host {host}.")
    for address in addresses:
        _check(host, address, allows_private=allows_private)
    return addresses


def is_public(address: Address) -> bool:
    """Say whether an address is one of the internet."""
    real = embedded(address)
    if isinstance(real, IPv6Address) and real not in INTERNET:
        return False
    return real.is_global and not real.is_multicast and real not in SHARED


def _check(host: str, address: Address, *, allows_private: bool) -> None:
    real = embedded(address)
    if _is_never_called(real):
        raise AddressError(f"{host} stands for an address that no extension may be at.")
    if not is_public(real) and not allows_private:
        # Which one it is would tell everybody who may add an extension about our network.
        msg = (
            f"{host} is in a private network. Only an extension of the management tenant can be "
            "allowed that."
        )
        raise AddressError(msg)


def _is_never_called(address: Address) -> bool:
    """Say whether nobody has business there."""
    if address.is_loopback:
        return False
    return address in METADATA or (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (isinstance(address, IPv4Address) and (address.is_reserved or int(address) >> 24 == 0))
        or (isinstance(address, IPv6Address) and address in OPAQUE)
    )


def embedded(address: Address) -> Address:
    """Return the IPv4 address that one of IPv6 stands for, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in TRANSLATED or (address in COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
