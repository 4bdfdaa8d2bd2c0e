"""What waits here for a price: triggers, watched per instrument.

The stops and targets of positions and the stop orders that are held here wait in one
list and are met by one comparison. The price watch shows it prices; what then happens
is the business of whoever waits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import Decimal

from workstation.model.instruments import Side, to_decimal
from workstation.model.ports import InstrumentView

__all__ = ["Triggers", "Waiting", "meeting_price"]

# Bound once: looking a member up in its enum costs ten times a global (3.11).
_SELL = Side.SELL


class Waiting(ABC):
    """Triggers of one order, or of one position; the floats are what prices meet.

    ``side`` is that of the order that is released. A seller's stop is met by a bid at
    or below it, a buyer's by an ask at or above it; a target from the other side.
    ``best`` is the best price so far, which a trailing stop follows.
    """

    __slots__ = ("best", "instrument", "owner", "side", "stop_float", "target_float")

    def __init__(self, owner: str, instrument: str, side: Side, best: float) -> None:
        self.owner = owner
        self.instrument = instrument
        self.side = side
        self.best = best
        self.stop_float: float | None = None
        self.target_float: float | None = None

    @abstractmethod
    def stop_met(self, price: float, ts: int) -> None:
        """Hear that a price has met the stop."""

    @abstractmethod
    def target_met(self, price: float, ts: int) -> None:
        """Hear that a price has met the target."""

    @abstractmethod
    def improved(self, best: float) -> None:
        """Hear of a price better than the best so far, where nothing was met."""


class Triggers:
    """All that wait, by instrument in the order in which they came."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Waiting]] = {}

    def add(self, waiting: Waiting) -> None:
        """Watch one more."""
        self.waiting.setdefault(waiting.instrument, []).append(waiting)

    def remove(self, waiting: Waiting) -> None:
        """Watch it no more; an instrument where nothing waits has no list."""
        here = self.waiting[waiting.instrument]
        here.remove(waiting)
        if not here:
            del self.waiting[waiting.instrument]

    def on_price(self, here: list[Waiting], bid: float, ask: float, ts: int) -> None:
        """Compare with the best prices: what a seller gets and a buyer pays."""
        if len(here) > 1:
            here = here.copy()
        for each in here:
            stop, target = each.stop_float, each.target_float
            if each.side is _SELL:
                if not bid > 0:
                    continue
                if stop is not None and bid <= stop:
                    each.stop_met(bid, ts)
                elif target is not None and bid >= target:
                    each.target_met(bid, ts)
                elif bid > each.best:
                    each.improved(bid)
            else:
                if not ask > 0:
                    continue
                if stop is not None and ask >= stop:
                    each.stop_met(ask, ts)
                elif target is not None and ask <= target:
                    each.target_met(ask, ts)
                elif ask < each.best:
                    each.improved(ask)

    def on_range(self, here: list[Waiting], low: float, high: float, ts: int) -> None:
        """Compare with a bar's range: the stop first, the new best afterwards."""
        for each in here.copy():
            stop, target = each.stop_float, each.target_float
            sells = each.side is _SELL
            if stop is not None and (low <= stop if sells else high >= stop):
                each.stop_met(low if sells else high, ts)
            elif target is not None and (high >= target if sells else low <= target):
                each.target_met(high if sells else low, ts)
            elif sells and high > each.best:
                each.improved(high)
            elif not sells and low < each.best:
                each.improved(low)


def meeting_price(view: InstrumentView, side: Side) -> Decimal | None:
    """Return the price that a trigger of this side would be compared with now."""
    best = view.bid if side is _SELL else view.ask
    price = best if best > 0 else view.mark or view.last
    return to_decimal(price) if price > 0 else None
