"""Carrying on with an import, whoever calls and however often."""

import logging
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from django.db import Error, InterfaceError, OperationalError

from bulk.engine import lease
from bulk.engine.checking import check
from bulk.engine.lease import due
from bulk.engine.running import run
from bulk.engine.undoing import undo
from bulk.errors import LostLeaseError
from bulk.models import Import, State

logger = logging.getLogger("gatehouse.bulk")

WORK: Final[Mapping[str, Callable[[Import], None]]] = {
    State.CHECKING: check,
    State.RUNNING: run,
    State.UNDOING: undo,
}
# Where an import waits then, and what is no longer true of it.
STUMBLING: Final[Mapping[State, tuple[State, Mapping[str, Any]]]] = {
    State.CHECKING: (State.READY, {"preview": {}}),
    State.RUNNING: (State.PAUSED, {}),
    State.UNDOING: (State.FINISHED, {}),
}
STUMBLED: Final = (
    "Something went wrong that is not the file's fault; the log of the server says what. Nothing "
    "is lost: try again, and it goes on where it stopped."
)

__all__ = ["carry_on", "due"]


def carry_on(pk: uuid.UUID) -> None:
    """Work on an import until it is done, or stopped; return at once if somebody else does."""
    one = lease.take(pk)
    if one is None:
        return
    try:
        WORK[one.state](one)
    except LostLeaseError:
        logger.info("Somebody else goes on with import %s.", pk)
    except (OperationalError, InterfaceError) as error:
        # The database is away or too busy: whoever looks next takes the import up again.
        logger.warning("Import %s was interrupted by the database: %s.", pk, _place(error))
    except Exception as error:  # noqa: BLE001 -- whatever it is, people must be able to go on
        # Its words may quote the row, which holds a secret.
        logger.error("Import %s stumbled over %s.", pk, _place(error))  # noqa: TRY400
        _stumble(one)
    finally:
        with suppress(Error):  # a database that is away does not matter to a farewell
            lease.give_back(one)


def _stumble(one: Import) -> None:
    """Let an import wait for people instead of trying for ever; half a plan is none."""
    mine = Import.objects.filter(pk=one.pk, holder=one.holder)
    refusal = {"line": None, "column": "", "message": STUMBLED}
    for state, (before, also) in STUMBLING.items():
        if mine.filter(state=state).update(state=before, refusal=refusal, **also):
            return


def _place(error: BaseException) -> str:
    """Return the kind of an error and where it happened, without its words."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"
