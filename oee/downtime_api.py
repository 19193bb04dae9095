"""REST of what follows from stops: root causes, changeovers, reliability, Pareto."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.exact import decimal_text
from core.intervals import Interval
from core.serializers import AwareDateTimeField, ReferenceField
from enterprise.models import Line, Machine
from oee.changeovers import Changeover, changeovers_of
from oee.engine.root_cause import RootCause, Standing
from oee.pareto import By, Pareto, ParetoRow, pareto
from oee.reliability import DEFINITION, Reliability, reliability_of
from oee.root_causes import root_causes_among
from oee.scopes import every_machine_of, machines_of
from oee.services import refuse_window
from oee.stop_api import PlaceWindowSerializer, StopSerializer, bounded
from oee.stops import Stop


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def moment(at: datetime | None) -> Any:
    """Return a moment as it travels; None stays unknown."""
    return AwareDateTimeField().to_representation(at)


class _View(GenericAPIView):
    """Answer a question about downtime."""

    kind = "oee_record"
    queryset = Machine.objects.none()  # what is answered is derived, and kept in no table
    filter_backends = ()
    query: type[serializers.Serializer] = PlaceWindowSerializer

    def asked(self, request: Request) -> dict[str, Any]:
        """Return what was asked for; raises ValidationError with the field at fault."""
        query = self.query(data=request.query_params, context=self.get_serializer_context())
        query.is_valid(raise_exception=True)
        asked: dict[str, Any] = query.validated_data
        return asked


class LineWindowSerializer(PlaceWindowSerializer):
    """A line and a window; without a window, the last 24 hours."""

    site = area = machine = None  # type: ignore[assignment]
    line = ReferenceField(queryset=Line.objects.select_related("area__site"))

    PLACES = ("line",)


class StandingSerializer(serializers.Serializer):
    """A link of the chain from a stop to what began it."""

    machine = serializers.IntegerField(source="machine_id")
    starts_at = AwareDateTimeField(source="start")
    ends_at = AwareDateTimeField(source="end", help_text="So far.")
    reason = serializers.IntegerField(source="reason_id", allow_null=True)


class RootCauseSerializer(serializers.Serializer):
    """A stop of the line, and what began it."""

    stop = StopSerializer()
    found = serializers.CharField(
        help_text="own: its own reason says it. followed: by starved and blocked. first_fault: another machine had just"
        " stopped. lost: it waited for others, but none stood. unknown: nothing says why."
    )
    root_machine = serializers.IntegerField()
    root_reason = serializers.IntegerField(allow_null=True)
    chain = StandingSerializer(many=True, help_text="From the stop to what began it.")


class RootCauseView(_View):
    """What began the stops of a line."""

    query = LineWindowSerializer
    serializer_class = RootCauseSerializer

    @extend_schema(parameters=[LineWindowSerializer], responses=RootCauseSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the stops of the machines that stand for the line, newest first, each with its root cause."""
        asked, now = self.asked(request), timezone.now()
        machines = every_machine_of(asked["place"])
        found = root_causes_among(machines, bounded(asked, machines, now=now), now=now)
        page: Any = self.paginate_queryset(found[::-1])
        rows = [self._row(stop, cause) for stop, cause in page]
        return self.get_paginated_response(RootCauseSerializer(rows, many=True).data)

    def _row(self, stop: Stop, cause: RootCause) -> dict[str, Any]:
        root: Standing = cause.root
        return {
            "stop": stop,
            "found": cause.found,
            "root_machine": root.machine_id,
            "root_reason": root.reason_id,
            "chain": cause.chain,
        }


class ChangeoverSerializer(serializers.Serializer):
    """A changeover of a line, from last good piece to first good piece."""

    run = serializers.IntegerField(source="run_id", help_text="The run that it led to.")
    from_product = serializers.IntegerField(source="from_product_id")
    to_product = serializers.IntegerField(source="to_product_id")
    starts_at = AwareDateTimeField(source="started_at", allow_null=True, help_text="The last good piece; null = none.")
    ends_at = AwareDateTimeField(source="ended_at", allow_null=True, help_text="The first good piece; null = not yet.")
    seconds = serializers.SerializerMethodField()
    target_seconds = serializers.SerializerMethodField()
    internal_seconds = serializers.SerializerMethodField(help_text="Of recorded tasks for which the line stood.")
    external_seconds = serializers.SerializerMethodField(help_text="Of recorded tasks while it ran.")
    internal_share = serializers.SerializerMethodField(help_text="null = no task was recorded.")

    def get_seconds(self, changeover: Changeover) -> float | None:
        """Return how long it took."""
        return _seconds(changeover.duration)

    def get_target_seconds(self, changeover: Changeover) -> float | None:
        """Return how long it may take."""
        return _seconds(changeover.target)

    def get_internal_seconds(self, changeover: Changeover) -> float | None:
        """Return the internal work."""
        return _seconds(changeover.internal_time)

    def get_external_seconds(self, changeover: Changeover) -> float | None:
        """Return the external work."""
        return _seconds(changeover.external_time)

    def get_internal_share(self, changeover: Changeover) -> str | None:
        """Return the internal part of the recorded work."""
        return decimal_text(changeover.internal_share)


class ChangeoverView(_View):
    """Changeovers of a line."""

    query = LineWindowSerializer
    serializer_class = ChangeoverSerializer

    @extend_schema(parameters=[LineWindowSerializer], responses=ChangeoverSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the changeovers whose new run began in the window, newest first."""
        asked, now = self.asked(request), timezone.now()
        refuse_window(asked["window"], now=now)
        found = changeovers_of(asked["place"], asked["window"], now=now)
        page: Any = self.paginate_queryset(found[::-1])
        return self.get_paginated_response(ChangeoverSerializer(page, many=True).data)


class ReliabilityRowSerializer(serializers.Serializer):
    """Means in seconds; null without failures."""

    failures = serializers.IntegerField()
    production_seconds = serializers.SerializerMethodField()
    failure_seconds = serializers.SerializerMethodField()
    mtbf = serializers.SerializerMethodField()
    mttr = serializers.SerializerMethodField()
    mttf = serializers.SerializerMethodField()

    def get_production_seconds(self, row: Reliability) -> float:
        """Return the production time."""
        return row.production_time / 1_000_000

    def get_failure_seconds(self, row: Reliability) -> float:
        """Return the time in failure."""
        return row.failure_time / 1_000_000

    def get_mtbf(self, row: Reliability) -> str | None:
        """Return the mean time between failures."""
        return decimal_text(row.mtbf)

    def get_mttr(self, row: Reliability) -> str | None:
        """Return the mean time to repair."""
        return decimal_text(row.mttr)

    def get_mttf(self, row: Reliability) -> str | None:
        """Return the mean time to failure."""
        return decimal_text(row.mttf)


class ReliabilityView(_View):
    """MTBF, MTTR and MTTF."""

    serializer_class = ReliabilityRowSerializer

    @extend_schema(parameters=[PlaceWindowSerializer])
    def get(self, request: Request) -> Response:
        """Return them for every machine of a place, and for the machines that stand for it together."""
        asked, now = self.asked(request), timezone.now()
        window, place = asked["window"], asked["place"]
        refuse_window(window, now=now)
        standing_for = {machine.pk for machine in machines_of(place)}
        machines = every_machine_of(place) or machines_of(place)
        by_machine = reliability_of(machines, window, now=now)
        together = sum((row for pk, row in by_machine.items() if pk in standing_for), start=Reliability())
        return Response(
            {
                "definition": DEFINITION,
                "starts_at": moment(window.start),
                "ends_at": moment(window.end),
                "known_until": moment(min(window.end, now)),
                "together": ReliabilityRowSerializer(together).data,
                "machines": [{"machine": pk, **ReliabilityRowSerializer(row).data} for pk, row in by_machine.items()],
            }
        )


class ParetoQuerySerializer(PlaceWindowSerializer):
    """Which Pareto is asked for."""

    by = serializers.ChoiceField(choices=[str(by) for by in By], default=By.REASON)


class ParetoRowSerializer(serializers.Serializer):
    """The stops of one reason, machine or shift: the one that was asked for is named."""

    reason = serializers.IntegerField(allow_null=True, required=False)
    machine = serializers.IntegerField(allow_null=True, required=False)
    shift = serializers.IntegerField(allow_null=True, required=False)
    seconds = serializers.FloatField()
    share = serializers.CharField()
    occurrences = serializers.IntegerField()
    lost_pieces = serializers.CharField(allow_null=True)
    seconds_without_rate = serializers.FloatField()
    cost = serializers.CharField(allow_null=True)
    seconds_without_cost = serializers.FloatField()
    stops = serializers.DictField(help_text="The parameters by which `/downtime/stop/` lists them.")


class ParetoSerializer(serializers.Serializer):
    """Stops in planned time, gathered; exact numbers travel as text, null = not known."""

    by = serializers.CharField()
    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()
    known_until = AwareDateTimeField()
    currency = serializers.CharField()
    stopped_seconds = serializers.FloatField()
    unexplained_seconds = serializers.FloatField()
    unexplained_share = serializers.CharField(allow_null=True)
    rows = ParetoRowSerializer(many=True)


class ParetoView(_View):
    """What cost the most."""

    query = ParetoQuerySerializer
    serializer_class = ParetoSerializer

    @extend_schema(parameters=[ParetoQuerySerializer])
    def get(self, request: Request) -> Response:
        """Return stops in planned time by reason, machine or shift, the longest first.

        By machine, every machine of the place counts; otherwise those that stand for their lines, as in OEE. `stops`
        of a row are the parameters by which `/downtime/stop/` lists its stops.
        """
        asked, now = self.asked(request), timezone.now()
        window, place, by = asked["window"], asked["place"], By(asked["by"])
        refuse_window(window, now=now)
        machines = every_machine_of(place) if by is By.MACHINE else machines_of(place)
        found = pareto(machines, window, by=by, now=now)
        name = next(name for name in PlaceWindowSerializer.PLACES if name in asked)
        return Response(
            {
                "by": by.value,
                "starts_at": moment(window.start),
                "ends_at": moment(window.end),
                "known_until": moment(min(window.end, now)),
                "currency": machines[0].line.area.site.currency if machines else "",
                "stopped_seconds": _seconds(found.stopped),
                "unexplained_seconds": _seconds(found.unexplained),
                "unexplained_share": decimal_text(found.unexplained_share),
                "rows": [self._row(row, found, by, {name: place.pk}, window) for row in found.rows],
            }
        )

    def _row(self, row: ParetoRow, of: Pareto, by: By, place: dict[str, int], window: Interval) -> dict[str, Any]:
        own = {by.value: row.key} if row.key is not None else {"unexplained": "true"} if by is By.REASON else {}
        stops = {**({} if by is By.MACHINE else {**place, "of_line": "true"}), **own}
        return {
            by.value: row.key,
            "seconds": _seconds(row.duration),
            "share": decimal_text(Fraction(row.duration // timedelta.resolution, of.stopped // timedelta.resolution)),
            "occurrences": row.occurrences,
            "lost_pieces": decimal_text(row.lost_pieces),
            "seconds_without_rate": _seconds(row.without_rate),
            "cost": None if row.cost is None else str(row.cost),
            "seconds_without_cost": _seconds(row.without_cost),
            "stops": {**stops, "starts_at": moment(window.start), "ends_at": moment(window.end)},
        }
