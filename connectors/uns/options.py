"""What there is to choose for the unified namespace."""

from django import forms

from connectors.doors import Door


class UnsOptions(forms.Form):
    """Where in the broker's topics the plant stands."""

    topic_prefix = forms.RegexField(
        r"^[^+#\0]*\Z",
        required=False,
        help_text="Levels before <enterprise>/<site>/<area>/<line>/<machine>, for example plants/eu; empty = none.",
    )
    client_id = forms.CharField(required=False, help_text="Empty = mes-<code of the connector>.")
    ca_file = forms.CharField(required=False, help_text="Certificates to trust, for mqtts://; empty = the system's.")

    def clean_topic_prefix(self) -> str:
        """Leave the slashes at its ends out."""
        return str(self.cleaned_data["topic_prefix"]).strip("/")


DOOR = Door(options=UnsOptions, address="mqtt://broker:1883", run="connectors.uns.publisher:run")
