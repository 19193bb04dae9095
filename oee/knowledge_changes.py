"""Tell who edited what numbers follow from besides facts (calendar, policies, rates, tags),
and what that did to closed shifts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import OuterRef, Q, QuerySet, Subquery, Value

from core.exact import plain_number
from core.master_data import in_scope
from counts.models import CountTag
from enterprise.models import CalendarException, Shift, ShiftBreak
from oee.models import ClosingRule, OeePolicy, ShiftClosing
from products.models import IdealRate

MOST_CLOSED_SHIFTS = 5
_ZONES = timedelta(hours=15)
_DAY = timedelta(days=1)
_ACTIONS = {"+": "created", "~": "changed", "-": "deleted"}
_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field's value before and after, as people read it; None = there was none, or it is empty."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class TouchedShift:
    """A shift that was closed when an edit reached it: its OEE as signed, and as the facts have it since.

    When several edits reach the same shift, the difference is theirs together. `oee_now` is what was accepted in its
    place, or the last comparison's.
    """

    pk: int
    title: str
    oee_was: str | None
    oee_now: str | None
    differs: bool | None


@dataclass(frozen=True, slots=True)
class KnowledgeChange:
    """One edit: who, when, which fields, and the first of the closed shifts that it reaches."""

    kind: str
    object_id: int
    title: str
    action: str
    at: datetime
    by: str | None
    changes: tuple[FieldChange, ...]
    closed_shifts: tuple[TouchedShift, ...]
    closed_shifts_more: bool


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of thing whose edits change numbers: how a version is called, where and when it holds."""

    model: Any
    title: Callable[[Any], str]
    place: Callable[[Any], Q]
    span: Callable[[Any], Span]


def _level(record: Any) -> Q:
    if record is None:
        return Q(pk__in=[])
    if record.machine_id is not None:
        return Q(machine=record.machine_id) | Q(line__machines=record.machine_id)
    if record.line_id is not None:
        return Q(line=record.line_id) | Q(machine__line=record.line_id)
    return _site(record.site_id)


def _site(site_id: int | None) -> Q:
    return Q(line__area__site=site_id) | Q(machine__line__area__site=site_id)


def _machine(record: Any) -> Q:
    return Q(machine=record.machine_id) | Q(line__machines=record.machine_id)


def _days(first: date | None, after_last: date | None) -> Span:
    """Return the span of days at whatever site, with the night after."""
    start = _EVER[0] if first is None else datetime.combine(first, time(), tzinfo=UTC) - _ZONES
    end = _EVER[1] if after_last is None else datetime.combine(after_last, time(), tzinfo=UTC) + _DAY + _ZONES
    return start, end


def _shift_days(shift: Any) -> Span:
    return _EVER if shift is None else _days(shift.valid_from, shift.valid_until)


KINDS: Mapping[str, _Kind] = {
    "shift": _Kind(Shift, lambda r: f"{r.name} {r.start_time:%H:%M}–{r.end_time:%H:%M}", _level, _shift_days),
    "shift_break": _Kind(
        ShiftBreak,
        lambda r: f"{r.name} {r.start_time:%H:%M}–{r.end_time:%H:%M} of {r.shift or 'a deleted shift'}",
        lambda r: _level(r.shift),
        lambda r: _shift_days(r.shift),
    ),
    "calendar_exception": _Kind(
        CalendarException, lambda r: f"{r.name} {r.date}", _level, lambda r: _days(r.date, r.date + _DAY)
    ),
    "oee_policy": _Kind(
        OeePolicy,
        lambda r: f"OEE policy of {r.site}" + (f" from {r.valid_from}" if r.valid_from else ""),
        lambda r: _site(r.site_id),
        lambda r: _days(r.valid_from, None),
    ),
    "ideal_rate": _Kind(
        IdealRate,
        lambda r: f"{r.product} on {r.machine}",
        _machine,
        lambda r: (r.valid_from, r.valid_until or _EVER[1]),
    ),
    "count_tag": _Kind(CountTag, lambda r: str(r.tag_path), _machine, lambda r: _EVER),
    "closing_rule": _Kind(ClosingRule, lambda r: f"Closing rule of {r.site}", lambda r: Q(pk__in=[]), lambda r: _EVER),
}


def change_keys(
    *, user: Any, kind: str | None = None, since: datetime | None = None, until: datetime | None = None
) -> QuerySet[Any, Any]:
    """Return (kind, history_id, history_date) of the edits that a person may see, the newest first,
    to be cut in pages.
    """
    parts = []
    for name in [kind] if kind else KINDS:
        model = KINDS[name].model
        rows = in_scope(model.history.all().order_by(), user, model.site_paths)
        if since is not None:
            rows = rows.filter(history_date__gte=since)
        if until is not None:
            rows = rows.filter(history_date__lt=until)
        # A nameless label would clash with a field that is called so.
        labelled = rows.annotate(of_kind=Value(name, output_field=models.CharField()))
        parts.append(labelled.values_list("of_kind", "history_id", "history_date"))
    keys: QuerySet[Any, Any] = parts[0].union(*parts[1:], all=True).order_by("-history_date", "-history_id")
    return keys


def describe(keys: Iterable[tuple[str, int, datetime]]) -> list[KnowledgeChange]:
    """Return the edits of some keys, in their order. Costs two look-ups for each kind, and one for closed shifts."""
    keys = list(keys)
    found: dict[tuple[str, int], tuple[Any, Any]] = {}
    for name, kind in KINDS.items():
        wanted = [history_id for of_kind, history_id, _ in keys if of_kind == name]
        if wanted:
            found |= {(name, record.history_id): (record, before) for record, before in _versions(kind, wanted)}
    pairs = [(KINDS[name], *found[name, history_id]) for name, history_id, _ in keys]
    touched = _touched(pairs)
    return [
        KnowledgeChange(
            kind=name,
            object_id=record.id,
            title=kind.title(record),
            action=_ACTIONS[record.history_type],
            at=record.history_date,
            by=str(record.history_user) if record.history_user else None,
            changes=_changes(kind, before, record),
            closed_shifts=tuple(of_edit[:MOST_CLOSED_SHIFTS]),
            closed_shifts_more=len(of_edit) > MOST_CLOSED_SHIFTS,
        )
        for (name, *_), (kind, record, before), of_edit in zip(keys, pairs, touched, strict=True)
    ]


def _versions(kind: _Kind, history_ids: list[int]) -> list[tuple[Any, Any]]:
    """Return versions, each with the one before it."""
    history = kind.model.history
    parents = [field.name for field in kind.model._meta.concrete_fields if field.is_relation]
    earlier = history.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id")).order_by("-history_id")
    rows = list(
        history.filter(history_id__in=history_ids)
        .select_related("history_user", *parents)
        .annotate(before_id=Subquery(earlier.values("history_id")[:1]))
    )
    before = {
        row.history_id: row
        for row in history.filter(history_id__in=[row.before_id for row in rows if row.before_id]).select_related(
            *parents
        )
    }
    return [(row, before.get(row.before_id)) for row in rows]


def _changes(kind: _Kind, before: Any, after: Any) -> tuple[FieldChange, ...]:
    """Return which fields an edit changed; of what is new, those that are filled in; of what went, what it was."""
    if after.history_type == "-":
        before, after = after, None
    elif after.history_type == "+":
        before = None
    found = []
    for field in kind.model._meta.concrete_fields:
        if field.primary_key:
            continue
        old, new = (None if row is None else getattr(row, field.attname) for row in (before, after))
        if old != new:
            found.append(FieldChange(str(field.verbose_name), _shown(field, before), _shown(field, after)))
    return tuple(found)


def _shown(field: Any, record: Any) -> str | None:
    value = None if record is None else getattr(record, field.attname)
    if value is None or value == "":
        return None
    if field.is_relation:
        parent = getattr(record, field.name)
        return f"#{value}" if parent is None else str(parent)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return plain_number(value)
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _touched(pairs: Sequence[tuple[_Kind, Any, Any]]) -> list[list[TouchedShift]]:
    """Return, for each edit, the closed shifts that it reaches: closed before it, at its place, in its span."""
    found: list[list[TouchedShift]] = [[] for _ in pairs]
    queries = []
    for number, (kind, record, before) in enumerate(pairs):
        reached = Q(pk__in=[])
        for version in (record, before):
            if version is not None:
                start, end = kind.span(version)
                reached |= kind.place(version) & Q(starts_at__lt=end, ends_at__gt=start)
        rows = ShiftClosing.objects.filter(
            reached,
            Q(superseded_by__isnull=True) | Q(superseded_by__closed_at__gt=record.history_date),
            closed_at__lt=record.history_date,
        )
        queries.append(
            rows.order_by("-starts_at", "-id")
            .annotate(edit=Value(number, output_field=models.IntegerField()))
            .distinct()
            .values_list("edit", "pk", "starts_at")[: MOST_CLOSED_SHIFTS + 1]
        )
    if not queries:
        return found
    rows_of = list(queries[0].union(*queries[1:], all=True)) if len(queries) > 1 else list(queries[0])
    closings = (
        ShiftClosing.objects.select_related("line", "machine", "check_row", "superseded_by")
        .defer("open_points")
        .in_bulk({pk for _, pk, _ in rows_of})
    )
    for number, pk, _ in sorted(rows_of, key=lambda row: (row[2], row[1]), reverse=True):
        found[number].append(_touched_shift(closings[pk]))
    return found


def _touched_shift(closing: ShiftClosing) -> TouchedShift:
    was, title = closing.numbers["kpis"]["oee"], f"{closing}, revision {closing.revision}"
    if hasattr(closing, "superseded_by"):
        accepted = closing.superseded_by.numbers
        return TouchedShift(closing.pk, title, was, accepted["kpis"]["oee"], accepted != closing.numbers)
    check = closing.check_row
    return TouchedShift(closing.pk, title, was, None if check.oee_now is None else str(check.oee_now), check.differs)
