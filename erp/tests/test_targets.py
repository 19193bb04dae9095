"""Nothing is sent where the server does not allow it, however the address is written or its name answers."""

import httpcore
import pytest
from django.utils import timezone

from core.errors import Invalid
from erp import delivering, services, targets
from erp.models import Delivery, Partner
from erp.tests.partners import make_partner, say
from erp.tests.receivers import receiver

FORMS = [
    *("http://127.0.0.1:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/", "http://0:{port}/"),
    *("http://0.0.0.0:{port}/", "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0x7f.1:{port}/"),
    *("http://017700000001:{port}/", "http://0177.0.0.1:{port}/", "http://127.000.000.001:{port}/"),
    *("http://localhost:{port}/", "http://LOCALHOST:{port}/", "http://localhost.:{port}/", "http://[::1]:{port}/"),
    *("http://[::]:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/"),
    *("http://[0:0:0:0:0:0:0:1]:{port}/", "http://[::127.0.0.1]:{port}/", "http://[64:ff9b::7f00:1]:{port}/"),
    *("http://[2002:7f00:1::]:{port}/", "http://[::1%25lo]:{port}/", "http://[::1%lo]:{port}/"),
    *("http://erp.example.com@127.0.0.1:{port}/", "http://127.0.0.1:{port}@erp.example.com/"),
    *("http://user:word@127.0.0.1:{port}/", "http://erp.example.com#@127.0.0.1:{port}/"),
    *("http://erp.example.com\\@127.0.0.1:{port}/", "http:\\\\127.0.0.1:{port}/", "http:/127.0.0.1:{port}/"),
    *("http:127.0.0.1:{port}/", "//127.0.0.1:{port}/", "HTTP://127.0.0.1:{port}/", " http://127.0.0.1:{port}/"),
    *("http://127.0.0.1:{port}/\r\nHost: x", "http://127.0.0.1\t:{port}/", "http://１２７.0.0.1:{port}/"),
    *("http://①②⑦.0.0.1:{port}/", "http://127。0。0。1:{port}/", "http://%31%32%37.0.0.1:{port}/"),
    *("http://127.0.0.1:{port}?x", "http://127.0.0.1:{port}#x", "http://127.0.0.1:+{port}/", "http://127.0.0.1:0/"),
    *("http://127.0.0.1:99999/", "ftp://127.0.0.1:{port}/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x"),
    *("unix:///tmp/socket", "http://127.0.0.1.nip.io:{port}/", "http://127-0-0-1.sslip.io:{port}/", "http:///"),
    *("http://erp.example.com.:{port}/", "http://erp.example.com:{port}/", "http://-:{port}/", "javascript:alert(1)"),
]


def test_no_form_of_an_inside_address_is_reached(settings):
    """Neither may it be entered; nor, entered past the check, is it sent to; nor, were it on the list, connected to."""
    settings.WEBHOOK_TARGETS = ["http://erp.example.com"]
    assert len(FORMS) >= 50
    connected = 0
    with receiver() as inside, httpcore.ConnectionPool(network_backend=targets.GuardedNetwork()) as pool:
        for form in FORMS:
            url = form.replace("{port}", inside.address.rpartition(":")[2])
            with pytest.raises(Invalid) as refusal:
                services.check_partner(Partner(types=[], target_url=url))
            assert refusal.value.field == "target_url"
            with pytest.raises(targets.TargetRefused):
                targets.refuse_unlisted(url)
            try:
                pool.request("POST", url, content=b"{}")
                connected += 1
            except (targets.TargetRefused, httpcore.ConnectError, httpcore.UnsupportedProtocol, ValueError, TypeError):
                continue
        assert (connected, inside.got) == (0, [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "answers",
    [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["fe80::1%eth0"], ["fd00::1"]],
    ids=str,
)
def test_name_that_answers_with_an_inside_address_is_not_called(settings, answers):
    with receiver() as inside:
        url = f"http://erp.example.com:{inside.address.rpartition(':')[2]}/"
        settings.WEBHOOK_TARGETS = [url]
        partner = make_partner(url)
        services.new_secret(partner=partner, at=timezone.now())
        say(1)
        network = targets.GuardedNetwork(lambda host, port: answers)
        assert delivering.deliver_to(partner, clock=timezone.now, network=network) == 0
        assert inside.got == []
    assert "inside address" in Delivery.objects.get().last_error


@pytest.mark.django_db
def test_name_is_resolved_once_and_the_checked_address_is_called(settings):
    """A name that answers differently the second time gains nothing: nobody asks it a second time."""
    asked = []

    def rebinding(host, port):
        asked.append(host)
        return ["127.0.0.2"] if len(asked) == 1 else ["127.0.0.1"]

    settings.WEBHOOK_NETWORKS = ["127.0.0.2/32"]
    with receiver() as inside:
        url = f"http://erp.example.com:{inside.address.rpartition(':')[2]}/"
        settings.WEBHOOK_TARGETS = [url]
        partner = make_partner(url)
        services.new_secret(partner=partner, at=timezone.now())
        say(1)
        delivering.deliver_to(partner, clock=timezone.now, network=targets.GuardedNetwork(rebinding))
        assert (asked, inside.got) == (["erp.example.com"], [])


@pytest.mark.django_db
def test_redirect_is_not_followed(settings):
    with receiver() as inside, receiver() as outside:
        settings.WEBHOOK_TARGETS, settings.WEBHOOK_NETWORKS = [outside.address], ["127.0.0.0/8"]
        outside.answers, outside.headers = (lambda said: 307), [("Location", f"{inside.address}/")]
        partner = make_partner(f"{outside.address}/")
        services.new_secret(partner=partner, at=timezone.now())
        say(1)
        assert delivering.deliver_to(partner, clock=timezone.now) == 0
        assert (len(outside.got), inside.got) == (1, [])
    assert "redirects are not followed" in Delivery.objects.get().last_error
