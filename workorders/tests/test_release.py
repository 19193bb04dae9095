"""What an order keeps of how its product is made, when it is released."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core import master_data
from core.errors import Conflict, Invalid
from products import services as product_services
from products.models import OperationParameter, ProductUnit
from tests.factories import (
    make_bill_line,
    make_machine,
    make_order_reason,
    make_product,
    make_revision,
    make_routing,
    make_unit,
    make_work_order,
)
from workorders import life, services
from workorders.models import Operation, OrderMaterial, WorkOrder

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 8, tzinfo=UTC)


@pytest.fixture
def line():
    return make_machine().line


@pytest.fixture
def revision():
    """Cola: mixed and filled; 1000 take 80 syrup, 3 take a carton."""
    cola = make_product(code="COLA")
    revision = make_revision(product=cola, code="A", base_quantity=Decimal(1000))
    make_bill_line(revision, make_product(code="SYRUP"), 80, operation_code="MIX")
    make_bill_line(revision, make_product(code="CARTON"), "333.333333", operation_code="FILL")
    routing = make_routing("MIX", "FILL", revision=revision)
    mix = routing.operations.get(code="MIX")
    mix.instructions, mix.setup_time, mix.inspection_required = "Stir.", Decimal(600), True
    mix.save()
    OperationParameter.objects.create(operation=mix, code="T", name="Temperature", target=Decimal("4.5"), maximum=6)
    make_routing("FILL", revision=revision, code="short", is_default=False)
    return product_services.release_revision(revision=revision, valid_from=AT)


def order_of(made, line, **values):
    return make_work_order(line=line, product=made.product, target_quantity=Decimal(500), **values)


def release(order, at=AT):
    return services.release_order(work_order=order, at=at)


def test_release_copies_operations_set_points_and_materials(revision, line):
    order = release(order_of(revision, line))
    assert (order.status, order.revision, order.released_at) == ("released", revision, AT)
    mix, fill = order.operations.all()
    assert (mix.code, mix.instructions, mix.setup_time, mix.planned_quantity) == ("MIX", "Stir.", 600, 500)
    assert (mix.status, mix.inspection_status, fill.inspection_status) == ("pending", "pending", "")
    parameter = mix.parameters.get()
    assert (parameter.code, parameter.target, parameter.maximum) == ("T", Decimal("4.5"), 6)
    materials = [(m.product.code, m.quantity_required, m.operation) for m in order.materials.all()]
    assert materials == [("SYRUP", 40, mix), ("CARTON", Decimal("166.666667"), fill)]


def test_order_without_product_or_revision_is_released_with_nothing(line):
    for order in (make_work_order(line=line), make_work_order(line=line, product=make_product())):
        released = release(order)
        assert (released.status, released.revision, released.released_at) == ("released", None, AT)
        assert not released.operations.exists()


def test_later_revisions_leave_a_released_order_alone(revision, line):
    order = release(order_of(revision, line))
    draft = product_services.copy_revision(revision=revision, code="B")
    mix = draft.routings.get(is_default=True).operations.get(code="MIX")
    mix.instructions = "Shake."
    master_data.save(mix)
    product_services.release_revision(revision=draft, valid_from=LATER)
    order.refresh_from_db()
    assert order.revision == revision
    assert order.operations.get(code="MIX").instructions == "Stir."
    later = release(order_of(revision, line), LATER)
    assert later.operations.get(code="MIX").instructions == "Shake."


def test_released_order_is_not_released_again(revision, line):
    order = release(order_of(revision, line))
    with pytest.raises(Conflict, match="released already"):
        release(order)
    assert order.operations.count() == 2


def test_starting_an_order_that_nobody_released_copies_too(revision, line):
    order = order_of(revision, line)
    services.start_run(work_order=order, line=line, started_at=AT)
    order.refresh_from_db()
    assert (order.status, order.released_at) == ("in_progress", AT)
    assert order.operations.count() == 2


def test_hold_and_resume_keep_the_copy(revision, line):
    order = release(order_of(revision, line))
    kept = list(Operation.objects.values_list("id", flat=True))
    order = life.hold(work_order=order, reason=make_order_reason(), at=LATER)
    order = life.resume(work_order=order, at=LATER)
    order = life.start(work_order=order, at=LATER)
    assert list(Operation.objects.values_list("id", flat=True)) == kept
    assert order.released_at == AT


def test_order_in_another_unit_takes_what_its_pieces_take(revision, line):
    ProductUnit.objects.create(product=revision.product, unit=make_unit("case"), base_quantity=Decimal(20))
    order = make_work_order(
        line=line, product=revision.product, unit=make_unit("case"), target_quantity=Decimal(25), order_number="C"
    )
    released = release(order)
    assert released.materials.get(product__code="SYRUP").quantity_required == 40
    assert released.operations.first().planned_quantity == 25


def test_unit_that_the_product_does_not_have_is_refused(revision, line):
    order = WorkOrder(
        order_number="X", line=line, product=revision.product, target_quantity=1, unit=make_unit("barrel")
    )
    with pytest.raises(Invalid, match="barrel") as refused:
        services.save_order(work_order=order, at=AT)
    assert refused.value.field == "unit"


def test_alternative_routing_is_taken_when_named(revision, line):
    order = release(order_of(revision, line, routing_code="short"))
    assert [operation.code for operation in order.operations.all()] == ["FILL"]
    with pytest.raises(Invalid, match="no routing 'long'"):
        release(order_of(revision, line, routing_code="long"))


def test_draft_is_not_made_and_foreign_revision_refused(revision, line):
    draft = product_services.copy_revision(revision=revision, code="B")
    with pytest.raises(Conflict, match="Revision B is draft"):
        release(order_of(revision, line, revision=draft))
    foreign = order_of(revision, line)
    foreign.revision = make_revision()
    with pytest.raises(Invalid, match="another product's"):
        services.save_order(work_order=foreign, at=AT)


def test_new_quantity_is_copied_until_work_begins(revision, line):
    order = release(order_of(revision, line))
    order.target_quantity = Decimal(1000)
    order = services.save_order(work_order=order, at=LATER)
    assert order.materials.get(product__code="SYRUP").quantity_required == 80
    assert {operation.planned_quantity for operation in order.operations.all()} == {1000}
    order.operations.filter(code="MIX").update(status="in_progress")
    order.target_quantity = Decimal(2000)
    with pytest.raises(Conflict, match="quantity stays"):
        services.save_order(work_order=order, at=LATER)


def test_product_of_a_released_order_stays(revision, line):
    order = release(order_of(revision, line))
    order.product, order.revision = make_product(), None
    with pytest.raises(Conflict, match="make another order"):
        services.save_order(work_order=order, at=LATER)


def test_failed_release_leaves_nothing_behind(revision, line):
    order = order_of(revision, line, routing_code="long")
    with pytest.raises(Invalid):
        release(order)
    order.refresh_from_db()
    assert (order.status, order.released_at, OrderMaterial.objects.count()) == ("created", None, 0)
