"""Instruments: what can be traded, and what prices and quantities an order may have."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from msgspec import Struct

__all__ = ["Instrument", "Side", "decimals_of", "plain_symbol", "to_decimal"]

_SEPARATORS = {ord(mark): None for mark in "/-_"}


class Side(StrEnum):
    """Side of an order, a fill, or the aggressor of a trade."""

    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        """Return the other side."""
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        """Return +1 for a buy and −1 for a sell."""
        return 1 if self is Side.BUY else -1


def to_decimal(value: float | int | str | Decimal) -> Decimal:
    """Convert without binary noise: a float by its shortest decimal form."""
    # The floats of the market first: of all there is, most come from there.
    if isinstance(value, float):
        return Decimal(repr(value))
    return value if isinstance(value, Decimal) else Decimal(value)


def plain_symbol(symbol: str) -> str:
    """Return a venue's symbol without its separators: BTC/USD and BTC-USD are one."""
    return symbol.upper().translate(_SEPARATORS)


class Instrument(Struct, frozen=True, kw_only=True):
    """One instrument at one venue.

    ``tick_size`` and ``lot_size`` are the grid of prices and quantities. Of one order,
    ``min_quantity`` and ``max_quantity`` bound the quantity, ``market_max_quantity``
    that of one without a price, too; ``min_price`` and ``max_price`` its prices,
    ``min_notional`` and ``max_notional`` price × quantity in the quote currency, the
    latter where it has a price. 0 = no bound.
    ``market`` is what the same thing is called at every venue; empty where that is
    the symbol without its separators.
    """

    id: str
    venue: str
    symbol: str
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    min_notional: Decimal = Decimal(0)
    max_notional: Decimal = Decimal(0)
    min_quantity: Decimal = Decimal(0)
    max_quantity: Decimal = Decimal(0)
    market_max_quantity: Decimal = Decimal(0)
    min_price: Decimal = Decimal(0)
    max_price: Decimal = Decimal(0)
    market: str = ""

    @property
    def common_symbol(self) -> str:
        """Return the name under which venues are compared."""
        return plain_symbol(self.market or self.symbol)

    @property
    def price_decimals(self) -> int:
        """Return how many decimals a price on the tick has."""
        return decimals_of(self.tick_size)

    @property
    def quantity_decimals(self) -> int:
        """Return how many decimals a quantity on the lot has."""
        return decimals_of(self.lot_size)

    def round_price(self, price: float | Decimal, side: Side) -> Decimal:
        """Return the price on the tick, never more aggressive: bids down, asks up."""
        rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
        return _on_grid(to_decimal(price), self.tick_size, rounding)

    def nearest_price(self, price: float | Decimal) -> Decimal:
        """Return the nearest price on the tick (half to even), for venue prices."""
        return _on_grid(to_decimal(price), self.tick_size, ROUND_HALF_EVEN)

    def round_quantity(self, quantity: float | Decimal) -> Decimal:
        """Return the quantity on the lot, rounded towards zero."""
        return _on_grid(to_decimal(quantity), self.lot_size, "ROUND_DOWN")

    def ceil_quantity(self, quantity: float | Decimal) -> Decimal:
        """Return the least quantity on the lot that is no smaller."""
        return _on_grid(to_decimal(quantity), self.lot_size, ROUND_CEILING)

    def within_prices(self, price: Decimal) -> Decimal:
        """Return the price on the tick that is nearest to it within the bounds."""
        if price < self.min_price:
            return _on_grid(self.min_price, self.tick_size, ROUND_CEILING)
        if self.max_price and price > self.max_price:
            return _on_grid(self.max_price, self.tick_size, ROUND_FLOOR)
        return price

    def most(self, price: Decimal | None) -> Decimal | None:
        """Return the largest quantity of one order at a price; None = any.

        Without a price it is a market order. What the value allows is on the lot.
        """
        bounds = [self.max_quantity] if self.max_quantity else []
        if price is None:
            if self.market_max_quantity:
                bounds.append(self.market_max_quantity)
        elif self.max_notional and price > 0:
            bounds.append(self.round_quantity(self.max_notional / price))
        return min(bounds, default=None)

    def is_on_tick(self, price: Decimal) -> bool:
        """Tell whether the price is a multiple of the tick size."""
        return price % self.tick_size == 0

    def is_on_lot(self, quantity: Decimal) -> bool:
        """Tell whether the quantity is a multiple of the lot size."""
        return quantity % self.lot_size == 0


def _on_grid(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    steps = (value / step).to_integral_value(rounding=rounding)
    return (steps * step).quantize(step)


def decimals_of(step: Decimal) -> int:
    """Return how many digits after the point an amount needs: 0.050 needs 2."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
