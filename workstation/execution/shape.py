"""The shape of an order: price on the tick, quantity on the lot, an end that is ahead.

Every order must have it, also one that only reduces. The risk stage asks.
"""

from __future__ import annotations

from workstation.execution.denials import Denial, DenialCode
from workstation.model.instruments import Instrument
from workstation.model.orders import Order, OrderType, TimeInForce
from workstation.model.timeframes import NS_PER_S

__all__ = ["misshapen"]

# Bound once: looking a member up in its enum costs ten times a global (3.11).
_LIMIT, _GTD = OrderType.LIMIT, TimeInForce.GTD
_STOP, _STOP_LIMIT = OrderType.STOP, OrderType.STOP_LIMIT


def misshapen(order: Order, instrument: Instrument, now_ns: int) -> Denial | None:
    """Return what is wrong with an order by itself, if anything."""
    for price in (order.price, order.trigger):
        if price is not None and not (price > 0 and instrument.is_on_tick(price)):
            return Denial(
                DenialCode.PRICE_OFF_TICK,
                f"price {price} is not a positive multiple of {instrument.tick_size}",
            )
    expires = order.expires_ns
    if expires is None:
        if order.time_in_force is _GTD:
            return Denial(DenialCode.NO_EXPIRY, "a GTD order needs an end")
    elif expires <= now_ns:
        return Denial(
            DenialCode.EXPIRY_PASSED,
            f"the order's end was {(now_ns - expires) / NS_PER_S:g} s ago",
        )
    kind = order.type
    if order.price is None and (kind is _LIMIT or kind is _STOP_LIMIT):
        text = f"a {kind.value.replace('_', '-')} order needs a price"
        return Denial(DenialCode.PRICE_OFF_TICK, text)
    if order.trigger is None and (kind is _STOP or kind is _STOP_LIMIT):
        text = f"a {kind.value.replace('_', '-')} order needs a trigger"
        return Denial(DenialCode.PRICE_OFF_TICK, text)
    quantity = order.quantity
    if not instrument.is_on_lot(quantity):
        return Denial(
            DenialCode.QUANTITY_OFF_LOT,
            f"quantity {quantity} is not a multiple of {instrument.lot_size}",
        )
    if quantity <= 0:
        return Denial(
            DenialCode.QUANTITY_ZERO,
            f"quantity {quantity} must be at least {instrument.lot_size}",
        )
    return None
