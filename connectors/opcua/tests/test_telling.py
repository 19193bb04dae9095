"""What changes become, without a network and without a database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from asyncua import ua

from connectors.opcua.client import address_of
from connectors.opcua.inbox import ConnectionLost, Inbox
from connectors.opcua.nodes import SignalError, parse, with_uri
from connectors.opcua.telling import Change, Teller
from connectors.opcua.values import has_overflowed, plain, read
from connectors.translation import CountSignal, StateSignal, Translator

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
NAMESPACES = ["http://opcfoundation.org/UA/", "urn:server", "http://acme.com/line"]


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def change(signal, value, seconds, sent=None, **parts):
    return Change(signal, value, at(seconds), at(seconds if sent is None else sent), **parts)


def make_teller():
    states = [StateSignal("state", "M", 1, None), StateSignal("mode", "M", 2, None)]
    return Teller(Translator([*states, CountSignal("good", "M/good", True, "M")], no_data="no-data"))


def told(items):
    return [
        (item.get("state", item.get("value")), (datetime.fromisoformat(item["at"]) - NOW).total_seconds())
        for item in items
    ]


def test_first_values_are_one_state_since_the_last_of_its_parts_and_hold_now():
    teller = make_teller()
    assert told(teller.begin([change("state", 1, -60), change("mode", 2, -90)], {}, NOW)) == [("1+2", -60), ("1+2", 0)]


def test_what_is_missing_at_first_is_unknown_from_now_on_only():
    teller = make_teller()
    items = teller.begin([change("state", 1, -60)], {"mode": "no such node"}, NOW)
    assert told(items) == [("no-data", 0)]


def test_parts_of_one_moment_are_one_state():
    teller = make_teller()
    teller.begin([change("state", 1, -60), change("mode", 2, -60)], {}, NOW)
    assert told(teller.tell([change("state", 3, 5), change("mode", 4, 5)])) == [("3+4", 5)]


def test_changes_are_told_in_the_order_of_their_time():
    teller = make_teller()
    teller.begin([change("state", 1, -60), change("mode", 2, -60)], {}, NOW)
    items = teller.tell([change("state", 3, 6), change("mode", 4, 5), change("good", 7, 5)])
    assert told(items) == [(7, 5), ("1+4", 5), ("3+4", 6)]


def test_coarse_clock_loses_no_reading():
    teller = make_teller()
    items = teller.tell([change("good", number, 5) for number in range(3)])
    assert told(items) == [(0, 5), (1, 5.000001), (2, 5.000002)]


def test_part_that_comes_late_does_not_change_the_past():
    teller = make_teller()
    teller.begin([change("state", 1, -60), change("mode", 2, -60)], {}, NOW)
    assert told(teller.tell([change("state", 3, 5)])) == [("3+2", 5)]
    assert told(teller.tell([change("mode", 4, 4, sent=6)])) == [("3+4", 5.000001)]


def test_source_whose_clock_is_behind_is_told_when_it_was_sent():
    teller = make_teller()
    teller.begin([change("state", 1, -3600), change("mode", 2, -3600)], {}, NOW)
    assert told(teller.tell([change("state", 3, -600, sent=10)])) == [("3+2", 10)]


def test_overflow_is_a_gap_from_the_value_before():
    teller = make_teller()
    assert teller.gaps([change("good", 1, 1, is_overflow=True)]) == []
    teller.tell([change("good", 1, 1)])
    (gap,) = teller.gaps([change("good", 9, 3, is_overflow=True), change("good", 10, 4)])
    assert (gap.machines, gap.start, gap.end) == (["M"], at(1), at(3))


def test_lost_machine_is_unknown_from_what_was_told_last():
    teller = make_teller()
    teller.begin([change("state", 1, -60), change("mode", 2, -60)], {}, NOW)
    assert told(teller.lose(at(-5), cause="gone")) == [("no-data", 0.000001)]


@pytest.mark.parametrize(
    ("variant", "value"),
    [
        (ua.Variant(2**64 - 1, ua.VariantType.UInt64), 2**64 - 1),
        (ua.Variant(0.1, ua.VariantType.Double), Decimal("0.1")),
        (ua.Variant(0.10000000149011612, ua.VariantType.Float), Decimal("0.1")),
        (ua.Variant(float("nan"), ua.VariantType.Double), None),
        (ua.Variant(True, ua.VariantType.Boolean), True),
        (ua.Variant(ua.ServerState.Test, ua.VariantType.Int32), 5),
        (ua.Variant(ua.LocalizedText("Executing", "en"), ua.VariantType.LocalizedText), "Executing"),
        (ua.Variant(ua.QualifiedName("Name", 2), ua.VariantType.QualifiedName), "Name"),
        (ua.Variant(ua.NodeId(5006, 2), ua.VariantType.NodeId), "nsu=http://acme.com/line;i=5006"),
        (ua.Variant(None, ua.VariantType.Null), None),
    ],
)
def test_variant_becomes_a_plain_value(variant, value):
    assert plain(variant, NAMESPACES) == value
    assert type(plain(variant, NAMESPACES)) is type(value)


@pytest.mark.parametrize("value", [[1, 2], b"bytes"])
def test_what_is_no_single_value_is_refused(value):
    with pytest.raises(ValueError, match="its value is"):
        plain(ua.Variant(value), NAMESPACES)


def test_time_falls_back_where_it_cannot_be():
    source, server = at(-2), at(-1)
    year_1601, far = datetime(1601, 1, 1), at(3600)  # noqa: DTZ001 - some servers' library gives naive times
    value = ua.Variant(1, ua.VariantType.Int32)

    def moment(source, server):
        return read(ua.DataValue(value, SourceTimestamp=source, ServerTimestamp=server), NAMESPACES, now=NOW)

    assert moment(source, server).at == source
    assert moment(None, server).at == moment(year_1601, server).at == moment(far, server).at == server
    assert moment(None, None).at == moment(far, far).at == NOW
    assert "the source's clock is ahead" in moment(far, server).trouble
    assert moment(source, server).trouble == ""


def test_overflow_bit_counts_only_for_data_values():
    assert has_overflowed(ua.StatusCode(0x0480))
    assert has_overflowed(ua.StatusCode(ua.StatusCodes.UncertainLastUsableValue | 0x0480))
    assert not has_overflowed(ua.StatusCode(0x0400))
    assert not has_overflowed(ua.StatusCode(0x0080))


def test_status_has_its_name_without_the_bits_that_say_more():
    status = ua.StatusCode(ua.StatusCodes.BadSensorFailure | 0x0480)
    reading = read(ua.DataValue(ua.Variant(1), StatusCode=status), NAMESPACES, now=NOW)
    assert (reading.value, reading.quality, reading.is_overflow) == (None, "BadSensorFailure", True)
    unknown = ua.DataValue(ua.Variant(1), StatusCode=ua.StatusCode(0x8FFF0000))
    assert read(unknown, NAMESPACES, now=NOW).quality == "Bad 0x8FFF0000"


def test_signals_name_nodes():
    uri = "nsu=http://acme.com/line;"
    assert parse("ns=2;s=a;b=c", NAMESPACES) == parse(f"{uri}s=a;b=c", NAMESPACES) == ua.NodeId("a;b=c", 2)
    assert parse("i=2258", NAMESPACES) == ua.NodeId(2258, 0)
    path = (ua.QualifiedName("Objects", 0), ua.QualifiedName("Line/1", 2))
    assert parse("/Objects/2:Line&/1", NAMESPACES) == parse(f"/Objects/{uri}Line&/1", NAMESPACES) == path
    assert with_uri(ua.NodeId("a", 9), NAMESPACES) == "ns=9;s=a"


@pytest.mark.parametrize(
    "signal",
    ["", "Good", "ns=x;s=a", "ns=70000;i=1", "nsu=http://other;i=1", "ns=2;i=x", "ns=2;g=1", "/", "//a", "/2:"],
)
def test_signal_that_names_no_node_is_an_error(signal):
    with pytest.raises(SignalError):
        parse(signal, NAMESPACES)


def test_address_is_checked_and_gets_its_port():
    assert address_of(" opc.tcp://plc ") == "opc.tcp://plc:4840"
    assert address_of("opc.tcp://mes:secret@plc:1/path") == "opc.tcp://plc:1/path"
    for wrong in ("plc:4840", "http://plc:4840", "opc.tcp://plc:x", "opc.tcp://"):
        with pytest.raises(ValueError, match="is not like"):
            address_of(wrong)


def message(sequence, *parts, published=NOW):
    notification = ua.NotificationMessage(SequenceNumber=sequence, PublishTime=published, NotificationData=list(parts))
    return ua.PublishResult(NotificationMessage=notification)


def data_change(value):
    item = ua.MonitoredItemNotification(1, ua.DataValue(ua.Variant(value, ua.VariantType.Int32)))
    return ua.DataChangeNotification(MonitoredItems=[item])


async def test_missing_message_is_a_span_that_is_lost():
    inbox = Inbox()
    inbox.expect(["good"], NAMESPACES, silence=1)
    await inbox.hear(message(1, data_change(1), published=at(0)))
    await inbox.hear(message(2, published=at(1)))
    await inbox.hear(message(2, data_change(2), published=at(2)))
    assert inbox.take_lost() == []
    await inbox.hear(message(4, data_change(3), published=at(3)))
    assert inbox.take_lost() == [(at(2), at(3))]
    assert [one.value for one in inbox.rest()] == [1, 2, 3]


async def test_subscription_that_ends_ends_the_connection_after_what_waits():
    inbox = Inbox()
    inbox.expect(["good"], NAMESPACES, silence=1)
    await inbox.hear(message(1, data_change(1)))
    await inbox.hear(message(2, ua.StatusChangeNotification(Status=ua.StatusCode(ua.StatusCodes.BadTimeout))))
    assert len(await inbox.changes(patience=1)) == 1
    with pytest.raises(ConnectionLost, match="BadTimeout"):
        await inbox.changes(patience=1)


async def test_message_that_cannot_be_read_ends_the_connection():
    inbox = Inbox()
    await inbox.hear(SimpleNamespace(NotificationMessage=None))
    with pytest.raises(ConnectionLost, match="cannot be read"):
        await inbox.changes(patience=1)
