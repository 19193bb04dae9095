"""Dashboards: composed by engineers, filled for who looks, never taken down by one tile; and where people land."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from core import master_data
from dashboards.models import Dashboard, Tile
from downtime.services import NewState, record_states
from screens import tiles
from simulator.boards import create_dashboards
from tests.factories import (
    make_area,
    make_ideal_rate,
    make_line,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_schedule,
    make_shift,
    make_site,
    make_user,
    make_work_order,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def line():
    machine = make_machine()
    product = make_product()
    make_ideal_rate(product=product, machine=machine)
    at = timezone.now() - timedelta(minutes=30)
    entry = make_schedule(
        line=machine.line, work_order=make_work_order(line=machine.line, product=product), planned_start_at=at
    )
    make_run(line=machine.line, work_order=entry.work_order, started_at=at)
    return machine.line


@pytest.fixture
def reader(client, line):
    client.force_login(make_user(role=Role.SUPERVISOR, site=line.area.site))
    return client


def make_board(*tiles_, **values):
    board = master_data.save(Dashboard(**{"code": "mine", "name": "Mine", "period": "day", **values}))
    for number, of_tile in enumerate(tiles_):
        master_data.save(Tile(dashboard=board, position=number, **of_tile))
    return board


EVERY_KIND = (
    {"kind": "kpi", "kpi": "oee_index"},
    {"kind": "trend", "kpi": "oee_index", "step": "hour", "by_line": True},
    {"kind": "timeline"},
    {"kind": "pareto", "losses": "machine", "measure": "count"},
    {"kind": "table", "content": "lines"},
    {"kind": "table", "content": "orders"},
    {"kind": "table", "content": "late"},
    {"kind": "plan", "plan_by": "line"},
    {"kind": "text", "text": "Wear <b>gloves</b>.\n\nAlways."},
)


def test_every_kind_of_tile_shows_itself(reader, line):
    make_board(*EVERY_KIND)
    for period in ("shift", "day", "week", "month", "custom&from=2026-01-31&to=2026-01-01", "aeon"):
        page = reader.get(f"/dashboards/mine/?period={period}")
        assert page.status_code == 200
        assert not [one.problem for one in page.context["tiles"] if one.is_broken]
    page = reader.get("/dashboards/mine/").content.decode()
    assert "Wear &lt;b&gt;gloves&lt;/b&gt;." in page
    assert f"/lines/{line.code}/" in page


def test_the_demos_dashboards_show_themselves_and_are_made_once(reader):
    assert create_dashboards() == 4
    assert create_dashboards() == 0
    assert b"for your role" in reader.get("/dashboards/").content
    for board in Dashboard.objects.all():
        filled = reader.get(f"/dashboards/{board.code}/").context["tiles"]
        assert len(filled) == board.tiles.count()
        assert not [one for one in filled if one.is_broken]


def test_a_broken_tile_says_so_and_the_others_stay(reader, monkeypatch):
    make_board({"kind": "kpi", "kpi": "oee_index"}, {"kind": "text", "text": "Still here"})

    def breaks(tile, scope):
        raise RuntimeError("the database ate it")

    monkeypatch.setitem(tiles._FILLERS, Tile.Kind.KPI, breaks)
    page = reader.get("/dashboards/mine/").content.decode()
    assert "could not be worked out" in page
    assert "ate it" not in page
    assert "Still here" in page


def csv_rows(answer):
    return list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_numbers_come_as_csv_without_formulas(reader, line):
    line.name = "=cmd()"
    line.save()
    board = make_board(
        {"kind": "table", "content": "lines"}, {"kind": "plan", "plan_by": "order"}, {"kind": "text", "text": "a"}
    )
    table, plan, text = board.tiles.order_by("position")
    tiles = "/dashboards/mine/tiles"
    rows = csv_rows(reader.get(f"{tiles}/{table.pk}/?format=csv"))
    assert rows[0][0] == "Line"
    assert rows[1][0] == "'=cmd()"
    assert rows[1][2] == "0"
    rows = csv_rows(reader.get(f"{tiles}/{plan.pk}/?format=csv"))
    assert rows[0] == ["Name", "planned (pcs)", "made (pcs)"]
    assert rows[1][1:] == ["1000", "0"]
    assert reader.get(f"{tiles}/{plan.pk}/?format=xlsx").getvalue().startswith(b"PK")
    assert reader.get(f"{tiles}/{plan.pk}/").status_code == 400
    assert reader.get(f"{tiles}/{text.pk}/?format=csv").status_code == 400
    assert reader.get(f"{tiles}/0/?format=csv").status_code == 404
    page = reader.get("/dashboards/mine/").content.decode()
    assert all(f"{tiles}/{tile.pk}/?format=xlsx" in page for tile in (table, plan))
    assert f"{tiles}/{plan.pk}/?format=xlsx" in reader.get(f"{tiles}/").json()["tiles"][1]["html"]


def test_losses_are_named_in_the_readers_language(reader, line):
    make_board({"kind": "pareto", "losses": "reason"}, code="jams")
    jam = make_reason("unplanned", name="Label jam", names={"de": "Etikettenstau"})
    (machine,) = line.machines.all()
    start = timezone.now() - timedelta(minutes=30)
    record_states([NewState(machine.pk, start, jam.pk)], recorded_at=timezone.now())
    days = {"period": "custom", "from": start.date().isoformat(), "to": timezone.now().date().isoformat()}
    reader.cookies["django_language"] = "de"
    assert "Etikettenstau" in reader.get("/dashboards/jams/", days).content.decode()


def test_tiles_alone_are_fragments(reader):
    board = make_board({"kind": "text", "text": "Fresh"})
    [tile] = reader.get("/dashboards/mine/tiles/").json()["tiles"]
    assert tile["id"] == board.tiles.get().pk
    assert "Fresh" in tile["html"]
    assert "<html" not in tile["html"]


def test_another_sites_dashboard_and_lines_do_not_exist(reader, line):
    elsewhere = make_site()
    theirs = make_line(area=make_area(site=elsewhere))
    make_board(site=elsewhere, code="theirs")
    make_board({"kind": "table", "content": "lines"})
    for address in (
        "/dashboards/theirs/",
        "/dashboards/theirs/tiles/",
        f"/dashboards/mine/?line={theirs.code}",
        "/dashboards/none/",
    ):
        assert reader.get(address).status_code == 404
    assert "theirs" not in reader.get("/dashboards/").content.decode()
    assert [one.code for one in reader.get("/dashboards/mine/").context["asked"].lines] == [line.code]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SUPERVISOR, Role.ENGINEER, Role.QUALITY, Role.ERP])
def test_everybody_may_read_and_who_is_nobody_may_not(client, line, role):
    make_board({"kind": "kpi", "kpi": "oee_index"})
    client.force_login(make_user(role=role, site=line.area.site))
    assert client.get("/dashboards/mine/").status_code == 200
    client.force_login(make_user())
    assert client.get("/dashboards/mine/").status_code == 403


def test_a_line_without_machines_is_said_tile_by_tile(client):
    line = make_line()
    make_board(*EVERY_KIND)
    client.force_login(make_user(role=Role.SUPERVISOR, site=line.area.site))
    filled = client.get("/dashboards/mine/").context["tiles"]
    assert not [one for one in filled if one.is_broken]
    assert filled[0].problem == "There is no active machine here yet."


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": "kpi"}, "kpi"),
        ({"kind": "trend", "kpi": "nonsense"}, "kpi"),
        ({"kind": "table"}, "content"),
        ({"kind": "text"}, "text"),
        ({"kind": "pareto", "rows": 0}, "rows"),
    ],
)
def test_a_tile_that_lacks_what_it_shows_is_refused(values, field):
    board = make_board()
    with pytest.raises(ValidationError) as refusal:
        master_data.save(Tile(dashboard=board, **values))
    assert field in refusal.value.message_dict


def test_places_that_contradict_each_other_are_refused(line):
    with pytest.raises(ValidationError, match="another site"):
        make_board(site=make_site(), line=line)
    with pytest.raises(ValidationError, match="whose landing"):
        make_board(is_landing=True)
    make_board(is_landing=True, role="quality")
    with pytest.raises(ValidationError, match="lands on another"):
        make_board(code="second", is_landing=True, role="quality")


def test_queries_are_bounded_by_tiles_not_by_data(reader, line):
    def queries(address="/dashboards/mine/"):
        reader.get(address)  # computes the hours that are over, once
        with CaptureQueriesContext(connection) as captured:
            assert reader.get(address).status_code == 200
        return len(captured)

    def more(first, last):
        for number in range(first, last):
            make_schedule(line=line, planned_start_at=timezone.now() + timedelta(hours=2 * number))
            another = make_line(area=line.area)
            make_machine(line=another, is_constraint=True)
            make_machine(line=another, position=2)

    more(1, 3)
    make_board(code="empty")
    frame = queries("/dashboards/empty/")
    costs = {}
    for number, of_tile in enumerate(EVERY_KIND):
        make_board(of_tile, code=f"only-{number}")
        costs[number] = queries(f"/dashboards/only-{number}/") - frame
    make_board(*EVERY_KIND)
    few = queries()
    more(3, 11)
    assert queries() == few
    assert frame <= 20
    assert max(costs.values()) <= 45, costs
    assert few <= frame + sum(costs.values())


# --- landing ---


def lands(client, role, site):
    client.force_login(make_user(role=role, site=site))
    return client.get("/home/")["Location"]


def test_people_land_where_their_role_works(client, line):
    make_shift(site=line.area.site)
    site = line.area.site
    assert lands(client, Role.QUALITY, site) == "/quality/"
    assert lands(client, Role.ERP, site) == "/planner/"
    assert lands(client, Role.ENGINEER, site) == "/"
    assert lands(client, Role.OPERATOR, site) == "/operate/"
    assert lands(client, Role.SUPERVISOR, site) == "/supervise/"
    assert lands(client, None, site) == "/"
    client.logout()
    assert client.get("/home/")["Location"] == "/login/?next=/home/"


def test_a_landing_dashboard_of_the_role_goes_before_the_page_and_a_sites_own_before_everybodys(client, line):
    make_board(code="all", role="quality", is_landing=True)
    make_board(code="elsewhere", role="quality", is_landing=True, site=make_site())
    assert lands(client, Role.QUALITY, line.area.site) == "/dashboards/all/"
    make_board(code="own", role="quality", is_landing=True, site=line.area.site)
    assert lands(client, Role.QUALITY, line.area.site) == "/dashboards/own/"
    assert lands(client, Role.ERP, line.area.site) == "/planner/"


def test_logging_in_leads_home(client):
    person = make_user(role=Role.QUALITY)
    person.set_password("correct horse battery staple")
    person.save()
    answer = client.post("/login/", {"username": person.username, "password": "correct horse battery staple"})
    assert (answer.status_code, answer["Location"]) == (302, "/home/")


# --- trends ---


def test_a_kpi_over_time_with_its_target_and_as_csv(reader, line):
    page = reader.get("/trends/?kpi=availability&step=hour&target=85&from=2026-03-01&to=2026-03-02")
    assert page.status_code == 200
    chart = reader.get("/trends/?kpi=availability&step=hour&target=85").context["chart"]
    assert (chart.series[-1].name, set(chart.series[-1].values)) == ("Target", {85})
    answer = reader.get("/trends/?kpi=availability&step=day&format=csv")
    assert answer["Content-Type"].startswith("text/csv")
    rows = csv_rows(answer)
    assert rows[0] == ["Time", "Name", f"{line.name} (%)"]
    assert len(rows) == 15
    # The days begin on the site's clock.
    assert all("T00:00:00" in row[0] for row in rows[1:])
    assert reader.get("/trends/?kpi=availability&step=day&format=xlsx").getvalue().startswith(b"PK")


@pytest.mark.parametrize(
    "query",
    [
        "kpi=nonsense",
        "step=aeon",
        "from=x&to=y",
        "target=1e999999",
        "target=0/0",
        "step=hour&from=2000-01-01",
        "split=machine",
        "kpi=%00",
    ],
)
def test_strange_questions_are_answered(reader, query):
    assert reader.get(f"/trends/?{query}").status_code == 200


def test_places_and_products_that_do_not_exist_are_not_found(reader):
    for query in ("line=nowhere", "machine=nowhere", "product=nothing", "product=%00"):
        assert reader.get(f"/trends/?{query}").status_code == 404
    other = make_machine()
    assert reader.get(f"/trends/?machine={other.code}").status_code == 404
