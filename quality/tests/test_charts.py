"""Control charts of stored results: live signals, late and corrected points, gauges that send by themselves."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.errors import Conflict, Invalid
from ingest.models import QuarantinedItem
from quality import charting
from quality.models import Inspection, NonConformance, Result, Signal
from quality.results import correct_result
from quality.tests.bench import AT, Bench, minutes
from tests.factories import make_control_chart, make_gauge, make_gauge_tag, make_plan

pytestmark = pytest.mark.django_db
STEADY = ("10.1", "9.9", "10.2", "9.8", "10.0", "10.1", "9.9", "10.0", "10.2", "9.8")


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def tag(bench):
    return make_gauge_tag(machine=bench.machine, characteristic=make_plan().characteristics.get())


def read(tag, value, at, **more):
    return {"measurement": tag.tag_path, "at": minutes(at).isoformat(), "value": Decimal(value), **more}


@pytest.fixture
def chart(bench, tag):
    chart = make_control_chart(site=bench.site, characteristic=tag.characteristic, machine=bench.machine)
    bench.deliver(*(read(tag, value, place) for place, value in enumerate(STEADY)))
    charting.set_baseline(
        of=chart,
        name="2026-03",
        starts_at=AT,
        learned_from=AT,
        learned_until=minutes(len(STEADY)),
        actor=bench.ewa,
        set_at=minutes(20),
    )
    return chart


def signals():
    return sorted(Signal.objects.values_list("panel", "point_at", "rule"))


def test_point_beyond_a_limit_is_a_signal_at_once(bench, tag, chart):
    assert signals() == []
    bench.deliver(read(tag, "12", 30))
    assert [(panel, at, rule) for panel, at, rule in signals() if panel == "location"] == [
        ("location", minutes(30), "N1")
    ]


def test_many_readings_cost_as_many_queries_as_few(bench):
    gauge = make_gauge(site=bench.site)
    characteristic = make_plan().characteristics.get()
    tag = make_gauge_tag(machine=bench.machine, characteristic=characteristic, gauge=gauge)
    bench.begin(characteristic.plan)

    def queries(first, number):
        with CaptureQueriesContext(connection) as asked:
            outcome = bench.deliver(*(read(tag, "10", first + place) for place in range(number)))
        assert outcome.accepted == number
        return len(asked)

    # What a process looks up once is looked up.
    queries(500, 1)
    few = queries(0, 2)
    assert queries(100, 40) == few


def test_any_order_of_delivery_ends_in_the_same_signals(bench, tag, chart):
    values = [("12", 30), ("10", 31), ("8", 32), ("10.1", 33), ("10", 34), ("11.9", 35), ("10", 36)]
    bench.deliver(*(read(tag, value, at) for value, at in values))
    expected = signals()
    assert expected
    for seed in range(3):
        other = make_gauge_tag(machine=bench.machine, characteristic=make_plan().characteristics.get())
        twin = make_control_chart(site=bench.site, characteristic=other.characteristic, machine=bench.machine)
        bench.deliver(*(read(other, value, place) for place, value in enumerate(STEADY)))
        charting.set_baseline(
            of=twin,
            name="x",
            starts_at=AT,
            learned_from=AT,
            learned_until=minutes(len(STEADY)),
            actor=bench.ewa,
            set_at=minutes(20),
        )
        shuffled = values * 2
        random.Random(seed).shuffle(shuffled)
        for value, at in shuffled:
            bench.deliver(read(other, value, at))
        assert sorted(Signal.objects.filter(chart=twin).values_list("panel", "point_at", "rule")) == expected


@pytest.mark.parametrize(("kind", "size"), [("i_mr", 1), ("xbar_r", 3), ("ewma", 1)])
def test_single_points_are_judged_as_the_whole_chart_would(bench, tag, kind, size, monkeypatch):
    monkeypatch.setattr(charting, "_LOOK_BACK", 16)
    weight = Decimal("0.2") if kind == "ewma" else None
    chart = make_control_chart(
        site=bench.site, characteristic=tag.characteristic, kind=kind, subgroup_size=size, weight=weight
    )
    bench.deliver(*(read(tag, value, place) for place, value in enumerate(STEADY)))
    charting.set_baseline(
        of=chart,
        name="x",
        starts_at=AT,
        learned_from=AT,
        learned_until=minutes(10),
        actor=bench.ewa,
        set_at=minutes(20),
    )
    rng = random.Random(7)
    late = rng.sample(range(30, 90), 8)
    for at in [*(at for at in range(30, 90) if at not in late), *late]:
        bench.deliver(read(tag, Decimal(rng.randrange(96, 108)) / 10, at))
    one_by_one = signals()
    assert one_by_one
    Signal.objects.all().delete()
    charting.refresh(chart, at=minutes(200))
    assert signals() == one_by_one


def test_correction_takes_a_signal_back_and_its_acknowledgement_stays(bench, tag, chart):
    bench.deliver(read(tag, "12", 30))
    signal = Signal.objects.get(panel="location")
    said = {"signal": signal, "comment": "Tool broke.", "actor": bench.olek, "acknowledged_at": minutes(31)}
    assert charting.acknowledge(**said).pk == charting.acknowledge(**said).pk
    with pytest.raises(Conflict):
        charting.acknowledge(**{**said, "comment": "Other."})
    result = Result.objects.get(occurred_at=minutes(30))
    fix = {"result": result, "reason": "Misread.", "actor": bench.ewa, "recorded_at": minutes(40)}
    correct_result(**fix, value=Decimal("10.1"))
    assert signals() == []
    correct_result(**fix, value=Decimal(12))
    again = Signal.objects.get(panel="location")
    assert charting.acknowledgements_of([again])[again.pk].comment == "Tool broke."
    correct_result(**fix, is_void=True)
    assert signals() == []


def test_policy_raises_one_nonconformance_for_a_signal(bench, tag, chart):
    chart.on_signal = "contain"
    chart.save()
    order = bench.order()
    bench.run(order)
    bench.deliver(read(tag, "12", 30))
    bench.deliver(read(tag, "12", 30))
    raised = NonConformance.objects.get(
        title__startswith="N1", title__contains="limit", idempotency_key__contains="location"
    )
    assert (raised.work_order, raised.is_contained, raised.raised_by) == (order, True, bench.ewa)


def test_baseline_needs_points_and_a_judged_chart_stays_what_it_is(bench, tag, chart):
    from core import master_data

    with pytest.raises(Invalid):
        charting.set_baseline(
            of=chart,
            name="none",
            starts_at=AT,
            learned_from=AT - timedelta(9),
            learned_until=AT - timedelta(8),
            actor=bench.ewa,
            set_at=AT,
        )
    chart.product = bench.product
    with pytest.raises(Conflict, match="baselines already"):
        master_data.save(chart)


def test_subgroups_of_inspections_make_points_of_an_xbar_chart(bench):
    plan = make_plan()
    chart = make_control_chart(
        site=bench.site, characteristic=plan.characteristics.get(), kind="xbar_r", subgroup_size=5
    )
    for number in range(4):
        bench.inspect(plan, "9.9", "10", "10.1", "10", "10.2", at=10 * number, machine=bench.machine)
    points = charting.plotted(chart)
    assert [len(point.subgroup.values) for point in points] == [5] * 4


def test_shares_and_counts_are_plotted(bench):
    plan = make_plan("attribute")
    chart = make_control_chart(site=bench.site, characteristic=plan.characteristics.get(), kind="p", subgroup_size=4)
    bench.inspect(plan, "ok", "not_ok", "ok", "ok")
    (point,) = charting.plotted(chart)
    assert (point.subgroup.found, point.subgroup.inspected) == (1, 4)


# --- gauges that send ---


def test_reading_is_stored_once_and_another_is_kept_for_a_person(bench, tag):
    assert bench.deliver(read(tag, "10.5", 1), read(tag, "10.5", 1)).duplicates == 1
    again = bench.deliver(read(tag, "10.50", 1), read(tag, "10.6", 1))
    assert ([item.status for item in again.items], Result.objects.count()) == (["duplicate", "conflict"], 1)
    assert QuarantinedItem.objects.get().code == "conflict"


def test_reading_of_an_expired_gauge_is_refused_by_name(bench, tag):
    tag.gauge = make_gauge(site=bench.site, calibrated=False, name="Probe")
    tag.save()
    (refused,) = bench.deliver(read(tag, "10", 1)).items
    assert (refused.code, "Probe" in refused.message, Result.objects.exists()) == ("gauge_not_calibrated", True, False)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"measurement": "nobody"}, "measurement", "unknown_tag"),
        ({"measurement": ""}, "measurement", "missing"),
        ({"value": None}, "value", "missing"),
        ({"value": Decimal("1.00001")}, "value", "odd_value"),
        ({"value": "10"}, "value", "not_a_number"),
        ({"value": Decimal("NaN")}, "value", "not_finite"),
        ({"value": 10**15}, "value", "too_large"),
        ({"at": "2019-01-01T00:00:00Z"}, "measurement", "no_plan"),
        ({"at": "2026-03-02T08:00:00"}, "at", "naive_time"),
        ({"state": "x"}, "state", "unknown_field"),
    ],
)
def test_bad_reading_is_refused_with_its_field(bench, tag, change, field, code):
    (refused,) = bench.deliver({**read(tag, "10", 1), **change}).items
    assert (refused.field, refused.code) == (field, code)
    assert not Result.objects.exists()


def test_readings_belong_to_the_inspection_that_was_open_at_their_moment(bench, tag):
    plan = tag.characteristic.plan
    inspection = bench.begin(plan, 10, sample_size=2)
    bench.deliver(read(tag, "10", 5), read(tag, "10", 11))
    with pytest.raises(Conflict, match=r"\(2\)"):
        bench.finish(inspection, 20)
    bench.deliver(read(tag, "10.2", 12))
    assert bench.finish(inspection, 20).status == "passed"
    # One that was under way while the inspection was finished still counts, and what came after it does not.
    bench.deliver(read(tag, "12", 13), read(tag, "13", 20))
    inspection.refresh_from_db()
    assert (inspection.status, inspection.nonconforming) == ("failed", 1)
    assert Inspection.objects.count() == 1
