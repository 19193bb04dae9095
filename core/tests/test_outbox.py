"""What other systems have to know leaves with the commit, in order, and no reader ever misses a message."""

from datetime import UTC, datetime
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from core import outbox
from core.models import OutboxMessage
from core.outbox import Message, plain

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def message(number, key="order/1"):
    return Message(
        type="order.confirmed", key=key, site_id=None, occurred_at=AT, recorded_at=AT, data={"number": number}
    )


def numbers(after=0):
    rows = OutboxMessage.objects.filter(position__gt=after).order_by("position")
    return [row.data["number"] for row in rows]


@pytest.mark.django_db
def test_exact_values_travel_as_text_and_floats_are_refused():
    given = {"q": Decimal("1E+3"), "r": Decimal("0.100"), "n": Decimal("-0"), "at": AT, "list": (True, None, 7)}
    assert plain(given) == {
        "q": "1000",
        "r": "0.1",
        "n": "0",
        "at": "2026-03-02T08:00:00Z",
        "list": [True, None, 7],
    }
    for wrong in (0.1, Decimal("NaN"), object()):
        with pytest.raises(TypeError):
            plain({"q": wrong})
    with pytest.raises(ValueError, match="zone"):
        plain(AT.replace(tzinfo=None))


@pytest.mark.django_db
def test_message_is_final_once_it_is_written():
    outbox.report(message(1))
    row = OutboxMessage.objects.get()
    with pytest.raises(ProgrammingError), transaction.atomic():
        OutboxMessage.objects.filter(pk=row.pk).update(key="order/2")
    assert outbox.number_new() == 1
    with pytest.raises(ProgrammingError), transaction.atomic():
        OutboxMessage.objects.filter(pk=row.pk).update(position=99)


@pytest.mark.django_db(transaction=True)
def test_message_dies_with_its_transaction_and_the_listener_hears_of_each_commit_once(monkeypatch):
    heard = []
    monkeypatch.setattr(outbox, "_listeners", [lambda: heard.append(1)])
    with transaction.atomic():
        outbox.report(message(1))
        transaction.set_rollback(True)
    with transaction.atomic():
        outbox.report(message(2))
        outbox.report(message(3), message(4))
    assert (outbox.number_new(), numbers(), heard) == (3, [2, 3, 4], [1])


@pytest.mark.django_db(transaction=True)
def test_what_commits_later_gets_a_later_position():
    """The reader who has seen a later-written message finds the earlier-written one after it, not before it."""
    written, seen = Barrier(2, timeout=20), Barrier(2, timeout=20)

    def slow():
        with transaction.atomic():
            outbox.report(message("slow"))
            written.wait()
            seen.wait()
        connection.close()

    thread = Thread(target=slow)
    thread.start()
    written.wait()
    outbox.report(message("quick"))
    assert (outbox.number_new(), numbers()) == (1, ["quick"])
    cursor = outbox.last_position()
    seen.wait()
    thread.join()
    assert (outbox.number_new(), numbers(cursor)) == (1, ["slow"])
    assert outbox.last_given() == outbox.last_position()


@pytest.mark.django_db(transaction=True)
def test_reader_beside_many_writers_sees_each_message_once():
    """Eight writers, a reader who goes on after the last position: nothing is missed, nothing comes twice,
    keys in order.
    """
    writers, each, got = 8, 15, []

    def write(writer):
        for number in range(each):
            with transaction.atomic():
                outbox.report(message(number, key=str(writer)))
        connection.close()

    threads = [Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    cursor = 0
    while any(thread.is_alive() for thread in threads) or outbox.number_new():
        outbox.number_new()
        for row in OutboxMessage.objects.filter(position__gt=cursor).order_by("position"):
            got.append((row.key, row.data["number"]))
            cursor = row.position
    assert len(got) == len(set(got)) == writers * each
    for writer in range(writers):
        assert [number for key, number in got if key == str(writer)] == list(range(each))
