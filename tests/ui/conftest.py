"""A list with many ties, to be paged."""

from datetime import UTC, datetime, timedelta

import pytest

from registration.models import Registration

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def rows_at(acme):
    """Return a function that makes rows, each so many seconds after noon."""

    def make(seconds):
        Registration.objects.all().delete()
        Registration.objects.bulk_create(
            Registration(
                tenant=acme,
                device_id=f"device-{number:03}",
                status="WAITING_FOR_CONNECTION",
                created_at=NOON + timedelta(seconds=second),
            )
            for number, second in enumerate(seconds)
        )
        return Registration.objects.all()

    return make
