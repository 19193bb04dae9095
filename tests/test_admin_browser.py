"""The admin in a real browser: it works under its content security policy, by keyboard, and runs nobody's script."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import DeviceKey, User
from enterprise.models import Enterprise, Line, Machine
from tests.browser import axe_violations, browser_page, log_in
from tests.factories import make_line, make_machine

pytestmark = pytest.mark.django_db(transaction=True)
THEIRS = ("landmark-one-main", "landmark-unique", "region", 'list (serious): <ul class="object-tools"')
"""What the admin theme's own templates cause; ours cause nothing."""

SCRIPT = '<img src=x onerror="alert(1)"><script>alert(2)</script>'


@pytest.fixture
def admin_page(transactional_db: None) -> Iterator[Page]:
    """Yield a page of somebody who may everything."""
    with browser_page() as page:
        log_in(page, User.objects.create_superuser("ada"))
        yield page


def test_an_engineer_begins_a_plant_by_keyboard(admin_page):
    page = admin_page
    page.goto("/admin/")
    page.get_by_role("link", name="Enterprise (next)").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Code").fill("ACME")
    page.get_by_label("Name").fill("Acme")
    page.get_by_label("Name").press("Enter")
    page.wait_for_url("**/enterprise/enterprise/")
    assert Enterprise.objects.get().name == "Acme"


def test_the_plant_opens_and_closes_and_its_targets_are_wide_enough_for_a_finger(admin_page):
    page = admin_page
    make_machine(name="Filler")
    page.goto("/admin/")
    page.goto(reverse("admin:plant"))
    expect(page.get_by_role("link", name="Filler")).to_be_visible()
    page.locator(".plant-tree summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Filler")).to_be_hidden()
    for target in page.locator(".branch-add:visible, .branch-name:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 48


def test_a_device_key_is_made_with_a_search_for_its_line(admin_page):
    page = admin_page
    line = make_line(name="Bottling 1")
    make_line(name="Canning")
    page.goto("/admin/")
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


def test_a_file_is_checked_shown_and_imported(admin_page):
    page = admin_page
    line = make_machine(code="FILLER", name="Filler").line
    page.goto("/admin/")
    page.goto(reverse("admin:enterprise_machine_import"))
    rows = f"code,name,line\nFILLER,Big filler,{line.code}\nPACKER,Packer,{line.code}\n"
    page.set_input_files("input[type=file]", {"name": "machines.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("1 new, 1 changed, 0 as they are")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Imported machines: 1 new, 1 changed")).to_be_visible()
    assert Machine.objects.get(code="FILLER").name == "Big filler"


def test_a_script_in_a_name_is_text_everywhere(admin_page):
    page = admin_page
    machine = make_machine(name=SCRIPT)
    Line.objects.update(name=SCRIPT)
    page.goto("/admin/")
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


def test_axe_finds_nothing_in_the_admin(admin_page):
    page = admin_page
    machine = make_machine(name="Filler")
    found = {}
    for address in (
        reverse("admin:index"),
        reverse("admin:plant"),
        reverse("admin:enterprise_machine_changelist"),
        reverse("admin:enterprise_machine_change", args=[machine.pk]),
    ):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        found[address] = [said for said in axe_violations(page) if not said.startswith(THEIRS)]
    assert {where: what for where, what in found.items() if what} == {}
