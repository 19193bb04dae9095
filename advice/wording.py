"""What a recommendation says, in the reader's language: sentences made of the codes and numbers of its evidence."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from advice.models import Kind, Recommendation, Silence

LOSSES: dict[str, Any] = {
    "changeovers": gettext_lazy("Changeovers"),
    "stops": gettext_lazy("Unplanned stops"),
    "waiting": gettext_lazy("Waiting"),
    "micro_stops": gettext_lazy("Micro-stops"),
    "reduced_speed": gettext_lazy("Reduced speed"),
    "startup_rejects": gettext_lazy("Start-up rejects"),
    "rejects": gettext_lazy("Rejects"),
    "rework": gettext_lazy("Rework"),
}
_WHY: dict[str, Any] = {
    "thin_failures": gettext_lazy("%(failures)s failures known in %(hours)s hours, %(needed)s needed."),
    "thin_trial": gettext_lazy("The back-test could try it on %(failures)s failures, %(needed)s needed."),
    "poor_trial": gettext_lazy(
        "The back-test was poor: of %(warnings)s warnings %(right)s were right, of %(failures)s failures %(seen)s were seen."
    ),
    "no_better_than_interval": gettext_lazy(
        "In the back-test the mean interval between failures did as well: of %(failures)s failures %(seen)s were seen."
    ),
    "thin_lives": gettext_lazy("%(component)s: %(failures)s whole lives known, %(needed)s needed."),
    "short_life": gettext_lazy(
        "%(component)s comes every %(mean)s hours of running, on average; exchanging nothing helps for %(horizon)s hours."
    ),
    "thin_hours": gettext_lazy("%(hours)s hours of one product known, %(needed)s needed."),
    "thin_busy": gettext_lazy("%(busy_hours)s hours of planned time known, %(needed)s needed."),
    "thin_plan": gettext_lazy("%(entries)s jobs are planned ahead, %(needed)s of two products are needed."),
    "thin_changeovers": gettext_lazy("%(measured)s changeovers were measured, %(needed)s needed."),
    "plan_is_good": gettext_lazy("No order of the %(entries)s planned jobs saves five minutes of changing over."),
    "no_loss": gettext_lazy("No loss costs as much as %(smallest)s OEE point."),
    "nothing_known": gettext_lazy("Nothing is known yet."),
}
_FEATURES: dict[str, Any] = {
    "cycle time of ideal": gettext_lazy("cycle time / ideal"),
    "reject share": gettext_lazy("share of rejects"),
    "micro-stops": gettext_lazy("micro-stops"),
    "?": gettext_lazy("stops without a reason"),
}


def number(value: Any, places: int = 1) -> str:
    """Return a number as readers write it; a dash where it is not known."""
    return "–" if value is None else number_format(round(float(value), places), decimal_pos=places, use_l10n=True)


def headline(one: Recommendation) -> str:
    """Return what to do, in one line."""
    said = one.evidence
    words: dict[str, Callable[[], str]] = {
        Kind.FAILURE: lambda: (
            _("%(machine)s: %(component)s will likely fail within %(hours)s hours")
            % {"machine": one.machine, "component": said["component_name"], "hours": one.horizon_hours}
        ),
        Kind.LIFE: lambda: (
            _("%(machine)s: exchange what fails as %(component)s; it is near the end of its life")
            % {"machine": one.machine, "component": said["component_name"]}
        ),
        Kind.CYCLE_DRIFT: lambda: (
            _("%(machine)s makes %(product)s %(percent)s %% slower than it used to")
            % {"machine": one.machine, "product": said["product"], "percent": number(100 * said["size"])}
        ),
        Kind.REJECT_DRIFT: lambda: (
            _("%(machine)s rejects %(percent)s %% more of %(product)s than it used to")
            % {"machine": one.machine, "product": said["product"], "percent": number(100 * said["size"])}
        ),
        Kind.LOSS: lambda: (
            _("%(line)s: attack %(loss)s first")
            % {"line": one.line, "loss": str(LOSSES.get(said["loss"], said["loss"])).lower()}
        ),
        Kind.CHANGEOVER: lambda: (
            _("%(line)s: another order of the planned jobs saves %(minutes)s min of changing over")
            % {"line": one.line, "minutes": number(said["minutes_saved"], 0)}
        ),
    }
    return words[one.kind]()


def reasons(one: Recommendation) -> list[str]:
    """Return why, sentence by sentence."""
    return _REASONS[one.kind](one.evidence)


def _failure(said: dict[str, Any]) -> list[str]:
    trial = said["trial"]
    found = [_("Probability %(percent)s %%.") % {"percent": number(100 * said["probability"], 0)}]
    for driver in said["drivers"]:
        found.append(
            _("%(signal)s: %(value)s, usually %(usual)s.")
            % {
                "signal": _FEATURES.get(driver["signal"], driver["signal"]),
                "value": number(driver["value"], 2),
                "usual": number(driver["usual"], 2),
            }
        )
    found.append(
        _(
            "Back-test on this plant's own past: %(seen)s of %(failures)s failures seen, %(right)s of %(warnings)s warnings right, %(lead)s hours ahead."
        )
        % {
            **{name: trial[name] for name in ("seen", "failures", "right", "warnings")},
            "lead": number(trial["lead"], 0),
        }
    )
    return found


def _life(said: dict[str, Any]) -> list[str]:
    chance, b10, mean = said["probability"], said["b10"], said["mean"]
    return [
        _("It ran %(age)s hours since it was new.") % {"age": number(said["age_run_hours"], 0)},
        _("Within %(hours)s more hours it fails with %(percent)s %% (95 %% interval %(low)s–%(high)s %%).")
        % {
            "hours": said["horizon_run_hours"],
            **dict(zip(("percent", "low", "high"), (number(100 * x, 0) for x in chance), strict=True)),
        },
        _("One in ten fails by %(b10)s hours (%(low)s–%(high)s), the mean life is %(mean)s hours.")
        % {"b10": number(b10[0], 0), "low": number(b10[1], 0), "high": number(b10[2], 0), "mean": number(mean[0], 0)},
        _(
            "Weibull of %(failures)s failures and %(censored)s lives that are not over: shape %(shape)s, scale %(scale)s h."
        )
        % {
            "failures": said["failures"],
            "censored": said["censored"],
            "shape": number(said["shape"], 2),
            "scale": number(said["scale"], 0),
        },
    ]


def _drift(said: dict[str, Any]) -> list[str]:
    found = [
        _("Usually %(usual)s, deviation %(deviation)s, from %(hours)s hours; now %(level)s.")
        % {
            "usual": number(said["usual"], 4),
            "deviation": number(said["deviation"], 4),
            "hours": said["learned_hours"],
            "level": number(said["level"], 4),
        },
        _("It began at %(begun)s and was sure at %(seen)s (UTC).")
        % {"begun": said["begun_at"][:16].replace("T", " "), "seen": said["seen_at"][:16].replace("T", " ")},
        _("On hours that do not drift, one false alarm comes in %(every)s of them.")
        % {"every": said["false_alarm_every"]},
    ]
    if said["found_within"] is not None:
        found.append(
            _("A drift of %(percent)s %% is found here within %(hours)s hours on average.")
            % {"percent": number(100 * said["watched"], 0), "hours": number(said["found_within"], 0)}
        )
    return found


def _loss(said: dict[str, Any]) -> list[str]:
    before, after = said["trend"]
    found = [
        _("It costs %(hours)s hours a week, %(points)s OEE points, over %(weeks)s weeks.")
        % {
            "hours": number(said["hours_per_week"]),
            "points": number(said["oee_points"]),
            "weeks": number(said["weeks"]),
        },
        _("Of planned time it took %(before)s %% in the first half, %(after)s %% in the second.")
        % {"before": number(before), "after": number(after)},
    ]
    for row in said["reasons"]:
        found.append(
            _("%(reason)s: %(hours)s hours a week, %(stops)s stops.")
            % {
                "reason": row["reason"] or _("without a reason"),
                "hours": number(row["hours_per_week"]),
                "stops": row["stops"],
            }
        )
    found.append(
        _("The gain takes it that %(percent)s %% of it can be won back.")
        % {"percent": number(100 * said["recovered"], 0)}
    )
    return found


def _changeover(said: dict[str, Any]) -> list[str]:
    return [
        _("As planned, changing over takes %(planned)s min; in the best order found %(best)s min.")
        % {"planned": number(said["minutes_planned"], 0), "best": number(said["minutes_best"], 0)},
        _("Best order: %(orders)s.")
        % {"orders": ", ".join(f"{row['order']} ({row['product']})" for row in said["best"])},
        _("By %(measured)s changeovers that were measured on the line; no order becomes late that would not be anyway.")
        % {"measured": said["measured"]},
    ]


_REASONS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    Kind.FAILURE: _failure,
    Kind.LIFE: _life,
    Kind.CYCLE_DRIFT: _drift,
    Kind.REJECT_DRIFT: _drift,
    Kind.LOSS: _loss,
    Kind.CHANGEOVER: _changeover,
}
_PAGES: dict[str, tuple[str, Any]] = {
    "stops": ("screens:stops", gettext_lazy("Stops")),
    "pareto": ("screens:pareto", gettext_lazy("Pareto of stops")),
    "waterfall": ("screens:waterfall", gettext_lazy("Loss waterfall")),
    "planner": ("screens:planner", gettext_lazy("Planner")),
    "changeovers": ("screens:changeovers", gettext_lazy("Changeovers")),
    "trends": ("screens:trends", gettext_lazy("KPIs over time")),
}


def links(one: Recommendation) -> list[dict[str, str]]:
    """Return the pages that show what it follows from: name and address."""
    found = []
    for link in one.evidence.get("links", ()):
        address, name = _PAGES[link["page"]]
        query = {key: value for key, value in link.items() if key != "page"}
        if link["page"] == "stops":
            query["show"] = "all"
        found.append({"name": str(name), "url": f"{reverse(address)}?{urlencode(query)}"})
    return found


def silence(one: Silence) -> str:
    """Return why nothing is said."""
    told = {name: number(value) if isinstance(value, float) else value for name, value in one.facts.items()}
    return str(_WHY[one.why]) % told
