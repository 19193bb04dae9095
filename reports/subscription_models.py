"""Reports that are sent by e-mail, what became of each, and lists that are made into files in the background."""

from datetime import time
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from accounts.models import Role
from core.models import MasterData
from enterprise.models import Area, Line, Machine, Site


class ReportSubscription(MasterData):
    """A report that goes out by itself: which, of what, when, in which form. Who gets it is in its recipients."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class When(models.TextChoices):
        SHIFT_END = "shift_end", _("At the end of each shift")
        DAILY = "daily", _("Daily, about the production day before")
        WEEKLY = "weekly", _("Weekly, about the seven days before")
        MONTHLY = "monthly", _("Monthly, about the month before")

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    report = models.CharField(max_length=20, help_text=_("Which report."))
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="report_subscriptions")
    area = models.ForeignKey(
        Area,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="report_subscriptions",
        help_text=_("Only it."),
    )
    line = models.ForeignKey(
        Line,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="report_subscriptions",
        help_text=_("Only it."),
    )
    machine = models.ForeignKey(
        Machine,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="report_subscriptions",
        help_text=_("Only it."),
    )
    when = models.CharField(max_length=10, choices=When, default=When.SHIFT_END)
    at = models.TimeField(
        _("at"), default=time(6, 30), help_text=_("The time at the site; not used at the end of a shift.")
    )
    weekday = models.PositiveSmallIntegerField(choices=Weekday, default=Weekday.MONDAY, help_text=_("For weekly ones."))
    month_day = models.PositiveSmallIntegerField(
        _("day of the month"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(28)],
        help_text=_("For monthly ones, 1 to 28."),
    )
    delay_minutes = models.PositiveSmallIntegerField(
        _("minutes after the shift"),
        default=10,
        validators=[MaxValueValidator(720)],
        help_text=_("How long to wait for late facts and last entries, at the end of a shift."),
    )
    as_pdf = models.BooleanField(_("PDF"), default=True)
    as_xlsx = models.BooleanField(_("Excel"), default=False)
    as_csv = models.BooleanField(_("CSV"), default=False)
    language = models.CharField(max_length=10, default="en")
    active_from = models.DateTimeField(default=timezone.now, help_text=_("What was due before is not sent."))

    def clean(self) -> None:
        """Refuse a place that is not the site's, and more than one."""
        errors: dict[str, Any] = {}
        places = [name for name in ("area", "line", "machine") if getattr(self, f"{name}_id") is not None]
        if len(places) > 1:
            errors[places[-1]] = _("Choose one place: the site, an area, a line or a machine.")
        for name in places:
            place = getattr(self, name)
            of_site = {"area": "site_id", "line": "area", "machine": "line"}[name]
            site_id = place.site_id if name == "area" else _site_of(getattr(place, of_site))
            if site_id != self.site_id:
                errors[name] = _("It belongs to another site.")
        if errors:
            raise ValidationError(errors)

    @property
    def place(self) -> Site | Area | Line | Machine:
        """What the report is about."""
        return self.machine or self.line or self.area or self.site


def _site_of(place: Area | Line) -> int:
    return place.site_id if isinstance(place, Area) else place.area.site_id


class ReportRecipient(models.Model):
    """Who gets a subscribed report: a person, or whoever has a role at its site."""

    site_paths: ClassVar[tuple[str, ...]] = ("subscription__site",)

    subscription = models.ForeignKey(ReportSubscription, on_delete=models.CASCADE, related_name="recipients")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="report_subscriptions"
    )
    role = models.CharField(max_length=12, choices=Role, blank=True)

    history: Any = HistoricalRecords()

    class Meta:
        ordering = ["subscription", "id"]
        constraints = [
            models.CheckConstraint(
                name="report_recipient_is_person_or_role",
                condition=Q(user__isnull=False, role="") | Q(user__isnull=True) & ~Q(role=""),
                violation_error_message=_("Choose a person or a role."),
            ),
            models.UniqueConstraint(
                fields=["subscription", "user", "role"],
                nulls_distinct=False,
                name="report_recipient_once",
                violation_error_message=_("They get it already."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.user) if self.user_id is not None else str(Role(self.role).label)


class ReportMail(models.Model):
    """One report for one person: planned once, whatever number of workers plan; and what became of it.

    Up to `HANDING_OVER` it is tried again until it works; from there on it is never repeated by itself, because the
    mail server may have taken it.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("subscription__site",)

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        PREPARING = "preparing", _("Being prepared")
        HANDING_OVER = "handing_over", _("Being handed to the mail server")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Given up")
        UNCLEAR = "unclear", _("Perhaps sent")
        WITHDRAWN = "withdrawn", _("Not sent: no right or no address any more")

    subscription = models.ForeignKey(ReportSubscription, on_delete=models.CASCADE, related_name="mails")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    occasion = models.CharField(max_length=80, help_text=_("The shift, day, week or month that it is about."))
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    due_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    claim = models.UUIDField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    address = models.CharField(max_length=254, blank=True)
    message_id = models.CharField(max_length=200, blank=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("report by e-mail")
        verbose_name_plural = _("reports by e-mail")
        ordering = ["-due_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "occasion", "user"], name="report_mail_once"),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(status__in=("waiting", "preparing", "handing_over")),
                name="report_mail_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.subscription}, {self.occasion}, {self.user}"


class ExportJob(models.Model):
    """A list that is made into a file in the background: the same request, made by the worker as who asked for it."""

    site_paths: ClassVar[tuple[str, ...]] = ()

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Being made")
        DONE = "done", _("Ready")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    path = models.CharField(max_length=2000, help_text=_("The address of the list, with its filters."))
    form = models.CharField(max_length=4)
    language = models.CharField(max_length=10, default="en")
    name = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=9, choices=Status, default=Status.WAITING)
    claim = models.UUIDField(null=True, blank=True)
    rows_total = models.PositiveIntegerField(null=True, blank=True)
    rows_done = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0, help_text=_("Bytes."))
    error = models.CharField(max_length=500, blank=True)
    asked_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text=_("When the worker last said that it is at it."))
    finished_at = models.DateTimeField(null=True, blank=True)
    kept_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-asked_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name or self.path} ({self.form})"


class ExportPiece(models.Model):
    """A piece of a finished file: in the database, where every web process finds it."""

    job = models.ForeignKey(ExportJob, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["job", "number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="export_piece_once")]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.number}"
