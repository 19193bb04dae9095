"""What a process can do, and how far its gauge is to be trusted, worked out from the results that are stored."""

from datetime import datetime

from django.db.models import Q

from core.errors import Invalid
from core.intervals import Interval
from enterprise.models import Site
from quality.charting import MOST_RESULTS, plotted
from quality.judging import held
from quality.models import Characteristic, ControlChart, Gauge, Result
from quality.spc.capability import Capability, capability
from quality.spc.charts import Kind, Measured
from quality.spc.gauge import Method, Reading, Study, gauge_rr


def capability_on(of: ControlChart, start: datetime | None = None, end: datetime | None = None) -> Capability:
    """Return the capability of what a chart plots in a time, against the limits of its characteristic.

    Raises Invalid for a chart of counts, without limits, and without values.
    """
    if not Kind(of.kind).is_measured:
        raise Invalid("Only measured values have a capability.", field="kind")
    limits = of.characteristic
    return capability(
        [one.subgroup for one in plotted(of, start, end) if isinstance(one.subgroup, Measured)],
        lsl=limits.lower_limit,
        usl=limits.upper_limit,
        target=limits.nominal,
    )


def study_of(
    of: Characteristic,
    site: Site,
    window: Interval,
    *,
    method: Method = Method.ANOVA,
    gauge: Gauge | None = None,
) -> Study:
    """Return how much of what was measured by hand at a site in a time is the measuring.

    The part is the unit's serial number, else its number in the sample; the appraiser is who recorded it; the trials
    are the inspections. The tolerance is the characteristic's, where it has both limits. Raises Invalid where somebody
    measured a part more often than another did.
    """
    rows = Result.objects.filter(
        Q(characteristic__plan__code=of.plan.code, characteristic__code=of.code),
        inspection__site=site,
        recorded_by__isnull=False,
        occurred_at__gte=window.start,
        occurred_at__lt=window.end,
    )
    if gauge is not None:
        rows = rows.filter(gauge=gauge)
    if rows[MOST_RESULTS : MOST_RESULTS + 1].exists():
        raise Invalid(f"There are more than {MOST_RESULTS} results; choose a shorter time.", field="starts_at")
    readings = [
        Reading(one.result.serial or str(one.result.sample), str(one.result.recorded_by_id), one.value)
        for one in held(rows)
        if one.value is not None
    ]
    low, high = of.lower_limit, of.upper_limit
    return gauge_rr(readings, method, tolerance=None if low is None or high is None else high - low)
