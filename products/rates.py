"""What ideal rates say of pieces, by the id with which stored hours name them."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from core.shared_reads import once_each
from products.models import IdealRate

CYCLE_TIMES = "cycle times"
"""Under this name they are kept (`core.shared_reads`), for who has read rates otherwise."""


def cycle_times(rate_ids: Iterable[int | None]) -> dict[int, Fraction]:
    """Return the ideal cycle times of rates in seconds per piece; what is not there is absent, and so is None."""
    return once_each(CYCLE_TIMES, _named(rate_ids), _cycle_times, kept=True)


def planned_scrap(rate_ids: Iterable[int | None]) -> dict[int, Decimal | None]:
    """Return which part of its pieces the product of a rate may lose by plan; None = its product says none."""
    return once_each("planned scrap", _named(rate_ids), _planned_scrap, kept=True)


def _named(rate_ids: Iterable[int | None]) -> list[int]:
    return [rate_id for rate_id in rate_ids if rate_id is not None]


def _cycle_times(rate_ids: list[int]) -> dict[int, Fraction]:
    if not rate_ids:
        return {}
    rates = IdealRate.objects.filter(pk__in=rate_ids).only("value", "unit").order_by()
    return {rate.pk: rate.ideal_cycle_time for rate in rates}


def _planned_scrap(rate_ids: list[int]) -> dict[int, Decimal | None]:
    if not rate_ids:
        return {}
    return dict(IdealRate.objects.filter(pk__in=rate_ids).order_by().values_list("pk", "product__planned_scrap"))
