"""REST of what was there while a lot was made."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.exact import decimal_text
from core.master_data import caller, in_scope, site_id_of
from core.serializers import AwareDateTimeField
from materials.models import MaterialLot
from oee.downtime_api import moment
from oee.lot_conditions import Conditions, MachineThen, what_was_there
from workorders.models import OrderParameter


class _SpanSerializer(serializers.Serializer):
    run = serializers.IntegerField()
    work_order = serializers.IntegerField()
    order_number = serializers.CharField()
    line = serializers.CharField(help_text="Its code.")
    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()


class _StateSerializer(serializers.Serializer):
    category = serializers.CharField()
    reason = serializers.CharField(allow_null=True, help_text="Its code; null = none was said.")
    reason_name = serializers.CharField(allow_null=True)
    calendar = serializers.CharField()
    seconds = serializers.FloatField()
    occurrences = serializers.IntegerField()


class _MachineSerializer(serializers.Serializer):
    machine = serializers.CharField(help_text="Its code.")
    name = serializers.CharField()
    states = _StateSerializer(many=True, allow_null=True, help_text="null = the facts of that time are gone.")
    counts = serializers.DictField(child=serializers.CharField(), help_text="Pieces by role.")


class _PersonSerializer(serializers.Serializer):
    employee = serializers.CharField(help_text="The personnel number.")
    name = serializers.CharField()
    kind = serializers.CharField()
    operation = serializers.CharField()
    machine = serializers.CharField(allow_null=True)
    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()


class _ChangeoverThenSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    from_product = serializers.CharField(allow_null=True)
    to_product = serializers.CharField(allow_null=True)
    started_at = AwareDateTimeField()
    ended_at = AwareDateTimeField(allow_null=True)
    inspection = serializers.CharField()


class _SetPointSerializer(serializers.Serializer):
    work_order = serializers.IntegerField()
    operation = serializers.CharField(help_text="Its code.")
    code = serializers.CharField()
    name = serializers.CharField()
    target = serializers.DecimalField(max_digits=18, decimal_places=6, allow_null=True)
    minimum = serializers.DecimalField(max_digits=18, decimal_places=6, allow_null=True)
    maximum = serializers.DecimalField(max_digits=18, decimal_places=6, allow_null=True)
    unit = serializers.CharField(allow_null=True)


class ConditionsSerializer(serializers.Serializer):
    """What was there while a lot was made."""

    lot = serializers.IntegerField()
    spans = _SpanSerializer(many=True)
    machines = _MachineSerializer(many=True)
    people = _PersonSerializer(many=True, allow_null=True, help_text="null = your role sees nobody's hours.")
    changeovers = _ChangeoverThenSerializer(many=True)
    set_points = _SetPointSerializer(many=True)
    is_complete = serializers.BooleanField(help_text="False = only the latest 31 days of it were looked through.")


class LotConditionsView(GenericAPIView):
    """What was there while a lot was made."""

    kind = "lot"
    queryset = MaterialLot.objects.none()
    filter_backends = ()
    pagination_class = None
    serializer_class = ConditionsSerializer

    @extend_schema(responses=ConditionsSerializer)
    def get(self, request: Request, lot_id: str) -> Response:
        """Return the runs that made it, and over them machines' states and counts, people,
        changeovers and set-points.
        """
        lots = in_scope(MaterialLot.objects.select_related("product", "site"), request.user, MaterialLot.site_paths)
        lot = lots.filter(pk=int(lot_id)).first()
        if lot is None:
            raise Http404
        found = seen_by(what_was_there(lot, now=timezone.now()), caller(request))
        return Response(_answer(found, sees_people=caller(request).may("view", "labor", site_id_of(lot))))


def seen_by(found: Conditions, user: Any) -> Conditions:
    """Return what of it lies at sites that a person may look at: a lot may lie here and be made elsewhere."""
    sites = {made.run.line.area.site_id for made in found.spans}
    if all(user.may("view", "oee_record", site_id) for site_id in sites):
        return found
    return Conditions(found.lot, (), (), (), (), (), False)


def _machine(then: MachineThen) -> dict[str, Any]:
    return {
        "machine": then.machine.code,
        "name": then.machine.name,
        "states": None
        if then.states is None
        else [
            {
                "category": row.category.value,
                "reason": row.reason.code if row.reason else None,
                "reason_name": row.reason.name if row.reason else None,
                "calendar": row.calendar.value,
                "seconds": row.duration.total_seconds(),
                "occurrences": row.occurrences,
            }
            for row in then.states
        ],
        "counts": {role: decimal_text(quantity) for role, quantity in sorted(then.counts.items())},
    }


def _set_point(row: OrderParameter) -> dict[str, Any]:
    return {
        "work_order": row.operation.work_order_id,
        "operation": row.operation.code,
        "code": row.code,
        "name": row.name,
        "target": None if row.target is None else str(row.target),
        "minimum": None if row.minimum is None else str(row.minimum),
        "maximum": None if row.maximum is None else str(row.maximum),
        "unit": row.unit_id,
    }


def _answer(found: Conditions, *, sees_people: bool) -> dict[str, Any]:
    return {
        "lot": found.lot.pk,
        "spans": [
            {
                "run": made.run.pk,
                "work_order": made.run.work_order_id,
                "order_number": made.run.work_order.order_number,
                "line": made.run.line.code,
                "starts_at": moment(made.span.start),
                "ends_at": moment(made.span.end),
            }
            for made in found.spans
        ],
        "machines": [_machine(then) for then in found.machines],
        "people": None
        if not sees_people
        else [
            {
                "employee": then.entry.employee.code,
                "name": then.entry.employee.name,
                "kind": then.entry.kind,
                "operation": then.entry.operation,
                "machine": then.entry.machine.code if then.entry.machine else None,
                "starts_at": moment(part.start),
                "ends_at": moment(part.end),
            }
            for then in found.people
            for part in then.parts
        ],
        "changeovers": [
            {
                "id": row.pk,
                "kind": row.kind,
                "from_product": row.from_product.code if row.from_product else None,
                "to_product": row.to_product.code if row.to_product else None,
                "started_at": moment(row.started_at),
                "ended_at": moment(row.ended_at),
                "inspection": row.inspection,
            }
            for row in found.changeovers
        ],
        "set_points": [_set_point(row) for row in found.set_points],
        "is_complete": found.is_complete,
    }
