"""Link what went into lots with what came out, by a stated rule, and never in a circle.

By order: every lot that an order used, before or after, is in every lot that it made. Where a production names its
inputs, its lot has those and no others. What is reversed or returned takes its link back with a line of the opposite
sign.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db import connection

from core.errors import Conflict, Invalid
from core.exact import plain_number
from core.locks import take_turns
from materials.ledger import ZERO
from materials.models import GenealogyLink, MaterialLot, MaterialTransaction
from materials.selectors import LotsOfOrder, links_of, lots_of_order
from workorders.models import WorkOrder

_Rule = GenealogyLink.Rule
Given = Sequence[tuple[MaterialLot, Decimal]]
"""The inputs that a production names: lots, and how much of each is in it."""


def lots_met(work_order: WorkOrder) -> set[int]:
    """Return the ids of all lots that an order ever moved. The caller holds the order."""
    rows = MaterialTransaction.objects.filter(work_order=work_order, lot__isnull=False)
    return set(rows.values_list("lot", flat=True).distinct())


def follow(fact: MaterialTransaction, *, given: Given = ()) -> None:
    """Bring the links of an order up to date with a movement. The caller holds the order and its lots.

    Raises Conflict when more would come back than the order took, or when a lot would be made of itself.
    """
    order, lot = fact.work_order, fact.lot
    if order is None:
        return
    held = lots_of_order(order)
    _refuse_less_than_nothing(held, fact)
    if lot is None:
        return
    if held.used.get(lot.pk, ZERO) > 0 and held.produced.get(lot.pk, ZERO) > 0:
        raise Conflict(f"Lot {lot} would be made of itself; give what comes out another number.", field="lot")
    have = links_of(order, lot)
    if given:
        _link_given(fact, given, held, have)
        return
    # Whose inputs were given keeps to them.
    outputs_given = set(
        GenealogyLink.objects.filter(work_order=order, rule=_Rule.GIVEN).values_list("output_lot", flat=True)
    )
    want: dict[tuple[int, int, str], Decimal] = {}
    for output, made in held.produced.items():
        for input_, used in held.used.items():
            if output < 0 or input_ < 0 or lot.pk not in (input_, output):
                continue
            if output not in outputs_given and made > 0 and used > 0:
                want[input_, output, _Rule.ORDER] = used
    for (input_, output, rule), quantity in have.items():
        if rule == _Rule.GIVEN:
            want[input_, output, rule] = _kept(fact, input_, output, quantity, held)
    _append(want, have, fact)


def _refuse_less_than_nothing(held: LotsOfOrder, fact: MaterialTransaction) -> None:
    key = fact.lot.pk if fact.lot else -fact.product.pk
    if held.used.get(key, ZERO) < 0:
        had = held.used[key] + fact.quantity
        raise Conflict(
            f"The order has only {plain_number(had)} {fact.unit} of {fact.lot or fact.product} to give back.",
            field="quantity",
        )
    if held.produced.get(key, ZERO) < 0:
        raise Conflict(f"The order has not made so much of {fact.lot or fact.product}.", field="quantity")


def _link_given(
    fact: MaterialTransaction, given: Given, held: LotsOfOrder, have: dict[tuple[int, int, str], Decimal]
) -> None:
    if fact.lot is None:
        raise Invalid("Inputs are given for a lot; name the lot that was made.", field="lot")
    if any(output == fact.lot.pk and rule == _Rule.ORDER and total > 0 for (_, output, rule), total in have.items()):
        raise Conflict(
            f"Lot {fact.lot} is made of all that its order used, by earlier productions; leave the inputs out.",
            field="inputs",
        )
    more: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for lot, quantity in given:
        more[lot.pk] += quantity
    for lot in {lot.pk: lot for lot, _ in given}.values():
        used, before = held.used.get(lot.pk, ZERO), _given_of(fact.work_order, lot.pk)
        if used < before + more[lot.pk]:
            raise Conflict(
                f"The order has used {plain_number(used)} {lot.product.unit_id} of lot {lot}, and"
                f" {plain_number(before)} of that is in other lots: not {plain_number(more[lot.pk])} more.",
                field="inputs",
            )
    wanted: dict[tuple[int, int, str], Decimal] = dict(have)
    for input_, quantity in more.items():
        key = (input_, fact.lot.pk, str(_Rule.GIVEN))
        wanted[key] = wanted.get(key, ZERO) + quantity
    _append(wanted, have, fact)


def _given_of(order: WorkOrder | None, input_: int, **of: object) -> Decimal:
    rows = GenealogyLink.objects.filter(work_order=order, input_lot=input_, rule=_Rule.GIVEN, **of)
    return sum(rows.values_list("quantity", flat=True), ZERO)


def _kept(fact: MaterialTransaction, input_: int, output: int, quantity: Decimal, held: LotsOfOrder) -> Decimal:
    """Return what stays of a given link: none when its production was reversed."""
    undone = fact.reverses
    if undone is not None and undone.lot_id == output:
        return quantity - _given_of(fact.work_order, input_, output_lot=output, caused_by=undone)
    if held.used.get(input_, ZERO) < _given_of(fact.work_order, input_):
        raise Conflict(
            f"It is known which lots {fact.lot} went into; reverse their production first.", field="quantity"
        )
    return quantity


def follow_split(fact: MaterialTransaction) -> None:
    """Link a lot with what was split off it, or take that back."""
    undone = fact.reverses
    source = undone or fact
    if source.lot is None or source.to_lot is None:
        raise Invalid("A split names both lots.", field="lot")
    have = links_of(None, source.lot)
    key = (source.lot.pk, source.to_lot.pk, str(_Rule.SPLIT))
    change = -fact.quantity if undone else fact.quantity
    _append({**have, key: have.get(key, ZERO) + change}, have, fact)


def _append(
    want: dict[tuple[int, int, str], Decimal], have: dict[tuple[int, int, str], Decimal], fact: MaterialTransaction
) -> None:
    lines, new = [], []
    for key in sorted(want.keys() | have.keys()):
        change = want.get(key, ZERO) - have.get(key, ZERO)
        if change:
            lines.append(_line(key, change, fact))
        if want.get(key, ZERO) > 0 and have.get(key, ZERO) <= 0:
            new.append(key[:2])
    refuse_circles(new)
    GenealogyLink.objects.bulk_create(lines)


def _line(key: tuple[int, int, str], change: Decimal, fact: MaterialTransaction) -> GenealogyLink:
    input_, output, rule = key
    order = None if rule == _Rule.SPLIT else fact.work_order
    return GenealogyLink(
        input_lot_id=input_,
        output_lot_id=output,
        work_order=order,
        rule=rule,
        quantity=change,
        occurred_at=fact.occurred_at,
        caused_by=fact,
    )


def refuse_circles(pairs: Iterable[tuple[int, int]]) -> None:
    """Raise Conflict when an output is already in its input, over any number of steps. The caller holds the lots.

    An output that went into nothing yet closes no circle, and who gives it a successor later has to hold it. Only where
    it went into something do writers take turns, because a circle of four can close between two of them.
    """
    inputs: dict[int, set[int]] = {}
    for input_, output in pairs:
        inputs.setdefault(output, set()).add(input_)
    if not GenealogyLink.objects.filter(input_lot__in=inputs).exists():
        return
    take_turns("genealogy")
    for output, of in sorted(inputs.items()):
        circle = of & reached(output)
        if circle:
            lots = {lot.pk: lot for lot in MaterialLot.objects.filter(pk__in=[output, *circle])}
            first = lots[min(circle)]
            raise Conflict(
                f"Lot {lots[output]} is already in lot {first}, so {first} cannot be in {lots[output]}.", field="lot"
            )


def reached(lot_id: int, *, forward: bool = True) -> set[int]:
    """Return the ids of all lots that one went into (or came from), itself included."""
    near, far = ("input_lot_id", "output_lot_id") if forward else ("output_lot_id", "input_lot_id")
    with connection.cursor() as cursor:
        cursor.execute(_REACHED.format(near=near, far=far) + " SELECT lot_id FROM reached", [lot_id])
        return {row[0] for row in cursor.fetchall()}


# Each lot is expanded once, by an index of its own direction, so the cost grows with the answer and not with the table.
_REACHED = """
    WITH RECURSIVE reached (lot_id) AS (
        SELECT %s::bigint
        UNION
        SELECT step.lot_id FROM reached, LATERAL (
            SELECT link.{far} AS lot_id FROM materials_genealogylink link
            WHERE link.{near} = reached.lot_id
            GROUP BY link.{far}, link.work_order_id HAVING sum(link.quantity) > 0
        ) AS step
    )
"""


def edges(lot_id: int, *, forward: bool) -> list[tuple[int, int, int | None, Decimal]]:
    """Return (input, output, order, quantity) of every link on the way from (or to) a lot, over any depth."""
    near, far = ("input_lot_id", "output_lot_id") if forward else ("output_lot_id", "input_lot_id")
    with connection.cursor() as cursor:
        cursor.execute(
            _REACHED.format(near=near, far=far)
            + f"""
            SELECT step.* FROM reached, LATERAL (
                SELECT link.input_lot_id, link.output_lot_id, link.work_order_id, sum(link.quantity)
                FROM materials_genealogylink link WHERE link.{near} = reached.lot_id
                GROUP BY 1, 2, 3 HAVING sum(link.quantity) > 0
            ) AS step
            """,
            [lot_id],
        )
        rows: list[tuple[int, int, int | None, Decimal]] = cursor.fetchall()
        return rows
