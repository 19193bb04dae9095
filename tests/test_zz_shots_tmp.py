import os, sys
import pytest
from playwright.sync_api import sync_playwright
from django.urls import reverse
from accounts.models import User
from tests.test_admin_plant_setup import set_up_plant
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

@pytest.mark.django_db(transaction=True)
def test_shots(live_server, client, settings):
    settings.ALLOWED_HOSTS = ["*"]
    p = User.objects.create_superuser("ada", first_name="Ada", last_name="Engineer", email="ada@example.com", password="correct horse")
    client.force_login(p)
    set_up_plant(client)
    from enterprise.models import Machine, Site, Line
    from downtime.models import StateReason
    m = Machine.objects.get(code="PACKER")
    client.post(reverse("admin:enterprise_machine_change", args=[m.pk]), {"code": "PACKER", "name": "Case packer", "is_active": "on", "line": m.line_id, "position": 3,
        **{f"{x}-{y}": "0" for x in ("ideal_rates","count_tags") for y in ("TOTAL_FORMS","INITIAL_FORMS")}})
    cookie = client.cookies["sessionid"].value
    only = os.environ.get("ONLY", "").split(",") if os.environ.get("ONLY") else None
    with sync_playwright() as pw:
        b = pw.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        ctx = b.new_context(viewport={"width": 1280, "height": 800})
        ctx.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page = ctx.new_page()
        errs = []
        page.on("console", lambda msg: errs.append((page.url, msg.type, msg.text)) if msg.type in ("error","warning") else None)
        page.on("pageerror", lambda e: errs.append((page.url, "pageerror", str(e))))
        page.on("requestfailed", lambda r: errs.append((page.url, "failed", r.url)))
        page.on("response", lambda r: errs.append((page.url, r.status, r.url)) if r.status >= 400 else None)
        def shot(name, url, act=None, full=False):
            if only and name not in only: return
            page.goto(live_server.url + url); page.wait_for_load_state("networkidle")
            if act: act()
            page.wait_for_timeout(300)
            page.screenshot(path=f"/tmp/shots/{name}.png", full_page=full)
        shot("index", reverse("admin:index"))
        shot("plant", reverse("admin:plant"))
        shot("machines", reverse("admin:enterprise_machine_changelist"))
        shot("machine", reverse("admin:enterprise_machine_change", args=[Machine.objects.get(code="FILLER").pk]), full=True)
        shot("shift", reverse("admin:enterprise_shift_add") + f"?site={Site.objects.get().pk}", full=True)
        shot("line", reverse("admin:enterprise_line_change", args=[Line.objects.get().pk]), full=True)
        shot("reasons", reverse("admin:downtime_statereason_changelist"))
        shot("reason", reverse("admin:downtime_statereason_change", args=[StateReason.objects.get(code="JAM").pk]))
        shot("history", reverse("admin:enterprise_machine_history", args=[m.pk]))
        shot("import", reverse("admin:enterprise_machine_import"), full=True)
        def up(content, name="machines.csv"):
            page.set_input_files("input[type=file]", {"name": name, "mimeType": "text/csv", "buffer": content.encode()})
            page.get_by_role("button", name="Check the file").click(); page.wait_for_load_state("networkidle")
        shot("preview", reverse("admin:enterprise_machine_import"), lambda: up("code,name,line,position,is_constraint\nFILLER,Filler 2000,L1,1,yes\nLABELLER,Labeller,L1,2,no\nPACKER,Case packer,L1,3,no\n"))
        shot("invalid", reverse("admin:enterprise_machine_import"), lambda: up("code,name,line,position,is_constraint\nFILLER,Filler,L1,1,maybe\nbad code,Labeller,L9,two,no\nX,Packer,L1,3,yes\n"))
        shot("baseerror", reverse("admin:enterprise_machine_import"), lambda: up("code,nam,line\nFILLER,Filler,L1\n"))
        shot("export", reverse("admin:enterprise_machine_export"))
        shot("user", reverse("admin:accounts_user_change", args=[User.objects.get(username="olek").pk]), full=True)
        shot("useradd", reverse("admin:accounts_user_add"), full=True)
        shot("readings", reverse("admin:counts_countreading_changelist"))
        shot("filters", reverse("admin:enterprise_machine_changelist"), lambda: page.get_by_text("Filters", exact=True).first.click())
        def mk():
            page.fill("#id_name", "Filler PLC"); 
            page.evaluate("() => { const s = document.querySelector('#id_line'); s.innerHTML = '<option value=%d selected>x</option>'; }" % Line.objects.get().pk)
            page.get_by_role("button", name="Save", exact=True).click(); page.wait_for_load_state("networkidle")
        shot("key", reverse("admin:accounts_devicekey_add"), mk)
        shot("order", reverse("admin:workorders_workorder_changelist"))
        shot("rates", reverse("admin:products_idealrate_changelist"))
        b.close()
    print("\n".join(map(str, sorted(set(map(str, errs))))))
