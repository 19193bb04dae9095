"""What there is to choose for Sparkplug B."""

from django import forms

from connectors.doors import Door


class SparkplugOptions(forms.Form):
    """Which groups to follow, under which name, and how patiently."""

    group = forms.RegexField(
        r"^[^/#+]*\Z", required=False, help_text="The Sparkplug group to follow; empty = all of them."
    )
    host_id = forms.RegexField(
        r"^[^/#+]+\Z", initial="mes", help_text="Our name as a host application; edge nodes may wait for it."
    )
    reorder_seconds = forms.FloatField(
        initial=2.0, min_value=0, max_value=300, help_text="How long a missing message may come late."
    )
    confirm_seconds = forms.IntegerField(
        initial=60,
        min_value=0,
        max_value=86_400,
        help_text="How often the states of nodes that are online are confirmed while nothing changes; 0 = never.",
    )
    deaths_count_behind = forms.BooleanField(
        required=False,
        help_text="Edge nodes made with the Python code of Eclipse Tahu give their birth a bdSeq that is one higher than"
        " that of its death. Switch on for those; others need it off, or an old death could end a new session.",
    )
    client_id = forms.CharField(required=False, help_text="Empty = mes-<code of the connector>.")
    ca_file = forms.CharField(required=False, help_text="Certificates to trust, for mqtts://; empty = the system's.")


DOOR = Door(options=SparkplugOptions, address="mqtt://broker:1883", run="connectors.sparkplug.listener:run")
