"""Quantities convert exactly, and only where something says how."""

from decimal import Decimal
from fractions import Fraction

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import master_data
from core.errors import Conflict, Invalid
from products.models import ProductUnit, UnitOfMeasure
from products.units import NoConversion, convert
from tests.factories import make_bill_line, make_product, make_revision, make_unit

pytestmark = pytest.mark.django_db


def unit(code):
    return UnitOfMeasure.objects.get(code=code)


def add_unit(product, quantity, code, base_quantity):
    conversion = ProductUnit(
        product=product, quantity=Decimal(quantity), unit=make_unit(code), base_quantity=Decimal(base_quantity)
    )
    return master_data.save(conversion)


@pytest.fixture
def cola():
    """A product of pieces: 1 case = 12 pcs = 6.3 kg."""
    product = make_product(code="COLA", name="Cola")
    add_unit(product, 1, "case", 12)
    add_unit(product, "6.3", "kg", 12)
    return product


@pytest.mark.parametrize(
    ("quantity", "from_unit", "to_unit", "expected"),
    [
        (1, "t", "g", 1_000_000),
        (Decimal("0.1"), "kg", "mg", 100_000),
        (1, "lb", "kg", Fraction(45359237, 100000000)),
        (12, "in", "ft", 1),
        (90, "min", "h", Fraction(3, 2)),
        (1, "MJ", "kWh", Fraction(5, 18)),
        (3, "dz", "pcs", 36),
    ],
)
def test_units_of_a_dimension_convert_exactly(quantity, from_unit, to_unit, expected):
    assert convert(quantity, unit(from_unit), unit(to_unit)) == expected


@pytest.mark.parametrize(
    ("quantity", "from_unit", "to_unit", "expected"),
    [
        (5, "case", "pcs", 60),
        (1, "case", "kg", Fraction(63, 10)),
        (1, "kg", "pcs", Fraction(120, 63)),
        (6300, "g", "case", 1),
        (2, "dz", "case", 2),
        (1, "t", "dz", Fraction(1000 * 120, 63 * 12)),
    ],
)
def test_units_of_a_product_convert_by_way_of_its_own(cola, quantity, from_unit, to_unit, expected):
    assert convert(quantity, unit(from_unit), unit(to_unit), cola) == expected


def test_what_has_no_path_is_refused_and_names_both_units(cola):
    with pytest.raises(NoConversion, match=r"l of Cola are one case"):
        convert(1, unit("case"), unit("l"), cola)
    with pytest.raises(NoConversion, match=r"pcs are one kg"):
        convert(1, unit("kg"), unit("pcs"))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    quantity=st.fractions(min_value=-1000, max_value=1000),
    codes=st.lists(st.sampled_from(["pcs", "dz", "case", "kg", "g", "lb", "t"]), min_size=2, max_size=4),
)
def test_any_way_round_ends_in_the_same_quantity(cola, quantity, codes):
    value = quantity
    for start, end in zip(codes, codes[1:] + codes[:1], strict=True):
        value = convert(value, unit(start), unit(end), cola)
    assert value == quantity


def test_conversion_that_follows_from_others_is_refused(cola):
    for code in ("dz", "g", "pcs"):
        with pytest.raises(Invalid, match="follows from"):
            add_unit(cola, 1, code, 1)
    with pytest.raises(ValidationError):
        add_unit(cola, 1, "case", 24)


def test_unit_of_a_product_with_conversions_stays(cola):
    cola.unit = unit("kg")
    with pytest.raises(Conflict, match="written in pcs"):
        master_data.save(cola)


def test_unit_keeps_its_code_and_what_is_converted_by_it():
    kilogram = unit("kg")
    kilogram.numerator = 2
    with pytest.raises(Conflict, match="converted by"):
        master_data.save(kilogram)
    bottle = master_data.save(make_unit("bottle"))
    bottle.code = "flask"
    with pytest.raises(Conflict, match="keeps its code"):
        master_data.save(bottle)


def test_unit_of_free_text_is_given_its_dimension():
    text = make_unit("Kg")
    text.dimension = "mass"
    master_data.save(text)
    assert convert(3, text, unit("g")) == 3000


def test_unit_in_use_is_kept():
    product = make_product(unit=make_unit("bottle"))
    with pytest.raises(Conflict, match="1 products"):
        master_data.delete(product.unit)


def test_bill_line_in_a_unit_the_component_does_not_have_is_refused(cola):
    line = make_bill_line(make_revision(), cola)
    line.unit = unit("l")
    with pytest.raises(Invalid, match="add a unit to the product") as refused:
        master_data.save(line)
    assert refused.value.field == "unit"


@pytest.mark.django_db(transaction=True)
def test_standard_units_are_there_again_after_a_flush():
    call_command("flush", interactive=False, verbosity=0)
    assert unit("kg").factor == 1
