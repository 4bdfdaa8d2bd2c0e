"""Sizing: how much an entry is, by what its action names or its strategy's settings.

A size that cannot be traded is refused with its numbers; it is never rounded up.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from workstation.model.instruments import Instrument, to_decimal
from workstation.strategy.actions import SizeMode

__all__ = ["Refusal", "Size", "entry_quantity", "refusal"]

ZERO = Decimal(0)


class Size(NamedTuple):
    """How much is wanted: a number, and what it means."""

    mode: SizeMode
    amount: float


class Refusal(NamedTuple):
    """Why a size cannot be traded: the stable code of the risk stage, and the text."""

    code: str
    text: str


def entry_quantity(
    size: Size,
    instrument: Instrument,
    price: float,
    equity: Decimal,
    stop: float | None = None,
) -> Decimal:
    """Return the quantity on the lot, rounded down; 0 where it is less than a lot.

    The amount is a base quantity, a quote notional, a fraction of ``equity``, or the
    fraction of it that is lost when a position entered at ``price`` ends at ``stop``.
    """
    amount = to_decimal(size.amount)
    if size.mode == "quantity":
        return instrument.round_quantity(amount)
    if size.mode == "notional":
        return instrument.round_quantity(amount / to_decimal(price))
    money = max(equity, ZERO) * amount
    if size.mode == "equity":
        return instrument.round_quantity(money / to_decimal(price))
    if stop is None or stop == price:
        raise ValueError("a size by risk needs a stop away from the price")
    return instrument.round_quantity(money / abs(to_decimal(price) - to_decimal(stop)))


def refusal(
    size: Size, instrument: Instrument, quantity: Decimal, price: float
) -> Refusal | None:
    """Return why this quantity at this price cannot be traded by one order, if so."""
    asked = f"{size.mode} {size.amount:g} at {price:g}"
    if quantity <= 0:
        return Refusal(
            "QUANTITY_ZERO",
            f"size is less than a lot of {instrument.lot_size}: {asked}",
        )
    notional = quantity * to_decimal(price)
    if notional < instrument.min_notional:
        return Refusal(
            "BELOW_MIN_NOTIONAL",
            f"value {notional} is below min_notional {instrument.min_notional}: "
            f"{asked} is {quantity}",
        )
    if quantity < instrument.min_quantity:
        return Refusal(
            "QUANTITY_BELOW_MINIMUM",
            f"quantity {quantity} is below min_quantity {instrument.min_quantity}: "
            f"{asked}",
        )
    most = instrument.max_quantity
    if most and quantity > most:
        return Refusal(
            "QUANTITY_ABOVE_MAXIMUM",
            f"quantity {quantity} is above max_quantity {most}: {asked}",
        )
    return None
