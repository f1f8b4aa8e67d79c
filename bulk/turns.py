"""Imports take turns at a worker, and whatever happens to one leaves the others alone."""

import logging
import traceback
import uuid
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from django.db import close_old_connections, connection
from django_tasks_db.models import DBTaskResult

from bulk import engine
from bulk.engine import stopping
from bulk.models import Import, State

logger = logging.getLogger("gatehouse.bulk")

# These have their place in the file with every chunk; a check begins anew when it is interrupted.
KEEP_THEIR_PLACE: Final = (State.RUNNING, State.UNDOING)


def take_turn(pk: uuid.UUID) -> bool:
    """Carry on with an import until it is done or others come; say whether they came.

    Nothing that goes wrong gets out: what an exception says may repeat a row of the file, and
    would be kept with the task.
    """
    try:
        with _turn(pk) as turn:
            engine.carry_on(pk)
    except Exception as error:  # noqa: BLE001 -- another import may fare better
        _tell(pk, error)
        connection.close()  # whatever is wrong with it, the next one is new
        return False
    return turn is not None and turn.gave_way


def is_called() -> bool:
    """Say whether a worker is called: a plain look that keeps nobody from writing."""
    close_old_connections()
    return DBTaskResult.objects.ready().exists()


def _turn(pk: uuid.UUID) -> AbstractContextManager[stopping.Turn | None]:
    if not Import.objects.filter(pk=pk, state__in=KEEP_THEIR_PLACE).exists():
        return nullcontext()
    return stopping.turn(lambda: is_called() or any(other != pk for other in engine.due()))


def _tell(pk: uuid.UUID, error: Exception) -> None:
    """Log where it happened, and never what was said: no cell of a row belongs in a log."""
    places = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    logger.error("Import %s stopped: %s\n%s", pk, type(error).__qualname__, places.rstrip())
