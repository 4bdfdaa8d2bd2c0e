"""The shape of an order: price and quantity as the venue takes them, an end ahead.

Every order must have it, also one that only reduces. The risk stage asks.
"""

from __future__ import annotations

from decimal import Decimal

from workstation.execution.denials import Denial, DenialCode
from workstation.model.instruments import Instrument
from workstation.model.money import grouped
from workstation.model.orders import Order, OrderType, TimeInForce
from workstation.model.timeframes import NS_PER_S

__all__ = ["bad_price", "misshapen"]

ZERO = Decimal(0)
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_LIMIT, _GTD = OrderType.LIMIT, TimeInForce.GTD
_STOP, _STOP_LIMIT = OrderType.STOP, OrderType.STOP_LIMIT


def misshapen(order: Order, instrument: Instrument, now_ns: int) -> Denial | None:
    """Return what is wrong with an order by itself, if anything."""
    price, trigger = order.price, order.trigger
    if price is not None and (denial := bad_price(price, instrument)) is not None:
        return denial
    if trigger is not None and (denial := bad_price(trigger, instrument)) is not None:
        return denial
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
    if price is None and (kind is _LIMIT or kind is _STOP_LIMIT):
        text = f"a {kind.value.replace('_', '-')} order needs a price"
        return Denial(DenialCode.PRICE_OFF_TICK, text)
    if trigger is None and (kind is _STOP or kind is _STOP_LIMIT):
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
    return _too_small(order, instrument) or _too_large(order, instrument)


def bad_price(price: Decimal, instrument: Instrument) -> Denial | None:
    """Return what is wrong with a price or a trigger by itself, if anything."""
    if not (price > 0 and instrument.is_on_tick(price)):
        return Denial(
            DenialCode.PRICE_OFF_TICK,
            f"price {price} is not a positive multiple of {instrument.tick_size}",
        )
    if price < instrument.min_price:
        return Denial(
            DenialCode.PRICE_BELOW_MINIMUM,
            f"price {price} is below min_price {instrument.min_price}",
        )
    if instrument.max_price and price > instrument.max_price:
        return Denial(
            DenialCode.PRICE_ABOVE_MAXIMUM,
            f"price {price} is above max_price {instrument.max_price}",
        )
    return None


def _too_small(order: Order, instrument: Instrument) -> Denial | None:
    least = instrument.min_quantity
    if order.quantity >= least:
        return None
    return Denial(
        DenialCode.QUANTITY_BELOW_MINIMUM,
        f"quantity {order.quantity} is below min_quantity {least}",
    )


def _too_large(order: Order, instrument: Instrument) -> Denial | None:
    quantity, price, name = order.quantity, order.price, "max_quantity"
    most = instrument.max_quantity
    # A stop without a price is a market order once it is triggered.
    of_market = instrument.market_max_quantity if price is None else ZERO
    if of_market and not (most and most <= of_market):
        most, name = of_market, "market_max_quantity"
    if most and quantity > most:
        return Denial(
            DenialCode.QUANTITY_ABOVE_MAXIMUM,
            f"quantity {quantity} is above {name} {most}",
        )
    most = instrument.max_notional
    if price is None or not most or quantity * price <= most:
        return None
    return Denial(
        DenialCode.ABOVE_MAX_NOTIONAL,
        f"value {grouped(quantity * price)} is above max_notional {grouped(most)}",
    )
