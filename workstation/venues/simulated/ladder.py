"""The order book of a simulated symbol: whole ticks and lots, one update id per change.

The market of the symbol mutates it; ``drain`` hands out what changed since the last
time, as venues do with book differences. It is never crossed.
"""

from __future__ import annotations

from random import Random

from workstation.model.market import Level

__all__ = ["Ladder"]


class Ladder:
    """Both sides of a book; the best price of a side is the last of its list."""

    __slots__ = (
        "_gap_ticks",
        "_levels",
        "_lot_scale",
        "_lot_units",
        "_mean_lots",
        "_rng",
        "_tick_scale",
        "_tick_units",
        "asks",
        "bids",
        "changed_asks",
        "changed_bids",
        "sizes",
        "update_id",
    )

    def __init__(
        self,
        rng: Random,
        *,
        levels: int,
        gap_ticks: float,
        mean_lots: float,
        tick: tuple[int, float],
        lot: tuple[int, float],
        update_id: int,
    ) -> None:
        """``tick`` and ``lot`` are units and scale: 0.05 is 5 units of 1/100."""
        self._rng = rng
        self._levels = levels
        self._gap_ticks = gap_ticks
        self._mean_lots = mean_lots
        self._tick_units, self._tick_scale = tick
        self._lot_units, self._lot_scale = lot
        self.bids: list[int] = []
        self.asks: list[int] = []
        self.sizes: dict[int, int] = {}
        self.changed_bids: dict[int, int] = {}
        self.changed_asks: dict[int, int] = {}
        self.update_id = update_id

    def price(self, ticks: int) -> float:
        """Return the float nearest to this many ticks (division rounds correctly)."""
        return ticks * self._tick_units / self._tick_scale

    def size(self, lots: int) -> float:
        """Return the float nearest to this many lots."""
        return lots * self._lot_units / self._lot_scale

    def move(self, bid: int, ask: int) -> None:
        """Make ``bid`` < ``ask`` the best prices; levels between them disappear."""
        bids, asks, sizes = self.bids, self.asks, self.sizes
        while bids and bids[-1] > bid:
            gone = bids.pop()
            del sizes[gone]
            self.changed_bids[gone] = 0
            self.update_id += 1
        while asks and asks[-1] < ask:
            gone = asks.pop()
            del sizes[gone]
            self.changed_asks[gone] = 0
            self.update_id += 1
        if not bids or bids[-1] < bid:
            bids.append(bid)
            self._resize(bid, self.changed_bids)
        if not asks or asks[-1] > ask:
            asks.append(ask)
            self._resize(ask, self.changed_asks)
        self._trim(bids, self.changed_bids, -1)
        self._trim(asks, self.changed_asks, 1)

    def refresh(self, on_bid: bool, depth: int) -> None:
        """Give the level ``depth`` below the best of a side another size."""
        side = self.bids if on_bid else self.asks
        ticks = side[max(-len(side), -1 - depth)]
        self._resize(ticks, self.changed_bids if on_bid else self.changed_asks)

    def take(self, from_bid: bool, lots: int) -> tuple[int, int]:
        """Trade up to ``lots`` at the best of a side; return its ticks and the lots.

        A level that is taken whole is refilled at once: prices move by quotes only.
        """
        ticks = self.bids[-1] if from_bid else self.asks[-1]
        there = self.sizes[ticks]
        changed = self.changed_bids if from_bid else self.changed_asks
        if lots < there:
            self.sizes[ticks] = changed[ticks] = there - lots
            self.update_id += 1
            return ticks, lots
        self._resize(ticks, changed)
        return ticks, there

    def drain(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Return the changed bids and asks, best first, and forget them."""
        bids = tuple(
            (self.price(ticks), self.size(lots))
            for ticks, lots in sorted(self.changed_bids.items(), reverse=True)
        )
        asks = tuple(
            (self.price(ticks), self.size(lots))
            for ticks, lots in sorted(self.changed_asks.items())
        )
        self.changed_bids.clear()
        self.changed_asks.clear()
        return bids, asks

    def whole(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Return all bids and asks, best first."""
        bids, asks = (
            tuple(
                (self.price(ticks), self.size(self.sizes[ticks]))
                for ticks in reversed(side)
            )
            for side in (self.bids, self.asks)
        )
        return bids, asks

    def _resize(self, ticks: int, changed: dict[int, int]) -> None:
        lots = 1 + int(self._mean_lots * self._rng.expovariate(1.0))
        if lots == self.sizes.get(ticks):
            lots += 1
        self.sizes[ticks] = changed[ticks] = lots
        self.update_id += 1

    def _trim(self, side: list[int], changed: dict[int, int], outward: int) -> None:
        """Keep the count of levels: drop the deepest, or add beyond it."""
        while len(side) > self._levels:
            gone = side.pop(0)
            del self.sizes[gone]
            changed[gone] = 0
            self.update_id += 1
        while len(side) < self._levels:
            gap = 1 + int(self._gap_ticks * self._rng.expovariate(1.0))
            ticks = side[0] + outward * gap
            if ticks < 1:
                return
            side.insert(0, ticks)
            self._resize(ticks, changed)
