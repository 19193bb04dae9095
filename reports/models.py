"""The customer's workbooks, their versions, and which cell says what."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from core.models import MasterData, append_only
from enterprise.models import Site
from reports import sources
from reports.fields import BadPath, check_list_path, check_path
from reports.subscription_models import ExportJob as ExportJob
from reports.subscription_models import ExportPiece as ExportPiece
from reports.subscription_models import ReportMail as ReportMail
from reports.subscription_models import ReportRecipient as ReportRecipient
from reports.subscription_models import ReportSubscription as ReportSubscription


class WorkbookTemplate(MasterData):
    """A workbook of the customer's that is filled with one record: an order, a lot. Its file is a `WorkbookVersion`."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)
    without_site_for_all: ClassVar[bool] = True

    site = models.ForeignKey(
        Site,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="workbook_templates",
        help_text="Empty = for every site.",
    )
    source = models.CharField("filled with", max_length=40, help_text="What one filled workbook is about.")

    def clean(self) -> None:
        """Refuse what cannot be reported on."""
        if self.source not in sources.names():
            raise ValidationError({"source": f"There is no '{self.source}'; one of: {', '.join(sources.names())}."})


class WorkbookVersion(models.Model):
    """A file that was uploaded for a template, as it came. The last one is filled; none is ever changed."""

    site_paths: ClassVar[tuple[str, ...]] = ("template__site",)
    without_site_for_all: ClassVar[bool] = True

    template = models.ForeignKey(WorkbookTemplate, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.BinaryField(editable=False)
    size = models.PositiveIntegerField()
    content_digest = models.CharField("SHA-256", max_length=64)
    file_name = models.CharField(max_length=200)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["template", "-number"]
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="workbook_version_number")]
        triggers = [append_only("workbook_version_append_only")]

    def __str__(self) -> str:
        return f"{self.template} {self.number}"


class WorkbookMapping(models.Model):
    """A cell of a template, or a column of a repeating block, and the field that fills it."""

    site_paths: ClassVar[tuple[str, ...]] = ("template__site",)
    without_site_for_all: ClassVar[bool] = True

    template = models.ForeignKey(WorkbookTemplate, on_delete=models.CASCADE, related_name="mappings")
    target = models.CharField(
        max_length=200, help_text="A name of the workbook (PACK_ID), or a cell: J6, or Card!J6 on a sheet."
    )
    path = models.CharField(
        "field", max_length=300, help_text="order_number, product.name; or a text with fields: Pack: {order_number}"
    )
    list_path = models.CharField(
        "for each of",
        max_length=200,
        blank=True,
        help_text="operations: one row for each, from the target downwards; the field is then one of theirs. Empty = one cell.",
    )
    row_step = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(100)], help_text="Rows from one to the next."
    )
    max_rows = models.PositiveSmallIntegerField(
        "at most",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="How many the block has room for: the rest of it is emptied, and more than that is refused. Empty = as many"
        " as there are.",
    )

    history: Any = HistoricalRecords()

    class Meta:
        ordering = ["template", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["template", "target"],
                name="workbook_target_once",
                violation_error_message="The cell is filled already.",
            ),
            models.CheckConstraint(
                name="workbook_room_is_of_a_block", condition=~Q(list_path="") | Q(max_rows__isnull=True, row_step=1)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target} = {self.path}"

    def clean(self) -> None:
        """Refuse a field that cannot be read as one."""
        for field, check in (("path", check_path), ("list_path", check_list_path)):
            try:
                check(getattr(self, field))
            except BadPath as problem:
                raise ValidationError({field: str(problem)}) from None
