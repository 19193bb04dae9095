"""The rows that the benchmark of traces writes past the services fit the tables of today."""

import pytest

from materials.benchmark import Shop
from materials.models import GenealogyLink, MaterialLot

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_benchmark_grows_its_trees():
    grown = Shop()
    grown.grow(100)
    assert grown.links == GenealogyLink.objects.count() > 0
    assert grown.lots == MaterialLot.objects.count()
