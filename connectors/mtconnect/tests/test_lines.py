"""Every kind of SHDR line is read, and what is no line costs nothing but itself."""

from zoneinfo import ZoneInfo

import pytest

from connectors.mtconnect.lines import Lines, Malformed, Moments, Shapes, Splitter, split_fields
from connectors.mtconnect.tests.peers import T0, at

UTC_ZONE = ZoneInfo("UTC")


def make_lines(*, zone: str = "UTC", device: str = "", **shapes: set[str]) -> Lines:
    return Lines(Moments(ZoneInfo(zone)), Shapes(**{name: frozenset(keys) for name, keys in shapes.items()}), device)


def read(line: str, **overrides):
    return [(one.id, one.value) for one in make_lines(**overrides).read(line, at())]


def test_line_is_pairs_of_keys_and_values():
    assert read(f"{T0}|exec|ACTIVE|line| 12 |block|") == [("exec", "ACTIVE"), ("line", "12"), ("block", "")]


def test_pipe_and_blanks_at_the_end_are_no_key():
    assert read(f"{T0}|X|5|   ") == [("X", "5")]
    assert read(f"{T0}|X|5|Y|6|") == [("X", "5"), ("Y", "6")]


def test_key_that_lost_its_value_costs_only_itself():
    assert read(f"{T0}|X|5|Y|6|Z") == [("X", "5"), ("Y", "6")]


def test_unavailable_is_unknown_whatever_its_case():
    assert read(f"{T0}|a|UNAVAILABLE|b|unavailable") == [("a", None), ("b", None)]


def test_quoted_field_holds_pipes():
    assert split_fields(r'a|"one \| two"|"not|closed|x"y') == ["a", "one | two", '"not', "closed", 'x"y']


@pytest.mark.parametrize(
    ("line", "value", "code", "text"),
    [
        ("c|WARNING|702-1|90||Cabin door open", "Warning", "702-1", "702-1 Cabin door open"),
        ("c|fault|1||HIGH|", "Fault", "1", "1"),
        ("c|NORMAL||||", "Normal", "", ""),
        ("c|NORMAL|702-1|||   ", "Normal", "702-1", "702-1"),
        ("c|UNAVAILABLE||||", None, "", ""),
        ('c|FAULT|1|||"a \\| b"', "Fault", "1", "1 a | b"),
        ("c|FAULT|1|||a|b", "Fault", "1", "1 a"),
    ],
)
def test_condition_is_known_by_its_shape(line, value, code, text):
    (found,) = make_lines().read(f"{T0}|{line}", at())
    assert (found.value, found.condition.code, found.condition.text) == (value, code, text)


def test_three_pairs_are_no_condition():
    assert read(f"{T0}|mode|NORMAL|a|1|b|2") == [("mode", "NORMAL"), ("a", "1"), ("b", "2")]
    assert read(f"{T0}|mode|NORMAL|a|1|") == [("mode", "NORMAL"), ("a", "1")]


def test_message_is_known_by_its_shape():
    assert read(f"{T0}|msg|M12|Please clean") == [("msg", "Please clean")]


def test_keys_that_were_named_have_their_fields_anywhere_in_a_line():
    found = read(
        f"{T0}|a|1|c|FAULT|7||LOW|hot|m|9|text|s|3|100|1 2 3|b|2",
        conditions={"c"}, messages={"m"}, time_series={"s"},
    )  # fmt: skip
    assert found == [("a", "1"), ("c", "Fault"), ("m", "text"), ("s", "3"), ("b", "2")]


def test_short_fields_of_keys_that_were_named():
    assert read(f"{T0}|c|NORMAL", conditions={"c"}) == [("c", "Normal")]
    assert read(f"{T0}|s|0|100", time_series={"s"}) == [("s", None)]


def test_condition_that_was_named_needs_a_level():
    lines = make_lines(conditions={"c"})
    assert lines.read(f"{T0}|c|HOT||||", at()) == []
    assert lines.malformed == 1


def test_devices_are_told_apart_by_the_prefix_of_their_keys():
    (found,) = make_lines().read(f"{T0}|mill:exec|ACTIVE", at())
    assert (found.id, found.name) == ("mill/exec", "exec")
    assert read(f"{T0}|mill:exec|ACTIVE|lathe:exec|READY|x|1", device="lathe") == [("lathe/exec", "READY"), ("x", "1")]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2026-03-02T08:00:01.25Z", 1.25),
        ("2026-03-02T08:00:01.2500009", 1.25),
        ("2026-03-02T08:00:01.25@12.5", 1.25),
        ("2026-03-02T09:00:01+01:00", 1),
        ("", 99),
        ("@0.5", 99),
    ],
)
def test_timestamps_with_and_without_zone_duration_or_anything(written, seconds):
    assert Moments(UTC_ZONE).of(written, at(99)) == at(seconds)


def test_timestamps_without_a_zone_are_in_the_zone_of_the_option():
    assert Moments(ZoneInfo("Europe/Warsaw")).of("2026-03-02T09:00:01", at()) == at(1)
    assert Moments(ZoneInfo("Europe/Warsaw")).of("2026-03-02T09:00:01Z", at()) == at(3601)


def test_numbers_are_milliseconds_since_the_first_line():
    moments = Moments(UTC_ZONE)
    assert [moments.of(written, at(now)) for written, now in [("1000", 5), ("1500.5", 60), ("20221022", 61)]] == [
        at(5), at(5.5005), at(5 + 20221.022 - 1)
    ]  # fmt: skip


@pytest.mark.parametrize("written", ["exec", "2026-13-02T08:00:00Z", "1e99", "9" * 40, "0001-01-01T00:00:00+05:00"])
def test_what_is_no_timestamp_is_malformed(written):
    with pytest.raises(Malformed):
        Moments(UTC_ZONE).of(written, at())


@pytest.mark.parametrize("line", ["exec|ACTIVE", T0, f"{T0}|", f"{T0}|exec", f"{T0}||", "garbage", "\x00\x01|"])
def test_malformed_lines_are_counted_and_passed_over(line):
    lines = make_lines()
    assert lines.read(line, at()) == []
    assert lines.malformed == 1
    assert lines.read(f"{T0}|a|1", at())


def test_empty_lines_and_commands_are_nothing():
    lines = make_lines()
    for line in ("", "  ", "* shdrVersion: 2", "*adapterVersion:UNAVAILABLE", "* PINGPONG"):
        assert lines.read(line, at()) == []
    assert (lines.malformed, lines.pings, lines.heartbeat_ms) == (0, 0, None)


def test_heartbeats_are_heard():
    lines = make_lines()
    lines.read("* PING", at())
    lines.read("* PONG 5000", at())
    assert (lines.pings, lines.heartbeat_ms) == (1, 5000)
    lines.read("* PONG 1", at())
    assert lines.heartbeat_ms == 100
    lines.read("* PONG", at())
    assert lines.heartbeat_ms == 0


def test_assets_are_passed_over():
    lines = make_lines()
    said = [
        f"{T0}|@ASSET@|7|CuttingTool|--multiline--ABCD", "<CuttingTool", f"{T0}|exec|ACTIVE", "--multiline--ABCD",
        f"{T0}|@REMOVE_ASSET@|7", f"{T0}|@REMOVE_ALL_ASSETS@|CuttingTool", f"{T0}|@ASSET@|8|Tool|<Tool/>",
        f"{T0}|exec|READY",
    ]  # fmt: skip
    assert [one.value for line in said for one in lines.read(line, at())] == ["READY"]
    assert lines.malformed == 0


def test_asset_without_an_end_does_not_swallow_everything(monkeypatch):
    monkeypatch.setattr("connectors.mtconnect.lines._LONGEST_ASSET", 3)
    lines = make_lines()
    said = [f"{T0}|@ASSET@|7|Tool|--multiline--A", "1", "2", "3", f"{T0}|exec|READY"]
    assert [one.value for line in said for one in lines.read(line, at())] == ["READY"]
    assert lines.malformed == 1


def test_splitter_cuts_lines_wherever_the_pieces_end():
    splitter = Splitter(100)
    assert [line for piece in (b"a|1\r", b"\nb|", b"2\nc|3") for line in splitter.feed(piece)] == ["a|1", "b|2"]
    assert splitter.feed(b"\n") == ["c|3"]
    assert splitter.feed(b"\xff\n") == ["�"]


def test_splitter_passes_over_lines_that_are_too_long():
    splitter = Splitter(10)
    said = [
        line
        for piece in (b"x" * 8, b"x" * 8, b"x" * 8, b"\nshort\n", b"y" * 11 + b"\n")
        for line in splitter.feed(piece)
    ]
    assert said == ["short"]
    assert splitter.too_long == 2
