"""Every page in a real browser: axe finds nothing in any theme, no number of a script has a decimal comma,
phones fit.
"""

import pytest
from django.conf import settings
from playwright.sync_api import Page

from tests.browser import PHONE, axe_violations_in_every_theme, browser_page, log_in
from tests.everything import Plant, pages_without_objects
from tests.kept_tables import noted_tables, tables_read_for_keeping

pytestmark = pytest.mark.django_db(transaction=True)

SVG_WITH_COMMA = """
() => [...document.querySelectorAll('svg *, input[type=number], progress, meter')].flatMap((one) =>
  ['x', 'y', 'x1', 'x2', 'y1', 'y2', 'cx', 'cy', 'r', 'width', 'height', 'value', 'max', 'min'].flatMap((name) =>
    (one.getAttribute(name) || '').includes(',') ? [one.outerHTML.slice(0, 120)] : []))
"""

TOO_WIDE = """
() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
  [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > window.innerWidth
    && !one.closest('.scrolls')).map((one) => `${one.tagName}.${one.getAttribute('class')}`).slice(0, 12)
"""

SIDEWAYS = """
() => [...document.querySelectorAll('.scrolls > table:not(.waterfall), .definitions > table')].filter((one) =>
  one.tHead?.rows.length === 1 && one.scrollWidth > one.parentElement.clientWidth + 1)
  .map((one) => one.tHead.textContent.trim().slice(0, 60))
"""

TOO_SMALL = """
() => [...document.querySelectorAll('main :is(button, select, textarea, .button, input:not([type=hidden]))')].filter(
  (one) => !['checkbox', 'radio'].includes(one.type) && one.offsetHeight > 1 && one.offsetHeight < 48)
  .map((one) => one.outerHTML.slice(0, 120))
"""


def set_cookie(page: Page, name: str, value: str) -> None:
    page.context.add_cookies([{"name": name, "value": value, "domain": "127.0.0.1", "path": "/"}])


@pytest.fixture
def plant():
    return Plant()


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_every_page_is_there_in_every_language(plant, client, language):
    client.force_login(plant.person)
    client.cookies["django_language"] = language
    wrong = {}
    with tables_read_for_keeping() as kept_from:
        for address in [*pages_without_objects(), *plant.addresses]:
            answer = client.get(address)
            said = answer.content.decode()
            expected = 400 if "kpi=nothing" in address else 200
            if answer.status_code != expected or f'<html lang="{language}"' not in said:
                wrong[address] = answer.status_code
    assert wrong == {}
    assert {"enterprise_machine", "downtime_statereason"} <= kept_from <= noted_tables()


def test_axe_finds_nothing_on_any_page_in_any_theme(plant):
    found: dict[str, list[str]] = {}
    with browser_page() as page:
        # People who have not logged in see this one.
        page.goto("/login/")
        found["login"] = axe_violations_in_every_theme(page)
        log_in(page, plant.person)
        for address in [*pages_without_objects(), *plant.addresses]:
            page.goto(address)
            found[address] = axe_violations_in_every_theme(page)
    assert {where: what for where, what in found.items() if what} == {}


def test_german_pages_keep_points_where_no_person_reads_and_fit_a_phone(plant):
    commas: dict[str, list[str]] = {}
    too_wide: dict[str, list[str]] = {}
    sideways: dict[str, list[str]] = {}
    too_small: dict[str, list[str]] = {}
    with browser_page(PHONE) as page:
        log_in(page, plant.person)
        set_cookie(page, "django_language", "de")
        for address in [*pages_without_objects(), *plant.addresses]:
            page.goto(address)
            assert page.locator("html").get_attribute("lang") == "de"
            commas[address] = page.evaluate(SVG_WITH_COMMA)
            too_wide[address] = page.evaluate(TOO_WIDE)
            sideways[address] = page.evaluate(SIDEWAYS)
            too_small[address] = page.evaluate(TOO_SMALL)
    assert {where: what for where, what in commas.items() if what} == {}
    assert {where: what for where, what in too_wide.items() if what} == {}
    assert {where: what for where, what in sideways.items() if what} == {}
    assert {where: what for where, what in too_small.items() if what} == {}
