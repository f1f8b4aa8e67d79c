"""What the suite leaves behind a test that committed: nothing, and nothing is missing."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType

from registration.lifecycle import Stage
from tests import emptying

KEPT = (ContentType, Permission)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_of_a_test(make_registration):
    for stage in (Stage.BLOCKED, Stage.CONFIRMED):
        make_registration(stage=stage)
    before = [set(kind.objects.values_list()) for kind in KEPT]
    assert all(before)
    assert emptying.empty("default")
    left = [model for model in apps.get_models() if model.objects.exists()]
    assert set(left) == set(KEPT)
    assert [set(kind.objects.values_list()) for kind in KEPT] == before
