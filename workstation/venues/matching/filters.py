"""The filters of a venue: which orders it refuses for what they ask."""

from __future__ import annotations

from decimal import Decimal

from workstation.model.instruments import Instrument
from workstation.venues.matching.orders import Terms

__all__ = [
    "notional_problem",
    "price_problem",
    "quantity_problem",
    "terms_problem",
]


def terms_problem(
    terms: Terms, instrument: Instrument, reference: Decimal | None
) -> str | None:
    """Return why an order is refused, or None.

    ``reference`` is the price a market order would get, for the least notional; an
    order that only reduces is exempt from that, or a small rest could never be closed.
    """
    problem = quantity_problem(terms.quantity, instrument, terms.price)
    for price in (terms.price, terms.trigger):
        problem = problem or (
            None if price is None else price_problem(price, instrument)
        )
    if problem is not None or terms.reduce_only or not instrument.min_notional:
        return problem
    price = terms.price or terms.trigger or reference
    if price is None:
        return None
    return notional_problem(terms.quantity * price, instrument)


def price_problem(price: Decimal, instrument: Instrument) -> str | None:
    """Return what is wrong with a price, or None."""
    if not (price > 0 and instrument.is_on_tick(price)):
        return f"price {price} is not on tick {instrument.tick_size}"
    if price < instrument.min_price:
        return f"price {price} is below the lowest of {instrument.min_price}"
    if instrument.max_price and price > instrument.max_price:
        return f"price {price} is above the highest of {instrument.max_price}"
    return None


def quantity_problem(
    quantity: Decimal, instrument: Instrument, price: Decimal | None
) -> str | None:
    """Return what is wrong with a quantity at a price, or None.

    Without a price it is that of a market order, which has a maximum of its own.
    """
    if not (quantity > 0 and instrument.is_on_lot(quantity)):
        return f"quantity {quantity} is not on lot {instrument.lot_size}"
    if quantity < instrument.min_quantity:
        return f"quantity {quantity} is below the least of {instrument.min_quantity}"
    most = instrument.most(price)
    if most is not None and quantity > most:
        kind = "a market order" if price is None else f"one at {price}"
        return f"quantity {quantity} is above {most}, the most of {kind}"
    return None


def notional_problem(notional: Decimal, instrument: Instrument) -> str | None:
    """Return that an order is worth too little, or None."""
    if notional >= instrument.min_notional:
        return None
    return f"notional {notional.normalize():f} is below {instrument.min_notional}"
