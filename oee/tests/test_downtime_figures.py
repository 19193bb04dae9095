"""Root causes, changeovers, reliability and Pareto from recorded facts, and over REST."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.intervals import Interval
from counts.services import NewReading, record_readings
from downtime.models import StateReason
from downtime.services import NewState, record_states
from enterprise.models import Machine
from oee.changeovers import changeovers_of
from oee.engine.root_cause import Found
from oee.pareto import By, pareto
from oee.reliability import Reliability, reliability_of
from oee.root_causes import root_cause_at, root_causes
from oee.scopes import every_machine_of
from tests.factories import (
    make_changeover_target,
    make_changeover_task,
    make_count_tag,
    make_ideal_rate,
    make_line,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_shift,
    make_user,
    make_work_order,
)
from workorders.changeovers import record_changeover_task
from workorders.selectors import target_of

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = DAY + timedelta(hours=20)
MORNING = Interval(DAY + timedelta(hours=5), DAY + timedelta(hours=13))
"""The early shift in Warsaw, 06–14."""


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def say(machine, *states):
    record_states([NewState(machine.pk, at(h), reason.pk) for h, reason in states], recorded_at=NOW)


def reread(*machines):
    found = Machine.objects.select_related("line__area__site").in_bulk([machine.pk for machine in machines])
    return [found[machine.pk] for machine in machines]


@pytest.fixture
def line():
    return make_line(buffer_time=600)


@pytest.fixture
def run():
    return make_reason()


@pytest.fixture
def jam():
    return make_reason("unplanned")


@pytest.fixture
def cleaning():
    return make_reason("planned")


@pytest.fixture
def starved():
    return make_reason("unplanned", waits_for=StateReason.WaitsFor.UPSTREAM)


def test_root_cause_follows_the_lines_machines_back_to_the_fault(line, run, jam, starved):
    first, second = (make_machine(line=line, position=n) for n in (1, 2))
    last = make_machine(line=line, position=3, is_constraint=True)
    say(first, (1, run), (5.9, jam), (6.5, run))
    say(second, (1, run), (6, starved), (6.6, run))
    say(last, (1, run), (6.1, starved), (6.7, run), (8, jam), (8.5, run))
    (one, cause), (other, own) = root_causes(line, MORNING, now=NOW)
    assert (one.start, cause.found, cause.root.machine_id, cause.root.reason_id) == (
        at(6.1),
        Found.FOLLOWED,
        first.pk,
        jam.pk,
    )
    assert [link.machine_id for link in cause.chain] == [last.pk, second.pk, first.pk]
    assert (other.start, own.found) == (at(8), Found.OWN)
    # The stop began in the window, its cause before it.
    late = Interval(at(6.05), at(7))
    assert [cause.root.start for _, cause in root_causes(line, late, now=NOW)] == [at(5.9)]


def test_cause_whose_clock_is_late_is_found_also_for_one_stop_alone(line, run, jam, starved):
    first, last = make_machine(line=line, position=1), make_machine(line=line, position=2, is_constraint=True)
    say(first, (1, run), (6 + 8 / 3600, jam), (6.1, run))
    say(last, (1, run), (6, starved), (6.2, run))
    second = Interval(at(6), at(6) + timedelta(seconds=1))
    ((stop, cause),) = root_causes(line, second, now=NOW)
    assert (cause.found, cause.root.machine_id) == (Found.FOLLOWED, first.pk)
    everyone = every_machine_of(line)
    for moment in (stop.start, at(6.1)):
        assert root_cause_at(everyone[1], moment, everyone, now=NOW) == cause
    assert root_cause_at(everyone[1], at(6.3), everyone, now=NOW) is None


def test_lines_buffer_says_how_long_a_stop_is_felt(line, run, jam, starved):
    first, last = make_machine(line=line, position=1), make_machine(line=line, position=2, is_constraint=True)
    say(first, (1, run), (6, jam), (6.1, run))
    say(last, (1, run), (6.25, starved), (6.5, run))
    assert [cause.found for _, cause in root_causes(line, MORNING, now=NOW)] == [Found.FOLLOWED]
    line.buffer_time = 60
    line.save()
    assert [cause.found for _, cause in root_causes(line, MORNING, now=NOW)] == [Found.LOST]


def test_reliability_is_golden(line, run, jam, cleaning):
    """A shift of eight hours: failures of 30 and 60 min, one stop that is no failure: MTTF 6/2, MTTR 1.5/2."""
    machine, spare = make_machine(line=line, is_constraint=True), make_machine(line=line)
    make_shift(site=line.area.site)
    say(machine, (1, run), (6, jam), (6.5, run), (8, cleaning), (8.5, run), (11, jam), (12, run))
    say(spare, (1, run))
    found = reliability_of(reread(machine, spare), MORNING, now=NOW)
    row = found[machine.pk]
    assert (row.failures, row.mttf, row.mttr, row.mtbf) == (2, 6 * 3600 / 2, 90 * 60 / 2, 3 * 3600 + 45 * 60)
    assert found[spare.pk] == Reliability(production_time=8 * 3600 * 1_000_000)
    assert (found[spare.pk].mtbf, found[spare.pk].mttr, found[spare.pk].mttf) == (None, None, None)
    together = row + found[spare.pk]
    assert together.mttf == Fraction(14 * 3600, 2)


def test_failure_counts_where_it_began(line, run, jam):
    machine = make_machine(line=line, is_constraint=True)
    say(machine, (1, run), (6.25, jam), (7.5, run))
    (machine,) = reread(machine)
    halves = [Interval(at(5), at(7.25)), Interval(at(7.25), at(9))]
    first, second = (reliability_of([machine], half, now=NOW)[machine.pk] for half in halves)
    assert (first.failures, second.failures) == (1, 0)
    assert first + second == reliability_of([machine], Interval(at(5), at(9)), now=NOW)[machine.pk]


@pytest.fixture
def priced(line, run, jam, cleaning):
    """A machine with a shift, an order at 10 s per piece and 120 an hour: 30 min jammed twice, 15 min cleaned."""
    machine = make_machine(line=line, is_constraint=True, hourly_cost=Decimal(120))
    make_shift(site=line.area.site)
    product = make_product()
    make_ideal_rate(machine=machine, product=product, value=Decimal(10))
    make_run(line=line, work_order=make_work_order(line=line, product=product), started_at=at(4), ended_at=at(9))
    say(machine, (1, run), (6, jam), (6.5, run), (8, cleaning), (8.25, run), (10, jam), (10.5, run), (13.5, jam))
    return reread(machine)[0]


def test_pareto_says_time_number_pieces_and_money(priced, jam, cleaning):
    found = pareto([priced], MORNING, by=By.REASON, now=NOW)
    jammed, cleaned = found.rows
    assert (jammed.key, jammed.duration, jammed.occurrences) == (jam.pk, timedelta(hours=1), 2)
    # The second jam was outside the run: nobody knows what it cost in pieces.
    assert (jammed.lost_pieces, jammed.without_rate) == (180, timedelta(minutes=30))
    assert (jammed.cost, jammed.without_cost) == (Decimal("120.00"), timedelta())
    assert (cleaned.key, cleaned.lost_pieces, cleaned.cost) == (cleaning.pk, 90, Decimal("30.00"))
    assert (found.stopped, found.unexplained, found.unexplained_share) == (timedelta(minutes=75), timedelta(), 0)


@pytest.mark.parametrize("cut", [5.5, 6.25, 8.1, 10.4])
def test_pareto_of_parts_adds_up_to_the_whole(priced, cut):
    def totals(window):
        rows = pareto([priced], window, by=By.REASON, now=NOW).rows
        return {row.key: (row.duration, row.occurrences, row.lost_pieces or 0, row.cost) for row in rows}

    one, other = totals(Interval(MORNING.start, at(cut))), totals(Interval(at(cut), MORNING.end))
    nothing = (timedelta(), 0, 0, Decimal(0))
    for key, whole in totals(MORNING).items():
        parts = one.get(key, nothing), other.get(key, nothing)
        assert tuple(a + b for a, b in zip(*parts, strict=True)) == whole


def test_pareto_without_rate_or_cost_says_so(line, run):
    machine = make_machine(line=line, is_constraint=True)
    generic = make_reason("unplanned", explains=False)
    say(machine, (1, run), (6, generic), (7, run))
    found = pareto(reread(machine), MORNING, by=By.REASON, now=NOW)
    (row,) = found.rows
    assert (row.lost_pieces, row.cost) == (None, None)
    assert (row.without_rate, row.without_cost) == (timedelta(hours=1), timedelta(hours=1))
    assert found.unexplained_share == 1
    assert pareto(reread(machine), Interval(at(1), at(2)), by=By.REASON, now=NOW).unexplained_share is None


def test_pareto_by_machine_and_by_shift(priced, run, jam):
    other = make_machine(line=priced.line)
    say(other, (1, run), (12, jam), (13, run))
    machines = reread(priced, other)
    by_machine = pareto(machines, MORNING, by=By.MACHINE, now=NOW).rows
    assert [(row.key, row.duration) for row in by_machine] == [
        (priced.pk, timedelta(minutes=75)),
        (other.pk, timedelta(hours=1)),
    ]
    (shift,) = pareto(machines, MORNING, by=By.SHIFT, now=NOW).rows
    assert shift.key == priced.line.area.site.shifts.get().pk

    def queries(asked):
        with CaptureQueriesContext(connection) as captured:
            pareto(asked, MORNING, by=By.REASON, now=NOW)
            reliability_of(asked, MORNING, now=NOW)
        return len(captured)

    assert queries(machines) == queries(machines[:1])


@pytest.fixture
def cola():
    return make_product()


@pytest.fixture
def lemon():
    return make_product()


def produce(line, product, start, end):
    order = make_work_order(line=line, product=product)
    return make_run(line=line, work_order=order, started_at=at(start), ended_at=None if end is None else at(end))


def count(tag, *readings):
    new = [NewReading(tag.pk, tag.machine_id, tag.mode == "running", at(h), Decimal(value)) for h, value in readings]
    record_readings(new, recorded_at=NOW)


@pytest.mark.parametrize("mode", ["delta", "running"])
def test_changeover_lasts_from_last_good_to_first_good_piece(line, cola, lemon, mode):
    machine = make_machine(line=line, is_constraint=True)
    tag, rejects = make_count_tag(machine=machine, mode=mode), make_count_tag(machine=machine, role="reject")
    produce(line, cola, 5, 6)
    produce(line, cola, 6.5, 8)
    after = produce(line, lemon, 8.5, None)
    values = [10, 30, 5, 0, 7] if mode == "delta" else [10, 40, 45, 45, 52]
    count(tag, (5, 0), *zip((5.5, 7.5, 7.9, 8.75, 9.1), values, strict=True))
    count(rejects, (8.8, 3))
    (found,) = changeovers_of(line, MORNING, now=NOW)
    assert (found.run_id, found.from_product_id, found.to_product_id) == (after.pk, cola.pk, lemon.pk)
    assert (found.started_at, found.ended_at) == (at(7.9), at(9.1))
    assert (found.target, found.internal_share) == (None, None)
    # The same in the hours that are not stored yet.
    (soon,) = changeovers_of(line, MORNING, now=at(9.2))
    assert (soon.started_at, soon.ended_at) == (at(7.9), at(9.1))


def test_changeover_without_a_first_piece_is_not_over(line, cola, lemon):
    tag = make_count_tag(machine=make_machine(line=line, is_constraint=True))
    produce(line, cola, 5, 8)
    produce(line, lemon, 8, 9)
    produce(line, make_product(), 9, None)
    count(tag, (7.75, 10))
    first, second = changeovers_of(line, MORNING, now=NOW)
    assert (first.started_at, first.ended_at, first.duration) == (at(7.75), None, None)
    assert (second.started_at, second.ended_at) == (None, None)
    assert changeovers_of(line, Interval(at(10), at(11)), now=NOW) == []


def test_changeover_has_its_target_and_the_share_of_its_work(line, cola, lemon):
    tag = make_count_tag(machine=make_machine(line=line, is_constraint=True))
    produce(line, cola, 5, 8)
    after = produce(line, lemon, 8, None)
    count(tag, (7.9, 1), (8.4, 1))
    target = make_changeover_target(line=line, to_product=lemon, target_minutes=Decimal("22.5"))
    make_changeover_target(target_minutes=Decimal(60))
    actor = make_user()
    for kind, start, end in (("internal", 8, 8.3), ("external", 7.5, 7.6)):
        task = make_changeover_task(target=target, kind=kind)
        for _ in range(2):
            record_changeover_task(
                run=after, task=task, started_at=at(start), ended_at=at(end), actor=actor, recorded_at=NOW
            )
    (found,) = changeovers_of(line, MORNING, now=NOW)
    assert (found.duration, found.target) == (timedelta(minutes=30), timedelta(minutes=22, seconds=30))
    assert found.internal_share == Fraction(3, 4)


def test_most_specific_target_holds(line, cola, lemon):
    def of(minutes, **values):
        return make_changeover_target(target_minutes=Decimal(minutes), **values)

    targets = [
        of(1),
        of(2, from_product=cola, to_product=lemon),
        of(3, line=line),
        of(4, line=line, from_product=cola),
        of(5, line=line, to_product=lemon),
        of(6, line=line, from_product=cola, to_product=lemon),
        of(7, line=line, from_product=lemon, to_product=cola),
    ]
    expected = [6, 5, 4, 3, 2, 1]
    for minutes in expected:
        assert target_of(targets, cola.pk, lemon.pk) == timedelta(minutes=minutes)
        targets = [target for target in targets if target.target_minutes != minutes]
    assert target_of(targets, cola.pk, lemon.pk) is None


WINDOW = {"starts_at": "2026-03-02T05:00:00Z", "ends_at": "2026-03-02T13:00:00Z"}


@pytest.fixture
def api(line):
    client = APIClient()
    client.force_authenticate(make_user("operator", line.area.site))
    return client


def test_figures_over_rest(api, priced, line, jam, cola, lemon):
    answer = api.get("/downtime/pareto/", {**WINDOW, "line": line.pk})
    assert answer.status_code == 200, answer.data
    jammed = answer.json()["rows"][0]
    assert (jammed["reason"], jammed["cost"], jammed["lost_pieces"]) == (jam.pk, "120.00", "180.000000")
    drilled = api.get("/downtime/stop/", jammed["stops"]).json()
    assert drilled["count"] == 2
    (shift,) = api.get("/downtime/pareto/", {**WINDOW, "line": line.pk, "by": "shift"}).json()["rows"]
    assert api.get("/downtime/stop/", shift["stops"]).json()["count"] == 3
    (machine,) = api.get("/downtime/pareto/", {**WINDOW, "line": line.pk, "by": "machine"}).json()["rows"]
    assert api.get("/downtime/stop/", machine["stops"]).json()["count"] == 3
    reliability = api.get("/downtime/reliability/", {**WINDOW, "machine": priced.pk}).json()
    assert reliability["together"]["failures"] == 2
    assert reliability["together"]["mttr"] == "1800.000000"
    assert "MTBF" in reliability["definition"]
    causes = api.get("/downtime/root-cause/", {**WINDOW, "line": line.code}).json()
    assert [row["found"] for row in causes["results"]] == ["own"] * 3
    produce(line, cola, 10, 11)
    produce(line, lemon, 11, 12)
    changed = api.get("/downtime/changeover/", {**WINDOW, "line": line.pk}).json()
    assert [row["to_product"] for row in changed["results"]] == [lemon.pk, cola.pk]


@pytest.mark.parametrize("path", ["pareto", "reliability", "root-cause", "changeover"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"line": 10**30}, "line"),
        ({}, "line"),
        ({"starts_at": "2025-01-01T00:00:00Z", "ends_at": "2027-01-01T00:00:00Z"}, "ends_at"),
        ({"starts_at": "tomorrow"}, "starts_at"),
    ],
)
def test_bad_question_names_its_field(api, line, path, query, field):
    place = {} if field == "line" else {"line": line.pk}
    answer = api.get(f"/downtime/{path}/", {**place, **query})
    assert (answer.status_code, field in answer.json()) == (400, True)


@pytest.mark.parametrize("path", ["pareto", "reliability", "root-cause", "changeover"])
def test_figures_of_another_site_do_not_exist(api, path):
    other = make_machine().line
    assert api.get(f"/downtime/{path}/", {**WINDOW, "line": other.pk}).status_code == 400
    anonymous = APIClient()
    assert anonymous.get(f"/downtime/{path}/", {"line": other.pk}).status_code == 401
