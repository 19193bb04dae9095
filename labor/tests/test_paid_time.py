"""Overtime and breaks are exact, add up over any cut, and follow the calendar, also when clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from core.intervals import Interval, union
from enterprise.models import CalendarException
from labor import services
from labor.models import (
    Attendance,
    BreakRule,
    Crew,
    CrewAssignment,
    Employee,
    EmploymentTerms,
    LaborEntry,
    LaborPolicy,
)
from labor.paid_time import AgreedHours, Rule, deducted, overtime_by_agreement, paid, rounded, total
from labor.timesheets import PaidTime, paid_time, timesheets
from tests.factories import make_line, make_shift, make_site

MONDAY = date(2026, 3, 2)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
MINUTE = 60_000_000
HOUR = 60 * MINUTE
GERMAN = (Rule(6 * HOUR, 30 * MINUTE), Rule(9 * HOUR, 45 * MINUTE))


def span(start, end, day=MONDAY):
    midnight = datetime.combine(day, time(), tzinfo=UTC)
    return Interval(midnight + timedelta(hours=start), midnight + timedelta(hours=end))


class TestBreaks:
    @pytest.mark.parametrize(
        ("attended", "booked", "expected"),
        [
            ([span(6, 12)], [], 0),
            ([span(6, 12.25)], [], 15),
            ([span(6, 14)], [], 30),
            ([span(6, 14)], [span(9, 9.25)], 15),
            ([span(6, 14)], [span(9, 9.5)], 0),
            ([span(6, 16)], [], 45),
            ([span(6, 15.25)], [], 30),
            # Who leaves in between has had time, but no break.
            ([span(6, 10), span(11, 15)], [], 30),
        ],
    )
    def test_what_is_missing_is_taken_off(self, attended, booked, expected):
        assert total(deducted(attended, booked, GERMAN)) == expected * MINUTE

    def test_without_rules_nothing_is(self):
        assert paid([span(6, 18)], [], ()) == [span(6, 18)]


minutes = st.integers(0, 14 * 60)
spans = st.lists(st.tuples(minutes, st.integers(1, 300)), max_size=4)


def drawn_spans(drawn, day=MONDAY):
    midnight = span(0, 1, day).start
    return [Interval(midnight + timedelta(minutes=a), midnight + timedelta(minutes=a + length)) for a, length in drawn]


@given(spans, spans)
def test_paid_and_breaks_add_up_to_the_attendance(attended, booked):
    there, pauses = union(drawn_spans(attended)), drawn_spans(booked)
    work = paid(there, pauses, GERMAN)
    taken_off = deducted(there, pauses, GERMAN)
    booked_inside = total(there) - total(paid(there, pauses, ()))
    assert total(work) + total(taken_off) + booked_inside == total(there)
    assert union([*work, *taken_off]) == paid(there, pauses, ())


@given(st.lists(spans, min_size=7, max_size=7), st.integers(0, 10), st.integers(0, 50))
def test_overtime_by_agreement_is_what_exceeds_day_and_week(drawn, a_day, a_week):
    days = {
        MONDAY + timedelta(days=n): union(drawn_spans(of_day, MONDAY + timedelta(days=n)))
        for n, of_day in enumerate(drawn)
    }
    agreed = dict.fromkeys(days, AgreedHours(a_day * HOUR, a_week * HOUR))
    found = overtime_by_agreement(days, agreed)
    regular = sum(min(total(of_day), a_day * HOUR) for of_day in days.values())
    worked = sum(total(of_day) for of_day in days.values())
    assert sum(total(of_day) for of_day in found.values()) == worked - min(regular, a_week * HOUR)
    shuffled = overtime_by_agreement(dict(reversed(days.items())), agreed)
    assert shuffled == found


@pytest.mark.parametrize(
    ("given_minutes", "counts_from", "rounds_to", "expected"),
    [(14, 0, 0, 14), (14, 15, 0, 0), (15, 15, 0, 15), (44, 0, 15, 30), (45, 15, 15, 45), (7, 0, 15, 0)],
)
def test_overtime_counts_as_the_site_decided(given_minutes, counts_from, rounds_to, expected):
    assert rounded(given_minutes * MINUTE, counts_from=counts_from, rounds_to=rounds_to) == expected * MINUTE


@pytest.fixture
def site(db):
    return make_site()


@pytest.fixture
def crew(site):
    return Crew.objects.create(code="A", name="Crew A", site=site)


@pytest.fixture
def ewa(site, crew):
    return Employee.objects.create(code="1042", name="Ewa", site=site, crew=crew, hourly_rate=30)


def local(site, day, hours, minute=0):
    """Return a wall-clock time of the site."""
    return datetime.combine(day, time(hours, minute), tzinfo=site.zone).astimezone(UTC)


def attend(employee, start, end):
    return Attendance.objects.create(employee=employee, started_at=start, ended_at=end)


def plan(crew, shift, first=date(2026, 1, 5), **values):
    return CrewAssignment.objects.create(crew=crew, shift=shift, first_date=first, **values)


def sheet(site, employee, day, now=NOW):
    found = timesheets(site, [employee.pk], day, day, now=now)[employee.pk]
    return found[0] if found else None


class TestPlannedOvertime:
    def test_what_lies_outside_the_crews_shift_is_overtime(self, site, crew, ewa):
        plan(crew, make_shift(site=site, weekdays=[1, 2, 3, 4, 5]))
        attend(ewa, local(site, MONDAY, 5, 45), local(site, MONDAY, 14, 20))
        found = sheet(site, ewa, MONDAY)
        assert (found.time.overtime, found.planned) == (35 * 60, 8 * 3600)
        assert found.time.cost == Fraction(30) * found.time.paid / 3600

    def test_on_a_holiday_and_a_free_day_all_of_it_is(self, site, crew, ewa):
        plan(crew, make_shift(site=site, weekdays=[1, 2, 3, 4, 5]))
        CalendarException.objects.create(site=site, date=MONDAY, name="Founder's day")
        for day in (MONDAY, date(2026, 3, 7)):
            attend(ewa, local(site, day, 6), local(site, day, 14))
            found = sheet(site, ewa, day)
            assert (found.time.overtime, found.planned) == (8 * 3600, 0)

    @pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 28), 7), (date(2026, 10, 24), 9)])
    def test_night_in_which_clocks_change_has_the_hours_that_it_has(self, site, crew, ewa, day, hours):
        plan(crew, make_shift(site=site, start_time=time(22), end_time=time(6)))
        next_day = day + timedelta(days=1)
        attend(ewa, local(site, day, 22), local(site, next_day, 6, 30))
        found = sheet(site, ewa, day)
        assert (found.planned, found.time.attendance, found.time.overtime) == (
            hours * 3600,
            hours * 3600 + 1800,
            1800,
        )
        assert sheet(site, ewa, next_day) is None

    def test_night_shift_left_and_come_back_to_is_one_day(self, site, crew, ewa):
        plan(crew, make_shift(site=site, start_time=time(22), end_time=time(6)))
        policy = LaborPolicy.objects.create(site=site)
        BreakRule.objects.create(policy=policy, after_hours=6, minutes=30)
        tuesday = MONDAY + timedelta(days=1)
        attend(ewa, local(site, MONDAY, 22), local(site, tuesday, 2))
        attend(ewa, local(site, tuesday, 2, 30), local(site, tuesday, 6))
        found = sheet(site, ewa, MONDAY)
        assert (found.time.attendance, found.time.deducted) == (7.5 * 3600, 1800)

    def test_shift_of_the_kind_overtime_is_nobodys_planned_time(self, site, crew, ewa):
        shift = make_shift(site=site, kind="overtime", valid_from=MONDAY, valid_until=date(2026, 3, 9))
        plan(crew, shift)
        attend(ewa, local(site, MONDAY, 6), local(site, MONDAY, 14))
        assert sheet(site, ewa, MONDAY).time.overtime == 8 * 3600

    def test_without_plan_and_agreement_it_is_not_known(self, site, ewa):
        attend(ewa, local(site, MONDAY, 6), local(site, MONDAY, 18))
        found = sheet(site, ewa, MONDAY)
        assert (found.time.overtime, found.planned, found.overtime_counted) == (None, None, None)
        assert found.time.cost == 360

    def test_unknown_rate_is_an_unknown_cost(self, site, ewa):
        ewa.hourly_rate = None
        ewa.save()
        attend(ewa, local(site, MONDAY, 6), local(site, MONDAY, 18))
        assert sheet(site, ewa, MONDAY).time.cost is None

    def test_crews_take_turns_week_by_week(self, site, crew, ewa):
        early, late = make_shift(site=site), make_shift(site=site, start_time=time(14), end_time=time(22))
        services.plan_rotation(crew=crew, shifts=[early, late], first_date=MONDAY, last_date=None, line=None)
        for week in range(4):
            day = MONDAY + timedelta(weeks=week, days=2)
            attend(ewa, local(site, day, 6), local(site, day, 14))
            assert sheet(site, ewa, day).time.overtime == (0 if week % 2 == 0 else 8 * 3600)

    def test_places_of_another_site_are_refused(self, crew):
        with pytest.raises(Invalid) as refused:
            services.plan_rotation(
                crew=crew, shifts=[make_shift(site=make_site())], first_date=MONDAY, last_date=None, line=None
            )
        assert refused.value.field == "shift"
        with pytest.raises(Invalid) as refused:
            services.plan_rotation(
                crew=crew, shifts=[make_shift(site=crew.site)], first_date=MONDAY, last_date=None, line=make_line()
            )
        assert refused.value.field == "line"


class TestAgreedHours:
    def test_agreed_hours_come_before_the_crews_shift(self, site, crew, ewa):
        plan(crew, make_shift(site=site))
        EmploymentTerms.objects.create(employee=ewa, valid_from=date(2026, 1, 1), hours_per_day=6, hourly_rate=40)
        LaborPolicy.objects.create(site=site, overtime_supplement=Decimal(25))
        attend(ewa, local(site, MONDAY, 6), local(site, MONDAY, 14))
        found = sheet(site, ewa, MONDAY)
        assert (found.time.overtime, found.time.cost) == (2 * 3600, 40 * (8 + 2 * Fraction(1, 4)))

    def test_hours_of_the_week_run_out_on_its_last_days(self, site, ewa):
        EmploymentTerms.objects.create(employee=ewa, valid_from=date(2026, 1, 1), hours_per_week=20)
        for n in range(3):
            day = MONDAY + timedelta(days=n)
            attend(ewa, local(site, day, 6), local(site, day, 14))
        # Asked for alone, the last day knows of the week before it.
        assert sheet(site, ewa, MONDAY + timedelta(days=2)).time.overtime == 4 * 3600

    def test_rounding_is_by_day_and_costs_follow_it(self, site, ewa):
        EmploymentTerms.objects.create(employee=ewa, valid_from=date(2026, 1, 1), hours_per_day=8)
        LaborPolicy.objects.create(site=site, overtime_rounds_to=15, overtime_supplement=100)
        attend(ewa, local(site, MONDAY, 6), local(site, MONDAY, 14, 29))
        found = sheet(site, ewa, MONDAY)
        assert (found.time.overtime, found.overtime_counted) == (29 * 60, 15 * 60)
        assert found.time.cost == Fraction(30, 60) * (8 * 60 + 29 + 15)

    def test_open_attendance_counts_up_to_now(self, site, ewa):
        attend(ewa, local(site, MONDAY, 6), None)
        found = sheet(site, ewa, MONDAY, now=local(site, MONDAY, 9))
        assert (found.day.is_open, found.time.attendance) == (True, 3 * 3600)


@settings(max_examples=12, deadline=None)
@given(
    attended=st.lists(st.tuples(st.integers(0, 13 * 24), st.integers(1, 15)), max_size=8),
    pauses=st.lists(st.tuples(st.integers(0, 13 * 24), st.integers(1, 3)), max_size=4),
    cuts=st.lists(st.integers(1, 14 * 96 - 1), max_size=4),
    by_agreement=st.booleans(),
)
@pytest.mark.django_db
def test_parts_of_a_window_add_up_to_it(attended, pauses, cuts, by_agreement):
    site = make_site()
    crew = Crew.objects.create(code=f"crew-{site.code}", name="Crew", site=site)
    ewa = Employee.objects.create(code=f"ewa-{site.code}", name="Ewa", site=site, crew=crew, hourly_rate=31)
    # The clocks of the site change on the last Sunday.
    start = datetime(2026, 3, 17, tzinfo=UTC)
    free = start
    for begins, length in sorted(attended):
        begin = max(free, start + timedelta(hours=begins))
        free = begin + timedelta(hours=length)
        attend(ewa, begin, free)
    for begins, length in pauses:
        begin = start + timedelta(hours=begins)
        LaborEntry.objects.create(
            employee=ewa, kind="break", started_at=begin, ended_at=begin + timedelta(hours=length), recorded_at=begin
        )
    policy = LaborPolicy.objects.create(site=site, overtime_supplement=50)
    BreakRule.objects.create(policy=policy, after_hours=6, minutes=30)
    if by_agreement:
        EmploymentTerms.objects.create(employee=ewa, valid_from=date(2026, 1, 1), hours_per_day=8, hours_per_week=35)
    plan(crew, make_shift(site=site, start_time=time(22), end_time=time(6)))
    bounds = [start - timedelta(days=1), *(start + timedelta(minutes=15 * cut) for cut in sorted({*cuts})), NOW]

    def asked(one, other):
        return paid_time(site, [ewa.pk], Interval(one, other), now=NOW)[ewa.pk]

    whole = asked(bounds[0], bounds[-1])
    parts = sum((asked(one, other) for one, other in pairwise(bounds)), start=PaidTime())
    assert parts == whole
    days = timesheets(site, [ewa.pk], date(2026, 3, 1), date(2026, 5, 1), now=NOW)[ewa.pk]
    assert sum((day.time for day in days), start=PaidTime()) == whole
    assert whole.overtime is not None
    assert 0 <= whole.overtime <= whole.paid <= whole.attendance
