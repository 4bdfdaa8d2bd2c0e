"""The order machine: which event may meet an order in which status, and what follows.

One table, one function that moves an order, one exception for the rest. It owns no
state: the Executor keeps the orders, and drops fills it has already seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec.structs import replace

from workstation.model.errors import IllegalTransition
from workstation.model.orders import Order, OrderEvent, OrderStatus, OrderType

__all__ = ["TABLE", "Target", "apply", "fill_event", "legal"]


class Target(StrEnum):
    """Next statuses that depend on the order itself."""

    OPEN = "accepted, or partially filled once something is"
    PRIOR = "what it was before the cancel or replace was asked for"


S = OrderStatus
E = OrderEvent

# Fills are legal wherever the order has been sent: a fill may overtake the answer to
# the order, cross a cancel on its way, or come late after an end (then it is booked
# and flagged). Only TIME_OUT and DOUBT (the venue says what cannot be brought together
# with what is booked) lead to UNKNOWN; only a report or the operator leads out. A fill
# proves that the order lived, not that it lives: it leaves UNKNOWN only by completing.
# A repeated or overtaken answer that changes nothing stays where it is. A trigger says
# what kind of order it is now, not whether it lives.
TABLE: Mapping[OrderStatus, Mapping[OrderEvent, OrderStatus | Target]] = {
    S.INITIALIZED: {
        E.DENY: S.DENIED,
        E.HOLD: S.HELD,
        E.SUBMIT: S.SUBMITTED,
        E.ACCEPT: S.ACCEPTED,  # it was made elsewhere: the venue has it already
    },
    S.DENIED: {},
    S.HELD: {
        E.SUBMIT: S.SUBMITTED,
        E.REPLACE: S.HELD,
        E.CANCEL: S.CANCELED,
        E.DENY: S.DENIED,
        E.EXPIRE: S.EXPIRED,
    },
    S.SUBMITTED: {
        E.ACCEPT: Target.OPEN,
        E.REJECT: S.REJECTED,
        E.PARTIAL_FILL: S.PARTIALLY_FILLED,
        E.FILL: S.FILLED,
        E.REQUEST_CANCEL: S.PENDING_CANCEL,
        E.CANCEL: S.CANCELED,
        E.EXPIRE: S.EXPIRED,
        E.TRIGGER: Target.OPEN,
        E.TIME_OUT: S.UNKNOWN,
        E.DOUBT: S.UNKNOWN,
    },
    S.ACCEPTED: {
        E.ACCEPT: S.ACCEPTED,
        E.REJECT: S.REJECTED,
        E.PARTIAL_FILL: S.PARTIALLY_FILLED,
        E.FILL: S.FILLED,
        E.REQUEST_CANCEL: S.PENDING_CANCEL,
        E.CANCEL: S.CANCELED,
        E.REJECT_CANCEL: S.ACCEPTED,
        E.REQUEST_REPLACE: S.PENDING_REPLACE,
        E.REPLACE: S.ACCEPTED,
        E.REJECT_REPLACE: S.ACCEPTED,
        E.EXPIRE: S.EXPIRED,
        E.TRIGGER: S.ACCEPTED,
        E.DOUBT: S.UNKNOWN,
    },
    S.PARTIALLY_FILLED: {
        E.ACCEPT: S.PARTIALLY_FILLED,
        E.REJECT: S.REJECTED,
        E.PARTIAL_FILL: S.PARTIALLY_FILLED,
        E.FILL: S.FILLED,
        E.REQUEST_CANCEL: S.PENDING_CANCEL,
        E.CANCEL: S.CANCELED,
        E.REJECT_CANCEL: S.PARTIALLY_FILLED,
        E.REQUEST_REPLACE: S.PENDING_REPLACE,
        E.REPLACE: S.PARTIALLY_FILLED,
        E.REJECT_REPLACE: S.PARTIALLY_FILLED,
        E.EXPIRE: S.EXPIRED,
        E.TRIGGER: S.PARTIALLY_FILLED,
        E.DOUBT: S.UNKNOWN,
    },
    S.PENDING_REPLACE: {
        E.ACCEPT: S.PENDING_REPLACE,
        E.REJECT: S.REJECTED,
        E.PARTIAL_FILL: S.PENDING_REPLACE,
        E.FILL: S.FILLED,
        E.REQUEST_CANCEL: S.PENDING_CANCEL,
        E.CANCEL: S.CANCELED,
        E.REJECT_CANCEL: S.PENDING_REPLACE,
        E.REPLACE: Target.OPEN,
        E.REJECT_REPLACE: Target.PRIOR,
        E.EXPIRE: S.EXPIRED,
        E.TRIGGER: S.PENDING_REPLACE,
        E.TIME_OUT: S.UNKNOWN,
        E.DOUBT: S.UNKNOWN,
    },
    S.PENDING_CANCEL: {
        E.ACCEPT: S.PENDING_CANCEL,
        E.REJECT: S.REJECTED,
        E.PARTIAL_FILL: S.PENDING_CANCEL,
        E.FILL: S.FILLED,
        E.CANCEL: S.CANCELED,
        E.REJECT_CANCEL: Target.PRIOR,
        E.REPLACE: S.PENDING_CANCEL,
        E.REJECT_REPLACE: S.PENDING_CANCEL,
        E.EXPIRE: S.EXPIRED,
        E.TRIGGER: S.PENDING_CANCEL,
        E.TIME_OUT: S.UNKNOWN,
        E.DOUBT: S.UNKNOWN,
    },
    S.UNKNOWN: {
        E.ACCEPT: Target.OPEN,
        E.REJECT: S.REJECTED,
        E.PARTIAL_FILL: S.UNKNOWN,
        E.FILL: S.FILLED,
        E.REQUEST_CANCEL: S.PENDING_CANCEL,
        E.CANCEL: S.CANCELED,
        E.REJECT_CANCEL: S.UNKNOWN,
        E.REPLACE: Target.OPEN,
        E.REJECT_REPLACE: Target.OPEN,
        E.EXPIRE: S.EXPIRED,
        E.TRIGGER: S.UNKNOWN,
        E.DOUBT: S.UNKNOWN,
    },
    S.FILLED: {
        E.ACCEPT: S.FILLED,
        E.FILL: S.FILLED,
        E.CANCEL: S.FILLED,
        E.REJECT_CANCEL: S.FILLED,
        E.REPLACE: Target.OPEN,  # it was enlarged before the last fill
        E.REJECT_REPLACE: S.FILLED,
        E.EXPIRE: S.FILLED,
        E.TRIGGER: S.FILLED,
        E.DOUBT: S.UNKNOWN,
    },
    S.CANCELED: {
        E.ACCEPT: S.CANCELED,
        E.PARTIAL_FILL: S.CANCELED,
        E.FILL: S.FILLED,
        E.CANCEL: S.CANCELED,
        E.REJECT_CANCEL: S.CANCELED,
        E.REPLACE: S.CANCELED,
        E.REJECT_REPLACE: S.CANCELED,
        E.EXPIRE: S.CANCELED,
        E.TRIGGER: S.CANCELED,
        E.DOUBT: S.UNKNOWN,
    },
    S.EXPIRED: {
        E.ACCEPT: S.EXPIRED,
        E.PARTIAL_FILL: S.EXPIRED,
        E.FILL: S.FILLED,
        E.CANCEL: S.EXPIRED,
        E.REJECT_CANCEL: S.EXPIRED,
        E.REPLACE: S.EXPIRED,
        E.REJECT_REPLACE: S.EXPIRED,
        E.EXPIRE: S.EXPIRED,
        E.TRIGGER: S.EXPIRED,
        E.DOUBT: S.UNKNOWN,
    },
    S.REJECTED: {
        E.REJECT: S.REJECTED,
        E.PARTIAL_FILL: S.REJECTED,
        E.FILL: S.FILLED,
        E.CANCEL: S.REJECTED,
        E.REJECT_CANCEL: S.REJECTED,
        E.REJECT_REPLACE: S.REJECTED,
        E.TRIGGER: S.REJECTED,
        E.DOUBT: S.UNKNOWN,
    },
}
"""Status → event → next status; what is not in it is illegal."""

# Answers that do not tell whether an order is over.
_SAY_NOTHING = (E.REJECT_CANCEL, E.REJECT_REPLACE, E.PARTIAL_FILL, E.TRIGGER)
_PENDING = (S.PENDING_CANCEL, S.PENDING_REPLACE)
# Looking a member up in its enum costs 55 ns on CPython 3.11, a global 6; this runs
# for every move of every order.
_PARTIAL_FILL, _FILL, _REPLACE = E.PARTIAL_FILL, E.FILL, E.REPLACE
_TRIGGER, _SUBMIT = E.TRIGGER, E.SUBMIT
_UNTRIGGERED = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TARGET)
_HELD, _FILLED = S.HELD, S.FILLED
_ACCEPTED, _PARTIALLY_FILLED = S.ACCEPTED, S.PARTIALLY_FILLED
_OPEN: Final = Target.OPEN
_PRIOR: Final = Target.PRIOR


def legal(status: OrderStatus) -> tuple[OrderEvent, ...]:
    """Return the events that an order in this status may meet."""
    return tuple(TABLE[status])


def fill_event(order: Order, quantity: Decimal) -> OrderEvent:
    """Return whether a fill of this quantity completes the order or is partial."""
    return _FILL if order.filled + quantity >= order.quantity else _PARTIAL_FILL


def apply(
    order: Order,
    event: OrderEvent,
    ts: int,
    quantity: Decimal | None = None,
    price: Decimal | None = None,
    trigger: Decimal | None = None,
    venue_id: str | None = None,
    trailing: bool | None = None,
    inferred: bool = False,
    reason: str = "",
) -> Order:
    """Return the order after the event at ``ts``.

    On fills ``quantity`` and ``price`` are the execution's and are added up; an
    overfill is booked as it is. On REPLACE, and on SUBMIT of a held order, they are
    the order's new ones, and so are ``trigger`` and ``trailing``. A stop or target is
    woken by TRIGGER, by a fill, which proves as much, and where it was held by SUBMIT.
    ``inferred`` marks an end that the venue did not report.
    Raises IllegalTransition when the table has no entry.
    """
    status = order.status
    target = TABLE[status].get(event)
    if target is None:
        allowed = ", ".join(TABLE[status]) or "nothing, it is final"
        raise IllegalTransition(f"order {order.id}", status, event, allowed)
    fills = event is _PARTIAL_FILL or event is _FILL
    # Nearly no order has a trigger: the others pay for one look.
    if (
        order.trigger is not None
        and (fills or event is _TRIGGER or (event is _SUBMIT and status is _HELD))
        and order.type in _UNTRIGGERED
    ):
        order = order.woken()
    filled = order.filled
    if fills:
        if quantity is None or price is None:
            raise ValueError(f"order {order.id}: a fill needs quantity and price")
        average = order.average_price
        if average is None or not filled:
            average = price
        elif price != average:
            average = (average * filled + price * quantity) / (filled + quantity)
        filled += quantity
    if target is _OPEN:
        after = _PARTIALLY_FILLED if filled else _ACCEPTED
    elif target is _PRIOR:
        after = order.prior or (_PARTIALLY_FILLED if filled else _ACCEPTED)
    else:
        after = target
    prior = _prior(order, event, after) if after in _PENDING else None
    inferred = inferred or (order.inferred and event in _SAY_NOTHING)
    reason = reason or order.reason
    # Each kind of move names what it can change: to name all costs three times that.
    if fills:
        return replace(
            order,
            status=after,
            prior=prior,
            filled=filled,
            average_price=average,
            updated_ns=ts,
            reason=reason,
            inferred=inferred,
        )
    if event is not _REPLACE and status is not _HELD:
        return replace(
            order,
            status=after,
            prior=prior,
            venue_id=order.venue_id if venue_id is None else venue_id,
            updated_ns=ts,
            reason=reason,
            inferred=inferred,
        )
    size = order.quantity if quantity is None else quantity
    # A replace below what is filled meanwhile leaves nothing to work.
    if event is _REPLACE and after is not _HELD and 0 < size <= filled:
        after, prior = _FILLED, None
    return replace(
        order,
        status=after,
        prior=prior,
        quantity=size,
        price=order.price if price is None else price,
        trigger=order.trigger if trigger is None else trigger,
        venue_id=order.venue_id if venue_id is None else venue_id,
        trailing=order.trailing if trailing is None else trailing,
        updated_ns=ts,
        reason=reason,
        inferred=inferred,
    )


def _prior(order: Order, event: OrderEvent, after: OrderStatus) -> OrderStatus | None:
    """Return the status a refused cancel or replace gives back."""
    if order.status not in _PENDING:
        return order.status
    if event is _PARTIAL_FILL:
        return S.PARTIALLY_FILLED
    if event is E.ACCEPT and order.prior is S.SUBMITTED:
        return S.ACCEPTED
    return order.prior
