"""Read what machines and people said about states."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Max, Q, QuerySet

from core import sql
from core.intervals import Interval
from core.shared_reads import once, once_each, read_around
from downtime.models import ReasonPlace, ReasonRule, StateCorrection, StateReason, holds_until
from downtime.rules import Rule, State, apply_rules
from enterprise.models import Machine


def states_in(machine_ids: Sequence[int], window: Interval) -> dict[int, list[State]]:
    """Return each machine's (occurred_at, reason id, category, detail) in a window, and of the last one before it."""
    states: dict[int, list[State]] = {machine_id: [] for machine_id in machine_ids}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH fact AS (
                SELECT last.* FROM unnest(%(machines)s::bigint[]) AS machine (id) CROSS JOIN LATERAL (
                    SELECT machine_id, occurred_at, reason_id, detail FROM downtime_statehistory
                    WHERE machine_id = machine.id AND occurred_at < %(start)s ORDER BY occurred_at DESC LIMIT 1
                ) last
                UNION ALL
                SELECT machine_id, occurred_at, reason_id, detail FROM downtime_statehistory
                WHERE machine_id = ANY(%(machines)s) AND occurred_at >= %(start)s AND occurred_at < %(end)s
            )
            SELECT fact.machine_id, fact.occurred_at, fact.reason_id, reason.category, fact.detail
            FROM fact JOIN downtime_statereason reason ON reason.id = fact.reason_id
            ORDER BY fact.machine_id, fact.occurred_at
            """,
            {"machines": list(machine_ids), "start": window.start, "end": window.end},
        )
        for machine_id, *state in cursor.fetchall():
            states[machine_id].append(tuple(state))
    return states


def all_reasons() -> Mapping[int, StateReason]:
    """Return all reasons by id, without their places in the tree."""
    return once(
        "reasons", lambda: {reason.pk: reason for reason in StateReason.objects.without_tree_fields()}, kept=True
    )


class Correction(NamedTuple):
    """What a person said of a span of a machine's time; None as its end = until further notice."""

    pk: int
    machine_id: int
    starts_at: datetime
    holds_until: datetime | None
    reason_id: int | None
    category: str | None
    replaces_running: bool
    comment: str
    corrected_by_id: int
    recorded_at: datetime


def corrections_in(machine_ids: Sequence[int], window: Interval) -> Sequence[Correction]:
    """Return the corrections that touch a window, those that end at its very start included."""
    asked = set(machine_ids)
    return [
        row
        for row in read_around("corrections", asked, window, _corrections_in)
        if row.machine_id in asked
        and row.starts_at < window.end
        and (row.holds_until is None or row.holds_until >= window.start)
    ]


def _corrections_in(machine_ids: Sequence[int], window: Interval) -> Iterable[Correction]:
    # When one holds until is what `holds_until` of the models says.
    found = sql.rows(
        """
        SELECT * FROM (
            SELECT word.id, word.machine_id, word.starts_at, CASE WHEN word.until_running THEN (
                SELECT ran.occurred_at FROM downtime_statehistory ran
                JOIN downtime_statereason AS reason ON reason.id = ran.reason_id AND reason.category = 'running'
                WHERE ran.machine_id = word.machine_id AND ran.occurred_at > word.starts_at
                ORDER BY ran.occurred_at LIMIT 1
            ) ELSE word.ends_at END AS holds_until,
                word.reason_id, reason.category, word.replaces_running, word.comment, word.corrected_by_id, word.recorded_at
            FROM downtime_statecorrection word LEFT JOIN downtime_statereason reason ON reason.id = word.reason_id
            WHERE word.machine_id = ANY(%(machines)s) AND word.starts_at < %(end)s
            AND (word.ends_at IS NULL OR word.ends_at >= %(start)s)
        ) word WHERE holds_until IS NULL OR holds_until >= %(start)s
        """,
        machines=list(machine_ids),
        start=window.start,
        end=window.end,
    )
    return [Correction(*row) for row in found]


def words_on(machine_id: int, starts_at: datetime, ends_at: datetime | None) -> QuerySet[Any]:
    """Return the corrections of a machine that hold somewhere in a span, newest first; each has `holds_until`."""
    words: QuerySet[Any] = (
        StateCorrection.objects.annotate(holds_until=holds_until())
        .filter(Q(holds_until__isnull=True) | Q(holds_until__gt=starts_at), machine=machine_id)
        .order_by("-id")
    )
    return words if ends_at is None else words.filter(starts_at__lt=ends_at)


def rules_for(machines: Iterable[Machine]) -> dict[int, list[Rule]]:
    """Return each machine's rules for reasons in the order in which they are tried; line and site are read.

    Machines without any are absent.
    """
    asked = list(machines)
    # Of whole sites, so that the next machine of one has been read, too.
    of_sites = once_each("rules", {machine.line.area.site_id for machine in asked}, _rules_of_sites, kept=True)
    found: dict[int, list[Rule]] = {}
    for machine in asked if of_sites else ():
        rows = of_sites.get(machine.line.area.site_id, ())
        places = (machine.pk, None, None), (None, machine.line_id, None), (None, None, machine.line.area.site_id)
        of_machine = [rule for place in places for there, rule in rows if there == place]
        if of_machine:
            found[machine.pk] = of_machine
    return found


_Place = tuple[int | None, int | None, int | None]
"""A machine, a line or a site, by id."""


def _rules_of_sites(site_ids: list[int]) -> dict[int, list[tuple[_Place, Rule]]]:
    found: dict[int, list[tuple[_Place, Rule]]] = defaultdict(list)
    for of_site, machine, line, site, detail_match, weekdays, *rest in sql.rows(
        """
        SELECT coalesce(rule.site_id, area.site_id), rule.machine_id, rule.line_id, rule.site_id, rule.detail_match,
            rule.weekdays, rule.reason_id, reason.category, rule.sent_reason_id, rule.detail_text,
            rule.start_time, rule.end_time, rule.valid_from
        FROM downtime_reasonrule rule
        JOIN downtime_statereason reason ON reason.id = rule.reason_id
        LEFT JOIN enterprise_machine machine ON machine.id = rule.machine_id
        LEFT JOIN enterprise_line line ON line.id = coalesce(rule.line_id, machine.line_id)
        LEFT JOIN enterprise_area area ON area.id = line.area_id
        WHERE rule.is_active AND coalesce(rule.site_id, area.site_id) = ANY(%(sites)s)
        ORDER BY rule.position, rule.id
        """,
        sites=site_ids,
    ):
        reason_id, category, sent_reason_id, text, start_time, end_time, valid_from = rest
        rule = Rule(
            reason_id=reason_id,
            category=category,
            sent_reason_id=sent_reason_id,
            text=text,
            is_whole_text=detail_match == ReasonRule.Match.EQUALS,
            weekdays=frozenset(weekdays),
            start_time=start_time,
            end_time=end_time,
            valid_from=valid_from,
        )
        found[of_site].append(((machine, line, site), rule))
    return found


def after_rules(machines: Sequence[Machine], states: Mapping[int, list[State]]) -> dict[int, list[State]]:
    """Return machines' states with the reasons that rules give them; line, area and site are read."""
    rules = rules_for(machines)
    return {
        machine.pk: [apply_rules(rules[machine.pk], state, machine.line.area.site.zone) for state in states[machine.pk]]
        if machine.pk in rules
        else states[machine.pk]
        for machine in machines
    }


def reasons_offered(machine: Machine) -> list[StateReason]:
    """Return the active reasons that people may choose at a machine, in the order of the tree; its line's area is read.

    A reason that names places is offered at those, one that names none where its parent is, the topmost everywhere.
    """
    return reasons_offered_at([machine])[machine.pk]


def reasons_offered_at(machines: Iterable[Machine]) -> dict[int, list[StateReason]]:
    """Return the same for each of some machines."""
    reasons, named = once("reasons by place", _reasons_by_place, kept=True)
    return {machine.pk: _offered(machine, reasons, named) for machine in machines}


def _reasons_by_place() -> tuple[list[StateReason], dict[int, list[ReasonPlace]]]:
    named: dict[int, list[ReasonPlace]] = defaultdict(list)
    for place in ReasonPlace.objects.all():
        named[place.reason_id].append(place)
    # Parents come before their children.
    return list(StateReason.objects.with_tree_fields()), dict(named)


def favourite_reasons(machine_ids: Sequence[int], *, since: datetime) -> list[int]:
    """Return the reasons that people gave at machines since a moment, those given most often first, by id."""
    said = StateCorrection.objects.filter(machine__in=machine_ids, recorded_at__gte=since, reason__isnull=False)
    counted = said.order_by().values("reason").annotate(times=Count("id"), last=Max("id"))
    return list(counted.order_by("-times", "-last").values_list("reason", flat=True))


def _offered(
    machine: Machine, reasons: Sequence[StateReason], named: Mapping[int, Sequence[ReasonPlace]]
) -> list[StateReason]:
    here = (machine.pk, machine.line_id, machine.line.area.site_id)
    offered: dict[int | None, bool] = {None: True}
    found = []
    for reason in reasons:
        places = named.get(reason.pk)
        offered[reason.pk] = (
            offered[reason.parent_id]
            if places is None
            else any(
                here[n] == place_id
                for place in places
                for n, place_id in enumerate((place.machine_id, place.line_id, place.site_id))
            )
        )
        if offered[reason.pk] and reason.is_active and reason.operator_selectable:
            found.append(reason)
    return found


def may_give(user: Any, reason: StateReason, *, site_id: int) -> bool:
    """Say whether a person may give a reason for a stop at a site; one that tells no cause explains nothing."""
    if reason.category in (StateReason.Category.RUNNING, StateReason.Category.NO_DATA) or not reason.explains:
        return False
    return not reason.roles or user.is_superuser or not user.roles_at(site_id).isdisjoint(reason.roles)


def reasons_to_choose(machine: Machine, user: Any, *, since: datetime) -> list[StateReason]:
    """Return the reasons for stops that a person may choose at a machine: favourites first,
    then by name as they read it.

    Favourites are the most frequent since a moment.
    """
    site_id = machine.line.area.site_id
    allowed = [reason for reason in reasons_offered(machine) if may_give(user, reason, site_id=site_id)]
    rank = {reason_id: place for place, reason_id in enumerate(favourite_reasons([machine.pk], since=since))}
    return sorted(allowed, key=lambda reason: (rank.get(reason.pk, len(rank)), reason.local_name.casefold(), reason.pk))


class Gap(NamedTuple):
    """A span of which we know that we know nothing: what a machine sent in it is lost."""

    machine_id: int
    starts_at: datetime
    ends_at: datetime
    cause: str
    source: str
    recorded_at: datetime


def gaps_in(machine_ids: Sequence[int], window: Interval) -> Sequence[Gap]:
    """Return the gaps that touch a window, those that end at its very start included."""
    asked = set(machine_ids)
    return [
        row
        for row in read_around("gaps", asked, window, _gaps_in)
        if row.machine_id in asked and row.starts_at < window.end and row.ends_at >= window.start
    ]


def _gaps_in(machine_ids: Sequence[int], window: Interval) -> Iterable[Gap]:
    found = sql.rows(
        """
        SELECT machine_id, starts_at, ends_at, cause, source, recorded_at FROM downtime_signalgap
        WHERE machine_id = ANY(%(machines)s) AND starts_at < %(end)s AND ends_at >= %(start)s
        """,
        machines=list(machine_ids),
        start=window.start,
        end=window.end,
    )
    return [Gap(*row) for row in found]


@dataclass(frozen=True, slots=True)
class CurrentState:
    """The last thing a machine said about itself."""

    machine_id: int
    since: datetime
    reason_id: int
    detail: str
    category: str = field(default="", compare=False)
    said_at: datetime | None = field(default=None, compare=False)
    """When it was last said; `since` looks back over repetitions."""


def current_states(machine_ids: Sequence[int], *, now: datetime) -> dict[int, CurrentState]:
    """Return each machine's state at a moment, since when it lasts; a machine that never said anything is absent.

    `since` looks back over repetitions of the same reason.
    """
    return once_each(f"states at {now}", machine_ids, lambda ids: _states_at(ids, now))


def _states_at(machine_ids: Sequence[int], now: datetime) -> dict[int, CurrentState]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT machine.id, coalesce(change.since, last.occurred_at), last.reason_id, last.detail,
                (SELECT category FROM downtime_statereason WHERE id = last.reason_id), last.occurred_at
            FROM unnest(%(machines)s::bigint[]) AS machine (id)
            CROSS JOIN LATERAL (
                SELECT occurred_at, reason_id, detail FROM downtime_statehistory
                WHERE machine_id = machine.id AND occurred_at <= %(now)s ORDER BY occurred_at DESC LIMIT 1
            ) last
            LEFT JOIN LATERAL (
                SELECT occurred_at FROM downtime_statehistory
                WHERE machine_id = machine.id AND occurred_at < last.occurred_at AND reason_id <> last.reason_id
                ORDER BY occurred_at DESC LIMIT 1
            ) other ON TRUE
            LEFT JOIN LATERAL (
                SELECT occurred_at AS since FROM downtime_statehistory
                WHERE machine_id = machine.id AND occurred_at > other.occurred_at
                ORDER BY occurred_at LIMIT 1
            ) change ON TRUE
            """,
            {"machines": list(machine_ids), "now": now},
        )
        return {row[0]: CurrentState(*row) for row in cursor.fetchall()}


def read_by_rules(machines: Sequence[Machine], states: Mapping[int, CurrentState]) -> dict[int, CurrentState]:
    """Return machines' current states with the reasons that rules give them; line, area and site are read.

    A rule goes by the moment and the words of the last repetition, so a state that it changes lasts since that.
    """
    rules = rules_for(machines)
    found = dict(states)
    for machine in machines:
        state = states.get(machine.pk)
        if state is None or state.said_at is None or machine.pk not in rules:
            continue
        sent = state.said_at, state.reason_id, state.category, state.detail
        at, reason_id, category, _ = apply_rules(rules[machine.pk], sent, machine.line.area.site.zone)
        if reason_id != state.reason_id:
            found[machine.pk] = replace(state, since=at, reason_id=reason_id, category=category)
    return found
