"""Inspections: versions of plans, typed results within limits, gauges, verdicts, decisions."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from core import master_data
from core.errors import Conflict, Invalid
from core.tests.test_uploads import picture
from materials.lots import change_lot_status
from quality.calibrations import record_calibration
from quality.gauging import results_in_doubt
from quality.models import Inspection, Result, SamplingRule
from quality.pictures import add_picture
from quality.planning import new_version, release_plan
from quality.results import Said, correct_result, record_results
from quality.services import decide_inspection
from quality.tests.bench import AT, Bench, minutes
from tests.factories import make_characteristic, make_gauge, make_location, make_lot, make_plan, make_unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def bench():
    return Bench()


def test_released_plan_stays_as_it_is_and_a_change_is_a_new_version(bench):
    plan = make_plan()
    of = plan.characteristics.get()
    of.upper_limit = Decimal(12)
    with pytest.raises(Conflict, match="make a new version"):
        master_data.save(of)
    with pytest.raises(Conflict):
        master_data.delete(plan.rules.get())
    plan.name = "Other"
    with pytest.raises(Conflict):
        master_data.save(plan)
    old = bench.begin(plan)
    second = new_version(plan=plan)
    of = second.characteristics.get()
    of.upper_limit = Decimal(12)
    master_data.save(of)
    release_plan(plan=second, at=AT)
    plan.refresh_from_db()
    assert (plan.status, plan.valid_until, second.version) == ("obsolete", AT, 2)
    assert (old.plan, bench.begin(second, 1).plan) == (plan, second)
    with pytest.raises(Conflict, match="not in force"):
        bench.begin(plan, 2)


def test_on_the_limit_is_within_and_exact(bench):
    plan = make_plan()
    assert bench.inspect(plan, "9", "11").status == "passed"
    failed = bench.inspect(plan, "9", "11.001", at=10)
    assert (failed.status, failed.result, failed.nonconforming) == ("failed", "fail", 1)


def test_value_is_converted_exactly_and_kept_as_it_came(bench):
    plan = make_plan(released=False)
    of = plan.characteristics.get()
    of.unit = make_unit("mm")
    master_data.save(of)
    release_plan(plan=plan, at=AT)
    inspection = bench.begin(plan)
    bench.measure(inspection, "1.1", unit=make_unit("cm"))
    assert (Result.objects.get().value, Result.objects.get().unit_id) == (Decimal("1.1"), "cm")
    assert bench.finish(inspection).status == "passed"
    other = bench.begin(plan, 10)
    with pytest.raises(Invalid, match="Nothing says how many mm"):
        bench.measure(other, "1.1", unit=make_unit("kg"), at=11)


@pytest.mark.parametrize(
    ("kind", "said", "field"),
    [
        ("variable", {"value": Decimal("1.2345")}, "value"),
        ("variable", {"value": Decimal("NaN")}, "value"),
        ("variable", {"verdict": "ok"}, "value"),
        ("variable", {}, "value"),
        ("count", {"value": Decimal("1.5")}, "value"),
        ("count", {"value": Decimal(-1)}, "value"),
        ("attribute", {"value": Decimal(1)}, "verdict"),
        ("choice", {"text": "green"}, "text"),
        ("text", {"text": " "}, "text"),
        ("photo", {"value": Decimal(1)}, "value"),
        ("variable", {"value": Decimal(10), "sample": 3}, "sample"),
        ("variable", {"value": Decimal(10), "occurred_at": AT - timedelta(1)}, "occurred_at"),
    ],
)
def test_odd_result_is_refused_naming_the_field(bench, kind, said, field):
    inspection = bench.begin(make_plan(kind), sample_size=2)
    of = inspection.plan.characteristics.get()
    with pytest.raises(Invalid) as refused:
        record_results(
            inspection=inspection,
            results=[Said(**{"characteristic": of, "occurred_at": minutes(1), **said})],
            actor=bench.olek,
            recorded_at=minutes(1),
        )
    assert refused.value.field == field
    assert not Result.objects.exists()


@pytest.mark.parametrize(
    ("kind", "said", "status"),
    [
        ("attribute", "ok", "passed"),
        ("attribute", "not_ok", "failed"),
        ("attribute", "n/a", "passed"),
        ("choice", "blue", "passed"),
        ("choice", "red", "failed"),
        ("text", "fine", "passed"),
        ("count", 2, "passed"),
    ],
)
def test_every_kind_is_judged_by_its_own_rule(bench, kind, said, status):
    assert bench.inspect(make_plan(kind), said).status == status


def test_repeated_result_is_stored_once_and_another_is_a_conflict(bench):
    inspection = bench.begin(make_plan())
    (_, first), (_, again) = bench.measure(inspection, 10)[0], bench.measure(inspection, "10.000")[0]
    assert (first, again, Result.objects.count()) == (True, False, 1)
    with pytest.raises(Conflict, match="correct that one"):
        bench.measure(inspection, 11)


def test_finish_names_what_is_missing(bench):
    inspection = bench.begin(make_plan(), sample_size=3)
    bench.measure(inspection, 10)
    with pytest.raises(Conflict, match=r"\(2, 3\)"):
        bench.finish(inspection)
    bench.measure(inspection, 10, 10, 10)
    assert bench.finish(inspection).status == bench.finish(inspection, 9).status == "passed"


def test_photo_is_asked_for_and_kept_once(bench):
    inspection = bench.begin(make_plan("photo"))
    bench.measure(inspection, "Label")
    with pytest.raises(Conflict, match="a picture"):
        bench.finish(inspection)
    result = Result.objects.get()
    kept = {add_picture(content=picture("JPEG"), actor=bench.olek, recorded_at=AT, result=result).pk for _ in range(2)}
    assert len(kept) == 1
    assert bench.finish(inspection).status == "passed"


def test_correction_judges_a_finished_inspection_anew_and_keeps_the_result(bench):
    failed = bench.inspect(make_plan(), 10, 12)
    bad = Result.objects.get(sample=2)
    said = {
        "result": bad,
        "reason": "Misread.",
        "actor": bench.ewa,
        "recorded_at": minutes(9),
        "value": Decimal("10.5"),
    }
    assert correct_result(**said).pk == correct_result(**said).pk
    failed.refresh_from_db()
    assert (failed.status, failed.nonconforming, Result.objects.get(sample=2).value) == ("passed", 0, 12)
    with pytest.raises(Invalid):
        correct_result(**{**said, "reason": " "})


def test_decision_holds_over_what_the_results_say(bench):
    failed = bench.inspect(make_plan(), 12)
    said = {"inspection": failed, "result": "conditional_pass", "reason": "Customer agrees.", "actor": bench.ewa}
    assert decide_inspection(**said, decided_at=minutes(9)).pk == decide_inspection(**said, decided_at=minutes(9)).pk
    correct_result(result=Result.objects.get(), value=Decimal(13), reason="x", actor=bench.ewa, recorded_at=minutes(9))
    failed.refresh_from_db()
    assert (failed.status, failed.result) == ("conditional", "conditional_pass")


def test_critical_characteristic_fails_whatever_the_sample_allows(bench):
    plan = make_plan(released=False)
    make_characteristic(plan=plan, kind="attribute", severity="critical")
    release_plan(plan=plan, at=AT)
    inspection = bench.begin(plan)
    Inspection.objects.filter(pk=inspection.pk).update(accept_number=5)
    bench.measure(inspection, 10)
    of = plan.characteristics.get(kind="attribute")
    said = Said(characteristic=of, verdict="not_ok", occurred_at=minutes(2))
    record_results(inspection=inspection, results=[said], actor=bench.olek, recorded_at=minutes(2))
    assert bench.finish(inspection).status == "failed"


# --- gauges ---


def calibrate(gauge, bench, at, until, result="good"):
    return record_calibration(
        gauge=gauge,
        calibrated_at=at,
        valid_until=until,
        result=result,
        actor=bench.ewa,
        recorded_at=max(at, minutes(1)),
    )[0]


def test_gauge_is_refused_by_name_and_date_without_a_good_calibration(bench):
    gauge = make_gauge(site=bench.site, calibrated=False, name="Caliper 7")
    inspection = bench.begin(make_plan())
    with pytest.raises(Conflict, match=r"Caliper 7 .* was not calibrated by 2026-03-02"):
        bench.measure(inspection, 10, gauge=gauge)
    calibrate(gauge, bench, AT - timedelta(30), AT - timedelta(1))
    with pytest.raises(Conflict, match=r"Caliper 7 .* expired on 2026-03-01"):
        bench.measure(inspection, 10, gauge=gauge)
    calibrate(gauge, bench, AT - timedelta(hours=1), AT + timedelta(30), "failed")
    with pytest.raises(Conflict, match="out of tolerance on 2026-03-02"):
        bench.measure(inspection, 10, gauge=gauge)
    calibrate(gauge, bench, AT, AT + timedelta(30))
    bench.measure(inspection, 10, gauge=gauge)
    assert Result.objects.get().gauge == gauge


def test_calibration_is_valid_up_to_not_including_its_end(bench):
    gauge = make_gauge(site=bench.site, calibrated=False)
    calibrate(gauge, bench, AT, minutes(1) + timedelta(seconds=1))
    with pytest.raises(Conflict):
        bench.measure(bench.begin(make_plan()), 10, gauge=gauge)


def test_failed_calibration_puts_in_doubt_what_was_measured_since_the_last_good_one(bench):
    gauge = make_gauge(site=bench.site, calibrated=False)
    plan = make_plan()
    calibrate(gauge, bench, AT - timedelta(2), AT + timedelta(90))
    before = bench.begin(plan, 0)
    bench.measure(before, 10, gauge=gauge, at=1)
    bench.finish(before)
    calibrate(gauge, bench, minutes(10), AT + timedelta(90))
    after = bench.begin(plan, 20)
    bench.measure(after, 10, gauge=gauge, at=21)
    good = gauge.calibrations.get(calibrated_at=minutes(10))
    failed = calibrate(gauge, bench, minutes(60), AT + timedelta(90), "failed")
    assert [row.inspection for row in results_in_doubt(failed)] == [after]
    assert not results_in_doubt(good).exists()


def test_characteristic_that_needs_a_gauge_says_so(bench):
    plan = make_plan(released=False)
    of = plan.characteristics.get()
    of.needs_gauge = True
    master_data.save(of)
    release_plan(plan=plan, at=AT)
    with pytest.raises(Invalid) as refused:
        bench.measure(bench.begin(plan), 10)
    assert refused.value.field == "gauge"


# --- lots and AQL ---


def receive(bench, quantity=1000, **overrides):
    location = make_location(site=bench.site)
    return make_lot(quantity, location=location, at=AT, **{"status": "quarantine", "supplier": "Mill", **overrides})


def test_lot_that_failed_is_held_and_not_released_before_it_passed(bench):
    lot = receive(bench)
    plan = make_plan(kind="incoming", product=lot.product)
    with pytest.raises(Conflict, match="is due"):
        change_lot_status(lot=lot, to_status="released", reason="x", actor=bench.ewa, changed_at=minutes(1))
    failed = bench.inspect(plan, 12, lot=lot)
    lot.refresh_from_db()
    assert lot.status == "hold"
    with pytest.raises(Conflict, match="failed; ask quality"):
        change_lot_status(lot=lot, to_status="released", reason="x", actor=bench.ewa, changed_at=minutes(9))
    decide_inspection(
        inspection=failed, result="conditional_pass", reason="Sorted.", actor=bench.ewa, decided_at=minutes(9)
    )
    change_lot_status(lot=lot, to_status="released", reason="x", actor=bench.ewa, changed_at=minutes(9))
    assert lot.status == "released"


def test_lot_is_not_received_as_released_past_its_gate(bench):
    lot = receive(bench)
    make_plan(kind="incoming", product=lot.product)
    with pytest.raises(Conflict, match="is due"):
        receive(bench, product=lot.product, status="released")


def test_aql_switches_by_the_lots_before(bench):
    plan = make_plan("attribute", kind="incoming", rules=[{"kind": "aql", "aql": Decimal(1), "sample_size": 1}])
    product = receive(bench).product
    severities, sizes = [], []
    for number, bad in enumerate((3, 0, 3, 0, 0, 0, 0, 0, 0)):
        lot = receive(bench, 1000, product=product)
        inspection = bench.begin(plan, 10 * number, lot=lot)
        severities.append(inspection.severity)
        sizes.append((inspection.sample_size, inspection.accept_number))
        verdicts = ["not_ok"] * bad + ["ok"] * (inspection.sample_size - bad)
        bench.measure(inspection, *verdicts, at=10 * number + 1)
        bench.finish(inspection, 10 * number + 9)
    # Two of five not accepted: tightened; five in a row accepted: normal (ISO 2859-1, 9.3). Letter J, AQL 1.0.
    assert severities == ["normal"] * 3 + ["tightened"] * 5 + ["normal"]
    assert sizes[0] == (80, 2)
    assert sizes[3] == (80, 1)


def test_open_inspection_is_not_begun_twice_and_a_retry_is_answered(bench):
    plan = make_plan()
    first = bench.begin(plan, idempotency_key="k", machine=bench.machine)
    assert bench.begin(plan, idempotency_key="k", machine=bench.machine) == first
    with pytest.raises(Conflict, match="being inspected already"):
        bench.begin(plan, 3)
    with pytest.raises(Invalid):
        bench.begin(plan, operation_code="X", machine=bench.machine)
    with pytest.raises(ValidationError):
        bench.begin(make_plan(), batch="x" * 99, machine=bench.machine)


def test_shift_is_noted(bench):
    assert isinstance(bench.begin(make_plan()).opened_at, datetime)


@pytest.mark.parametrize(
    ("kind", "every", "said"),
    [
        ("every_minutes", 60, "Every 60 minutes"),
        ("every_pieces", 1, "Every piece"),
        ("after_stop", 10, "After a stop longer than 10 minutes"),
        ("after_changeover", None, "After a changeover to another product"),
    ],
)
def test_rule_says_how_often_in_a_sentence(kind, every, said):
    assert str(SamplingRule(kind=kind, every=every)) == said
