"""Where, as spreadsheets."""

from datetime import time
from typing import Any, ClassVar

from django.db import models
from django.utils.dateparse import parse_time
from import_export.fields import Field
from import_export.widgets import Widget

from core import master_data
from core.resources import MasterDataResource
from enterprise.models import Area, CalendarException, Enterprise, Line, Machine, Shift, ShiftBreak, Site


class EnterpriseResource(MasterDataResource):
    """Enterprises by code."""

    examples = {"code": "ACME", "name": "Acme Drinks", "is_active": "yes"}

    class Meta(MasterDataResource.Meta):
        model = Enterprise
        fields = ("code", "name", "is_active")
        import_id_fields = ("code",)


class SiteResource(MasterDataResource):
    """Sites by code."""

    examples = {
        "code": "WAW",
        "name": "Warsaw",
        "enterprise": "ACME",
        "time_zone": "Europe/Warsaw",
        "locale": "pl",
        "currency": "PLN",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = Site
        fields = ("code", "name", "enterprise", "time_zone", "locale", "currency", "is_active")
        import_id_fields = ("code",)


class AreaResource(MasterDataResource):
    """Areas by code."""

    examples = {"code": "HALL-A", "name": "Bottling hall", "site": "WAW", "is_active": "yes"}

    class Meta(MasterDataResource.Meta):
        model = Area
        fields = ("code", "name", "site", "is_active")
        import_id_fields = ("code",)


class LineResource(MasterDataResource):
    """Lines by code."""

    examples = {
        "code": "L1",
        "name": "Line 1",
        "area": "HALL-A",
        "oee_mode": "constraint",
        "buffer_time": "300",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = Line
        fields = ("code", "name", "area", "oee_mode", "buffer_time", "is_active")
        import_id_fields = ("code",)


class MachineResource(MasterDataResource):
    """Machines by code."""

    examples = {
        "code": "L1-FILLER",
        "name": "Filler",
        "line": "L1",
        "position": "2",
        "is_constraint": "yes",
        "no_signal_timeout": "300",
        "stop_detection": "states",
        "micro_stop_below": "60",
        "slow_cycle_above": "120",
        "hourly_cost": "180.00",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = Machine
        fields = (
            *("code", "name", "line", "position", "is_constraint", "no_signal_timeout"),
            *("stop_detection", "stop_after", "run_after", "micro_stop_below", "slow_cycle_above"),
            *("hourly_cost", "is_active"),
        )
        import_id_fields = ("code",)


Pause = tuple[str, time, time]


class BreaksWidget(Widget):  # type: ignore[misc]
    """Translate `10:00-10:15 Coffee; 12:00-12:30 Lunch` to breaks and back."""

    meaning = "Breaks as begin-end name, with semicolons between. Empty = none."

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[Pause]:
        return sorted((_pause(part) for part in str(value or "").split(";") if part.strip()), key=lambda p: p[1:])

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "; ".join(f"{start:%H:%M}-{end:%H:%M} {name}" for name, start, end in value or [])


def _pause(text: str) -> Pause:
    times, _, name = text.strip().partition(" ")
    start, _, end = times.partition("-")
    try:
        bounds = parse_time(start), parse_time(end)
    except ValueError:
        bounds = None, None
    if bounds[0] is None or bounds[1] is None:
        raise ValueError(f"Write a break such as 10:00-10:15 Coffee, not '{text.strip()}'.")
    return name.strip() or "Break", bounds[0], bounds[1]


class BreaksField(Field):  # type: ignore[misc]
    """The breaks of a shift: read from its rows, kept aside until the shift is saved."""

    def get_value(self, instance: Shift) -> list[Pause]:
        staged: list[Pause] | None = getattr(instance, "staged_breaks", None)
        if staged is not None:
            return staged
        if instance._state.adding:
            return []
        return [(pause.name, pause.start_time, pause.end_time) for pause in instance.breaks.all()]

    def save(self, instance: Shift, row: dict[str, Any], is_m2m: bool = False, **kwargs: Any) -> None:
        instance.staged_breaks = self.clean(row)  # type: ignore[attr-defined]


class ShiftResource(MasterDataResource):
    """Shifts by place, name and first day."""

    breaks = BreaksField(attribute="breaks", column_name="breaks", widget=BreaksWidget())
    examples: ClassVar[dict[str, str]] = {
        "site": "WAW",
        "name": "Early",
        "kind": "regular",
        "weekdays": "1 2 3 4 5",
        "start_time": "06:00",
        "end_time": "14:00",
        "breaks": "10:00-10:15 Coffee",
    }

    class Meta(MasterDataResource.Meta):
        model = Shift
        fields = (
            *("site", "line", "machine", "name", "kind", "weekdays", "start_time", "end_time"),
            *("valid_from", "valid_until", "breaks"),
        )
        import_id_fields = ("site", "line", "machine", "name", "valid_from")

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().prefetch_related("breaks")

    def write(self, instance: Any) -> None:
        super().write(instance)
        staged: list[Pause] | None = getattr(instance, "staged_breaks", None)
        if staged is None:
            return
        wanted = set(staged)
        for pause in ShiftBreak.objects.filter(shift=instance):
            as_written = (pause.name, pause.start_time, pause.end_time)
            if as_written in wanted:
                wanted.remove(as_written)
            else:
                master_data.delete(pause)
        for name, start, end in sorted(wanted, key=lambda pause: pause[1:]):
            pause = ShiftBreak(shift=instance, name=name, start_time=start, end_time=end)
            pause.full_clean()
            master_data.save(pause)


class CalendarExceptionResource(MasterDataResource):
    """Calendar exceptions by place and day."""

    examples = {"site": "WAW", "date": "2026-12-25", "kind": "holiday", "name": "Christmas Day"}

    class Meta(MasterDataResource.Meta):
        model = CalendarException
        fields = ("site", "line", "machine", "date", "kind", "name")
        import_id_fields = ("site", "line", "machine", "date")
