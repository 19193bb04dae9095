"""An administrator sets up partners, makes their secrets and decides about what could not be delivered."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import ClientKey
from erp import delivering, services
from erp.models import Delivery, Partner, PartnerSecret
from erp.selectors import exchanges
from erp.tests.partners import make_partner, say
from tests.factories import make_site, make_user

pytestmark = pytest.mark.django_db
ADD, LIST = "admin:erp_partner_add", "admin:erp_partner_changelist"


def log_in(client, role, site=None):
    client.force_login(make_user(role, site=site, is_staff=True))
    return client


def form(**overrides):
    account = make_user("erp")
    return {
        "code": "SAP",
        "name": "SAP",
        "user": account.pk,
        "types": "order.confirmed,material.*",
        "is_active": "on",
    } | overrides


def test_partner_is_set_up_and_its_secret_is_shown_once(client, settings):
    settings.WEBHOOK_TARGETS = ["https://erp.example.com"]
    log_in(client, "admin")
    assert client.post(reverse(ADD), form(target_url="https://erp.example.com/hook")).status_code == 302
    partner = Partner.objects.get()
    assert partner.types == ["order.confirmed", "material.*"]
    made = client.post(reverse(LIST), {"action": "make_secret", "_selected_action": [partner.pk]})
    (secret,) = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", made.content.decode()))
    assert services.secrets_of(partner, at=timezone.now()) == [secret]
    assert secret not in PartnerSecret.objects.get().encrypted
    assert "no-store" in made["Cache-Control"]
    assert "whsec_" not in client.get(reverse("admin:erp_partner_change", args=[partner.pk])).content.decode()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"target_url": "https://elsewhere.example.com/"}, "WEBHOOK_TARGETS"),
        ({"target_url": "http://169.254.169.254/latest"}, "WEBHOOK_TARGETS"),
        ({"target_url": "javascript:alert(1)"}, "Write it as"),
        ({"types": "order.eaten"}, "no type"),
    ],
)
def test_wrong_partner_is_refused_at_its_field(client, wrong, words):
    answer = log_in(client, "admin").post(reverse(ADD), form(**wrong))
    assert (answer.status_code, words in answer.content.decode()) == (200, True)
    assert not Partner.objects.exists()


def test_engineer_looks_and_others_do_not(client):
    partner = make_partner()
    change = reverse("admin:erp_partner_change", args=[partner.pk])
    log_in(client, "engineer")
    assert (client.get(reverse(LIST)).status_code, client.post(reverse(ADD), form()).status_code) == (200, 403)
    assert client.post(reverse(LIST), {"action": "make_secret", "_selected_action": [partner.pk]}).status_code != 500
    assert not PartnerSecret.objects.exists()
    log_in(client, "supervisor")
    assert (client.get(reverse(LIST)).status_code, client.get(change).status_code) == (403, 403)


def test_administrator_of_one_site_does_not_see_a_partner_of_all(client):
    """Whoever changes the address of a partner reads all that its account may."""
    site = make_site()
    everywhere, mine = make_partner(), make_partner(site=site)
    log_in(client, "admin", site=site)
    page = client.get(reverse(LIST)).content.decode()
    assert (mine.name in page, everywhere.name in page) == (True, False)
    assert client.get(reverse("admin:erp_partner_change", args=[everywhere.pk])).status_code == 302


def test_dead_letter_is_shown_sent_again_and_left_out(client):
    partner = make_partner()
    say(1)
    services.outbox.number_new()
    delivering.plan(partner, now=timezone.now())
    Delivery.objects.update(status="dead", attempts=10, last_error="It answered 422: no such plant")
    delivery = Delivery.objects.get()
    log_in(client, "admin")
    url = reverse("admin:erp_delivery_changelist")
    assert "no such plant" in client.get(url).content.decode()
    client.post(url, {"action": "send_again", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("waiting", 0)
    client.post(url, {"action": "leave_out", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert delivery.status == "skipped"
    message = reverse("admin:core_outboxmessage_change", args=[delivery.message_id])
    assert (
        client.get(message).status_code,
        client.get(reverse("admin:core_outboxmessage_changelist")).status_code,
    ) == (200, 200)


def test_integration_page_says_what_each_partner_lacks(client, django_assert_max_num_queries):
    fetching, sent_to = make_partner(name="Fetches"), make_partner(name="Is sent to")
    Partner.objects.filter(pk=sent_to.pk).update(target_url="https://erp.example.com/")
    say(1, 2, 3)
    services.outbox.number_new()
    delivering.plan(sent_to, now=timezone.now())
    Delivery.objects.filter(position=services.outbox.last_position()).update(status="dead")
    services.acknowledge(partner=fetching, position=services.outbox.last_position() - 2, at=timezone.now())
    found = {one.partner.pk: (one.waiting, one.dead, one.level) for one in exchanges(Partner.objects.all())}
    assert found == {fetching.pk: (2, 0, "wait"), sent_to.pk: (2, 1, "bad")}
    key, _ = ClientKey.objects.create_key(name="SAP", user=fetching.user, scopes=["outbox", "orders"])
    key.sites.add(make_site(name="Kraków"))
    ClientKey.objects.create_key(name="lost", user=fetching.user, revoked=True)
    log_in(client, "engineer")
    with django_assert_max_num_queries(22):
        page = client.get(reverse("admin:erp_integration")).content.decode()
    assert ("Something waits" in page, "Needs somebody" in page, "https://erp.example.com/" in page) == (
        True,
        True,
        True,
    )
    assert ("SAP: outbox, orders (Kraków)" in page, "lost" in page) == (True, False)
    log_in(client, "supervisor")
    assert "Is sent to" not in client.get(reverse("admin:erp_integration")).content.decode()
