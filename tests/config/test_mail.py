"""The settings of mail: how the connection is kept private, and what is refused."""

import runpy

import pytest
from django.conf import settings

from config.env import SettingError
from tenants import mail


def read(monkeypatch, **variables):
    for name, value in variables.items():
        monkeypatch.setenv(f"GATEHOUSE_EMAIL_{name}", value)
    return runpy.run_path(str(settings.BASE_DIR / "config/settings.py"))


@pytest.mark.parametrize(
    ("security", "starttls", "tls"),
    [("", True, False), ("starttls", True, False), ("TLS", False, True), ("none", False, False)],
)
def test_connection_is_private_unless_told_otherwise(monkeypatch, security, starttls, tls):
    found = read(monkeypatch, SECURITY=security)
    assert (found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (starttls, tls)


@pytest.mark.parametrize(
    ("name", "value"), [("SECURITY", "ssl"), ("PORT", "0"), ("PORT", "65536"), ("PORT", "smtp")]
)
def test_wrong_value_is_refused_by_name(monkeypatch, name, value):
    with pytest.raises(Exception, match=f"GATEHOUSE_EMAIL_{name} must be") as refused:
        read(monkeypatch, **{name: value})
    assert refused.type.__name__ == SettingError.__name__


def test_password_keeps_its_blanks(monkeypatch):
    assert read(monkeypatch, PASSWORD=" a b ")["EMAIL_HOST_PASSWORD"] == " a b "


def test_links_in_mails_lead_where_the_settings_say_or_no_mail_is_sent(monkeypatch):
    with pytest.raises(Exception, match="GATEHOUSE_PUBLIC_URL must be set") as refused:
        read(monkeypatch, HOST="mail.example")
    assert refused.type.__name__ == SettingError.__name__
    monkeypatch.setenv("GATEHOUSE_PUBLIC_URL", "https://gatehouse.example.com")
    assert read(monkeypatch, HOST="mail.example")["EMAIL_HOST"] == "mail.example"


def test_nothing_is_sent_without_a_server_or_an_address(settings):
    assert not mail.can_send()
    assert not mail.send("a@b.example", "subject", "text")
    settings.EMAIL_HOST = "mail.example"
    assert mail.can_send()
    assert not mail.send("", "subject", "text")
