"""Take the readings of gauges that devices send: once each, in any order,
for the version of the plan that was valid then.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.errors import DomainError
from core.facts import Answer, Key, append, insert_new
from quality.gauging import why_unusable
from quality.judging import Content
from quality.models import Characteristic, GaugeTag, InspectionPlan, Result
from quality.results import refuse_odd_content, results_changed

Value = tuple[Decimal, str]
"""A value as it was sent, and the unit's serial number, or nothing."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A reading as a device sends it, which may speak for some machines; `source` says which device it is."""

    tag: str
    at: datetime
    value: Decimal
    serial: str
    machine_ids: Collection[int]
    source: str


@dataclass(frozen=True, slots=True)
class NewMeasurement:
    """A reading that can be stored."""

    tag_id: int
    machine_id: int
    characteristic_id: int
    gauge_id: int | None
    unit: str | None
    occurred_at: datetime
    value: Decimal
    serial: str
    source: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Why a reading cannot be stored: the field at fault, the reason in a word, and in a sentence."""

    field: str
    code: str
    message: str


def resolve(sent: Sequence[Sent]) -> list[NewMeasurement | NotTaken]:
    """Return what each reading is, or why it is refused: an unknown tag, no valid plan, a gauge out of calibration,
    an odd value.

    Three queries, however many they are.
    """
    if not sent:
        return []
    tags = {
        tag.tag_path: tag
        for tag in GaugeTag.objects.filter(tag_path__in={one.tag for one in sent})
        .select_related("characteristic__plan", "gauge", "unit", "machine")
        .prefetch_related("gauge__calibrations")
    }
    versions = _versions(tags.values())
    found: list[NewMeasurement | NotTaken] = []
    for one in sent:
        tag = tags.get(one.tag)
        if tag is None or tag.machine_id not in one.machine_ids:
            found.append(NotTaken("measurement", "unknown_tag", f"This key knows no measurement '{one.tag}'."))
            continue
        if not (tag.is_active and tag.machine.is_active):
            message = f"The measurement '{one.tag}' or its machine is switched off."
            found.append(NotTaken("measurement", "inactive_tag", message))
            continue
        of = _valid(versions[tag.characteristic.plan.code, tag.characteristic.code], one.at)
        if of is None:
            message = f"No version of {tag.characteristic.plan.code} was released at that moment."
            found.append(NotTaken("measurement", "no_plan", message))
            continue
        why = why_unusable(tag.gauge, one.at) if tag.gauge is not None else ""
        if why:
            found.append(NotTaken("measurement", "gauge_not_calibrated", why))
            continue
        try:
            refuse_odd_content(of, Content(value=one.value), tag.unit)
        except DomainError as refusal:
            found.append(NotTaken("value", "odd_value", refusal.message))
            continue
        unit = tag.unit.code if tag.unit is not None else of.unit.code if of.unit is not None else None
        found.append(
            NewMeasurement(tag.pk, tag.machine_id, of.pk, tag.gauge_id, unit, one.at, one.value, one.serial, one.source)
        )
    return found


def _versions(tags: Collection[GaugeTag]) -> dict[tuple[str, str], list[Characteristic]]:
    """Return all released versions of the tags' characteristics. One query."""
    codes = {(tag.characteristic.plan.code, tag.characteristic.code) for tag in tags}
    rows = Characteristic.objects.filter(
        plan__code__in={plan for plan, _ in codes}, code__in={code for _, code in codes}
    ).exclude(plan__status=InspectionPlan.Status.DRAFT)
    found: dict[tuple[str, str], list[Characteristic]] = {key: [] for key in codes}
    for row in rows.select_related("plan", "unit").order_by("plan__version"):
        found.setdefault((row.plan.code, row.code), []).append(row)
    return found


def _valid(versions: Sequence[Characteristic], at: datetime) -> Characteristic | None:
    for one in versions:
        start, end = one.plan.valid_from, one.plan.valid_until
        if start is not None and start <= at and (end is None or at < end):
            return one
    return None


def record_measurements(new: Sequence[NewMeasurement], *, recorded_at: datetime) -> list[Answer[Value]]:
    """Store readings, and answer each: accepted, duplicate, or in conflict with what is stored.

    Judge anew what they bear on.
    """
    if not new:
        return []
    by_key: dict[Key, NewMeasurement] = {}
    for one in new:
        by_key.setdefault((one.tag_id, one.occurred_at), one)
    facts = [((one.tag_id, one.occurred_at), (one.value.quantize(Decimal("1e-9")), one.serial)) for one in new]
    answers, stored = append(facts, insert=lambda values: _insert(values, by_key, recorded_at), look_up=_look_up)
    if stored:
        tags, moments = {tag for tag, _ in stored}, {at for _, at in stored}
        rows = Result.objects.filter(tag__in=tags, occurred_at__in=moments).select_related(
            "characteristic", "machine", "inspection"
        )
        fresh = [row for row in rows if (row.tag_id, row.occurred_at) in stored]
        results_changed(fresh, actor=None, at=recorded_at)
    return answers


def _insert(values: Mapping[Key, Value], by_key: Mapping[Key, NewMeasurement], recorded_at: datetime) -> set[Key]:
    rows = [by_key[key] for key in sorted(values)]
    return insert_new(
        """
        INSERT INTO quality_result (characteristic_id, tag_id, machine_id, gauge_id, unit, serial, occurred_at, value,
            source, recorded_at, verdict, text)
        SELECT item.*, %s, '', '' FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[],
            %s::text[], %s::timestamptz[], %s::numeric[], %s::text[]) AS item
        ON CONFLICT DO NOTHING RETURNING tag_id, occurred_at
        """,
        [
            recorded_at,
            *(
                [getattr(row, name) for row in rows]
                for name in ("characteristic_id", "tag_id", "machine_id", "gauge_id", "unit", "serial")
            ),
            [row.occurred_at for row in rows],
            [row.value for row in rows],
            [row.source for row in rows],
        ],
        list(values),
    )


def _look_up(keys: list[Key]) -> dict[Key, Value]:
    rows = Result.objects.filter(tag__in={tag for tag, _ in keys}, occurred_at__in={at for _, at in keys})
    found = {(row.tag_id or 0, row.occurred_at): (row.value or Decimal(0), row.serial) for row in rows}
    return {key: found[key] for key in keys}
