"""The settings of a Modbus TCP connection."""

from django import forms

from connectors.doors import Door
from connectors.modbus.registers import MAX_REGISTERS, MAX_UNIT, WIDEST


class Options(forms.Form):
    """How a device is asked."""

    unit = forms.IntegerField(
        label="Unit id",
        initial=1,
        min_value=0,
        max_value=MAX_UNIT,
        help_text="Of signals that name none. Behind a gateway it chooses the device; 1 or 255 for most others.",
    )
    interval_ms = forms.IntegerField(
        label="Poll interval in milliseconds",
        initial=1000,
        min_value=20,
        max_value=3_600_000,
        help_text="How often everything is read. A device that takes longer is asked again when it has answered.",
    )
    word_order = forms.ChoiceField(
        label="Word order",
        initial="big",
        choices=[("big", "High word first"), ("little", "Low word first (swapped)")],
        help_text="Of 32 and 64-bit numbers whose signal says nothing else.",
    )
    byte_order = forms.ChoiceField(
        label="Byte order",
        initial="big",
        choices=[("big", "High byte first (the standard)"), ("little", "Low byte first")],
        help_text="Inside each register, where the signal says nothing else.",
    )
    timeout = forms.FloatField(
        label="Time-out in seconds",
        initial=3.0,
        min_value=0.05,
        max_value=60,
        help_text="A device that has not answered by then is unreachable.",
    )
    largest_block = forms.IntegerField(
        label="Largest block",
        initial=MAX_REGISTERS,
        min_value=WIDEST,
        max_value=MAX_REGISTERS,
        help_text="Registers that one request may read; some devices allow fewer than the protocol.",
    )
    confirm = forms.FloatField(
        label="Confirm after seconds",
        initial=60.0,
        min_value=1,
        max_value=3600,
        help_text="What did not change is delivered again after this long, so that silence means that nothing is known.",
    )


DOOR = Door(options=Options, address="plc1:502", run="connectors.modbus.poller:run")
