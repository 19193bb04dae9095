"""Places and the shift calendar, as they travel."""

from rest_framework import serializers

from core.serializers import CodedSerializer, MasterDataSerializer
from enterprise.models import Area, CalendarException, Enterprise, Line, Machine, Shift, ShiftBreak, Site

PLACE = ("id", "code", "name", "is_active")


class EnterpriseSerializer(CodedSerializer):
    """An enterprise."""

    class Meta:
        model = Enterprise
        fields = PLACE
        validators: list[object] = []


class SiteSerializer(CodedSerializer):
    """A site of an enterprise."""

    class Meta:
        model = Site
        fields = (*PLACE, "enterprise", "time_zone", "locale", "currency")


class AreaSerializer(CodedSerializer):
    """An area of a site."""

    class Meta:
        model = Area
        fields = (*PLACE, "site")


class LineSerializer(CodedSerializer):
    """A line of an area; one without machines gets its own, marked as its constraint."""

    constraint_machine = serializers.SerializerMethodField(help_text="What a request that names the line means.")

    class Meta:
        model = Line
        fields = (*PLACE, "area", "oee_mode", "buffer_time", "constraint_machine")

    def get_constraint_machine(self, line: Line) -> int | None:
        """Return the id of the machine that stands for the line in facts."""
        return next((machine.pk for machine in line.machines.all() if machine.is_constraint), None)


class MachineSerializer(CodedSerializer):
    """A machine of a line."""

    class Meta:
        model = Machine
        fields = (
            *(*PLACE, "line", "position", "is_constraint", "no_signal_timeout"),
            *("stop_detection", "stop_after", "run_after", "micro_stop_below", "slow_cycle_above", "hourly_cost"),
        )
        validators: list[object] = []


class ShiftBreakSerializer(MasterDataSerializer):
    """A break of a shift."""

    class Meta:
        model = ShiftBreak
        fields = ("id", "shift", "name", "start_time", "end_time")


class ShiftSerializer(MasterDataSerializer):
    """A shift of a site, a line or a machine."""

    breaks = ShiftBreakSerializer(many=True, read_only=True)

    class Meta:
        model = Shift
        fields = (
            *("id", "site", "line", "machine", "name", "kind", "weekdays", "start_time", "end_time"),
            *("valid_from", "valid_until", "breaks"),
        )


class CalendarExceptionSerializer(MasterDataSerializer):
    """A holiday, or a working day in spite of one."""

    class Meta:
        model = CalendarException
        fields = ("id", "site", "line", "machine", "date", "kind", "name")
        validators: list[object] = []
