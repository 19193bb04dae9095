"""How labels look, which were printed, and which were printed again."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import MasterData, append_only, code_validator
from enterprise.models import Site
from labels.symbols import Symbology
from labels.wording import BadTemplate, names


class LabelLayout(MasterData):
    """How labels of a kind look: their size, symbol and texts."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)
    without_site_for_all: ClassVar[bool] = True

    class Kind(models.TextChoices):
        QR = Symbology.QR.value, _("QR code")
        CODE_128 = Symbology.CODE_128.value, _("Code 128")
        DATA_MATRIX = Symbology.DATA_MATRIX.value, _("DataMatrix")
        GS1_DATA_MATRIX = Symbology.GS1_DATA_MATRIX.value, _("GS1 DataMatrix")
        GS1_128 = Symbology.GS1_128.value, _("GS1-128 (EAN-128)")

    class Level(models.TextChoices):
        LOW = "L", "L: 7 %"
        MEDIUM = "M", "M: 15 %"
        QUARTILE = "Q", "Q: 25 %"
        HIGH = "H", "H: 30 %"

    site = models.ForeignKey(
        Site,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="label_layouts",
        help_text="Empty = for every site.",
    )
    labels_what = models.CharField(
        "what is labelled",
        max_length=40,
        validators=[code_validator],
        help_text="A word such as pack, lot or carton: a code is printed once for each of them at a site, then refused.",
    )
    symbology = models.CharField("symbol", max_length=14, choices=Kind, default=Kind.QR)
    error_level = models.CharField(
        "error correction",
        max_length=1,
        choices=Level,
        default=Level.HIGH,
        help_text="How much of a QR code may be dirty or torn. Other symbols have their own.",
    )
    width_mm = models.DecimalField(
        "width (mm)", max_digits=5, decimal_places=1, validators=[MinValueValidator(10), MaxValueValidator(210)]
    )
    height_mm = models.DecimalField(
        "height (mm)", max_digits=5, decimal_places=1, validators=[MinValueValidator(8), MaxValueValidator(297)]
    )
    dpi = models.PositiveSmallIntegerField(
        "dots per inch",
        default=203,
        validators=[MinValueValidator(150), MaxValueValidator(600)],
        help_text="The printer's: 203, 300 or 600.",
    )
    text_mm = models.DecimalField(
        "height of the texts (mm)",
        max_digits=3,
        decimal_places=1,
        default="2.5",
        validators=[MinValueValidator(1), MaxValueValidator(20)],
    )
    base_url = models.CharField(
        "address", max_length=200, blank=True, help_text="What {base} stands for, such as https://mes.example.com"
    )
    payload = models.CharField(
        "text of the symbol",
        max_length=300,
        default="{code}",
        help_text="{code} and any field of the rows to print, {base}, {what}, {site}, {number}, {date}; {code:url} inside an"
        " address. GS1: (01){gtin}(21){code}.",
    )
    text_lines = ArrayField(
        models.CharField(max_length=200),
        size=6,
        default=list,
        blank=True,
        verbose_name="texts",
        help_text="Lines beside or below the symbol, with commas between; the same fields: {code}, {date}.",
    )
    on_sheets = models.BooleanField(
        "on A4 sheets", default=False, help_text="A PDF has many labels on each A4 page. Off = one on each page."
    )

    class Meta(MasterData.Meta):
        constraints = [
            models.CheckConstraint(
                name="label_layout_names_its_code",
                condition=Q(payload__contains="{code}") | Q(payload__contains="{code:url}"),
                violation_error_message="The symbol holds {code}, or two labels could not be told apart.",
            )
        ]

    def clean(self) -> None:
        """Refuse braces that belong to no field."""
        for field, template in (("payload", self.payload), *(("text_lines", line) for line in self.text_lines or ())):
            try:
                names(template)
            except BadTemplate as problem:
                raise ValidationError({field: str(problem)}) from None


class LabelBatch(models.Model):
    """Labels that were printed together, with the layout as it was. Identity: `idempotency_key`, where one was sent."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    layout = models.ForeignKey(LabelLayout, on_delete=models.PROTECT, related_name="batches")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="label_batches")
    design: Any = models.JSONField(help_text="The layout's size, symbol and resolution on that day.")
    label_count = models.PositiveIntegerField()
    printed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)
    request_digest = models.CharField(max_length=64, editable=False)

    class Meta:
        verbose_name_plural = "label batches"
        ordering = ["-id"]
        triggers = [append_only("label_batch_append_only")]

    def __str__(self) -> str:
        return f"batch {self.pk} of {self.recorded_at:%Y-%m-%d}"


class Label(models.Model):
    """A code that was given to one thing, once for its kind at a site."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    batch = models.ForeignKey(LabelBatch, on_delete=models.PROTECT, related_name="labels")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    labels_what = models.CharField("what is labelled", max_length=40)
    code = models.CharField(max_length=100)
    position = models.PositiveIntegerField(help_text="Its place in the batch, from 1.")
    payload = models.CharField(max_length=1000, help_text="What the symbol says.")
    texts = ArrayField(models.CharField(max_length=500), default=list, blank=True)

    class Meta:
        ordering = ["batch", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "labels_what", "code"],
                name="label_code_once",
                violation_error_message="A label with this code was printed already.",
            ),
            models.UniqueConstraint(fields=["batch", "position"], name="label_place_in_its_batch"),
        ]
        triggers = [append_only("label_append_only")]

    def __str__(self) -> str:
        return self.code


class LabelReprint(models.Model):
    """A label was printed again, because it was torn, dirty or lost: a fact with a reason."""

    site_paths: ClassVar[tuple[str, ...]] = ("label__site",)

    label = models.ForeignKey(Label, on_delete=models.PROTECT, related_name="reprints")
    reason = models.CharField(max_length=500)
    printed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(name="label_reprint_has_a_reason", condition=~Q(reason=""))]
        triggers = [append_only("label_reprint_append_only")]

    def __str__(self) -> str:
        return f"{self.label}: {self.reason}"
