"""Cookies are as strict as the address allows."""

import runpy

import pytest
from django.conf import settings


def names(monkeypatch, url):
    monkeypatch.setenv("GATEHOUSE_PUBLIC_URL", url)
    read = runpy.run_path(str(settings.BASE_DIR / "config/settings.py"))
    secure = {read.get("SESSION_COOKIE_SECURE", False), read.get("CSRF_COOKIE_SECURE", False)}
    kinds = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "KNOWN_COOKIE_NAME")
    return [read[kind] for kind in kinds], secure


@pytest.mark.parametrize("url", ["https://gatehouse.example.com", "https://gatehouse.example:8443"])
def test_cookies_belong_to_this_very_host_where_people_come_by_https(monkeypatch, url):
    found, secure = names(monkeypatch, url)
    assert found == [f"__Host-gatehouse_{each}" for each in ("session", "csrf", "known")]
    assert secure == {True}


@pytest.mark.parametrize("url", ["", "http://gatehouse.example.com"])
def test_cookies_work_without_tls_where_there_is_none(monkeypatch, url):
    found, secure = names(monkeypatch, url)
    assert found == [f"gatehouse_{each}" for each in ("session", "csrf", "known")]
    assert secure == {False}
