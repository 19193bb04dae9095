"""How every connection is, for a person who looks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from connectors.doors import door_of
from connectors.models import Connector, ConnectorHealth

# A process that runs says so each second.
SILENT_AFTER = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Connection:
    """A connector and how it is: `level` is good, wait, bad or off, `words` say it."""

    connector: Connector
    level: str
    words: str
    since: datetime | None
    health: ConnectorHealth | None
    unmapped: int


def connections(connectors: QuerySet[Connector], *, now: datetime) -> list[Connection]:
    """Return how connectors are, those that need somebody first."""
    rows = connectors.select_related("site", "health").annotate(unmapped=Count("unmapped_signals"))
    found = [_connection(connector, connector.unmapped, now) for connector in rows.order_by("code")]
    order = {"bad": 0, "wait": 1, "good": 2, "off": 3}
    return sorted(found, key=lambda connection: order[connection.level])


def _connection(connector: Connector, unmapped: int, now: datetime) -> Connection:
    health = getattr(connector, "health", None)
    level, words, since = _judge(connector, health, now)
    return Connection(connector, level, words, since, health, unmapped)


def _judge(connector: Connector, health: ConnectorHealth | None, now: datetime) -> tuple[str, str, datetime | None]:
    if not connector.is_active:
        return "off", "Switched off", None
    if door_of(connector.protocol).run is None:
        return "good", "Answered by the web server", None
    if health is None:
        return "bad", "Never ran: is `manage.py connect` running?", None
    if health.state == ConnectorHealth.State.STOPPED:
        return "bad", "Stopped: is `manage.py connect` running?", health.since
    if now - health.reported_at > SILENT_AFTER:
        return "bad", "Its process does not report any more", health.reported_at
    level = {"starting": "wait", "connected": "good", "paused": "bad"}[health.state]
    return level, health.get_state_display(), health.since
