"""Whose address is written into history."""

import pytest

from tenants.addresses import client_address

PROXY, OTHER, CLIENT, LIAR = "10.0.0.1", "10.0.0.2", "203.0.113.9", "192.0.2.66"


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        pytest.param(CLIENT, "", CLIENT, id="direct"),
        pytest.param(CLIENT, LIAR, CLIENT, id="stranger-cannot-forward"),
        pytest.param(PROXY, CLIENT, CLIENT, id="proxy"),
        pytest.param(PROXY, f"{LIAR}, {CLIENT}", CLIENT, id="liar-in-front"),
        pytest.param(PROXY, f"{CLIENT}, {OTHER}", CLIENT, id="two-proxies"),
        pytest.param(PROXY, f"{CLIENT}:4711", CLIENT, id="with-port"),
        pytest.param(PROXY, "[2001:db8::1]:4711", "2001:db8::1", id="ipv6-with-port"),
        pytest.param(PROXY, "2001:db8::1", "2001:db8::1", id="ipv6"),
        pytest.param(PROXY, "", PROXY, id="proxy-says-nothing"),
        pytest.param(PROXY, "unknown", PROXY, id="proxy-says-nonsense"),
        pytest.param(PROXY, f"{CLIENT}, garbage", PROXY, id="garbage-on-the-right"),
        pytest.param(PROXY, f"{PROXY}, {OTHER}", PROXY, id="proxies-only"),
        pytest.param("", CLIENT, "", id="no-peer"),
    ],
)
def test_only_named_proxies_are_believed(peer, forwarded, address, settings):
    settings.TRUSTED_PROXIES = frozenset({PROXY, OTHER})
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_address(environ) == address
