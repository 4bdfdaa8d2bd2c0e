"""Sizing: how much an entry is, by the mode the strategy's settings name."""

from __future__ import annotations

from decimal import Decimal

from workstation.model.instruments import Instrument, to_decimal
from workstation.strategy.settings import StrategySettings

__all__ = ["entry_quantity"]


def entry_quantity(
    settings: StrategySettings,
    instrument: Instrument,
    price: float,
    equity: Decimal,
    asked: float | None,
) -> Decimal:
    """Return the quantity on the lot, rounded down; 0 where it is less than a lot.

    ``asked`` is the base quantity that the script named, if it did. Without one,
    ``size`` is a base quantity, a quote notional, or a fraction of ``equity``.
    """
    if asked is not None:
        return instrument.round_quantity(asked)
    size = to_decimal(settings.size)
    if settings.size_mode == "quantity":
        return instrument.round_quantity(size)
    notional = size if settings.size_mode == "notional" else equity * size
    return instrument.round_quantity(max(notional, Decimal(0)) / to_decimal(price))
