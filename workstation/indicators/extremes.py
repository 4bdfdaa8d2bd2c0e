"""The highest high and lowest low of the last ``period`` bars, a part of other streams.

As in ``Sma``, bars are taken in blocks of ``period``: a window is the tail of the last
block, whose extremes are known for every length, and the head of this one. A bar costs
two comparisons each, the end of a block ``period`` of them.
"""

from __future__ import annotations

from itertools import accumulate

from workstation.indicators.stream import Bar, State, Stream, check_state, is_sound


class Extremes(Stream):
    """Stream (highest high, lowest low) of a window."""

    # The rings are filled from their ends down to 0, so that `_high_tails[k]` is the
    # highest of the k + 1 newest bars of the last block. Tails are empty until one
    # block is complete.
    __slots__ = (
        "_at",
        "_high_tails",
        "_highest",
        "_highs",
        "_low_tails",
        "_lowest",
        "_lows",
    )

    def __init__(self, period: int) -> None:
        self.rejected = 0
        self._highs = [0.0] * period
        self._lows = [0.0] * period
        self._high_tails: list[float] = []
        self._low_tails: list[float] = []
        self._highest = -1e100
        self._lowest = 1e100
        self._at = period - 1

    def update(self, bar: Bar) -> tuple[float, float] | None:
        """Take a bar and return the extremes, or None before the window is full."""
        if not is_sound(bar):
            self.rejected += 1
            return None
        return self.take(bar.high, bar.low)

    def take(self, high: float, low: float) -> tuple[float, float] | None:
        """Take a sound bar and return the extremes, or None before it is full."""
        at = self._at
        self._highs[at] = high
        self._lows[at] = low
        if not at:
            return self._end_block()
        self._at = at = at - 1
        highest = self._highest
        lowest = self._lowest
        if high > highest:
            self._highest = highest = high
        if low < lowest:
            self._lowest = lowest = low
        tails = self._high_tails
        if not tails:
            return None
        tail = tails[at]
        if tail > highest:
            highest = tail
        tail = self._low_tails[at]
        if tail < lowest:
            lowest = tail
        return (highest, lowest)

    def _end_block(self) -> tuple[float, float]:
        self._add_tails()
        self._highest, self._lowest = -1e100, 1e100
        self._at = len(self._highs) - 1
        return (self._high_tails[-1], self._low_tails[-1])

    def _add_tails(self) -> None:
        self._high_tails = list(accumulate(self._highs, max))
        self._low_tails = list(accumulate(self._lows, min))

    def state(self) -> State:
        """Return (window full, next slot, highs…, lows…)."""
        return (int(bool(self._high_tails)), self._at, *self._highs, *self._lows)

    def restore(self, state: State) -> None:
        """Continue from ``state``; the tails are looked for again."""
        size = len(self._highs)
        check_state(self, state, lambda s: s[0] in (0, 1) and s[1] in range(size))
        self._at = at = int(state[1])
        self._highs = [float(x) for x in state[2 : 2 + size]]
        self._lows = [float(x) for x in state[2 + size :]]
        self._highest = max(self._highs[at + 1 :], default=-1e100)
        self._lowest = min(self._lows[at + 1 :], default=1e100)
        self._high_tails, self._low_tails = [], []
        if state[0]:
            self._add_tails()
