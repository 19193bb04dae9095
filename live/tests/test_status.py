"""What a line's screen says, from facts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import master_data
from counts.services import NewReading, record_readings
from downtime.models import ReasonRule
from downtime.services import NewState, record_states
from live.fragments import BOARD, CARD, DETAIL, FLOOR, render, render_lines
from live.selectors import line_statuses
from products.models import ProductUnit
from tests.factories import (
    make_count_tag,
    make_ideal_rate,
    make_line,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_shift,
    make_unit,
    make_work_order,
)

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = DAY + timedelta(hours=9, minutes=30)
"""10:30 in Warsaw: four and a half hours into the morning shift, which began at 05:00 UTC."""


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


@pytest.fixture
def line():
    machine = make_machine(name="Filler")
    make_machine(line=machine.line, name="Packer", position=2)
    make_shift(site=machine.line.area.site)
    product = make_product(name="Still water")
    make_ideal_rate(machine=machine, product=product, value=Decimal(10))
    order = make_work_order(line=machine.line, product=product, target_quantity=Decimal(2000))
    make_run(line=machine.line, work_order=order, started_at=at(4))
    run, jam = make_reason(name="Running"), make_reason("unplanned", name="Label jam")
    record_states(
        [NewState(machine.pk, at(4.5), run.pk), NewState(machine.pk, at(7), jam.pk, "Sensor dirty")], recorded_at=NOW
    )
    record_states([NewState(machine.pk, at(7.5), run.pk), NewState(machine.pk, at(9.25), jam.pk)], recorded_at=NOW)
    good, reject = make_count_tag(machine=machine), make_count_tag(machine=machine, role="reject")
    record_readings(
        [
            NewReading(good.pk, machine.pk, False, at(4.75), Decimal(80)),
            NewReading(good.pk, machine.pk, False, at(5.5), Decimal(300)),
            NewReading(good.pk, machine.pk, False, at(9.1), Decimal(900)),
            NewReading(reject.pk, machine.pk, False, at(9.2), Decimal(24)),
        ],
        recorded_at=NOW,
    )
    return machine.line


def test_status_tells_state_order_counts_target_and_oee(line):
    status = line_statuses([line.pk], now=NOW)[line.pk]
    assert status.reference is not None
    assert (str(status.reference.state), status.reference.category) == ("Label jam", "unplanned")
    assert status.reference.since == at(9.25)
    assert (status.shift.name, status.shift.start) == ("Morning", at(5))
    assert status.order is not None
    assert (status.order.product, status.order.good) == ("Still water", 1280)
    assert (status.good, status.reject) == (1200, 24)
    # 4.5 h at 10 s a piece are 1,620 pieces, of which 85 % are asked for.
    assert status.target == 1377
    assert status.delta == -177
    assert status.kpis.availability == Fraction(15, 18)
    assert status.kpis.oee_index == Fraction(1200 * 10, int(4.5 * 3600))
    assert [(hour.label, hour.good) for hour in status.hours] == [
        ("06:00", 300),
        ("07:00", 0),
        ("08:00", 0),
        ("09:00", 0),
        ("10:00", 900),
    ]
    assert [(str(loss.reason), loss.duration, loss.occurrences) for loss in status.losses] == [
        ("Label jam", timedelta(minutes=45), 2)
    ]


def test_line_of_which_nothing_was_asked_is_neither_ahead_nor_behind(line):
    status = replace(line_statuses([line.pk], now=NOW)[line.pk], target=Fraction(0))
    assert status.delta == 1200
    quiet = replace(status, good=Fraction(0))
    assert (quiet.delta, quiet.is_winning) == (None, None)
    for view, words in ((CARD, "Nothing planned so far"), (FLOOR, "Nothing planned so far"), (BOARD, "nothing due")):
        said = render(quiet, view)
        assert words in said
        assert "±0" not in said
        assert words not in render(status, view)


def test_machine_that_said_nothing_has_no_data_and_is_not_idle(line):
    status = line_statuses([line.pk], now=NOW)[line.pk]
    packer = status.machines[1]
    assert (packer.name, packer.category, packer.state) == ("Packer", "no_data", "No data")
    assert [segment.category for segment in packer.segments] == ["no_data"]


def test_queries_do_not_grow_with_lines(line, django_assert_max_num_queries):
    lines = [line.pk]
    for _ in range(3):
        lines.append(make_machine(line=make_line(area=line.area), is_constraint=True).line_id)
    line_statuses(lines, now=NOW)
    with django_assert_max_num_queries(34):
        line_statuses(lines, now=NOW)


def test_queries_do_not_grow_with_orders_in_cases(line, django_assert_max_num_queries):
    def run_cases(of):
        product = make_product()
        for unit, pieces in (("case", 12), ("pallet", 720)):
            master_data.save(ProductUnit(product=product, unit=make_unit(unit), quantity=1, base_quantity=pieces))
        make_run(
            line=of, work_order=make_work_order(line=of, product=product, unit=make_unit("case")), started_at=at(6)
        )

    lines = [make_machine(line=make_line(area=line.area), is_constraint=True).line for _ in range(4)]
    run_cases(lines[0])
    line_statuses([one.pk for one in lines], now=NOW)
    with CaptureQueriesContext(connection) as of_one:
        line_statuses([one.pk for one in lines], now=NOW)
    for other in lines[1:]:
        run_cases(other)
    # What is kept of the master data is kept again, as it was before.
    line_statuses([one.pk for one in lines], now=NOW)
    with django_assert_max_num_queries(len(of_one)):
        found = line_statuses([one.pk for one in lines], now=NOW)
    assert {status.order.target for status in found.values()} == {12_000}


def test_hostile_names_are_shown_as_text(line):
    line.name = "<script>alert(1)</script>"
    line.save()
    for html in render_lines([(line.pk, CARD, "en"), (line.pk, DETAIL, "en")], now=NOW).values():
        assert "<script>" not in html
        assert "&lt;script&gt;" in html


def test_line_outside_its_shifts_shows_the_last_one(line):
    status = line_statuses([line.pk], now=at(15))[line.pk]
    assert status.shift.is_over
    assert status.good == 1200


def test_line_without_a_calendar_shows_its_day():
    machine = make_machine()
    status = line_statuses([machine.line_id], now=NOW)[machine.line_id]
    assert (status.shift.name, status.kpis.oee_index) == ("Today", None)


def test_current_state_has_the_reason_that_rules_give_it(line):
    machine = line.machines.get(name="Filler")
    record_states(
        [NewState(machine.pk, at(9.4), machine.state_history.latest("occurred_at").reason_id, "E-117")], recorded_at=NOW
    )
    guard = make_reason("planned", name="Guard open")
    master_data.save(ReasonRule(line=line, name="Guard", detail_text="e-117", reason=guard))
    for now in (NOW, DAY + timedelta(hours=15)):
        reference = line_statuses([line.pk], now=now)[line.pk].reference
        assert reference is not None
        assert (str(reference.state), reference.category, reference.since) == ("Guard open", "planned", at(9.4))
