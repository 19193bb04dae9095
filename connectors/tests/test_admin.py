"""An administrator sets a connector up; its password is never shown again; the health page says how it is."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import services
from connectors.intake import Tally
from connectors.models import Connector, ConnectorHealth, ConnectorSecret, UnmappedSignal
from connectors.secrets import SecretUnreadable, secret_of, store_secret
from connectors.services import Report
from tests.factories import make_machine, make_user

pytestmark = pytest.mark.django_db
NO_INLINES = {"mappings-TOTAL_FORMS": "0", "mappings-INITIAL_FORMS": "0"}


@pytest.fixture
def site():
    return make_machine().line.area.site


@pytest.fixture
def administrator(client, site):
    client.force_login(make_user("admin", site, is_staff=True))
    return client


@pytest.fixture
def connector(site):
    return Connector.objects.create(code="mqtt", name="Hall MQTT", protocol="mqtt", site=site, address="broker:1883")


def page_of(connector):
    return reverse("admin:connectors_connector_change", args=[connector.pk])


def filled(page, **changes):
    """Return what a browser would send for the form on a page."""
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    values = {name: value for name, value in values.items() if value not in (None, False)}
    return {**values, **NO_INLINES, "_seen": page.context["seen_version"], **changes}


def test_connector_is_made_then_gets_the_options_of_its_protocol(administrator, site):
    added = administrator.post(
        reverse("admin:connectors_connector_add"),
        {"code": "hall", "name": "Hall", "site": site.pk, "protocol": "mqtt", "address": "broker:1883"},
    )
    connector = Connector.objects.get()
    assert added.status_code == 302
    page = administrator.get(page_of(connector))
    assert "option_topic_template" in page.content.decode()
    saved = administrator.post(page_of(connector), filled(page, option_patience_seconds="30", is_active="on"))
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    connector.refresh_from_db()
    assert connector.options["patience_seconds"] == 30
    assert services.setup_of(connector).options["patience_seconds"] == 30


def test_bad_option_names_its_field(administrator, connector):
    page = administrator.get(page_of(connector))
    answer = administrator.post(page_of(connector), filled(page, option_topic_template="{site}/{signal}"))
    assert answer.status_code == 200
    assert "must name {machine}" in answer.context["adminform"].form.errors["option_topic_template"][0]


@pytest.mark.parametrize("protocol", ["mqtt", "sparkplug", "mtconnect", "shdr", "modbus", "filedrop"])
def test_page_of_each_protocol_saves_its_defaults(administrator, connector, protocol):
    connector.protocol = protocol
    connector.save()
    page = administrator.get(page_of(connector))
    saved = administrator.post(page_of(connector), filled(page))
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    connector.refresh_from_db()
    assert services.setup_of(connector).options


def test_password_is_stored_encrypted_and_never_shown(administrator, connector):
    page = administrator.get(page_of(connector))
    administrator.post(page_of(connector), filled(page, username="mes", password="s3cret phrase"))
    assert "s3cret" not in ConnectorSecret.objects.get().encrypted
    assert secret_of(connector) == "s3cret phrase"
    page = administrator.get(page_of(connector))
    assert "s3cret" not in page.content.decode()
    administrator.post(page_of(connector), filled(page))
    assert secret_of(connector) == "s3cret phrase"
    administrator.post(page_of(connector), filled(administrator.get(page_of(connector)), forget_password="on"))
    assert secret_of(connector) == ""


def test_password_of_another_secret_key_says_so(connector, settings):
    store_secret(connector, "x")
    settings.SECRET_KEY = "another"
    with pytest.raises(SecretUnreadable, match="enter it again"):
        secret_of(connector)


def test_password_from_the_environment(connector, monkeypatch):
    connector.secret_variable = "HALL_PASSWORD"
    with pytest.raises(SecretUnreadable, match="HALL_PASSWORD"):
        secret_of(connector)
    monkeypatch.setenv("HALL_PASSWORD", "from outside")
    assert secret_of(connector) == "from outside"


@pytest.mark.parametrize(("role", "may"), [("admin", True), ("engineer", False), ("operator", False)])
def test_only_administrators_change_connectors(client, site, connector, role, may):
    client.force_login(make_user(role, site, is_staff=True))
    answer = client.post(page_of(connector), {"name": "Other"})
    assert (answer.status_code == 200) is may


def test_another_sites_connector_does_not_exist(client, connector):
    client.force_login(make_user("admin", make_machine().line.area.site, is_staff=True))
    assert client.get(page_of(connector)).status_code == 302
    assert "Hall MQTT" not in client.get(reverse("admin:connectors_health")).content.decode()


@pytest.mark.parametrize(
    ("state", "age", "level", "words"),
    [
        ("connected", 1, "good", "Connected"),
        ("connected", 60, "bad", "does not report"),
        ("paused", 1, "bad", "tries again"),
        ("stopped", 1, "bad", "Stopped"),
        ("starting", 1, "wait", "Starting"),
    ],
)
def test_health_page_says_how_it_is(administrator, connector, state, age, level, words):
    at = timezone.now() - timedelta(seconds=age)
    unmapped = {"plc/x": ("17", at)}
    tally = Tally(messages=1234, accepted=1200, refused=3, gaps=1, last_message_at=at)
    report = Report(state, tally, restarts=2, error="No route to broker", unmapped=unmapped)
    services.report_health(connector.pk, report, at=at)
    page = administrator.get(reverse("admin:connectors_health")).content.decode()
    assert f"health-{level}" in page
    for text in (words, "1\u202f234", "1\u202f200", "No route to broker", "1 signal not mapped"):
        assert text in page
    assert UnmappedSignal.objects.get().last_value == "17"


def test_connector_that_never_ran_is_red(administrator, connector):
    assert "Never ran" in administrator.get(reverse("admin:connectors_health")).content.decode()


def test_numbers_of_reports_add_up(connector):
    for _ in range(2):
        services.report_health(connector.pk, Report("connected", Tally(messages=5)), at=timezone.now())
    assert ConnectorHealth.objects.get().messages == 10
