"""What other systems are told of material."""

from materials.models import Kind
from materials.reported import _PAST


def test_every_kind_of_movement_has_a_word_that_partners_are_told():
    assert set(_PAST) == set(Kind)
    assert len(set(_PAST.values())) == len(Kind)
