import re
from fractions import Fraction
from xml.etree import ElementTree

from quality.spc.charts import Baseline, Counted, Kind, Measured, baseline
from quality.spc.drawing import described, draw, draw_panel
from quality.spc.monitor import Phase, chart
from quality.spc.rules import RuleSet

OF = Baseline(Kind.I_MR, 'after <script>alert("1")</script>', Fraction(10), Fraction(1), Fraction(1), 20)
VALUES = [Measured.of(one) for one in (10, 11, 14, 9)]


def drawn(phases=None, rule_set=RuleSet.WESTERN_ELECTRIC, **options):
    return draw(chart(phases or [Phase(OF, VALUES)], rule_set), title="Ø & length", **options)


def elements(text: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(f"<all>{text}</all>").iter())


def of_class(text: str, name: str) -> list[ElementTree.Element]:
    return [one for one in elements(text) if name in one.get("class", "").split()]


def test_drawing_is_well_formed_and_has_no_script_nor_style():
    text = drawn(labels=['<img src=x onerror="x">'] * 4)
    assert {one.tag for one in elements(text)} == {
        "all", "svg", "title", "desc", "path", "text", "g", "circle", "polyline",
    }  # fmt: skip
    assert not {name for one in elements(text) for name in one.attrib if name.startswith("on") or name == "style"}
    assert "<script" not in text
    assert "<img" not in text


def test_broken_rule_has_a_shape_and_words():
    (broken,) = of_class(drawn(labels=["a", "b", "c", "d"]), "spc-broken")[:1]
    assert [child.tag for child in broken] == ["title", "path", "text"]
    assert broken[2].text == "W1"
    assert broken[0].text == "c: 14.000. W1 A point beyond a control limit"


def test_points_of_a_pattern_are_ringed():
    run = [Measured.of(Fraction(21, 2))] * 8
    text = draw_panel(chart([Phase(OF, run)], RuleSet.WESTERN_ELECTRIC).panels[0], title="x")
    assert len(of_class(text, "spc-within")) == 7
    assert len(of_class(text, "spc-broken")) == 1


def test_unknown_point_opens_the_line():
    text = draw_panel(chart([Phase(OF, [*VALUES, None, *VALUES])], RuleSet.NELSON).panels[0], title="x")
    assert len(of_class(text, "spc-line")) == 2


def test_phases_are_parted_and_named():
    text = draw_panel(chart([Phase(OF, VALUES), Phase(OF, VALUES)], RuleSet.NELSON).panels[0], title="x")
    assert len(of_class(text, "spc-phase")) == 1
    assert len(of_class(text, "spc-phase-name")) == 2
    assert len(of_class(text, "spc-line")) == 2


def test_limits_of_their_own_size_are_steps():
    orders = [Counted.of(2, 10), Counted.of(3, 10), Counted.of(4, 20)]
    text = draw_panel(chart([Phase(baseline(Kind.P, orders), orders)], RuleSet.NELSON).panels[0], title="x")
    assert len(of_class(text, "spc-upper")) == 2


def test_words_say_what_the_chart_shows():
    series = chart([Phase(OF, VALUES)], RuleSet.NELSON).panels[0]
    assert described(series) == "4 points. Point 3: N1 A point beyond a control limit."
    quiet = chart([Phase(OF, VALUES[:1])], RuleSet.NELSON).panels[0]
    assert described(quiet) == "1 point. No rule is broken."


def test_everything_lies_within_the_picture():
    text = drawn([Phase(OF, VALUES * 60)])
    for x, y in re.findall(r"([\d.-]+),([\d.-]+)", " ".join(one.get("points") for one in of_class(text, "spc-line"))):
        assert 0 <= float(x) <= 1000
        assert 0 <= float(y) <= 300
    assert not of_class(text, "spc-point")  # too many to be told apart


def test_chart_without_points_is_empty():
    assert "0 points" in drawn([Phase(OF, [])])
