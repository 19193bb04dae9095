"""The board across the hall: by which clock it goes."""

import pytest
from django.urls import reverse

from tests.factories import make_area, make_line, make_machine, make_site, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("zones", "is_told"),
    [(("Europe/Warsaw", "Europe/Prague"), True), (("Europe/Warsaw", "Europe/Lisbon"), False)],
)
def test_clock_goes_by_the_lines_zone_where_their_clocks_agree(client, zones, is_told):
    for zone in zones:
        make_machine(line=make_line(area=make_area(site=make_site(time_zone=zone))))
    client.force_login(make_user("admin"))
    said = client.get(reverse("screens:board")).content.decode()
    assert ('data-zone="Europe/' in said) is is_told
