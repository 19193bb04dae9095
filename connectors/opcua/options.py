"""The settings of an OPC UA connection."""

from typing import Any

from django import forms

from connectors.doors import Door

NO_SECURITY = "none"
SECURITY_MODES = {"sign": "Sign", "sign-encrypt": "SignAndEncrypt"}
"""Options that use Basic256Sha256, and the message security mode that each stands for."""


class Options(forms.Form):
    """How a server is subscribed to."""

    publishing_ms = forms.FloatField(
        label="Publishing interval in milliseconds",
        initial=1000.0,
        min_value=10,
        max_value=3_600_000,
        help_text="How often the server sends what changed.",
    )
    sampling_ms = forms.FloatField(
        label="Sampling interval in milliseconds",
        initial=250.0,
        min_value=0,
        max_value=3_600_000,
        help_text="How often the server looks whether a node changed; 0 = as fast as it can.",
    )
    queue_size = forms.IntegerField(
        label="Queue size",
        initial=10,
        min_value=1,
        max_value=10_000,
        help_text="Changes of one node that the server keeps between two publications. What does not fit is a gap.",
    )
    security = forms.ChoiceField(
        label="Security",
        initial=NO_SECURITY,
        choices=[
            (NO_SECURITY, "None"),
            ("sign", "Basic256Sha256, signed"),
            ("sign-encrypt", "Basic256Sha256, signed and encrypted"),
        ],
        help_text="Without security, a user's password may cross the network readably.",
    )
    certificate = forms.CharField(
        label="Certificate file",
        initial="",
        required=False,
        help_text="Path of our certificate (.pem or .der) on the connecting computer.",
    )
    private_key = forms.CharField(
        label="Key file",
        initial="",
        required=False,
        help_text="Path of its private key (.pem or .der).",
    )
    application_uri = forms.CharField(
        label="Application URI",
        initial="urn:mes:connector",
        help_text="What we call ourselves; many servers want the same URI in the certificate.",
    )
    keep_alive = forms.FloatField(
        label="Keep-alive in seconds",
        initial=10.0,
        min_value=0.1,
        max_value=600,
        help_text="A server that has nothing to send says so after this long; when it does not, it is away.",
    )
    timeout = forms.FloatField(
        label="Time-out in seconds",
        initial=4.0,
        min_value=0.1,
        max_value=60,
        help_text="A server that has not answered by then is away.",
    )
    confirm = forms.FloatField(
        label="Confirm after seconds",
        initial=60.0,
        min_value=0.1,
        max_value=3600,
        help_text="States that did not change are delivered again after this long, so that silence means: unknown.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("security", NO_SECURITY) != NO_SECURITY:
            for name in ("certificate", "private_key"):
                if not cleaned.get(name):
                    self.add_error(name, "Security needs a certificate and its key.")
        return cleaned


DOOR = Door(options=Options, address="opc.tcp://plc:4840", run="connectors.opcua.client:run")
