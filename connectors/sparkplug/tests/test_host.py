"""What a Sparkplug host application must do, message by message, by the requirements of the 3.0 specification."""

import zlib
from datetime import UTC, datetime, timedelta

import pytest
from pysparkplug import DataType
from pysparkplug._protobuf import Payload

from connectors.sparkplug.host import Host, Incoming, Lost, Rebirth, Stale, Values
from connectors.sparkplug.payloads import Unreadable, read, rebirth_request, value_of

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def ms(seconds):
    return int((NOW + timedelta(seconds=seconds)).timestamp() * 1000)


def payload(seq=None, seconds=0, metrics=()):
    message = Payload()
    message.timestamp = ms(seconds)
    if seq is not None:
        message.seq = seq
    for name, alias, datatype, value, *flags in metrics:
        metric = message.metrics.add()
        if name:
            metric.name = name
        if alias is not None:
            metric.alias = alias
        if datatype:
            metric.datatype = datatype
        if value is None:
            metric.is_null = True
        elif isinstance(value, bool):
            metric.boolean_value = value
        elif isinstance(value, str):
            metric.string_value = value
        elif isinstance(value, float):
            metric.double_value = value
        elif datatype in (DataType.INT64, DataType.UINT64):
            metric.long_value = value
        else:
            metric.int_value = value
        if "historical" in flags:
            metric.is_historical = True
        metric.timestamp = ms(seconds)
    return message.SerializeToString()


class Plant:
    """Feeds a host and keeps what follows."""

    def __init__(self):
        self.host = Host(reorder_timeout=timedelta(seconds=2))

    def send(self, kind, raw, *, device="", seconds=0):
        message = Incoming(kind, "G", "N", device, read(raw), NOW + timedelta(seconds=seconds))
        return list(self.host.take(message))

    def born(self, seq=0, seconds=0, bd_seq=1):
        metrics = [
            ("bdSeq", None, DataType.INT64, bd_seq),
            ("Good", 7, DataType.UINT32, 100),
            ("State", 8, DataType.INT32, 6),
        ]
        return self.send("NBIRTH", payload(seq, seconds, metrics), seconds=seconds)

    def data(self, seq, value=101, seconds=1):
        return self.send("NDATA", payload(seq, seconds, [("", 7, 0, value)]), seconds=seconds)


@pytest.fixture
def plant():
    return Plant()


def told(consequences):
    return [pair for c in consequences if isinstance(c, Values) for pair in c.values]


def test_birth_tells_all_metrics_by_name_and_data_by_alias(plant):
    assert told(plant.born()) == [("G/N/Good", 100), ("G/N/State", 6)]
    (values,) = plant.data(1)
    assert (values.values, values.at, values.is_birth) == ((("G/N/Good", 101),), NOW + timedelta(seconds=1), False)


def test_data_before_a_birth_asks_for_one_but_not_again_and_again(plant):
    assert plant.data(1) == [Rebirth("G", "N")]
    assert plant.data(2) == []
    assert plant.data(3, seconds=6) == [Rebirth("G", "N")]


def test_sequence_wraps_at_256(plant):
    plant.born()
    for seq in [*range(1, 256), 0, 1]:
        assert told(plant.data(seq)) == [("G/N/Good", 101)]
    assert list(plant.host.give_up_waiting(NOW + timedelta(minutes=1))) == []


def test_messages_out_of_order_are_taken_in_order(plant):
    plant.born()
    assert plant.data(2, 102, seconds=2) == []
    assert plant.data(3, 103, seconds=3) == []
    assert told(plant.data(1, 101, seconds=1)) == [("G/N/Good", 101), ("G/N/Good", 102), ("G/N/Good", 103)]
    assert list(plant.host.give_up_waiting(NOW + timedelta(minutes=1))) == []


def test_message_that_does_not_come_is_a_gap_and_asks_for_a_birth(plant):
    plant.born()
    plant.data(1, 101, seconds=1)
    assert plant.data(4, 104, seconds=4) == []
    assert list(plant.host.give_up_waiting(NOW + timedelta(seconds=5.9))) == []
    lost, values, rebirth = plant.host.give_up_waiting(NOW + timedelta(seconds=6))
    assert lost == Lost(
        "G/N/", NOW + timedelta(seconds=1), NOW + timedelta(seconds=4), "Sparkplug messages 2 to 3 did not come"
    )
    assert told([values]) == [("G/N/Good", 104)]
    assert rebirth == Rebirth("G", "N")
    assert told(plant.data(5, 105, seconds=7)) == [("G/N/Good", 105)]


def test_message_that_comes_after_it_was_given_up_changes_history_only(plant):
    plant.born()
    plant.data(2, 102, seconds=2)
    list(plant.host.give_up_waiting(NOW + timedelta(seconds=9)))
    (values,) = plant.data(1, 101, seconds=1)
    assert values.is_historical


def test_death_makes_everything_stale_once(plant):
    plant.born(bd_seq=5)
    plant.send("DBIRTH", payload(1, 1, [("Speed", 20, DataType.DOUBLE, 1.5)]), device="D", seconds=1)
    death = payload(None, 0, [("bdSeq", None, DataType.INT64, 5)])
    found = plant.send("NDEATH", death, seconds=30)
    assert {(c.prefix, c.at) for c in found} == {
        ("G/N/", NOW + timedelta(seconds=30)),
        ("G/N/D/", NOW + timedelta(seconds=30)),
    }
    assert plant.send("NDEATH", death, seconds=31) == []
    assert plant.data(2, seconds=40) == [Rebirth("G", "N")]


def test_death_of_an_earlier_session_is_ignored(plant):
    plant.born(bd_seq=6)
    assert plant.send("NDEATH", payload(None, 0, [("bdSeq", None, DataType.INT64, 5)])) == []
    assert told(plant.data(1)) == [("G/N/Good", 101)]


def test_death_may_count_behind_where_the_plant_says_so(plant):
    plant.host = Host(reorder_timeout=timedelta(seconds=2), deaths_count_behind=True)
    plant.born(bd_seq=6)
    assert plant.send("NDEATH", payload(None, 0, [("bdSeq", None, DataType.INT64, 4)])) == []
    assert len(plant.send("NDEATH", payload(None, 0, [("bdSeq", None, DataType.INT64, 5)]))) == 1


def test_device_is_born_speaks_and_dies_within_the_nodes_sequence(plant):
    plant.born()
    born = plant.send("DBIRTH", payload(1, 1, [("Count", 30, DataType.UINT16, 9)]), device="D")
    assert told(born) == [("G/N/D/Count", 9)]
    assert told(plant.send("DDATA", payload(2, 2, [("", 30, 0, 10)]), device="D")) == [("G/N/D/Count", 10)]
    (stale,) = plant.send("DDEATH", payload(3, 3), device="D")
    assert stale == Stale("G/N/D/", NOW + timedelta(seconds=3), "The device went offline")
    assert plant.send("DDATA", payload(4, 4, [("", 30, 0, 11)]), device="D", seconds=4) == [Rebirth("G", "N")]
    assert told(plant.data(5, 200, seconds=5)) == [("G/N/Good", 200)]


def test_new_birth_of_a_node_ends_its_devices(plant):
    plant.born()
    plant.send("DBIRTH", payload(1, 1, [("Count", 30, DataType.UINT16, 9)]), device="D")
    found = plant.born(seconds=60, bd_seq=2)
    assert [c.prefix for c in found if isinstance(c, Stale)] == ["G/N/D/"]


def test_unknown_alias_asks_for_a_birth_and_keeps_what_is_known(plant):
    plant.born()
    found = plant.send("NDATA", payload(1, 1, [("", 7, 0, 101), ("", 99, 0, 1)]))
    assert Rebirth("G", "N") in found
    assert told(found) == [("G/N/Good", 101)]


def test_historical_and_null_values(plant):
    plant.born()
    found = plant.send("NDATA", payload(1, -3600, [("", 7, 0, 50, "historical"), ("", 8, 0, None)]))
    assert {(c.is_historical, c.values) for c in found} == {
        (True, (("G/N/Good", 50),)),
        (False, (("G/N/State", None),)),
    }


@pytest.mark.parametrize(
    ("datatype", "raw", "value"),
    [
        (DataType.INT8, 255, -1),
        (DataType.INT8, 2**32 - 1, -1),
        (DataType.INT16, 65_535, -1),
        (DataType.INT16, 2**32 - 2, -2),
        (DataType.INT32, 2**32 - 1, -1),
        (DataType.INT32, 2**31 - 1, 2**31 - 1),
        (DataType.INT64, 2**64 - 1, -1),
        (DataType.UINT64, 2**64 - 1, 2**64 - 1),
        (DataType.UINT32, 2**32 - 1, 2**32 - 1),
        (DataType.BOOLEAN, True, True),
        (DataType.STRING, "RUN", "RUN"),
        (DataType.DOUBLE, 0.5, 0.5),
        (DataType.BYTES, None, None),
    ],
)
def test_values_by_their_type(datatype, raw, value):
    (metric,) = read(payload(0, 0, [("X", None, datatype, raw)])).metrics
    assert value_of(metric, datatype) == value


def test_bad_quality_is_no_value():
    message = Payload.FromString(payload(0, 0, [("X", None, DataType.INT32, 5)]))
    message.metrics[0].properties.keys.append("Quality")
    quality = message.metrics[0].properties.values.add()
    quality.type, quality.int_value = DataType.INT32, 0
    assert read(message.SerializeToString()).metrics[0].value is None


def test_compressed_payload_is_unpacked_within_bounds():
    inner = payload(3, 0, [("X", None, DataType.INT32, 5)])
    outer = Payload(uuid="SPBV1.0_COMPRESSED", body=zlib.compress(inner))
    assert read(outer.SerializeToString()).seq == 3
    bomb = Payload(uuid="SPBV1.0_COMPRESSED", body=zlib.compress(b"\0" * 2**26))
    with pytest.raises(Unreadable, match="unpacks to more"):
        read(bomb.SerializeToString())


@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"not protobuf at all", payload(0)[:-1] + b"\xff"])
def test_what_is_no_payload_says_so(raw):
    with pytest.raises(Unreadable):
        read(raw)


def test_rebirth_request_is_the_command_of_the_specification():
    (metric,) = read(rebirth_request(NOW)).metrics
    assert (metric.name, metric.datatype, metric.value) == ("Node Control/Rebirth", DataType.BOOLEAN, True)
