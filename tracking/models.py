"""Serial units: what each went through, what was found, what it is built of."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.models import append_only, code_validator
from enterprise.models import Line, Machine, MachineClass, Site
from products.models import Product, UnitOfMeasure
from tracking import state
from workorders.models import WorkOrder

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SERIAL = r"^[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?\Z"
serial_validator = RegexValidator(
    SERIAL,
    "A serial number is printable, and neither begins nor ends with a space.",
)


UNIT_STATUSES: list[tuple[str, "StrOrPromise"]] = [
    (state.UnitStatus.NOT_STARTED.value, _("Not started")),
    (state.UnitStatus.IN_PROCESS.value, _("In process")),
    (state.UnitStatus.ON_HOLD.value, _("On hold")),
    (state.UnitStatus.FINISHED.value, _("Finished")),
    (state.UnitStatus.DISPATCHED.value, _("Dispatched")),
    (state.UnitStatus.SCRAPPED.value, _("Scrapped")),
]
STAGE_STATES: list[tuple[str, "StrOrPromise"]] = [
    (state.StageState.OPEN.value, "0"),
    (state.StageState.PROCESSING.value, _("Processing")),
    (state.StageState.OK.value, _("QC OK")),
    (state.StageState.NOT_OK.value, _("QC NOT OK")),
    (state.StageState.AS_IS.value, _("Used as is")),
]


class StageForm(models.Model):
    """What is filled in at a stage of a product, in a version; released, it stays as it is.

    A unit keeps the versions that were released when it was created.
    """

    site_paths: ClassVar[tuple[str, ...]] = ()

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        RELEASED = "released", _("Released")
        RETIRED = "retired", _("Retired")

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="stage_forms")
    operation_code = models.CharField(
        "stage",
        max_length=32,
        validators=[code_validator],
        help_text="The code of the operation in the product's routing: WIRE-BOND. Without a routing, a code of your own.",
    )
    version = models.PositiveSmallIntegerField(default=1, help_text="1, 2, 3 …")
    name = models.CharField(max_length=200)
    sequence = models.PositiveSmallIntegerField(
        default=10, help_text="10, 20, 30 …: the order of stages where the product has no routing."
    )
    positions = ArrayField(
        models.CharField(max_length=16),
        default=list,
        blank=True,
        size=32,
        verbose_name="sub-units",
        help_text="What is checked apart, with commas between: X, Y. Empty = the unit as a whole.",
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ["product", "sequence", "operation_code", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "operation_code", "version"],
                name="one_stage_form_of_a_version",
                violation_error_message="There is this version of the stage's form already.",
            ),
            models.UniqueConstraint(
                fields=["product", "operation_code"],
                condition=Q(status="released"),
                name="one_released_stage_form",
                violation_error_message="Another version is released.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class StageField(models.Model):
    """A field of a stage's form."""

    site_paths: ClassVar[tuple[str, ...]] = ()

    class Kind(models.TextChoices):
        OK_NOK = "ok_nok", _("OK / NOT OK / N/A")
        NUMBER = "number", _("Number")
        TEXT = "text", _("Text")
        CHOICE = "choice", _("Choice")
        PHOTO = "photo", _("Photo")
        COMPONENT = "component", _("Scan of a component")
        PERSON = "person", _("Person")
        TIMESTAMP = "timestamp", _("Date and time")

    class FilledBy(models.TextChoices):
        TECHNICIAN = "technician", _("Technician")
        QUALITY = "quality", _("Quality")

    form = models.ForeignKey(StageForm, on_delete=models.CASCADE, related_name="fields")
    sequence = models.PositiveSmallIntegerField(default=10)
    code = models.CharField(max_length=32, validators=[code_validator])
    label = models.CharField(max_length=200)
    kind = models.CharField(max_length=9, choices=Kind, default=Kind.OK_NOK)
    required = models.BooleanField(default=True, help_text="The stage is not complete without it.")
    per_position = models.BooleanField(
        "for each sub-unit", default=False, help_text="Filled in once for each of the form's sub-units."
    )
    filled_by = models.CharField(max_length=10, choices=FilledBy, default=FilledBy.TECHNICIAN)
    minimum = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    maximum = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    unit = models.ForeignKey(
        UnitOfMeasure,
        to_field="code",
        db_column="unit",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    choices = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        size=100,
        help_text="For a choice: the values, with commas between.",
    )
    component = models.ForeignKey(
        Product,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="For a scan: the serial unit of this product becomes part of the unit. Empty = only its number is kept.",
    )
    help = models.CharField("acceptance criterion", max_length=300, blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ["form", "sequence", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["form", "code"],
                name="one_stage_field_of_a_code",
                violation_error_message="The form has a field of that code already.",
            ),
            models.CheckConstraint(
                name="stage_field_limits_of_a_number",
                condition=Q(kind="number") | Q(minimum__isnull=True, maximum__isnull=True),
                violation_error_message="Only a number has limits.",
            ),
            models.CheckConstraint(
                name="stage_field_limits_in_order",
                condition=Q(minimum__isnull=True) | Q(maximum__isnull=True) | Q(maximum__gte=F("minimum")),
                violation_error_message="The maximum is not below the minimum.",
            ),
            models.CheckConstraint(
                name="stage_field_choice_has_choices",
                condition=Q(kind="choice", choices__len__gt=0) | (~Q(kind="choice") & Q(choices=[])),
                violation_error_message="A choice, and only a choice, has values to choose from.",
            ),
            models.CheckConstraint(
                name="stage_field_component_of_a_scan",
                condition=Q(kind="component") | Q(component__isnull=True),
                violation_error_message="Only a scan names a component.",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class SerialUnit(models.Model):
    """A single piece of a product, known by its serial number.

    Status, parent, rework count and the moments are derived from its facts and kept beside them to be found by;
    `manage.py rebuild_units` ends with the same rows.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="serial_units")
    serial = models.CharField("serial number", max_length=100, validators=[serial_validator])
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    order = models.ForeignKey(
        WorkOrder,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="serial_units",
        help_text="Empty = none.",
    )
    replaces = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replaced_by",
        help_text="The scrapped unit that it was made for.",
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    status = models.CharField(max_length=11, choices=UNIT_STATUSES, default=state.UnitStatus.NOT_STARTED)
    is_blocked = models.BooleanField("NOT OK", default=False)
    rework_count = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="parts")
    parent_position = models.CharField(max_length=64, blank=True)
    container = models.ForeignKey(
        "materials.Container", null=True, blank=True, on_delete=models.PROTECT, related_name="serial_units"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "serial"],
                name="serial_once_per_product",
                violation_error_message="The product has a unit of this serial number already.",
            ),
            models.CheckConstraint(name="serial_not_empty", condition=~Q(serial="")),
            models.CheckConstraint(name="unit_not_in_itself", condition=Q(parent__isnull=True) | ~Q(parent=F("id"))),
            models.CheckConstraint(
                name="unit_position_with_parent",
                condition=Q(parent__isnull=True, parent_position="")
                | (Q(parent__isnull=False) & ~Q(parent_position="")),
            ),
            models.UniqueConstraint(
                fields=["parent", "parent_position"],
                condition=Q(parent__isnull=False),
                name="one_part_at_a_position",
                violation_error_message="Something else is at that position.",
            ),
        ]
        indexes = [
            models.Index(fields=["serial"], name="unit_serial"),
            models.Index(fields=["order", "status"], name="unit_of_order"),
            models.Index(fields=["site", "status"], name="unit_of_site"),
            models.Index(fields=["site", "finished_at"], name="unit_finished"),
        ]

    def __str__(self) -> str:
        return self.serial


class UnitStage(models.Model):
    """A stage that a unit goes through: copied from the operations when it was created. State and round are derived."""

    site_paths: ClassVar[tuple[str, ...]] = ("unit__site",)

    unit = models.ForeignKey(SerialUnit, on_delete=models.CASCADE, related_name="stages")
    sequence = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=32)
    name = models.CharField(max_length=200)
    form = models.ForeignKey(StageForm, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    line = models.ForeignKey(Line, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    machine_class = models.ForeignKey(MachineClass, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=STAGE_STATES, default=state.StageState.OPEN)
    round = models.PositiveIntegerField(default=1)
    is_due = models.BooleanField(default=False)
    reported_good = models.BooleanField(default=False, help_text="The order's operation was told of it.")
    reported_scrap = models.BooleanField(default=False)

    class Meta:
        ordering = ["unit", "sequence", "id"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "sequence"], name="one_stage_of_a_sequence"),
            models.UniqueConstraint(fields=["unit", "code"], name="one_stage_of_a_code"),
            models.UniqueConstraint(fields=["unit"], condition=Q(is_due=True), name="one_due_stage"),
        ]
        indexes = [models.Index(fields=["machine"], condition=Q(is_due=True), name="unit_stage_due_at")]

    def __str__(self) -> str:
        return self.name


class StagePhoto(models.Model):
    """A picture of a unit. Its content is what `core.uploads` made of the upload. Append-only."""

    site_paths: ClassVar[tuple[str, ...]] = ("unit__site",)

    unit = models.ForeignKey(SerialUnit, on_delete=models.PROTECT, related_name="photos")
    content_type = models.CharField(max_length=40)
    content = models.BinaryField()
    digest = models.CharField(max_length=64)
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["unit", "digest"], name="one_photo_of_a_content")]
        triggers = [append_only("stage_photo_append_only")]

    def __str__(self) -> str:
        return f"Photo {self.pk} of {self.unit}"


class StageEntry(models.Model):
    """A value was filled in, or cleared: a fact. Of a round, the latest by (occurred_at, idempotency_key) counts."""

    site_paths: ClassVar[tuple[str, ...]] = ("unit__site",)

    unit = models.ForeignKey(SerialUnit, on_delete=models.PROTECT, related_name="entries")
    stage = models.ForeignKey(UnitStage, on_delete=models.PROTECT, related_name="entries")
    field = models.ForeignKey(StageField, on_delete=models.PROTECT, related_name="+")
    position = models.CharField(max_length=16, blank=True)
    value = models.CharField(max_length=500, null=True, help_text="Empty = cleared.")  # noqa: DJ001  # "" is no value
    reason = models.CharField(max_length=500, blank=True, help_text="Why what stood there was changed.")
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=100)

    class Meta:
        verbose_name_plural = "stage entries"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "idempotency_key"], name="stage_entry_once"),
            models.CheckConstraint(name="stage_entry_value_not_empty", condition=Q(value__isnull=True) | ~Q(value="")),
        ]
        triggers = [append_only("stage_entry_append_only")]

    def __str__(self) -> str:
        return f"{self.unit}: {self.field} {self.position}".rstrip()


class UnitEvent(models.Model):
    """Something was decided about a unit or a stage of it: a fact."""

    site_paths: ClassVar[tuple[str, ...]] = ("unit__site",)

    class Kind(models.TextChoices):
        COMPLETE = "complete", _("Stage completed")
        REWORK = "rework", _("Sent to rework")
        USE_AS_IS = "use_as_is", _("Used as is")
        HOLD = "hold", _("Put on hold")
        RELEASE = "release", _("Released from hold")
        SCRAP = "scrap", _("Scrapped")
        DISPATCH = "dispatch", _("Dispatched")

    unit = models.ForeignKey(SerialUnit, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=9, choices=Kind)
    stage = models.ForeignKey(UnitStage, null=True, blank=True, on_delete=models.PROTECT, related_name="events")
    reason = models.CharField(max_length=500, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    occurred_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=100)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "idempotency_key"], name="unit_event_once"),
            models.CheckConstraint(
                name="unit_event_stage_where_one_is_meant",
                condition=Q(kind__in=["complete", "rework", "use_as_is"], stage__isnull=False)
                | (~Q(kind__in=["complete", "rework", "use_as_is"]) & Q(stage__isnull=True)),
            ),
            models.CheckConstraint(
                name="unit_event_reason_where_needed",
                condition=Q(kind__in=["complete", "release", "dispatch"]) | ~Q(reason=""),
            ),
        ]
        triggers = [append_only("unit_event_append_only")]

    def __str__(self) -> str:
        return f"{self.unit}: {self.get_kind_display()}"


class StagePassage(models.Model):
    """A round of a stage of a unit, derived from its facts: when it began, when it was done, what came of it."""

    site_paths: ClassVar[tuple[str, ...]] = ("stage__unit__site",)

    stage = models.ForeignKey(UnitStage, on_delete=models.CASCADE, related_name="passages")
    round = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=10, choices=STAGE_STATES)

    class Meta:
        ordering = ["stage", "round"]
        constraints = [models.UniqueConstraint(fields=["stage", "round"], name="one_passage_of_a_round")]
        indexes = [models.Index(fields=["started_at"], condition=Q(round=1), name="first_passes")]

    def __str__(self) -> str:
        return f"{self.stage}, round {self.round}: {self.get_result_display()}"


class Assembly(models.Model):
    """A unit became part of another, at a position: a fact. What took it out again is an `AssemblyRemoval`."""

    site_paths: ClassVar[tuple[str, ...]] = ("parent__site",)

    parent = models.ForeignKey(SerialUnit, on_delete=models.PROTECT, related_name="assemblies")
    position = models.CharField(max_length=64)
    child = models.ForeignKey(SerialUnit, on_delete=models.PROTECT, related_name="assembled_into")
    assembled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    assembled_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=100)

    class Meta:
        verbose_name_plural = "assemblies"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["parent", "idempotency_key"], name="assembly_once"),
            models.CheckConstraint(name="assembly_not_in_itself", condition=~Q(parent=F("child"))),
            models.CheckConstraint(name="assembly_has_a_position", condition=~Q(position="")),
        ]
        triggers = [append_only("assembly_append_only")]

    def __str__(self) -> str:
        return f"{self.child} at {self.position} of {self.parent}"


class AssemblyRemoval(models.Model):
    """A part was taken out again, and why: a fact that ends an assembly."""

    site_paths: ClassVar[tuple[str, ...]] = ("assembly__parent__site",)

    assembly = models.OneToOneField(Assembly, on_delete=models.PROTECT, related_name="removal")
    reason = models.CharField(max_length=500)
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=100)

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(name="removal_has_a_reason", condition=~Q(reason=""))]
        triggers = [append_only("assembly_removal_append_only")]

    def __str__(self) -> str:
        return f"{self.assembly}, taken out"


class UnitPackingStep(models.Model):
    """A unit was packed into a container, or taken out of it: a fact."""

    site_paths: ClassVar[tuple[str, ...]] = ("unit__site",)

    class Kind(models.TextChoices):
        PACKED = "packed", "Packed"
        UNPACKED = "unpacked", "Unpacked"

    unit = models.ForeignKey(SerialUnit, on_delete=models.PROTECT, related_name="packing_steps")
    container = models.ForeignKey("materials.Container", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind)
    performed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    occurred_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=100)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["unit", "idempotency_key"], name="unit_packing_step_once")]
        triggers = [append_only("unit_packing_step_append_only")]

    def __str__(self) -> str:
        return f"{self.unit}: {self.get_kind_display()}"
