"""Counts: what a tag measures, and the readings that machines sent. Increments are derived when read."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.models import MasterData, append_only, noted_change
from core.names import NamesInLanguages
from enterprise.models import Machine


class CountType(NamesInLanguages, MasterData):
    """What is counted, and what it means for quality."""

    class Role(models.TextChoices):
        GOOD = "good", _("Good pieces")
        REJECT = "reject", _("Rejected pieces")
        REWORK = "rework", _("Pieces to rework")
        INFEED = "infeed", _("Pieces fed in")
        TOTAL = "total", _("All pieces made")

    role = models.CharField(max_length=8, choices=Role)

    class Meta(MasterData.Meta):
        triggers = [noted_change()]


class CountTag(models.Model):
    """One counter of one machine, as the device calls it."""

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    class Mode(models.TextChoices):
        DELTA = "delta", _("Delta: each value is the number of new pulses")
        RUNNING = "running", _("Running counter: each value is the counter's reading")

    class ResetPolicy(models.TextChoices):
        FROM_ZERO = "from_zero", _("It restarted from zero: the reading counts")
        NEW_BASELINE = "new_baseline", _("It was set anew: only the next rise counts")
        HOLD = "hold", _("Nobody knows: count nothing until a person has said")

    tag_path = models.CharField(
        max_length=255, unique=True, help_text="How the device names it, for example L1/FILLER/good."
    )
    machine = models.ForeignKey(Machine, on_delete=models.PROTECT, related_name="count_tags")
    count_type = models.ForeignKey(CountType, on_delete=models.PROTECT, related_name="tags")
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.DELTA)
    scale = models.DecimalField(
        "pieces per pulse",
        max_digits=12,
        decimal_places=6,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal("0.000001"))],
        help_text="What one counted pulse stands for, exactly: 0.5 when a piece makes two pulses.",
    )
    cavities = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1)],
        help_text="Pieces that come at once: 6 for a six-cavity mould. Multiplies the pieces per pulse.",
    )
    offset = models.DecimalField(
        max_digits=20,
        decimal_places=6,
        default=Decimal(0),
        help_text="Added to what the device sends before it counts, in pulses: -1000 when its zero reads 1000.",
    )
    modulus = models.DecimalField(
        max_digits=20,
        decimal_places=0,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(2))],
        help_text="A running counter's span: 65536 rolls over from 65535 to 0. Empty = it does not roll over.",
    )
    reset_policy = models.CharField(
        max_length=12,
        choices=ResetPolicy,
        default=ResetPolicy.FROM_ZERO,
        help_text="What a lower reading means on a running counter that did not roll over.",
    )
    fastest_rate = models.DecimalField(
        "fastest rate (pulses/s)",
        max_digits=14,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.000001"))],
        help_text="A running counter that rises faster is not believed: its pieces are held back until a person has"
        " said what happened. Empty = only a fall that no rollover and no restart explains is held back.",
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="A tag that is switched off refuses new readings."
    )

    history = HistoricalRecords()

    class Meta:
        triggers = [noted_change()]
        ordering = ["tag_path"]
        constraints = [
            models.CheckConstraint(
                name="count_tag_scale_positive",
                condition=Q(scale__gt=0),
                violation_error_message="Pieces per pulse is greater than zero.",
            ),
            models.CheckConstraint(
                name="count_tag_modulus_of_running_counter",
                condition=Q(modulus__isnull=True) | Q(mode="running", modulus__gte=2),
                violation_error_message="Only a running counter has a modulus, and it is at least 2.",
            ),
            models.CheckConstraint(
                name="count_tag_cavities_positive",
                condition=Q(cavities__gte=1),
                violation_error_message="There is at least one cavity.",
            ),
            models.CheckConstraint(
                name="count_tag_fastest_rate_positive",
                condition=Q(fastest_rate__isnull=True) | Q(fastest_rate__gt=0),
                violation_error_message="The fastest rate is greater than zero.",
            ),
        ]

    def __str__(self) -> str:
        return self.tag_path


class CountHistory(models.Model):
    """A reading of a tag at a moment: a fact, kept as it came. Identity: (tag, occurred_at).

    `value` is in pulses of the device; `CountTag.scale` turns it into pieces when read. No foreign key in the
    database, for speed: the writing service knows its tags.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("tag__machine__line__area__site",)

    pk = models.CompositePrimaryKey("tag_id", "occurred_at")
    tag = models.ForeignKey(
        CountTag, on_delete=models.DO_NOTHING, related_name="readings", db_constraint=False, db_index=False
    )
    occurred_at = models.DateTimeField()
    value = models.DecimalField(max_digits=24, decimal_places=6)
    recorded_at = models.DateTimeField()
    source = models.CharField(
        max_length=64, default="", help_text="Who delivered it: a device key's prefix or a person."
    )

    class Meta:
        verbose_name = "count reading"
        verbose_name_plural = "count history"
        ordering = ["-occurred_at", "tag_id"]
        triggers = [append_only("count_history_append_only")]

    def __str__(self) -> str:
        return f"{self.tag_id} {self.occurred_at.isoformat()}: {self.value}"


class CountCorrection(models.Model):
    """A person's later word on a reading: another value, or none at all (the reading is void). The last one holds."""

    site_paths: ClassVar[tuple[str, ...]] = ("tag__machine__line__area__site",)

    tag = models.ForeignKey(CountTag, on_delete=models.PROTECT, related_name="corrections")
    occurred_at = models.DateTimeField(help_text="Of the reading that is corrected.")
    value = models.DecimalField(max_digits=24, decimal_places=6, null=True, help_text="Empty = the reading is void.")
    comment = models.CharField(max_length=500)
    corrected_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(F("tag"), F("occurred_at"), name="count_correction_of_reading")]
        triggers = [append_only("count_correction_append_only")]

    def __str__(self) -> str:
        return f"{self.tag_id} {self.occurred_at.isoformat()} → {'void' if self.value is None else self.value}"


class CounterEvent(models.Model):
    """What happened to a running counter at a moment, said by its device or by a person. A fact.

    It explains the step between the readings around it. Of several between two readings the latest moment holds, and
    of several at one moment a person's word over the device's, the last one of each.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("tag__machine__line__area__site",)

    class Kind(models.TextChoices):
        RESET = "reset", _("Reset: it went on from the value that is given, or by the tag's policy")
        REPLACED = "replaced", _("Replaced: another counter, whose first reading is its baseline")
        ROLLOVER = "rollover", _("Rolled over once, at its modulus")
        GENUINE = "genuine", _("Nothing: the rise was real")

    tag = models.ForeignKey(CountTag, on_delete=models.PROTECT, related_name="events")
    occurred_at = models.DateTimeField()
    kind = models.CharField(max_length=8, choices=Kind)
    value = models.DecimalField(
        max_digits=24, decimal_places=6, null=True, help_text="What the counter read right after a reset."
    )
    comment = models.CharField(max_length=500, blank=True)
    stated_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    source = models.CharField(max_length=64, default="", help_text="Who delivered it: a device key's prefix.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tag", "occurred_at"], condition=Q(stated_by__isnull=True), name="counter_event_of_device_once"
            )
        ]
        indexes = [models.Index(fields=["tag", "occurred_at"], name="counter_event_of_tag")]
        triggers = [append_only("counter_event_append_only")]

    def __str__(self) -> str:
        return f"{self.tag_id} {self.occurred_at.isoformat()}: {self.kind}"


class CountReading(models.Model):
    """A reading as lists of single-key things can show it: a database view over `CountHistory` with a text id."""

    site_paths: ClassVar[tuple[str, ...]] = ("tag__machine__line__area__site",)

    id = models.CharField(primary_key=True, max_length=60, help_text="The tag's id, @, and the moment in UTC.")
    tag = models.ForeignKey(CountTag, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    occurred_at = models.DateTimeField()
    value = models.DecimalField(max_digits=24, decimal_places=6)
    recorded_at = models.DateTimeField()
    source = models.CharField(max_length=64)

    class Meta:
        managed = False
        db_table = "count_reading"
        # Backwards along the primary key of the facts, so that a page of them needs no sorting.
        ordering = ["-tag_id", "-occurred_at"]
        constraints = [models.UniqueConstraint(fields=["tag", "occurred_at"], name="count_reading_identity")]

    def __str__(self) -> str:
        return f"{self.tag} {self.occurred_at:%Y-%m-%d %H:%M:%S}"
