"""A real job shop's two months, imported as orders through the services,
must say what pandas makes of the file on its own.

`MES_REAL_DATA` names the folder; the files are nobody's to copy, so without the folder there is nothing to test.
Writing the whole log through the services takes minutes: here every twelfth of its orders is imported, with
`MES_WHOLE_LOG=1` (`make prove-work-log`) all of them.
"""

import os
from collections import defaultdict
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import Sum
from django.urls import reverse

from core.intervals import Interval
from execution.models import OperationRun, ProductionReport
from labor.models import Attendance, Employee, LaborEntry
from labor.selectors import shares_of
from products.models import Product
from screens.order_story import story
from tests.factories import make_line, make_user
from workorders.models import Operation, WorkOrder

FOLDER = Path(os.environ.get("MES_REAL_DATA") or settings.BASE_DIR.parent / "shared" / "data")
SHOP = FOLDER / "job_shop_work_orders" / "Production_Data_2012-01_02.csv"
WHOLE = bool(os.environ.get("MES_WHOLE_LOG"))

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the folder of real logs is absent: {FOLDER} (MES_REAL_DATA)"),
]


def log_of(cases: set[str], path: Path) -> Path:
    """Write a log with the rows of some cases, as they stand; return it."""
    lines = SHOP.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], *(one for one in lines[1:] if one.split(",")[0] in cases)]) + "\n")
    return path


def imported(line, path):
    said = StringIO()
    call_command(
        "import_work_log", path, mapping="job-shop-work-log", line=line.code, create=True, reconcile=True, stdout=said
    )
    return said.getvalue()


def shop_rows(path: Path = SHOP) -> pd.DataFrame:
    """Return the rows, without those that repeat another, with plain names and clean texts."""
    rows = pd.read_csv(path).drop_duplicates()
    rows.columns = [" ".join(name.split()) for name in rows.columns]
    rows = rows.rename(
        columns={
            "Case ID": "case", "Activity": "step", "Resource": "machine", "Start Timestamp": "start",
            "Complete Timestamp": "end", "Part Desc.": "part", "Worker ID": "worker", "Report Type": "kind",
            "Qty Completed": "completed", "Qty Rejected": "rejected", "Qty for MRB": "mrb", "Rework": "rework",
            "Work Order Qty": "target",
        }
    )  # fmt: skip
    for name in ("start", "end"):
        rows[name] = pd.to_datetime(rows[name], utc=True)
    for name in ("step", "machine", "part"):
        rows[name] = rows[name].str.split().str.join(" ")
    rows["reworked"] = rows["completed"].where(rows["rework"] == "Y", 0)
    return rows


def covered(rows: pd.DataFrame) -> set[int]:
    """Return the whole minutes that rows cover, each once."""
    return {
        minute
        for row in rows.itertuples()
        for minute in range(int(row.start.timestamp()) // 60, int(row.end.timestamp()) // 60)
    }


def minutes_by(name: str, rows: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return minutes of production, set-up and breakdown: each minute of the same work once,
    production before set-up.
    """
    found: dict[str, dict[str, int]] = defaultdict(lambda: {"production": 0, "setup": 0, "breakdown": 0})
    for names, group in rows.groupby(["case", "step", "machine", "worker", "part"]):
        key = dict(zip(("machine", "worker", "part"), names[2:], strict=True))[name]
        production = covered(group[group["kind"] == "D"])
        found[key]["production"] += len(production)
        found[key]["setup"] += len(covered(group[group["kind"] == "S"]) - production)
        found[key]["breakdown"] += len(covered(group[group["kind"] == "B"]))
    return dict(found)


def in_minutes(spans) -> int:
    return int(sum((end - start).total_seconds() for start, end in spans)) // 60


PATHS = {"part": "operation__work_order__product__name", "machine": "machine__name", "worker": "employee__name"}


def test_job_shop_orders_say_what_pandas_makes_of_the_log_by_part_machine_and_worker(tmp_path):
    line = make_line(code="SHOP")
    cases = sorted(shop_rows()["case"].unique())
    path = log_of(set(cases if WHOLE else cases[::12]), tmp_path / "log.csv")
    said = imported(line, path)
    rows, repeated = shop_rows(path), int(pd.read_csv(path).duplicated().sum())
    assert repeated
    assert f"{repeated} rows repeat another" in said
    # A row with neither a length nor a quantity says nothing; others without a length keep their quantities.
    quantities = rows[["completed", "rejected", "mrb"]].sum(axis="columns")
    telling = int(((rows["start"] < rows["end"]) | (quantities > 0)).sum())
    assert f"new {telling}, known 0, refused 0; orders: new {rows['case'].nunique()}" in said
    if WHOLE:
        assert (len(rows), repeated, telling) == (2969, 13, 2968)
        assert (rows["case"].nunique(), rows["part"].nunique(), rows["worker"].nunique()) == (158, 39, 48)
    assert said.rstrip().endswith("differences: 0")
    assert WorkOrder.objects.count() == rows["case"].nunique()
    assert Product.objects.count() == rows["part"].nunique()
    assert Employee.objects.count() == rows["worker"].nunique()
    assert Operation.objects.count() == len(rows[["case", "step"]].drop_duplicates())
    targets = dict(WorkOrder.objects.values_list("order_number", "target_quantity"))
    assert targets == {case: int(target) for case, target in rows.groupby("case")["target"].first().items()}
    assert LaborEntry.objects.count() == (rows["start"] < rows["end"]).sum()

    for name, path in PATHS.items():
        truth = rows.groupby(name)[["completed", "rejected", "mrb", "reworked"]].sum()
        sums = ProductionReport.objects.order_by().values(path)
        made = {row[path]: row for row in sums.annotate(g=Sum("good"), r=Sum("rework"))}
        scrap = {
            (row[path], row["scrap_reason__code"]): row["s"]
            for row in sums.values(path, "scrap_reason__code").annotate(s=Sum("scrap"))
        }
        spans = defaultdict(list)
        for key, kind, start, end in OperationRun.objects.values_list(path, "kind", "started_at", "ended_at"):
            spans[key, kind].append((start, end))
        down = defaultdict(list)
        of_labour = path.removeprefix("operation__")
        for key, start, end in LaborEntry.objects.filter(kind="maintenance").values_list(
            of_labour, "started_at", "ended_at"
        ):
            down[key].append((start, end))
        for key, minutes in minutes_by(name, rows).items():
            found = made.get(key, {"g": 0, "r": 0})
            assert found["g"] + found["r"] == int(truth["completed"][key]), key
            assert found["r"] == int(truth["reworked"][key]), key
            assert scrap.get((key, "REJECTED"), 0) == int(truth["rejected"][key]), key
            assert scrap.get((key, "MRB"), 0) == int(truth["mrb"][key]), key
            assert in_minutes(spans[key, "production"]) == minutes["production"], key
            assert in_minutes(spans[key, "setup"]) == minutes["setup"], key
            assert in_minutes(down[key]) == minutes["breakdown"], key

    # A worker's time at several things at once is shared, and adds up to the time in which there was any.
    whole = Interval(rows["start"].min().to_pydatetime(), rows["end"].max().to_pydatetime())
    for worker, of_worker in rows.groupby("worker"):
        shares = shares_of(LaborEntry.objects.filter(employee__name=worker), whole)
        assert sum(shares.values()) == len(covered(of_worker)) * 60


@pytest.fixture
def three_cases(tmp_path):
    """Return a file with the rows of three cases, neither short nor long: with a breakdown,
    with MRB and with rework.
    """
    rows = shop_rows()
    wanted: set[str] = set()
    for marked in (rows["kind"] == "B", rows["mrb"] > 0, rows["rework"] == "Y"):
        of_kind = rows[marked & ~rows["case"].isin(wanted)]["case"]
        by_length = rows[rows["case"].isin(of_kind)]["case"].value_counts()
        wanted.add(by_length.index[len(by_length) // 2])
    return log_of(wanted, tmp_path / "three.csv"), rows[rows["case"].isin(wanted)]


def test_order_page_tells_each_row_of_a_case_in_order_and_importing_again_changes_nothing(client, three_cases):
    path, rows = three_cases
    line = make_line(code="SHOP")

    def imports():
        said = StringIO()
        call_command("import_work_log", path, mapping="job-shop-work-log", line="SHOP", create=True, stdout=said)
        kinds = (OperationRun, ProductionReport, LaborEntry, Attendance, Operation)
        return said.getvalue(), [kind.objects.count() for kind in kinds]

    first, stored = imports()
    again, after = imports()
    assert f"new {len(rows)}, known 0" in first
    assert f"new 0, known {len(rows)}, refused 0; orders: new 0; attendances: new 0" in again
    assert stored == after
    client.force_login(make_user("operator", site=line.area.site))
    assert rows["case"].nunique() == 3
    for case, of_case in rows.groupby("case"):
        order = WorkOrder.objects.get(order_number=case)
        events = story(order)
        assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)
        told = [(event.sort, event.at, event.text, str(event.who)) for event in events]
        for row in of_case.itertuples():
            start, end, where = row.start.to_pydatetime(), row.end.to_pydatetime(), f"{row.step} at {row.machine}"
            if row.kind == "B":
                assert any(
                    s == "Step" and t.startswith("Pause") and (at, who) == (start, row.worker) for s, at, t, who in told
                )
                assert any(
                    s == "Step" and t.startswith("Resume") and (at, who) == (end, row.worker) for s, at, t, who in told
                )
            elif start < end:
                runs = OperationRun.objects.filter(
                    operation__work_order=order, operation__name=row.step, machine__name=row.machine,
                    employee__name=row.worker, started_at__lt=end, ended_at__gt=start,
                )  # fmt: skip
                inside = [(max(one.started_at, start), min(one.ended_at, end)) for one in runs]
                assert in_minutes(inside) == in_minutes([(start, end)])
                for run in runs:
                    assert any(
                        s == "Work" and at == run.started_at and where in t and who == row.worker
                        for s, at, t, who in told
                    )
            for quantity, word in ((row.completed, "rework" if row.rework == "Y" else "good"), (row.rejected, "scrap (Rejected)"),
                                   (row.mrb, "scrap (Material review board)")):  # fmt: skip
                if quantity:
                    assert any(
                        s == "Reported"
                        and at == end
                        and f"{quantity} {word}" in t
                        and row.step in t
                        and who == row.worker
                        for s, at, t, who in told
                    ), (case, row)
        page = client.get(reverse("screens:order", args=[case]))
        assert page.status_code == 200
        assert of_case["step"].iloc[0].replace("&", "&amp;") in page.content.decode()
