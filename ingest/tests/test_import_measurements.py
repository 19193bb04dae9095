"""Measurements of a file come through the devices' door: once, with what is wrong named by its row."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from quality.models import Result
from tests.factories import make_gauge_tag

pytestmark = pytest.mark.django_db


@pytest.fixture
def tag():
    return make_gauge_tag(tag_path="M/diameter")


def load(path, text, **options):
    path.write_text(text)
    said, complaints = StringIO(), StringIO()
    call_command(
        "import_measurements", str(path), stdout=said, stderr=complaints, **{"measurement": "M/diameter"} | options
    )
    return said.getvalue(), complaints.getvalue()


@pytest.mark.parametrize("text", ["diameter sample\n9.5   1\n10.25 1\n", "sample;diameter\n1;9.5\n1;10.25\n"])
def test_rows_follow_each_other_and_the_same_file_changes_nothing(tag, tmp_path, text):
    options = {"value": "diameter", "begins": "2026-03-02T08:00:00+01:00", "every": 30}
    said, _ = load(tmp_path / "t", text, **options)
    assert said.startswith("2 accepted, 0 known already, 0 refused")
    rows = Result.objects.order_by("occurred_at").values_list("value", "occurred_at")
    assert [(str(value), f"{at:%H:%M:%S}") for value, at in rows] == [
        ("9.500000000", "07:00:00"),
        ("10.250000000", "07:00:30"),
    ]
    assert load(tmp_path / "t", text, **options)[0].startswith("0 accepted, 2 known already")


def test_moments_and_serials_are_read_and_a_bad_row_is_named(tag, tmp_path):
    text = "at,mm,unit\n2026-03-02T08:00:00Z,9.5,U-1\n2026-03-02T08:00:05Z,9.55555,U-2\n"
    said, complaints = load(tmp_path / "t", text, value="mm", at="at", serial="unit")
    assert said.startswith("1 accepted, 0 known already, 1 refused")
    assert "row 2" in complaints
    assert "3 decimals" in complaints
    assert Result.objects.get().serial == "U-1"


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("mm\nx\n", {"value": "mm", "begins": "2026-03-02T08:00:00Z"}, "Row 1: 'x' in mm"),
        ("mm\n1\n", {"value": "cm", "begins": "2026-03-02T08:00:00Z"}, "no column 'cm'"),
        ("a,b\n1\n", {"value": "a", "begins": "2026-03-02T08:00:00Z"}, "Row 1 has 1 cells"),
        ("mm\n1\n", {"value": "mm"}, "Give --at"),
        ("mm\n1\n", {"value": "mm", "begins": "2026-03-02T08:00:00Z", "measurement": "M/none"}, "no measurement"),
    ],
)
def test_what_cannot_be_read_is_said(tag, tmp_path, text, options, words):
    with pytest.raises(CommandError, match=words):
        load(tmp_path / "t", text, **options)
    assert not Result.objects.exists()
