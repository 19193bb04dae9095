"""REST of planning: make the orders that are wanted and not in stock."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import need
from core.idempotency import Idempotent
from core.master_data import caller
from materials.planning import generate
from workorders.serializers import GeneratedSerializer, GenerateSerializer


class GenerateView(Idempotent, APIView):
    """Make orders from demand."""

    kind = "order"

    @extend_schema(request=GenerateSerializer, responses={200: GeneratedSerializer, 201: GeneratedSerializer})
    def post(self, request: Request) -> Response:
        """Make the orders that a site needs beyond stock and open orders; with `dry_run`, only say which.

        Repeatable.
        """
        asked = GenerateSerializer(data=request.data, context={"request": request})
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        need(self, "add", values["site"])
        found = generate(**values, at=timezone.now(), actor=caller(request))
        orders = [
            {
                "order": plan.order.pk if plan.order else None,
                "order_number": plan.order.order_number if plan.order else None,
                "product": plan.product.code,
                "line": plan.line.code,
                "quantity": str(plan.quantity),
                "due_at": plan.due_at,
                "covers": {str(demand.pk): str(quantity) for demand, quantity in plan.covers.items()},
            }
            for plan in found.orders
        ]
        body = {"dry_run": values["dry_run"], "orders": orders, "without_rule": [d.pk for d in found.without_rule]}
        return Response(GeneratedSerializer(body).data, status=200 if values["dry_run"] else 201)
