"""Tampering past every trigger is found, in every way that we know of."""

import pytest

from torture.audit import SMALL, build, tamper

pytestmark = pytest.mark.django_db


def test_every_tampering_is_found_and_named():
    build(records=2)
    found = tamper(SMALL)
    assert found.missed == []
    assert found.named == SMALL
