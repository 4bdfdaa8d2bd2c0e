"""Builders of bars of the clock, one per instrument and timeframe.

The Aggregator gathers an instrument's ticks in lists and hands them to all builders as
one ``Slice``: at every boundary of its timetable, and at least every few seconds. A
tick belongs to the bar that is open when it is taken. A closed bar is never changed
and none is closed twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from operator import mul

from msgspec import Struct

from workstation.model.market import Bar
from workstation.model.timeframes import Timeframe

__all__ = ["BarBuilder", "Slice"]

_INFINITY = float("inf")


class Slice(Struct, frozen=True, gc=False):
    """What some ticks in a row, or a feed's bar, add to an open bar."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    turnover: float
    trades: int

    @classmethod
    def of(cls, prices: Sequence[float], sizes: Sequence[float]) -> Slice:
        """Return the slice of one tick or more; mids have prices alone.

        Sums are exact but for one rounding (fsum): what an open bar shows does not
        depend on how its ticks were cut into slices by more than that.
        """
        # Sorting floats costs half of looking for the highest and the lowest.
        ranked = sorted(prices)
        return cls(
            prices[0],
            ranked[-1],
            ranked[0],
            prices[-1],
            fsum(sizes),
            fsum(map(mul, prices, sizes)),
            len(sizes),
        )


class BarBuilder:
    """Build bars of one instrument and timeframe.

    The open bar has ``high`` = −∞ while nothing came. Volume and turnover are sums with
    compensation (Kahan), so that a bar of a million trades is as exact as one of ten.
    """

    __slots__ = (
        "_last_open",
        "_source",
        "_turnover_rest",
        "_volume_rest",
        "close",
        "high",
        "instrument",
        "low",
        "open",
        "timeframe",
        "trades",
        "ts_open",
        "turnover",
        "volume",
    )

    def __init__(self, instrument: str, timeframe: Timeframe) -> None:
        self.instrument = instrument
        self.timeframe = timeframe
        self.ts_open = 0
        self.open = 0.0
        self.high = -_INFINITY
        self.low = _INFINITY
        self.close: float | None = None
        self.volume = self._volume_rest = 0.0
        self.turnover = self._turnover_rest = 0.0
        self.trades = 0
        # The last feed bar taken and what it was; −1 and None before one.
        self._last_open = -1
        self._source: Timeframe | None = None

    def begin(self, ts: int) -> None:
        """Set the interval at the first tick; a part built from feed bars stays."""
        start = self.timeframe.start(ts)
        if start > self.ts_open:
            self._clear(start)

    def absorb(self, part: Slice) -> None:
        """Take ticks into the open bar."""
        if self.high == -_INFINITY:
            self.open = part.open
        if part.high > self.high:
            self.high = part.high
        if part.low < self.low:
            self.low = part.low
        self.close = part.close
        more = part.volume - self._volume_rest
        total = self.volume + more
        self._volume_rest = (total - self.volume) - more
        self.volume = total
        more = part.turnover - self._turnover_rest
        total = self.turnover + more
        self._turnover_rest = (total - self.turnover) - more
        self.turnover = total
        self.trades += part.trades

    def finish(self, boundary: int, *, repeat: bool) -> Bar | None:
        """Close the interval that ends at ``boundary`` and begin the next.

        An interval without a tick gives None, or where ``repeat`` is set the close
        before it as a flat bar; nothing before the first price.
        """
        close = self.close
        if self.high == -_INFINITY:
            if close is None or not repeat:
                self._clear(boundary)
                return None
            self.open = self.high = self.low = close
        bar = self._bar(boundary)
        self._clear(boundary)
        return bar

    def forming(self, waiting: Slice | None = None) -> Bar | None:
        """Return the open bar as it stands, with ticks that wait to be absorbed.

        None where nothing came yet. Changes nothing: looking is no input.
        """
        if waiting is not None:
            shown = BarBuilder(self.instrument, self.timeframe)
            for name in _SUMS:
                setattr(shown, name, getattr(self, name))
            shown.absorb(waiting)
            return shown.forming()
        return None if self.high == -_INFINITY else self._bar(self.ts_open)

    def suits(self, source: Timeframe) -> bool:
        """Tell whether these bars can be made of such feed bars."""
        return self.timeframe.is_made_of(source)

    def take(self, bar: Bar) -> tuple[Bar, ...]:
        """Take a suitable feed bar; return what it closed, oldest first.

        One of the same length passes through. A late or doubled one, or one of another
        length than the first, is left out.
        """
        if self._source is None:
            self._source = bar.timeframe
        if bar.timeframe != self._source or bar.ts_open <= self._last_open:
            return ()
        self._last_open = bar.ts_open
        if bar.timeframe == self.timeframe:
            self.close = bar.close
            self.ts_open = bar.ts_close
            return (bar,)
        closed: tuple[Bar, ...] = ()
        start = self.timeframe.start(bar.ts_open)
        if start > self.ts_open:
            if self.high != -_INFINITY:
                closed = (self._bar(bar.ts_recv),)
            self._clear(start)
        elif start < self.ts_open:
            return ()
        self.absorb(
            Slice(
                *(bar.open, bar.high, bar.low, bar.close),
                *(bar.volume, bar.turnover, bar.trades),
            )
        )
        end = self.timeframe.end(start)
        if bar.ts_close >= end:
            closed = (*closed, self._bar(bar.ts_recv))
            self._clear(end)
        return closed

    def digest(self) -> tuple[object, ...]:
        """Return the whole state for the state hash."""
        return (
            self.timeframe,
            self.ts_open,
            self._last_open,
            self._source,
            None
            if self.high == -_INFINITY
            else (self.open, self.high, self.low, self.volume, self.turnover),
            (self._volume_rest, self._turnover_rest),
            self.close,
            self.trades,
        )

    def _bar(self, ts_recv: int) -> Bar:
        close = self.close
        assert close is not None
        return Bar(
            self.instrument,
            ts_recv,
            self.timeframe,
            self.ts_open,
            self.open,
            self.high,
            self.low,
            close,
            self.volume,
            self.turnover,
            self.trades,
        )

    def _clear(self, ts_open: int) -> None:
        self.ts_open = ts_open
        self.high = -_INFINITY
        self.low = _INFINITY
        self.volume = self._volume_rest = 0.0
        self.turnover = self._turnover_rest = 0.0
        self.trades = 0


_SUMS = (
    *("ts_open", "open", "high", "low", "close", "volume", "turnover", "trades"),
    *("_volume_rest", "_turnover_rest"),
)
