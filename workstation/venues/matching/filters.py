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
    problem = quantity_problem(terms.quantity, instrument)
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
    if price > 0 and instrument.is_on_tick(price):
        return None
    return f"price {price} is not on tick {instrument.tick_size}"


def quantity_problem(quantity: Decimal, instrument: Instrument) -> str | None:
    """Return what is wrong with a quantity, or None."""
    if quantity > 0 and instrument.is_on_lot(quantity):
        return None
    return f"quantity {quantity} is not on lot {instrument.lot_size}"


def notional_problem(notional: Decimal, instrument: Instrument) -> str | None:
    """Return that an order is worth too little, or None."""
    if notional >= instrument.min_notional:
        return None
    return f"notional {notional.normalize():f} is below {instrument.min_notional}"
