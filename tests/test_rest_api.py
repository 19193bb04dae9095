"""The REST API as an integrator meets it: the documented paths, their verbs, their errors."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import get_resolver
from rest_framework.test import APIClient

from accounts.models import ClientKey, Membership, Role
from core.master_data import site_id_of
from counts.models import CountHistory
from enterprise.models import Line, Machine, Site
from tests.factories import (
    make_area,
    make_count_tag,
    make_enterprise,
    make_ideal_rate,
    make_line,
    make_machine,
    make_product,
    make_reason,
    make_site,
    make_user,
    make_work_order,
)
from tests.rest_bodies import AT, DERIVED, OTHERWISE, PATHS, bodies
from workorders.models import WorkOrder

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    client = APIClient()
    client.force_authenticate(make_user(is_superuser=True, is_staff=True))
    return client


@pytest.mark.parametrize("path", PATHS)
def test_collection_answers_with_and_without_the_slash(api, path):
    body = bodies()[path]
    for variant in (path.rstrip("/"), path.rstrip("/") + "/"):
        created = api.post(variant, body)
        assert created.status_code in (200, 201, 400, 409), created.data
        assert api.get(variant).status_code == 200
    listed = api.get(path).data["results"]
    assert listed
    one = f"{path.rstrip('/')}/{listed[0]['id']}"
    assert api.get(one).data["id"] == listed[0]["id"]
    assert api.get(f"{one}/").status_code == 200
    assert api.get(f"{path.rstrip('/')}/999999999999").status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_first_post_creates(api, path):
    answer = api.post(path, bodies()[path])
    assert answer.status_code == 201, answer.data


def test_every_route_of_the_api_is_in_this_test():
    routes = set()

    def walk(patterns, prefix=""):
        for pattern in patterns:
            here = prefix + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                walk(pattern.url_patterns, here)
            elif getattr(pattern, "name", None) and str(pattern.name).endswith("-list"):
                routes.add("/" + here.replace("^", "").replace("/?$", ""))

    walk(get_resolver().url_patterns)
    assert routes - DERIVED - OTHERWISE == {path.rstrip("/") for path in PATHS}


@pytest.mark.parametrize("path", [path for path in PATHS if "history" not in path and "correction" not in path])
def test_anonymous_gets_401_and_unprivileged_403(path):
    client = APIClient()
    assert client.get(path).status_code == 401
    client.force_authenticate(make_user())
    assert client.get(path).status_code == 403


def test_line_without_a_machine_gets_its_own_as_constraint(api):
    line = api.post("/line/", {"name": "Bottling 1", "area": make_area().pk}).data
    machine = api.get(f"/machine/{line['constraint_machine']}").data
    assert (machine["is_constraint"], machine["code"]) == (True, line["code"])


def test_parent_is_named_by_id_code_or_alias(api):
    enterprise = make_enterprise()
    for number, name in enumerate(("enterprise", "enterprise_id")):
        assert api.post("/site/", {"name": f"S{number}", name: enterprise.pk}).status_code == 201
    assert api.post("/site/", {"name": "S9", "enterprise": enterprise.code}).data["enterprise"] == enterprise.pk


def test_order_and_run_are_put(api):
    line = make_machine().line
    order = api.post("/workorder/", {"order_number": "A-1", "line": line.pk, "target_quantity": 5}).data
    changed = api.put(f"/workorder/{order['id']}", {**order, "target_quantity": 7})
    assert (changed.status_code, changed.data["target_quantity"]) == (200, "7.000000")
    run = api.post("/schedule-run/run", {"work_order": order["id"], "started_at": AT}).data
    assert api.get(f"/workorder/{order['id']}").data["status"] == "in_progress"
    ended = api.put(
        f"/schedule-run/run/{run['id']}", {**run, "ended_at": "2026-03-02T09:00:00Z"} | {"is_closed": False}
    )
    assert (ended.status_code, ended.data["is_closed"]) == (200, True)


def test_second_run_on_a_busy_line_is_refused(api):
    order = make_work_order(line=make_machine().line)
    assert api.post("/schedule-run/run", {"work_order": order.pk, "started_at": AT}).status_code == 201
    clash = api.post("/schedule-run/run", {"work_order": order.pk, "started_at": "2026-03-02T09:00:00Z"})
    assert clash.status_code == 400
    assert "end that one first" in json.dumps(clash.data)


def test_illegal_step_in_an_orders_life_is_a_409(api):
    order = make_work_order(line=make_machine().line)
    refused = api.patch(f"/workorder/{order.pk}", {"status": "closed"})
    assert refused.status_code == 409
    assert "cannot become closed" in refused.data["detail"]


def test_what_is_referenced_is_protected_saying_by_what(api):
    tag = make_count_tag()
    api.post("/oee/count-history/", {"tag": tag.pk, "occurred_at": AT, "value": 1})
    refused = api.delete(f"/oee/count-tag/{tag.pk}")
    assert (refused.status_code, "1 count history" in refused.data["detail"]) == (409, True)
    refused = api.delete(f"/machine/{tag.machine_id}")
    assert refused.status_code == 409
    assert api.delete(f"/product/{make_product().pk}").status_code == 204


def test_fact_is_corrected_and_never_deleted(api):
    tag = make_count_tag()
    fact = api.post("/oee/count-history/", {"tag": tag.pk, "occurred_at": AT, "value": "30"}).data
    assert api.delete(f"/oee/count-history/{fact['id']}").status_code == 405
    assert "comment" in api.patch(f"/oee/count-history/{fact['id']}", {"value": 3}).data
    corrected = api.patch(f"/oee/count-history/{fact['id']}", {"value": 3, "comment": "A zero too many."}).data
    assert (corrected["value"], corrected["corrected_value"]) == ("30.000000", "3.000000")


def test_repeated_and_contradicting_facts_are_told_apart(api):
    machine, run, stop = make_machine(), make_reason(), make_reason("unplanned")
    body = {"machine": machine.code, "occurred_at": AT, "reason": run.code}
    assert api.post("/downtime/state-history", body).status_code == 201
    assert api.post("/downtime/state-history", body).status_code == 200
    assert api.post("/downtime/state-history", {**body, "reason": stop.code}).status_code == 409


def test_fact_of_a_line_hangs_on_its_constraint_machine(api):
    machine = make_machine()
    fact = api.post("/downtime/state-history", {"line": machine.line.pk, "occurred_at": AT, "reason": make_reason().pk})
    assert fact.data["machine"] == machine.pk


def test_posted_percentages_are_refused_and_oee_is_computed(api):
    machine = make_machine()
    for hours, category in ((8, "running"), (14, "unplanned")):
        at = datetime(2026, 3, 2, hours, tzinfo=UTC).isoformat()
        body = {"machine": machine.pk, "occurred_at": at, "reason": make_reason(category).pk}
        assert api.post("/downtime/state-history", body).status_code == 201
    window = {"line": machine.line.pk, "starts_at": AT, "ends_at": "2026-03-02T16:00:00Z"}
    assert api.post("/oee/", {**window, "oee": 0.99}).status_code == 400
    record = api.post("/oee/", window)
    assert (record.status_code, record.data["availability"]) == (201, "0.750000000000")
    late = {"machine": machine.pk, "occurred_at": "2026-03-02T12:00:00Z", "reason": make_reason("unplanned").pk}
    assert api.post("/downtime/state-history", late).status_code == 201
    assert api.get(f"/oee/{record.data['id']}").data["availability"] == "0.500000000000"
    report = api.get("/oee/report/", window)
    assert report.data["availability"] == "0.500000000000"
    assert [loss["seconds"] for loss in report.data["losses"]] == [7200.0, 7200.0]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/site/", {"name": "X", "enterprise": 10**30}, "enterprise"),
        ("/site/", {"name": "X", "enterprise": True}, "enterprise"),
        ("/site/", {"name": "X", "enterprise": {"id": 1}}, "enterprise"),
        ("/enterprise/", {"name": "a\0b"}, "name"),
        ("/enterprise/", {"name": "x", "code": "a/b"}, "code"),
        ("/enterprise/", {"name": "x", "colour": 1}, "colour"),
        ("/enterprise/", {}, "name"),
        ("/workorder/", {"order_number": "1", "target_quantity": "1e999"}, "target_quantity"),
        ("/workorder/", {"order_number": "1", "target_quantity": "NaN"}, "target_quantity"),
        ("/workorder/", {"order_number": "1", "target_quantity": -1, "line": "LINE"}, "target_quantity"),
        ("/workorder/", {"order_number": "1", "planned_start_at": "2026-03-29T02:30:00"}, "planned_start_at"),
        ("/shift/", {"name": "x", "start_time": "6", "end_time": "14:00"}, "start_time"),
        ("/downtime/state-reason", {"name": "x", "category": "resting"}, "category"),
        ("/oee/count-history/", {"tag": "nobody", "occurred_at": AT, "value": 1}, "tag"),
        ("/oee/count-history/", {"tag": 1, "occurred_at": AT, "value": -1}, "value"),
        ("/oee/", {"starts_at": AT, "ends_at": AT}, "line"),
    ],
)
def test_bad_value_is_a_400_naming_the_field_and_lists_stay_well(api, path, body, field):
    if body.get("line") == "LINE":
        body = {**body, "line": make_line().pk}
    refused = api.post(path, body)
    assert refused.status_code == 400
    assert field in refused.data
    assert api.get(path).status_code == 200


@pytest.mark.parametrize(
    "content",
    [b"{", b"[" * 1000 + b"]" * 1000, b"[" * 50_000, b'{"name": NaN}', b"\xff\xfe", b"7", b"[]"],
    ids=["cut", "1,000 deep", "50,000 deep", "NaN", "not utf-8", "number", "list"],
)
def test_unreadable_body_is_a_400(api, content):
    assert api.generic("POST", "/enterprise/", content, content_type="application/json").status_code == 400


def test_unknown_charset_is_a_400(api):
    answer = api.generic("POST", "/enterprise/", b"{}", content_type="application/json; charset=zlib")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "page_size=100000000000000000000",
        "page=0",
        "page=abc",
        "ordering=password",
        "search=%00",
        "enterprise=abc",
        "id=x",
    ],
)
def test_odd_query_is_answered(api, query):
    make_site()
    assert api.get(f"/site/?{query}").status_code in (200, 400, 404)


def test_naive_time_is_refused(api):
    refused = api.post(
        "/oee/count-history/", {"tag": make_count_tag().pk, "occurred_at": "2026-03-02T08:00:00", "value": 1}
    )
    assert "no zone" in str(refused.data["occurred_at"])
    assert not CountHistory.objects.exists()


def test_facts_are_paged_by_cursor_and_filtered(api):
    tag = make_count_tag()
    for n in range(5):
        at = (datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=n)).isoformat()
        api.post("/oee/count-history/", {"tag": tag.pk, "occurred_at": at, "value": n})
    first = api.get("/oee/count-history/?page_size=2").data
    assert [row["value"] for row in first["results"]] == ["4.000000", "3.000000"]
    assert [row["value"] for row in api.get(first["next"]).data["results"]] == ["2.000000", "1.000000"]
    since = api.get("/oee/count-history/", {"machine": tag.machine_id, "occurred_from": "2026-03-02T00:03:00Z"}).data
    assert len(since["results"]) == 2


def test_rate_that_overlaps_another_says_what_to_do(api):
    rate = make_ideal_rate(product=make_product(), machine=make_machine())
    body = {"product": rate.product_id, "machine": rate.machine_id, "value": 2, "valid_from": AT}
    refused = api.post("/ideal-rate/", body)
    assert refused.status_code == 400
    assert "end that one first" in json.dumps(refused.data)


@pytest.mark.parametrize("role", Role.values)
def test_another_sites_things_do_not_exist(role):
    mine, foreign = make_machine(), make_machine()
    client = APIClient()
    client.force_authenticate(make_user(role, site=mine.line.area.site))
    assert client.get(f"/machine/{mine.pk}").status_code == 200
    assert client.get(f"/machine/{foreign.pk}").status_code == 404
    assert client.patch(f"/machine/{foreign.pk}", {"name": "x"}).status_code in (403, 404)
    assert [row["id"] for row in client.get("/machine/").data["results"]] == [mine.pk]
    moved = client.patch(f"/machine/{mine.pk}", {"line": foreign.line.pk})
    assert moved.status_code in (400, 403)
    report = client.get("/oee/report/", {"line": foreign.line.pk, "starts_at": AT, "ends_at": "2026-03-03T00:00:00Z"})
    assert report.status_code == 400


@pytest.mark.parametrize(
    ("role", "path", "expected"),
    [
        ("engineer", "/machine/", 201),
        ("operator", "/machine/", 403),
        ("admin", "/machine/", 403),
        ("supervisor", "/workorder/", 201),
        ("erp", "/workorder/", 201),
        ("operator", "/workorder/", 403),
        ("operator", "/schedule-run/run", 201),
        ("engineer", "/schedule-run/run", 403),
        ("operator", "/downtime/state-history", 201),
        ("quality", "/downtime/state-history", 403),
        ("supervisor", "/downtime/state-correction", 201),
        ("operator", "/downtime/state-correction", 403),
        ("engineer", "/enterprise/", 403),
        ("engineer", "/site/", 400),
        ("quality", "/oee/", 201),
        ("supervisor", "/oee/shift-closing/", 201),
        ("operator", "/oee/shift-closing/", 403),
    ],
)
def test_role_may_what_its_site_lets_it(role, path, expected):
    body = bodies()[path]
    places = {"line": Line, "machine": Machine, "work_order": WorkOrder}
    named = next((model.objects.get(pk=body[name]) for name, model in places.items() if name in body), None)
    site = make_site() if named is None else Site.objects.get(pk=site_id_of(named))
    client = APIClient()
    client.force_authenticate(make_user(role, site=site))
    answer = client.post(path, body)
    assert answer.status_code == expected, answer.data


def test_client_key_acts_as_its_service_account():
    user = make_user("erp", site=None)
    _, secret = ClientKey.objects.create_key(name="SAP", user=user)
    client = APIClient()
    assert client.get("/workorder/", headers={"Authorization": f"Api-Key {secret}"}).status_code == 200
    assert client.get("/workorder/", headers={"Authorization": "Api-Key no.such"}).status_code == 401


def test_documentation_is_complete_and_without_warnings(api, capfd):
    answer = api.get("/api/schema/?format=json")
    assert answer.status_code == 200
    document = json.loads(answer.content)
    assert {path.rstrip("/") for path in PATHS} <= {path.rstrip("/") for path in document["paths"]}
    assert "/ingest/" in document["paths"]
    assert document["paths"]["/workorder/"]["post"]["x-key-scope"] == ["orders"]
    assert not any("?" in path for path in document["paths"])
    assert "Warning" not in capfd.readouterr().err
    assert api.get("/api/docs/").status_code == 200


@pytest.mark.parametrize("path", ["/machine/", "/line/", "/shift/", "/workorder/", "/oee/count-tag/"])
def test_length_of_a_list_does_not_change_its_queries(api, path, django_assert_max_num_queries):
    for _ in range(4):
        body = bodies()
        del body
    with django_assert_max_num_queries(8):
        assert api.get(path).status_code == 200


def test_first_machine_given_replaces_the_one_that_its_line_got(api):
    line = api.post("/line/", {"name": "Bottling 2", "area": make_area().pk}).data
    filler = api.post("/machine/", {"name": "Filler", "line": line["id"], "is_constraint": True})
    assert filler.status_code == 201
    assert [row["name"] for row in api.get(f"/machine/?line={line['id']}").data["results"]] == ["Filler"]
    packer = api.post("/machine/", {"name": "Packer", "line": line["id"]}).data
    assert packer["is_constraint"] is False


def test_own_machine_of_a_line_stays_once_something_hangs_on_it(api):
    line = api.post("/line/", {"name": "Bottling 3", "area": make_area().pk}).data
    body = {"line": line["id"], "occurred_at": AT, "reason": make_reason().pk}
    assert api.post("/downtime/state-history", body).status_code == 201
    api.post("/machine/", {"name": "Filler", "line": line["id"]})
    assert len(api.get(f"/machine/?line={line['id']}").data["results"]) == 2


def test_founding_a_site_needs_the_right_role_everywhere_and_not_just_any(api):
    machine = make_machine()
    user = make_user("engineer", site=machine.line.area.site)
    Membership.objects.create(user=user, role="operator", site=None)
    client = APIClient()
    client.force_authenticate(user)
    assert client.post("/site/", {"name": "X", "enterprise": make_enterprise().pk}).status_code == 403
