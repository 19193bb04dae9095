"""A POST that is repeated with its key has one effect, and the answer of the first."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connections
from django.urls import get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from core.idempotency import Idempotent, forget_answers
from core.models import IdempotentAnswer
from enterprise.models import Enterprise
from tests.factories import make_count_tag, make_machine, make_user, make_work_order
from workorders.models import OrderStatusChange

pytestmark = pytest.mark.django_db


def client_of(user=None):
    client = APIClient()
    client.force_authenticate(user or make_user(is_superuser=True))
    return client


def post(client, path, body, key="k-1"):
    return client.post(path, body, headers={"Idempotency-Key": key})


def test_repetition_gets_the_first_answer_and_does_nothing():
    client = client_of()
    first = post(client, "/enterprise/", {"name": "Vistula"})
    again = post(client, "/enterprise/", {"name": "Vistula"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (again.headers.get("Idempotent-Replay"), first.headers.get("Idempotent-Replay")) == ("true", None)
    assert Enterprise.objects.count() == 1


def test_same_key_for_something_else_is_refused():
    client = client_of()
    post(client, "/enterprise/", {"name": "Vistula"})
    for path, body in (("/enterprise/", {"name": "Oder"}), ("/unit-of-measure/", {"name": "Vistula"})):
        refused = post(client, path, body)
        assert (refused.status_code, "needs a new key" in refused.data["detail"]) == (422, True)
    assert Enterprise.objects.count() == 1
    assert post(client_of(), "/enterprise/", {"name": "Oder"}).status_code == 201


def test_action_and_fact_are_answered_again():
    client = client_of()
    order = make_work_order(line=make_machine().line)
    answers = [post(client, f"/workorder/{order.pk}/release/", {}, "a") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert OrderStatusChange.objects.count() == 1
    body = {"tag": make_count_tag().pk, "occurred_at": "2026-03-02T08:00:00Z", "value": "3"}
    assert [post(client, "/oee/count-history/", body, "b").status_code for _ in range(2)] == [201, 201]


def test_refusal_is_an_answer_too_and_odd_keys_are_refused():
    client = client_of()
    order = make_work_order(line=make_machine().line, status="closed")
    for _ in range(2):
        answer = post(client, f"/workorder/{order.pk}/release/", {}, "a")
        assert (answer.status_code, answer.json()["allowed"]) == (409, [])
    assert IdempotentAnswer.objects.count() == 1
    for key in ("x" * 201, "", "a\tb"):
        assert post(client, "/enterprise/", {"name": "X"}, key).status_code == 400
    stranger = APIClient()
    assert post(stranger, "/enterprise/", {"name": "X"}, "s").status_code == 401
    assert not Enterprise.objects.filter(name="X").exists()


def test_failure_is_not_kept(monkeypatch):
    client = client_of()
    client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("core.master_data.save", lambda thing: 1 / 0)
        assert post(client, "/enterprise/", {"name": "Vistula"}).status_code == 500
    assert post(client, "/enterprise/", {"name": "Vistula"}).status_code == 201


def test_old_answers_are_forgotten(settings):
    post(client_of(), "/enterprise/", {"name": "Vistula"})
    keep = timedelta(hours=settings.IDEMPOTENCY_KEEP_HOURS)
    assert forget_answers(now=timezone.now() + keep - timedelta(minutes=1)) == 0
    assert forget_answers(now=timezone.now() + keep + timedelta(minutes=1)) == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_repetitions_take_turns():
    user, answers = make_user(is_superuser=True), []

    def send():
        try:
            answers.append(post(client_of(user), "/enterprise/", {"name": "Vistula"}).status_code)
        finally:
            connections.close_all()

    threads = [Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201] * 6
    assert Enterprise.objects.count() == 1


ONLY_ASK = {"SuggestView", "DecodeView"}
"""They answer a question and write nothing."""
SAY_THE_SAME = {"AcknowledgeView"}
"""What they write is the same however often it is said."""


def test_every_post_that_writes_can_be_sent_again_with_its_key():
    def views(patterns):
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                yield from views(pattern.url_patterns)
            else:
                yield pattern.callback

    posting = set()
    for view in views(get_resolver().url_patterns):
        kind = getattr(view, "cls", None)
        if kind is not None and ("post" in view.actions if hasattr(view, "actions") else hasattr(kind, "post")):
            posting.add(kind)
    assert {kind.__name__ for kind in posting if not issubclass(kind, Idempotent)} == ONLY_ASK | SAY_THE_SAME
