"""Write what is recommended, what people decide about it, and what came of it.

The same evidence never makes a second record. What is open or accepted is not said again until it is over, or its
strength changed by a quarter; what was rejected only when it grew by a quarter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from advice.changeovers import orders_of_changeovers
from advice.drifts import drifts
from advice.failures import failures_ahead, lives, train_failure_model
from advice.findings import Finding, Found, Quiet
from advice.losses import losses_to_attack
from advice.models import AdviceModel, Kind, Recommendation, RecommendationStep, Silence
from advice.own_log import own_log
from advice.wording import headline
from core.errors import Conflict, Invalid
from core.intervals import Interval
from core.locks import take_turns
from downtime.selectors import all_reasons
from enterprise.models import Site
from maintenance.services import Said, ask
from oee.reason_times import reason_times
from oee.stops import SHORT

CHANGE = Decimal("0.25")
_Status = Recommendation.Status
_Step = RecommendationStep.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Who decides, when, what they say, and how a retry is known; None = the facts do."""

    at: datetime
    actor: User | None
    note: str = ""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Advised:
    """What a look at a site came to."""

    made: list[Recommendation]
    kept: int
    silent: list[Silence]


def advise(*, site: Site, now: datetime, say: Callable[[str], None] = lambda words: None) -> Advised:
    """Look at everything that advice is given about at a site, and write what is new; however often, one effect."""
    say("what came of what was said")
    judge(site=site, now=now)
    say("losses")
    found: list[Found] = list(losses_to_attack(site, now=now))
    say("changeovers")
    found += orders_of_changeovers(site, now=now)
    say("drifts")
    found += drifts(site, now=now)
    say("failures and lives")
    own = own_log(site, now=now)
    if own is None:
        found.append(Quiet(kind=Kind.FAILURE, subject=f"failure site {site.pk}", why="nothing_known"))
    else:
        found += failures_ahead(site, own, now=now)
        found += lives(site, own, now=now)
    return write(site=site, found=found, now=now)


def train(*, site: Site, now: datetime, say: Callable[[str], None] = lambda words: None) -> AdviceModel | Silence:
    """Learn a site's failures anew; returns the next version of its model, or why there is none."""
    say(f"{site.code}: reading its history")
    own = own_log(site, now=now)
    quiet = Quiet(kind=Kind.FAILURE, subject=f"failure site {site.pk}", why="nothing_known")
    found = quiet if own is None else train_failure_model(site, own, now=now, say=say)
    if isinstance(found, AdviceModel):
        return found
    return write_silences(site=site, quiet=[found], now=now, kinds=[Kind.FAILURE])[0]


@transaction.atomic
def write(*, site: Site, found: Sequence[Found], now: datetime) -> Advised:
    """Write findings, leaving out what was said before, and replace the site's silences."""
    take_turns("advice", site.pk)
    findings = [one for one in found if isinstance(one, Finding)]
    made = [new for finding in findings if (new := _say(site, finding, now)) is not None]
    silent = write_silences(
        site=site, quiet=[one for one in found if isinstance(one, Quiet)], now=now, kinds=Kind.values
    )
    return Advised(made, len(findings) - len(made), silent)


@transaction.atomic
def write_silences(*, site: Site, quiet: Sequence[Quiet], now: datetime, kinds: Sequence[str]) -> list[Silence]:
    """Replace what is said of a site's kinds about why nothing can be said."""
    Silence.objects.filter(site=site, kind__in=kinds).delete()
    return Silence.objects.bulk_create(
        Silence(
            site=site,
            line=one.line,
            machine=one.machine,
            kind=one.kind,
            subject=one.subject[:200],
            why=one.why,
            facts=one.facts,
            looked_at=now,
        )
        for one in quiet
    )


def _say(site: Site, finding: Finding, now: datetime) -> Recommendation | None:
    last = Recommendation.objects.filter(subject=finding.subject[:200]).order_by("-pk").first()
    if last is not None:
        if Recommendation.objects.filter(subject=last.subject, digest=finding.digest).exists():
            return None
        if not _is_news(last, finding, now):
            return None
        if last.status == _Status.OPEN:
            last.status = _Status.REPLACED
            last.save(update_fields=["status"])
    return Recommendation.objects.create(
        site=site,
        line=finding.line,
        machine=finding.machine,
        kind=finding.kind,
        component=finding.component[:200],
        subject=finding.subject[:200],
        digest=finding.digest,
        evidence=finding.evidence,
        strength=finding.strength,
        probability=finding.probability,
        horizon_hours=finding.horizon_hours,
        gain_hours=finding.gain_hours,
        gain_oee_points=finding.gain_oee_points,
        gain_money=finding.gain_money,
        made_at=now,
        window_start=finding.window.start,
        window_end=finding.window.end,
        valid_until=finding.valid_until,
        model=finding.model,
    )


def _is_news(last: Recommendation, finding: Finding, now: datetime) -> bool:
    if last.status == _Status.REJECTED:
        return finding.strength >= last.strength * (1 + CHANGE)
    is_over = last.valid_until <= now or last.came_true is not None
    return is_over or abs(finding.strength - last.strength) >= abs(last.strength) * CHANGE


@transaction.atomic
def accept(
    *, recommendation: Recommendation, decided: Decided, make_order: bool = False
) -> tuple[Recommendation, bool]:
    """Accept it; `make_order` asks for maintenance of its machine, too. Returns it and whether that was new."""
    known = _known(recommendation, _Step.ACCEPTED, decided)
    if known is not None:
        return known, False
    held = _held(recommendation, decided)
    if make_order:
        if held.machine is None:
            raise Invalid(
                _("It is about no single machine; there is nothing to order maintenance of."), field="make_order"
            )
        held.maintenance_order = ask(
            machine=held.machine,
            title=headline(held)[:200],
            said=Said(at=decided.at, recorded_at=decided.at, actor=decided.actor, note=decided.note),
            description=_("By recommendation %(number)s.") % {"number": f"R-{held.pk}"},
        ).order
    held.status = _Status.ACCEPTED
    held.save(update_fields=["status", "maintenance_order"])
    _write(held, _Step.ACCEPTED, decided)
    return held, True


@transaction.atomic
def reject(*, recommendation: Recommendation, decided: Decided) -> tuple[Recommendation, bool]:
    """Reject it, saying why; it comes again only when it grew by a quarter."""
    known = _known(recommendation, _Step.REJECTED, decided)
    if known is not None:
        return known, False
    if not decided.note.strip():
        raise Invalid(_("Say why."), field="note")
    held = _held(recommendation, decided)
    held.status = _Status.REJECTED
    held.save(update_fields=["status"])
    _write(held, _Step.REJECTED, decided)
    return held, True


@transaction.atomic
def tell_outcome(
    *, recommendation: Recommendation, decided: Decided, came_true: bool, gained_hours: Decimal | None = None
) -> tuple[Recommendation, bool]:
    """Say what came of it: whether it was right, and what it gained.

    The last word holds; the words before stay as steps.

    Raises Conflict while nobody decided about it; what is foretold may be judged without (it came, or it did not).
    """
    known = _known(recommendation, _Step.OUTCOME, decided)
    if known is not None:
        return known, False
    held = _locked(recommendation)
    if held.status in (_Status.OPEN, _Status.REPLACED) and held.valid_until > decided.at:
        raise Conflict(_("Accept or reject it first."), field="recommendation")
    held.came_true, held.gained_hours = came_true, gained_hours
    held.save(update_fields=["came_true", "gained_hours"])
    _write(held, _Step.OUTCOME, decided, came_true=came_true, gained_hours=gained_hours)
    return held, True


def judge(*, site: Site, now: datetime) -> list[Recommendation]:
    """Say of each failure that was foretold, whether it came within its horizon, once that is over.

    One for which maintenance was finished within the horizon is left to people: nobody knows what would have been.
    """
    waiting = Recommendation.objects.filter(
        site=site, kind=Kind.FAILURE, came_true__isnull=True, valid_until__lte=now, machine__isnull=False
    ).select_related("machine__line__area__site", "maintenance_order")
    failing = {pk: reason.code for pk, reason in all_reasons().items() if reason.is_failure}
    judged = []
    for one in waiting[:200]:
        order = one.maintenance_order
        if order is not None and (order.finished_at is None or order.finished_at <= one.valid_until):
            continue
        assert one.machine is not None
        rows = reason_times([one.machine], Interval(one.window_end, one.valid_until), now=now)
        came = any(
            row.occurrences and row.category not in SHORT and failing.get(row.reason_id or 0) == one.component
            for row in rows
        )
        key = f"judged {one.pk}"
        judged.append(
            tell_outcome(recommendation=one, decided=Decided(at=now, actor=None, idempotency_key=key), came_true=came)[
                0
            ]
        )
    return judged


def _locked(recommendation: Recommendation) -> Recommendation:
    return (
        Recommendation.objects.select_for_update(of=("self",))
        .select_related("machine__line__area__site", "line", "site", "maintenance_order")
        .get(pk=recommendation.pk)
    )


def _held(recommendation: Recommendation, decided: Decided) -> Recommendation:
    held = _locked(recommendation)
    if held.status != _Status.OPEN:
        status = str(held.get_status_display()).lower()
        raise Conflict(_("It is %(status)s already.") % {"status": status}, field="recommendation", code="decided")
    if held.valid_until <= decided.at:
        raise Conflict(
            _("It held until a while ago only; look at the newer ones."), field="recommendation", code="over"
        )
    return held


def _known(recommendation: Recommendation, kind: str, decided: Decided) -> Recommendation | None:
    if not decided.idempotency_key:
        return None
    take_turns(f"step of advice {decided.idempotency_key}")
    step = RecommendationStep.objects.filter(idempotency_key=decided.idempotency_key).first()
    if step is None:
        return None
    if (step.recommendation_id, step.kind) != (recommendation.pk, kind):
        raise Conflict(_("Another step was taken under that key; it stays."), field="idempotency_key")
    return Recommendation.objects.get(pk=recommendation.pk)


def _write(
    held: Recommendation,
    kind: str,
    decided: Decided,
    *,
    came_true: bool | None = None,
    gained_hours: Decimal | None = None,
) -> None:
    RecommendationStep.objects.create(
        recommendation=held,
        kind=kind,
        occurred_at=decided.at,
        recorded_by=decided.actor,
        note=decided.note.strip(),
        came_true=came_true,
        gained_hours=gained_hours,
        idempotency_key=decided.idempotency_key or None,
    )
