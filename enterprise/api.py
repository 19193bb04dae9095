"""REST of places and the shift calendar."""

from core.api import MasterDataViewSet
from enterprise.filters import LEVEL, PLACE
from enterprise.models import Area, CalendarException, Enterprise, Line, Machine, MachineClass, Shift, ShiftBreak, Site
from enterprise.serializers import (
    AreaSerializer,
    CalendarExceptionSerializer,
    EnterpriseSerializer,
    LineSerializer,
    MachineClassSerializer,
    MachineSerializer,
    ShiftBreakSerializer,
    ShiftSerializer,
    SiteSerializer,
)


class EnterpriseViewSet(MasterDataViewSet):
    """Enterprises."""

    queryset = Enterprise.objects.all()
    serializer_class = EnterpriseSerializer
    filterset_fields = PLACE
    search_fields = ("code", "name")


class SiteViewSet(MasterDataViewSet):
    """Sites: plants with a time zone."""

    queryset = Site.objects.all()
    serializer_class = SiteSerializer
    filterset_fields = {**PLACE, "enterprise": ["exact"], "time_zone": ["exact"]}
    search_fields = ("code", "name")


class AreaViewSet(MasterDataViewSet):
    """Areas of sites."""

    queryset = Area.objects.all()
    serializer_class = AreaSerializer
    filterset_fields = {**PLACE, "site": ["exact"], "site__enterprise": ["exact"]}
    search_fields = ("code", "name")


class LineViewSet(MasterDataViewSet):
    """Lines. A line without a machine gets its own, marked as its constraint."""

    queryset = Line.objects.prefetch_related("machines")
    serializer_class = LineSerializer
    filterset_fields = {**PLACE, "area": ["exact"], "area__site": ["exact"], "oee_mode": ["exact"]}
    search_fields = ("code", "name")
    ordering_fields = ("id", "code", "name", "area", "oee_mode", "is_active")


class MachineClassViewSet(MasterDataViewSet):
    """Classes of machines that can do the same work."""

    queryset = MachineClass.objects.all()
    serializer_class = MachineClassSerializer
    filterset_fields = PLACE
    search_fields = ("code", "name")


class MachineViewSet(MasterDataViewSet):
    """Machines of lines; facts hang on them."""

    queryset = Machine.objects.all()
    serializer_class = MachineSerializer
    filterset_fields = {
        **PLACE,
        "line": ["exact"],
        "line__area": ["exact"],
        "is_constraint": ["exact"],
        "machine_class": ["exact"],
    }
    search_fields = ("code", "name")


class ShiftViewSet(MasterDataViewSet):
    """Shifts: weekly, extra, overtime."""

    queryset = Shift.objects.prefetch_related("breaks")
    serializer_class = ShiftSerializer
    filterset_fields = {**LEVEL, "kind": ["exact"], "name": ["exact", "icontains"]}
    search_fields = ("name",)
    ordering_fields = ("id", "name", "kind", "start_time", "valid_from", "valid_until")


class ShiftBreakViewSet(MasterDataViewSet):
    """Breaks of shifts."""

    queryset = ShiftBreak.objects.select_related("shift")
    serializer_class = ShiftBreakSerializer
    filterset_fields = ("shift",)
    search_fields = ("name",)


class CalendarExceptionViewSet(MasterDataViewSet):
    """Holidays and working days in spite of them."""

    queryset = CalendarException.objects.all()
    serializer_class = CalendarExceptionSerializer
    filterset_fields = {**LEVEL, "kind": ["exact"], "date": ["exact", "gte", "lt"]}
    search_fields = ("name",)
