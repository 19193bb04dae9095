"""Where the dispatching rule puts jobs."""

import itertools
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.intervals import Interval, intersect, microseconds
from scheduling.dispatching import Busy, Job, LineTime, Shift, dispatch, with_less_setup

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WINDOW = Interval(MONDAY, MONDAY + timedelta(days=14))


def span(start, end):
    return Interval(MONDAY + start * HOUR, MONDAY + end * HOUR)


def shifts(days=14, first=6, last=14, pause=(10, 10.5)):
    return tuple(
        Shift.of(span(24 * day + first, 24 * day + last), (span(24 * day + pause[0], 24 * day + pause[1]),))
        for day in range(days)
    )


def line(pk=1, **more):
    return LineTime(pk, f"L{pk}", **{"shifts": shifts(), **more})


def job(key, hours, product=1, *, lines=(1,), **more):
    return Job(key, key, product, {pk: microseconds(hours * HOUR) for pk in lines}, **more)


def no_setup(line_id, before, after):
    return 0


def matrix(minutes):
    return lambda line_id, before, after: microseconds(minutes.get((before, after), 0) * MINUTE)


def hours(bar):
    return [((part.start - MONDAY) / HOUR, (part.end - MONDAY) / HOUR) for part, _ in bar.parts]


def test_job_is_cut_where_the_shift_ends_and_passes_over_breaks():
    plan = dispatch([job("A", 10)], {1: line()}, WINDOW, no_setup)
    assert hours(plan.bars[0]) == [(6, 14), (30, 32.5)]
    assert [done for _, done in plan.bars[0].parts] == [microseconds(7.5 * HOUR), microseconds(2.5 * HOUR)]


def test_each_bar_says_what_binds_it():
    busy = (Busy(span(6, 8), "WO-12", 1), Busy(span(9, 30), "maintenance", None, False))
    jobs = [job("A", 1, due=MONDAY), job("B", 1)]
    plan = dispatch(jobs, {1: line(busy=busy)}, WINDOW, no_setup, say=lambda at: f"{at:%a %H:%M}")
    assert [(bar.job.key, bar.why) for bar in plan.bars] == [
        ("A", "starts then because L1 is busy with WO-12 until Mon 08:00"),
        ("B", "starts then because L1 is busy with maintenance until Tue 06:00"),
    ]
    early = dispatch([job("A", 1)], {1: line()}, WINDOW, no_setup, say=lambda at: f"{at:%a %H:%M}")
    assert early.bars[0].why == "starts then because there is no shift on L1 until Mon 06:00"


def test_due_date_then_priority_then_number_decide():
    jobs = [job("C", 1), job("B", 1, priority=1), job("A", 1, priority=2), job("D", 1, due=MONDAY + HOUR)]
    assert [bar.job.key for bar in dispatch(jobs, {1: line()}, WINDOW, no_setup).bars] == ["D", "B", "A", "C"]


def test_setup_depends_on_what_was_made_before_and_is_kept_for_what_follows():
    setup = matrix({(2, 1): 60, (1, 3): 30})
    found = dispatch([job("A", 1, 1)], {1: line(product_id=2)}, WINDOW, setup).bars[0]
    assert (found.setup, hours(found)) == (microseconds(HOUR), [(6, 8)])
    # A job of product 1 before an entry of product 3 would take half an hour from it: the gap is too short.
    busy = (Busy(span(7, 8), "WO-3", 3),)
    found = dispatch([job("A", 1, 1)], {1: line(busy=busy)}, WINDOW, setup).bars[0]
    assert hours(found) == [(8, 9)]


def test_backward_ends_when_due_and_says_so():
    due = MONDAY + 37 * HOUR
    jobs = [job("A", 2, due=due), job("B", 2, due=due)]
    plan = dispatch(jobs, {1: line()}, WINDOW, no_setup, backward=True, say=lambda at: f"{at:%a %H:%M}")
    assert [(bar.job.key, hours(bar)) for bar in plan.bars] == [("A", [(32.5, 35)]), ("B", [(35, 37)])]
    assert plan.bars[1].why == "ends then because it is due at Tue 13:00"
    assert plan.bars[0].why == "ends then because L1 is busy with B from Tue 11:00"


def test_backward_job_that_is_late_goes_forward_and_says_so():
    plan = dispatch([job("A", 20, due=MONDAY + 8 * HOUR)], {1: line()}, WINDOW, no_setup, backward=True)
    assert plan.bars[0].start == MONDAY + 6 * HOUR
    assert plan.bars[0].why.startswith("does not fit before it is due")


def test_operation_waits_for_the_one_before_it_on_another_line():
    jobs = [job("A/1", 2, lines=(1,)), job("A/2", 1, lines=(2,), after="A/1", step=1)]
    for backward in (False, True):
        first, second = dispatch(jobs, {1: line(1), 2: line(2)}, WINDOW, no_setup, backward=backward).bars
        assert first.job.key == "A/1"
        assert first.end <= second.start


def test_job_without_room_is_refused_with_a_reason():
    plan = dispatch([job("A", 1000)], {1: line()}, WINDOW, no_setup)
    assert [(one.key, why) for one, why in plan.refused] == [
        ("A", "no line that can make it has enough free time in the plan")
    ]


def benchmark(seed, count=12, products=4):
    """Return orders of a few products that are due in an order which changes the product each time."""
    random = Random(seed)
    jobs = [
        job(f"WO-{n:02d}", random.randint(1, 3), n % products, due=MONDAY + timedelta(days=9) + n * HOUR)
        for n in range(count)
    ]
    minutes = {(a, b): random.choice([20, 40, 60, 90]) for a in range(products) for b in range(products) if a != b}
    return jobs, matrix(minutes)


@pytest.mark.parametrize("seed", range(3))
def test_search_for_less_setup_beats_due_date_order(seed):
    jobs, setup = benchmark(seed)
    lines = {1: line(product_id=0)}
    by_due, better = dispatch(jobs, lines, WINDOW, setup), with_less_setup(jobs, lines, WINDOW, setup)
    assert better.setup * 2 < by_due.setup
    assert better.tardiness <= by_due.tardiness
    assert len(better.bars) == len(jobs)
    shuffled = Random(seed).sample(jobs, len(jobs))
    assert with_less_setup(shuffled, lines, WINDOW, setup) == better


some_jobs = st.lists(
    st.tuples(
        st.integers(1, 30), st.integers(0, 2), st.sampled_from([(1,), (2,), (1, 2)]), st.none() | st.integers(1, 200)
    ),
    max_size=8,
).map(
    lambda rows: [
        Job(
            f"J{n}",
            f"J{n}",
            product,
            dict.fromkeys(lines, microseconds(quarters * HOUR / 4)),
            due=None if due is None else MONDAY + due * HOUR,
        )
        for n, (quarters, product, lines, due) in enumerate(rows)
    ]
)
some_busy = st.lists(st.tuples(st.integers(0, 150), st.integers(1, 20), st.integers(0, 2)), max_size=4)


@settings(max_examples=120, deadline=None)
@given(some_jobs, some_busy, st.booleans(), st.randoms(use_true_random=False))
def test_plan_never_overlaps_never_leaves_working_time_and_does_not_depend_on_the_order(jobs, busy, backward, random):
    planned, at = [], 0
    for gap, length, product in busy:
        planned.append(Busy(span(at + gap, at + gap + length), "WO", product))
        at += gap + length
    lines = {1: line(1, busy=tuple(planned)), 2: line(2, product_id=1)}
    setup = matrix({(0, 1): 15, (1, 2): 45, (2, 0): 30, (1, 0): 60})
    plan = dispatch(jobs, lines, WINDOW, setup, backward=backward)
    shuffled = list(jobs)
    random.shuffle(shuffled)
    assert dispatch(shuffled, lines, WINDOW, setup, backward=backward) == plan
    assert len(plan.bars) + len(plan.refused) == len(jobs)
    for line_id, at_line in lines.items():
        taken = [part for bar in plan.bars if bar.line_id == line_id for part, _ in bar.parts]
        taken += [one.span for one in at_line.busy]
        taken.sort()
        assert all(one.end <= other.start for one, other in itertools.pairwise(taken))
    for bar in plan.bars:
        at_line = lines[bar.line_id]
        assert sum(done for _, done in bar.parts) == bar.job.durations[bar.line_id] + bar.setup
        for part, done in bar.parts:
            shift = next(shift for shift in at_line.shifts if intersect(shift.span, part) == part)
            worked = [intersect(piece, part) for piece in shift.pieces]
            assert sum(piece.microseconds for piece in worked if piece) == done
