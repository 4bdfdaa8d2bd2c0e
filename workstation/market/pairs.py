"""Ordered pairs: where to buy, where to sell, and what that leaves after all fees.

The opportunity detector keeps one for each direction between two venues of a market
and one for each spread it watches. A selling price below ``ratio`` × the buying price
leaves no edge for certain; what is decided and reported is exact.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import NamedTuple

from workstation.kernel.clock import Timer
from workstation.market.live import LiveInstrument
from workstation.model.events import OpportunityClosed
from workstation.model.instruments import Instrument, Side, to_decimal
from workstation.model.opportunities import Opportunity, OpportunityEnd, OpportunityKind

__all__ = ["Leg", "Offer", "Pair"]

# The float test may let through what the exact one refuses, never the reverse: its
# three roundings err by less than 4e-16 each.
_SLACK = 1.0 - 1e-14


class Leg(NamedTuple):
    """An instrument as a side of pairs: its grid, its live figures, its taker fee."""

    instrument: Instrument
    live: LiveInstrument
    fee: Decimal


class Offer(NamedTuple):
    """What both sides show now, on their grids; money is in the quote currency."""

    buy_price: Decimal
    sell_price: Decimal
    size: Decimal
    gross: Decimal
    fees: Decimal

    def bps(self, amount: Decimal) -> float:
        """Return an amount per unit in bps of the buying price."""
        return float(amount * 10_000 / self.buy_price)


class Pair:
    """One way to buy and sell, with the opportunity that is open on it, if any.

    ``seen`` counts its opportunities, ``ready_ns`` is the end of the cool-down,
    ``closed`` what became of the last. ``shown`` are the figures ``opportunity`` was
    made of: while they stand there is nothing to compute again.
    """

    __slots__ = (
        "best_bps",
        "buy",
        "buy_live",
        "closed",
        "kind",
        "least_bps",
        "least_notional",
        "lot",
        "market",
        "opportunity",
        "ratio",
        "ready_ns",
        "seen",
        "sell",
        "sell_live",
        "shown",
        "timer",
    )

    def __init__(
        self,
        kind: OpportunityKind,
        market: str,
        buy: Leg,
        sell: Leg,
        least_bps: float,
        least_notional: Decimal,
    ) -> None:
        self.kind = kind
        self.market = market
        self.buy = buy
        self.sell = sell
        # Bound once: the detector looks at them on every quote.
        self.buy_live = buy.live
        self.sell_live = sell.live
        self.least_bps = to_decimal(least_bps)
        self.least_notional = max(
            least_notional, buy.instrument.min_notional, sell.instrument.min_notional
        )
        self.lot = common_lot(buy.instrument.lot_size, sell.instrument.lot_size)
        kept = 1 - sell.fee
        cost = 1 + buy.fee + self.least_bps / 10_000
        # Selling keeps nothing where the fee takes all: no price is high enough.
        self.ratio = float(cost / kept) * _SLACK if kept > 0 else math.inf
        self.seen = 0
        self.ready_ns = 0
        self.best_bps = 0.0
        self.opportunity: Opportunity | None = None
        self.shown: tuple[float, float, float, float] | None = None
        self.closed: OpportunityClosed | None = None
        self.timer: Timer | None = None

    @property
    def is_spread(self) -> bool:
        """Tell whether it stays inside one instrument's spread."""
        return self.kind is OpportunityKind.WIDE_SPREAD

    def figures(self) -> tuple[float, float, float, float]:
        """Return buying price and size, selling price and size, as the venues say."""
        buy, sell = self.buy_live, self.sell_live
        if self.is_spread:
            return buy.bid, buy.bid_size, sell.ask, sell.ask_size
        return buy.ask, buy.ask_size, sell.bid, sell.bid_size

    def offer(self) -> Offer:
        """Return what both sides show, prices on their ticks and against us."""
        bought, buy_size, sold, sell_size = self.figures()
        # Instrument rounds an order's price passively; this is the other way.
        buy_price = _on_tick(self.buy.instrument, bought, Side.SELL)
        sell_price = _on_tick(self.sell.instrument, sold, Side.BUY)
        size = to_decimal(min(buy_size, sell_size))
        return Offer(
            buy_price,
            sell_price,
            size - size % self.lot,
            sell_price - buy_price,
            buy_price * self.buy.fee + sell_price * self.sell.fee,
        )

    def refusal(self, offer: Offer) -> OpportunityEnd | None:
        """Return why this is no opportunity, or None."""
        left = offer.gross - offer.fees
        if left <= 0 or left * 10_000 < self.least_bps * offer.buy_price:
            return OpportunityEnd.EDGE_GONE
        notional = offer.size * offer.buy_price
        if offer.size <= 0 or notional < self.least_notional:
            return OpportunityEnd.TOO_SMALL
        return None

    def digest(self) -> tuple[object, ...]:
        """Return the state in plain values."""
        found = self.opportunity
        return (
            *(self.kind.value, self.buy.instrument.id, self.sell.instrument.id),
            *(self.seen, self.ready_ns, self.best_bps),
            None if found is None else (found.number, self.shown),
        )


def _on_tick(instrument: Instrument, price: float, side: Side) -> Decimal:
    exact = to_decimal(price)
    tick = instrument.tick_size
    # Venues quote on their tick: seeing that costs a third of rounding to it.
    if exact % tick == 0:
        return exact.quantize(tick)
    return instrument.round_price(exact, side)


def common_lot(one: Decimal, other: Decimal) -> Decimal:
    """Return the least quantity that is on both lots: mostly the coarser one."""
    scale = min(_exponent(one), _exponent(other))
    units = math.lcm(int(one.scaleb(-scale)), int(other.scaleb(-scale)))
    return Decimal(units).scaleb(scale)


def _exponent(step: Decimal) -> int:
    exponent = step.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
