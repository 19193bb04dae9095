"""GS1 article numbers: the check digit (GS1 General Specifications, section 7.9)."""

from django.core.exceptions import ValidationError

from core.gs1 import check_digit

LENGTHS = (8, 12, 13, 14)


def is_valid(number: str) -> bool:
    """Say whether a number of ASCII digits ends with its check digit."""
    return number.isascii() and number.isdigit() and check_digit(number[:-1]) == int(number[-1])


def validate_gtin(number: str) -> None:
    """Refuse what is no GTIN-8, -12, -13 or -14."""
    if not (number.isascii() and number.isdigit()) or len(number) not in LENGTHS:
        raise ValidationError("A GTIN has 8, 12, 13 or 14 digits and nothing else.")
    if not is_valid(number):
        raise ValidationError(
            "The last digit of this GTIN should be %(right)s; check what was typed.",
            params={"right": check_digit(number[:-1])},
        )
