"""Dashboards and their tiles: what an engineer composes in the admin."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from accounts.models import Role
from core.models import MasterData
from enterprise.models import Area, Line, Site
from oee.engine.catalogue import KPIS
from oee.models import CustomKpi

MOST_TILES = 24
"""As many tiles as a dashboard has at most: each costs queries of its own."""


class Dashboard(MasterData):
    """A page of tiles about a place and a period, for a role; the nearest place that is given holds."""

    class Period(models.TextChoices):
        SHIFT = "shift", _("The shift")
        DAY = "day", _("The day")
        WEEK = "week", _("The week")
        MONTH = "month", _("The month")

    site_paths: ClassVar[tuple[str, ...]] = ("site",)
    without_site_for_all: ClassVar[bool] = True

    site = models.ForeignKey(
        Site,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="dashboards",
        help_text="Empty = each reader sees the lines of their own sites.",
    )
    area = models.ForeignKey(Area, null=True, blank=True, on_delete=models.CASCADE, related_name="dashboards")
    line = models.ForeignKey(
        Line,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="dashboards",
        help_text="The line that it is about at first; on the page another one can be chosen.",
    )
    role = models.CharField(
        max_length=12,
        choices=Role,
        blank=True,
        help_text="Whom it is for. Everybody else finds it, too. Empty = everybody.",
    )
    is_landing = models.BooleanField(
        "is where they land", default=False, help_text="People of the role see it first after they log in."
    )
    period = models.CharField(max_length=5, choices=Period, default=Period.SHIFT, help_text="What it shows at first.")
    refresh_seconds = models.PositiveSmallIntegerField(
        "refresh every (s)",
        default=60,
        validators=[MinValueValidator(10), MaxValueValidator(3600)],
        help_text="How often an open page fetches its tiles anew.",
    )
    position = models.PositiveSmallIntegerField(default=100, help_text="Its place in the list; the lowest comes first.")

    class Meta(MasterData.Meta):
        ordering = ["position", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["role", "site"],
                condition=Q(is_landing=True, is_active=True),
                nulls_distinct=False,
                name="one_landing_dashboard_of_a_role",
                violation_error_message="The role lands on another dashboard there already.",
            ),
            models.CheckConstraint(
                name="landing_dashboard_has_a_role",
                condition=Q(is_landing=False) | ~Q(role=""),
                violation_error_message="Say whose landing page it is.",
            ),
        ]

    def clean(self) -> None:
        """Refuse a place that is not within the others."""
        if self.area is not None and self.site_id is not None and self.area.site_id != self.site_id:
            raise ValidationError({"area": "The area is of another site."})
        if self.line is not None and self.area_id is not None and self.line.area_id != self.area_id:
            raise ValidationError({"line": "The line is of another area."})
        if self.line is not None and self.site_id is not None and self.line.area.site_id != self.site_id:
            raise ValidationError({"line": "The line is of another site."})
        if (self.area_id or self.line_id) and self.site_id is None:
            raise ValidationError({"site": "Name the site of the area or line."})


class Tile(models.Model):
    """A part of a dashboard. Which fields count depends on its kind; the others stay empty."""

    class Kind(models.TextChoices):
        KPI = "kpi", _("A KPI, as a number")
        TREND = "trend", _("A KPI over time")
        TIMELINE = "timeline", _("What machines did, as a timeline")
        PARETO = "pareto", _("Losses, the largest first")
        TABLE = "table", _("A table")
        PLAN = "plan", _("Plan and actual quantities")
        TEXT = "text", _("A text")

    class Width(models.IntegerChoices):
        QUARTER = 3, _("A quarter")
        THIRD = 4, _("A third")
        HALF = 6, _("Half")
        TWO_THIRDS = 8, _("Two thirds")
        WHOLE = 12, _("The whole width")

    class Step(models.TextChoices):
        HOUR = "hour", _("Hours")
        SHIFT = "shift", _("Shifts")
        DAY = "day", _("Days")

    class Losses(models.TextChoices):
        REASON = "reason", _("Reasons")
        MACHINE = "machine", _("Machines")
        SHIFT = "shift", _("Shifts")

    class Measure(models.TextChoices):
        TIME = "time", _("Lost time")
        COUNT = "count", _("How often")
        PIECES = "pieces", _("Lost pieces")

    class Content(models.TextChoices):
        LINES = "lines", _("The lines now")
        ORDERS = "orders", _("What is planned, and what became of it")
        LATE = "late", _("Orders that are late")

    class PlanBy(models.TextChoices):
        ORDER = "order", _("Orders")
        DAY = "day", _("Days")
        LINE = "line", _("Lines")

    site_paths: ClassVar[tuple[str, ...]] = ("dashboard__site",)
    without_site_for_all: ClassVar[bool] = True

    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="tiles")
    position = models.PositiveSmallIntegerField(default=10, help_text="The lowest comes first.")
    kind = models.CharField(max_length=8, choices=Kind)
    title = models.CharField(max_length=120, blank=True, help_text="Empty = it is called by what it shows.")
    width = models.PositiveSmallIntegerField(choices=Width, default=Width.THIRD)
    kpi = models.CharField(
        "KPI", max_length=64, blank=True, help_text="Code of a KPI, as listed at /kpis/: oee_index, availability …"
    )
    step = models.CharField("points are", max_length=5, choices=Step, blank=True, help_text="Of a KPI over time.")
    by_line = models.BooleanField(default=False, help_text="Of a KPI over time: each line on its own.")
    losses = models.CharField("losses by", max_length=7, choices=Losses, blank=True)
    measure = models.CharField("losses in", max_length=6, choices=Measure, blank=True)
    content = models.CharField("table of", max_length=6, choices=Content, blank=True)
    plan_by = models.CharField("plan by", max_length=5, choices=PlanBy, blank=True)
    rows = models.PositiveSmallIntegerField(
        "at most so many", default=10, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    line = models.ForeignKey(
        Line,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="tiles",
        help_text="Always of this line. Empty = of the dashboard's place.",
    )
    text = models.TextField(max_length=4000, blank=True, help_text="Of a text: shown as it is, an empty line parts.")

    history = HistoricalRecords()

    NEEDED: ClassVar[dict[str, tuple[str, ...]]] = {
        Kind.KPI: ("kpi",),
        Kind.TREND: ("kpi",),
        Kind.TABLE: ("content",),
        Kind.TEXT: ("text",),
    }

    class Meta:
        ordering = ["dashboard", "position", "id"]

    def __str__(self) -> str:
        return self.title or str(self.get_kind_display())

    def clean(self) -> None:
        """Refuse a tile that lacks what its kind shows, a KPI that nobody knows, and one tile too many."""
        missing = {
            name: "This kind of tile needs it." for name in self.NEEDED.get(self.kind, ()) if not getattr(self, name)
        }
        if missing:
            raise ValidationError(missing)
        if self.kpi and self.kpi not in KPIS and not CustomKpi.objects.filter(code=self.kpi).exists():
            raise ValidationError({"kpi": f"There is no KPI '{self.kpi}'; /kpis/ lists them with their codes."})
        board: Any = self.dashboard if self.dashboard_id else None
        if board is not None:
            if self.line is not None and board.site_id is not None and self.line.area.site_id != board.site_id:
                raise ValidationError({"line": "The line is of another site."})
            if Tile.objects.filter(dashboard=board).exclude(pk=self.pk).count() >= MOST_TILES:
                raise ValidationError(f"A dashboard has at most {MOST_TILES} tiles.")
