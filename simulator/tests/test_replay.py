"""Replay of logs: each documented decision about how a foreign log becomes facts, and every refusal."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from counts.models import CountHistory
from downtime.models import StateHistory
from ingest import directory
from simulator.facts import CountFact, StateFact
from simulator.replay.log import UnreadableLog
from simulator.replay.mappings import read_log
from tests.factories import make_count_tag, make_machine, make_reason

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def events(tmp_path, *rows):
    path = tmp_path / "events.csv"
    path.write_text("".join(f"2026/03/02 {row}\r\n" for row in rows))
    return path


def states_of(log):
    """Return the states of a log as (seconds after eight, reason, detail)."""
    return [
        ((fact.at - EIGHT).total_seconds(), fact.state, fact.detail)
        for fact in log.facts
        if isinstance(fact, StateFact)
    ]


def read_events(tmp_path, *rows, time_zone=""):
    return read_log(events(tmp_path, *rows), mapping="cutter-event-log", machine="M", time_zone=time_zone)


def test_a_hold_covers_the_program_and_gives_way_to_it_again(tmp_path):
    log = read_events(
        tmp_path,
        "08:00:00;;11;Program start",
        "08:00:10;;30;Feedhold;1",
        "08:00:25;;30;Feedhold;0",
        "08:01:00;;15;Program end;60.1;1.0;2.0",
    )
    assert states_of(log) == [
        (0, "PROGRAM-RUNS", ""),
        (10, "FEEDHOLD", ""),
        (25, "PROGRAM-RUNS", ""),
        (60, "NO-PROGRAM", ""),
        (61, "LOG-ENDED", ""),
    ]
    assert [fact for fact in log.facts if isinstance(fact, CountFact)] == [
        CountFact("M/programs", EIGHT + timedelta(seconds=60), 1)
    ]


def test_a_hold_of_no_second_leaves_no_trace(tmp_path):
    log = read_events(
        tmp_path,
        "08:00:00;;11;Program start",
        "08:00:10;;30;Feedhold;1",
        "08:00:10;;30;Feedhold;0",
        "08:00:20;;32;Override;5",
    )
    assert states_of(log) == [(0, "PROGRAM-RUNS", ""), (21, "LOG-ENDED", "")]


def test_an_aborted_program_stands_until_it_continues_or_another_starts(tmp_path):
    log = read_events(
        tmp_path,
        "08:00:00;;11;Program start",
        "08:00:10;;14;Program abort",
        "08:00:20;;12;Program continue",
        "08:00:30;;14;Program abort",
        "08:00:40;;10;Program load;next",
        "08:00:50;;11;Program start",
    )
    assert [(at, state) for at, state, _ in states_of(log)] == [
        (0, "PROGRAM-RUNS"),
        (10, "PROGRAM-ABORTED"),
        (20, "PROGRAM-RUNS"),
        (30, "PROGRAM-ABORTED"),
        (50, "PROGRAM-RUNS"),
        (51, "LOG-ENDED"),
    ]


def test_a_start_without_an_end_goes_on_with_the_next_start_and_counts_nothing(tmp_path):
    log = read_events(tmp_path, "08:00:00;;11;Program start", "08:05:00;;11;Program start", "08:09:00;;32;Override;5")
    assert [state for _, state, _ in states_of(log)] == ["PROGRAM-RUNS", "LOG-ENDED"]
    assert not any(isinstance(fact, CountFact) for fact in log.facts)


@pytest.mark.parametrize(
    ("alarm_at", "expected"),
    [
        ("08:00:08", [(10, "FEEDHOLD", "")]),
        ("08:00:09", [(10, "FEEDHOLD-ALARM", "A1 jam")]),
        ("08:00:10", [(10, "FEEDHOLD-ALARM", "A1 jam")]),
        ("08:00:15", [(10, "FEEDHOLD", ""), (15, "FEEDHOLD-ALARM", "A1 jam")]),
        ("08:00:20", [(10, "FEEDHOLD", "")]),
    ],
)
def test_an_alarm_explains_the_hold_that_it_comes_with(tmp_path, alarm_at, expected):
    rows = [
        "08:00:00;;11;Program start",
        "08:00:10;;30;Feedhold;1",
        f"{alarm_at};;40;Error message;A1 jam",
        "08:00:20;;30;Feedhold;0",
    ]
    assert states_of(read_events(tmp_path, *sorted(rows)))[1:-2] == expected


def test_the_first_of_several_alarms_names_the_stop(tmp_path):
    log = read_events(
        tmp_path,
        "08:00:10;;40;Error message;A1 cause",
        "08:00:10;;40;Error message;A2 consequence",
        "08:00:10;;30;Feedhold;1",
        "08:00:12;;40;Error message;A3 consequence",
    )
    assert states_of(log)[0] == (10, "FEEDHOLD-ALARM", "A1 cause")


def test_times_without_a_zone_are_those_of_the_zone_that_is_named(tmp_path):
    log = read_events(tmp_path, "09:00:00;;11;Program start", time_zone="Europe/Warsaw")
    assert log.start == EIGHT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("08:00:00;;11", "does not fit"),
        ("8 o'clock;;11;Program start", "Line 1 does not fit"),
        ("", "does not fit"),
    ],
)
def test_an_event_log_that_does_not_fit_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(UnreadableLog, match=message):
        read_events(tmp_path, text)


# --- Batch workbooks --------------------------------------------------------------------------------------------------


def workbook(tmp_path, batches, downtime):
    """Write a workbook of two products (10 and 20 minutes) and three factors, the second an operator error."""
    book = Workbook()
    sheets = {
        "Line productivity": [["Date", "Product", "Batch", "Operator", "Start Time", "End Time"], *batches],
        "Products": [["Product", "Flavor", "Size", "Min batch time"], ["A", "Apple", "1 L", 10], ["B", "Beet", "1 L", 20]],
        "Downtime factors": [["Factor", "Description", "Operator Error"], [1, "Jam", "No"], [2, "Slip", "Yes"], [3, "Leak", "No"]],
        "Line downtime": [["", "Downtime factor"], ["Batch", 1, 2, 3], *downtime],
    }  # fmt: skip
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path = tmp_path / "book.xlsx"
    book.save(path)
    return path


def read_workbook(path):
    return read_log(path, mapping="batch-downtime-workbook", machine="M", time_zone="")


MONDAY = date(2026, 3, 2)


def test_stops_of_a_batch_lie_at_its_start_in_the_order_of_the_factors(tmp_path):
    log = read_workbook(workbook(tmp_path, [[MONDAY, "A", 7, "Kim", time(8), time(8, 30)]], [[7, None, 12, 8]]))
    assert states_of(log) == [
        (0, "FACTOR-2", ""),
        (720, "FACTOR-3", ""),
        (1200, "BATCH-RUNS", ""),
        (1800, "BETWEEN-BATCHES", ""),
    ]
    assert [fact for fact in log.facts if isinstance(fact, CountFact)] == [
        CountFact("M/batches", EIGHT + timedelta(minutes=29, seconds=59), 1)
    ]
    (order,) = log.orders
    assert (order.number, order.product, order.start, order.end) == (
        "BATCH-7", "A", EIGHT, EIGHT + timedelta(minutes=30),
    )  # fmt: skip
    assert [need.minutes_per_piece for need in log.products] == [Decimal("10.0"), Decimal("20.0")]
    assert {need.code: need.parent for need in log.reasons if need.code.startswith("FACTOR")} == {
        "FACTOR-1": "NO-OPERATOR-ERROR",
        "FACTOR-2": "OPERATOR-ERROR",
        "FACTOR-3": "NO-OPERATOR-ERROR",
    }


def test_batches_that_touch_have_nothing_unknown_between_them(tmp_path):
    batches = [[MONDAY, "A", 7, "", time(8), time(8, 30)], [MONDAY, "B", 8, "", time(8, 30), time(9)]]
    log = read_workbook(workbook(tmp_path, batches, [[7, None, None, None], [8, None, None, None]]))
    assert [(at, state) for at, state, _ in states_of(log)] == [
        (0, "BATCH-RUNS"),
        (1800, "BATCH-RUNS"),
        (3600, "BETWEEN-BATCHES"),
    ]


@pytest.mark.parametrize("ends", [time(1, 5), datetime(1900, 1, 1, 1, 5)])  # noqa: DTZ001 — as a spreadsheet has it
def test_a_batch_over_midnight_ends_on_the_next_day_however_its_end_is_stored(tmp_path, ends):
    log = read_workbook(workbook(tmp_path, [[MONDAY, "A", 7, "", time(22, 55), ends]], [[7, 5, None, None]]))
    assert log.orders[0].end - log.orders[0].start == timedelta(hours=2, minutes=10)


@pytest.mark.parametrize(
    ("batches", "downtime", "message"),
    [
        ([[MONDAY, "A", 7, "", time(8), time(8, 30)]], [[7, 31, None, None]], "more downtime than it lasted"),
        ([[MONDAY, "A", 7, "", time(8), time(8, 30)]], [[8, 1, None, None]], "Batch 7 has no row"),
        (
            [[MONDAY, "A", 7, "", time(8), time(8, 30)], [MONDAY, "A", 8, "", time(8, 20), time(9)]],
            [[7, 1, None, None], [8, 1, None, None]],
            "Batch 8 begins before batch 7 ends",
        ),
        ([[MONDAY, "A", 7, "", "morning", time(9)]], [[7, 1, None, None]], "no time of day"),
    ],
)
def test_a_workbook_that_contradicts_itself_is_refused(tmp_path, batches, downtime, message):
    with pytest.raises(UnreadableLog, match=message):
        read_workbook(workbook(tmp_path, batches, downtime))


# --- The documented CSV shape, and the command ------------------------------------------------------------------------


def table(tmp_path, *rows):
    path = tmp_path / "facts.csv"
    path.write_text("\n".join(["at,kind,name,value,detail", *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2026-03-02T08:00:00,state,M,RUN,", "Line 2: .* has no time zone"),
        ("yesterday,state,M,RUN,", "Line 2: 'yesterday' is no ISO 8601 time"),
        ("2026-03-02T08:00:00Z,alarm,M,RUN,", "Line 2: kind is 'alarm'"),
        ("2026-03-02T08:00:00Z,count,T,many,", "Line 2: 'many' is no number"),
        ("2026-03-02T08:00:00Z,count,T,NaN,", "Line 2: 'NaN' is no finite number"),
    ],
)
def test_a_row_that_is_no_fact_is_refused_with_its_line(tmp_path, row, message):
    with pytest.raises(UnreadableLog, match=message):
        read_log(table(tmp_path, row), mapping="", machine="M", time_zone="")


def test_a_mapping_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(UnreadableLog, match=r"batch-downtime-workbook, cutter-event-log"):
        read_log(table(tmp_path), mapping="mine", machine="M", time_zone="")


@pytest.mark.django_db
class TestCommand:
    @pytest.fixture(autouse=True)
    def plant(self):
        for names in (directory.tags, directory.machines, directory.constraint_machines, directory.reasons):
            names.forget()
        self.machine = make_machine(code="M")
        self.line = self.machine.line.code
        make_reason("running", code="RUN")
        make_count_tag(machine=self.machine, tag_path="M/good")

    def test_facts_of_a_table_are_stored_and_said_to_be(self, tmp_path):
        said = StringIO()
        path = table(
            tmp_path,
            "2026-03-02T08:00:00Z,state,M,RUN,first",
            "2026-03-02T10:00:00+01:00,count,M/good,2.5,",
            "2026-03-02T10:00:00+01:00,count,M/good,2.5,",
            "2026-03-02T09:00:00Z,count,M/good,-1,",
        )
        call_command("replay", path, line=self.line, stdout=said)
        assert "accepted 2, duplicates 1, refused 1" in said.getvalue()
        assert StateHistory.objects.get().detail == "first"
        assert CountHistory.objects.get().value == Decimal("2.5")

    def test_a_table_that_names_what_is_not_there_stores_nothing(self, tmp_path):
        path = table(tmp_path, "2026-03-02T08:00:00Z,state,M,RUN,", "2026-03-02T08:00:01Z,state,N,STOP,")
        with pytest.raises(CommandError, match=r"machine N\n\s*state reason STOP"):
            call_command("replay", path, line=self.line, create=True)
        assert not StateHistory.objects.exists()

    def test_an_unknown_line_is_refused(self, tmp_path):
        with pytest.raises(CommandError, match="There is no line 'NONE'"):
            call_command("replay", table(tmp_path), line="NONE")


# --- Work logs --------------------------------------------------------------------------------------------------------

WORK_COLUMNS = "Resource,Start Timestamp,Complete Timestamp,Report Type,Qty  Completed,Qty Rejected"


def read_work(tmp_path, *rows, columns=WORK_COLUMNS):
    path = tmp_path / "work.csv"
    lines = [columns]
    for machine, start, end, *rest in rows:
        lines.append(f"{machine},2026/03/02 {start}:00.000,2026/03/02 {end}:00.000,{','.join(map(str, rest))}")
    path.write_text("\n".join(lines) + "\n")
    return read_log(path, mapping="job-shop-work-log", machine="", time_zone="")


def test_of_overlapping_rows_a_breakdown_counts_before_production_and_that_before_set_up(tmp_path):
    log = read_work(
        tmp_path,
        ("Lathe", "08:00", "09:00", "S", 0, 0),
        ("Lathe", "08:30", "10:00", "D", 0, 0),
        ("Lathe", "08:40", "08:50", "B", 0, 0),
        ("Lathe", "09:50", "10:10", "S", 0, 0),
    )
    minutes = [(seconds / 60, reason) for seconds, reason, _ in states_of(log)]
    assert minutes == [
        (0, "SET-UP"),
        (30, "PRODUCTION"),
        (40, "BREAKDOWN"),
        (50, "PRODUCTION"),
        (120, "SET-UP"),
        (130, "NOT-RECORDED"),
    ]


def test_time_that_several_rows_of_a_pool_share_counts_once(tmp_path):
    rows = [
        ("Pool", "08:00", "09:00", "D", 1, 0),
        ("Pool", "08:00", "08:30", "D", 2, 0),
        ("Pool", "09:00", "09:10", "D", 0, 0),
    ]
    log = read_work(tmp_path, *rows)
    assert states_of(log) == [(0, "PRODUCTION", ""), (70 * 60, "NOT-RECORDED", "")]


def test_row_stored_twice_counts_once_and_one_without_length_only_its_pieces(tmp_path):
    log = read_work(
        tmp_path,
        ("Saw 1", "08:00", "09:00", "D", 5, 1),
        ("Saw 1", "08:00", "09:00", "D", 5, 1),
        ("Saw 1", "08:00", "09:00", "D", 7, 0),
        ("Saw 1", "09:30", "09:30", "D", 3, 0),
    )
    counts = {
        (fact.tag, (fact.at - EIGHT).total_seconds()): fact.value for fact in log.facts if isinstance(fact, CountFact)
    }
    assert counts == {("SAW-1/completed", 3599): 12, ("SAW-1/rejected", 3599): 1, ("SAW-1/completed", 5400): 3}
    assert [seconds for seconds, *_ in states_of(log)] == [0, 3600]
    assert [(machine.code, machine.name) for machine in log.machines] == [("SAW-1", "Saw 1")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("Lathe", "08:00", "09:00", "X", 0, 0), "Line 2: the mapping does not know the kind of work 'X'"),
        (("Lathe", "09:00", "08:00", "D", 0, 0), "Line 2 names no machine, or ends before it starts"),
        ((" ", "08:00", "09:00", "D", 0, 0), "Line 2 names no machine"),
        (("Lathe", "08:00", "09:00", "D", "many", 0), "Line 2 does not fit the mapping"),
        (("Lathe", "8 am", "09:00", "D", 0, 0), "Line 2 does not fit the mapping"),
    ],
)
def test_work_log_that_contradicts_its_mapping_is_refused_by_line(tmp_path, row, message):
    with pytest.raises(UnreadableLog, match=message):
        read_work(tmp_path, row)


def test_work_log_with_machines_that_have_one_code_is_refused(tmp_path):
    with pytest.raises(UnreadableLog, match="differ only in signs"):
        read_work(tmp_path, ("Saw 1", "08:00", "09:00", "D", 0, 0), ("Saw-1", "08:00", "09:00", "D", 0, 0))


def test_work_log_without_rows_is_refused(tmp_path):
    with pytest.raises(UnreadableLog, match="has no rows"):
        read_work(tmp_path)
