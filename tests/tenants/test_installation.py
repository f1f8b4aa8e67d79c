"""The first start and every later one."""

import pytest
from django.db import IntegrityError, transaction

from tenants import hashing
from tenants.backends import check_password
from tenants.installation import WrongKeyError, prepare_installation
from tenants.models import AuditRecord, Installation, Tenant, User

pytestmark = pytest.mark.django_db
ADMIN, KNOCKER = "management/admin", "management/devicebootstrap"


@pytest.fixture(autouse=True)
def _nothing_given(settings):
    settings.ADMIN_PASSWORD = settings.BOOTSTRAP_PASSWORD = ""


def test_first_start_makes_accounts_and_shows_their_passwords():
    first = prepare_installation()
    assert set(first.generated) == {ADMIN, KNOCKER}
    for login, password in first.generated.items():
        assert len(password) == 24
        assert check_password(login, password)
    assert Tenant.objects.get().is_management


def test_later_start_changes_nothing_and_shows_nothing():
    passwords = prepare_installation().generated
    rows = list(User.objects.order_by("pk").values())
    assert prepare_installation().generated == {}
    assert list(User.objects.order_by("pk").values()) == rows
    assert all(check_password(*item) for item in passwords.items())


def test_passwords_of_the_environment_are_taken_and_not_shown(settings):
    settings.ADMIN_PASSWORD, settings.BOOTSTRAP_PASSWORD = "for the admin", "for the devices"
    assert prepare_installation().generated == {}
    assert check_password(ADMIN, "for the admin")
    assert check_password(KNOCKER, "for the devices")


def test_changed_password_of_the_environment_is_applied_once(settings):
    settings.ADMIN_PASSWORD = "first"
    prepare_installation()
    admin = User.objects.get(username="admin")
    admin.set_password("chosen in the console")
    admin.save()
    prepare_installation()
    assert check_password(ADMIN, "chosen in the console")
    settings.ADMIN_PASSWORD = "second"
    prepare_installation()
    assert check_password(ADMIN, "second")


def test_bootstrap_secret_of_the_environment_replaces_the_generated_one(settings):
    old = prepare_installation().generated[KNOCKER]
    settings.BOOTSTRAP_PASSWORD = "for the devices"
    prepare_installation()
    assert check_password(KNOCKER, "for the devices")
    assert check_password(KNOCKER, old) is None


def test_wrong_key_stops_the_start(settings):
    prepare_installation()
    hashing.purpose_key.cache_clear()
    settings.SECRET_KEY = "another key, of another installation"
    try:
        with pytest.raises(WrongKeyError):
            prepare_installation()
    finally:
        hashing.purpose_key.cache_clear()
    assert Installation.objects.count() == 1


def test_name_exists_once_in_a_tenant(house):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user(house["acme"], "operator", "x", roles=[])


def test_what_a_start_does_is_in_the_audit_log_and_no_secret_with_it(settings):
    def told():
        return list(AuditRecord.objects.order_by("pk").values_list("activity", "subject"))

    first = prepare_installation()
    assert told() == [
        ("Tenant created", "management"), ("User created", ADMIN),
        ("Service created", KNOCKER), ("Secret set", KNOCKER),
    ]  # fmt: skip
    prepare_installation()
    assert len(told()) == 4
    settings.ADMIN_PASSWORD = "a password from outside"
    prepare_installation()
    assert told()[4:] == [("Password set by the environment", ADMIN)]
    log = str(list(AuditRecord.objects.values()))
    assert not any(secret in log for secret in (*first.generated.values(), "from outside"))
