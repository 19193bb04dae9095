"""Efficiency of crews, lines, orders, shifts and persons, and what of it may be shown."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from core.intervals import Interval, intersect
from enterprise.models import CalendarException, Line, Shift, Site
from enterprise.selectors import occurrences_of
from labor.crew_plan import exceptions_around
from labor.models import Crew, Employee
from labor.selectors import Hours, entries_around, hours_in, hours_of, hours_of_entries
from labor.timesheets import policy_of, rates_of
from workorders.models import WorkOrder

SMALLEST_GROUP = 3
"""Figures of fewer people are figures of persons."""

BY = ("crew", "line", "order", "shift", "person")


@dataclass(frozen=True, slots=True)
class Group:
    """A crew, line, order, shift or person with its hours; `thing` None = what belongs to none.

    `has_attendance` is False for lines and orders, which nobody attends: only work on orders and labour efficiency are
    known. `cost` is of the apportioned time, without overtime; None when a rate is not known, or not asked for.
    """

    thing: Crew | Line | WorkOrder | Shift | Employee | None
    people: frozenset[int]
    hours: Hours
    has_attendance: bool
    cost: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Efficiency:
    """What may be shown to somebody: all together (None = of too few people), the groups, and how many are hidden."""

    all: Group | None
    groups: tuple[Group, ...]
    hidden: int


def efficiency(site: Site, window: Interval, *, by: str, viewer_id: int | None, now: datetime) -> Efficiency:
    """Return the efficiency of a site's people over a window, by crew, line, order, shift or person.

    Persons are shown where the site's policy says so, and to themselves. Otherwise groups of fewer than three people
    are hidden, and with them the smallest others until what is hidden cannot be told by taking the shown from the
    whole.
    """
    people = {row.pk: row for row in Employee.objects.filter(site=site).select_related("crew").order_by("name", "pk")}
    # People who did nothing in the window hide nobody.
    hours = {pk: found for pk, found in hours_of(list(people), window, now=now).items() if found != Hours()}
    whole = Group(None, frozenset(hours), sum(hours.values(), start=Hours()), True)
    groups = _groups(by, site, people, hours, window, now)
    own = next((pk for pk, employee in people.items() if viewer_id and employee.user_id == viewer_id), None)
    if policy_of(site).shows_persons:
        return Efficiency(whole, tuple(groups), 0)
    shown = [group for group in groups if group.people == {own}] if by == "person" else _showable(groups, own)
    may_see_all = len(whole.people) >= SMALLEST_GROUP or whole.people <= {own}
    return Efficiency(whole if may_see_all else None, tuple(shown), len(groups) - len(shown))


def _groups(
    by: str, site: Site, people: Mapping[int, Employee], hours: Mapping[int, Hours], window: Interval, now: datetime
) -> list[Group]:
    if by == "person":
        return [Group(people[pk], frozenset([pk]), found, True) for pk, found in hours.items()]
    if by == "crew":
        members: dict[Crew | None, list[int]] = defaultdict(list)
        for pk in hours:
            members[people[pk].crew].append(pk)
        return _named(
            Group(crew, frozenset(ids), sum((hours[pk] for pk in ids), start=Hours()), True)
            for crew, ids in members.items()
        )
    if by == "shift":
        return _by_shift(site, list(hours), window, now)
    return _by_work(by, site, [people[pk] for pk in hours], window, now)


def _named(groups: Iterable[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: (group.thing is None, str(group.thing)))


def _by_shift(site: Site, ids: Sequence[int], window: Interval, now: datetime) -> list[Group]:
    """Cut the window at the site's own shifts; time outside of them is nobody's shift."""
    shifts = list(Shift.objects.filter(site=site).select_related("machine").prefetch_related("breaks").order_by("id"))
    exceptions: list[CalendarException] = exceptions_around(site, window)
    spans = {
        shift.pk: [
            part
            for occurrence in occurrences_of(shift, exceptions, site.zone, window, line_id=None)
            if (part := intersect(occurrence.interval, window)) is not None
        ]
        for shift in shifts
    }
    found = hours_in(ids, spans, now=now)
    groups = []
    for shift in shifts:
        there = {pk: of_person[shift.pk] for pk, of_person in found.items() if of_person[shift.pk] != Hours()}
        if there:
            groups.append(Group(shift, frozenset(there), sum(there.values(), start=Hours()), True))
    return groups


def _by_work(by: str, site: Site, people: Sequence[Employee], window: Interval, now: datetime) -> list[Group]:
    """Share people's time between the lines or orders that their entries name."""
    if window.start >= now:
        return []
    past = Interval(window.start, min(window.end, now))
    rate = rates_of(people)
    sums: dict[int | None, Hours] = defaultdict(Hours)
    who: dict[int | None, set[int]] = defaultdict(set)
    costs: dict[int | None, Fraction | None] = defaultdict(Fraction)
    for employee_id, entries in entries_around([employee.pk for employee in people], past).items():
        for _, entry, hours in hours_of_entries(entries, {"past": [past]}, now=now):
            if not hours.on_orders:
                continue
            key = entry.line_id if by == "line" else entry.work_order_id
            sums[key] += hours
            who[key].add(employee_id)
            an_hour, so_far = rate(employee_id, entry.started_at.astimezone(site.zone).date()), costs[key]
            costs[key] = None if an_hour is None or so_far is None else so_far + an_hour * hours.on_orders / 3600
    model: type[Line] | type[WorkOrder] = Line if by == "line" else WorkOrder
    things = model._default_manager.in_bulk([key for key in sums if key is not None])
    return _named(
        Group(things.get(key or 0), frozenset(who[key]), hours, False, costs[key]) for key, hours in sums.items()
    )


def _showable(groups: Sequence[Group], own: int | None) -> list[Group]:
    """Return the groups of enough people; of others as well those that are the viewer alone."""
    shown = [group for group in groups if len(group.people) >= SMALLEST_GROUP]
    alone = [group for group in groups if own is not None and group.people == {own}]
    hidden = [group for group in groups if group not in shown and group not in alone]
    while hidden and shown:
        people = frozenset[int]().union(*(group.people for group in hidden)) - {own}
        if len(people) >= SMALLEST_GROUP:
            break
        smallest = min(shown, key=lambda group: len(group.people))
        shown.remove(smallest)
        hidden.append(smallest)
    return [group for group in groups if group in shown or group in alone]
