"""Books and venue side by side: one line for each order, position and balance.

Reads the last answer of the venue beside what is held true now; it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from workstation.execution.balances import BalanceState
from workstation.execution.ledger import Ledger
from workstation.execution.orders import Orders
from workstation.execution.reconciliation import Reconciliation
from workstation.execution.tracked import Tracked
from workstation.model.money import minus
from workstation.model.orders import TERMINAL, Order, OrderStatus
from workstation.model.owners import EXTERNAL
from workstation.model.positions import Position
from workstation.model.reconciliation import (
    BalanceLine,
    OrderLine,
    OrderSide,
    PositionLine,
    ReconciliationView,
    Subject,
    Verdict,
    is_another,
)
from workstation.model.reports import OpenOrder

__all__ = ["both_sides"]

ZERO = Decimal(0)
_OPEN = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)
_NOT_SENT = (OrderStatus.INITIALIZED, OrderStatus.HELD)


def both_sides(
    reconciliation: Reconciliation, orders: Orders, ledger: Ledger
) -> ReconciliationView:
    """Return what each side says, with what is made of it."""
    return ReconciliationView(
        answers=reconciliation.answers,
        waiting=reconciliation.waiting,
        asked_ns=reconciliation.asked_ns,
        answered_ns=reconciliation.answered_ns,
        agreed_ns=reconciliation.agreed_ns,
        orders=tuple(_orders(reconciliation, orders)),
        positions=tuple(_positions(reconciliation, ledger)),
        balances=tuple(_balances(reconciliation, ledger)),
    )


def _orders(reconciliation: Reconciliation, orders: Orders) -> Iterator[OrderLine]:
    report = reconciliation.report
    listed = () if report is None else report.orders
    named: dict[str, list[OpenOrder]] = {}
    for each in listed:
        named.setdefault(each.order_id, []).append(each)
    for tracked in orders.working():
        yield _line(reconciliation, tracked, _same(named, tracked.order))
    for each in listed:
        found = orders.get(each.order_id)
        name, reason = each.order_id, "open at the venue, not known here"
        if len(named[name]) > 1 or (found and is_another(each, found.order)):
            name = f"{name} ({each.instrument} {each.venue_id or 'of no id'})"
        if found is not None and is_another(each, found.order):
            reason = "has the id of another order; cancel it at the venue"
        elif found is not None and found.order.status not in _NOT_SENT:
            # It is above, or the answer is older than its end.
            continue
        if each.status in TERMINAL:
            continue
        yield OrderLine(
            order_id=name,
            instrument=each.instrument,
            side=each.side,
            owner="",
            here=None,
            venue=_side(each),
            verdict=Verdict.DIFFERS,
            reason=reason,
        )


def _same(named: Mapping[str, list[OpenOrder]], order: Order) -> OpenOrder | None:
    """Return the last order listed by this name that is not another one."""
    return next(
        (x for x in reversed(named.get(order.id, ())) if not is_another(x, order)), None
    )


def _line(
    reconciliation: Reconciliation, tracked: Tracked, listed: OpenOrder | None
) -> OrderLine:
    order = tracked.order
    verdict, reason = _verdict(reconciliation, tracked, listed)
    return OrderLine(
        order_id=order.id,
        instrument=order.instrument,
        side=order.side,
        owner=order.owner,
        here=_side(order),
        venue=None if listed is None else _side(listed),
        verdict=verdict,
        reason=reason,
    )


def _side(order: Order | OpenOrder) -> OrderSide:
    return OrderSide(
        order.status, order.filled, order.quantity, order.price, order.trigger
    )


def _verdict(
    reconciliation: Reconciliation, tracked: Tracked, listed: OpenOrder | None
) -> tuple[Verdict, str]:
    order = tracked.order
    if order.status is OrderStatus.UNKNOWN:
        return Verdict.ASKING, order.reason or "its fate is not known"
    asked_ns = reconciliation.asked_ns
    if listed is None:
        if asked_ns is None:
            return Verdict.ASKING, "the venue has not been asked yet"
        if tracked.spoken_ns >= asked_ns:
            return Verdict.ASKING, "sent after the venue was asked"
        return Verdict.ASKING, "not among the venue's open orders"
    if order.status not in _OPEN:
        return Verdict.ASKING, "a change of it is on its way"
    if _shape(listed) != _shape(order):
        return Verdict.ASKING, "the venue has it otherwise"
    if order.owner != EXTERNAL or order.reduce_only:
        # What closes a position made by hand was made here.
        return Verdict.AGREES, ""
    ignored = reconciliation.let_be(Subject.ORDER, order.id)
    if ignored is not None:
        return Verdict.IGNORED, ignored
    return Verdict.EXTERNAL, "made at the venue"


def _shape(order: Order | OpenOrder) -> tuple[Decimal, Decimal, Decimal | None]:
    return order.filled, order.quantity, order.price


def _positions(
    reconciliation: Reconciliation, ledger: Ledger
) -> Iterator[PositionLine]:
    for position in ledger.open_positions():
        verdict, reason = _whose(reconciliation, position)
        yield PositionLine(
            owner=position.owner,
            instrument=position.instrument,
            quantity=position.quantity,
            average_price=position.average_price,
            verdict=verdict,
            reason=reason,
        )


def _whose(reconciliation: Reconciliation, position: Position) -> tuple[Verdict, str]:
    if position.owner != EXTERNAL:
        return Verdict.AGREES, ""
    ignored = reconciliation.let_be(Subject.POSITION, position.instrument)
    if ignored is not None:
        return Verdict.IGNORED, ignored
    return Verdict.EXTERNAL, "made at the venue"


def _balances(reconciliation: Reconciliation, ledger: Ledger) -> Iterator[BalanceLine]:
    report = reconciliation.report
    there = {} if report is None else {each.currency: each for each in report.balances}
    here = ledger.balances()
    for name in reconciliation.balances.currencies():
        state = reconciliation.balances.states.get(name)
        balance = there.get(name)
        should = here.get(name, ZERO)
        if state is None:
            # Never compared.
            state = BalanceState(Verdict.ASKING)
        if not should and balance is None and state.verdict is Verdict.AGREES:
            continue
        has = None
        if report is not None:
            has = ZERO if balance is None else balance.total
        yield BalanceLine(
            currency=name,
            here=should,
            venue=has,
            locked=None if balance is None else balance.locked,
            difference=ZERO if has is None else _difference(state, should, has),
            verdict=state.verdict,
            since_ns=state.since_ns,
            reason=state.reason,
        )


def _difference(state: BalanceState, here: Decimal, venue: Decimal) -> Decimal:
    """Return the difference that was judged, where there is one.

    Fills that came after the answer are here, and not yet in it.
    """
    judged = state.verdict is not Verdict.ASKING or state.difference
    return state.difference if judged else minus(venue, here)
