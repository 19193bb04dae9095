"""REST of questions: what a code means, which lots to take, what went into an order."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.idempotency import Idempotent
from core.master_data import caller
from materials.balance import mass_balance
from materials.models import MaterialLot
from materials.scan import read
from materials.selectors import pick, picking_rule
from materials.serializers import (
    BalanceQuerySerializer,
    BalanceSerializer,
    PickQuerySerializer,
    PickSerializer,
    ScanQuerySerializer,
    ScanSerializer,
)


class AskView(Idempotent, GenericAPIView):
    """A question whose answer is worked out when it is asked."""

    kind = "material"
    queryset = MaterialLot.objects.none()
    pagination_class = None
    filter_backends = ()

    def asked(self, query_class: Any, request: Request) -> dict[str, Any]:
        """Return the question's parameters, validated."""
        query = query_class(data=request.query_params.dict(), context={"request": request})
        query.is_valid(raise_exception=True)
        values: dict[str, Any] = query.validated_data
        return values


class ScanView(AskView):
    """What a scanned code means, and which lot, product, place or order it is here."""

    serializer_class = ScanSerializer

    @extend_schema(parameters=[ScanQuerySerializer], responses=ScanSerializer)
    def get(self, request: Request) -> Response:
        """Read a GS1 element string (GS1-128, DataMatrix, or printed with brackets), or a plain number."""
        code = self.asked(ScanQuerySerializer, request)["code"]
        found = read(code, user=caller(request), today=timezone.now().date())
        answer = {
            "is_gs1": bool(found.elements),
            "problem": found.problem,
            "elements": found.elements,
            "product": found.product.code if found.product else None,
            "lots": found.lots,
            "location": found.location.code if found.location else None,
            "work_order": found.work_order.order_number if found.work_order else None,
        }
        return Response(ScanSerializer(answer, context={"request": request}).data)


class PickView(AskView):
    """Which lots to take."""

    serializer_class = PickSerializer

    @extend_schema(parameters=[PickQuerySerializer], responses=PickSerializer)
    def get(self, request: Request) -> Response:
        """Suggest lots for a quantity, first expired first, and say what is missing."""
        asked = self.asked(PickQuerySerializer, request)
        at = asked.pop("at", timezone.now())
        found = pick(**asked, at=at)
        takes = [
            {
                "lot": take.lot.pk if take.lot else None,
                "lot_number": take.lot.number if take.lot else None,
                "expiry_date": take.lot.expiry_date if take.lot else None,
                "quantity": take.quantity,
            }
            for take in found.takes
        ]
        rule = picking_rule(product=asked["product"], location=asked["location"])
        return Response(PickSerializer({"takes": takes, "shortage": found.shortage, "rule": rule}).data)


class BalanceView(AskView):
    """What went into an order against what came out of it."""

    serializer_class = BalanceSerializer

    @extend_schema(parameters=[BalanceQuerySerializer], responses=BalanceSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return one row for each unit."""
        asked = self.asked(BalanceQuerySerializer, request)
        rows = mass_balance(asked["work_order"], tolerance=asked["tolerance"])
        return Response(BalanceSerializer(rows, many=True).data)
