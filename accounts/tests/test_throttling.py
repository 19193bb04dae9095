"""A client key that asks too often is refused with what an integrator needs to wait; a person is not."""

import pytest
from rest_framework.test import APIClient

from accounts.models import ClientKey
from accounts.throttling import limiter
from core.request_ids import _current
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_a_day(settings):
    settings.RATE_LIMIT = "2/d"
    limiter.cache_clear()
    yield
    limiter.cache_clear()


def test_key_that_asks_too_often_waits(two_a_day):
    user = make_user("erp")
    client, other = APIClient(), APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {ClientKey.objects.create_key(name='a', user=user)[1]}")
    other.credentials(HTTP_AUTHORIZATION=f"Api-Key {ClientKey.objects.create_key(name='b', user=user)[1]}")
    assert [client.get("/product/").headers["X-RateLimit-Remaining"] for _ in range(2)] == ["1", "0"]
    token = _current.set("run-17")
    refused = client.get("/product/")
    _current.reset(token)
    assert (refused.status_code, refused.headers["X-RateLimit-Limit"]) == (429, "2")
    assert 0 < int(refused.headers["Retry-After"]) == int(refused.headers["X-RateLimit-Reset"]) <= 86_400
    assert set(refused.data) == {"detail", "request_id"}
    assert refused.data["request_id"] == "run-17"
    assert other.get("/product/").status_code == 200
    client.credentials()
    client.force_authenticate(user)
    assert "X-RateLimit-Limit" not in client.get("/product/").headers


def test_key_without_the_role_is_refused_and_counted_by_nobody(two_a_day):
    client = APIClient()
    secret = ClientKey.objects.create_key(name="a", user=make_user("operator"))[1]
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {secret}")
    assert [client.post("/erp/import/", {}).status_code for _ in range(3)] == [403] * 3
    client.credentials(HTTP_AUTHORIZATION="Api-Key no.such")
    assert client.get("/product/").status_code == 401
