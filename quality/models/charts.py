"""Control charts: how they are set up, their baselines, and the rules that points broke."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import MasterData, append_only
from enterprise.models import Machine, Site
from products.models import Product
from quality.models.plans import Characteristic
from quality.spc.charts import Kind as ChartKind
from quality.spc.rules import RuleSet


def _words(text: str) -> str:
    return text.replace("_", " ").capitalize()


class ControlChart(MasterData):
    """A characteristic followed at a machine, or for a product, or all of it. Later versions of the plan follow."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Kind(models.TextChoices):
        XBAR_R = ChartKind.XBAR_R.value, _("X̄-R: mean and range")
        XBAR_S = ChartKind.XBAR_S.value, _("X̄-S: mean and standard deviation")
        I_MR = ChartKind.I_MR.value, _("I-MR: single values and moving range")
        EWMA = ChartKind.EWMA.value, _("EWMA: weighted moving average")
        P = ChartKind.P.value, _("p: share of nonconforming units")
        NP = ChartKind.NP.value, _("np: number of nonconforming units")
        C = ChartKind.C.value, _("c: defects per sample")
        U = ChartKind.U.value, _("u: defects per unit")

    class Rules(models.TextChoices):
        WESTERN_ELECTRIC = RuleSet.WESTERN_ELECTRIC.value, _("Western Electric")
        NELSON = RuleSet.NELSON.value, _("Nelson")

    class OnSignal(models.TextChoices):
        NOTHING = "nothing", _("Show it")
        NONCONFORMANCE = "nonconformance", _("Raise a non-conformance")
        CONTAIN = "contain", _("Raise one, and block order and lot")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="control_charts")
    characteristic = models.ForeignKey(Characteristic, on_delete=models.PROTECT, related_name="control_charts")
    machine = models.ForeignKey(
        Machine,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="control_charts",
        help_text="Only results of this machine. Empty = of all.",
    )
    product = models.ForeignKey(
        Product,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="control_charts",
        help_text="Only results of this product. Empty = of all.",
    )
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.I_MR)
    subgroup_size = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)], help_text="Results to a point."
    )
    rule_set = models.CharField("rules", max_length=16, choices=Rules, default=Rules.NELSON)
    weight = models.DecimalField(
        "weight λ of an EWMA",
        max_digits=5,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.0001")), MaxValueValidator(Decimal(1))],
    )
    on_signal = models.CharField("when a rule is broken", max_length=14, choices=OnSignal, default=OnSignal.NOTHING)

    class Meta(MasterData.Meta):
        constraints = [
            models.CheckConstraint(
                name="chart_subgroup_fits_its_kind",
                condition=Q(kind="i_mr", subgroup_size=1)
                | Q(kind__in=["xbar_r", "xbar_s"], subgroup_size__gte=2, subgroup_size__lte=25)
                | Q(kind__in=["ewma", "p", "np", "c", "u"]),
                violation_error_message="Single values: subgroups of 1; means: subgroups of 2 to 25.",
            ),
            models.CheckConstraint(
                name="chart_weight_of_an_ewma",
                condition=Q(kind="ewma", weight__isnull=False) | (~Q(kind="ewma") & Q(weight__isnull=True)),
                violation_error_message="An EWMA, and only that, has a weight.",
            ),
        ]


class ChartPhase(models.Model):
    """A baseline that judges a chart's points from a moment on: a fact. Of one moment the last one set holds."""

    site_paths: ClassVar[tuple[str, ...]] = ("chart__site",)

    chart = models.ForeignKey(ControlChart, on_delete=models.PROTECT, related_name="phases")
    name = models.CharField(max_length=100)
    starts_at = models.DateTimeField()
    # As text: at most 20 significant digits, whatever their size.
    centre = models.CharField(max_length=60)
    sigma = models.CharField(max_length=60, blank=True, help_text="Empty on charts of counts.")
    size = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    subgroups = models.PositiveIntegerField()
    learned_from = models.DateTimeField(help_text="The first result that it rests on …")
    learned_until = models.DateTimeField(help_text="… and the end of those.")
    comment = models.CharField(max_length=500, blank=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        ordering = ["chart", "starts_at", "id"]
        triggers = [append_only("chart_phase_append_only")]

    def __str__(self) -> str:
        return f"{self.chart}: {self.name}"


class Signal(models.Model):
    """A point broke a rule: knowledge, recomputed when results come late or are corrected.

    Identity: chart, panel, point, rule.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("chart__site",)

    chart = models.ForeignKey(ControlChart, on_delete=models.CASCADE, related_name="signals")
    panel = models.CharField(max_length=8)
    point_at = models.DateTimeField(help_text="Of the last result of the point.")
    rule = models.CharField(max_length=4)
    text = models.CharField(max_length=200)
    detected_at = models.DateTimeField()

    class Meta:
        ordering = ["-point_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["chart", "panel", "point_at", "rule"], name="one_signal")]

    def __str__(self) -> str:
        return f"{self.rule} on {self.chart} at {self.point_at:%Y-%m-%d %H:%M:%S}"


class SignalAcknowledgement(models.Model):
    """Somebody looked at a signal and says what it was: a fact, by the signal's identity,
    which may go and come back.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("chart__site",)

    chart = models.ForeignKey(ControlChart, on_delete=models.PROTECT, related_name="acknowledgements")
    panel = models.CharField(max_length=8)
    point_at = models.DateTimeField()
    rule = models.CharField(max_length=4)
    comment = models.CharField(max_length=500)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    acknowledged_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["chart", "point_at"], name="acknowledged_signal")]
        triggers = [append_only("signal_acknowledgement_append_only")]

    def __str__(self) -> str:
        return f"{self.rule} on {self.chart}: {self.comment}"
