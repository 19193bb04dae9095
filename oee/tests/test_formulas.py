"""Formulas: exact like Python's own fractions, and nothing but formulas."""

import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oee.engine.formulas import LONGEST_TEXT, Formula, FormulaError

NAMES = ("A", "B", "C", "GQ_1")
numbers = st.fractions(min_value=-10, max_value=10, max_denominator=60)


def divided(a, b):
    return None if a is None or b is None or not b else a / b


def known(compute):
    """Return what a function of known values gives; None when one is not known."""
    return lambda *parts: None if None in parts else compute(*parts)


OPERATORS = {
    "({} + {})": known(lambda a, b: a + b),
    "({} - {})": known(lambda a, b: a - b),
    "({} * {})": known(lambda a, b: a * b),
    "({} / {})": divided,
    "min({}, {})": known(min),
    "max({}, {})": known(max),
    "first({}, {})": lambda a, b: b if a is None else a,
    "-{}": known(lambda a: -a),
    "abs({})": known(abs),
    "if({} < {}, {}, {})": lambda a, b, x, y: None if None in (a, b) else x if a < b else y,
    "IF({} == {}, {}, {})": lambda a, b, x, y: None if None in (a, b) else x if a == b else y,
}


@st.composite
def formulas(draw, values, depth=4):
    """Draw a formula's text and, worked out with Python's fractions beside it, its value."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        if draw(st.booleans()):
            name = draw(st.sampled_from(NAMES))
            return name, values[name]
        text = draw(st.from_regex(r"\A(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?\Z"))
        return text, Fraction(text)
    shape = draw(st.sampled_from(sorted(OPERATORS)))
    parts = [draw(formulas(values, depth - 1)) for _ in range(shape.count("{}"))]
    return shape.format(*(text for text, _ in parts)), OPERATORS[shape](*(value for _, value in parts))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_value_is_what_python_fractions_give(data):
    values = {name: data.draw(st.none() | numbers) for name in NAMES}
    text, expected = data.draw(formulas(values))
    if len(text) > LONGEST_TEXT:
        with pytest.raises(FormulaError):
            Formula.parse(text)
        return
    formula = Formula.parse(text)
    assert formula.names == {name for name in NAMES if name in text}
    assert formula.evaluate(values) == expected


def test_products_bind_before_sums_and_equals_go_left_to_right():
    values = {"A": Fraction(2), "B": Fraction(3), "C": Fraction(5)}
    assert Formula.parse("A + B * C - -A").evaluate(values) == 19
    assert Formula.parse("A - B - C").evaluate(values) == -6
    assert Formula.parse(" A / B / C\n* 0.30 ").evaluate(values) == Fraction(1, 25)


def test_decimals_are_exact():
    assert Formula.parse("0.1 + 0.2 - .3").evaluate({}) == 0
    assert Formula.parse("0.1234567890123456789012345678").evaluate({}) == Fraction("0.1234567890123456789012345678")


@pytest.mark.parametrize(
    "text", ["A / B", "A / (B - B)", "A + C", "C * 0", "max(A, C)", "if(C < 1, A, A)", "A + MISSING"]
)
def test_unknown_spreads_and_division_by_zero_is_unknown(text):
    assert Formula.parse(text).evaluate({"A": Fraction(1), "B": Fraction(0), "C": None}) is None


def test_first_passes_over_the_unknown_and_if_looks_at_one_branch_only():
    values = {"A": Fraction(7), "C": None}
    assert Formula.parse("first(C, 1 / 0, A, 9)").evaluate(values) == 7
    assert Formula.parse("if(A > 1, A, C)").evaluate(values) == 7


def test_number_too_long_to_be_written_is_unknown():
    formula = Formula.parse("*".join(["A"] * 60))
    assert formula.evaluate({"A": Fraction(10**40)}) == Fraction(10**2400)
    assert formula.evaluate({"A": Fraction(10**90)}) is None
    assert formula.evaluate({"A": Fraction(1, 10**90)}) is None


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", None, "empty"),
        ("  ", None, "empty"),
        ("A +", 3, "ends where"),
        ("A B", 3, "operator such as"),
        ("2A", 2, "operator such as"),
        ("(A)(B)", 4, "operator such as"),
        ("A * / B", 5, "not '/'"),
        ("+A", 1, "not '+'"),
        ("A ** 2", 4, "not '*'"),
        ("A // 2", 4, "not '/'"),
        ("A ^ 2", 3, "only + - * /"),
        ("A = 2", 3, "Write =="),
        ("A)", 2, "no '(' before"),
        ("A * (B", 5, "never closed"),
        ("0,5", 1, "decimals are written with a point"),
        ("A < B", 1, "first part of if"),
        ("max(A, B < C)", 8, "first part of if"),
        ("if(A, B, C)", 4, "one comparison"),
        ("if(A < B < C, 1, 2)", 4, "one comparison"),
        ("if(A < B, 1)", 1, "takes 3 parts, not 2"),
        ("abs(A, B)", 1, "takes 1 part, not 2"),
        ("  sqrt(A)", 3, "no function 'sqrt'"),
        ("A and B", 3, "'and' cannot"),
        ("A if B else C", 8, "'else' cannot"),
        ("007", 1, "leading zeros"),
        ("1e9", 2, "operator such as"),
        ("1.", 2, "both sides of the point"),
    ],
)
def test_what_is_wrong_is_said_with_its_position(text, position, says):
    with pytest.raises(FormulaError) as refused:
        Formula.parse(text)
    assert says in refused.value.message
    assert refused.value.position == position


def test_unknown_name_is_found_with_its_position_and_a_suggestion():
    with pytest.raises(FormulaError) as refused:
        Formula.parse("APT / pbt + XYZ").check({"APT", "PBT"})
    assert (refused.value.position, refused.value.message) == (7, "There is no element 'pbt'. Did you mean 'PBT'?")
    with pytest.raises(FormulaError, match="is a function"):
        Formula.parse("max / APT").check({"APT"})
    Formula.parse("APT / PBT").check({"APT", "PBT", "CT"})


HOSTILE = {
    "import": "__import__('os').system('true')",
    "attribute": "A.__class__",
    "call of a call": "max(A, B)(C)",
    "index": "A[0]",
    "text": "'a' * 9",
    "lambda": "lambda: 0",
    "comprehension": "[A for A in B]",
    "assignment": "A := 3",
    "unpacking": "max(*A)",
    "keyword": "max(a=1)",
    "constant": "True + None",
    "comment": "A # B",
    "continued": "A \\\n + B",
    "several": "A; B",
    "power": "9**9**9",
    "hexadecimal": "0xff",
    "underscores": "1_000",
    "complex": "3j",
    "long number": "9" * 400,
    "too long": "A+" * 250_000 + "A",
    "deep": "(" * 240 + "A" + ")" * 240,
    "calls, deep": "abs(" * 100 + "A" + ")" * 100,
    "signs": "-" * 499 + "A",
    "chain": "A+" * 249 + "A",
    "full-width letters": "ＡＰＴ",
    "cyrillic look-alike": "АРТ",
    "other digits": "١٢",
    "other minus": "A − B",
    "line separator": "A\u2028+ B",
    "nothing": "\0",
    "surrogate": "\ud800",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_at_once(text):
    began = time.process_time()
    with pytest.raises(FormulaError) as refused:
        Formula.parse(text)
    assert time.process_time() - began < 0.2
    str(refused.value).encode()


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=40) | st.text(alphabet="AB01.,()+-*/<>=! ifmaxabs", max_size=60))
def test_any_text_is_a_formula_or_refused(text):
    try:
        formula = Formula.parse(text)
    except FormulaError as error:
        position = error.position
    else:
        position = None
        formula.evaluate({"A": Fraction(1), "B": Fraction(0)})
    assert position is None or 1 <= position <= len(text)
