"""The pages: for whom, and painted with real content by the server."""

import pytest
from django.test import Client

from tests.factories import make_line, make_machine, make_user

pytestmark = pytest.mark.django_db


def logged_in(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_pages_need_a_log_in():
    assert Client().get("/").headers["Location"] == "/login/?next=/"
    assert Client().get("/login/").status_code == 200


def test_overview_shows_own_lines_only():
    mine, foreign = make_machine(line=make_line(name="Mine")), make_machine(line=make_line(name="Theirs"))
    client = logged_in(make_user("operator", mine.line.area.site))
    page = client.get("/").content.decode()
    assert "Mine" in page
    assert "Theirs" not in page
    assert client.get(f"/lines/{mine.line.code}/").status_code == 200
    assert client.get(f"/lines/{foreign.line.code}/").status_code == 404
    assert client.get(f"/fragments/lines/{foreign.line_id}/").status_code == 404
    assert [line["id"] for line in client.get("/fragments/overview/").json()["lines"]] == [mine.line_id]


def test_empty_plant_says_so():
    assert "No lines yet" in logged_in(make_user(is_superuser=True)).get("/").content.decode()


def test_line_without_machines_is_shown_as_such():
    line = make_line()
    client = logged_in(make_user(is_superuser=True))
    assert "No active machines" in client.get("/").content.decode()
    assert "No active machines" in client.get(f"/lines/{line.code}/").content.decode()


def test_no_page_allows_inline_script_or_style():
    policy = logged_in(make_user(is_superuser=True)).get("/").headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
