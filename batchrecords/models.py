"""Batch records: the record of an order, its signatures, deviations and typed execution steps.

What a record contains is assembled from facts when it is read (`batchrecords.assembly`); a signature keeps what it saw.
"""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from accounts.audit import audited
from core.models import append_only
from enterprise.models import Site
from materials.models import MaterialLot
from products.models import RoutingOperation
from workorders.models import Operation, WorkOrder

SEVERITIES = [("critical", _("Critical")), ("major", _("Major")), ("minor", _("Minor"))]


class SigningPolicy(models.Model):
    """What a site decides about its batch records. A site without one has the defaults."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="signing_policy")
    reviewer_may_have_prepared = models.BooleanField(
        default=False, help_text="Off = whoever prepared a record does not review it."
    )
    approver_may_have_signed = models.BooleanField(
        default=False, help_text="Off = whoever prepared or reviewed a record does not approve it."
    )
    releaser_may_have_approved = models.BooleanField(
        default=True, help_text="Off = whoever approved a record does not release it."
    )
    stop_minutes = models.PositiveSmallIntegerField(
        "stop is a deviation from (min)",
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 60)],
        help_text="An unplanned stop that lasted so long is listed for review.",
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "signing policies"
        ordering = ["site"]

    def __str__(self) -> str:
        return f"Signing policy of {self.site}"


@audited
class BatchRecord(models.Model):
    """The record of an order, or of one lot that an order made. `status` follows from its signatures.

    Product, batch size, formula and version, dates and area are the order's and the lot's: assembled, not copied.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("work_order__line__area__site",)

    class Status(models.TextChoices):
        IN_PROGRESS = "in_progress", _("In progress")
        UNDER_REVIEW = "under_review", _("Under review")
        APPROVED = "approved", _("Approved")
        RELEASED = "released", _("Released")
        REJECTED = "rejected", _("Rejected")

    class Requirement(models.TextChoices):
        FDA = "fda", "FDA 21 CFR 11, 210 and 211"
        GMP = "gmp", "EU GMP, Annex 11"
        ISO = "iso", "ISO 13485"
        IATF = "iatf", "IATF 16949"

    number = models.CharField(max_length=64, unique=True)
    work_order = models.ForeignKey(WorkOrder, on_delete=models.PROTECT, related_name="batch_records")
    lot = models.ForeignKey(
        MaterialLot,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="batch_records",
        help_text="One lot of what the order made. Empty = all of it.",
    )
    requirement = models.CharField(max_length=4, choices=Requirement, blank=True, help_text="What it has to satisfy.")
    status = models.CharField(max_length=12, choices=Status, default=Status.IN_PROGRESS)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["work_order", "lot"], nulls_distinct=False, name="one_batch_record_of_an_order_or_lot"
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def site(self) -> Site:
        """The site of the order's line."""
        return self.work_order.line.area.site


@audited
class Signature(models.Model):
    """Somebody signed a record: who, when, meaning what, and exactly what they saw. Append-only.

    `content_hash` is the SHA-256 of the assembled facts; while it is that of the facts of now, the signature holds.
    `snapshot` is those facts with the deviations and their resolutions, canonical.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("record__work_order__line__area__site",)

    class Meaning(models.TextChoices):
        PREPARED = "prepared", _("Prepared: this is the record of what was done")
        REVIEWED = "reviewed", _("Reviewed: every deviation is resolved")
        APPROVED = "approved", _("Approved: the record is complete and the batch meets its requirements")
        RELEASED = "released", _("Released for use or sale")
        REJECTED = "rejected", _("Rejected")

    record = models.ForeignKey(BatchRecord, on_delete=models.PROTECT, related_name="signatures")
    revision = models.PositiveIntegerField(help_text="1 = the first; each new preparation makes the next.")
    meaning = models.CharField(max_length=8, choices=Meaning)
    signer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    username = models.CharField(max_length=150)
    printed_name = models.CharField(max_length=300)
    signed_at = models.DateTimeField()
    zone = models.CharField(max_length=64, help_text="The site's time zone when it was signed.")
    comment = models.CharField(max_length=500, blank=True)
    content_hash = models.CharField(max_length=64)
    snapshot = models.JSONField()
    snapshot_hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["record", "revision", "meaning"], name="one_signature_of_a_meaning"),
        ]
        triggers = [append_only("batch_signature_append_only")]

    def __str__(self) -> str:
        return f"{self.printed_name}: {self.meaning}"


@audited
class Deviation(models.Model):
    """Somebody noted that something was not as it should be. What shows in the facts is found when they are read."""

    site_paths: ClassVar[tuple[str, ...]] = ("record__work_order__line__area__site",)

    record = models.ForeignKey(BatchRecord, on_delete=models.PROTECT, related_name="deviations")
    severity = models.CharField(max_length=8, choices=SEVERITIES, default="major")
    title = models.CharField(max_length=200)
    detail = models.TextField(max_length=4000, blank=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        triggers = [append_only("deviation_append_only")]

    def __str__(self) -> str:
        return self.title


@audited
class Resolution(models.Model):
    """Somebody looked at a deviation and decided about it. Append-only.

    It holds for what was seen (`finding_hash`): when the deviation says something else later, it is open again.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("record__work_order__line__area__site",)

    class Decision(models.TextChoices):
        ACCEPTED = "accepted", _("No effect on the batch")
        CORRECTED = "corrected", _("Corrected")
        REWORKED = "reworked", _("Reworked")
        EXCLUDED = "excluded", _("The affected part is excluded")

    record = models.ForeignKey(BatchRecord, on_delete=models.PROTECT, related_name="resolutions")
    key = models.CharField(max_length=150, help_text="Of the deviation.")
    finding_hash = models.CharField(max_length=64)
    decision = models.CharField(max_length=9, choices=Decision)
    comment = models.CharField(max_length=1000)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    resolved_name = models.CharField(max_length=300)
    resolved_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["record", "key", "finding_hash"], name="deviation_resolved_once"),
            models.CheckConstraint(name="resolution_has_a_comment", condition=~Q(comment="")),
        ]
        triggers = [append_only("resolution_append_only")]

    def __str__(self) -> str:
        return f"{self.key}: {self.decision}"


class StepKind(models.TextChoices):
    """What is asked of a step."""

    READ = "read", _("Read and confirm")
    NUMBER = "number", _("Number")
    CHOICE = "choice", _("Choice")
    TEXT = "text", _("Text")
    TIME = "time", _("Time")
    PHOTO = "photo", _("Photo")
    PERSON = "person", _("Second person")


class StepTemplate(models.Model):
    """What has to be done or written down at an operation of a routing. Of a released revision it stays as it is."""

    site_paths: ClassVar[tuple[str, ...]] = ()

    class Beyond(models.TextChoices):
        COMMENT = "comment", _("Ask for a comment")
        DEVIATION = "deviation", _("Ask for a comment and open a deviation")
        STOP = "stop", _("Stop: the operation waits until the deviation is resolved")

    operation = models.ForeignKey(RoutingOperation, on_delete=models.CASCADE, related_name="step_templates")
    position = models.PositiveSmallIntegerField(default=10, help_text="10, 20, 30 …: the order of work.")
    code = models.CharField(max_length=40)
    kind = models.CharField(max_length=6, choices=StepKind, default=StepKind.READ)
    prompt = models.CharField(max_length=1000, help_text="What is to be done, read or measured.")
    minimum = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    maximum = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    choices = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, help_text="For a choice: what may be chosen."
    )
    choices_within = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Those that are as they should be. None = all are.",
    )
    is_required = models.BooleanField(
        "required", default=True, help_text="The operation cannot be finished before it is done."
    )
    is_critical = models.BooleanField("critical", default=False, help_text="Beyond its limits it is critical.")
    beyond = models.CharField("beyond its limits", max_length=9, choices=Beyond, default=Beyond.DEVIATION)

    history = HistoricalRecords()

    class Meta:
        ordering = ["operation", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["operation", "code"],
                name="one_step_of_a_code",
                violation_error_message="The operation has a step of that code already.",
            ),
            models.CheckConstraint(
                name="step_limits_only_of_numbers",
                condition=Q(kind="number") | Q(minimum__isnull=True, maximum__isnull=True),
                violation_error_message="Only a number has limits.",
            ),
            models.CheckConstraint(
                name="step_limits_in_order",
                condition=Q(minimum__isnull=True) | Q(maximum__isnull=True) | Q(minimum__lte=F("maximum")),
                violation_error_message="The minimum is not above the maximum.",
            ),
            models.CheckConstraint(
                name="step_choice_has_choices",
                condition=Q(kind="choice", choices__len__gt=0) | (~Q(kind="choice") & Q(choices=[])),
                violation_error_message="A choice, and only a choice, has values to choose from.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation.code} {self.position}: {self.prompt[:60]}"


@audited
class StepEntry(models.Model):
    """A step was done at an operation of an order: a fact, with what was asked. Append-only; the last one counts."""

    site_paths: ClassVar[tuple[str, ...]] = ("operation__work_order__line__area__site",)

    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="step_entries")
    template = models.ForeignKey(StepTemplate, on_delete=models.PROTECT, related_name="entries")
    asked = models.JSONField(help_text="The template as it was.")
    number = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    said = models.CharField(max_length=2000, blank=True, help_text="What was chosen or written.")
    time = models.DateTimeField(null=True, blank=True)
    photo = models.BinaryField(null=True, blank=True)
    photo_type = models.CharField(max_length=20, blank=True)
    second_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_within = models.BooleanField("as it should be")
    comment = models.CharField(max_length=1000, blank=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    entered_name = models.CharField(max_length=300)

    class Meta:
        verbose_name_plural = "step entries"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="step_beyond_has_a_comment", condition=Q(is_within=True) | ~Q(comment="")),
            models.CheckConstraint(
                name="step_second_person_is_another",
                condition=Q(second_person__isnull=True) | ~Q(second_person=F("entered_by")),
            ),
        ]
        triggers = [append_only("step_entry_append_only")]

    def __str__(self) -> str:
        return f"{self.operation}: {self.template_id}"
