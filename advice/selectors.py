"""What is recommended, and how often that came true."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from advice.models import Kind, Recommendation, Silence
from core.master_data import in_scope

MOST_OPEN = 100


@dataclass(frozen=True, slots=True)
class Precision:
    """How a kind did: how many were made, decided and judged, and how many of those judged came true."""

    kind: str
    made: int
    accepted: int
    rejected: int
    judged: int
    came_true: int

    @property
    def share(self) -> Fraction | None:
        """Of those judged, the part that came true; None while none was."""
        return Fraction(self.came_true, self.judged) if self.judged else None

    @property
    def label(self) -> str:
        """The kind in words."""
        return str(Kind(self.kind).label)


def seen_by(user: Any) -> QuerySet[Recommendation]:
    """Return the recommendations of the sites that a person may see."""
    found: QuerySet[Recommendation] = in_scope(Recommendation.objects.all(), user, Recommendation.site_paths)
    return found.select_related("site", "line", "machine__line", "model", "maintenance_order")


def open_now(recommendations: QuerySet[Recommendation], *, now: datetime) -> QuerySet[Recommendation]:
    """Return those that wait for a decision, what gains the most hours first."""
    return recommendations.filter(status=Recommendation.Status.OPEN, valid_until__gt=now).order_by(
        F("gain_hours").desc(nulls_last=True), F("probability").desc(nulls_last=True), "-id"
    )


def to_judge(recommendations: QuerySet[Recommendation]) -> QuerySet[Recommendation]:
    """Return those that were accepted, and of which nobody has said what came of it."""
    return recommendations.filter(status=Recommendation.Status.ACCEPTED, came_true__isnull=True).order_by("-id")


def precisions(recommendations: QuerySet[Recommendation]) -> list[Precision]:
    """Return how each kind did."""
    status = Recommendation.Status
    rows = (
        Recommendation.objects.filter(pk__in=recommendations.values("pk"))
        .order_by()
        .values("kind")
        .annotate(
            made=Count("pk"),
            accepted=Count("pk", filter=Q(status=status.ACCEPTED)),
            rejected=Count("pk", filter=Q(status=status.REJECTED)),
            judged=Count("pk", filter=Q(came_true__isnull=False)),
            true=Count("pk", filter=Q(came_true=True)),
        )
    )
    by_kind = {row["kind"]: row for row in rows}
    return [
        Precision(kind, row["made"], row["accepted"], row["rejected"], row["judged"], row["true"])
        for kind in Kind.values
        if (row := by_kind.get(kind)) is not None
    ]


def silences_for(user: Any) -> QuerySet[Silence]:
    """Return where nothing can be said, of the sites that a person may see."""
    found: QuerySet[Silence] = in_scope(Silence.objects.all(), user, Silence.site_paths)
    return found.select_related("line", "machine", "site")
