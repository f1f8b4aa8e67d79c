"""Calling a worker; the task only says whose turn it is, imports keep their own place."""

import uuid

from django_tasks import task

from bulk.models import Import


@task()
def carry_on(import_id: str) -> None:
    """Carry on with an import, unless somebody does already."""
    from bulk.turns import take_turn  # noqa: PLC0415 -- the engine knows of imports, these of tasks

    take_turn(uuid.UUID(import_id))


def call(one: Import) -> None:
    """Call a worker to carry on with an import; once too often does no harm."""
    carry_on.enqueue(str(one.pk))
