"""Root causes of drawn lines: each row is a machine, each letter a minute of what it stood for, a dot a minute it ran.

S starved, B blocked, O waits for an order, J jam, K another fault, ? nobody knows.
"""

from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest

from oee.engine.root_cause import Found, RootCauses, Standing, Waits

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
REASONS = {letter: number for number, letter in enumerate("SBOJK?", start=1)}
WAITS = {REASONS["S"]: Waits.UPSTREAM, REASONS["B"]: Waits.DOWNSTREAM, REASONS["O"]: Waits.ORDER}


def minute(n):
    return START + timedelta(minutes=n)


def standings(drawn):
    for machine_id, row in enumerate(drawn, start=1):
        at = 0
        for letter, run in groupby(row.replace(" ", "")):
            length = len(list(run))
            if letter != ".":
                yield Standing(machine_id, minute(at), minute(at + length), REASONS[letter])
            at += length


def root_of(drawn, machine_id, at, buffer_minutes=3):
    stood = list(standings(drawn))
    causes = RootCauses(
        range(1, len(drawn) + 1),
        stood,
        waits_for=WAITS,
        unexplaining=frozenset({REASONS["?"]}),
        buffer_time=timedelta(minutes=buffer_minutes),
    )
    (stop,) = (s for s in stood if s.machine_id == machine_id and s.start == minute(at))
    cause = causes.of(stop)
    letters = {number: letter for letter, number in REASONS.items()}
    return cause.found, "".join(f"{link.machine_id}{letters[link.reason_id]}" for link in cause.chain)


@pytest.mark.parametrize(
    ("drawn", "stop", "found", "chain"),
    [
        # Its own fault, whatever others do.
        ([".....JJJJ..", "....KKKKK..", "..........."], (2, 4), Found.OWN, "2K"),
        # Starved, starved, jammed.
        (["..JJJJJ....", "...SSSSS...", "....SSSSS.."], (3, 4), Found.FOLLOWED, "3S2S1J"),
        # Blocked by what comes after.
        (["...BBBB....", "..JJJJ.....", "..........."], (1, 3), Found.FOLLOWED, "1B2J"),
        # The cause was over when the buffer had run dry: felt up to three minutes later.
        (["..JJ.......", ".....SSSS.."], (2, 5), Found.FOLLOWED, "2S1J"),
        (["..JJ.......", ".......SSS."], (2, 7), Found.LOST, "2S"),
        # The machine between ran, or said nothing: the one before it stood.
        (["..JJJJJ....", "...........", "....SSSS..."], (3, 4), Found.FOLLOWED, "3S1J"),
        # Upstream waits for an order: that is where it ends.
        (["..OOOOO....", "....SSSS..."], (2, 4), Found.FOLLOWED, "2S1O"),
        # Nobody stood; two wait for each other.
        (["...........", "....SSSS..."], (2, 4), Found.LOST, "2S"),
        (["...BBBBB...", "....SSSS..."], (2, 4), Found.LOST, "2S1B"),
        # A later fault is no cause of an earlier stop.
        (["......JJJ..", "....SSSS..."], (2, 4), Found.LOST, "2S"),
        # It stood for a fault first and was cleaned afterwards: the fault began it.
        (["..JJKKKK...", ".....SSSS.."], (2, 5), Found.FOLLOWED, "2S1J"),
        # It was starved first and broke down then: its own fault is what held the next one up.
        (["J..........", ".SSKKKK....", "....SSSS..."], (3, 4), Found.FOLLOWED, "3S2K"),
        # Without such reasons: the first that had just stopped; waiting is an effect, not a cause.
        ([".....JJJ...", "....KKKKK..", "......???.."], (3, 6), Found.FIRST_FAULT, "3?2K"),
        (["....SSSSS..", ".....JJJJ..", "......???.."], (3, 6), Found.FIRST_FAULT, "3?2J"),
        # One that had stood long before did not stop the line; one that is over neither.
        (["JJJJJJJJJJ.", "......???.."], (2, 6), Found.UNKNOWN, "2?"),
        (["....JJ.....", "......???.."], (2, 6), Found.UNKNOWN, "2?"),
    ],
)
def test_root_cause_is_the_one_that_began_it(drawn, stop, found, chain):
    assert root_of(drawn, *stop) == (found, chain)


def test_cause_may_be_dated_a_little_after_its_effect():
    effect = Standing(2, minute(4), minute(8), REASONS["S"])
    for late, found in ((10, Found.FOLLOWED), (11, Found.LOST)):
        cause = Standing(1, minute(4) + timedelta(seconds=late), minute(8), REASONS["J"])
        causes = RootCauses(
            [1, 2], [effect, cause], waits_for=WAITS, unexplaining=frozenset(), buffer_time=timedelta(minutes=3)
        )
        assert causes.of(effect).found is found
