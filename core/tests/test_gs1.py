"""GS1 codes: as scanned, as printed, and what is wrong with them."""

from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gs1 import FNC1, NotGs1, check_digit, parse, value_of

TODAY = date(2026, 3, 2)


def read(code):
    return {element.ai: element.value for element in parse(code, today=TODAY)}


@pytest.mark.parametrize(
    "code",
    [
        "(01)09501101530003(17)261231(10)AB-123(21)4711",
        f"]C1010950110153000317261231 10AB-123{FNC1}214711".replace(" ", ""),
        f"{FNC1}01095011015300031726123110AB-123{FNC1}214711",
        f"]d2010950110153000310AB-123{FNC1}1726123121471 1".replace(" ", ""),
    ],
)
def test_scanned_and_printed_say_the_same(code):
    assert read(code) == {"01": "09501101530003", "17": date(2026, 12, 31), "10": "AB-123", "21": "4711"}


@pytest.mark.parametrize(
    ("code", "ai", "value"),
    [
        ("(3103)001750", "3103", Decimal("1.750")),
        ("(3100)001750", "3100", Decimal(1750)),
        ("3165000001", "3165", Decimal("0.00001")),
        ("(37)00012", "37", 12),
        ("(30)5", "30", 5),
        ("(00)006141411234567890", "00", "006141411234567890"),
        ("(414)9501101530010", "414", "9501101530010"),
        ("(400)PO/77", "400", "PO/77"),
        ("(17)240200", "17", date(2024, 2, 29)),
        ("(11)770101", "11", date(1977, 1, 1)),
        ("(11)760101", "11", date(2076, 1, 1)),
        ("(7003)2612311830", "7003", "2026-12-31T18:30:00"),
    ],
)
def test_data_means_what_the_specification_says(code, ai, value):
    assert read(code)[ai] == value


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("", "empty"),
        ("(01)09501101530004", "check digit should be 3"),
        ("(01)0950110153", "14 characters"),
        ("(17)261301", "is no day"),
        ("(17)260230", "is no day"),
        ("(77)1", "no application identifier"),
        ("77123", "begins no application identifier"),
        ("(10)", "1 to 20"),
        ("(10)Ä", "does not have"),
        ("(30)١٢", "made of digits"),
        ("(10)A(10)B", "twice"),
        ("(10)" + "A" * 500, "longer"),
    ],
)
def test_what_is_wrong_is_said(code, why):
    with pytest.raises(NotGs1, match=why):
        parse(code, today=TODAY)


@given(st.text(alphabet=st.sampled_from("0123456789AB()\x1d]C1-é"), max_size=60))
def test_any_text_is_read_or_refused(code):
    with suppress(NotGs1):
        assert parse(code, today=TODAY)


@given(
    st.text(alphabet="ABC123-/.", min_size=1, max_size=20),
    st.integers(0, 10**13 - 1),
    st.dates(date(2000, 1, 1), date(2049, 12, 31)),
)
def test_what_is_printed_is_read_back(lot, item, expiry):
    body = f"{item:013d}"
    gtin = body + str(check_digit(body))
    elements = parse(f"01{gtin}10{lot}{FNC1}17{expiry:%y%m%d}", today=TODAY)
    assert (value_of(elements, "01"), value_of(elements, "10"), value_of(elements, "17")) == (gtin, lot, expiry)
