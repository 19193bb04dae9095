"""How plans, inspections, defects and charts travel over REST."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from accounts.models import User
from core.serializers import AwareDateTimeField, CodedSerializer, MasterDataSerializer, ReferenceField
from enterprise.models import Machine, Site
from materials.models import Location, MaterialLot
from products.models import Product, UnitOfMeasure
from quality.figures import PARETO_BY
from quality.models import (
    Calibration,
    Cause,
    Characteristic,
    ChartPhase,
    ControlChart,
    CorrectiveAction,
    Defect,
    DefectCode,
    Disposition,
    Gauge,
    GaugeTag,
    Inspection,
    InspectionDecision,
    InspectionPlan,
    NonConformance,
    Result,
    ResultCorrection,
    SamplingRule,
    Severity,
    Signal,
)
from workorders.models import Operation, WorkOrder

_KEY = r"^[A-Za-z0-9._:/-]{1,100}\Z"


class InspectionPlanSerializer(MasterDataSerializer):
    """A version of a plan; it is released, retired and copied at addresses of its own."""

    class Meta:
        model = InspectionPlan
        fields = (
            *("id", "code", "version", "name", "kind", "status", "valid_from", "valid_until", "site", "product"),
            *("material_type", "operation_code", "supplier", "machine", "blocks", "instructions"),
        )
        read_only_fields = ("status", "valid_from", "valid_until")


class CharacteristicSerializer(MasterDataSerializer):
    """Something that is measured, counted or judged."""

    class Meta:
        model = Characteristic
        fields = (
            *("id", "plan", "position", "code", "name", "kind", "severity", "nominal", "lower_limit", "upper_limit"),
            *("unit", "decimals", "choices", "accepted", "needs_gauge", "is_required", "instructions"),
        )


class SamplingRuleSerializer(MasterDataSerializer):
    """When a plan is due."""

    class Meta:
        model = SamplingRule
        fields = (*("id", "plan", "kind", "every", "sample_size", "level", "aql", "may_reduce", "overdue_minutes"),)


class GaugeSerializer(CodedSerializer):
    """A gauge."""

    class Meta:
        model = Gauge
        fields = ("id", "code", "name", "site", "serial_number", "interval_days", "is_active")


class GaugeTagSerializer(MasterDataSerializer):
    """What a device calls the readings of a characteristic."""

    class Meta:
        model = GaugeTag
        fields = ("id", "tag_path", "machine", "characteristic", "gauge", "unit", "is_active")


class DefectCodeSerializer(CodedSerializer):
    """A kind of defect."""

    class Meta:
        model = DefectCode
        fields = ("id", "code", "name", "names", "category", "severity", "is_active")


class ControlChartSerializer(CodedSerializer):
    """How a chart is set up."""

    class Meta:
        model = ControlChart
        fields = (
            *("id", "code", "name", "site", "characteristic", "machine", "product", "kind", "subgroup_size"),
            *("rule_set", "weight", "on_signal", "is_active"),
        )


class FactSerializer(serializers.ModelSerializer):
    """A row that is read; it is written by a service."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        **MasterDataSerializer.serializer_field_mapping,
    }


class CalibrationSerializer(FactSerializer):
    """A calibration, as it was recorded."""

    class Meta:
        model = Calibration
        fields = (
            *("id", "gauge", "calibrated_at", "valid_until", "result", "deviation", "certificate", "calibrated_by"),
            *("comment", "recorded_by", "recorded_at"),
        )


class NewCalibrationSerializer(serializers.Serializer):
    """A calibration to record."""

    gauge = ReferenceField(queryset=Gauge.objects.all())
    calibrated_at = AwareDateTimeField()
    valid_until = AwareDateTimeField()
    result = serializers.ChoiceField(choices=Calibration.Outcome.choices, default=Calibration.Outcome.GOOD)
    deviation = serializers.CharField(max_length=200, required=False, allow_blank=True)
    certificate = serializers.CharField(max_length=200, required=False, allow_blank=True)
    calibrated_by = serializers.CharField(max_length=200, required=False, allow_blank=True)
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True)


class InspectionSerializer(FactSerializer):
    """An inspection, with what it came to."""

    class Meta:
        model = Inspection
        fields = (
            *("id", "plan", "rule", "site", "work_order", "operation_code", "machine", "product", "lot", "batch"),
            *("serial", "lot_size", "sample_size", "accept_number", "severity", "code_letter", "inspector", "shift"),
            *("shift_date", "opened_at", "finished_at", "status", "result", "nonconforming", "notes"),
        )


class NewInspectionSerializer(serializers.Serializer):
    """An inspection to begin."""

    plan = ReferenceField(queryset=InspectionPlan.objects.all())
    rule = ReferenceField(queryset=SamplingRule.objects.all(), required=False)
    work_order = ReferenceField(queryset=WorkOrder.objects.select_related("line__area__site"), required=False)
    operation_code = serializers.CharField(max_length=32, required=False, default="")
    machine = ReferenceField(queryset=Machine.objects.select_related("line__area__site"), required=False)
    product = ReferenceField(queryset=Product.objects.all(), required=False)
    lot = ReferenceField(queryset=MaterialLot.objects.select_related("site", "product"), required=False)
    batch = serializers.CharField(max_length=64, required=False, default="")
    serial = serializers.CharField(max_length=64, required=False, default="")
    lot_size = serializers.DecimalField(max_digits=18, decimal_places=6, min_value=Decimal("0.000001"), required=False)
    sample_size = serializers.IntegerField(min_value=1, max_value=100_000, required=False)
    opened_at = AwareDateTimeField(required=False, help_text="Now when left out.")
    notes = serializers.CharField(max_length=4000, required=False, default="")
    idempotency_key = serializers.RegexField(_KEY, required=False)


class ResultSerializer(FactSerializer):
    """A result as it was recorded; corrections stand beside it."""

    class Meta:
        model = Result
        fields = (
            *("id", "characteristic", "inspection", "sample", "tag", "machine", "gauge", "serial", "occurred_at"),
            *("value", "unit", "verdict", "text", "source", "recorded_by", "recorded_at"),
        )


class NewResultSerializer(serializers.Serializer):
    """A result: a value, a verdict or a text, as its characteristic asks."""

    characteristic = serializers.CharField(max_length=32, help_text="Its code in the inspection's plan.")
    sample = serializers.IntegerField(min_value=1, max_value=100_000, default=1)
    value = serializers.DecimalField(max_digits=24, decimal_places=9, required=False, allow_null=True)
    verdict = serializers.ChoiceField(choices=Result.Verdict.choices, required=False, allow_blank=True)
    text = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    unit = serializers.SlugRelatedField("code", queryset=UnitOfMeasure.objects.all(), required=False)
    gauge = ReferenceField(queryset=Gauge.objects.all(), required=False, allow_null=True)
    serial = serializers.CharField(max_length=64, required=False, allow_blank=True)
    occurred_at = AwareDateTimeField(required=False, help_text="Now when left out.")


class NewResultsSerializer(serializers.Serializer):
    """Results of an inspection, recorded all or none."""

    results: "serializers.ListSerializer[Any]" = serializers.ListSerializer(
        child=NewResultSerializer(), allow_empty=False, max_length=1000
    )


class CorrectResultSerializer(serializers.Serializer):
    """What a result should have been, and why."""

    is_void = serializers.BooleanField(default=False)
    value = serializers.DecimalField(max_digits=24, decimal_places=9, required=False, allow_null=True)
    verdict = serializers.ChoiceField(choices=Result.Verdict.choices, required=False, allow_blank=True)
    text = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    reason = serializers.CharField(max_length=500)


class ResultCorrectionSerializer(FactSerializer):
    """A correction, as it was recorded."""

    class Meta:
        model = ResultCorrection
        fields = ("id", "result", "is_void", "value", "verdict", "text", "reason", "corrected_by", "recorded_at")


class DecideInspectionSerializer(serializers.Serializer):
    """A decision about a finished inspection."""

    result = serializers.ChoiceField(choices=Inspection.Outcome.choices)
    disposition = serializers.ChoiceField(choices=InspectionDecision.Step.choices, required=False, allow_blank=True)
    reason = serializers.CharField(max_length=500)


class DefectSerializer(FactSerializer):
    """A defect, as it was recorded."""

    class Meta:
        model = Defect
        fields = (
            *("id", "code", "site", "quantity", "units", "severity", "detection", "cause", "inspection"),
            *("nonconformance", "work_order", "operation_code", "machine", "product", "lot", "serial", "scrap_cost"),
            *("rework_cost", "note", "detected_at", "recorded_at", "recorded_by"),
        )


class AboutSerializer(serializers.Serializer):
    """Where something was found."""

    site = ReferenceField(queryset=Site.objects.all())
    inspection = ReferenceField(queryset=Inspection.objects.all(), required=False)
    work_order = ReferenceField(queryset=WorkOrder.objects.select_related("line__area__site"), required=False)
    operation_code = serializers.CharField(max_length=32, required=False)
    machine = ReferenceField(queryset=Machine.objects.select_related("line__area__site"), required=False)
    product = ReferenceField(queryset=Product.objects.all(), required=False)
    lot = ReferenceField(queryset=MaterialLot.objects.select_related("site", "product"), required=False)
    idempotency_key = serializers.RegexField(_KEY, required=False)


class NewDefectSerializer(AboutSerializer):
    """A defect to record."""

    code = ReferenceField(queryset=DefectCode.objects.all())
    quantity = serializers.IntegerField(min_value=1, max_value=10**9, default=1)
    units = serializers.IntegerField(min_value=1, max_value=10**9, default=1)
    serial = serializers.CharField(max_length=64, required=False)
    severity = serializers.ChoiceField(choices=Severity.choices, required=False)
    detection = serializers.ChoiceField(choices=Defect.Detection.choices, default=Defect.Detection.VISUAL)
    cause = serializers.ChoiceField(choices=Cause.choices, required=False)
    nonconformance = ReferenceField(queryset=NonConformance.objects.all(), required=False)
    scrap_cost = serializers.DecimalField(max_digits=18, decimal_places=6, min_value=Decimal(0), required=False)
    rework_cost = serializers.DecimalField(max_digits=18, decimal_places=6, min_value=Decimal(0), required=False)
    note = serializers.CharField(max_length=1000, required=False)
    detected_at = AwareDateTimeField(required=False, help_text="Now when left out.")


class NonConformanceSerializer(FactSerializer):
    """A non-conformance."""

    class Meta:
        model = NonConformance
        fields = (
            *("id", "number", "site", "title", "description", "severity", "status", "inspection", "work_order"),
            *("operation_code", "machine", "product", "lot", "quantity", "is_contained", "containment", "cause"),
            *("root_cause", "raised_by", "raised_at", "approved_by", "approved_at", "closed_by", "closed_at"),
        )


class NewNonConformanceSerializer(AboutSerializer):
    """A non-conformance to raise."""

    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=4000, required=False)
    severity = serializers.ChoiceField(choices=Severity.choices, default=Severity.MAJOR)
    quantity = serializers.DecimalField(max_digits=18, decimal_places=6, min_value=Decimal("0.000001"), required=False)
    is_contained = serializers.BooleanField(default=True)
    containment = serializers.CharField(max_length=500, required=False)


class ChangeNonConformanceSerializer(serializers.Serializer):
    """What was found out, and how far it is."""

    status = serializers.ChoiceField(choices=NonConformance.Status.choices, required=False)
    cause = serializers.ChoiceField(choices=Cause.choices, required=False, allow_blank=True)
    root_cause = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    quantity = serializers.DecimalField(max_digits=18, decimal_places=6, min_value=Decimal("0.000001"), required=False)
    is_contained = serializers.BooleanField(required=False)
    containment = serializers.CharField(max_length=500, required=False, allow_blank=True)


class DispositionSerializer(FactSerializer):
    """What was decided about a quantity."""

    class Meta:
        model = Disposition
        fields = (
            *("id", "nonconformance", "kind", "quantity", "from_location", "material_transaction", "rework_order"),
            *("counted_as", "reason", "decided_by", "decided_at"),
        )


class NewDispositionSerializer(serializers.Serializer):
    """What becomes of a quantity."""

    kind = serializers.ChoiceField(choices=InspectionDecision.Step.choices)
    quantity = serializers.DecimalField(max_digits=18, decimal_places=6, min_value=Decimal("0.000001"))
    reason = serializers.CharField(max_length=500)
    from_location = ReferenceField(queryset=Location.objects.select_related("site"), required=False)
    makes_order = serializers.BooleanField(default=True, help_text="Rework makes an order for it.")
    counted_as = serializers.ChoiceField(
        choices=Disposition.Counted.choices,
        default=Disposition.Counted.GOOD,
        allow_blank=True,
        help_text="As what its order counted it so far; empty = its pieces stay as they are counted.",
    )
    idempotency_key = serializers.RegexField(_KEY, required=False)


class CorrectiveActionSerializer(FactSerializer):
    """An action, with its effect."""

    class Meta:
        model = CorrectiveAction
        fields = (
            *("id", "nonconformance", "kind", "description", "owner", "due_date", "check_date", "done_at"),
            *("done_note", "checked_at", "checked_by", "verdict", "check_note"),
        )


class NewActionSerializer(serializers.Serializer):
    """An action to take."""

    kind = serializers.ChoiceField(choices=CorrectiveAction.Kind.choices, default=CorrectiveAction.Kind.CORRECTIVE)
    description = serializers.CharField(max_length=4000)
    owner = serializers.SlugRelatedField("username", queryset=User.objects.filter(is_active=True))
    due_date = serializers.DateField()
    check_date = serializers.DateField()


class NoteSerializer(serializers.Serializer):
    """A note."""

    note = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class CheckActionSerializer(NoteSerializer):
    """Whether an action had its effect."""

    verdict = serializers.ChoiceField(choices=CorrectiveAction.Verdict.choices)


class SignalSerializer(FactSerializer):
    """A broken rule."""

    class Meta:
        model = Signal
        fields = ("id", "chart", "panel", "point_at", "rule", "text", "detected_at")


class CommentSerializer(serializers.Serializer):
    """A comment."""

    comment = serializers.CharField(max_length=500)


class ChartPhaseSerializer(FactSerializer):
    """A baseline, as it was set."""

    class Meta:
        model = ChartPhase
        fields = (
            *("id", "chart", "name", "starts_at", "centre", "sigma", "size", "subgroups", "learned_from"),
            *("learned_until", "comment", "set_by", "set_at"),
        )


class NewPhaseSerializer(serializers.Serializer):
    """A baseline to set."""

    name = serializers.CharField(max_length=100)
    starts_at = AwareDateTimeField()
    learned_from = AwareDateTimeField()
    learned_until = AwareDateTimeField()
    exclude = serializers.ListField(child=serializers.IntegerField(min_value=0), default=list, max_length=1000)
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class WindowSerializer(serializers.Serializer):
    """A window of time."""

    starts_at = AwareDateTimeField(required=False)
    ends_at = AwareDateTimeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "starts_at" in attrs and "ends_at" in attrs and attrs["ends_at"] <= attrs["starts_at"]:
            raise serializers.ValidationError({"ends_at": "The window must end after it starts."})
        return attrs


class ParetoQuerySerializer(WindowSerializer):
    """Which defects, counted by what."""

    site = ReferenceField(queryset=Site.objects.all())
    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()
    by = serializers.ChoiceField(choices=PARETO_BY, default="code")


class GaugeStudyQuerySerializer(WindowSerializer):
    """What was measured where and when, with which gauge, and how its variation is taken apart."""

    site = ReferenceField(queryset=Site.objects.all())
    characteristic = ReferenceField(queryset=Characteristic.objects.select_related("plan"))
    gauge = ReferenceField(queryset=Gauge.objects.all(), required=False)
    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()
    method = serializers.ChoiceField(choices=["anova", "average_range"], default="anova")


class DueQuerySerializer(serializers.Serializer):
    """Of what inspections are due; without anything, of all sites that the caller sees."""

    site = ReferenceField(queryset=Site.objects.all(), required=False)
    work_order = ReferenceField(queryset=WorkOrder.objects.select_related("line__area"), required=False)
    operation = ReferenceField(
        queryset=Operation.objects.select_related("work_order__line__area", "machine"), required=False
    )
    machine = ReferenceField(queryset=Machine.objects.select_related("line__area__site"), required=False)
    lot = ReferenceField(queryset=MaterialLot.objects.select_related("site", "product"), required=False)


class GateQuerySerializer(serializers.Serializer):
    """What somebody wants to do with what."""

    step = serializers.ChoiceField(choices=["start", "series", "finish", "release"])
    work_order = ReferenceField(queryset=WorkOrder.objects.select_related("line__area"), required=False)
    operation = ReferenceField(
        queryset=Operation.objects.select_related("work_order__line__area", "machine"), required=False
    )
    lot = ReferenceField(queryset=MaterialLot.objects.select_related("site", "product"), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & {"work_order", "operation", "lot"}:
            raise serializers.ValidationError({"work_order": "Name an order, an operation or a lot."})
        return attrs
