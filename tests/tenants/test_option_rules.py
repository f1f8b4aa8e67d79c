"""Which value of an option counts, and from whom it comes."""

import pytest

from registration.options import HANDOVER_HOURS, TOKEN_POLICY
from tenants.models import Tenant
from tenants.options import OptionError, set_option


@pytest.mark.parametrize(
    ("own", "parents", "value", "owner"),
    [
        (None, None, "OPTIONAL", ""),
        (None, "REQUIRED", "REQUIRED", "management"),
        ("IGNORED", None, "IGNORED", "acme"),
        ("IGNORED", "REQUIRED", "IGNORED", "acme"),
    ],
)
def test_nearest_value_counts(own, parents, value, owner, acme, management, set_policy):
    for tenant, policy in ((acme, own), (management, parents)):
        if policy:
            set_policy(tenant, policy)
    assert TOKEN_POLICY.evaluate(acme) == (value, owner)


def test_value_comes_down_through_every_generation(acme, management, set_policy):
    child = Tenant.objects.create(id="acme-lab", company="Lab", parent=acme)
    set_policy(management, "REQUIRED")
    assert TOKEN_POLICY.evaluate(child) == ("REQUIRED", "management")
    set_policy(acme, "IGNORED")
    assert TOKEN_POLICY.evaluate(child) == ("IGNORED", "acme")


def test_tenants_in_a_circle_do_not_hang(acme, globex):
    Tenant.objects.filter(pk="acme").update(parent=globex)
    Tenant.objects.filter(pk="globex").update(parent=acme)
    assert Tenant.objects.get(pk="acme").ancestry() == ["acme", "globex"]


@pytest.mark.parametrize("value", ["0", "8761", "-1", "1.5", "", "x", "²", "1" * 20])
def test_wrong_hours_are_refused(value, acme, operator):
    with pytest.raises(OptionError, match="from 1 to 8760"):
        set_option(acme, HANDOVER_HOURS.category, HANDOVER_HOURS.key, value, by=operator)


def test_values_of_many_tenants_are_those_of_each_in_two_queries(
    acme, globex, management, set_policy, django_assert_num_queries
):
    children = Tenant.objects.bulk_create(
        Tenant(id=f"child-{number}", company="Child", parent=parent)
        for number, parent in enumerate([acme, acme, globex, management, None])
    )
    set_policy(management, "REQUIRED")
    set_policy(acme, "IGNORED")
    set_policy(children[1], "OPTIONAL")
    everybody = list(Tenant.objects.all())
    with django_assert_num_queries(2):
        values = TOKEN_POLICY.values_for(everybody)
    assert values == {tenant.pk: TOKEN_POLICY.value_for(tenant) for tenant in everybody}
    assert len(set(values.values())) == 3


def test_values_of_tenants_in_a_circle_do_not_hang(acme, globex):
    Tenant.objects.filter(pk="acme").update(parent=globex)
    Tenant.objects.filter(pk="globex").update(parent=acme)
    assert TOKEN_POLICY.values_for([acme]) == {"acme": "OPTIONAL"}
