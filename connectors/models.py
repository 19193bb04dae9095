"""Connectors: which machines speak which protocol where, what their signals mean, and how the connection is."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.models import MasterData
from counts.models import CountTag
from downtime.models import StateReason
from enterprise.models import Machine, Site
from workorders.models import Run


class StateMap(MasterData):
    """What the values of a state signal mean: a table from a device's words or numbers to state reasons."""

    description = models.TextField(blank=True, help_text="Where the numbers come from, for example a standard.")


class StateMapEntry(models.Model):
    """One value of a state signal. The first entry that matches holds."""

    state_map = models.ForeignKey(StateMap, on_delete=models.CASCADE, related_name="entries")
    position = models.PositiveSmallIntegerField(default=1, help_text="Entries are tried in this order.")
    value = models.CharField(
        max_length=200,
        help_text="As the device sends it; * and ? stand for anything. Signals that make up a state are joined by '+'.",
    )
    reason = models.ForeignKey(StateReason, on_delete=models.PROTECT, related_name="+")

    history = HistoricalRecords()

    class Meta:
        verbose_name = "value"
        verbose_name_plural = "values"
        ordering = ["state_map", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["state_map", "value"],
                name="state_map_value_once",
                violation_error_message="The map has an entry for this value already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.value} → {self.reason}"


class Protocol(models.TextChoices):
    """What connectors speak."""

    MQTT = "mqtt", "MQTT with JSON"
    SPARKPLUG = "sparkplug", "MQTT Sparkplug B"
    OPCUA = "opcua", "OPC UA"
    MTCONNECT = "mtconnect", _("MTConnect agent")
    SHDR = "shdr", "MTConnect adapter (SHDR)"
    MODBUS = "modbus", "Modbus TCP"
    FILE_DROP = "filedrop", _("Files in a folder")
    DIGITME2 = "digitme2", "DigitME2 tablets and devices"
    UNS = "uns", _("Unified namespace: publish to MQTT")


class Connector(MasterData):
    """A connection to machines of one site, in one protocol."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="connectors")
    protocol = models.CharField(max_length=10, choices=Protocol)
    address = models.CharField(
        max_length=500,
        blank=True,
        help_text="host:port, an address such as opc.tcp://plc1:4840 or http://agent:5000, or a folder.",
    )
    username = models.CharField(max_length=200, blank=True)
    secret_variable = models.CharField(
        "environment variable of the password",
        max_length=100,
        blank=True,
        help_text="Read the password from this variable of the connecting process instead of storing it.",
    )
    options: Any = models.JSONField(default=dict, blank=True, editable=False)


class ConnectorSecret(models.Model):
    """A connector's password, encrypted; apart from the connector, so that no history and no export has it."""

    connector = models.OneToOneField(Connector, on_delete=models.CASCADE, related_name="secret", primary_key=True)
    encrypted = models.TextField()

    def __str__(self) -> str:
        return f"Password of {self.connector}"


class SignalMapping(models.Model):
    """What one signal of a device means: pieces of a tag, or (part of) the state of a machine."""

    site_paths: ClassVar[tuple[str, ...]] = ("connector__site",)

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="mappings")
    signal = models.CharField(
        max_length=500,
        help_text="What the device calls it: a topic, metric, node id, data item or register.",
    )
    tag = models.ForeignKey(
        CountTag,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="signal_mappings",
        help_text="For a count.",
    )
    machine = models.ForeignKey(
        Machine,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="signal_mappings",
        help_text="For a state.",
    )
    state_map = models.ForeignKey(
        StateMap,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="mappings",
        help_text="What the values mean; empty = the values are codes of state reasons.",
    )
    position = models.PositiveSmallIntegerField(
        default=1, help_text="Order among the signals that together make up a machine's state."
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name = "signal"
        ordering = ["connector", "machine", "position", "signal"]
        constraints = [
            models.UniqueConstraint(
                fields=["connector", "signal", "tag", "machine"],
                nulls_distinct=False,
                name="signal_mapped_once",
                violation_error_message="This signal is mapped to that already.",
            ),
            models.CheckConstraint(
                name="signal_means_count_or_state",
                condition=Q(tag__isnull=False, machine__isnull=True, state_map__isnull=True)
                | Q(tag__isnull=True, machine__isnull=False),
                violation_error_message="Choose a tag (for a count) or a machine (for a state), not both.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.signal} → {self.tag or self.machine}"

    def clean(self) -> None:
        super().clean()
        place = self.tag.machine if self.tag else self.machine
        if place is not None and self.connector_id and place.line.area.site_id != self.connector.site_id:
            field = "tag" if self.tag else "machine"
            raise ValidationError({field: f"'{place}' stands at another site than the connector."})


class ConnectorHealth(models.Model):
    """How a connection is, as the process that runs it last said."""

    class State(models.TextChoices):
        STARTING = "starting", _("Starting")
        CONNECTED = "connected", _("Connected")
        PAUSED = "paused", _("Failed, tries again")
        STOPPED = "stopped", _("Stopped")

    connector = models.OneToOneField(Connector, on_delete=models.CASCADE, related_name="health", primary_key=True)
    state = models.CharField(max_length=10, choices=State)
    since = models.DateTimeField()
    reported_at = models.DateTimeField(help_text="When the running process last reported at all.")
    last_message_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    last_error_at = models.DateTimeField(null=True)
    restarts = models.PositiveIntegerField(default=0)
    messages = models.PositiveBigIntegerField(default=0)
    accepted = models.PositiveBigIntegerField(default=0)
    duplicates = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    gaps = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "connector health"

    def __str__(self) -> str:
        return f"{self.connector}: {self.get_state_display()}"


class StreamPosition(models.Model):
    """How far the numbered messages of one device came: the highest number, and the holes that may still fill."""

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="stream_positions")
    stream = models.CharField(max_length=500, help_text="What the device numbers its messages for, such as a topic.")
    machine = models.CharField(max_length=64, help_text="The code of the machine that a hole says something about.")
    position = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connector", "stream"], name="stream_position_once")]

    def __str__(self) -> str:
        return self.stream


class UnmappedSignal(models.Model):
    """A signal that a connector received and that nobody has mapped: what an engineer may still want."""

    site_paths: ClassVar[tuple[str, ...]] = ("connector__site",)

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="unmapped_signals")
    signal = models.CharField(max_length=500)
    last_value = models.CharField(max_length=200)
    last_received_at = models.DateTimeField()

    class Meta:
        ordering = ["connector", "signal"]
        constraints = [models.UniqueConstraint(fields=["connector", "signal"], name="unmapped_signal_once")]

    def __str__(self) -> str:
        return self.signal


class Tablet(models.Model):
    """A tablet that calls as DigitME2's do: the machine that it stands at, and who is logged in at it."""

    site_paths: ClassVar[tuple[str, ...]] = ("connector__site",)

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="tablets")
    device_uuid = models.CharField("device id", max_length=200, help_text="As the tablet says it, when it first calls.")
    name = models.CharField(max_length=200, blank=True)
    machine = models.ForeignKey(
        Machine,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="tablets",
        help_text="Nobody can log in at a tablet without one.",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    since = models.DateTimeField(null=True, blank=True, editable=False)
    # What the last "end job" said, so that its repetition is known as one.
    ended_run = models.ForeignKey(Run, null=True, editable=False, on_delete=models.SET_NULL, related_name="+")
    ended_good = models.DecimalField(max_digits=24, decimal_places=6, null=True, editable=False)
    ended_rejects = models.DecimalField(max_digits=24, decimal_places=6, null=True, editable=False)

    history = HistoricalRecords(excluded_fields=["user", "since", "ended_run", "ended_good", "ended_rejects"])

    class Meta:
        ordering = ["connector", "name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["connector", "device_uuid"], name="tablet_once"),
            models.CheckConstraint(
                name="tablet_session_has_a_start",
                condition=Q(user__isnull=True) | Q(since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.device_uuid

    def clean(self) -> None:
        super().clean()
        if self.machine is not None and self.connector_id and self.machine.line.area.site_id != self.connector.site_id:
            raise ValidationError({"machine": f"'{self.machine}' stands at another site than the connector."})
