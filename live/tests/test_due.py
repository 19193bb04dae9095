"""When a line is told again: news at once, a beat for each in its own time."""

import pytest

from live import due
from live.due import BEAT_SECONDS, GATHER_SECONDS, Due

LINES = {("line", number) for number in range(20)}


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

        def __call__(self):
            return self.now

    made = Clock()
    monkeypatch.setattr(due.time, "monotonic", made)
    return made


def test_news_are_told_at_once_and_news_of_a_moment_later_together(clock):
    when, line = Due(), ("line", 1)
    assert when.next({line}, {line}) <= clock.now
    assert when.now({line}, {line}) == {line}
    when.told({line})
    assert when.now({line}, {line}) == set()
    assert when.next({line}, {line}) == clock.now + GATHER_SECONDS
    clock.now += GATHER_SECONDS
    assert when.now({line}, {line}) == {line}


def test_lines_without_news_are_told_one_at_a_time_and_each_within_its_beat(clock):
    when, told_at = Due(), {}
    assert when.now(LINES, set()) == set()
    began = clock.now
    while len(told_at) < len(LINES):
        clock.now = max(clock.now, when.next(LINES, set()))
        ready = when.now(LINES, set())
        assert len(ready) == 1
        assert not ready & told_at.keys()
        told_at |= dict.fromkeys(ready, clock.now - began)
        when.told(ready)
    assert max(told_at.values()) <= BEAT_SECONDS
    # They are spread: what was looked at together is not told together.
    assert len(set(told_at.values())) == len(LINES)


def test_news_do_not_wait_for_lines_whose_time_is_over(clock):
    when, line = Due(), ("line", 1)
    when.now(LINES, set())
    clock.now += 2 * BEAT_SECONDS
    ready = when.now(LINES, {line})
    assert line in ready
    assert len(ready) == 2


def test_what_nobody_watches_is_never_due(clock):
    when = Due()
    assert when.now(set(), {("line", 1)}) == set()
    assert when.next(set(), {("line", 1)}) == clock.now + BEAT_SECONDS
