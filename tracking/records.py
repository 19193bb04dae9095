"""Tell all about units: their stages and values, what they are built of and where they are used, what happened to them.

Of many units in as many queries as of one, but for the levels of their parts.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from tracking.derivation import Known, know_all
from tracking.models import Assembly, AssemblyRemoval, SerialUnit, StageEntry, UnitEvent, UnitStage
from tracking.selectors import overall, values_of
from tracking.state import DONE

MOST_PARTS = 2000
MOST_LEVELS = 30


# --- as built, where used ---


@dataclass(frozen=True, slots=True)
class Part:
    """A unit in an as-built tree: how deep, at which position, since when."""

    unit: SerialUnit
    depth: int
    position: str
    since: datetime | None
    parts: tuple["Part", ...] = ()


def as_built(unit: SerialUnit) -> Part:
    """Return what a unit is built of now, all levels: two queries for each level. At most 2,000 parts."""
    (part,) = all_as_built([unit])
    return part


def all_as_built(units: Sequence[SerialUnit]) -> list[Part]:
    """Return what units are built of now, all levels: two queries for each level.

    At most 2,000 parts of each, together.
    """
    below: dict[int, list[SerialUnit]] = defaultdict(list)
    since: dict[int, datetime] = {}
    layer = [unit.pk for unit in units]
    seen = set(layer)
    while layer and len(seen) < MOST_PARTS * len(units):
        rows = list(
            SerialUnit.objects.filter(parent__in=layer).select_related("product").order_by("parent_position", "id")
        )
        now = Assembly.objects.filter(child__in=rows, removal__isnull=True).values_list("child_id", "assembled_at")
        since |= dict(now)
        for row in rows:
            below[row.parent_id or 0].append(row)
        layer = [row.pk for row in rows if row.pk not in seen]
        seen |= set(layer)

    def tree(one: SerialUnit, depth: int) -> Part:
        parts = tuple(tree(child, depth + 1) for child in below.get(one.pk, ()))
        return Part(one, depth, one.parent_position if depth else "", since.get(one.pk), parts)

    return [tree(unit, 0) for unit in units]


def flat(part: Part) -> list[Part]:
    """Return a tree's parts from the top down, without the top."""
    return [row for child in part.parts for row in (child, *flat(child))]


def where_used(unit: SerialUnit) -> list[SerialUnit]:
    """Return what a unit is part of now, from the nearest to the outermost."""
    (found,) = all_where_used([unit])
    return found


def all_where_used(units: Sequence[SerialUnit]) -> list[list[SerialUnit]]:
    """Return what units are part of now, each from the nearest to the outermost: a query for each level."""
    above: dict[int, SerialUnit] = {}
    wanted = {unit.parent_id for unit in units if unit.parent_id is not None}
    for _ in range(MOST_LEVELS):
        if not wanted:
            break
        above |= SerialUnit.objects.select_related("product").in_bulk(wanted)
        wanted = {unit.parent_id for unit in above.values() if unit.parent_id is not None} - above.keys()
    return [_chain(unit, above) for unit in units]


def _chain(unit: SerialUnit, above: dict[int, SerialUnit]) -> list[SerialUnit]:
    found: list[SerialUnit] = []
    parent_id = unit.parent_id
    while parent_id in above and len(found) < MOST_LEVELS:
        found.append(above[parent_id])
        parent_id = above[parent_id].parent_id
    return found


# --- what happened ---


@dataclass(frozen=True, slots=True)
class Happening:
    """A fact about a unit, as its history shows it."""

    at: datetime
    by: Any
    what: str
    stage: str
    reason: str


def history_of(unit: SerialUnit) -> list[Happening]:
    """Return all that is recorded of a unit, the newest first: creation, entries, decisions, parts in and out."""
    (found,) = _histories([unit], _entries([unit]))
    return found


def _entries(units: Sequence[SerialUnit]) -> dict[int, list[StageEntry]]:
    found: dict[int, list[StageEntry]] = defaultdict(list)
    rows = StageEntry.objects.filter(unit__in=units).select_related("stage", "field", "entered_by")
    for entry in rows.order_by("occurred_at", "idempotency_key"):
        found[entry.unit_id].append(entry)
    return found


def _histories(units: Sequence[SerialUnit], entries: dict[int, list[StageEntry]]) -> list[list[Happening]]:
    found: dict[int, list[Happening]] = {}
    for unit in units:
        instead_of = f"Instead of {unit.replaces}" if unit.replaces_id else ""
        found[unit.pk] = [Happening(unit.created_at, unit.created_by, "Created", "", instead_of)]
        found[unit.pk] += [_entered(entry) for entry in entries[unit.pk]]
    for event in UnitEvent.objects.filter(unit__in=units).select_related("stage", "decided_by"):
        stage = event.stage.name if event.stage else ""
        row = Happening(event.occurred_at, event.decided_by, event.get_kind_display(), stage, event.reason)
        found[event.unit_id].append(row)
    for made in Assembly.objects.filter(Q(parent__in=units) | Q(child__in=units)).select_related(
        "parent", "child", "assembled_by"
    ):
        _tell(found, made, f"Built in: {made.child} at {made.position}", f"Built into {made.parent} at {made.position}")
    removals = AssemblyRemoval.objects.filter(Q(assembly__parent__in=units) | Q(assembly__child__in=units))
    for gone in removals.select_related("assembly__parent", "assembly__child", "removed_by"):
        made = gone.assembly
        _tell(found, made, f"Taken out: {made.child} from {made.position}", f"Taken out of {made.parent}", gone)
    return [sorted(found[unit.pk], key=lambda row: row.at, reverse=True) for unit in units]


def _tell(
    found: dict[int, list[Happening]],
    made: Assembly,
    of_parent: str,
    of_child: str,
    gone: AssemblyRemoval | None = None,
) -> None:
    """Add a part built in, or taken out, to the histories of both units, as far as they are asked for."""
    at, by, reason = (made.assembled_at, made.assembled_by, "")
    if gone is not None:
        at, by, reason = (gone.removed_at, gone.removed_by, gone.reason)
    for unit_id, what in ((made.parent_id, of_parent), (made.child_id, of_child)):
        if unit_id in found:
            found[unit_id].append(Happening(at, by, what, "", reason))


def _entered(entry: StageEntry) -> Happening:
    said = "cleared" if entry.value is None else shown(entry.field.kind, entry.value)
    label = f"{entry.field.label} {entry.position}".strip()
    return Happening(entry.occurred_at, entry.entered_by, f"{label}: {said}", entry.stage.name, entry.reason)


def shown(kind: str, value: str) -> str:
    """Return a stored value as people read it."""
    if kind == "ok_nok":
        return {"ok": "OK", "not_ok": "NOT OK", "na": "N/A"}[value]
    return f"picture {value}" if kind == "photo" else value


# --- all of it ---


def unit_as_record(unit: SerialUnit) -> dict[str, Any]:
    """Return everything about a unit; see `units_as_records`."""
    (record,) = units_as_records([unit])
    return record


RELATED = ("product", "order", "site", "replaces", "parent", "created_by")
"""What is read of a unit itself: select it too."""


def units_as_records(units: Sequence[SerialUnit]) -> list[dict[str, Any]]:
    """Return everything about units as nested plain values, in their order: for workbooks and REST.

    Keys: serial, product, order, site, status, overall, rework_count, created_at, finished_at, replaces, parent,
    position, stages (code, name, state, round, form, passes, fields with value, position, limits, who and when), parts
    (nested), where_used, history. Moments are datetimes in UTC.
    """
    entries = _entries(units)
    together = zip(know_all(units), all_as_built(units), all_where_used(units), _histories(units, entries), strict=True)
    return [
        _record(known, entries[known.unit.pk], built, used_in, history) for known, built, used_in, history in together
    ]


def _record(
    known: Known, entries: list[StageEntry], built: Part, used_in: list[SerialUnit], history: list[Happening]
) -> dict[str, Any]:
    unit = known.unit
    latest = {(entry.stage_id, entry.field_id, entry.position): entry for entry in entries}
    return {
        "serial": unit.serial,
        "product": {"code": unit.product.code, "name": unit.product.name},
        "order": unit.order.order_number if unit.order else None,
        "site": unit.site.code,
        "status": known.state.status.value,
        "overall": overall(unit),
        "rework_count": known.state.rework_count,
        "created_at": unit.created_at,
        "finished_at": known.state.finished_at,
        "replaces": unit.replaces.serial if unit.replaces else None,
        "parent": unit.parent.serial if unit.parent else None,
        "position": unit.parent_position,
        "stages": [_stage_record(known, stage, latest) for stage in known.stages],
        "parts": [_part_record(part) for part in built.parts],
        "where_used": [{"serial": one.serial, "product": one.product.code} for one in used_in],
        "history": [
            {"at": row.at, "by": str(row.by), "what": row.what, "stage": row.stage, "reason": row.reason}
            for row in history
        ],
    }


def _stage_record(known: Known, stage: UnitStage, latest: dict[Any, StageEntry]) -> dict[str, Any]:
    fields = []
    for value in values_of(known, stage):
        entry = latest.get((stage.pk, value.field.pk, value.position)) if value.value is not None else None
        fields.append(
            {
                "code": value.field.code,
                "label": value.field.label,
                "position": value.position,
                "kind": value.field.kind,
                "value": value.value,
                "unit": value.field.unit_id,
                "minimum": value.field.minimum,
                "maximum": value.field.maximum,
                "is_ok": None if value.value is None else not (value.is_bad or value.is_let_pass),
                "let_pass": value.is_let_pass,
                "by": str(entry.entered_by) if entry else None,
                "at": entry.occurred_at if entry else None,
            }
        )
    now = known.state.stages[stage.pk]
    return {
        "code": stage.code,
        "name": stage.name,
        "state": now.state.value,
        "is_done": now.state in DONE,
        "is_due": known.state.due == stage.pk,
        "round": now.round,
        "form": str(stage.form) if stage.form else None,
        "started_at": now.started_at,
        "completed_at": now.done_at,
        "passes": [
            {
                "round": one.round,
                "result": str(one.result),
                "started_at": one.started_at,
                "completed_at": one.completed_at,
            }
            for one in known.state.passes
            if one.stage == stage.pk
        ],
        "fields": fields,
    }


def _part_record(part: Part) -> dict[str, Any]:
    return {
        "serial": part.unit.serial,
        "product": part.unit.product.code,
        "position": part.position,
        "since": part.since,
        "parts": [_part_record(child) for child in part.parts],
    }
