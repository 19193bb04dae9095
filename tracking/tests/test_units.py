"""A unit goes through its stages in their order; what is NOT OK stops it; nothing that was recorded is lost."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import ProgrammingError, transaction

from core.errors import Conflict, Invalid, NotFound
from products.services import release_revision
from tests.factories import (
    make_bill_line,
    make_employee,
    make_machine,
    make_product,
    make_revision,
    make_routing,
    make_serial_unit,
    make_site,
    make_stage_form,
    make_user,
    make_work_order,
)
from tracking import assembling, creating, records, selectors, services
from tracking.models import SerialUnit, StageEntry, StagePassage
from tracking.progress import _listeners, books_progress
from tracking.services import By, Entry
from tracking.stage_forms import release_form, revise_form
from tracking.state import StageState, UnitStatus
from workorders.selectors import made
from workorders.services import release_order

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def quality():
    return make_user("quality")


@pytest.fixture
def technician():
    return make_user("operator")


def by(actor, reason="", minutes=0, key=None):
    return By(actor, AT + timedelta(minutes=minutes), key or str(uuid4()), reason)


def fill(unit, stage, actor, minutes=0, station=None, reason="", **values):
    entries = [
        Entry(name.partition("__")[0], value, str(uuid4()), name.partition("__")[2], reason=reason)
        for name, value in values.items()
    ]
    at = AT + timedelta(minutes=minutes)
    return services.enter(unit=unit, stage=stage, entries=entries, actor=actor, recorded_at=at, station=station)


def states(unit):
    return [stage.state for stage in unit.stages.order_by("sequence")]


def finished(actor, **overrides):
    unit = make_serial_unit(**overrides)
    fill(unit, "A", actor, check="OK")
    fill(unit, "B", actor, check="OK", minutes=1)
    unit.refresh_from_db()
    return unit


def test_stage_that_is_filled_in_is_done_and_the_next_one_is_due(technician):
    unit = make_serial_unit()
    assert states(unit) == ["open", "open"]
    known = fill(unit, "A", technician, check="OK")
    assert known.due.code == "B"
    unit.refresh_from_db()
    assert (unit.status, states(unit)) == ("in_process", ["ok", "open"])
    fill(unit, "B", technician, check="n/a")
    unit.refresh_from_db()
    assert (unit.status, unit.finished_at) == ("finished", AT)


def test_wrong_stage_is_refused_saying_which_is_due_and_where(technician):
    machine = make_machine(name="Sorter 1")
    revision = make_revision()
    routing = make_routing(revision=revision)
    for number, (code, where) in enumerate((("SORT", machine), ("WELD", None)), start=1):
        routing.operations.create(code=code, name=code.title(), sequence=10 * number, machine=where)
    release_revision(revision=revision, valid_from=AT - timedelta(days=1))
    site = machine.line.area.site
    unit = make_serial_unit("P/1", product=revision.product, site=site, at=AT)
    with pytest.raises(Conflict) as refused:
        services.complete_stage(unit=unit, stage="WELD", by=by(technician))
    assert refused.value.message == "Weld is not due yet. P/1: Sort at Sorter 1 comes next."
    assert refused.value.facts["due"] == "SORT"
    elsewhere = make_machine(line=machine.line, name="Oven")
    with pytest.raises(Conflict, match=r"Not here \(Oven\). P/1: Sort comes next, at Sorter 1."):
        services.complete_stage(unit=unit, stage="SORT", by=by(technician), station=elsewhere)
    with pytest.raises(Conflict, match="Not here"):
        selectors.next_step(unit, elsewhere)
    assert selectors.next_step(unit, machine).stage.code == "SORT"
    services.complete_stage(unit=unit, stage="SORT", by=by(technician), station=machine)
    assert states(unit) == ["ok", "open"]


def test_not_ok_blocks_later_stages_until_rework(technician, quality):
    unit = make_serial_unit()
    fill(unit, "A", technician, check="NOT OK")
    unit.refresh_from_db()
    assert (unit.is_blocked, selectors.overall(unit)) == (True, "qc_issues")
    with pytest.raises(Conflict, match="A is NOT OK: it goes to rework, or quality lets it pass"):
        fill(unit, "B", technician, check="OK")
    services.send_to_rework(unit=unit, to_stage="A", by=by(quality, "Weld again", 5))
    assert states(unit) == ["open", "open"]
    fill(unit, "A", technician, minutes=6, check="OK")
    fill(unit, "B", technician, minutes=7, check="OK")
    unit.refresh_from_db()
    assert (unit.status, unit.rework_count, unit.is_blocked) == ("finished", 1, False)
    passes = StagePassage.objects.filter(stage__unit=unit).order_by("stage__sequence", "round")
    assert [(row.stage.code, row.round, row.result) for row in passes] == [
        ("A", 1, "not_ok"),
        ("A", 2, "ok"),
        ("B", 1, "ok"),
    ]
    assert StageEntry.objects.filter(unit=unit).count() == 3


def test_number_outside_its_limits_makes_the_stage_not_ok_and_quality_lets_it_pass(technician, quality):
    product = make_product()
    limits = {"minimum": Decimal("3.5"), "maximum": Decimal("3.7")}
    make_stage_form(product, "A", {"code": "volt", "kind": "number", **limits}, {"code": "gap", "kind": "number"})
    unit = make_serial_unit(product=product, site=make_site())
    assert fill(unit, "A", technician, volt="3.50").state.stages[unit.stages.get().pk].state == "processing"
    assert fill(unit, "A", technician, minutes=1, volt="3.71").state.is_blocked
    with pytest.raises(Invalid, match="Say why"):
        services.use_as_is(unit=unit, stage="A", by=by(quality))
    known = services.use_as_is(unit=unit, stage="A", by=by(quality, "Customer agreed", 2))
    assert known.state.stages[known.due.pk].state == StageState.PROCESSING
    assert fill(unit, "A", technician, minutes=3, gap="0").state.status == UnitStatus.FINISHED
    assert states(unit) == ["as_is"]


def test_what_quality_let_pass_does_not_let_the_next_bad_value_pass(technician, quality):
    product = make_product()
    make_stage_form(product, "A", {"code": "one"}, {"code": "two"})
    unit = make_serial_unit(product=product, site=make_site())
    fill(unit, "A", technician, one="NOT OK")
    services.use_as_is(unit=unit, stage="A", by=by(quality, "Only a scratch", 1))
    assert fill(unit, "A", technician, minutes=2, two="NOT OK").state.is_blocked


def test_changing_a_not_ok_needs_the_right_and_a_reason(technician, quality):
    unit = make_serial_unit()
    fill(unit, "A", technician, check="NOT OK")
    with pytest.raises(PermissionDenied, match="NOT OK stands here"):
        fill(unit, "A", technician, check="OK")
    with pytest.raises(Invalid, match="say why"):
        fill(unit, "A", quality, check="OK")
    assert not fill(unit, "A", quality, minutes=1, check="OK", reason="Wrong button").state.is_blocked
    product = unit.product
    assert selectors.first_pass_yield(product=product)[0].value == 1
    # Clearing keeps what was there, and stops what comes later.
    assert fill(unit, "A", quality, minutes=2, check=None, reason="Not measured").due.code == "A"
    said = [row.what for row in records.history_of(unit)]
    assert said == ["Check: cleared", "Check: OK", "Check: NOT OK", "Created"]


def test_saves_merge_and_module_x_and_y_are_apart(technician):
    product = make_product()
    fields = ({"code": "weld", "per_position": True}, {"code": "note", "kind": "text", "required": False})
    make_stage_form(product, "A", *fields, positions=["X", "Y"])
    unit = make_serial_unit(product=product, site=make_site())
    fill(unit, "A", technician, weld__X="OK")
    with pytest.raises(Invalid, match="Fill in first: Weld Y"):
        services.complete_stage(unit=unit, stage="A", by=by(technician))
    with pytest.raises(Invalid, match="does not ask for 'weld Z'"):
        fill(unit, "A", technician, weld__Z="OK")
    fill(unit, "A", technician, weld__Y="OK")
    assert states(unit) == ["processing"]
    known = services.complete_stage(unit=unit, stage="A", by=by(technician, key="once"))
    assert known.state.status == UnitStatus.FINISHED
    again = services.complete_stage(unit=unit, stage="A", by=by(technician, key="once"))
    assert again.state.status == UnitStatus.FINISHED
    with pytest.raises(Conflict, match="done already"):
        services.complete_stage(unit=unit, stage="A", by=by(technician))


def test_entry_sent_twice_has_one_effect_and_its_key_is_not_used_for_another(technician):
    unit = make_serial_unit()
    entry = Entry("check", "OK", "k1")
    for _ in range(2):
        services.enter(unit=unit, stage="A", entries=[entry], actor=technician, recorded_at=AT)
    assert StageEntry.objects.count() == 1
    with pytest.raises(Conflict, match="key was used"):
        services.enter(unit=unit, stage="A", entries=[Entry("check", "NOT OK", "k1")], actor=technician, recorded_at=AT)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("ok_nok", "not ok", "not_ok"),
        ("ok_nok", "maybe", None),
        ("number", "3,65", "3.65"),
        ("number", "NaN", None),
        ("number", "1e400", None),
        ("number", "1e-400", None),
        ("text", "  two words ", "two words"),
        ("text", "x" * 501, None),
        ("choice", "red", "red"),
        ("choice", "blue", None),
        ("timestamp", "2026-03-02T09:00", "2026-03-02T08:00:00+00:00"),
        ("timestamp", "yesterday", None),
        ("timestamp", "0001-01-01T00:00", None),
        ("person", "nobody", None),
        ("photo", "999999", None),
        ("component", "C-1", "C-1"),
        ("text", " ", None),
    ],
)
def test_value_fits_its_field_or_is_refused_naming_it(technician, kind, value, stored):
    product = make_product()
    make_stage_form(product, "A", {"code": "f", "kind": kind, "choices": ["red"] if kind == "choice" else []})
    unit = make_serial_unit(product=product, site=make_site())
    if stored is None:
        with pytest.raises(Invalid) as refused:
            fill(unit, "A", technician, f=value)
        assert refused.value.field == "f"
    else:
        fill(unit, "A", technician, f=value)
        assert StageEntry.objects.get().value == stored


def test_field_of_quality_is_filled_in_by_quality(technician, quality):
    product, site = make_product(), make_site()
    person = make_employee(site=site)
    fields = ({"code": "qc", "filled_by": "quality"}, {"code": "who", "kind": "person"})
    make_stage_form(product, "A", *fields)
    unit = make_serial_unit(product=product, site=site)
    with pytest.raises(PermissionDenied, match="filled in by quality"):
        fill(unit, "A", technician, qc="OK")
    fill(unit, "A", quality, qc="OK")
    assert fill(unit, "A", technician, who=person.code).state.status == UnitStatus.FINISHED


def test_held_and_scrapped_units_are_left_alone(technician, quality):
    unit = make_serial_unit()
    services.hold(unit=unit, by=by(technician, "Dropped"))
    with pytest.raises(Conflict, match="on hold: Dropped"):
        fill(unit, "A", technician, check="OK")
    services.release(unit=unit, by=by(quality, minutes=1))
    fill(unit, "A", technician, minutes=2, check="OK")
    known, replacement = services.scrap(unit=unit, replacement="S-NEW", by=by(quality, "Cracked", 3, key="s"))
    assert (known.state.status, replacement.replaces) == ("scrapped", unit)
    again = services.scrap(unit=unit, replacement="S-NEW", by=by(quality, "Cracked", 9, key="s"))
    assert again[1] == replacement
    with pytest.raises(Conflict, match="scrapped; nothing more"):
        fill(unit, "B", technician, minutes=4, check="OK")


def test_first_pass_yield_counts_a_serial_once_whatever_is_reworked(technician, quality):
    product = make_product()
    make_stage_form(product, "A", {"code": "check"})
    site = make_site()
    good, bad = (make_serial_unit(product=product, site=site) for _ in range(2))
    fill(good, "A", technician, check="OK")
    fill(bad, "A", technician, check="NOT OK")
    for minutes in (1, 3):
        services.send_to_rework(unit=bad, to_stage="A", by=by(quality, "Again", minutes))
        fill(bad, "A", technician, minutes=minutes + 1, check="OK")
    services.send_to_rework(unit=good, to_stage="A", by=by(quality, "Looked at again", 9))
    (row,) = selectors.first_pass_yield(product=product)
    assert (row.first_passes, row.good, row.value) == (2, 1, Decimal("0.5"))


def test_units_of_an_order_tell_what_it_made_and_book_its_operations(technician, quality):
    revision = make_revision()
    make_routing("SORT", "WELD", revision=revision)
    release_revision(revision=revision, valid_from=AT - timedelta(days=1))
    order = make_work_order(line=make_machine().line, product=revision.product, target_quantity=2)
    release_order(work_order=order, at=AT)
    told = []
    books_progress(lambda one: told.append((one.unit.serial, one.operation.code, one.is_scrap)))
    try:
        units = creating.create_units(serials=["1", "2"], order=order, actor=technician, at=AT)
        with pytest.raises(Conflict, match="is for 2 pieces and has 2 units"):
            creating.create_units(serials=["3"], order=order, actor=technician, at=AT)
        for stage in ("SORT", "WELD"):
            services.complete_stage(unit=units[0], stage=stage, by=by(technician))
        services.complete_stage(unit=units[1], stage="SORT", by=by(technician))
        services.send_to_rework(unit=units[1], to_stage="SORT", by=by(quality, "Again", 1))
        services.complete_stage(unit=units[1], stage="SORT", by=by(technician, minutes=2))
        services.scrap(unit=units[1], by=by(quality, "Lost", 3))
    finally:
        _listeners.pop()
    assert told == [("1", "SORT", False), ("1", "WELD", False), ("2", "SORT", False), ("2", "WELD", True)]
    counted = made(order, now=AT + timedelta(days=1))
    assert (counted.good, counted.scrap) == (1, 1)
    assert creating.create_units(serials=["3"], order=order, actor=technician, at=AT)[0].serial == "3"


def test_pattern_gives_the_next_free_numbers():
    unit = make_serial_unit("BP-2603-0007")
    pattern = {"product": unit.product, "site": unit.site, "at": AT}
    found = creating.serials_of(pattern="BP-{YY}{MM}-####", count=2, **pattern)
    assert found == ["BP-2603-0008", "BP-2603-0009"]
    with pytest.raises(Conflict, match="no more numbers"):
        creating.serials_of(pattern="#", count=10, **pattern)
    with pytest.raises(Invalid, match="Write the number once"):
        creating.serials_of(pattern="BP", count=1, **pattern)


@pytest.mark.parametrize("serial", [" ", "", "a\nb", "x" * 101, "a\0"])
def test_odd_serial_is_refused(serial):
    with pytest.raises(Invalid):
        make_serial_unit(product=make_product(), site=make_site(), serial=serial or " ")


def test_released_form_stays_and_units_keep_their_version(technician):
    unit = make_serial_unit()
    form = unit.stages.first().form
    with pytest.raises(Conflict, match="already"):
        release_form(form=form)
    second = release_form(form=revise_form(form=form))
    assert (second.version, second.fields.count()) == (2, 1)
    newer = make_serial_unit(product=unit.product, site=unit.site)
    assert (unit.stages.first().form.version, newer.stages.first().form.version) == (1, 2)


def test_scan_finds_units_orders_and_addresses(technician):
    order = make_work_order(line=make_machine().line, product=make_product())
    make_stage_form(order.product, "A", {"code": "check"})
    first, second = creating.create_units(serials=["P/1", "P/2"], order=order, actor=technician, at=AT)
    assert selectors.find_scanned("https://mes/entry/P%2F1?x=1", station=None, user=technician) == first
    assert selectors.find_scanned(order.order_number, station=None, user=technician) == first
    fill(first, "A", technician, check="OK")
    assert selectors.find_scanned(order.order_number, station=order.line.machines.get(), user=technician) == second
    with pytest.raises(NotFound, match="neither a unit nor an order"):
        selectors.find_scanned("nothing", station=None, user=technician)
    with pytest.raises(NotFound):
        selectors.find_scanned("P/1", station=None, user=make_user("operator", site=make_site()))


def test_part_is_in_one_unit_at_a_time_and_replacing_it_keeps_history(technician):
    child, other = finished(technician), finished(technician)
    site, product = child.site, child.product
    SerialUnit.objects.filter(pk=other.pk).update(site=site)
    pack, second = (make_serial_unit(site=site, product=product) for _ in range(2))
    common = {"actor": technician, "at": AT}
    assembling.assemble(parent=pack, position="X", child=child, idempotency_key="1", **common)
    assembling.assemble(parent=pack, position="X", child=child, idempotency_key="1", **common)
    with pytest.raises(Conflict, match="take it out there first"):
        assembling.assemble(parent=second, position="X", child=child, idempotency_key="2", **common)
    with pytest.raises(Conflict, match="replace it"):
        assembling.assemble(parent=pack, position="X", child=other, idempotency_key="3", **common)
    assembling.replace_part(parent=pack, position="X", child=other, reason="Leaks", idempotency_key="4", **common)
    assert [row.unit for row in records.flat(records.as_built(pack))] == [other]
    child.refresh_from_db()
    assert child.parent is None
    assert {row.what for row in records.history_of(child)} >= {f"Taken out of {pack}", f"Built into {pack} at X"}
    other.refresh_from_db()
    assert records.where_used(other) == [pack]
    with pytest.raises(Conflict, match="is part of"):
        services.dispatch(unit=other, by=by(technician))
    SerialUnit.objects.filter(pk=other.pk).update(parent=None, parent_position="")
    call_command("rebuild_units")
    other.refresh_from_db()
    assert other.parent == pack


def test_unfinished_foreign_and_circular_parts_are_refused(technician):
    pack = make_serial_unit()
    raw = make_serial_unit(site=pack.site)
    common = {"actor": technician, "at": AT, "idempotency_key": "1", "position": "X"}
    with pytest.raises(Conflict, match="only a finished unit"):
        assembling.assemble(parent=pack, child=raw, **common)
    with pytest.raises(Invalid, match="another site"):
        assembling.assemble(parent=pack, child=finished(technician), **common)
    a, b = (finished(technician, product=pack.product, site=pack.site) for _ in range(2))
    assembling.assemble(parent=a, child=b, **common)
    with pytest.raises(Conflict, match="itself a part"):
        assembling.assemble(parent=b, child=a, **common)
    revision = make_revision(product=pack.product)
    make_bill_line(revision, make_product(name="Module"))
    release_revision(revision=revision, valid_from=AT - timedelta(days=9000))
    with pytest.raises(Invalid, match="takes Module"):
        assembling.assemble(parent=pack, child=a, **common)


def test_scan_of_a_component_builds_it_in_and_another_scan_replaces_it(technician, quality):
    module = finished(technician)
    spare = finished(technician, product=module.product, site=module.site)
    pack_product = make_product()
    scan = {"code": "module", "kind": "component", "component": module.product, "per_position": True}
    make_stage_form(pack_product, "FIT", scan, positions=["X", "Y"])
    pack = make_serial_unit(product=pack_product, site=module.site)
    fill(pack, "FIT", technician, module__X=module.serial)
    with pytest.raises(Invalid, match="there is no"):
        fill(pack, "FIT", technician, module__Y="unknown")
    fill(pack, "FIT", technician, minutes=1, module__X=spare.serial)
    parts = records.as_built(pack).parts
    assert [(part.unit, part.position) for part in parts] == [(spare, "module X")]
    # A scan that arrives late was followed by another one: it changes nothing.
    late = Entry("module", module.serial, "late", "X", occurred_at=AT - timedelta(hours=1))
    services.enter(unit=pack, stage="FIT", entries=[late], actor=technician, recorded_at=AT + timedelta(hours=1))
    assert [part.unit for part in records.as_built(pack).parts] == [spare]


def test_facts_cannot_be_changed_in_the_database(technician):
    unit = make_serial_unit()
    fill(unit, "A", technician, check="OK")
    with pytest.raises(ProgrammingError), transaction.atomic():
        StageEntry.objects.update(value="not_ok")


def test_record_tells_everything(technician):
    unit = make_serial_unit()
    fill(unit, "A", technician, check="OK")
    record = records.unit_as_record(unit)
    assert record["stages"][0]["fields"][0] | {"by": None} == {
        "code": "check",
        "label": "Check",
        "position": "",
        "kind": "ok_nok",
        "value": "ok",
        "unit": None,
        "minimum": None,
        "maximum": None,
        "is_ok": True,
        "let_pass": False,
        "by": None,
        "at": AT,
    }
    assert (record["stages"][0]["is_done"], record["stages"][1]["is_due"]) == (True, True)
