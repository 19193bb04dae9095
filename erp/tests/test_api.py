"""A partner fetches what happened, from where it was, and says what arrived; nobody else may."""

import pytest
from rest_framework.test import APIClient

from accounts.models import ClientKey
from core import outbox
from core.models import OutboxMessage
from erp.models import PartnerProgress
from erp.tests.partners import make_partner, say
from tests.factories import make_site, make_user

pytestmark = pytest.mark.django_db


def client_of(user):
    client = APIClient()
    _, secret = ClientKey.objects.create_key(name="key", user=user)
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {secret}")
    return client


def numbers(answer):
    assert answer.status_code == 200, answer.data
    return [row["data"]["number"] for row in answer.data["results"]]


def test_partner_goes_on_from_what_it_acknowledged_and_loses_nothing_when_it_dies_between():
    partner = make_partner()
    client = client_of(partner.user)
    say(1, 2, 3)
    first = client.get("/erp/outbox/?limit=2")
    assert (numbers(first), first.data["has_more"]) == ([1, 2], True)
    # It died before it kept them: the same again.
    again = client.get("/erp/outbox/?limit=2")
    assert (again.data["results"], numbers(again)) == (first.data["results"], [1, 2])
    for _ in range(2):
        done = client.post("/erp/outbox/acknowledge/", {"cursor": first.data["cursor"]})
        assert (done.status_code, done.data["cursor"]) == (200, first.data["cursor"])
    rest = client.get("/erp/outbox/?limit=2")
    assert (numbers(rest), rest.data["has_more"]) == ([3], False)
    client.post("/erp/outbox/acknowledge/", {"cursor": rest.data["cursor"]})
    # An older cursor that comes late takes nothing back.
    late = client.post("/erp/outbox/acknowledge/", {"cursor": first.data["cursor"]})
    assert late.data["cursor"] == rest.data["cursor"]
    assert numbers(client.get("/erp/outbox")) == []
    say(4)
    assert numbers(client.get("/erp/outbox/")) == [4]
    assert numbers(client.get(f"/erp/outbox/?after={first.data['cursor']}")) == [3, 4]
    assert PartnerProgress.objects.get().contact_at is not None


def test_cursor_passes_what_is_filtered_out():
    partner = make_partner()
    client = client_of(partner.user)
    say(1)
    say(2, type_="material.moved")
    say(3, type_="downtime.ended")
    answer = client.get("/erp/outbox/?types=order.confirmed,material.*")
    assert numbers(answer) == [1, 2]
    assert answer.data["cursor"] == str(outbox.last_position())


def test_partner_sees_its_sites_only():
    mine, other = make_site(), make_site()
    partner = make_partner(site=mine)
    say("mine", site_id=mine.pk)
    say("other", site_id=other.pk)
    say("everybody's")
    assert numbers(client_of(partner.user).get("/erp/outbox/")) == ["mine", "everybody's"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=x", "after"),
        ("after=-1", "after"),
        ("after=1e3", "after"),
        ("after=99999999999999999999", "after"),
        ("after=9223372036854775808", "after"),
        ("after=٣", "after"),
        ("limit=0", "limit"),
        ("limit=100000000000000000000", "limit"),
        ("types=order.eaten", "types"),
        ("types=%00", "types"),
        ("colour=red", "colour"),
    ],
)
def test_bad_question_is_a_400_naming_the_field(query, field):
    answer = client_of(make_partner().user).get(f"/erp/outbox/?{query}")
    assert (answer.status_code, field in answer.data) == (400, True), answer.data


@pytest.mark.parametrize("cursor", [None, "", "abc", "-1", [], {}, "1" * 30, 1.5, True])
def test_bad_acknowledgement_is_a_400(cursor):
    answer = client_of(make_partner().user).post("/erp/outbox/acknowledge/", {"cursor": cursor})
    assert (answer.status_code, "cursor" in answer.data) == (400, True), answer.data


def test_cursor_that_was_never_given_is_a_409_that_says_how_far_we_are():
    """As after the MES was restored from a backup: going on silently would lose what happened since."""
    client = client_of(make_partner().user)
    ahead = outbox.last_given() + 1
    for answer in (
        client.get(f"/erp/outbox/?after={ahead}"),
        client.post("/erp/outbox/acknowledge/", {"cursor": str(ahead)}),
    ):
        assert (answer.status_code, answer.data["last"]) == (409, str(outbox.last_given()))


def test_who_may_fetch_and_acknowledge():
    """The ERP's account fetches and acknowledges, an administrator looks; nobody else learns anything."""
    say(1)
    anonymous = APIClient()
    assert anonymous.get("/erp/outbox/").status_code == 401
    assert anonymous.post("/erp/outbox/acknowledge/", {"cursor": "0"}).status_code == 401
    for role, may_read, may_acknowledge in (
        ("operator", 403, 403),
        ("supervisor", 403, 403),
        ("engineer", 403, 403),
        ("quality", 403, 403),
        ("admin", 200, 403),
        # An ERP's account for which no partner is set up.
        ("erp", 200, 404),
    ):
        client = client_of(make_user(role))
        assert client.get("/erp/outbox/").status_code == may_read, role
        assert client.post("/erp/outbox/acknowledge/", {"cursor": "0"}).status_code == may_acknowledge, role
    assert OutboxMessage.objects.count() == 1


def test_partner_that_is_switched_off_acknowledges_nothing():
    partner = make_partner()
    type(partner).objects.update(is_active=False)
    assert client_of(partner.user).post("/erp/outbox/acknowledge/", {"cursor": "0"}).status_code == 404


def test_fetching_costs_the_same_however_much_there_is(django_assert_max_num_queries):
    partner = make_partner()
    client = client_of(partner.user)
    say(*range(50))
    outbox.number_new()
    with django_assert_max_num_queries(14):
        assert len(client.get("/erp/outbox/").data["results"]) == 50
