"""A client key does what it is made for, at the sites that it is made for, and nothing else of what its account may."""

import re
from datetime import timedelta
from itertools import product

import pytest
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework.views import APIView

from accounts import rights
from accounts.models import ClientKey
from accounts.permissions import ACTIONS, RolePermission
from accounts.scopes import Scope, every_scope, scopes_for
from core import master_data
from core.errors import StillReferenced
from products.models import Product
from tests.factories import make_line, make_machine, make_product, make_site, make_user, make_work_order
from workorders.models import Customer

pytestmark = pytest.mark.django_db
VERBS = ("get", "post", "put", "patch", "delete")
VALUES = {"id": "1-1", "name": "orders"}
B2MML = {"OperationsSchedule": {"OperationsRequest": [{"ID": "4711"}]}}


def client_with(*scopes, user=None, sites=(), **key):
    user = user or make_user(is_superuser=True)
    stored, secret = ClientKey.objects.create_key(name="key", user=user, scopes=list(scopes), **key)
    stored.sites.set(sites)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {secret}")
    return client


def missing(answer):
    data = answer.data if isinstance(getattr(answer, "data", None), dict) else {}
    return sorted(data.get("missing_scope", ())) if answer.status_code == 403 else []


def all_patterns(resolver):
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        else:
            yield from all_patterns(pattern)


def rest_operations():
    """Yield (verb, address, kind of thing) of the REST interface: of each view, each action on each kind once."""
    seen = set()
    for pattern in all_patterns(get_resolver()):
        view = getattr(pattern.callback, "cls", None)
        if view is None or not issubclass(view, APIView) or "api/" in str(pattern.pattern):
            continue
        address = re.sub(r"\(\?P<(\w+)>[^()]*\)", lambda found: VALUES.get(found[1], "1"), str(pattern.pattern))
        verbs = getattr(pattern.callback, "actions", None) or [verb for verb in VERBS if hasattr(view, verb)]
        kind = getattr(pattern.callback, "initkwargs", {}).get("kind", getattr(view, "kind", None))
        for verb in list(verbs):
            if (view, kind, ACTIONS[verb.upper()]) not in seen:
                seen.add((view, kind, ACTIONS[verb.upper()]))
                yield verb, "/" + address.removeprefix("^").removesuffix("/?$"), kind


def test_each_rest_operation_names_the_scope_that_a_key_lacks():
    user = make_user(is_superuser=True)
    lacking = {scope: client_with(*(set(Scope.values) - {scope}), user=user) for scope in Scope.values}
    nothing, wrong, seen = client_with(user=user), [], set()
    for verb, address, kind in rest_operations():
        needed = scopes_for(ACTIONS[verb.upper()], kind)
        seen.update(needed)
        answer = (lacking[needed[0]] if len(needed) == 1 else nothing).generic(verb, address)
        if missing(answer) != sorted(needed):
            wrong.append((verb, address, needed, answer.status_code))
    assert wrong == []
    assert seen == set(Scope.values)


def test_every_view_asks_for_the_scope():
    """A view with permissions of its own would let any key in."""
    views = {getattr(pattern.callback, "cls", None) for pattern in all_patterns(get_resolver())} - {None}
    own = [
        view.__name__
        for view in views
        if issubclass(view, APIView) and not all(issubclass(one, RolePermission) for one in view.permission_classes)
    ]
    assert len(views) > 100
    assert sorted(own) == ["SpectacularAPIView", "SpectacularSwaggerSplitView"]


def test_every_kind_of_thing_has_a_scope_for_every_action():
    actions = (rights.VIEW, rights.ADD, rights.CHANGE, rights.DELETE)
    assert all(scopes_for(action, kind) for action, kind in product(actions, rights.ROLES))


@pytest.mark.parametrize(
    ("verb", "path", "scope"),
    [
        ("get", "/workorder/", "read"),
        ("get", "/workorder/?format=csv", "read"),
        ("get", "/advice/precision/", "read"),
        ("post", "/labels/decode/", "read"),
        ("post", "/reports/export/", "read"),
        ("post", "/workorder/", "orders"),
        ("post", "/workorder/demand/", "orders"),
        ("post", "/schedule-run/schedule/", "orders"),
        ("post", "/product/", "master_data"),
        ("post", "/machine/", "master_data"),
        ("post", "/labor/employee/", "master_data"),
        ("post", "/material/transaction/", "stock"),
        ("post", "/oee/count-history/", "facts"),
        ("post", "/downtime/state-history/", "facts"),
        ("post", "/downtime/stop/explain/", "facts"),
        ("post", "/schedule-run/run/", "production"),
        ("post", "/execution/report/", "production"),
        ("post", "/labor/clock-in/", "production"),
        ("post", "/oee/", "production"),
        ("get", "/erp/outbox/", "outbox"),
        ("post", "/erp/outbox/acknowledge/", "outbox"),
        ("get", "/erp/b2mml/performance/", "outbox"),
        ("post", "/erp/b2mml/schedule/", "orders"),
    ],
)
def test_operation_belongs_to_the_scope_that_its_subject_suggests(verb, path, scope):
    content = B2MML if "b2mml/schedule" in path else {}
    others = client_with(*(set(Scope.values) - {scope}))
    assert scope in missing(getattr(others, verb)(path, content)), path
    assert missing(getattr(client_with(scope), verb)(path, content)) == []


def test_import_takes_the_kinds_of_rows_that_the_key_is_made_for_and_nothing_of_another():
    client = client_with("orders")
    assert client.post("/erp/import/", {"customers": [{"external_id": "C-1", "name": "Vistula"}]}).status_code == 200
    both = {"customers": [{"external_id": "C-2", "name": "Oder"}], "products": [{"code": "COLA", "name": "Cola"}]}
    answer = client.post("/erp/import/", both)
    assert (answer.status_code, missing(answer)) == (403, ["master_data"]), answer.data
    assert answer.data["detail"] == "This key lacks the scope 'master_data'."
    file = client.generic("POST", "/erp/import/products/", "code;name\nCOLA;Cola\n", content_type="text/csv")
    assert missing(file) == ["master_data"]
    assert missing(client.post("/erp/import/stock/", [], format="json")) == ["stock"]
    assert [row.external_id for row in Customer.objects.all()] == ["C-1"]
    assert not Product.objects.exists()


def test_scope_gives_nothing_that_the_account_may_not():
    client = client_with(*Scope.values, user=make_user("operator"))
    answer = client.post("/product/", {"name": "Cola"})
    assert (answer.status_code, "missing_scope" in answer.data) == (403, False)


def test_key_that_is_revoked_or_expired_is_refused_whatever_its_scopes():
    assert client_with(*Scope.values, revoked=True).get("/product/").status_code == 401
    late = timezone.now() - timedelta(days=1)
    assert client_with(*Scope.values, expiry_date=late).get("/product/").status_code == 401


def test_who_logs_in_is_held_to_no_scope():
    client = APIClient()
    client.force_login(make_user("engineer"))
    assert client.post("/product/", {"name": "Cola"}).status_code == 201


def test_key_made_without_scopes_of_its_own_does_all_that_its_account_may():
    """As every key that was made before there were scopes."""
    key, _ = ClientKey.objects.create_key(name="old", user=make_user("erp"))
    assert sorted(key.scopes) == sorted(every_scope()) == sorted(Scope.values)


@pytest.mark.parametrize("role", ["erp", None])
def test_key_of_one_site_neither_sees_nor_writes_another_though_its_account_does(role):
    here, there = make_line(code="HERE"), make_line(code="THERE")
    mine, other = make_work_order(line=here), make_work_order(line=there)
    user = make_user(role, site=None) if role else make_user(is_superuser=True)
    client = client_with(*Scope.values, user=user, sites=[here.area.site])
    assert [row["id"] for row in client.get("/workorder/").data["results"]] == [mine.pk]
    assert client.get(f"/workorder/{other.pk}/").status_code == 404
    assert client.patch(f"/workorder/{other.pk}/", {"priority": 1}).status_code == 404
    product = make_product()
    for line, expected in ((here, 201), (there, 400)):
        body = {"order_number": f"WO-{line.code}", "line": line.code, "product": product.code, "target_quantity": "5"}
        assert client.post("/workorder/", body).status_code == expected, line
    body = {"name": "Gdańsk", "enterprise": here.area.site.enterprise_id, "time_zone": "Europe/Warsaw"}
    assert client.post("/site/", body).status_code == 403
    rows = [{"external_id": "X", "line": "THERE", "product": product.code, "target_quantity": "1"}]
    answer = client.post("/erp/import/", {"orders": rows})
    assert (answer.status_code, answer.data["faults"][0]["field"]) == (207, "line")


def test_key_of_a_site_at_which_its_account_has_no_role_reaches_nothing():
    here, there = make_machine(), make_machine()
    user = make_user("engineer", site=there.line.area.site)
    client = client_with(*Scope.values, user=user, sites=[here.line.area.site])
    assert client.get("/machine/").status_code == 403


def test_site_to_which_a_key_is_limited_is_not_deleted():
    """Without it the key would be limited to none, and reach them all."""
    site = make_site()
    client_with(*Scope.values, sites=[site])
    with pytest.raises(StillReferenced, match="client key"):
        master_data.delete(site)


def test_administrator_ticks_scopes_and_sites_of_a_new_key(client):
    here, there = make_site(name="Kraków"), make_site(name="Gdańsk")
    client.force_login(make_user("admin", site=here, is_staff=True))
    account = make_user("erp", site=here)
    url = reverse("admin:accounts_clientkey_add")
    page = client.get(url).content.decode()
    assert ("Kraków" in page, "Gdańsk" in page) == (True, False)
    boxes = re.findall(r'<input[^>]*name="scopes"[^>]*>', page)
    assert (len(boxes), [box for box in boxes if "checked" in box.split()]) == (len(Scope.values), [])
    given = {"name": "SAP", "user": account.pk}
    assert "This field is required" in client.post(url, given).content.decode()
    assert "Select a valid choice" in client.post(url, {**given, "scopes": ["everything"]}).content.decode()
    assert (
        "Select a valid choice" in client.post(url, {**given, "scopes": ["read"], "sites": [there.pk]}).content.decode()
    )
    assert not ClientKey.objects.exists()
    made = client.post(url, {**given, "scopes": ["orders", "outbox"], "sites": [here.pk]}).content.decode()
    assert "only time that the key is shown" in made
    key = ClientKey.objects.get()
    assert (sorted(key.scopes), list(key.sites.all())) == (["orders", "outbox"], [here])
    listed = client.get(reverse("admin:accounts_clientkey_changelist")).content.decode()
    assert ("orders, outbox" in listed or "outbox, orders" in listed, "Kraków" in listed) == (True, True)
