"""Messages reach a partner's address: signed, in order per key, at least once, under ids that make it exactly once."""

from datetime import timedelta
from threading import Thread
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from core import outbox
from core.errors import Conflict
from core.models import OutboxMessage
from erp import delivering, keeping, services
from erp.models import Delivery
from erp.tests.partners import AT, make_partner, say
from erp.tests.receivers import receiver
from tests.factories import make_site

Status = Delivery.Status


@pytest.fixture
def erp(settings):
    with receiver() as noted:
        settings.WEBHOOK_TARGETS = [noted.address]
        settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
        yield noted


@pytest.fixture
def partner(db, erp):
    made = make_partner(f"{erp.address}/hook")
    services.new_secret(partner=made, at=timezone.now())
    return made


def deliver(partner, *, after=timedelta()):
    return delivering.deliver_to(partner, clock=lambda: timezone.now() + after)


def statuses():
    return list(Delivery.objects.order_by("position").values_list("status", flat=True))


def test_message_arrives_signed_as_it_was_written(erp, db):
    partner = make_partner(f"{erp.address}/hook")
    first = services.new_secret(partner=partner, at=timezone.now())
    second = services.new_secret(partner=partner, at=timezone.now())
    say("1.5")
    assert deliver(partner) == 1
    ((headers, content),) = erp.raw
    stored = OutboxMessage.objects.get()
    for secret in (first, second):
        assert Webhook(secret).verify(content, headers)["data"] == {"number": "1.5"}
    with pytest.raises(WebhookVerificationError):
        Webhook(first).verify(content.replace("1.5", "2.5"), headers)
    (said,) = erp.got
    assert (said["id"], headers["webhook-id"]) == (str(stored.uid), str(stored.uid))
    assert (said["type"], said["key"], said["timestamp"]) == ("order.confirmed", "order/1", "2026-03-02T08:00:00Z")
    # Later, the former secret no longer signs.
    say("2")
    deliver(partner, after=services.OVERLAP + timedelta(minutes=1))
    assert len(erp.raw[1][0]["webhook-signature"].split()) == 1
    assert partner.progress.__class__.objects.get(partner=partner).failure == ""


def test_failing_key_waits_in_order_while_others_go_on(erp, partner):
    erp.answers = lambda said: 500 if said["key"] == "order/A" else 204
    say(1, 2, key="order/A")
    say(1, 2, key="order/B")
    assert deliver(partner) == 2
    assert (erp.numbers("order/A"), erp.numbers("order/B")) == ([1], [1, 2])
    assert deliver(partner) == 0
    erp.answers = lambda said: 204
    assert deliver(partner, after=delivering.PAUSES[0]) == 2
    assert erp.numbers("order/A") == [1, 1, 2]
    assert len({said["id"] for said in erp.got}) == 4
    assert statuses() == [Status.DELIVERED] * 4


def test_message_that_never_arrives_is_given_up_holds_its_key_and_is_sent_again_by_hand(erp, partner):
    erp.answers = lambda said: 422 if said["data"]["number"] == "bad" else 204
    say("bad", "next")
    later = timedelta()
    for pause in (timedelta(), *delivering.PAUSES):
        later += pause
        deliver(partner, after=later)
    assert statuses() == [Status.DEAD, Status.WAITING]
    dead = Delivery.objects.get(status=Status.DEAD)
    assert (dead.attempts, dead.answer_status, "422" in dead.last_error) == (len(delivering.PAUSES) + 1, 422, True)
    later += timedelta(days=9)
    assert deliver(partner, after=later) == 0
    delivering.send_again(delivery=dead, now=timezone.now())
    assert deliver(partner, after=later) == 0
    delivering.leave_out(delivery=dead)
    assert deliver(partner, after=later) == 1
    assert statuses() == [Status.SKIPPED, Status.DELIVERED]
    with pytest.raises(Conflict):
        delivering.send_again(delivery=Delivery.objects.get(status=Status.DELIVERED), now=timezone.now())


def test_worker_that_died_is_succeeded_and_cannot_overwrite(erp, partner):
    say(1)
    outbox.number_new()
    delivering.plan(partner, now=timezone.now())
    left = delivering.claim_next(partner, now=timezone.now())
    assert deliver(partner) == 0
    assert deliver(partner, after=delivering.CLAIM_HOLDS + timedelta(seconds=1)) == 1
    assert not delivering.settle(left, delivering.Answer(500), now=timezone.now())
    assert statuses() == [Status.DELIVERED]


def test_partner_that_is_away_is_tried_once_a_round(erp, partner, settings):
    settings.WEBHOOK_TARGETS = ["http://127.0.0.1:1"]
    partner.target_url = "http://127.0.0.1:1/"
    for number in range(3):
        say(number, key=f"order/{number}")
    assert deliver(partner) == 0
    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    assert "ConnectError" in services.locked_progress(partner).failure


def test_partner_that_asks_for_a_pause_gets_it(erp, partner):
    erp.answers, erp.headers = (lambda said: 429), [("Retry-After", "3600")]
    say(1)
    deliver(partner)
    assert Delivery.objects.get().next_attempt_at > timezone.now() + timedelta(minutes=59)


def test_partner_hears_of_its_sites_and_types_only_and_from_when_it_was_set_up(erp, db):
    mine, other = make_site(), make_site()
    say("before")
    partner = make_partner(f"{erp.address}/", site=mine, types=["order.confirmed", "material.*"])
    services.new_secret(partner=partner, at=timezone.now())
    say("mine", site_id=mine.pk)
    say("other", site_id=other.pk)
    say("everybody's")
    say("moved", site_id=mine.pk, type_="material.moved")
    say("stopped", site_id=mine.pk, type_="downtime.ended")
    deliver(partner)
    assert erp.numbers() == ["mine", "everybody's", "moved"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_message_once_and_each_key_in_order(erp):
    partner = make_partner(f"{erp.address}/")
    services.new_secret(partner=partner, at=timezone.now())
    for number in range(10):
        for key in "ABC":
            say(number, key=key)

    def work():
        delivering.deliver_to(partner, clock=timezone.now)
        connection.close()

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Whoever met only keys that the other one was at has stopped; nothing is left behind.
    work()
    assert [erp.numbers(key) for key in "ABC"] == [list(range(10))] * 3


def test_old_messages_are_forgotten_once_every_partner_has_them(erp, partner, settings):
    fetching = make_partner()
    say(1, 2)
    deliver(partner)
    long_after = AT + timedelta(days=settings.OUTBOX_KEEP_DAYS + 1)
    assert keeping.forget_old(now=long_after) == 0
    services.acknowledge(partner=fetching, position=outbox.last_given(), at=long_after)
    assert keeping.forget_old(now=AT) == 0
    assert keeping.forget_old(now=long_after)
    assert not OutboxMessage.objects.exists()
    say(3)
    deliver(partner)
    assert erp.numbers() == [1, 2, 3]


def test_stopped_worker_leaves_the_rest(erp, partner):
    say(1, 2)
    stops = SimpleNamespace(count=0)

    def stop():
        stops.count += 1
        return stops.count > 2

    assert delivering.deliver_to(partner, clock=timezone.now, stop=stop) == 1
    assert statuses() == [Status.DELIVERED, Status.WAITING]
