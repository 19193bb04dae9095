"""The admin in a real browser: it works under its content security policy, by keyboard, and runs nobody's script."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.urls import reverse
from playwright.sync_api import Dialog, Page, expect, sync_playwright

from accounts.models import DeviceKey, User
from enterprise.models import Enterprise, Line, Machine
from tests.factories import make_line, make_machine
from tests.servers import running_server

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery staple"
SCRIPT = '<img src=x onerror="alert(1)"><script>alert(2)</script>'


@pytest.fixture
def browser_page(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[Page]:
    """Yield a page of a tablet's size; afterwards nothing may have been refused, failed or alerted."""
    # The browser's own loop runs in this thread, while the test reads the database.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    complaints: list[str] = []

    def dismissed(dialog: Dialog) -> None:
        complaints.append(f"alert {dialog.message}")
        dialog.dismiss()

    with running_server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, base_url=address)
        page.set_default_timeout(15_000)
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", dismissed)
        page.on("response", lambda r: complaints.append(f"{r.status} {r.url}") if r.status >= 500 else None)
        yield page
        browser.close()
        # What the test opened beside the browser's loop is known only here; left open, it would hold the database.
        connections.close_all()
    assert complaints == []


def log_in(page: Page) -> None:
    User.objects.create_superuser("ada", password=PASSWORD)
    page.goto("/admin/")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")


def test_an_engineer_begins_a_plant_by_keyboard(browser_page):
    page = browser_page
    log_in(page)
    page.get_by_role("link", name="Enterprise (next)").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Code").fill("ACME")
    page.get_by_label("Name").fill("Acme")
    page.get_by_label("Name").press("Enter")
    page.wait_for_url("**/enterprise/enterprise/")
    assert Enterprise.objects.get().name == "Acme"


def test_the_plant_opens_and_closes_and_its_targets_are_wide_enough_for_a_finger(browser_page):
    page = browser_page
    make_machine(name="Filler")
    log_in(page)
    page.goto(reverse("admin:plant"))
    expect(page.get_by_role("link", name="Filler")).to_be_visible()
    page.locator(".plant-tree summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Filler")).to_be_hidden()
    for target in page.locator(".branch-add:visible, .branch-name:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 48


def test_a_device_key_is_made_with_a_search_for_its_line(browser_page):
    page = browser_page
    line = make_line(name="Bottling 1")
    make_line(name="Canning")
    log_in(page)
    page.goto(reverse("admin:accounts_devicekey_add"))
    page.locator("#id_name").fill("Filler PLC")
    page.locator("[aria-labelledby=select2-id_line-container]").click()
    page.locator(".select2-search__field").fill("Bottling")
    page.locator(".select2-results__option", has_text="Bottling 1").click()
    page.get_by_role("button", name="Save", exact=True).click()
    key = page.locator("#new-key").input_value()
    assert DeviceKey.objects.is_valid(key)
    assert DeviceKey.objects.get().line == line
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()


def test_a_file_is_checked_shown_and_imported(browser_page):
    page = browser_page
    line = make_machine(code="FILLER", name="Filler").line
    log_in(page)
    page.goto(reverse("admin:enterprise_machine_import"))
    rows = f"code,name,line\nFILLER,Big filler,{line.code}\nPACKER,Packer,{line.code}\n"
    page.set_input_files("input[type=file]", {"name": "machines.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("1 new, 1 changed, 0 as they are")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Imported machines: 1 new, 1 changed")).to_be_visible()
    assert Machine.objects.get(code="FILLER").name == "Big filler"


def test_a_script_in_a_name_is_text_everywhere(browser_page):
    page = browser_page
    machine = make_machine(name=SCRIPT)
    Line.objects.update(name=SCRIPT)
    log_in(page)
    machine.name = f"{SCRIPT}!"
    machine.save()
    for url in (
        reverse("admin:index"),
        reverse("admin:plant"),
        reverse("admin:enterprise_machine_changelist"),
        reverse("admin:enterprise_machine_change", args=[machine.pk]),
        reverse("admin:enterprise_machine_history", args=[machine.pk]),
        reverse("admin:enterprise_line_change", args=[machine.line_id]),
        reverse("admin:enterprise_machine_delete", args=[machine.pk]),
    ):
        page.goto(url)
        page.wait_for_load_state("networkidle")
        assert "onerror" in page.content()
    page.goto(reverse("admin:enterprise_machine_import"))
    row = f'code,name\n{machine.code},"{SCRIPT.replace(chr(34), chr(34) * 2)}"\n'
    page.set_input_files("input[type=file]", {"name": "m.csv", "mimeType": "text/csv", "buffer": row.encode()})
    page.get_by_role("button", name="Check the file").click()
    page.wait_for_load_state("networkidle")
