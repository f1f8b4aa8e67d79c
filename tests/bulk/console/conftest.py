"""Consoles: what people of both tenants see of their files."""

import pytest

from tests.consoles import Console


@pytest.fixture
def console(house):
    """Return the console as somebody sees it: ``console("acme/operator").get(url)``."""
    return Console


@pytest.fixture
def desk(console):
    """The console of the operator of acme."""
    return console("acme/operator")
