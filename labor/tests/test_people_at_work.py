"""Retries have one effect; the shift board, approval and efficiency say what is so, and no more than may be said."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from threading import Barrier, Thread

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Conflict, Invalid
from core.intervals import Interval
from labor import corrections, services
from labor.approval import NO_CLOCK_OUT, OUTSIDE, OVERLAPPING, TOO_LONG, to_approve
from labor.board import ABSENT, EXPECTED, LEFT, MISSING, THERE, shift_board
from labor.efficiency import SMALLEST_GROUP, efficiency
from labor.models import Absence, Attendance, Certificate, CrewAssignment, LaborEntry, SkillNeed, TerminalCommand
from labor.selectors import Hours, hours_in, hours_of
from tests.factories import (
    make_area,
    make_crew,
    make_employee,
    make_labor_policy,
    make_line,
    make_machine,
    make_shift,
    make_site,
    make_skill,
    make_user,
    make_work_order,
)

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 3, 2)
START = datetime(2026, 3, 2, 5, tzinfo=UTC)
"""06:00 in Warsaw."""


def at(hours):
    return START + timedelta(hours=hours)


@pytest.fixture
def site():
    return make_site()


@pytest.fixture
def line(site):
    return make_machine(line=make_line(area=make_area(site=site))).line


@pytest.fixture
def order(line):
    return make_work_order(line=line)


@pytest.fixture
def ewa(site):
    return make_employee(site=site, name="Ewa", badge="B-1")


def worked(employee, order, start, end, **values):
    entry = services.start_work(employee=employee, kind="direct", at=at(start), actor=None, work_order=order)
    return services.stop_work(entry=entry, at=at(end), **values)


class TestRetries:
    def test_same_key_has_one_effect(self, ewa, order):
        came = [services.clock_in(employee=ewa, at=at(n), idempotency_key="in") for n in range(2)]
        work = {"employee": ewa, "kind": "direct", "actor": None, "work_order": order, "idempotency_key": "start"}
        started = [services.start_work(at=at(1 + n), **work) for n in range(2)]
        done = {"entry": started[0], "idempotency_key": "stop"}
        stopped = [
            services.stop_work(at=at(3 + n), quantity_produced=made, **done)
            for n, made in enumerate((Decimal(12), Decimal("12.000")))
        ]
        went = [services.clock_out(employee=ewa, at=at(5 + n), idempotency_key="out") for n in range(2)]
        for pair in (came, started, stopped, went):
            assert pair[0] == pair[1]
        assert (Attendance.objects.count(), LaborEntry.objects.count()) == (1, 1)
        assert (Attendance.objects.get().ended_at, LaborEntry.objects.get().ended_at) == (at(5), at(3))

    def test_same_key_for_something_else_is_refused(self, ewa, site, order):
        services.clock_in(employee=ewa, at=at(0), idempotency_key="k")
        with pytest.raises(Conflict):
            services.clock_out(employee=ewa, at=at(1), idempotency_key="k")
        with pytest.raises(Conflict):
            services.clock_in(employee=make_employee(site=site), at=at(1), idempotency_key="k")
        assert Attendance.objects.filter(ended_at__isnull=True).count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_two_terminals_with_one_request_start_one_work(self):
        line = make_machine().line
        order, ewa = make_work_order(line=line), make_employee(site=line.area.site)
        barrier, ends = Barrier(6), []

        def start():
            barrier.wait()
            try:
                entry = services.start_work(
                    employee=ewa, kind="direct", at=at(0), actor=None, work_order=order, idempotency_key="one"
                )
                ends.append(entry.pk)
            finally:
                connection.close()

        threads = [Thread(target=start) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(ends), len(set(ends)), LaborEntry.objects.count()) == (6, 1, 1)
        assert TerminalCommand.objects.count() == 1


class TestBoard:
    @pytest.fixture
    def crew(self, site, line):
        crew = make_crew(site=site)
        CrewAssignment.objects.create(crew=crew, shift=make_shift(site=site), line=line, first_date=date(2026, 1, 5))
        return crew

    def states(self, site, now, **narrowed):
        board = shift_board(site, MONDAY, now=now, **narrowed)
        return {one.employee.name: one.state for shift in board.shifts for one in shift.people}

    def test_says_who_should_be_there_and_who_is(self, site, crew):
        people = {name: make_employee(site=site, crew=crew, name=name) for name in ("Ewa", "Jan", "Ola", "Piotr")}
        Absence.objects.create(employee=people["Ola"], first_date=MONDAY, last_date=MONDAY)
        assert self.states(site, at(-1)) == {"Ewa": EXPECTED, "Jan": EXPECTED, "Ola": ABSENT, "Piotr": EXPECTED}
        services.clock_in(employee=people["Ewa"], at=at(0))
        services.clock_in(employee=people["Jan"], at=at(0))
        services.clock_out(employee=people["Jan"], at=at(3))
        assert self.states(site, at(4)) == {"Ewa": THERE, "Jan": LEFT, "Ola": ABSENT, "Piotr": MISSING}

    def test_who_is_there_without_a_plan_is_shown_apart(self, site, crew, ewa):
        services.clock_in(employee=ewa, at=at(0))
        board = shift_board(site, MONDAY, now=at(1))
        assert [one.employee for one in board.unplanned] == [ewa]

    def test_certificates_that_are_missing_or_expire(self, site, line, crew):
        ewa = make_employee(site=site, crew=crew)
        welding, forklift = make_skill(), make_skill()
        SkillNeed.objects.create(skill=welding, line=line)
        SkillNeed.objects.create(skill=forklift, machine=line.machines.get())
        ends = MONDAY + timedelta(days=30)
        certificate = Certificate.objects.create(
            employee=ewa, skill=welding, valid_from=date(2025, 1, 1), valid_until=ends
        )
        person = shift_board(site, MONDAY, now=at(1)).shifts[0].people[0]
        assert (person.skills_missing, person.expiring) == ((forklift,), (certificate,))
        Certificate.objects.create(employee=ewa, skill=welding, valid_from=date(2026, 1, 1))
        assert shift_board(site, MONDAY, now=at(1)).shifts[0].people[0].expiring == ()

    def test_narrowed_to_line_and_shift(self, site, line, crew, ewa):
        make_employee(site=site, crew=crew, name="Jan")
        other = make_line(area=line.area)
        assert self.states(site, at(1), line=line) == {"Jan": MISSING}
        assert self.states(site, at(1), line=other) == {}
        assert self.states(site, at(1), shift=make_shift(site=site)) == {}

    def test_queries_do_not_grow_with_people(self, site, crew, django_assert_max_num_queries):
        for _ in range(30):
            services.clock_in(employee=make_employee(site=site, crew=crew), at=at(0))
        with django_assert_max_num_queries(14):
            assert len(shift_board(site, MONDAY, now=at(1)).shifts[0].people) == 30


class TestApproval:
    def oddities(self, site, now=None):
        found = to_approve(site, MONDAY, now=now or at(30))
        return [pending.oddities for pending in found.pending], list(found.not_ended)

    def test_plain_work_is_not_odd(self, site, ewa, order):
        worked(ewa, order, 0, 4)
        services.clock_out(employee=ewa, at=at(4))
        assert self.oddities(site) == ([()], [])

    def test_oddities_are_named(self, site, ewa, order, line):
        entry = worked(ewa, order, 0, 13)
        there = Attendance.objects.get()
        assert self.oddities(site) == ([(NO_CLOCK_OUT, TOO_LONG)], [there])
        supervisor = make_user("supervisor", site)
        corrections.correct_attendance(attendance=there, actor=supervisor, reason="Forgot it", ended_at=at(6))
        assert self.oddities(site) == ([(TOO_LONG, OUTSIDE)], [])
        corrections.correct_entry(entry=entry, actor=supervisor, reason="Forgot it", ended_at=at(6))
        assert self.oddities(site) == ([()], [])
        LaborEntry.objects.create(
            employee=ewa,
            kind="direct",
            work_order=make_work_order(line=line),
            started_at=at(5),
            ended_at=at(6),
            recorded_at=at(5),
        )
        assert self.oddities(site) == ([(OVERLAPPING,), (OVERLAPPING,)], [])

    def test_correction_needs_a_reason_and_the_version_that_was_seen(self, site, ewa, order):
        entry, supervisor = worked(ewa, order, 0, 4), make_user("supervisor", site)
        seen = corrections.version_of(entry)
        for reason in ("", " ", "x" * 101):
            with pytest.raises(Invalid) as refused:
                corrections.correct_entry(entry=entry, actor=supervisor, reason=reason)
            assert refused.value.field == "reason"
        corrections.correct_entry(entry=entry, actor=supervisor, reason="Typo", seen=seen, quantity_produced=Decimal(5))
        with pytest.raises(Conflict):
            corrections.correct_entry(entry=entry, actor=supervisor, reason="Typo", seen=seen)
        ewa.user = supervisor
        ewa.save()
        with pytest.raises(Conflict):
            corrections.correct_entry(entry=entry, actor=supervisor, reason="Mine")


class TestEfficiency:
    @pytest.fixture
    def crews(self, site, order):
        """Return two crews of three and of two people, who all worked two hours in four."""
        crews = [make_crew(site=site, name=name) for name in ("A", "B")]
        for crew, size in zip(crews, (3, 2), strict=True):
            for _ in range(size):
                employee = make_employee(site=site, crew=crew, hourly_rate=30)
                services.clock_in(employee=employee, at=at(0))
                worked(employee, order, 0, 2, standard_seconds=Decimal(5400))
                services.clock_out(employee=employee, at=at(4))
        return crews

    def asked(self, site, by, viewer=None):
        return efficiency(site, Interval(at(0), at(8)), by=by, viewer_id=viewer, now=at(9))

    def test_small_groups_are_hidden_and_what_would_betray_them(self, site, crews):
        found = self.asked(site, "crew")
        # The crew of three is hidden too: taken from all five it would leave the two.
        assert (found.groups, found.hidden) == ((), 2)
        assert found.all.hours.worker_efficiency == Fraction(1, 2)
        make_labor_policy(site=site, shows_persons=True)
        found = self.asked(site, "crew")
        assert ([group.thing.name for group in found.groups], found.hidden) == (["A", "B"], 0)

    def test_one_crew_is_shown_when_the_rest_is_large_enough(self, site, crews, order):
        for _ in range(3):
            worked(make_employee(site=site, crew=crews[1]), order, 0, 1)
        assert len(self.asked(site, "crew").groups) == 2

    @pytest.mark.parametrize("by", ["line", "order", "shift"])
    def test_by_line_order_and_shift(self, site, crews, order, by):
        make_shift(site=site, start_time=time(6), end_time=time(7))
        (group,) = self.asked(site, by).groups
        assert group.hours.labor_efficiency == Fraction(3, 4)
        # Half of the work, and of its standard, lies in the shift of one hour.
        assert group.hours.on_orders == 5 * (3600 if by == "shift" else 7200)
        if by != "shift":
            assert (group.has_attendance, group.cost) == (False, 300)

    def test_unknown_rate_is_an_unknown_cost(self, site, crews, order):
        worked(make_employee(site=site), order, 0, 1)
        assert self.asked(site, "order").groups[0].cost is None

    def test_own_figures_are_always_shown_and_nobody_elses(self, site, crews):
        person = crews[1].members.first()
        person.user = make_user("operator", site)
        person.save()
        assert [group.thing for group in self.asked(site, "person", person.user_id).groups] == [person]
        assert self.asked(site, "person").groups == ()

    def test_all_of_a_tiny_site_is_hidden(self, site, ewa, order):
        worked(ewa, order, 0, 2)
        assert self.asked(site, "crew").all is None
        assert SMALLEST_GROUP == 3


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12), st.booleans()), max_size=5)


@settings(max_examples=12, deadline=None)
@given(drawn=spans, cuts=st.lists(st.integers(-4, 50), max_size=4))
def test_hours_of_parts_add_up_to_the_window(drawn, cuts):
    line = make_machine().line
    order, ewa = make_work_order(line=line), make_employee(site=line.area.site)
    for start, length, is_break in drawn:
        LaborEntry.objects.create(
            employee=ewa,
            kind="break" if is_break else "direct",
            work_order=None if is_break else order,
            started_at=at(start),
            ended_at=at(start + length),
            recorded_at=at(start),
            standard_seconds=None if is_break else 1000,
        )
    if drawn:
        first = min(start for start, *_ in drawn)
        Attendance.objects.create(employee=ewa, started_at=at(first), ended_at=at(45))
    bounds = [at(-5), *(at(cut) for cut in sorted({*cuts})), at(60)]
    parts = [Interval(one, other) for one, other in itertools.pairwise(bounds)]
    whole = hours_of([ewa.pk], Interval(at(-5), at(60)), now=at(99))[ewa.pk]
    found = hours_in([ewa.pk], dict(enumerate([part] for part in parts)), now=at(99))[ewa.pk]
    assert sum(found.values(), start=Hours()) == whole
    assert [hours_of([ewa.pk], part, now=at(99))[ewa.pk] for part in parts] == list(found.values())
    standard = 1000 * sum(not is_break for *_, is_break in drawn)
    assert whole.standard <= standard
