"""From an empty plant to the first OEE; help that is found; both without a barrier."""

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from counts.models import CountType
from enterprise.models import Area, Enterprise, Line, Machine
from products.models import IdealRate
from screens.help import PART_OF_ROOM, PART_OF_VIEW, TOPICS, parts, search
from screens.urls import urlpatterns
from tests.browser import axe_violations_in_every_theme, browser_page, log_in
from tests.factories import (
    make_area,
    make_count_tag,
    make_device_key,
    make_enterprise,
    make_ideal_rate,
    make_line,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_shift,
    make_site,
    make_user,
    make_work_order,
)

# Files, fragments, and addresses that only take what is posted.
NO_PAGES = {
    *(
        "home",
        "plant-file-download",
        "overview-fragments",
        "line-fragment",
        "floor-fragments",
        "board-fragments",
        "chart-fragments",
        "charts-at-fragments",
    ),
    *(
        "supervise-panels",
        "dashboard-tiles",
        "tile-file",
        "record-pdf",
        "quality-picture",
        "planner-data",
        "planner-backlog",
        "planner-needs",
    ),
    *("close-shift", "schedule-place", "schedule-change", "service-worker"),
    *("operate-clock", "operate-manifest", "operate-who"),
}


def steps(client):
    return {step.code: step for step in client.get(reverse("screens:first-steps")).context["steps"]}


@pytest.mark.django_db
def test_an_empty_plant_begins_with_its_enterprise(client):
    client.force_login(make_user(is_superuser=True, is_staff=True))
    CountType.objects.all().delete()
    found = steps(client)
    assert found["enterprise"].is_next
    assert [code for code, step in found.items() if step.done and code not in ("reason", "count_type")] == []
    assert "left to the first OEE" in client.get("/").content.decode()


@pytest.mark.django_db
def test_links_lead_to_forms_that_are_filled_in(client):
    client.force_login(make_user(is_superuser=True, is_staff=True))
    machine = make_machine()
    tag = make_count_tag(machine=machine, tag_path="L'1/good")
    found = steps(client)
    for code, model in (("area", Area), ("line", Line), ("machine", Machine)):
        assert found[code].done, model
    assert f"machine={machine.pk}" in found["rate"].url
    form = client.get(found["key"].url)
    assert form.status_code == 200
    assert form.context["adminform"].form.initial["machine"] == str(machine.pk)
    assert tag.tag_path.replace("'", "'\\''") in found["count_arrived"].command
    assert machine.code in found["state_arrived"].command
    for step in found.values():
        if step.url:
            assert client.get(step.url).status_code == 200, step.code


@pytest.mark.django_db
def test_only_who_sets_up_is_shown_the_way(client):
    make_machine()
    client.force_login(make_user("operator"))
    assert client.get(reverse("screens:first-steps")).status_code == 403
    assert b"first OEE" not in client.get("/").content
    client.force_login(make_user("engineer"))
    assert b"first OEE" in client.get("/").content


@pytest.mark.django_db
def test_another_sites_plant_does_not_tick_off_mine(client):
    make_count_tag()
    client.force_login(make_user("engineer", site=make_site()))
    found = steps(client)
    assert found["site"].done
    assert not found["tag"].done


@pytest.mark.django_db
def test_number_of_queries_does_not_grow(client):
    client.force_login(make_user("engineer"))

    def queries(tags):
        for _ in range(tags):
            make_count_tag()
        with CaptureQueriesContext(connection) as caught:
            client.get(reverse("screens:first-steps"))
        return len(caught)

    queries(2)
    assert queries(4) <= queries(1)


@pytest.mark.django_db
def test_help_is_found_by_its_words(client, rf):
    client.force_login(make_user("operator"))
    for topic in TOPICS:
        page = client.get(reverse("screens:help", args=[topic]))
        assert page.status_code == 200
    found = client.get(reverse("screens:help"), {"q": "idempotency KEY"})
    assert b"REST" in found.content
    assert "Nothing says" in client.get(reverse("screens:help"), {"q": "<script>zzz"}).content.decode()
    assert b"<script>zzz" not in client.get(reverse("screens:help"), {"q": "<script>zzz"}).content
    assert client.get(reverse("screens:help", args=["nobody"])).status_code == 404
    assert client.get(reverse("screens:help"), {"q": "a\0b"}).status_code == 200
    request = rf.get("/")
    sections = parts(request)
    assert {part.topic for part in sections} == set(TOPICS)
    assert search("stood reason", sections)[0].part.section == "stops"
    marks = {"first-steps", "reports", "exports"}
    assert marks <= {part.section for part in sections}


@pytest.mark.django_db(transaction=True)
def test_checklist_goes_from_empty_to_oee_in_a_browser():
    with browser_page() as page:
        CountType.objects.all().delete()
        log_in(page, User.objects.create(username="ada", is_superuser=True, is_staff=True))
        page.wait_for_load_state()
        page.goto("/")
        page.locator(".first-steps-left a").click()
        page.wait_for_url("**/first-steps/")
        assert page.locator("#step-enterprise").get_attribute("class").endswith("is-next")
        assert axe_violations_in_every_theme(page) == []
        now = timezone.now()
        line = make_line(area=make_area(site=make_site(enterprise=make_enterprise(), time_zone="UTC")))
        machine = make_machine(line=line, code="FILLER", is_constraint=True)
        make_shift(site=line.area.site, start_time="00:00", end_time="23:59")
        product = make_product()
        make_ideal_rate(product=product, machine=machine, value=Decimal(1), unit=IdealRate.Unit.SECONDS_PER_PIECE)
        tag = make_count_tag(machine=machine, tag_path="FILLER/good")
        running = make_reason(code="run-first")
        order = make_work_order(line=line, product=product)
        make_run(line=line, work_order=order, started_at=now - timedelta(minutes=30))
        _key, secret = make_device_key(machine=machine)
        page.wait_for_selector('#step-key[data-done="yes"]')
        command = page.locator("#step-count_arrived pre").inner_text()
        assert tag.tag_path in command
        assert Enterprise.objects.count() == 1
        header = {"Authorization": f"Api-Key {secret}"}
        origin = page.evaluate("location.origin")
        for minutes, item in (
            (20, {"machine": "FILLER", "state": running.code}),
            (10, {"tag": "FILLER/good", "value": 500}),
        ):
            at = (now - timedelta(minutes=minutes)).isoformat()
            answer = httpx.post(f"{origin}/ingest/", headers=header, json={"items": [{**item, "at": at}]})
            assert answer.status_code == 200, answer.text
        page.wait_for_selector('#step-oee[data-done="yes"]')
        assert axe_violations_in_every_theme(page) == []
        page.goto("/")
        assert page.locator(".first-steps-left").count() == 0
        page.goto("/help/engineer/")
        assert axe_violations_in_every_theme(page) == []
        page.get_by_label("Search the help").fill("rates")
        page.get_by_label("Search the help").press("Enter")
        page.wait_for_selector(".help-found a")
        page.goto(f"/reports/day/?line={line.pk}&date={now.date()}")
        page.wait_for_selector(".report-figures")
        assert axe_violations_in_every_theme(page) == []
        page.goto("/reports/")
        assert axe_violations_in_every_theme(page) == []
        page.goto("/reports/exports/")
        assert axe_violations_in_every_theme(page) == []


@pytest.mark.django_db
def test_every_page_has_a_question_mark_that_leads_to_a_part_of_the_help(rf, client):
    there = {(part.topic, part.section) for part in parts(rf.get("/"))}
    assert {*PART_OF_VIEW.values(), *PART_OF_ROOM.values()} <= there
    pages = {pattern.name for pattern in urlpatterns} - NO_PAGES - {"help"}
    assert pages <= set(PART_OF_VIEW)
    client.force_login(make_user("admin", site=None, is_superuser=True))
    assert reverse("screens:help", args=["supervisor"]) + "#lots" in client.get("/lots/").content.decode()
    assert reverse("screens:help", args=["supervisor"]) + "#reports" in client.get("/reports/").content.decode()
