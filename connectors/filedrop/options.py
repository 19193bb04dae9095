"""The settings of a folder that machines write files into."""

import codecs
from zoneinfo import available_timezones

from django import forms

from connectors.doors import Door
from connectors.filedrop.lines import Content


class Options(forms.Form):
    """Which files are read, what becomes of them, and what a line means."""

    patterns = forms.CharField(
        label="File names", initial="*.csv *.jsonl *.ndjson *.json", help_text="Patterns, separated by blanks."
    )
    mode = forms.ChoiceField(
        label="Kind of file",
        initial="whole",
        choices=[
            ("whole", "Whole files: each appears once, is read and put away"),
            ("follow", "Logs: each grows, and what is new is read"),
        ],
    )
    after = forms.ChoiceField(
        label="After a whole file was delivered",
        initial="move",
        choices=[("move", "Move it to done/"), ("delete", "Delete it")],
        help_text="A file with lines that could not be stored is never deleted.",
    )
    settle_seconds = forms.FloatField(
        label="Wait until unchanged for seconds",
        initial=2.0,
        min_value=0,
        max_value=3600,
        help_text="A file that changed within this time is still being written.",
    )
    poll_seconds = forms.FloatField(label="Look every seconds", initial=1.0, min_value=0.02, max_value=3600)
    content = forms.ChoiceField(
        label="A line is",
        initial=Content.ITEMS,
        choices=[
            (Content.ITEMS, "An item, as devices send them: tag, at, value or machine, at, state, detail"),
            (Content.SIGNALS, "One value of a signal: time, signal and value columns"),
            (Content.COLUMNS, "Values of several signals: each column but the time is a signal"),
        ],
    )
    columns = forms.CharField(
        label="Columns",
        initial="",
        required=False,
        help_text="Names separated by blanks, for CSV without a first line that names them.",
    )
    delimiter = forms.ChoiceField(
        label="CSV separator",
        initial="auto",
        choices=[("auto", "As the first line shows"), (",", "Comma"), (";", "Semicolon"), ("tab", "Tab"), ("|", "Bar")],
    )
    decimal_comma = forms.BooleanField(
        label="Decimal comma", initial=False, required=False, help_text="Numbers are written like 12,5."
    )
    encoding = forms.CharField(label="Encoding", initial="utf-8", help_text="utf-8, latin-1, cp1252, ...")
    time_column = forms.CharField(label="Time column", initial="at")
    time_format = forms.CharField(
        label="Time format",
        initial="iso",
        help_text="iso, unix (seconds), unix-ms, or a pattern such as %d.%m.%Y %H:%M:%S.",
    )
    time_zone = forms.CharField(
        label="Time zone",
        initial="",
        required=False,
        help_text="Of times without a zone, such as Europe/Warsaw; empty = such a line is refused.",
    )
    signal_column = forms.CharField(label="Signal column", initial="signal")
    value_column = forms.CharField(label="Value column", initial="value")

    def clean_encoding(self) -> str:
        encoding: str = self.cleaned_data["encoding"]
        try:
            # The byte-order mark is taken off in any case.
            encoding = "utf-8" if codecs.lookup(encoding).name == "utf-8-sig" else encoding
            is_line_wise = "\n".encode(encoding) == b"\n"
        except LookupError:
            raise forms.ValidationError(f"There is no encoding '{encoding}'.") from None
        if not is_line_wise:
            raise forms.ValidationError(f"Files in '{encoding}' cannot be read line by line.")
        return encoding

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        if zone and zone not in available_timezones():
            raise forms.ValidationError(f"There is no time zone '{zone}'.")
        return zone


DOOR = Door(options=Options, address="/srv/machines/press-1", run="connectors.filedrop.watcher:run")
