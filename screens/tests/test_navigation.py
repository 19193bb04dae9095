"""The bar offers what a person may see, says where they are, and pages look as the reader asked."""

import pytest

from accounts.models import Role
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def rooms_of(client, path="/kpis/"):
    return client.get(path).context["rooms"]()


def pages(rooms):
    return {page.address for room in rooms for page in room.pages}


def test_pages_are_offered_to_who_may_see_them(client):
    client.force_login(make_user(role=Role.OPERATOR))
    offered = pages(rooms_of(client))
    assert {"/", "/dispatch/", "/terminal/", "/kpis/"} <= offered
    assert "/labor/approval/" not in offered  # operators do not approve hours
    client.force_login(make_user(role=Role.SUPERVISOR))
    assert "/labor/approval/" in pages(rooms_of(client))


def test_the_longest_fitting_address_is_where_one_is(client):
    client.force_login(make_user(role=Role.SUPERVISOR))
    here = [page.address for room in rooms_of(client, "/quality/ncr/") for page in room.pages if page.is_here]
    assert here == ["/quality/ncr/"]


def test_language_and_theme_are_kept_by_the_browser_and_lead_back(client):
    client.force_login(make_user(role=Role.OPERATOR))
    answer = client.post("/preferences/", {"language": "de", "theme": "dark", "next": "/kpis/?x=1"})
    assert (answer.status_code, answer["Location"]) == (302, "/kpis/?x=1")
    page = client.get("/kpis/").content.decode()
    assert 'lang="de"' in page
    assert 'data-theme="dark"' in page


@pytest.mark.parametrize("said", [{"language": "xx"}, {"theme": "neon"}, {"language": "../en"}, {}])
def test_what_is_not_offered_is_not_kept(client, said):
    answer = client.post("/preferences/", {**said, "next": "https://elsewhere.example/"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert not answer.cookies


def test_who_is_not_logged_in_is_offered_no_page_but_may_choose_a_language(client):
    answer = client.get("/login/")
    assert answer.context["rooms"]() == []
    assert 'name="language"' in answer.content.decode()
