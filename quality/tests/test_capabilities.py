"""Capability of what a chart plots, and a gauge study of what people measured, from stored results."""

from decimal import Decimal
from fractions import Fraction

import pytest

from core.errors import Invalid
from core.intervals import Interval
from quality.capabilities import capability_on, study_of
from quality.results import Said, record_results
from quality.services import What, finish_inspection, open_inspection
from quality.spc.capability import capability
from quality.spc.gauge import Method, Reading, gauge_rr
from quality.tests.bench import AT, Bench, minutes
from tests.factories import make_control_chart, make_plan

pytestmark = pytest.mark.django_db
VALUES = ("10.1", "9.9", "10", "10.2", "9.8", "10.05", "9.95", "10.15")


@pytest.fixture
def bench():
    return Bench()


def test_capability_is_that_of_the_plotted_values(bench):
    plan = make_plan()
    of = plan.characteristics.get()
    chart = make_control_chart(site=bench.site, characteristic=of, machine=bench.machine)
    with pytest.raises(Invalid, match="no values"):
        capability_on(chart)
    for number, value in enumerate(VALUES):
        bench.inspect(plan, value, at=10 * number, machine=bench.machine)
    found = capability_on(chart)
    assert found == capability(
        [Decimal(value) for value in VALUES], lsl=of.lower_limit, usl=of.upper_limit, target=of.nominal
    )
    assert (found.values, found.cpk is not None) == (8, True)
    assert capability_on(chart, minutes(0), minutes(35)).values == 4
    counts = make_control_chart(site=bench.site, characteristic=of, machine=bench.machine, kind="c", code="C")
    with pytest.raises(Invalid, match="Only measured"):
        capability_on(counts)


def test_study_takes_parts_appraisers_and_trials_from_inspections(bench):
    plan = make_plan()
    of = plan.characteristics.get()
    measured = {"ewa": (("10.0", "9.0"), ("10.1", "9.1")), "olek": (("10.2", "9.3"), ("10.1", "9.2"))}
    readings = []
    for trial in range(2):
        for who, trials in measured.items():
            person = getattr(bench, who)
            at = minutes(trial * 10 + (5 if who == "olek" else 0))
            inspection, _ = open_inspection(
                plan=plan,
                what=What(machine=bench.machine),
                actor=person,
                opened_at=at,
                sample_size=2,
            )
            said = [
                Said(characteristic=of, sample=part, value=Decimal(value), occurred_at=at)
                for part, value in enumerate(trials[trial], 1)
            ]
            record_results(inspection=inspection, results=said, actor=person, recorded_at=at)
            finish_inspection(inspection=inspection, actor=person, finished_at=at)
            readings += [Reading.of(str(one.sample), str(person.pk), one.value) for one in said]
    tolerance = of.upper_limit - of.lower_limit
    for method in Method:
        assert study_of(of, bench.site, Interval(AT, minutes(99)), method=method) == gauge_rr(
            readings, method, tolerance=tolerance
        )
    assert study_of(of, bench.site, Interval(AT, minutes(99))).percent_gauge > 0
    with pytest.raises(Invalid, match="as often"):
        study_of(of, bench.site, Interval(AT, minutes(12)))
    assert isinstance(study_of(of, bench.site, Interval(AT, minutes(99))).gauge, Fraction)
