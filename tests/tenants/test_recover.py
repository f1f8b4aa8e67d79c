"""``manage.py recover``: the way back in from the machine itself."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tenants import second_factors
from tenants.models import AuditRecord, Authenticator
from tests.consoles import suspend

CHOSEN = "seven bridges over one river"


def recover(*arguments):
    out = StringIO()
    call_command("recover", *arguments, stdout=out)
    return out.getvalue().strip().splitlines()


def test_link_leads_to_a_new_password(house, client, person, settings):
    settings.HOST, settings.PORT, settings.PUBLIC_URL = "127.0.0.1", 8000, ""
    (url,) = recover("acme/administrator")
    assert url.startswith("http://127.0.0.1:8000/welcome/")
    client.get(url.removeprefix("http://127.0.0.1:8000"))
    client.post("/welcome/", {"password": CHOSEN, "again": CHOSEN})
    assert person("acme/administrator").check_password(CHOSEN)


def test_shut_account_is_opened_and_its_lost_second_factor_removed(house, person):
    user = person("acme/administrator")
    Authenticator.prepare(user)
    Authenticator.objects.filter(user=user).update(confirmed=True)
    user.is_active = False
    user.save()
    recover("acme/administrator")
    user = person("acme/administrator")
    assert user.is_active
    assert second_factors.has_one(user)
    recover("acme/administrator", "--second-factor")
    assert not second_factors.has_one(person("acme/administrator"))
    told = set(AuditRecord.objects.filter(tenant_id="acme").values_list("activity", "actor_name"))
    assert told >= {("User activated", "gatehouse"), ("Second factor reset", "gatehouse")}


@pytest.mark.parametrize(
    "login", ["administrator", "acme/nobody", "nobody/admin", "acme/devicebootstrap", "", "/"]
)
def test_only_a_person_named_in_full_is_recovered(house, login):
    with pytest.raises(CommandError, match="There is no person"):
        recover(login)
    assert not AuditRecord.objects.exists()


def test_person_of_a_suspended_tenant_stays_out(acme):
    suspend(acme)
    with pytest.raises(CommandError, match="is suspended"):
        recover("acme/operator")
