"""REST of the simulator: how the simulated plants live, as its page shows it."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.master_data import caller
from simulator.models import SimulatedFault, SimulatedHour, SimulatedLine, Simulation
from simulator.selectors import plants_of


class SimulatedLineSerializer(serializers.ModelSerializer[SimulatedLine]):
    """What the devices of a line delivered since the start."""

    line = serializers.CharField(source="line.code")

    class Meta:
        model = SimulatedLine
        fields = ("line", "delivered_at", "accepted", "duplicates", "refused", "waiting")


class SimulatedHourSerializer(serializers.ModelSerializer[SimulatedHour]):
    """What people did in an hour."""

    class Meta:
        model = SimulatedHour
        fields: ClassVar[Any] = ("hour_at", "is_done", *SimulatedHour.COUNTED)


class SimulatedFaultSerializer(serializers.ModelSerializer[SimulatedFault]):
    """A fault to come."""

    machine = serializers.CharField(source="machine.code")

    class Meta:
        model = SimulatedFault
        fields = ("machine", "at", "minutes", "reason", "detail")


class SimulationSerializer(serializers.ModelSerializer[Simulation]):
    """A simulated plant."""

    site = serializers.CharField(source="site.code")

    class Meta:
        model = Simulation
        fields = (
            *("site", "seed", "begins_at", "done_until", "started_at", "stopped_at", "seen_at"),
            *("simulated_at", "speed", "via"),
        )


class PlantLifeSerializer(serializers.Serializer[Any]):
    """How a simulated plant lives."""

    simulation = SimulationSerializer()
    is_running = serializers.BooleanField()
    is_behind = serializers.BooleanField(help_text="Its people have more than an hour to catch up with.")
    lines = SimulatedLineSerializer(many=True)
    hours = SimulatedHourSerializer(many=True, help_text="The last 48, the newest first.")
    faults = SimulatedFaultSerializer(many=True, help_text="Those to come.")


class SimulationView(APIView):
    """Tell how the simulated plants of the caller's sites live."""

    kind = "simulation"

    @extend_schema(operation_id="simulation_list", responses=PlantLifeSerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response(PlantLifeSerializer(plants_of(caller(request), now=timezone.now()), many=True).data)
