"""Which policy a site's OEE follows at a moment."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from fractions import Fraction

from core.intervals import floor_hour
from core.shared_reads import once_each
from enterprise.models import Site
from oee.engine import Breaks, Changeover, MicroStopLoss, NoData, Overtime, Policy, StartupRejects
from oee.models import OeePolicy

_EVER = datetime.min.replace(tzinfo=UTC)


class DatedPolicies:
    """A site's policies, each from the clock hour in which its first day begins there."""

    def __init__(self, rows: Iterable[OeePolicy]) -> None:
        begun = sorted(((_beginning(row), row) for row in rows), key=lambda pair: pair[0])
        self.rows = [row for _, row in begun]
        self.starts = [start for start, _ in begun]
        self._policies = [policy_of(row) for row in self.rows]

    def at(self, moment: datetime) -> Policy:
        """Return the policy that holds at a moment; the default before the first."""
        position = bisect_right(self.starts, moment) - 1
        return self._policies[position] if position >= 0 else Policy()

    def row_at(self, moment: datetime) -> OeePolicy | None:
        """Return the row that holds at a moment, if one does."""
        position = bisect_right(self.starts, moment) - 1
        return self.rows[position] if position >= 0 else None

    def within(self, start: datetime, end: datetime) -> tuple[Policy, ...]:
        """Return the policies that hold at some moment between two, in order, each once."""
        moments = [start, *(at for at in self.starts if start < at < end)]
        return tuple(dict.fromkeys(self.at(moment) for moment in moments))


def policies_of(site_ids: Iterable[int]) -> dict[int, DatedPolicies]:
    """Return each site's policies; a site that set none has the default for ever."""
    return once_each("policies", site_ids, _policies_of, kept=True)


def _policies_of(site_ids: list[int]) -> dict[int, DatedPolicies]:
    rows: dict[int, list[OeePolicy]] = {site_id: [] for site_id in site_ids}
    for row in OeePolicy.objects.filter(site__in=list(rows)).select_related("site").order_by():
        rows[row.site_id].append(row)
    return {site_id: DatedPolicies(of_site) for site_id, of_site in rows.items()}


def policy_of(row: OeePolicy) -> Policy:
    """Return a policy as the engine sees it."""
    return Policy(
        changeover=Changeover(row.changeover),
        overtime=Overtime(row.overtime),
        breaks=Breaks(row.breaks),
        micro_stops=MicroStopLoss(row.micro_stops),
        no_data=NoData(row.no_data),
        startup_rejects=StartupRejects(row.startup_rejects),
        target_oee=Fraction(row.target_oee),
    )


def startups_of(sites: Mapping[int, Site]) -> dict[int, Callable[[datetime], int]]:
    """Return, for each key, how many minutes a run that starts at a moment takes to start up at its site."""
    policies = policies_of({site.pk for site in sites.values()})

    def minutes_at(of_site: DatedPolicies) -> Callable[[datetime], int]:
        return lambda moment: row.startup_minutes if (row := of_site.row_at(moment)) else 0

    return {key: minutes_at(policies[site.pk]) for key, site in sites.items()}


def _beginning(row: OeePolicy) -> datetime:
    """Return the clock hour from which a policy holds; hours are the smallest thing that is stored."""
    return _EVER if row.valid_from is None else floor_hour(_midnight(row.valid_from, row.site))


def _midnight(day: date, site: Site) -> datetime:
    return datetime.combine(day, time(), tzinfo=site.zone).astimezone(UTC)
