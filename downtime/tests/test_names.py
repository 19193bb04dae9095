"""Names of reasons in other languages, as files bring and take them."""

import pytest
import tablib

from accounts.models import User
from downtime.models import StateReason
from downtime.resources import StateReasonResource
from tests.factories import make_reason

pytestmark = pytest.mark.django_db


def imported(*rows):
    header, *rest = rows
    resource = StateReasonResource(actor=User.objects.create_superuser("ada"))
    return resource.import_data(tablib.Dataset(*rest, headers=header))


def test_names_come_and_go_as_columns():
    made = imported(("code", "name", "category", "name_de", "name_pl"), ("JAM", "Jam", "unplanned", "Stau", ""))
    assert not made.has_errors()
    assert not made.has_validation_errors()
    reason = StateReason.objects.get(code="JAM")
    assert reason.names == {"de": "Stau"}
    exported = StateReasonResource().export(StateReason.objects.filter(pk=reason.pk)).dict[0]
    assert (exported["name_de"], exported["name_es"]) == ("Stau", "")


def test_a_file_without_the_columns_leaves_the_names():
    reason = make_reason("unplanned", code="JAM", names={"de": "Stau"})
    assert not imported(("code", "name", "category"), ("JAM", "Jammed", "unplanned")).has_errors()
    reason.refresh_from_db()
    assert (reason.name, reason.names) == ("Jammed", {"de": "Stau"})
