"""People clock in, work, and leave: exact hours, whatever overlaps, and nothing in a wrong name."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from threading import Barrier, Thread

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Conflict, Invalid, NotFound
from core.intervals import Interval
from labor import corrections, services
from labor.apportion import Work, apportion
from labor.identification import hashed_pin, identify
from labor.models import Absence, Attendance, Certificate, Crew, Employee, LaborEntry, LaborPolicy, Skill, SkillNeed
from labor.selectors import expiring_certificates, hours_of
from tests.factories import make_machine, make_site, make_user, make_work_order

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
NOW = START + timedelta(days=1)
HOUR = 3600


def at(hours):
    return START + timedelta(hours=hours)


@pytest.fixture
def site(db):
    return make_site()


@pytest.fixture
def ewa(site):
    return Employee.objects.create(code="1042", name="Ewa", site=site, badge="B-1042")


@pytest.fixture
def work(ewa, site):
    """Return how to book hours of Ewa's on an order of her site."""
    machine = make_machine()
    machine.line.area.site_id = site.pk
    machine.line.area.save()
    order = make_work_order(line=machine.line)

    def book(kind, start, end=None, **values):
        on_order = {"work_order": order} if kind in LaborEntry.ON_ORDERS else {}
        entry = services.start_work(employee=ewa, kind=kind, at=at(start), actor=None, **{**on_order, **values})
        return entry if end is None else services.stop_work(entry=entry, at=at(end))

    book.machine, book.order = machine, order
    return book


def hours(ewa, start=0, end=24):
    return hours_of([ewa.pk], Interval(at(start), at(end)), now=NOW)[ewa.pk]


class TestClock:
    def test_one_comes_once_and_leaves_once(self, ewa):
        services.clock_in(employee=ewa, at=at(0))
        with pytest.raises(Conflict):
            services.clock_in(employee=ewa, at=at(1))
        assert services.clock_out(employee=ewa, at=at(8)).ended_at == at(8)
        with pytest.raises(Conflict):
            services.clock_out(employee=ewa, at=at(9))
        assert hours(ewa).attendance == 8 * HOUR

    def test_leaving_before_coming_is_refused_by_name(self, ewa):
        services.clock_in(employee=ewa, at=at(2))
        with pytest.raises(Invalid) as refused:
            services.clock_out(employee=ewa, at=at(1))
        assert refused.value.field == "at"

    def test_leaving_ends_what_one_works_on(self, ewa, work):
        entry = work("direct", 0)
        services.clock_out(employee=ewa, at=at(3))
        entry.refresh_from_db()
        assert entry.ended_at == at(3)

    def test_who_is_absent_does_not_come(self, ewa):
        Absence.objects.create(employee=ewa, first_date=date(2026, 3, 2), last_date=date(2026, 3, 6))
        with pytest.raises(Conflict):
            services.clock_in(employee=ewa, at=at(0))

    def test_identified_by_badge_or_by_number_and_pin_at_the_own_site_only(self, ewa, site):
        ewa.pin = hashed_pin("4711")
        ewa.save()
        assert "4711" not in ewa.pin
        assert identify(site=site, terminal=None, now=NOW, badge="B-1042") == ewa
        assert identify(site=site, terminal=None, now=NOW, code="1042", pin="4711") == ewa
        for wrong in ({"code": "1042", "pin": "4712"}, {"code": "9", "pin": "4711"}, {"badge": "B"}):
            with pytest.raises(NotFound):
                identify(site=site, terminal=None, now=NOW, **wrong)
        with pytest.raises(NotFound):
            identify(site=make_site(), terminal=None, now=NOW, badge="B-1042")

    @pytest.mark.parametrize("pin", ["123", "1234567890123", "12a4", "1111", "1234", "٤٧١١"])
    def test_pins_that_anybody_tries_first_are_refused(self, pin):
        with pytest.raises(Invalid) as refused:
            hashed_pin(pin)
        assert refused.value.field == "pin"


class TestWork:
    def test_parallel_work_shares_the_time_evenly(self, ewa, work):
        work("direct", 0, 4)
        work("direct", 2, 4, operation="20")
        work("break", 3, 3.5)
        services.clock_out(employee=ewa, at=at(4))
        found = hours(ewa)
        assert (found.attendance, found.breaks, found.on_orders) == (4 * HOUR, HOUR / 2, 3.5 * HOUR)
        assert found.worker_efficiency == 1

    def test_indirect_work_lowers_worker_efficiency(self, ewa, work):
        work("direct", 0, 3)
        work("meeting", 3, 4)
        services.clock_out(employee=ewa, at=at(4))
        assert hours(ewa).worker_efficiency == Fraction(3, 4)

    def test_labour_efficiency_compares_with_the_standard(self, ewa, work):
        entry = work("direct", 0)
        services.stop_work(entry=entry, at=at(2), quantity_produced=Decimal(90), standard_seconds=Decimal(90 * 72))
        assert hours(ewa).labor_efficiency == Fraction(9, 10)

    def test_order_is_needed_for_work_on_orders(self, ewa):
        with pytest.raises(ValidationError):
            services.start_work(employee=ewa, kind="direct", at=at(0), actor=None)

    def test_same_work_is_not_started_twice(self, work):
        work("direct", 0)
        with pytest.raises(Conflict):
            work("direct", 1)

    def test_line_of_another_site_does_not_exist(self, ewa):
        with pytest.raises(NotFound):
            services.start_work(
                employee=ewa, kind="direct", at=at(0), actor=None, work_order=make_work_order(line=make_machine().line)
            )

    def test_certificate_gates_the_start_and_is_named(self, ewa, work):
        skill = Skill.objects.create(code="W", name="Welding")
        SkillNeed.objects.create(skill=skill, machine=work.machine)
        with pytest.raises(Conflict, match="Welding"):
            work("direct", 0, machine=work.machine)
        certificate = Certificate.objects.create(
            employee=ewa, skill=skill, valid_from=date(2025, 1, 1), valid_until=date(2026, 3, 1)
        )
        with pytest.raises(Conflict):
            work("direct", 0, machine=work.machine)
        certificate.valid_until = date(2026, 3, 2)
        certificate.save()
        assert work("direct", 0, machine=work.machine)
        expiring = list(expiring_certificates(ewa.site_id, on=date(2026, 3, 2), until=date(2026, 4, 1)))
        assert expiring == [certificate]

    def test_approved_hours_stay_and_nobody_approves_their_own(self, ewa, work):
        supervisor = make_user("supervisor", ewa.site)
        entry = work("direct", 0)
        with pytest.raises(Conflict):
            corrections.approve(entries=[entry], actor=supervisor, at=NOW)
        services.stop_work(entry=entry, at=at(1))
        corrections.correct_entry(entry=entry, actor=supervisor, reason="He said so", note="Typed late")
        assert corrections.approve(entries=[entry], actor=supervisor, at=NOW) == 1
        assert corrections.approve(entries=[entry], actor=supervisor, at=NOW) == 0
        with pytest.raises(Conflict):
            corrections.correct_entry(entry=entry, actor=supervisor, reason="He said so", note="Again")
        corrected = entry.history.order_by("history_id")[2]
        assert (corrected.note, corrected.history_change_reason) == ("Typed late", "He said so")
        ewa.user = supervisor
        ewa.save()
        other = work("direct", 2, 3, operation="30")
        with pytest.raises(Conflict):
            corrections.approve(entries=[other], actor=supervisor, at=NOW)


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30), st.booleans()), max_size=7)


@given(spans)
def test_shares_add_up_to_the_time_and_agree_with_counting_minutes(drawn):
    works = [
        Work(key, Interval(START + timedelta(minutes=a), START + timedelta(minutes=a + length)), is_break)
        for key, (a, length, is_break) in enumerate(drawn)
    ]
    expected = {work.key: Fraction(0) for work in works}
    for minute in range(120):
        there = [w for w in works if w.span.covers(START + timedelta(minutes=minute))]
        counted = [w for w in there if w.is_break] or there
        for work in counted:
            expected[work.key] += Fraction(60_000_000, len(counted))
    assert apportion(works) == expected


@pytest.mark.django_db(transaction=True)
def test_two_terminals_let_one_person_come_once():
    ewa = Employee.objects.create(code="1", name="Ewa", site=make_site())
    barrier, ends = Barrier(8), []

    def come(second):
        barrier.wait()
        try:
            services.clock_in(employee=ewa, at=START + timedelta(seconds=second))
            ends.append("in")
        except (Conflict, ValidationError):
            ends.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=come, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (ends.count("in"), ends.count("refused"), Attendance.objects.count()) == (1, 7, 1)


class TestApi:
    @pytest.fixture
    def terminal(self, client, site):
        client.force_login(make_user("operator", site))
        return client

    def test_shared_terminal_writes_in_the_name_of_the_badge(self, terminal, ewa, site, work):
        who = {"site": site.code, "badge": "B-1042"}
        came = terminal.post("/labor/clock-in/", {**who, "at": at(0).isoformat()}, content_type="application/json")
        assert (came.status_code, came.json()["employee"]) == (201, ewa.pk)
        body = {**who, "work_order": work.order.pk, "at": at(1).isoformat()}
        started = terminal.post("/labor/start/", body, content_type="application/json")
        assert (started.status_code, started.json()["employee"]) == (201, ewa.pk)
        stop = f"/labor/entry/{started.json()['id']}/stop/"
        done = {"at": at(2).isoformat(), "quantity_produced": "12"}
        assert terminal.post(stop, done, content_type="application/json").json()["quantity_produced"] == "12.000000"
        assert terminal.post(stop, done, content_type="application/json").status_code == 409
        went = terminal.post("/labor/clock-out/", {**who, "at": at(3).isoformat()}, content_type="application/json")
        assert went.json()["ended_at"].startswith("2026-03-02T09:00:00")

    def test_terminal_of_another_site_knows_nobody(self, client, ewa):
        client.force_login(make_user("operator", make_site()))
        body = {"site": ewa.site.code, "badge": "B-1042"}
        assert client.post("/labor/clock-in/", body, content_type="application/json").status_code in (400, 403, 404)

    @pytest.mark.parametrize("body", [{}, {"badge": ""}, {"code": "1042"}, {"badge": "nobody"}])
    def test_nobody_is_refused_with_the_field(self, terminal, site, ewa, body):
        answer = terminal.post("/labor/clock-in/", {"site": site.code, **body}, content_type="application/json")
        assert answer.status_code in (400, 404)
        assert "badge" in answer.json()

    def test_efficiency_of_persons_is_shown_where_the_site_says_so_and_to_oneself(
        self, terminal, client, ewa, site, work
    ):
        work("direct", 0, 2)
        services.clock_out(employee=ewa, at=at(2))
        window = {"site": site.code, "starts_at": at(0).isoformat(), "ends_at": at(8).isoformat()}
        answer = terminal.get("/labor/hours/", window).json()
        # One person is all that there is: their figures are nobody's business.
        assert (answer["all"], answer["persons"]) == (None, [])
        ewa.user = make_user("operator", site)
        ewa.save()
        client.force_login(ewa.user)
        assert [one["employee"] for one in client.get("/labor/hours/", window).json()["persons"]] == [ewa.pk]
        LaborPolicy.objects.create(site=site, shows_persons=True)
        client.force_login(make_user("supervisor", site))
        assert len(client.get("/labor/hours/", window).json()["persons"]) == 1

    def test_operators_neither_see_rates_nor_approve(self, terminal, ewa, work):
        assert terminal.get("/labor/employee/").status_code == 403
        entry = work("direct", 0, 1)
        assert terminal.post(f"/labor/entry/{entry.pk}/approve/").status_code == 403


def test_crews_have_members(site, ewa):
    crew = Crew.objects.create(code="A", name="Crew A", site=site)
    ewa.crew = crew
    ewa.save()
    assert list(crew.members.all()) == [ewa]
