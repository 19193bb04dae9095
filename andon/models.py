"""Calls for help at machines (andon): their types, how they escalate, the calls, and what was done about each."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from accounts.models import Role
from core.models import MasterData, append_only, noted_change
from core.names import NamesInLanguages
from enterprise.models import Machine
from workorders.models import WorkOrder

MOST_MINUTES = 7 * 24 * 60


class CallType(NamesInLanguages, MasterData):
    """What can be called for: maintenance, material, quality, help."""

    class Tone(models.TextChoices):
        CALL = "call", _("Blue: a call")
        UNPLANNED = "unplanned", _("Red: a fault")
        CHANGEOVER = "changeover", _("Amber: a warning")
        PLANNED = "planned", _("Grey: information")

    icon = models.CharField(
        max_length=50,
        blank=True,
        validators=[RegexValidator(r"^[a-z0-9-]+\Z", _("Write the icon's name, such as tools or box-seam."))],
        help_text=_("The name of one of the interface's icons, such as tools or box-seam; empty = a bell."),
    )
    tone = models.CharField(
        _("colour"), max_length=10, choices=Tone, default=Tone.CALL, help_text=_("As on a stack light.")
    )
    position = models.PositiveSmallIntegerField(default=10, help_text=_("Order among the buttons."))

    class Meta(MasterData.Meta):
        triggers = [noted_change()]
        ordering = ["position", "code"]


class EscalationStep(models.Model):
    """Who has to know when a call stands for some minutes and nobody has acknowledged it, come, or fixed it."""

    site_paths: ClassVar[tuple[str, ...]] = ()

    class Until(models.TextChoices):
        ACKNOWLEDGED = "acknowledged", _("somebody acknowledged it")
        ARRIVED = "arrived", _("somebody came")
        FIXED = "fixed", _("it is fixed")

    call_type = models.ForeignKey(CallType, on_delete=models.CASCADE, related_name="escalation_steps")
    after_minutes = models.PositiveIntegerField(
        validators=[MinValueValidator(0), MaxValueValidator(MOST_MINUTES)],
        help_text=_("Minutes after the call; 0 = at once."),
    )
    unless = models.CharField(
        _("unless by then"),
        max_length=12,
        choices=Until,
        default=Until.ACKNOWLEDGED,
        help_text=_("What stops it: from then on nobody else is told."),
    )
    role = models.CharField(
        max_length=12, choices=Role, blank=True, help_text=_("Everybody with this role at the machine's site …")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("… or one person."),
    )

    history = HistoricalRecords()

    class Meta:
        triggers = [noted_change()]
        ordering = ["call_type", "after_minutes", "id"]
        constraints = [
            models.CheckConstraint(
                name="escalation_names_role_or_person",
                condition=(Q(role="") & Q(person__isnull=False)) | (~Q(role="") & Q(person__isnull=True)),
                violation_error_message=_("Name a role or a person, one of the two."),
            ),
            models.CheckConstraint(
                name="escalation_within_a_week", condition=Q(after_minutes__gte=0, after_minutes__lte=MOST_MINUTES)
            ),
            models.UniqueConstraint(
                fields=["call_type", "after_minutes", "role", "person"],
                nulls_distinct=False,
                name="escalation_step_once",
                violation_error_message=_("They are told then already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.call_type} after {self.after_minutes} min: {self.who}"

    @property
    def who(self) -> str:
        """Whom it tells, in words."""
        return str(self.person) if self.person_id else str(self.get_role_display())


class AndonCall(models.Model):
    """Somebody at a machine called for help. Its status is that of its furthest step. Identity: the idempotency key."""

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    class Status(models.TextChoices):
        CALLED = "called", _("Called")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        ARRIVED = "arrived", _("Somebody is there")
        FIXED = "fixed", _("Fixed")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN: ClassVar[tuple[str, ...]] = (Status.CALLED, Status.ACKNOWLEDGED, Status.ARRIVED)

    call_type = models.ForeignKey(CallType, on_delete=models.PROTECT, related_name="calls")
    machine = models.ForeignKey(Machine, on_delete=models.PROTECT, related_name="andon_calls")
    work_order = models.ForeignKey(
        WorkOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="andon_calls"
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.CALLED)
    called_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)

    class Meta:
        verbose_name = "call"
        ordering = ["-called_at", "-id"]
        indexes = [
            models.Index(fields=["machine", "called_at"], name="andon_call_of_machine"),
            models.Index(
                fields=["machine"],
                condition=Q(status__in=("called", "acknowledged", "arrived")),
                name="andon_call_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.call_type} at {self.machine}, {self.called_at:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.status in self.OPEN


class AndonStep(models.Model):
    """What was done about a call, when and by whom: a fact. Identity: the idempotency key, or an escalation's step."""

    site_paths: ClassVar[tuple[str, ...]] = ("call__machine__line__area__site",)

    class Kind(models.TextChoices):
        CALLED = "called", _("Called")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        ARRIVED = "arrived", _("Arrived")
        FIXED = "fixed", _("Fixed")
        CANCELLED = "cancelled", _("Cancelled")
        ESCALATED = "escalated", _("Escalated")

    call = models.ForeignKey(AndonCall, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=12, choices=Kind)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The log-in; empty = the clock escalated it.",
    )
    person = models.CharField(
        max_length=300, blank=True, help_text="In whose name, at a terminal that several people share."
    )
    note = models.CharField(max_length=500, blank=True)
    after_minutes = models.PositiveIntegerField(null=True, blank=True, help_text="Of an escalation: its minutes …")
    told_role = models.CharField(max_length=12, choices=Role, blank=True, help_text="… and whom it told.")
    told_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)

    class Meta:
        verbose_name = "step of a call"
        verbose_name_plural = "steps of calls"
        ordering = ["-id"]
        indexes = [models.Index(fields=["call", "kind"], name="andon_step_of_call")]
        constraints = [
            models.UniqueConstraint(
                fields=["call", "after_minutes", "told_role", "told_person"],
                condition=Q(kind="escalated"),
                nulls_distinct=False,
                name="andon_escalated_once",
            )
        ]
        triggers = [append_only("andon_step_append_only")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.call}"

    @property
    def who(self) -> Any:
        """Who did it, as people know them."""
        return self.person or self.recorded_by or ""
