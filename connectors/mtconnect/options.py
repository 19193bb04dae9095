"""The settings of a connection to an MTConnect agent, and of one to an adapter."""

from zoneinfo import ZoneInfo, available_timezones

from django import forms

from connectors.doors import Door


class _Options(forms.Form):
    confirm = forms.FloatField(
        label="Confirm after seconds",
        initial=60.0,
        min_value=1,
        max_value=3600,
        help_text="A state that stays is told again after this long, so that silence means that nothing is known.",
    )


class AgentOptions(_Options):
    """How an agent is asked."""

    interval = forms.FloatField(
        label="Poll interval in seconds",
        initial=1.0,
        min_value=0.02,
        max_value=3600,
        help_text="The pause once everything was fetched; while there is more, it is fetched without a pause.",
    )
    count = forms.IntegerField(
        label="Observations per request",
        initial=1000,
        min_value=1,
        max_value=100_000,
        help_text="At most; never more than the agent's buffer holds.",
    )
    path = forms.CharField(
        label="Only these data items",
        required=False,
        max_length=1000,
        help_text='An XPath that the agent applies, such as //DataItem[@category="EVENT"]; empty = all.',
    )
    timeout = forms.FloatField(
        label="Time-out in seconds",
        initial=10.0,
        min_value=0.05,
        max_value=300,
        help_text="An agent that is silent for so long is unreachable.",
    )
    largest_document = forms.IntegerField(
        label="Largest document in megabytes",
        initial=50,
        min_value=1,
        max_value=500,
        help_text="A longer answer is refused; ask for fewer observations per request instead.",
    )


class AdapterOptions(_Options):
    """How an adapter's lines are read. SHDR does not say what its data items are; some must be named here."""

    time_zone = forms.CharField(
        label="Time zone of the timestamps",
        initial="UTC",
        help_text="Of timestamps that have none, such as Europe/Warsaw. The standard says UTC; some adapters do not.",
    )
    device = forms.CharField(
        label="Device",
        required=False,
        max_length=200,
        help_text="Take only this device's data from an adapter that writes device:key; empty = all devices.",
    )
    conditions = forms.CharField(
        label="Conditions",
        required=False,
        max_length=5000,
        help_text="Keys of conditions, with blanks between. Needed only where one shares its line with other data.",
    )
    messages = forms.CharField(
        label="Messages",
        required=False,
        max_length=5000,
        help_text="Keys of messages (key|code|text), with blanks between. Needed only as above.",
    )
    time_series = forms.CharField(
        label="Time series",
        required=False,
        max_length=5000,
        help_text="Keys of time series (key|count|rate|values), with blanks between; their last value counts.",
    )
    heartbeat_ms = forms.IntegerField(
        label="Heartbeat in milliseconds",
        initial=10_000,
        min_value=100,
        max_value=3_600_000,
        help_text="How often an adapter is asked for a sign of life that answers, but names no period of its own.",
    )
    silence = forms.FloatField(
        label="Longest silence in seconds",
        initial=600.0,
        min_value=0.05,
        max_value=86_400,
        help_text="After this the connection counts as lost; with a heartbeat, two of its periods count instead.",
    )
    timeout = forms.FloatField(
        label="Time-out in seconds",
        initial=10.0,
        min_value=0.05,
        max_value=300,
        help_text="An adapter that takes no connection within this is unreachable.",
    )
    longest_line = forms.IntegerField(
        label="Longest line in kilobytes",
        initial=1024,
        min_value=1,
        max_value=65_536,
        help_text="A longer line is passed over.",
    )

    def clean_time_zone(self) -> ZoneInfo:
        name = self.cleaned_data["time_zone"]
        if name not in available_timezones():
            raise forms.ValidationError(f"There is no time zone '{name}'.")
        return ZoneInfo(name)

    def clean_conditions(self) -> frozenset[str]:
        return _keys(self.cleaned_data["conditions"])

    def clean_messages(self) -> frozenset[str]:
        return _keys(self.cleaned_data["messages"])

    def clean_time_series(self) -> frozenset[str]:
        return _keys(self.cleaned_data["time_series"])


def _keys(written: str) -> frozenset[str]:
    return frozenset(written.replace(",", " ").split())


DOOR = Door(AgentOptions, "http://agent:5000/device", run="connectors.mtconnect.agent:run")
SHDR = Door(AdapterOptions, "adapter:7878", run="connectors.mtconnect.shdr:run")
