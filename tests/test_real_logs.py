"""Logs of real machines, replayed through the write path, must give what pandas makes of the files on its own.

`MES_REAL_DATA` names the folder; the files are nobody's to copy, so without the folder there is nothing to test.
"""

import os
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from core.intervals import Interval
from downtime.models import StateHistory, StateReason
from enterprise.models import Machine
from ingest import directory
from ingest.models import QuarantinedItem
from oee.reason_times import losses
from oee.reliability import reliability_of
from oee.selectors import product_report, report
from oee.slicing import Part
from products.models import Product
from tests.factories import make_line
from workorders.models import Run

FOLDER = Path(os.environ.get("MES_REAL_DATA") or settings.BASE_DIR.parent / "shared" / "data")
CUTTER = FOLDER / "machine_event_log" / "ultrasonic_cutter_2013-08_09.csv"
SODA = FOLDER / "soda_line_downtime" / "Manufacturing_Line_Productivity.xlsx"
SHOP = FOLDER / "job_shop_work_orders" / "Production_Data_2012-01_02.csv"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the folder of real logs is absent: {FOLDER} (MES_REAL_DATA)"),
]


@pytest.fixture(autouse=True)
def _names_of_other_tests_are_forgotten():
    """The write path remembers codes for a second, and every test has the same codes for other rows."""
    for names in (directory.tags, directory.machines, directory.constraint_machines, directory.reasons):
        names.forget()


def replay(path: Path, mapping: str) -> tuple[Machine, str]:
    """Replay a file into a new line and return its machine and what the command said."""
    line, said = make_line(code="REPLAYED"), StringIO()
    call_command("replay", path, mapping=mapping, line=line.code, machine="M", create=True, stdout=said)
    return Machine.objects.select_related("line__area__site").get(code="M"), said.getvalue()


def pareto(machine: Machine, window: Interval) -> list[tuple[str, float, int]]:
    """Return the losses of a window, the longest first, as (reason code, seconds, occurrences)."""
    codes = dict(StateReason.objects.without_tree_fields().values_list("id", "code"))
    return [
        (codes[loss.reason_id or 0], loss.duration.total_seconds(), loss.occurrences)
        for loss in losses([machine], window, now=NOW)
    ]


# --- The cutter's event log -------------------------------------------------------------------------------------------


def cutter_events() -> pd.DataFrame:
    names = ["time", "operator", "code", "event", "value", "second", "third"]
    events = pd.read_csv(CUTTER, sep=";", names=names, dtype=str, keep_default_na=False, quoting=3)
    events["time"] = pd.to_datetime(events["time"], format="%Y/%m/%d %H:%M:%S", utc=True)
    return events


def cutter_truth() -> pd.DataFrame:
    """Return the log's seconds with the state that begins in each, and how long it lasts, worked out by columns."""
    events = cutter_events()
    after = {
        "Program start": "PROGRAM-RUNS",
        "Program continue": "PROGRAM-RUNS",
        "Program abort": "PROGRAM-ABORTED",
        "Program end": "NO-PROGRAM",
    }
    events["program"] = events["event"].map(after).ffill().fillna("NO-PROGRAM")
    is_feedhold = events["event"] == "Feedhold"
    events["held"] = events["value"].where(is_feedhold).ffill().fillna("0") == "1"
    seconds = events.groupby("time").agg(program=("program", "last"), held=("held", "last"))
    alarms = events.loc[events["event"] == "Error message"].groupby("time").size()

    # An alarm explains a hold from the moment when both are there; a second may pass between alarm and hold.
    seconds["alarm"] = seconds.index.isin(alarms.index)
    began = seconds["held"] & ~seconds["held"].shift(fill_value=False)
    just_before = (seconds.index.to_series() - pd.Timedelta(seconds=1)).isin(alarms.index)
    explained = seconds["held"] & (seconds["alarm"] | (began & just_before))
    seconds["explained"] = explained.groupby(began.cumsum()).cummax() & seconds["held"]

    seconds["reason"] = (
        seconds["program"].mask(seconds["held"], "FEEDHOLD").mask(seconds["explained"], "FEEDHOLD-ALARM")
    )
    ends = seconds.index.to_series().shift(-1).fillna(seconds.index[-1] + pd.Timedelta(seconds=1))
    seconds["lasts"] = (ends - seconds.index.to_series()).dt.total_seconds()
    return seconds


def cutter_window() -> Interval:
    times = cutter_events()["time"]
    return Interval(times.iloc[0].to_pydatetime(), times.iloc[-1].to_pydatetime() + timedelta(seconds=1))


def test_cutter_run_and_stop_seconds_by_reason_equal_the_log_to_the_second():
    machine, _ = replay(CUTTER, "cutter-event-log")
    truth = cutter_truth()
    seconds = truth.groupby("reason")["lasts"].sum()
    times = truth["reason"].ne(truth["reason"].shift()).groupby(truth["reason"]).sum()
    running = seconds.pop("PROGRAM-RUNS")

    window = cutter_window()
    found = report([machine], window, now=NOW)
    assert found.sums.times.actual_production_time == running * 1_000_000
    assert found.sums.times.actual_unit_delay_time == seconds.sum() * 1_000_000
    assert found.kpis.availability == Fraction(int(running), int(running + seconds.sum()))
    expected = seconds.sort_values(ascending=False)
    assert pareto(machine, window) == [(code, lasts, times[code]) for code, lasts in expected.items()]


def test_cutter_hold_seconds_equal_the_sum_of_holds_between_on_and_off():
    machine, _ = replay(CUTTER, "cutter-event-log")
    held, since = 0.0, None
    for event in cutter_events().itertuples():
        if event.event == "Feedhold" and event.value == "1":
            since = since or event.time
        elif event.event == "Feedhold" and since is not None:
            held += (event.time - since).total_seconds()
            since = None
    assert since is None
    found = {code: seconds for code, seconds, _ in pareto(machine, cutter_window())}
    assert found["FEEDHOLD"] + found["FEEDHOLD-ALARM"] == held


def test_cutter_counts_every_finished_program_once_and_knows_no_performance():
    machine, _ = replay(CUTTER, "cutter-event-log")
    found = report([machine], cutter_window(), now=NOW)
    assert found.sums.quantities.good == (cutter_events()["event"] == "Program end").sum() == 154
    assert found.kpis.quality_ratio == 1
    assert found.kpis.effectiveness is None
    assert found.kpis.oee_index is None


def test_cutter_alarm_texts_explain_the_holds_that_they_caused():
    machine, _ = replay(CUTTER, "cutter-event-log")
    truth = cutter_truth()
    alarms = cutter_events().query("event == 'Error message'")
    begins = truth["explained"] & ~truth["explained"].shift(fill_value=False)
    expected = {}
    for at in truth.index[begins]:
        near = alarms[(alarms["time"] == at) | (alarms["time"] == at - pd.Timedelta(seconds=1))]
        in_second = near[near["time"] == at]
        expected[at.to_pydatetime()] = (in_second if len(in_second) else near)["value"].iloc[0]
    stored = StateHistory.objects.filter(machine=machine, reason__code="FEEDHOLD-ALARM")
    assert dict(stored.values_list("occurred_at", "detail")) == expected


def test_cutter_programs_last_as_long_as_the_machine_itself_says():
    """A program's end carries seconds: the first is the time since its start, holds included, aborted time not."""
    machine, _ = replay(CUTTER, "cutter-event-log")
    aborted = StateReason.objects.without_tree_fields().get(code="PROGRAM-ABORTED")
    started, had_abort, undisturbed, disturbed = None, False, [], []
    for event in cutter_events().itertuples():
        if event.event == "Program start":
            started, had_abort = event.time.to_pydatetime(), False
        elif event.event == "Program abort":
            had_abort = True
        elif event.event == "Program end" and started is not None:
            window = Interval(started, event.time.to_pydatetime())
            sums = report([machine], window, now=NOW).sums.times
            lost = [loss for loss in losses([machine], window, now=NOW) if loss.reason_id == aborted.pk]
            seconds = (sums.planned_busy_time / 1_000_000) - sum(loss.duration.total_seconds() for loss in lost)
            (disturbed if had_abort else undisturbed).append(seconds - float(event.value))
            started = None
    assert (len(undisturbed), len(disturbed)) == (114, 40)
    # The log has whole seconds at either end, the machine milliseconds.
    assert all(abs(difference) < 1.5 for difference in undisturbed)
    # After an abort the machine's own clock starts again only some seconds after "continue".
    assert all(difference > -1.5 for difference in disturbed)


def test_cutter_log_replayed_twice_is_stored_once():
    machine, said = replay(CUTTER, "cutter-event-log")
    stored = StateHistory.objects.filter(machine=machine).count()
    again = StringIO()
    call_command("replay", CUTTER, mapping="cutter-event-log", line="REPLAYED", machine="M", batch=97, stdout=again)
    assert "duplicates 0, refused 0" in said
    assert "accepted 0, " in again.getvalue()
    assert StateHistory.objects.filter(machine=machine).count() == stored
    assert not QuarantinedItem.objects.exists()


def test_replay_into_an_unprepared_plant_is_refused_with_what_is_missing():
    line = make_line(code="REPLAYED")
    with pytest.raises(CommandError, match=r"state reason FEEDHOLD(.|\n)*count tag REPLAYED/programs"):
        call_command("replay", CUTTER, mapping="cutter-event-log", line=line.code)
    assert not StateHistory.objects.exists()


# --- The soda line's workbook -----------------------------------------------------------------------------------------


def soda_batches() -> pd.DataFrame:
    """Return the batches with their duration, minimum time and downtime, all in minutes."""
    batches = pd.read_excel(SODA, sheet_name="Line productivity", engine="openpyxl")
    products = pd.read_excel(SODA, sheet_name="Products", engine="openpyxl")
    batches = batches.merge(products[["Product", "Min batch time"]], on="Product", validate="many_to_one")
    minutes = batches[["Start Time", "End Time"]].map(lambda at: at.hour * 60 + at.minute)
    batches["Minutes"] = (minutes["End Time"] - minutes["Start Time"]) % (24 * 60)
    batches["Starts"] = pd.to_datetime(batches["Date"], utc=True) + pd.to_timedelta(minutes["Start Time"], unit="min")
    batches["Downtime"] = batches["Batch"].map(soda_downtime().sum(axis=1))
    return batches.sort_values("Starts").reset_index(drop=True)


def soda_downtime() -> pd.DataFrame:
    """Return minutes by batch (rows) and factor (columns)."""
    return pd.read_excel(SODA, sheet_name="Line downtime", engine="openpyxl", header=1, index_col=0).fillna(0)


def soda_window() -> Interval:
    batches = soda_batches()
    last = batches.iloc[-1]
    ends = last["Starts"] + pd.Timedelta(minutes=int(last["Minutes"]))
    return Interval(batches.iloc[0]["Starts"].to_pydatetime(), ends.to_pydatetime())


def test_soda_line_equals_its_workbook():
    """One replay for all: availability, performance and OEE exact, of the whole, each batch and each product;
    Pareto to the second.
    """
    machine, _ = replay(SODA, "batch-downtime-workbook")
    _check_whole_line(machine)
    _check_every_batch(machine)
    _check_every_product(machine)
    _check_pareto_by_factor(machine)
    _check_operator_errors(machine)


def _check_pareto_by_factor(machine):
    downtime = soda_downtime()
    totals = downtime.sum().loc[lambda minutes: minutes > 0]
    expected = sorted(
        ((f"FACTOR-{factor}", minutes * 60, int((downtime[factor] > 0).sum())) for factor, minutes in totals.items()),
        key=lambda entry: -entry[1],
    )
    found = [entry for entry in pareto(machine, soda_window()) if entry[0] != "BETWEEN-BATCHES"]
    assert found == expected
    assert sum(seconds for _, seconds, _ in found) == 1388 * 60


def _check_whole_line(machine):
    batches = soda_batches()
    minutes, downtime, ideal = (int(batches[name].sum()) for name in ("Minutes", "Downtime", "Min batch time"))
    assert (len(batches), minutes, downtime, ideal) == (38, 3858, 1388, 2470)

    found = report([machine], soda_window(), now=NOW)
    assert found.sums.times.actual_production_time == (minutes - downtime) * 60_000_000
    assert found.sums.quantities.good == len(batches)
    assert found.kpis.availability == Fraction(minutes - downtime, minutes)
    assert found.kpis.effectiveness == Fraction(ideal, minutes - downtime)
    assert found.kpis.oee_index == Fraction(ideal, minutes)
    # The nights between the batches are unknown, not idle.
    assert found.sums.times.no_data_time == soda_window().microseconds - minutes * 60_000_000


def _check_every_batch(machine):
    for batch in soda_batches().itertuples():
        run = Run.objects.get(work_order__order_number=f"BATCH-{batch.Batch}")
        assert run.started_at == batch.Starts.to_pydatetime()
        window = Interval(run.started_at, run.ended_at)
        assert window.microseconds == batch.Minutes * 60_000_000
        found = report([machine], window, now=NOW, part=Part(run_ids=frozenset([run.pk])))
        assert found.kpis.availability == Fraction(int(batch.Minutes - batch.Downtime), int(batch.Minutes))
        assert found.sums.quantities.produced == 1


def _check_every_product(machine):
    for code, batches in soda_batches().groupby("Product"):
        found = product_report(Product.objects.get(code=code).pk, machine, soda_window(), now=NOW)
        minutes = int(batches["Minutes"].sum())
        assert found.kpis.availability == Fraction(minutes - int(batches["Downtime"].sum()), minutes)
        assert found.sums.quantities.good == len(batches)


def _check_operator_errors(machine):
    factors = pd.read_excel(SODA, sheet_name="Downtime factors", engine="openpyxl").set_index("Factor")
    is_error = soda_downtime().columns.map(lambda factor: factors["Operator Error"][int(factor)] == "Yes")
    expected = soda_downtime().loc[:, is_error].sum().sum() * 60
    branch = StateReason.objects.descendants(StateReason.objects.get(code="OPERATOR-ERROR"))
    codes = {reason.code for reason in branch}
    found = sum(seconds for code, seconds, _ in pareto(machine, soda_window()) if code in codes)
    assert found == expected == 776 * 60


# --- The job shop's work log ------------------------------------------------------------------------------------------


def shop_rows() -> pd.DataFrame:
    """Return the rows of the log, those that repeat another in every column left out."""
    rows = pd.read_csv(SHOP).drop_duplicates()
    rows.columns = [" ".join(name.split()) for name in rows.columns]
    for name in ("Start Timestamp", "Complete Timestamp"):
        rows[name] = pd.to_datetime(rows[name], utc=True)
    return rows


def shop_window() -> Interval:
    rows = shop_rows()
    return Interval(rows["Start Timestamp"].min().to_pydatetime(), rows["Complete Timestamp"].max().to_pydatetime())


def shop_truth() -> pd.DataFrame:
    """Return what pandas makes of the log, by machine: minutes of each kind, breakdowns, pieces.

    The log has whole minutes. Each minute of a machine gets the kind of a row that covers it; set-up gives way to
    production, and both to a breakdown.
    """
    rows, window = shop_rows(), shop_window()
    number = window.microseconds // 60_000_000
    found = {}
    for name, of_machine in rows.groupby("Resource"):
        minutes = pd.Series("", index=range(number))
        for kind in ("S", "D", "B"):
            for row in of_machine[of_machine["Report Type"] == kind].itertuples():
                first, last = (int((at - window.start).total_seconds()) // 60 for at in (row._4, row._5))
                minutes.iloc[first:last] = kind
        is_down = minutes == "B"
        found[name] = {
            "production": int((minutes == "D").sum()),
            "set-up": int((minutes == "S").sum()),
            "breakdown": int(is_down.sum()),
            "failures": int((is_down & ~is_down.shift(fill_value=False)).sum()),
            "good": int(of_machine["Qty Completed"].sum()),
            "rejected": int(of_machine["Qty Rejected"].sum()),
            "minutes": number,
        }
    return pd.DataFrame.from_dict(found, orient="index")


def test_job_shop_utilisation_set_up_ratio_mtbf_and_breakdowns_equal_the_log_machine_by_machine():
    line, said = make_line(code="SHOP"), StringIO()
    call_command("replay", SHOP, mapping="job-shop-work-log", line=line.code, create=True, stdout=said)
    assert "refused 0" in said.getvalue()
    truth, window = shop_truth(), shop_window()
    machines = {m.name: m for m in Machine.objects.select_related("line__area__site").filter(line=line)}
    assert sorted(machines) == sorted(truth.index)
    assert len(machines) == 31
    breakdown = StateReason.objects.without_tree_fields().get(code="BREAKDOWN").pk

    downs = {}
    for name, expected in truth.iterrows():
        found = report([machines[name]], window, now=NOW)
        times, kpis = found.sums.times, found.kpis
        production, setup, down = (int(expected[kind]) for kind in ("production", "set-up", "breakdown"))
        assert times.actual_production_time == production * 60_000_000
        assert times.actual_unit_setup_time == setup * 60_000_000
        assert times.actual_unit_delay_time == down * 60_000_000
        assert kpis.utilisation == Fraction(production + setup + down, int(expected["minutes"]))
        assert kpis.setup_rate == (Fraction(setup, setup + production) if setup + production else None)
        assert found.sums.quantities.good == expected["good"]
        assert found.sums.quantities.scrap == expected["rejected"]

        found = reliability_of([machines[name]], window, now=NOW)[machines[name].pk]
        failures = int(expected["failures"])
        assert (found.failures, found.failure_time) == (failures, down * 60_000_000)
        mttf = Fraction(production * 60, failures) if failures else None
        mttr = Fraction(down * 60, failures) if failures else None
        mtbf = mttf + mttr if mttf is not None and mttr is not None else None
        assert (found.mttf, found.mttr, found.mtbf) == (mttf, mttr, mtbf)
        failed = [loss for loss in losses([machines[name]], window, now=NOW) if loss.reason_id == breakdown]
        if failed:
            downs[name] = failed[0].duration, failed[0].occurrences

    ranked = sorted(downs.items(), key=lambda entry: (-entry[1][0], entry[0]))
    down = truth[truth["failures"] > 0].sort_index().sort_values("breakdown", ascending=False, kind="stable")
    assert [(name, repair / timedelta(minutes=1), n) for name, (repair, n) in ranked] == [
        (name, row["breakdown"], row["failures"]) for name, row in down.iterrows()
    ]
    assert len(down) == 10

    # Replaying it again changes nothing.
    again = StringIO()
    call_command("replay", SHOP, mapping="job-shop-work-log", line=line.code, stdout=again)
    assert "accepted 0, " in again.getvalue()
    assert "refused 0" in again.getvalue()
