"""Revisions, bills and routings: what is released stays, bills do not go in circles, quantities are exact."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from core import master_data
from core.errors import Conflict, Invalid
from enterprise.models import MachineClass
from products import services
from products.models import (
    BillOfMaterialLine,
    OperationParameter,
    ProductRevision,
    ProductUnit,
    Routing,
    RoutingOperation,
)
from products.selectors import explode, requirements, revision_at, where_used
from tests.factories import (
    make_bill_line,
    make_line,
    make_machine,
    make_product,
    make_revision,
    make_routing,
    make_routing_operation,
    make_unit,
)

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)


def release(revision, at=MARCH):
    return services.release_revision(revision=revision, valid_from=at)


def add_component(revision, component, quantity=1, **values):
    position = 10 * (revision.bill_lines.count() + 1)
    return master_data.save(
        BillOfMaterialLine(
            revision=revision, component=component, quantity=Decimal(quantity), position=position, **values
        )
    )


# --- effectivity ---


def test_next_revision_ends_the_one_before_it():
    product = make_product()
    first, second = (make_revision(product=product, code=code) for code in "AB")
    release(first)
    release(second, APRIL)
    first.refresh_from_db()
    assert first.valid_until == APRIL
    days = (MARCH - timedelta(days=1), MARCH, APRIL - timedelta(microseconds=1), APRIL, MAY)
    valid = [revision_at(product.pk, at) for at in days]
    assert valid == [None, first, first, second, second]


def test_two_revisions_are_not_valid_at_once():
    product = make_product()
    release(make_revision(product=product, code="A"), APRIL)
    with pytest.raises(Conflict, match="Revision A is released from 2026-04-01"):
        release(make_revision(product=product, code="B"), MARCH)
    # The database says so too, whatever the service does.
    with pytest.raises(ValidationError, match="Another revision"):
        ProductRevision(product=product, code="C", status="released", valid_from=MAY).full_clean()


def test_revision_that_ends_before_the_next_begins_is_released():
    product = make_product()
    release(make_revision(product=product, code="A"), APRIL)
    release(make_revision(product=product, code="B", valid_until=APRIL), MARCH)
    assert revision_at(product.pk, MARCH).code == "B"


def test_revision_is_released_once_and_taken_back_once():
    revision = release(make_revision())
    with pytest.raises(Conflict, match="released already"):
        release(revision)
    taken = services.obsolete_revision(revision=revision, at=APRIL)
    assert (taken.status, taken.valid_until) == ("obsolete", APRIL)
    assert revision_at(revision.product_id, MARCH) == revision
    assert revision_at(revision.product_id, APRIL) is None
    with pytest.raises(Conflict, match="not released"):
        services.obsolete_revision(revision=revision, at=MAY)


def test_revision_taken_back_before_it_was_valid_leaves_its_time_free():
    product = make_product()
    services.obsolete_revision(revision=release(make_revision(product=product, code="A"), MAY), at=MARCH)
    release(make_revision(product=product, code="B"), APRIL)
    assert revision_at(product.pk, MAY).code == "B"


# --- what is released stays ---


def released_with_everything():
    revision = make_revision(code="A")
    line = make_bill_line(revision, make_product(), operation_code="FILL")
    operation = make_routing("FILL", revision=revision).operations.get()
    parameter = OperationParameter.objects.create(operation=operation, code="T", name="Temperature", target=80)
    return release(revision), line, operation, parameter


def test_nothing_of_a_released_revision_is_edited():
    revision, line, operation, parameter = released_with_everything()
    line.quantity, operation.name, parameter.target = Decimal(2), "Other", Decimal(90)
    operation.routing.name = "Other"
    extra = BillOfMaterialLine(revision=revision, component=make_product(), quantity=1, position=20)
    for row in (line, operation, parameter, operation.routing, extra):
        with pytest.raises(Conflict, match="stays as it is"):
            master_data.save(row)
    for row in (parameter, operation, line):
        with pytest.raises(Conflict, match="stays as it is"):
            master_data.delete(row)
    for name, value in {"base_quantity": Decimal(5), "code": "Z", "valid_from": APRIL, "name": "x"}.items():
        fresh = ProductRevision.objects.get(pk=revision.pk)
        setattr(fresh, name, value)
        with pytest.raises(Conflict, match="stays as it is"):
            master_data.save(fresh)
    with pytest.raises(Conflict):
        master_data.delete(revision)


def test_line_is_not_moved_out_of_a_released_revision():
    _, line, _, _ = released_with_everything()
    line.revision = make_revision()
    with pytest.raises(Conflict, match="stays as it is"):
        master_data.save(line)


def test_copy_is_a_draft_with_everything():
    revision, line, operation, parameter = released_with_everything()
    draft = services.copy_revision(revision=revision, code="B")
    assert draft.status == "draft"
    copied = draft.bill_lines.get()
    assert (copied.component, copied.operation_code) == (line.component, "FILL")
    step = RoutingOperation.objects.get(routing__revision=draft)
    assert (step.code, step.parameters.get().target) == (operation.code, parameter.target)
    copied.quantity = Decimal(3)
    master_data.save(copied)
    line.refresh_from_db()
    assert line.quantity == 1


def test_line_for_an_operation_that_the_routing_lacks_stops_the_release():
    revision = make_revision()
    make_bill_line(revision, make_product(code="SYRUP"), operation_code="MIX")
    make_routing("FILL", revision=revision)
    with pytest.raises(Invalid, match=r"Position 10 \(SYRUP\) is for operation 'MIX'"):
        release(revision)


# --- routing ---


def test_operation_is_at_one_kind_of_place():
    operation = make_routing_operation()
    operation.line, operation.machine_class = make_line(), MachineClass.objects.create(code="F", name="Fillers")
    with pytest.raises(ValidationError, match="Choose one of line, machine"):
        master_data.save(operation)


def test_revision_has_one_default_routing():
    revision = make_revision()
    make_routing("A", revision=revision)
    with pytest.raises(ValidationError, match="another default routing"):
        master_data.save(Routing(revision=revision, code="alt"))


@pytest.mark.parametrize(
    "bounds", [{"target": 5, "minimum": 6}, {"target": 5, "maximum": 4}, {"minimum": 5, "maximum": 4}, {}]
)
def test_set_point_lies_within_its_bounds(bounds):
    parameter = OperationParameter(operation=make_routing_operation(), code="T", name="T", **bounds)
    with pytest.raises(ValidationError):
        master_data.save(parameter)


# --- bills ---


@pytest.fixture
def bicycle():
    """Bicycle = 2 wheels (36 spokes, 0.5 kg rubber), 1 frame set (phantom: 1 frame, 3 bolts);
    yields 0.2 kg of swarf.
    """
    names = ("bicycle", "wheel", "spoke", "rubber", "set", "frame", "bolt", "swarf")
    part = {name: make_product(code=name, name=name) for name in names}
    for name in ("rubber", "swarf"):
        part[name].unit = make_unit("kg")
        part[name].save()
    bills = {name: make_revision(product=part[name]) for name in ("bicycle", "wheel", "set")}
    make_bill_line(bills["bicycle"], part["wheel"], 2, operation_code="ASSEMBLE")
    make_bill_line(bills["bicycle"], part["set"], 1, operation_code="WELD", is_phantom=True)
    make_bill_line(bills["bicycle"], part["swarf"], 200, unit=make_unit("g"), kind="by_product", operation_code="WELD")
    make_bill_line(bills["wheel"], part["spoke"], 36, scrap_factor=Decimal("0.05"))
    make_bill_line(bills["wheel"], part["rubber"], 500, unit=make_unit("g"))
    make_bill_line(bills["set"], part["frame"], 1, operation_code="PAINT")
    make_bill_line(bills["set"], part["bolt"], 3)
    make_routing("WELD", "ASSEMBLE", revision=bills["bicycle"])
    return {name: release(bill) for name, bill in bills.items()}


def test_bill_explodes_over_all_levels(bicycle):
    rows = explode(bicycle["bicycle"], 10, MARCH)
    assert [(row.level, row.component.code, row.quantity, row.operation_code) for row in rows] == [
        (1, "wheel", 20, "ASSEMBLE"),
        (2, "spoke", Fraction(756), "ASSEMBLE"),
        (2, "rubber", 10, "ASSEMBLE"),
        (1, "set", 10, "WELD"),
        (2, "frame", 10, "WELD"),
        (2, "bolt", 30, "WELD"),
        (1, "swarf", -2, "WELD"),
    ]


def test_order_takes_the_parts_of_phantoms_but_not_those_of_parts(bicycle):
    rows = requirements(bicycle["bicycle"], 1, MARCH)
    assert {row.component.code: row.quantity for row in rows} == {
        "wheel": 2,
        "frame": 1,
        "bolt": 3,
        "swarf": Fraction(-1, 5),
    }


def test_bill_per_base_quantity_stays_exact():
    product = make_product()
    revision = make_revision(product=product, base_quantity=Decimal(3))
    make_bill_line(revision, make_product(), 1)
    (row,) = explode(revision, 1, MARCH)
    assert row.quantity == Fraction(1, 3)


def test_components_are_those_of_the_moment(bicycle):
    wheel = services.copy_revision(revision=bicycle["wheel"], code="light")
    spokes = wheel.bill_lines.get(component__code="spoke")
    spokes.quantity, spokes.scrap_factor = Decimal(24), Decimal(0)
    master_data.save(spokes)
    release(wheel, APRIL)

    def needed(at):
        return {row.component.code: row.quantity for row in explode(bicycle["bicycle"], 1, at)}["spoke"]

    assert (needed(MARCH), needed(APRIL)) == (Fraction(378, 5), 48)


def test_exploding_costs_queries_per_level_not_per_row(bicycle, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        explode(bicycle["bicycle"], 1, MARCH)


def test_components_in_other_units_cost_no_queries_of_their_own(django_assert_num_queries):
    revision = make_revision(product=make_product())
    for _ in range(3):
        part = make_product(unit_id="pcs")
        master_data.save(ProductUnit(product=part, quantity=1, unit=make_unit("case"), base_quantity=12))
        master_data.save(ProductUnit(product=part, quantity=6, unit=make_unit("kg"), base_quantity=12))
        make_bill_line(revision, part, 2, unit=make_unit("case"))
        make_bill_line(revision, part, 500, unit=make_unit("g"))
    with django_assert_num_queries(4):  # the lines, conversions and their units, and what has a revision
        rows = explode(revision, 1, MARCH)
    assert [row.quantity for row in rows] == [24, 1] * 3


def test_circle_is_refused_by_name():
    parts = {code: make_product(code=code) for code in "ABC"}
    bills = {code: make_revision(product=parts[code]) for code in "ABC"}
    add_component(bills["A"], parts["B"])
    add_component(bills["B"], parts["C"])
    with pytest.raises(Invalid, match="C → A → B → C"):
        add_component(bills["C"], parts["A"])
    with pytest.raises(Invalid, match="A → A"):
        add_component(bills["A"], parts["A"])
    # What comes out may go in again: ground waste.
    add_component(bills["C"], parts["A"], kind="by_product")


def test_shared_part_is_no_circle():
    parts = {code: make_product(code=code) for code in "ABCD"}
    bills = {code: make_revision(product=parts[code]) for code in "ABC"}
    for parent, child in ("AB", "AC", "BD", "CD"):
        add_component(bills[parent], parts[child])
    assert [row.path for row in explode(bills["A"], 1, MARCH)] == [("A", "B"), ("A", "C")]


@pytest.mark.django_db(transaction=True)
def test_two_people_do_not_close_a_circle_together():
    one, other = make_product(code="A"), make_product(code="B")
    bills = [(make_revision(product=one), other), (make_revision(product=other), one)]

    def add(pair):
        try:
            add_component(*pair)
        except Invalid:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(add, bills)) == [False, True]


def test_where_used_goes_up_over_all_levels(bicycle):
    spoke = bicycle["wheel"].bill_lines.get(component__code="spoke").component
    uses = where_used(spoke, MARCH)
    assert [(use.level, use.path) for use in uses] == [
        (1, ("spoke", "wheel")),
        (2, ("spoke", "wheel", "bicycle")),
    ]
    assert where_used(spoke, MARCH - timedelta(days=1)) == []


def test_machine_of_an_operation_is_kept():
    machine = make_machine()
    make_routing_operation(machine=machine)
    with pytest.raises(Conflict, match="1 operations of routings"):
        master_data.delete(machine)
