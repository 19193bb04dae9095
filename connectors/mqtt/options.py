"""What there is to choose for MQTT with JSON."""

from typing import Any

from django import forms

from connectors.doors import Door
from connectors.models import StateMap
from connectors.mqtt.topics import TopicTemplate


class MqttOptions(forms.Form):
    """Topics, payloads, and how the broker keeps what comes while we are away."""

    topic_template = forms.CharField(
        initial="{enterprise}/{site}/{area}/{line}/{machine}/{signal}",
        help_text="How topics are built, from the codes of the plant. {signal} may span several levels; any other"
        " {name} stands for one level that means nothing.",
    )
    state_signals = forms.CharField(
        initial="state", help_text="Signals that are the machine's state, separated by commas."
    )
    tag_template = forms.CharField(
        initial="{line}/{machine}/{signal}",
        help_text="How the tag of a count is called, from the parts of its topic.",
    )
    state_map = forms.CharField(
        required=False, help_text="Code of the state map for states; empty = they are codes of state reasons."
    )
    time_field = forms.CharField(initial="at", help_text="Of the payload: ISO 8601 with a zone, or a UNIX time.")
    value_field = forms.CharField(initial="value")
    detail_field = forms.CharField(initial="detail", required=False, help_text="The device's own words to a state.")
    sequence_field = forms.CharField(
        initial="seq",
        required=False,
        help_text="Where a device numbers the messages of a topic: a missing number becomes a gap.",
    )
    patience_seconds = forms.IntegerField(
        initial=10, min_value=0, max_value=86_400, help_text="How long a missing number may come late."
    )
    acknowledgement_topic = forms.CharField(
        required=False,
        help_text="Where devices hear that their message is stored, for example {topic}/ack. Empty = nowhere.",
    )
    client_id = forms.CharField(required=False, help_text="Empty = mes-<code of the connector>.")
    session_hours = forms.IntegerField(
        initial=72, min_value=0, max_value=1000, help_text="How long the broker keeps messages while we are away."
    )
    shared_group = forms.RegexField(
        r"^[A-Za-z0-9_-]*\Z",
        required=False,
        help_text="Let several processes share the messages: a name for the group, and `connect --worker` for each.",
    )
    ca_file = forms.CharField(required=False, help_text="Certificates to trust, for mqtts://; empty = the system's.")

    def clean_topic_template(self) -> str:
        """Refuse a template that cannot be read."""
        return self._readable("topic_template")

    def clean_tag_template(self) -> str:
        """Refuse a template with names that no topic has."""
        written: str = self.cleaned_data["tag_template"]
        try:
            known = TopicTemplate(self.cleaned_data.get("topic_template", "")).names
            written.format(**dict.fromkeys([*known, "line", "machine"], ""))
        except (ValueError, KeyError, IndexError) as error:
            raise forms.ValidationError(f"The topic has no part called {error}.") from None
        return written

    def clean_state_map(self) -> Any:
        """Refuse a map that does not exist."""
        code = self.cleaned_data["state_map"]
        if code and not StateMap.objects.filter(code=code).exists():
            raise forms.ValidationError(f"There is no state map '{code}'.")
        return code

    def _readable(self, field: str) -> str:
        written: str = self.cleaned_data[field]
        try:
            TopicTemplate(written)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        return written


DOOR = Door(options=MqttOptions, address="mqtt://broker:1883", run="connectors.mqtt.listener:run")
