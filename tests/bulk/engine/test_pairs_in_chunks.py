"""Long lists of IDs with secrets, chunk after chunk: paused, resumed, and never half of a pair."""

import pytest

from bulk import imports
from bulk.engine.running import _Chunks
from bulk.errors import SecretsForbiddenError
from bulk.models import Existing, Import, State
from inventory.device_types import TypeDetails, create_type
from inventory.models import DeviceCredentials, SecurityOption
from tenants.actors import Actor
from tests.bulk.files import SECRET, carried_on, counts, outcomes, reasons

pytestmark = pytest.mark.django_db
BY = Actor("olga")


def received(device_type, text, **how):
    return imports.receive_pairs(device_type, [text.encode()], by=BY, all_or_nothing=False, **how)


def test_list_goes_on_where_it_was_paused(acme, monkeypatch):
    meter = create_type(acme, TypeDetails("Meter"), by=BY)
    # The first two contradict each other, far apart from the last one, which repeats another.
    some = ",\r\n".join(f"d{number}, {SECRET}{number}" for number in range(500))
    one = received(meter, f"d0,{SECRET},{some}, d7, {SECRET}7")
    imports.start(one, on_existing=Existing.UPDATE, by=BY)
    write = _Chunks.write

    def pausing(self, batch):
        write(self, batch)
        if self.one.state == State.RUNNING and not batch.is_last:
            imports.pause(Import.objects.get(pk=one.pk), by=BY)

    with monkeypatch.context() as patch:
        patch.setattr(_Chunks, "write", pausing)
        for _ in range(20):
            one = carried_on(one)
            if one.state != State.PAUSED:
                break
            imports.go_on(one, by=BY)
    assert one.state == State.FINISHED
    assert counts(one) == {"created": 499, "unchanged": 1, "failed": 2}
    assert [code for _, _, code in reasons(one)] == ["duplicate_conflict"] * 2
    assert len(outcomes(one)) == 500
    assert DeviceCredentials.objects.for_tenant(acme).count() == 499
    last = DeviceCredentials.objects.get(device_id="d499")
    assert last.check_password(f"{SECRET}499")


@pytest.mark.parametrize(
    "option", [SecurityOption.TEMPORARY_CREDENTIALS, SecurityOption.CERTIFICATE]
)
def test_type_without_secrets_takes_no_list(acme, option):
    other = create_type(acme, TypeDetails("Other", security_option=option), by=BY)
    with pytest.raises(SecretsForbiddenError):
        received(other, f"a, {SECRET}")
    assert not Import.objects.exists()


def test_list_that_breaks_off_on_its_way_leaves_nothing(acme):
    meter = create_type(acme, TypeDetails("Meter"), by=BY)

    def breaking_off():
        yield b"a, "
        raise ConnectionError

    with pytest.raises(ConnectionError):
        imports.receive_pairs(meter, breaking_off(), by=BY, all_or_nothing=True)
    assert not Import.objects.exists()
