"""Numbers and words as readers of each language have them, and lists in their order."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.utils import translation

from core.collation import collation_key
from core.names import Spoken
from core.reader import clock_duration, in_sentence, localized, number, rounded, said


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "−1\u202f234.5"), ("de", "−1.234,5"), ("es", "−1\u202f234,5"), ("pl", "−1\u202f234,5")],
)
def test_numbers_have_the_readers_separators(language, expected):
    with translation.override(language):
        assert number(Decimal("-1234.5000")) == expected


def test_a_number_is_exact_whatever_its_type():
    assert [number(one) for one in (Decimal("1E+3"), 7, Fraction(1, 4), "0.50", None)] == [
        *("1\u202f000", "7", "0.25", "0.5", "–"),
    ]
    assert (rounded(Fraction(-1, 3), 2), rounded(Fraction(5, 2), 0)) == ("−0.33", "3")
    assert (localized("n/a"), localized("1.50")) == ("n/a", "1.50")
    assert clock_duration(timedelta(hours=27, seconds=-3)) == "26:59:57"


def test_words_of_the_system_are_said_and_labels_fit_into_sentences():
    with translation.override("de"):
        assert (said("changeover"), said("own_word"), in_sentence("Rüsten")) == ("Rüsten", "own word", "Rüsten")
    with translation.override("pl"):
        assert (said("scrap"), in_sentence("Przerwa"), in_sentence("QC OK")) == ("braki", "przerwa", "QC OK")


def test_a_name_is_said_when_it_is_read():
    name = Spoken("Jam", {"de": "Stau"})
    with translation.override("de"):
        assert str(name) == "Stau"
    with translation.override("pl"):
        assert str(name) == "Jam"


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("de", ["Abdeckung", "Äpfel", "Bürste", "Straße", "Strauß"]),
        ("es", ["nada", "nube", "ñu", "oca"]),
        ("pl", ["Lampa", "Luz", "Łożysko", "Mechanika", "Zator", "Źródło", "Żarnik"]),
    ],
)
def test_names_are_sorted_as_their_language_sorts(language, names):
    assert sorted(set(names), key=lambda name: collation_key(name, language)) == names
