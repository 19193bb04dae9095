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
    assert when.next_news({line}) <= clock.now
    assert when.news({line}) == {line}
    when.told({line})
    assert when.news({line}) == set()
    assert when.next_news({line}) == clock.now + GATHER_SECONDS
    clock.now += GATHER_SECONDS
    assert when.news({line}) == {line}


def test_lines_without_news_are_told_one_at_a_time_and_each_within_its_beat(clock):
    when, told_at = Due(), {}
    assert when.beat(LINES) is None
    began = clock.now
    while len(told_at) < len(LINES):
        clock.now = max(clock.now, when.next_beat(LINES))
        one = when.beat(LINES)
        assert one is not None
        assert one not in told_at
        told_at[one] = clock.now - began
        when.told({one})
    assert max(told_at.values()) <= BEAT_SECONDS
    # They are spread: what was looked at together is not told together.
    assert len(set(told_at.values())) == len(LINES)


def test_what_was_news_a_moment_ago_has_its_beat_later(clock):
    when, line = Due(), ("line", 1)
    when.beat(LINES)
    clock.now += 2 * BEAT_SECONDS
    when.told({line})
    assert when.beat({line}) is None
    assert when.beat(LINES) not in (None, line)


def test_where_nothing_is_shown_nothing_is_due_for_a_beat(clock):
    when = Due()
    assert when.next_news(set()) is None
    assert when.beat(set()) is None
    assert when.next_beat(set()) == clock.now + BEAT_SECONDS
