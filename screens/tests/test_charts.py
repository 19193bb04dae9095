"""What a chart is told, and that it is drawn."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from django.template import Context, Template

from screens.charts import Chart, Series, pareto


def test_pareto_is_ordered_and_its_line_ends_at_the_whole():
    chart = pareto("Stops", [("Jam", 10), ("Material", 30), ("Other", 0)], unit="min")
    assert list(chart.labels) == ["Material", "Jam", "Other"]
    assert list(chart.series[1].values) == [Fraction(75), 100, 100]


def test_pareto_of_nothing_has_no_share():
    assert list(pareto("Stops", [("Jam", 0)], unit="min").series[1].values) == [None]


def test_unknown_leaves_a_gap_and_is_written_as_a_dash():
    chart = Chart("OEE", [Series("OEE", [Fraction(1, 3), None])], labels=["Mon", "Tue"])
    assert chart.drawable()["series"][0]["values"] == [1 / 3, None]
    page = Template("{% load charts %}{% chart it 'oee' %}").render(Context({"it": chart}))
    assert "0.33" in page
    assert "–" in page


def test_a_series_of_another_length_is_refused():
    with pytest.raises(ValueError, match="2 values for 1 points"):
        Chart("OEE", [Series("OEE", [1, 2])], at=[datetime(2026, 3, 2, tzinfo=UTC)])


def test_text_cannot_leave_the_data_of_a_chart():
    chart = Chart("</script><script>alert(1)</script>", [Series("a", [1])], labels=["</script>"])
    page = Template("{% load charts %}{% chart it 'oee' %}").render(Context({"it": chart}))
    assert "<script>alert" not in page


def test_pareto_that_is_cut_still_tells_shares_of_the_whole():
    chart = pareto("Stops", [("Jam", 10), ("Material", 30), ("Other", 60)], unit="min", most=2)
    assert (list(chart.labels), list(chart.series[1].values)) == (["Other", "Material"], [60, 90])
