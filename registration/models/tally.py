"""How many registrations stand where, known without counting them.

Counting a million rows takes longer than drawing the page they are for. A counter row per stage
would be quick to read but would make every device that knocks wait for the one before it. So a
step only adds a small change, which nobody else waits for; readers add up, and whoever finds
many changes folds them into the totals.
"""

from collections import Counter
from collections.abc import Collection

from django.db import models, transaction
from django.db.models import F, Sum

from registration.lifecycle import Stage
from tenants.models import Tenant

FOLD_AT = 1000  # changes; adding up this many takes about as long as reading a page
FOLD_BATCH = 5_000  # changes folded in one transaction; below SQLite's limit of parameters


class Tally(models.Model):
    """How many registrations of a tenant were at a stage when changes were last folded in."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    stage = models.CharField(max_length=16, choices=Stage)
    number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "stage"], name="tally_unique_stage")
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.stage} {self.number}"

    @classmethod
    def moved(
        cls, tenant_id: str, origin: Stage | None, target: Stage | None, number: int = 1
    ) -> None:
        """Note that ``number`` registrations went from one stage to another (None: outside)."""
        if origin is target:
            return
        changes = [(origin, -number), (target, number)]
        created = TallyChange.objects.bulk_create(
            TallyChange(tenant_id=tenant_id, stage=stage, number=change)
            for stage, change in changes
            if stage is not None
        )
        # Also in a house that nobody looks at, changes must not pile up.
        if any(change.pk and change.pk % FOLD_AT == 0 for change in created):
            transaction.on_commit(cls.fold)

    @classmethod
    def counts(cls, tenant: Tenant, *, only: Tenant | None = None) -> Counter[Stage]:
        """Return how many registrations ``tenant`` sees at each stage.

        The management tenant sees all; ``only`` narrows that to one tenant's.
        """
        owner = only or (None if tenant.is_management else tenant)
        scope = {"tenant": owner} if owner else {}
        counts: Counter[Stage] = Counter()
        seen = 0
        # Both tables in one statement: between two, a fold could be counted twice or not at all.
        totals = cls.objects.filter(**scope).values_list("stage", "number")
        changes = TallyChange.objects.filter(**scope).values_list("stage")
        summed = changes.annotate(total=Sum("number"), rows=models.Count("pk"))
        for stage, number, rows in totals.annotate(rows=models.Value(0)).union(
            summed.values_list("stage", "total", "rows"), all=True
        ):
            counts[Stage(stage)] += int(number)  # PostgreSQL adds up to a decimal
            seen += rows
        if seen > FOLD_AT:
            cls.fold()
        return counts

    @classmethod
    def numbers_of(cls, tenants: Collection[str]) -> dict[str, int]:
        """Return how many open registrations each of ``tenants`` has, by their ids."""
        numbers = dict.fromkeys(tenants, 0)
        scope = {"tenant__in": numbers}
        totals = cls.objects.filter(**scope).values_list("tenant_id", "stage", "number")
        changes = TallyChange.objects.filter(**scope).values_list("tenant_id", "stage")
        for tenant_id, stage, number in totals.union(
            changes.annotate(total=Sum("number")), all=True
        ):
            if stage != Stage.CONFIRMED:
                numbers[tenant_id] += int(number)
        return numbers

    @classmethod
    def fold(cls) -> None:
        """Fold changes into the totals; of two that try at once, each takes its own."""
        with transaction.atomic():
            changes = list(
                TallyChange.objects.select_for_update(skip_locked=True).order_by("pk")[:FOLD_BATCH]
            )
            sums: Counter[tuple[str, str]] = Counter()
            for change in changes:
                sums[change.tenant_id, change.stage] += change.number
            # In one order for everybody, so that two folds cannot wait for each other.
            for (tenant_id, stage), number in sorted(sums.items()):
                Tally.objects.bulk_create(
                    [Tally(tenant_id=tenant_id, stage=stage)], ignore_conflicts=True
                )
                cls.objects.filter(tenant_id=tenant_id, stage=stage).update(
                    number=F("number") + number
                )
            TallyChange.objects.filter(pk__in=[change.pk for change in changes]).delete()


class TallyChange(models.Model):
    """A change that is not folded in yet."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    stage = models.CharField(max_length=16, choices=Stage)
    number = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.stage} {self.number:+d}"
