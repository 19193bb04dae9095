"""Tell other systems what happened: a message is written in the transaction of the change,
and numbered after its commit.

Whoever writes a fact that other systems have to know calls `report` beside it; who fetches or delivers messages works
by `position` (decision 104). What is delivered to whom is a higher floor's business.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from core import hooks
from core.exact import plain_number
from core.locks import take_turns
from core.outbox_models import OutboxMessage

_listeners: list[Callable[[], None]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is reported. `site_id=None`: it concerns every site. Quantities in `data` are Decimal, moments are aware."""

    type: str
    key: str
    site_id: int | None
    occurred_at: datetime
    recorded_at: datetime
    data: Mapping[str, Any]


def report(*messages: Message) -> None:
    """Write messages; they leave with the commit of the current transaction, and die with its rollback."""
    if not messages:
        return
    OutboxMessage.objects.bulk_create(
        OutboxMessage(
            type=one.type,
            key=one.key[:200],
            site_id=one.site_id,
            occurred_at=one.occurred_at,
            recorded_at=one.recorded_at,
            data=plain(one.data),
        )
        for one in messages
    )
    hooks.tell(*messages)
    # Once for a transaction, however much it reports; what a savepoint took back is gone from the list again.
    if not any(waiting[1] is _tell for waiting in connection.run_on_commit):
        transaction.on_commit(_tell, robust=True)


def plain(value: Any) -> Any:
    """Return a value as JSON holds it without loss: decimals and moments as text. Raises TypeError for a float."""
    if isinstance(value, str):
        return str(value)  # An enumeration's value, too.
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    raise TypeError(f"{type(value).__name__} is no exact value; write text, a number of pieces, or a Decimal.")


def _decimal_text(value: Decimal) -> str:
    if not value.is_finite():
        raise TypeError("A quantity is finite.")
    text = plain_number(value)
    return "0" if text == "-0" else text


def moment(at: datetime) -> str:
    """Return an aware moment as text in UTC. Raises ValueError for one without a zone."""
    offset = at.utcoffset()
    if offset is None:
        raise ValueError("A moment has a zone.")
    return (at - offset).replace(tzinfo=None).isoformat() + "Z"


def listen(listener: Callable[[], None]) -> Callable[[], None]:
    """Declare who is told, after a commit, that there are new messages."""
    if listener not in _listeners:
        _listeners.append(listener)
    return listener


def _tell() -> None:
    for listener in _listeners:
        listener()


@transaction.atomic
def number_new() -> int:
    """Give a position to all messages that are committed and have none, in the order of their writing; return how many.

    Whoever numbers holds the turn until its numbers are committed. So all numbers below one that can be seen can be
    seen.
    """
    if not OutboxMessage.objects.filter(position__isnull=True).exists():
        return 0
    take_turns("outbox numbers")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH waiting AS MATERIALIZED (SELECT id FROM core_outboxmessage WHERE position IS NULL ORDER BY id),
            given AS MATERIALIZED (SELECT id, nextval('core_outbox_position') AS position FROM waiting)
            UPDATE core_outboxmessage AS message SET position = given.position FROM given WHERE message.id = given.id
            """
        )
        return int(cursor.rowcount)


def last_position() -> int:
    """Return the highest position that was given to a message which is still kept; 0 when there is none."""
    return OutboxMessage.objects.aggregate(last=Max("position"))["last"] or 0


def last_given() -> int:
    """Return the highest position that was ever given, also to what is forgotten since; 0 when there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM core_outbox_position")
        return int(cursor.fetchone()[0])
