"""Add up what was inspected and found: for KPIs, Pareto charts and certificates."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from core.exact import short_text
from core.intervals import Interval
from enterprise.models import Site
from materials.models import MaterialLot
from quality.judging import Held, held_of
from quality.models import Defect, Inspection

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Inspected:
    """Units that finished inspections looked at, those of them that did not conform, and defects found."""

    units: int = 0
    nonconforming: int = 0
    defects: int = 0


def inspected_in(machine_ids: Collection[int], window: Interval) -> Inspected:
    """Add up the inspections at machines that ended in a window, and the defects found there in it."""
    at = Q(machine__in=machine_ids)
    found = Inspection.objects.filter(
        at, finished_at__gte=window.start, finished_at__lt=window.end, nonconforming__isnull=False
    ).aggregate(units=Sum("sample_size"), bad=Sum("nonconforming"))
    defects = Defect.objects.filter(at, detected_at__gte=window.start, detected_at__lt=window.end)
    return Inspected(found["units"] or 0, found["bad"] or 0, defects.aggregate(sum=Sum("quantity"))["sum"] or 0)


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a Pareto chart: how many, their cost where any is known, and the share of all up to here."""

    key: str
    name: str
    quantity: int
    occurrences: int
    cost: Decimal | None
    cumulative: Fraction


_BY = {
    "code": ("code__code", "code__name"),
    "category": ("code__category", "code__category"),
    "severity": ("severity", "severity"),
    "cause": ("cause", "cause"),
    "machine": ("machine__code", "machine__name"),
    "product": ("product__code", "product__name"),
}
PARETO_BY = tuple(_BY)


def pareto(sites: Sequence[Site], window: Interval, *, by: str = "code") -> list[Bar]:
    """Return the defects of a window, the most frequent first (of as many, by key); at most 200 bars,
    shares of all of them.
    """
    key, name = _BY[by]
    rows = (
        Defect.objects.filter(
            site__in=[site.pk for site in sites], detected_at__gte=window.start, detected_at__lt=window.end
        )
        .order_by()
        .values(bar=F(key), label=F(name))
        .annotate(
            sum=Sum("quantity"),
            rows=Count("id"),
            cost=Sum(Coalesce("scrap_cost", Decimal(0)) + Coalesce("rework_cost", Decimal(0))),
            known=Count("id", filter=Q(scrap_cost__isnull=False) | Q(rework_cost__isnull=False)),
        )
    )
    found = sorted(rows, key=lambda row: (-row["sum"], row["bar"] or ""))
    total, so_far, bars = sum(row["sum"] for row in found), 0, []
    for row in found[:MOST_ROWS]:
        so_far += row["sum"]
        cost = row["cost"] if row["known"] else None
        label = (row["label"] or "not said").replace("_", " ")
        bars.append(Bar(row["bar"] or "", label, row["sum"], row["rows"], cost, Fraction(so_far, total)))
    return bars


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """What was found of a characteristic of a lot: its limits, and the least, the mean and the most of its values."""

    name: str
    unit: str
    lower: Decimal | None
    upper: Decimal | None
    results: int
    least: Fraction | None
    mean: Fraction | None
    most: Fraction | None
    text: str
    is_good: bool | None

    @property
    def figures(self) -> tuple[str, ...]:
        """Limits, number of results, and values, as they are written on a page."""
        written = ["" if one is None else short_text(Fraction(one)) for one in (self.lower, self.upper)]
        values = ["" if one is None else short_text(one) for one in (self.least, self.mean, self.most)]
        return (*written, str(self.results), *values)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate of analysis of a lot: the last finished inspection of each of its plans."""

    lot: MaterialLot
    inspections: tuple[Inspection, ...]
    lines: tuple[CertificateLine, ...]
    passed: bool | None
    as_of: datetime


def certificate(lot: MaterialLot, *, now: datetime) -> Certificate:
    """Return what a lot's inspections found. `passed` is None where nothing was inspected."""
    last: dict[tuple[str, str], Inspection] = {}
    rows = Inspection.objects.filter(lot=lot, finished_at__isnull=False)
    for one in with_characteristics(rows).order_by("opened_at", "id"):
        last[(one.plan.code, one.serial)] = one
    results = held_of(list(last.values()))
    lines = [line for one in last.values() for line in lines_of(one, results[one.pk])]
    good = (Inspection.Status.PASSED, Inspection.Status.CONDITIONAL)
    passed = all(one.status in good for one in last.values()) if last else None
    return Certificate(lot, tuple(last.values()), tuple(lines), passed, now)


def with_characteristics(inspections: QuerySet[Inspection]) -> QuerySet[Inspection]:
    """Return inspections with their plans and what those inspect at hand, however many they are."""
    return inspections.select_related("plan").prefetch_related("plan__characteristics__unit")


def lines_of(inspection: Inspection, results: Iterable[Held]) -> list[CertificateLine]:
    """Return what results of an inspection come to, by characteristic."""
    by: dict[int, list[Held]] = {}
    for one in results:
        by.setdefault(one.result.characteristic_id, []).append(one)
    lines = []
    for of in sorted(inspection.plan.characteristics.all(), key=lambda of: (of.position, of.pk)):
        found = by.get(of.pk, [])
        values = [one.value for one in found if one.value is not None]
        judged = [one.is_good for one in found if one.is_good is not None]
        words = sorted({one.verdict or one.text for one in found if one.verdict or one.text})
        mean = sum(values, start=Fraction(0)) / len(values) if values else None
        lines.append(
            CertificateLine(
                of.name,
                of.unit.code if of.unit else "",
                of.lower_limit,
                of.upper_limit,
                len(found),
                min(values, default=None),
                mean,
                max(values, default=None),
                ", ".join(words)[:300],
                all(judged) if judged else None,
            )
        )
    return lines
