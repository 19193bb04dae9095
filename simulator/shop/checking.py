"""Inspect what a job shop makes: some pieces are measured; one inspection of twenty fails and is decided about."""

from datetime import timedelta
from decimal import Decimal
from random import Random

from accounts.models import User
from enterprise.models import Site
from quality.models import DefectCode, Inspection, InspectionPlan
from quality.nonconformances import About, record_defect
from quality.results import Said, record_results
from quality.services import What, decide_inspection, finish_inspection, open_inspection
from simulator.shop.deeds import COMPLETES_AFTER, Deed
from simulator.shop.floor import Order
from simulator.shop.plan import ShopPlan
from simulator.shop.setup import DEFECT, FINAL, check_plan

SAMPLES, FAILS = 3, 0.05
_SPREAD = 0.008
_TOO_FAR = 45
"""So many thousandths of a millimetre a bad piece is further off; the limit is 30."""


class Checker:
    """Who inspects in a shop."""

    def __init__(self, plan: ShopPlan, site: Site, inspector: User, *, seed: int) -> None:
        self._plan, self._site, self._inspector, self._seed = plan, site, inspector, seed
        plans = InspectionPlan.objects.filter(site=site).prefetch_related("characteristics", "rules")
        self._plans = {one.code: one for one in plans}

    def inspect(self, what: What, which: str, deed: Deed, of: Order) -> None:
        """Measure some pieces of an order by its part's plan: while it is made, or at the end."""
        plan = self._plans[check_plan(self._plan, of.job.part, which)]
        key = f"{deed.key} inspection"
        # It took as long as the order waited for it.
        opened = deed.at - (COMPLETES_AFTER / 2 if which == FINAL else timedelta())
        inspection, is_new = open_inspection(
            plan=plan, what=what, actor=self._inspector, opened_at=opened, sample_size=SAMPLES, idempotency_key=key
        )
        if not is_new:
            return
        results = self._measured(plan, of, deed, Random(f"{self._seed}|{key}"))
        record_results(inspection=inspection, results=results, actor=self._inspector, recorded_at=deed.at)
        inspection = finish_inspection(inspection=inspection, actor=self._inspector, finished_at=deed.at)
        if inspection.status == Inspection.Status.FAILED:
            self._decide(inspection, what, deed)

    def _measured(self, plan: InspectionPlan, of: Order, deed: Deed, rng: Random) -> list[Said]:
        is_bad = rng.random() < FAILS
        diameter, look = plan.characteristics.all()
        said = []
        for sample in range(1, SAMPLES + 1):
            off = round(rng.gauss(0, _SPREAD) * 1000) + (_TOO_FAR if is_bad and sample == SAMPLES else 0)
            value = of.job.part.diameter + Decimal(max(-29, off)).scaleb(-3)
            said.append(Said(characteristic=diameter, sample=sample, value=value, occurred_at=deed.at))
            said.append(Said(characteristic=look, sample=sample, verdict="ok", occurred_at=deed.at))
        return said

    def _decide(self, inspection: Inspection, what: What, deed: Deed) -> None:
        record_defect(
            code=DefectCode.objects.get(code=DEFECT),
            site=self._site,
            said=About(work_order=what.work_order, inspection=inspection),
            actor=self._inspector,
            detected_at=deed.at,
            recorded_at=deed.at,
            idempotency_key=f"{deed.key} defect",
        )
        decide_inspection(
            inspection=inspection,
            result=Inspection.Outcome.CONDITIONAL_PASS,
            reason="One piece of the sample; the others are sorted out",
            actor=self._inspector,
            decided_at=deed.at,
        )
