"""The settings of the calls that DigitME2's tablets and devices make."""

from collections.abc import Callable
from typing import Any

from django import forms

from connectors.digitme2 import tables
from connectors.digitme2.tables import DOWN, UP, Authentication, JobInput, Unreadable, Workflow
from connectors.doors import Door


def _table(label: str, help_text: str) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 8, "spellcheck": "false"})
    return forms.CharField(label=label, initial="", required=False, widget=widget, help_text=help_text)


class Options(forms.Form):
    """Who may call, and what the numbers in the calls stand for."""

    authentication = forms.ChoiceField(
        label="Who may call",
        initial=Authentication.KEY,
        choices=[
            (Authentication.KEY, "Who has a device key of this site"),
            (Authentication.ADDRESS, "Who calls from one of the addresses below"),
            (Authentication.OPEN, "Whoever reaches the server"),
        ],
        help_text="A key comes as 'Authorization: Api-Key …' or '?key=…', and counts for the machines of the key. Tablets"
        " that cannot be changed send none: list their addresses. 'Whoever reaches the server' means that anybody in"
        " the network, without a password, may read people's names, stop and start machines in the records and add"
        " pieces for every machine of the table; choose it only in a network that holds nothing but these devices.",
    )
    addresses = forms.CharField(
        label="Addresses",
        initial="",
        required=False,
        help_text="Addresses and networks such as 10.1.2.17 10.1.3.0/24, separated by blanks. Behind a proxy, set"
        " BEHIND_PROXY, or every device seems to call from the proxy's address.",
    )
    machine_ids = _table(
        "Machines",
        "One line for each: DigitME2's number = machine code, such as 1 = L1-FILLER. After it may stand the tablet's"
        " workflow (default, pausable, running_total) and what a job start asks for (cycle_time_seconds, …), where they"
        " differ from those below.",
    )
    activity_codes = _table(
        "Activity codes",
        "One line for each: DigitME2's number = code of a state reason, such as 1 = RUN. Fixed there: 1 up, 2 down"
        " without a reason, 3 closed, 4 overtime. 1 and 2 are needed.",
    )
    user_ids = _table(
        "People",
        "One line for each: DigitME2's number = user name here. Empty = the numbers are those of the people here.",
    )
    workflow = forms.ChoiceField(
        label="Workflow of tablets",
        initial=Workflow.DEFAULT,
        choices=[
            (Workflow.DEFAULT, "Default: the operator chooses what the machine does"),
            (Workflow.PAUSABLE, "Pausable: the operator pauses and resumes, and says why"),
            (Workflow.RUNNING_TOTAL, "Running total: pieces are entered while the job runs"),
        ],
    )
    job_input = forms.ChoiceField(
        label="A job start asks for",
        initial=JobInput.SECONDS,
        choices=[
            (JobInput.SECONDS, "Seconds per part"),
            (JobInput.MINUTES, "Minutes per part"),
            (JobInput.HOURS, "Hours per part"),
            (JobInput.PER_SECOND, "Parts per second"),
            (JobInput.PER_MINUTE, "Parts per minute"),
            (JobInput.PER_HOUR, "Parts per hour"),
            (JobInput.PLANNED, "Planned quantity and minutes"),
            (JobInput.NONE, "Nothing"),
        ],
    )
    up_needs_job = forms.BooleanField(
        label="Up needs an active job",
        initial=True,
        required=False,
        help_text="As in DigitME2: a machine on whose line no job runs cannot be set to up.",
    )
    start_code = forms.IntegerField(
        label="Activity at job start",
        initial=UP,
        min_value=1,
        max_value=999_999_999,
        help_text="The number of the activity code that begins with a job.",
    )
    several_sessions = forms.BooleanField(
        label="One person at several tablets",
        initial=False,
        required=False,
        help_text="Otherwise a log-in ends the person's sessions at other tablets.",
    )
    target_quantity = forms.IntegerField(
        label="Target of orders without one",
        initial=1,
        min_value=1,
        max_value=10**9,
        help_text="A tablet that starts a job nobody planned makes a work order; without a planned quantity, this is"
        " its target. OEE does not depend on it.",
    )

    def clean_addresses(self) -> str:
        return self._read("addresses", tables.networks)

    def clean_machine_ids(self) -> str:
        return self._read("machine_ids", lambda text: tables.machine_table(text, Workflow.DEFAULT, JobInput.SECONDS))

    def clean_activity_codes(self) -> str:
        text = self._read("activity_codes", tables.number_table)
        missing = {UP, DOWN} - tables.number_table(text).keys()
        if text.strip() and missing:
            raise forms.ValidationError(f"The table has no line for {' and '.join(map(str, sorted(missing)))}.")
        return text

    def clean_user_ids(self) -> str:
        return self._read("user_ids", tables.number_table)

    def _read(self, field: str, read: Callable[[str], Any]) -> str:
        text: str = self.cleaned_data[field]
        try:
            read(text)
        except Unreadable as error:
            raise forms.ValidationError(str(error)) from None
        return text

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("authentication") == Authentication.ADDRESS and not self.cleaned_data.get(
            "addresses", "-"
        ):
            self.add_error("addresses", "List the addresses that may call.")
        return cleaned


DOOR = Door(options=Options, address="nothing: leave it empty, the devices call this server")
