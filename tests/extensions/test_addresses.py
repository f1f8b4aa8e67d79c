"""Where the server may call: whatever a name stands for is looked at, in all its spellings."""

import socket

import pytest

from extensions.addresses import AddressError, checked_addresses

NEVER = "an address that no extension may be at"
PRIVATE = "in a private network"
FORBIDDEN = {
    # Loopback and private, in plain and in odd spellings.
    "127.0.0.1": PRIVATE, "127.1": PRIVATE, "2130706433": PRIVATE, "0x7f.1": PRIVATE,
    "017700000001": PRIVATE, "10.0.0.1": PRIVATE, "172.16.0.1": PRIVATE, "192.168.0.1": PRIVATE,
    "100.64.0.1": PRIVATE, "198.18.0.1": PRIVATE, "192.0.2.1": PRIVATE, "::1": PRIVATE,
    "fd00::1": PRIVATE, "fec0::1": PRIVATE, "4000::1": PRIVATE, "2001:db8::1": PRIVATE,
    # IPv4 within IPv6.
    "::ffff:127.0.0.1": PRIVATE, "::ffff:10.0.0.1": PRIVATE, "::127.0.0.1": PRIVATE,
    "64:ff9b::7f00:1": PRIVATE, "2002:7f00:1::1": PRIVATE, "64:ff9b:1::7f00:1": NEVER,
    "::ffff:169.254.169.254": NEVER, "64:ff9b::a9fe:a9fe": NEVER, "2002:a9fe:a9fe::": NEVER,
    "2001:0:4136:e378:8000:63bf:5601:5601": NEVER,  # Teredo, of 169.254.169.254
    # Nobody's business, also where private networks are allowed.
    "169.254.169.254": NEVER, "fe80::1": NEVER, "fe80::1%lo": NEVER, "224.0.0.1": NEVER,
    "ff02::1": NEVER, "0.0.0.0": NEVER, "0.1.2.3": NEVER, "0": NEVER, "::": NEVER,
    "240.0.0.1": NEVER, "255.255.255.255": NEVER, "100.100.100.200": NEVER,
    "168.63.129.16": NEVER, "fd00:ec2::254": NEVER,
}  # fmt: skip


def ask(host, *, allows_private=False):
    return checked_addresses(host, 443, allows_private=allows_private, timeout=5)


@pytest.mark.parametrize("host", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_called(host):
    assert [str(each) for each in ask(host)]


@pytest.mark.parametrize(("host", "why"), FORBIDDEN.items(), ids=list(FORBIDDEN))
def test_other_addresses_are_called_where_that_was_allowed_or_never(host, why):
    with pytest.raises(AddressError, match=NEVER if why == NEVER else PRIVATE):
        ask(host)
    if why == NEVER:
        with pytest.raises(AddressError, match=NEVER):
            ask(host, allows_private=True)
    else:
        assert ask(host, allows_private=True)


@pytest.fixture
def names(monkeypatch):
    """Names by the addresses that they stand for, answer by answer; the rest is as it is."""
    known, real = {}, socket.getaddrinfo

    def look_up(host, port, *args, **kwargs):
        if host not in known:
            return real(host, port, *args, **kwargs)
        answers = known[host]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(found, Exception):
            raise found
        return [(2, 1, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def test_one_bad_address_among_good_ones_is_enough(names):
    names["rebinding.example"] = [["8.8.8.8", "127.0.0.1"]]
    with pytest.raises(AddressError, match=PRIVATE) as refusal:
        ask("rebinding.example")
    assert "127.0.0.1" not in str(refusal.value), "it would tell about our network"


@pytest.mark.parametrize(
    "answer", [[], socket.gaierror(-2, "unknown"), UnicodeError("label too long")], ids=repr
)
def test_host_that_nobody_knows_is_named(names, answer):
    names["nowhere.example"] = [answer]
    with pytest.raises(AddressError, match=r"There is no host nowhere\.example"):
        ask("nowhere.example")
