"""Every kind of document that an agent answers is read, or refused with what is wrong with it."""

import pytest

from connectors.mtconnect.documents import AgentError, Unreadable, moment, read_streams
from connectors.mtconnect.observations import Latest
from connectors.mtconnect.tests.peers import at, error_document, stamp

HEADER = (
    "<Header instanceId='7' firstSequence='1' lastSequence='9' nextSequence='10' bufferSize='16' creationTime='{}'/>"
)


def document(content: str, *, namespace: str = "xmlns='urn:mtconnect.org:MTConnectStreams:2.3'") -> bytes:
    return (
        f"<MTConnectStreams {namespace}>{HEADER.format(stamp())}<Streams><DeviceStream name='D' uuid='u'>"
        f"<ComponentStream component='Path'>{content}</ComponentStream></DeviceStream></Streams></MTConnectStreams>"
    ).encode()


def observed(category: str, element: str):
    (found,) = read_streams(document(f"<{category}>{element}</{category}>")).observations
    return found


@pytest.mark.parametrize(
    "namespace",
    ["", "xmlns='urn:mtconnect.org:MTConnectStreams:1.1'", "xmlns='urn:mtconnect.com:MTConnectStreams:2.7'"],
)
def test_every_version_is_read_by_local_names(namespace):
    content = (
        f"<Events><Execution dataItemId='e' name='exec' sequence='3' timestamp='{stamp(1)}'>ACTIVE</Execution></Events>"
    )
    streams = read_streams(document(content, namespace=namespace))
    assert (streams.instance_id, streams.first_sequence, streams.last_sequence, streams.next_sequence) == (
        "7",
        1,
        9,
        10,
    )
    assert (streams.buffer_size, streams.created_at) == (16, at())
    (found,) = streams.observations
    assert (found.device, found.id, found.name, found.value, found.at) == ("D", "e", "exec", "ACTIVE", at(1))


def test_extensions_with_a_prefix_are_read():
    content = f"<Events><x:Mode xmlns:x='urn:x' dataItemId='e' sequence='3' timestamp='{stamp()}'>A</x:Mode></Events>"
    assert read_streams(document(content)).observations[0].value == "A"


def test_observations_come_in_the_order_of_their_sequence_numbers():
    elements = "".join(f"<Block dataItemId='b' sequence='{n}' timestamp='{stamp()}'>{n}</Block>" for n in (10, 9, 2))
    found = read_streams(document(f"<Events>{elements}</Events>")).observations
    assert [one.value for one in found] == ["2", "9", "10"]


def test_unavailable_is_unknown():
    assert (
        observed("Samples", f"<Load dataItemId='l' sequence='1' timestamp='{stamp()}'>UNAVAILABLE</Load>").value is None
    )


def test_last_value_of_a_time_series_counts():
    series = (
        f"<LoadTimeSeries dataItemId='l' sequence='1' timestamp='{stamp()}' sampleCount='3'>1 2 3.5</LoadTimeSeries>"
    )
    assert observed("Samples", series).value == "3.5"
    assert observed("Samples", series.replace("1 2 3.5", "UNAVAILABLE")).value is None


def test_data_sets_and_tables_are_left_out():
    sets = (
        f"<VariableDataSet dataItemId='v' sequence='1' timestamp='{stamp()}'><Entry key='a'>1</Entry></VariableDataSet>"
        f"<WorkOffsetTable dataItemId='w' sequence='2' timestamp='{stamp()}'>UNAVAILABLE</WorkOffsetTable>"
        f"<Odd dataItemId='o' sequence='3' timestamp='{stamp()}'><Entry key='a'>1</Entry></Odd><!-- nothing -->"
    )
    streams = read_streams(document(f"<Events>{sets}</Events>"))
    assert (streams.observations, streams.unreadable) == ([], 0)


def test_condition_has_level_code_and_words():
    fault = observed(
        "Condition",
        f"<Fault dataItemId='c' sequence='1' timestamp='{stamp()}' nativeCode='702' type='SYSTEM'>Door</Fault>",
    )
    assert (fault.value, fault.condition.code, fault.condition.text) == ("Fault", "702", "702 Door")
    gone = observed("Condition", f"<Unavailable dataItemId='c' sequence='1' timestamp='{stamp()}' type='SYSTEM'/>")
    assert gone.value is None


def conditions(*entries: tuple[str, str]) -> list[str | None]:
    latest = Latest()
    return [
        latest.note(
            observed("Condition", f"<{level} dataItemId='c' sequence='1' timestamp='{stamp()}' nativeCode='{code}'/>")
        ).value
        for level, code in entries
    ]


def test_worst_active_entry_of_a_condition_holds():
    found = conditions(
        ("Normal", ""), ("Warning", "1"), ("Fault", "2"), ("Warning", "3"), ("Normal", "2"), ("Normal", "1"), ("Normal", "3")
    )  # fmt: skip
    assert found == ["Normal", "Warning", "Fault", "Fault", "Warning", "Warning", "Normal"]


def test_normal_without_a_code_and_unavailable_end_every_entry():
    assert conditions(("Fault", "1"), ("Fault", "2"), ("Normal", ""), ("Warning", "3"), ("Unavailable", "")) == [
        "Fault", "Fault", "Normal", "Warning", None
    ]  # fmt: skip
    assert conditions(("Unavailable", ""), ("Warning", "3"), ("Normal", "3")) == [None, "Warning", "Normal"]
    assert conditions(("Normal", "4"), ("Fault", "")) == ["Normal", "Fault"]


@pytest.mark.parametrize(
    "element",
    [
        f"<Load sequence='1' timestamp='{stamp()}'>1</Load>",
        "<Load dataItemId='l' sequence='1' timestamp='yesterday'>1</Load>",
        "<Load dataItemId='l' sequence='1'>1</Load>",
        f"<Load dataItemId='l' sequence='-1' timestamp='{stamp()}'>1</Load>",
    ],
)
def test_observation_without_id_or_time_is_counted(element):
    streams = read_streams(document(f"<Samples>{element}</Samples>"))
    assert (streams.observations, streams.unreadable) == ([], 1)


def test_element_of_a_condition_that_is_no_level_is_counted():
    odd = f"<Condition><Odd dataItemId='c' sequence='1' timestamp='{stamp()}'/></Condition>"
    assert read_streams(document(odd)).unreadable == 1


def test_errors_are_raised_with_their_codes():
    with pytest.raises(AgentError, match="OUT_OF_RANGE: too far") as raised:
        read_streams(error_document("OUT_OF_RANGE", "too far"))
    assert raised.value.codes == ["OUT_OF_RANGE"]
    new = b"<MTConnectError><Header/><Errors><OutOfRange errorCode='OUT_OF_RANGE'><URI>/x</URI></OutOfRange></Errors></MTConnectError>"
    with pytest.raises(AgentError) as raised:
        read_streams(new)
    assert raised.value.codes == ["OUT_OF_RANGE"]
    with pytest.raises(AgentError, match="without text"):
        read_streams(b"<MTConnectError><Header/></MTConnectError>")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not XML"),
        (b"<html><body>Hello", "not XML"),
        (b"<?xml version='1.0' encoding='nonsense'?><a/>", "not XML"),
        (b"<html/>", "'html'"),
        (b"<MTConnectDevices><Header/></MTConnectDevices>", "'MTConnectDevices'"),
        (b"<MTConnectStreams/>", "header"),
        (b"<MTConnectStreams><Header firstSequence='1' nextSequence='x'/></MTConnectStreams>", "nextSequence"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document type"),
    ],
)
def test_what_is_no_document_is_refused_with_a_reason(body, said):
    with pytest.raises(Unreadable, match=said):
        read_streams(body)


def test_byte_order_mark_is_no_error():
    assert read_streams(b"\xef\xbb\xbf" + document("")).observations == []


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("2026-03-02T08:00:01Z", 1), ("2026-03-02T08:00:00.5", 0.5), ("2026-03-02T10:00:00.123456789+02:00", 0.123456)],
)
def test_timestamps_have_up_to_nine_decimals_and_are_utc_unless_they_say(written, seconds):
    assert moment(written) == at(seconds)


def test_what_is_no_timestamp_is_no_moment():
    assert moment("0001-01-01T00:00:00+10:00") is None
    assert moment("soon") is None
