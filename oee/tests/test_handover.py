"""Handing a shift over: comments on hours, notes, the review of the balance, and what closing asks for first."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from core import master_data
from core.errors import Conflict, Invalid
from counts.services import NewReading, record_readings
from downtime.services import NewState, record_states
from enterprise.models import Shift
from oee.closing import close_shift
from oee.handover import (
    balance_of,
    comment_on_hour,
    comments_on,
    hour_of,
    hours_to_comment,
    leave_note,
    notes_of,
    review_of,
    review_shift,
)
from oee.models import ClosingRule, HourComment, ShiftNote, ShiftReview
from oee.scopes import shift_on
from tests.factories import (
    make_count_tag,
    make_ideal_rate,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_user,
    make_work_order,
)

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)
# The site's clock is an hour ahead of UTC: the shift is 06:30–14:00 there.
START, END = datetime(2026, 3, 2, 5, 30, tzinfo=UTC), datetime(2026, 3, 2, 13, tzinfo=UTC)
AFTER = END + timedelta(hours=1)


@pytest.fixture
def boss():
    return make_user("supervisor", first_name="Ada", last_name="Nowak")


@pytest.fixture
def machine():
    """A filler that ran from 07:00 to 09:00 UTC at an ideal second per piece, and stood without a reason around it."""
    machine = make_machine(name="Filler")
    master_data.save(Shift(site=machine.line.area.site, name="Morning", start_time=time(6, 30), end_time=time(14)))
    product = make_product()
    make_ideal_rate(product=product, machine=machine)
    make_run(line=machine.line, work_order=make_work_order(product=product, line=machine.line), started_at=START)
    stands, runs = make_reason("unplanned", explains=False), make_reason()
    states = [(START, stands), (START + timedelta(minutes=90), runs), (START + timedelta(minutes=210), stands)]
    record_states([NewState(machine.pk, at, reason.pk) for at, reason in states], recorded_at=AFTER)
    tag = make_count_tag(machine=machine, mode="running")
    readings = [(START + timedelta(minutes=30 * n), Decimal(min(n, 7) * 1000)) for n in range(3, 16)]
    record_readings([NewReading(tag.pk, machine.pk, True, at, value) for at, value in readings], recorded_at=AFTER)
    return machine


def the_shift(machine):
    shift = shift_on(machine, Shift.objects.get().pk, DAY)
    assert shift is not None
    return shift


def named():
    return {"shift_id": Shift.objects.get().pk, "shift_date": DAY}


def close(machine, boss, **options):
    return close_shift(place=machine.line, **named(), actor=boss, now=AFTER, **options)


def test_balance_tells_made_target_losses_and_what_nobody_explained(machine):
    balance = balance_of(machine.line, the_shift(machine).interval, now=AFTER)
    assert balance.report.sums.quantities.good == 7000 - 3000
    # 7.5 hours at a second a piece, of which 85 % are asked for.
    assert balance.target == 27000 * Decimal("0.85")
    assert balance.delta == 4000 - 22950
    assert [stop.start for stop in balance.stops] == [START, START + timedelta(minutes=210)]
    assert balance.losses[0].duration == timedelta(minutes=90 + 240)
    assert [hour.window.start for hour in balance.hours][:2] == [START, START + timedelta(minutes=30)]


def test_handover_is_refused_until_exactly_this_balance_was_reviewed(machine, boss):
    line, shift = machine.line, the_shift(machine)
    with pytest.raises(Conflict, match="Review the balance"):
        close(machine, boss, is_handover=True)
    with pytest.raises(Conflict, match="not over"):
        review_shift(line=line, **named(), actor=boss, recorded_at=END - timedelta(seconds=1))
    seen = balance_of(line, shift.interval, now=AFTER).seen
    review = review_shift(line=line, **named(), actor=boss, recorded_at=AFTER, seen=seen)
    assert review_shift(line=line, **named(), actor=boss, recorded_at=AFTER, seen=seen) == review
    record_states([NewState(machine.pk, END - timedelta(hours=1), make_reason("unplanned").pk)], recorded_at=AFTER)
    with pytest.raises(Conflict, match="changed since you looked"):
        review_shift(line=line, **named(), actor=boss, recorded_at=AFTER, seen=seen)
    assert review_of(line, shift, balance_of(line, shift.interval, now=AFTER)) is None
    with pytest.raises(Conflict, match="Review the balance"):
        close(machine, boss, is_handover=True)
    review_shift(line=line, **named(), actor=boss, recorded_at=AFTER)
    assert close(machine, boss, is_handover=True).signed_as == "Ada Nowak"
    assert ShiftReview.objects.count() == 2


def test_site_decides_whether_every_way_of_closing_asks_for_the_review(machine, boss):
    master_data.save(ClosingRule(site=machine.line.area.site, needs_review=True))
    with pytest.raises(Conflict, match="Review the balance"):
        close(machine, boss)
    review_shift(line=machine.line, **named(), actor=boss, recorded_at=AFTER)
    assert close(machine, boss).revision == 1


def test_hours_below_target_want_a_comment_where_the_site_says_so(machine, boss):
    line = machine.line
    master_data.save(ClosingRule(site=line.area.site, needs_hour_comments=True))
    with pytest.raises(Conflict, match="06:30, 07:00, "):
        close(machine, boss)
    balance = balance_of(line, the_shift(machine).interval, now=AFTER)
    missing = hours_to_comment(balance.hours, {}, now=AFTER)
    # Half an hour, and seven whole ones; none of them made 85 % of what was asked.
    assert len(missing) == 8
    for hour in missing:
        comment_on_hour(line=line, starts_at=hour.window.start, text="No caps.", author=boss, recorded_at=AFTER)
    assert hours_to_comment(balance.hours, comments_on(line, [h.window.start for h in missing]), now=AFTER) == []
    assert close(machine, boss).revision == 1


def test_comment_is_kept_by_its_hour_and_the_newest_holds(machine, boss):
    line = machine.line
    first = comment_on_hour(
        line=line, starts_at=START + timedelta(minutes=10), text=" Start late ", author=boss, recorded_at=AFTER
    )
    assert (first.starts_at, first.text) == (START, "Start late")
    again = comment_on_hour(line=line, starts_at=START, text="Start late", author=boss, recorded_at=AFTER)
    assert again == first
    comment_on_hour(line=line, starts_at=START, text="No crew", author=boss, recorded_at=AFTER)
    assert [comment.text for comment in comments_on(line, [START])[START]] == ["No crew", "Start late"]
    assert hour_of(line, START + timedelta(minutes=45)) == START + timedelta(minutes=30)
    with pytest.raises(Invalid, match="Say what"):
        comment_on_hour(line=line, starts_at=START, text=" ", author=boss, recorded_at=AFTER)
    with pytest.raises(Invalid, match="not begun"):
        comment_on_hour(line=line, starts_at=END + timedelta(hours=2), text="x", author=boss, recorded_at=AFTER)


def test_notes_stay_with_their_shift(machine, boss):
    line = machine.line
    note = leave_note(line=line, **named(), text="Roll 3 is worn.", author=boss, recorded_at=AFTER)
    assert leave_note(line=line, **named(), text="Roll 3 is worn.", author=boss, recorded_at=AFTER) == note
    leave_note(line=line, **named(), text="Caps come at 15:00.", author=boss, recorded_at=AFTER)
    assert [one.text for one in notes_of(line, the_shift(machine))] == ["Roll 3 is worn.", "Caps come at 15:00."]
    with pytest.raises(Invalid, match="does not take place"):
        leave_note(line=line, shift_id=10**9, shift_date=DAY, text="x", author=boss, recorded_at=AFTER)
    with pytest.raises(Invalid, match="Write what"):
        leave_note(line=line, **named(), text="", author=boss, recorded_at=AFTER)


def test_what_was_said_is_never_changed(machine, boss):
    comment_on_hour(line=machine.line, starts_at=START, text="x", author=boss, recorded_at=AFTER)
    leave_note(line=machine.line, **named(), text="x", author=boss, recorded_at=AFTER)
    from django.db import Error, transaction

    for model in (HourComment, ShiftNote):
        with pytest.raises(Error, match="Cannot update or delete"), transaction.atomic():
            model.objects.update(text="y")
