"""Recommendations are records: the same evidence makes one, people decide, and how often they came true is known."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import Role
from advice import services
from advice.changeovers import orders_of_changeovers
from advice.drifts import drifts
from advice.engine.failure_log import FailureLog
from advice.engine.failure_model import FAILURES_NEEDED
from advice.failures import failures_ahead, lives, train_failure_model
from advice.findings import Finding, Quiet, stored
from advice.losses import losses_to_attack
from advice.models import AdviceModel, Kind, Recommendation, RecommendationStep, Silence
from advice.own_log import OwnLog, own_log
from advice.services import Decided, advise, write
from advice.tests.test_engine import plant
from advice.wording import headline, reasons, silence
from core.errors import Conflict, Invalid
from core.intervals import Interval
from counts.services import NewReading, record_readings
from downtime.services import NewState, record_states
from maintenance.models import MaintenanceOrder
from tests.factories import (
    make_count_tag,
    make_ideal_rate,
    make_line,
    make_machine,
    make_product,
    make_reason,
    make_schedule,
    make_site,
    make_user,
    make_work_order,
)
from workorders.services import end_run, start_run

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = DAY + timedelta(hours=120)
SECONDS = 36


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


@pytest.fixture
def floor():
    """A machine that makes 100 pieces an hour, 92 from hour 80 on, and breaks down for two hours each half day."""
    machine = make_machine(hourly_cost=Decimal(100))
    site = machine.line.area.site
    run, jam = make_reason("running"), make_reason("unplanned", code="JAM", name="Jam", is_failure=True)
    product = make_product(code="COLA")
    make_ideal_rate(machine=machine, product=product, value=Decimal(SECONDS))
    start_run(line=machine.line, work_order=make_work_order(product=product, line=machine.line), started_at=DAY)
    tag = make_count_tag(machine=machine)
    stops = range(10, 120, 12)
    states = [(0, run)] + [one for hour in stops for one in ((hour, jam), (hour + 2, run))]
    record_states([NewState(machine.pk, at(hour), reason.pk, "test") for hour, reason in states], recorded_at=NOW)
    made = [
        NewReading(tag.pk, machine.pk, False, at(hour + part), 25 if hour < 80 else 23)
        for hour in range(120)
        if hour % 12 not in (10, 11)
        for part in (0.1, 0.35, 0.6, 0.85)
    ]
    record_readings(made, recorded_at=NOW)
    return SimpleNamespace(machine=machine, site=site, line=machine.line, product=product, jam=jam)


def finding(site, machine=None, **overrides) -> Finding:
    values = {
        "kind": Kind.LOSS,
        "subject": "loss line 1 stops",
        "evidence": {
            "loss": "stops",
            "hours_per_week": 4.0,
            "oee_points": 3.0,
            "weeks": 1.0,
            "recovered": 0.5,
            "trend": [1.0, None],
            "reasons": [],
            "links": [],
        },
        "says": ("stops", 4.0),
        "strength": stored(2),
        "window": Interval(DAY, NOW),
        "valid_until": NOW + timedelta(days=7),
        "gain_hours": stored(2),
        "line": machine.line if machine else None,
        "machine": machine,
    }
    return Finding(**{**values, **overrides})


def decided(who, hours: float = 1, **more) -> Decided:
    return Decided(at=NOW + timedelta(hours=hours), actor=who, **more)


def test_the_loss_to_attack_first_is_named_with_hours_points_and_money(floor):
    (found,) = losses_to_attack(floor.site, now=NOW)
    assert isinstance(found, Finding)
    # Two of twelve hours stand: 20 of 120, so 28 a week, of which half is taken to be won back.
    assert found.component == "stops"
    assert found.evidence["hours_per_week"] == pytest.approx(28, rel=0.02)
    assert found.gain_hours == pytest.approx(Decimal(14), rel=Decimal("0.02"))
    assert found.gain_money == pytest.approx(found.gain_hours * 100, rel=Decimal("0.001"))
    assert found.gain_oee_points == pytest.approx(Decimal(100) / 12, rel=Decimal("0.02"))
    assert [row["reason"] for row in found.evidence["reasons"]] == ["Jam"]


def test_a_cycle_time_that_creeps_up_is_found_where_it_began(floor):
    found = [one for one in drifts(floor.site, now=NOW) if isinstance(one, Finding)]
    assert [(one.kind, one.component) for one in found] == [(Kind.CYCLE_DRIFT, "COLA")]
    assert found[0].evidence["size"] == pytest.approx(100 / 92 - 1, abs=0.005)
    assert found[0].evidence["begun_at"] == at(80).isoformat()
    # Of the hours before, the cycle time is steady; so one hour of it, two or three, are enough.
    assert found[0].evidence["seen_at"] <= at(85).isoformat()


def test_a_look_writes_each_thing_once_and_says_why_it_is_silent(floor):
    made = advise(site=floor.site, now=NOW)
    assert {one.kind for one in made.made} == {Kind.LOSS, Kind.CYCLE_DRIFT}
    again = advise(site=floor.site, now=NOW)
    assert (again.made, again.kept) == ([], 2)
    assert Recommendation.objects.count() == 2
    says = {one.kind: silence(one) for one in Silence.objects.all()}
    assert says[Kind.FAILURE].endswith(f"{FAILURES_NEEDED} failures needed.") or "needed" in says[Kind.FAILURE]
    assert says[Kind.CHANGEOVER] == "0 jobs are planned ahead, 3 of two products are needed."
    assert all(headline(one) and all(reasons(one)) for one in made.made)


def test_an_order_of_jobs_is_proposed_by_what_changeovers_took(floor):
    light, zero = make_product(code="LIGHT"), make_product(code="ZERO")
    assert isinstance(orders_of_changeovers(floor.site, now=NOW)[0], Quiet)
    for place, product in enumerate((light, floor.product, light, zero)):
        order = make_work_order(product=product, line=floor.line, order_number=f"WO-{place}")
        make_schedule(
            line=floor.line,
            work_order=order,
            planned_start_at=NOW + timedelta(hours=5 + 2 * place),
            planned_end_at=NOW + timedelta(hours=7 + 2 * place),
        )
    (thin,) = orders_of_changeovers(floor.site, now=NOW)
    assert isinstance(thin, Quiet)
    assert (thin.why, thin.facts) == ("thin_changeovers", {"measured": 0, "needed": 3})


def test_an_order_of_jobs_that_saves_changing_over_is_proposed():
    machine = make_machine(hourly_cost=Decimal(60))
    line, tag, run = machine.line, make_count_tag(machine=machine), make_reason("running")
    record_states([NewState(machine.pk, DAY, run.pk, "test")], recorded_at=NOW)
    products = [make_product(code="RED"), make_product(code="BLUE")]
    made = []
    for place in range(4):
        order = make_work_order(product=products[place % 2], line=line, order_number=f"DONE-{place}")
        end_run(run=start_run(line=line, work_order=order, started_at=at(3 * place)), ended_at=at(3 * place + 2))
        made += [NewReading(tag.pk, machine.pk, False, at(3 * place + part), 5) for part in (0, 0.5, 1, 1.5)]
    record_readings(made, recorded_at=NOW)
    for place, product in enumerate((products[0], products[1], products[0])):
        order = make_work_order(product=product, line=line, order_number=f"PLAN-{place}")
        start = at(20 + 2 * place)
        make_schedule(line=line, work_order=order, planned_start_at=start, planned_end_at=start + timedelta(hours=2))
    (found,) = orders_of_changeovers(line.area.site, now=at(13))
    assert isinstance(found, Finding)
    # Blue runs last: blue first, then both reds; each changeover took from the last piece to the first, 90 minutes.
    assert [row["product"] for row in found.evidence["best"]] == ["BLUE", "RED", "RED"]
    assert (found.evidence["minutes_planned"], found.evidence["minutes_best"]) == (270, 90)
    assert (found.gain_hours, found.gain_money) == (Decimal(3), Decimal(180))


def test_the_same_evidence_makes_one_record_and_a_rejected_one_comes_again_when_it_grew(floor):
    person = make_user(Role.ENGINEER, site=floor.site)

    def say(strength, now=NOW, **more):
        one = finding(floor.site, floor.machine, strength=stored(strength), says=(strength,), **more)
        return write(site=floor.site, found=[one], now=now).made

    (first,) = say(2)
    assert say(2) == []
    assert say(2.4) == []
    (larger,) = say(2.6)
    first.refresh_from_db()
    assert first.status == Recommendation.Status.REPLACED
    with pytest.raises(Invalid, match="Say why"):
        services.reject(recommendation=larger, decided=decided(person))
    services.reject(recommendation=larger, decided=decided(person, note="Costs more than it gains"))
    later = NOW + timedelta(days=300)
    assert say(3, now=later, valid_until=later + timedelta(days=1)) == []
    assert len(say(3.25, now=later, valid_until=later + timedelta(days=1))) == 1


def test_a_decision_is_taken_once_and_an_order_may_come_with_it(floor):
    person = make_user(Role.ENGINEER, site=floor.site)
    (one,) = write(site=floor.site, found=[finding(floor.site, floor.machine)], now=NOW).made
    said = decided(person, note="Yes", idempotency_key="k1")
    with pytest.raises(Conflict, match="Accept or reject"):
        services.tell_outcome(recommendation=one, decided=decided(person), came_true=True)
    done, is_new = services.accept(recommendation=one, decided=said, make_order=True)
    assert is_new
    assert services.accept(recommendation=one, decided=said, make_order=True)[1] is False
    assert MaintenanceOrder.objects.get() == done.maintenance_order
    with pytest.raises(Conflict, match="accepted already"):
        services.reject(recommendation=one, decided=decided(person, note="No"))
    services.tell_outcome(recommendation=one, decided=decided(person, 2), came_true=True, gained_hours=Decimal("3.5"))
    one.refresh_from_db()
    assert (one.came_true, one.gained_hours) == (True, Decimal("3.5"))
    assert [step.kind for step in RecommendationStep.objects.order_by("id")] == ["accepted", "outcome"]


def own(floor, log: FailureLog) -> OwnLog:
    """A site's history of several machines, all of which are the one that there is."""
    running = {name: np.ones(log.hours) for name in log.machines}
    window = Interval(DAY, DAY + timedelta(hours=log.hours))
    return OwnLog(log, dict.fromkeys(log.machines, floor.machine), running, window)


def test_a_forecast_of_own_failures_is_trained_tried_said_and_judged(floor):
    log = plant()
    make_reason("unplanned", code="seal", name="Seal leaks", is_failure=True)
    last = int(max(one.failures["seal"].max() for one in log.machines.values()))
    cut_at = last - 5
    from advice.failure_files import cut

    history = own(floor, cut(log, 0, cut_at))
    now = history.window.end
    found = failures_ahead(floor.site, history, now=now)
    model = AdviceModel.objects.get()
    assert (model.version, model.report["scores"]["model"]["failures"] >= 3) == (1, True)
    assert found
    assert all(isinstance(one, Finding) and one.probability > Decimal("0.5") for one in found)
    assert found[0].evidence["component_name"] == "Seal leaks"
    assert found[0].evidence["drivers"]
    made = write(site=floor.site, found=found, now=now).made
    later = now + timedelta(hours=25)
    judged = services.judge(site=floor.site, now=later)
    # The machine that stands for all of them did not fail then.
    assert [one.came_true for one in judged] == [False] * len(made)
    assert services.judge(site=floor.site, now=later) == []


def test_thin_history_keeps_silent(floor):
    history = own_log(floor.site, now=NOW)
    assert history is not None
    (one,) = history.log.machines.values()
    # What comes twice a day is a disturbance, which may foretell a failure, and no failure that is foretold.
    assert "JAM" not in one.failures
    assert one.events["JAM"].tolist() == [10.0 + 12 * place for place in range(10)]
    short = own(floor, plant(machines=1))
    quiet = train_failure_model(floor.site, short, now=NOW)
    assert isinstance(quiet, Quiet)
    assert quiet.facts == {"failures": 5, "needed": FAILURES_NEEDED, "hours": 1500}
    (life,) = lives(floor.site, short, now=NOW)
    assert isinstance(life, Quiet)
    assert (life.why, life.facts["failures"]) == ("thin_lives", 4)


def test_rest_and_the_page_follow_rights_and_sites(floor, client):
    (one,) = write(
        site=floor.site,
        found=[finding(floor.site, floor.machine, valid_until=datetime(2100, 1, 1, tzinfo=UTC))],
        now=NOW,
    ).made
    write(site=floor.site, found=[], now=NOW)
    address = f"/advice/recommendation/{one.pk}/"
    engineer, operator = make_user(Role.ENGINEER, site=floor.site), make_user(Role.OPERATOR, site=floor.site)
    stranger = make_user(Role.ENGINEER, site=make_site())
    api = APIClient()
    api.force_authenticate(stranger)
    assert api.get(address).status_code == 404
    api.force_authenticate(operator)
    body = api.get(address).json()
    assert body["headline"].endswith("attack unplanned stops first")
    assert api.post(f"{address}accept/", {}).status_code == 403
    api.force_authenticate(engineer)
    assert api.post(f"{address}reject/", {}).json()["note"]
    assert api.post(f"{address}accept/", {"idempotency_key": "a"}).status_code == 201
    assert api.post(f"{address}accept/", {"idempotency_key": "a"}).status_code == 200
    assert api.post(f"{address}reject/", {"note": "No"}).status_code == 409
    assert api.post(f"{address}outcome/", {"came_true": True, "gained_hours": "1.5"}).status_code == 201
    row = api.get("/advice/precision/").json()[0]
    assert (row["kind"], row["judged"], row["precision"]) == ("loss", 1, 1.0)
    client.force_login(engineer)
    assert "came true" in client.get(reverse("screens:advice")).text
    page = reverse("screens:recommendation", args=[one.pk])
    posted = {"act": "outcome", "came_true": "no", "idempotency_key": "b"}
    assert client.post(page, posted).status_code == 302
    assert client.post(page, {**posted, "came_true": "maybe"}).status_code == 400
    one.refresh_from_db()
    assert one.came_true is False
    client.force_login(stranger)
    assert client.get(page).status_code == 404


def test_the_page_asks_as_much_of_the_database_for_many_as_for_one(floor, client, django_assert_max_num_queries):
    client.force_login(make_user(Role.ENGINEER, site=floor.site))
    far = datetime(2100, 1, 1, tzinfo=UTC)
    many = [finding(floor.site, floor.machine, subject=f"loss {n}", valid_until=far) for n in range(12)]
    write(site=floor.site, found=many, now=NOW)
    with django_assert_max_num_queries(20):
        assert client.get(reverse("screens:advice")).text.count("attack unplanned stops first") == 12


def test_a_folder_that_is_no_log_is_refused_with_words(tmp_path, capsys):
    with pytest.raises(CommandError, match="no folder"):
        call_command("backtest_failures", tmp_path / "nothing")
    with pytest.raises(CommandError, match="no file of errors"):
        call_command("backtest_failures", tmp_path)
    (tmp_path / "PdM_errors.csv").write_text("datetime,machineID,errorID\n2026-01-01 06:00:00,1,e\n")
    (tmp_path / "PdM_maint.csv").write_text("datetime,machineID,comp\n")
    (tmp_path / "PdM_failures.csv").write_text("datetime,machine\nx,1\n")
    with pytest.raises(CommandError, match=r"PdM_failures\.csv has no column machineID"):
        call_command("backtest_failures", tmp_path)
    rows = "".join(f"2026-01-{day:02} 06:00:00,1,c\n" for day in range(1, 29))
    (tmp_path / "PdM_failures.csv").write_text(f"datetime,machineID,failure\n{rows}yesterday,1,c\n")
    (tmp_path / "PdM_telemetry.csv.gz").write_bytes(b"not packed")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("backtest_failures", tmp_path)
    (tmp_path / "PdM_telemetry.csv.gz").unlink()
    (tmp_path / "PdM_telemetry.csv").write_text(
        "datetime,machineID,volt\n2026-01-02 06:00:00,1,7\n2026-01-02 06:00:00,1,8\n2026-01-03 06:00:00,1,inf\n"
    )
    call_command("backtest_failures", tmp_path)
    said = capsys.readouterr().out
    assert "PdM_failures.csv: 1 rows that cannot be read, the first in line 30" in said
    assert "telemetry: 1 rows of moments that were there before" in said
    (tmp_path / "PdM_failures.csv").write_text(
        "datetime,machineID,failure\n0001-01-01 00:00:00+09:00,1,c\n1900-01-01,1,c\n"
    )
    with pytest.raises(CommandError, match="1 of 2 rows cannot be read, the first in line 2"):
        call_command("backtest_failures", tmp_path)


def test_commands_say_what_they_found(floor, capsys):
    call_command("train_advice", site=floor.site.code)
    call_command("advise")
    said = capsys.readouterr().out
    assert "version 1" in said or "no model" in said
    assert "silent" in said
    make_line()
    with pytest.raises(CommandError, match="no active site"):
        call_command("advise", site="NOWHERE")
