"""The audit log: every change is written with it, then chained, so that nothing can be taken out.

A record is written in the transaction of the change: neither is ever there without the other.
Right after the commit it gets its place in one chain: a number without gaps, and a keyed digest
over its content and the digest before it. Chaining inside the transaction would make every
writer wait for the one before it, for as long as that one's transaction lasts.

Whoever can write to the database but does not have the installation's key cannot alter, remove
or insert an entry without :func:`verify` naming it. Cutting off the end as a whole, and the end's
own row with it, shows when the number and digest of an earlier verification are kept elsewhere.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

from django.db import Error, connection, transaction

from tenants.actors import Actor
from tenants.hashing import digests_match, keyed_digest
from tenants.models.audit import AuditHead, AuditRecord
from ui.text import storable

logger = logging.getLogger("gatehouse.audit")

Type = AuditRecord.Type
Severity = AuditRecord.Severity
Changes = Mapping[str, tuple[Any, Any]]  # attribute: (before, after)

MAX_VALUE_LENGTH: Final = 500  # characters of a value before or after
CHAIN_BATCH: Final = 500  # records chained in one transaction
VERIFY_BATCH: Final = 2_000  # records read at a time
NOT_OURS: Final = "0" * 64  # the digest of an entry that somebody else put into the table
HEAD: Final = 1  # primary key of the only head


def record(
    by: Actor,
    tenant_id: str,
    kind: Type,
    activity: str,
    *,
    subject: str = "",
    text: str = "",
    changes: Changes | None = None,
    severity: Severity = Severity.INFORMATION,
) -> None:
    """Write what was done, in the transaction in which it is done.

    ``tenant_id`` is whose thing it was done to; ``subject`` names the thing. ``changes`` must not
    hold a secret: say that one was changed, by a mask. Attributes that did not change are left out.
    """
    entry = AuditRecord(
        tenant_id=tenant_id,
        type=kind,
        activity=activity,
        text=_cut(f"{text} By API token {by.token}….".lstrip() if by.token else text, 1500),
        severity=severity,
        subject=_cut(subject, 1000),
        actor_tenant=by.user.tenant_id if by.user else "",
        actor_name=_cut(by.name, 1000),
        source=by.source,
        request_id=by.request_id,
        changes=[
            {"attribute": name, "previousValue": _text(before), "newValue": _text(after)}
            for name, (before, after) in (changes or {}).items()
            if _text(before) != _text(after)
        ],
    )
    entry.digest = seal(entry)
    entry.save(force_insert=True)
    chain_after_commit()


def chain_after_commit() -> None:
    """Let what this transaction writes be chained as soon as it is committed."""
    if not any(entry[1] is chain for entry in connection.run_on_commit):
        transaction.on_commit(chain, robust=True)


def chain() -> None:
    """Chain what has been committed and has no place yet."""
    try:
        while _chain_batch() == CHAIN_BATCH:
            pass
    except Error as error:
        # The records are there; whoever writes or verifies next will chain them.
        logger.warning("The audit log was not chained: %s", type(error).__name__)


def _chain_batch() -> int:
    if not AuditRecord.objects.filter(number=None).exists():
        return 0
    with transaction.atomic():
        head = _locked_head()
        found = list(AuditRecord.objects.filter(number=None).order_by("pk")[:CHAIN_BATCH])
        for one in found:
            head.number += 1
            is_ours = digests_match(one.digest, seal(one))
            if not is_ours:
                logger.error("Entry %d of the audit log was not written by Gatehouse.", head.number)
            one.number = head.number
            one.digest = link(head.digest, head.number, one) if is_ours else NOT_OURS
            head.digest = one.digest
        AuditRecord.objects.bulk_update(found, ["number", "digest"], batch_size=100)
        head.save()
    return len(found)


def _locked_head() -> AuditHead:
    """Return the end of the chain; whoever wants to add to it waits for whoever has it."""
    heads = AuditHead.objects.select_for_update().filter(pk=HEAD)
    head = heads.first()
    if head is None:  # the very first entry of all
        AuditHead.objects.bulk_create([AuditHead(pk=HEAD)], ignore_conflicts=True)
        head = heads.get()
    return head


def seal(entry: AuditRecord) -> str:
    """Return the digest that a new entry carries until it is chained.

    Whoever writes into the table without the key cannot make it, and such an entry gets a place
    in the chain where :func:`verify` names it.
    """
    return keyed_digest("audit-entry", _content(entry))


def link(previous: str, number: int, entry: AuditRecord) -> str:
    """Return the digest of ``entry`` at place ``number`` behind the digest ``previous``."""
    return keyed_digest("audit", previous, str(number), str(entry.pk), _content(entry))


def _content(entry: AuditRecord) -> str:
    """Return everything that an entry says, as one text."""
    content = [
        entry.tenant_id,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.type,
        entry.activity,
        entry.text,
        entry.severity,
        entry.subject,
        entry.actor_tenant,
        entry.actor_name,
        entry.source,
        entry.request_id,
        entry.changes,
    ]
    return json.dumps(content, sort_keys=True)


@dataclass(frozen=True)
class Finding:
    """What a verification found: the first entry that is not as it was, or none.

    ``number`` and ``digest`` are the last entry that is in order; keep them elsewhere.
    """

    number: int
    digest: str
    broken_at: int | None = None
    problem: str = ""

    @property
    def is_intact(self) -> bool:
        """Say whether every entry is there, unaltered."""
        return self.broken_at is None


def verify(*, known: tuple[int, str] | None = None) -> Finding:
    """Check the whole chain, and that it contains the place ``known`` from an earlier check."""
    chain()
    number, digest = 0, ""
    for entry in _chained():
        if entry.number != number + 1:
            return Finding(number, digest, number + 1, "The entry is missing.")
        expected = link(digest, number + 1, entry)
        if not digests_match(entry.digest, expected):
            return Finding(number, digest, number + 1, "The entry was altered or replaced.")
        number, digest = number + 1, entry.digest
        if known and known[0] == number and not digests_match(known[1], digest):
            return Finding(number, digest, number, "The entry is not the one that was here before.")
    head = AuditHead.objects.filter(pk=HEAD).first() or AuditHead()
    if head.number > number:
        return Finding(number, digest, number + 1, "The entry is missing at the end.")
    if head.number < number or not digests_match(head.digest, digest):
        return Finding(number, digest, head.number + 1, "The end of the log was altered.")
    if known and known[0] > number:
        return Finding(number, digest, number + 1, "Entries that were here before are missing.")
    return Finding(number, digest)


def _chained() -> Iterator[AuditRecord]:
    """Return all chained entries in order, a batch at a time: the log may be long."""
    last = 0
    while True:
        batch = list(AuditRecord.objects.filter(number__gt=last).order_by("number")[:VERIFY_BATCH])
        yield from batch
        if len(batch) < VERIFY_BATCH:
            return
        last = batch[-1].number or 0


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | set | frozenset):
        return _cut(", ".join(sorted(str(one) for one in value)), MAX_VALUE_LENGTH)
    return _cut(str(value), MAX_VALUE_LENGTH)


def _cut(text: str, length: int) -> str:
    """Return ``text`` as it is kept, cut where it is too long."""
    clean = storable(text)
    return clean if len(clean) <= length else clean[: length - 1] + "…"
