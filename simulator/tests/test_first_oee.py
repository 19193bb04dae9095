"""What the demo waits for is on the page that it looks at."""

from datetime import timedelta

import pytest
from django.utils import timezone

from downtime.services import NewState, record_states
from simulator.management.commands.await_first_oee import _OEE
from tests.factories import make_machine, make_reason, make_user

pytestmark = pytest.mark.django_db


def test_the_oee_of_a_lines_page_is_found(client):
    machine = make_machine(is_constraint=True)
    running = make_reason(category="running")
    begun = timezone.now() - timedelta(minutes=5)
    record_states([NewState(machine.pk, begun, running.pk)], recorded_at=begun)
    client.force_login(make_user("operator", site=machine.line.area.site))
    page = client.get(f"/lines/{machine.line.code}/").content.decode()
    unknown = 'aria-label="– % OEE'
    assert unknown in page
    # Without a shift and a rate there is no OEE yet, and then none is found; a number is, however it goes on.
    assert _OEE.search(page) is None
    assert _OEE.search(page.replace(unknown, 'aria-label="74.4 % OEE'))[1] == "74.4"
