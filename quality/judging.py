"""Judge results by the limits of their plan's version, and inspections by their results: pure derivation from facts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from django.db.models import Q, QuerySet

from products.models import UnitOfMeasure
from products.units import convert
from quality.models import Characteristic, Inspection, InspectionDecision, Result, ResultCorrection

_Kind = Characteristic.Kind
_Outcome = Inspection.Outcome
_GOOD: dict[str, bool] = {Result.Verdict.OK: True, Result.Verdict.NOT_OK: False}
STATUS_OF = {
    _Outcome.PASS: Inspection.Status.PASSED,
    _Outcome.CONDITIONAL_PASS: Inspection.Status.CONDITIONAL,
    _Outcome.FAIL: Inspection.Status.FAILED,
    _Outcome.HOLD: Inspection.Status.FAILED,
    _Outcome.REWORK_REQUIRED: Inspection.Status.FAILED,
}


@dataclass(frozen=True, slots=True)
class Content:
    """What a result says; `value` in the unit that it was given in."""

    value: Decimal | None = None
    verdict: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What holds of a result after corrections: `value` in the characteristic's unit, exact;
    `is_good` None = not judged.
    """

    result: Result
    value: Fraction | None
    verdict: str
    text: str
    is_good: bool | None

    @property
    def occurred_at(self) -> datetime:
        """When it was taken."""
        return self.result.occurred_at


def in_unit_of(characteristic: Characteristic, value: Decimal | None, unit: UnitOfMeasure | None) -> Fraction | None:
    """Return a value in the characteristic's unit.

    Raises NoConversion, which names both units, where there is no way.
    """
    if value is None:
        return None
    if unit is None or characteristic.unit is None:
        return Fraction(value)
    return convert(value, unit, characteristic.unit)


def is_good(characteristic: Characteristic, value: Fraction | None, verdict: str, text: str) -> bool | None:
    """Say whether a result is within its limits; on the limit is within. None where there is nothing to judge."""
    match characteristic.kind:
        case _Kind.VARIABLE | _Kind.COUNT:
            lower, upper = characteristic.lower_limit, characteristic.upper_limit
            if value is None or (lower is None and upper is None):
                return None
            return (lower is None or value >= Fraction(lower)) and (upper is None or value <= Fraction(upper))
        case _Kind.ATTRIBUTE:
            return _GOOD.get(verdict)
        case _Kind.CHOICE:
            return text in characteristic.accepted if characteristic.accepted else None
    return None


def held(results: QuerySet[Result]) -> list[Held]:
    """Return what holds of results, void ones left out, in the order of their moments. Two queries."""
    rows = list(results.select_related("characteristic__unit", "unit", "tag"))
    last: dict[int, ResultCorrection] = {}
    for correction in ResultCorrection.objects.filter(result__in=[row.pk for row in rows]).order_by("id"):
        last[correction.result_id] = correction
    found = []
    for row in rows:
        said = last.get(row.pk)
        if said is not None and said.is_void:
            continue
        value, verdict, text = (
            (row.value, row.verdict, row.text) if said is None else (said.value, said.verdict, said.text)
        )
        exact = in_unit_of(row.characteristic, value, row.unit)
        found.append(Held(row, exact, verdict, text, is_good(row.characteristic, exact, verdict, text)))
    return sorted(found, key=order_of)


def order_of(one: Held) -> tuple[datetime, str, int, int, str]:
    """Order results by what they say of themselves, never by when they arrived."""
    row = one.result
    tag = row.tag.tag_path if row.tag is not None else ""
    return (row.occurred_at, tag, row.inspection_id or 0, row.sample or 0, row.characteristic.code)


def belongs(reading: Result, inspection: Inspection) -> bool:
    """Say whether a gauge's reading belongs to an inspection: taken at its machine, of its plan's version,
    while it was open.

    Of two inspections that were open at once, it belongs to both.
    """
    return (
        (reading.machine_id, reading.characteristic.plan_id) == (inspection.machine_id, inspection.plan_id)
        and inspection.opened_at <= reading.occurred_at
        and (inspection.finished_at is None or reading.occurred_at < inspection.finished_at)
        and (not inspection.serial or reading.serial in ("", inspection.serial))
    )


def inspections_with(readings: Sequence[Result]) -> set[int]:
    """Return the ids of the inspections that some readings of gauges belong to. One query."""
    if not readings:
        return set()
    moments = [reading.occurred_at for reading in readings]
    rows = Inspection.objects.filter(
        plan__in={reading.characteristic.plan_id for reading in readings},
        machine__in={reading.machine_id for reading in readings},
        opened_at__lte=max(moments),
    ).exclude(finished_at__lte=min(moments))
    return {row.pk for row in rows if any(belongs(reading, row) for reading in readings)}


def held_of(inspections: Sequence[Inspection]) -> dict[int, list[Held]]:
    """Return what holds of the results of inspections, by their id: their own, and the readings that belong to them.

    Two queries.
    """
    found: dict[int, list[Held]] = {one.pk: [] for one in inspections}
    by_gauge: dict[tuple[int, int], list[Inspection]] = defaultdict(list)
    asked = Q(inspection__in=found)
    for one in inspections:
        if one.machine_id is not None:
            by_gauge[one.machine_id, one.plan_id].append(one)
    for (machine_id, plan_id), there in by_gauge.items():
        ends = [one.finished_at for one in there if one.finished_at is not None]
        reading = Q(tag__isnull=False, machine=machine_id, characteristic__plan=plan_id)
        reading &= Q(occurred_at__gte=min(one.opened_at for one in there))
        asked |= reading & Q(occurred_at__lt=max(ends)) if len(ends) == len(there) else reading
    for row in held(Result.objects.filter(asked)):
        result = row.result
        if result.inspection_id is not None:
            found[result.inspection_id].append(row)
            continue
        for one in by_gauge[result.machine_id or 0, result.characteristic.plan_id]:
            if belongs(result, one):
                found[one.pk].append(row)
    return found


Sheet = Mapping[int, Mapping[int, Held]]


def sheet_of_inspection(inspection: Inspection) -> dict[int, dict[int, Held]]:
    """Return what holds of an inspection's results; see `sheet_of`."""
    return sheet_of(held_of([inspection])[inspection.pk])


def sheet_of(results: Sequence[Held]) -> dict[int, dict[int, Held]]:
    """Return results by characteristic id and sample; readings of gauges take the free samples in order of their
    moments.
    """
    sheet: dict[int, dict[int, Held]] = defaultdict(dict)
    for one in results:
        if one.result.sample is not None:
            sheet[one.result.characteristic_id][one.result.sample] = one
    for one in results:
        if one.result.sample is None:
            taken = sheet[one.result.characteristic_id]
            sample = 1
            while sample in taken:
                sample += 1
            taken[sample] = one
    return dict(sheet)


def missing_of(characteristics: Iterable[Characteristic], sheet: Sheet, sample_size: int) -> list[str]:
    """Return what an inspection still needs, in words: "Diameter 3 to 5"."""
    found = []
    for characteristic in characteristics:
        there = sheet.get(characteristic.pk, {})
        lacking = [sample for sample in range(1, sample_size + 1) if sample not in there]
        if characteristic.is_required and lacking:
            shown = ", ".join(map(str, lacking[:10])) + (" …" if len(lacking) > 10 else "")
            found.append(f"{characteristic.name} ({shown})")
    return found


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an inspection came to by its results alone."""

    nonconforming: int
    result: str


def judged(inspection: Inspection, sheet: Sheet) -> Judgement:
    """Count the units with a result outside its limits: too many of them, or one that is critical,
    fail the inspection.
    """
    bad: set[int] = set()
    critical = False
    for of_characteristic in sheet.values():
        for sample, one in of_characteristic.items():
            if one.is_good is False:
                bad.add(sample)
                critical |= one.result.characteristic.severity == Characteristic.Severity.CRITICAL
    passes = len(bad) <= inspection.accept_number and not critical
    return Judgement(len(bad), _Outcome.PASS if passes else _Outcome.FAIL)


def decision_of(inspection: Inspection) -> InspectionDecision | None:
    """Return the last decision about an inspection."""
    return InspectionDecision.objects.filter(inspection=inspection).order_by("-id").first()
