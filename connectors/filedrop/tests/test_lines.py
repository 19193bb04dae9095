"""Each line says something, or why it does not; how lines are written is up to the machine."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from connectors.doors import complete_options
from connectors.filedrop.lines import (
    BadLine,
    Content,
    Shape,
    UnusableFile,
    columns_of,
    moment,
    read_csv_line,
    read_json_document,
    read_json_line,
    shape_of,
)
from connectors.models import Protocol

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
ITEMS = Shape(Content.ITEMS)


def csv_line(text, shape, columns):
    return read_csv_line(text.encode(shape.encoding), 2, columns.split(), ",", shape)


def test_row_is_an_item_as_devices_send_it():
    line = csv_line("t,2026-03-02T09:00:00+01:00,12.5,", ITEMS, "tag at value state")
    assert line.items == [{"tag": "t", "at": "2026-03-02T08:00:00Z", "value": Decimal("12.5")}]
    state = csv_line('m,2026-03-02T08:00:00Z,,"stop, now",x', ITEMS, "machine at value state detail")
    assert state.items == [{"machine": "m", "at": "2026-03-02T08:00:00Z", "state": "stop, now", "detail": "x"}]


def test_what_is_wrong_in_an_item_is_left_for_ingest():
    assert csv_line("t,yesterday,many", ITEMS, "tag at value").items == [
        {"tag": "t", "at": "yesterday", "value": "many"}
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("2026-03-02T08:00:00Z,a", "2 cells, but there are 3 columns"),
        ("2026-03-02T08:00:00Z,a,1,2", "4 cells"),
        ('2026-03-02T08:00:00Z,a,"1', "no CSV"),
        (",a,1", "The time is missing"),
        ("2026-03-02T08:00:00,a,1", "has no zone"),
        ("02.03.2026,a,1", "is no time in the format 'iso'"),
        ("2026-03-02T08:00:00Z,,1", "nothing in 'signal'"),
        ("2026-03-02T08:00:00Z,a,", "nothing in 'value'"),
    ],
)
def test_bad_row_says_what_is_wrong(text, complaint):
    assert complaint in csv_line(text, Shape(Content.SIGNALS), "at signal value").error


def test_every_column_may_be_a_signal():
    shape = Shape(Content.COLUMNS, time_column="Zeit", has_decimal_comma=True)
    line = read_csv_line(b"2026-03-02T08:00:00Z;12,5;;run;", 2, ["Zeit", "a", "b", "c"], ";", shape)
    assert line.signals == [("a", "12.5", AT), ("c", "run", AT)]


def test_line_of_another_encoding_is_bad_by_itself():
    assert "not utf-8" in read_csv_line("t,x,ö\n".encode("latin-1"), 3, ["tag", "at", "value"], ",", ITEMS).error
    latin = Shape(Content.SIGNALS, encoding="latin-1")
    assert csv_line("2026-03-02T08:00:00Z,Störung,1", latin, "at signal value").signals == [("Störung", "1", AT)]


def test_json_line_is_an_item_or_signals():
    assert read_json_line(b'{"tag": "t", "at": "2026-03-02T08:00:00Z", "value": 0.1}', 1, ITEMS).items == [
        {"tag": "t", "at": "2026-03-02T08:00:00Z", "value": Decimal("0.1")}
    ]
    line = read_json_line(b'{"at": "2026-03-02T08:00:00Z", "speed": 3, "state": null}', 1, Shape(Content.COLUMNS))
    assert line.signals == [("speed", 3, AT), ("state", None, AT)]
    assert read_json_line(b"{", 1, ITEMS).error
    assert "no JSON object" in read_json_document(b"[1]", Shape(Content.COLUMNS))[0].error


@pytest.mark.parametrize("body", [b'{"items": [{"tag": "t"}]}', b'[{"tag": "t"}]', b'\xef\xbb\xbf{\n"tag": "t"}'])
def test_json_document_is_items_a_list_or_one(body):
    assert [line.items for line in read_json_document(body, ITEMS)] == [[{"tag": "t"}]]


def test_json_document_that_is_none_cannot_be_used():
    with pytest.raises(UnusableFile, match="not JSON"):
        read_json_document(b"[{]", ITEMS)


@pytest.mark.parametrize(
    ("written", "time_format", "zone"),
    [
        ("2026-03-02T08:00:00Z", "iso", None),
        ("2026-03-02 09:00:00", "iso", "Europe/Warsaw"),
        ("02.03.2026 09:00:00", "%d.%m.%Y %H:%M:%S", "Europe/Warsaw"),
        ("02.03.2026 10:00:00 +0200", "%d.%m.%Y %H:%M:%S %z", "Europe/Warsaw"),
        (1772438400, "unix", None),
        ("1772438400000", "unix-ms", None),
    ],
)
def test_time_is_read_in_the_format_that_was_set(written, time_format, zone):
    assert moment(written, Shape(Content.SIGNALS, time_format=time_format, zone=zone and ZoneInfo(zone))) == AT


@pytest.mark.parametrize("written", ["", None, "NaN", "1e99"])
def test_time_that_is_none_is_refused(written):
    with pytest.raises(BadLine):
        moment(written, Shape(Content.SIGNALS, time_format="unix"))


@pytest.mark.parametrize(
    ("header", "content", "complaint"),
    [
        ("a,b", Content.ITEMS, "must name the columns"),
        ("at,signal", Content.SIGNALS, "no column 'value'"),
        ("time,x", Content.COLUMNS, "no column 'at'"),
        ("at,x,x", Content.COLUMNS, "'x' is there twice"),
    ],
)
def test_header_that_lacks_a_column_makes_the_file_useless(header, content, complaint):
    with pytest.raises(UnusableFile, match=complaint):
        columns_of(header, Shape(content))


def test_separator_is_the_one_that_the_header_shows():
    assert columns_of("at;a,b;c", Shape(Content.COLUMNS)) == ["at", "a,b", "c"]


def test_options_are_complete_without_any_choice():
    assert shape_of(complete_options(Protocol.FILE_DROP, {})) == ITEMS
    assert complete_options(Protocol.FILE_DROP, {"encoding": "utf-8-sig"})["encoding"] == "utf-8"


@pytest.mark.parametrize(
    "options",
    [
        {"encoding": "utf-16"},
        {"encoding": "klingon"},
        {"encoding": "rot13"},
        {"time_zone": "Mars/North"},
        {"mode": "x"},
    ],
)
def test_options_that_cannot_work_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        complete_options(Protocol.FILE_DROP, options)
