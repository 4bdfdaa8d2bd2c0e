"""Builders of bars of the clock, one per instrument and timeframe.

The Aggregator feeds them ticks or feed bars and closes tick bars at the boundaries of
its timetable; a tick belongs to the bar that is open when it is taken. A closed bar is
never changed and none is closed twice.
"""

from __future__ import annotations

from workstation.model.market import Bar
from workstation.model.timeframes import Timeframe

__all__ = ["BarBuilder"]

_INFINITY = float("inf")


class BarBuilder:
    """Build bars of one instrument and timeframe.

    The open bar has ``high`` = −∞ while nothing came. The trade handler of the
    Aggregator writes these fields itself: a call per trade and timeframe would cost
    as much as the arithmetic.
    """

    __slots__ = (
        "_last_open",
        "_source",
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
        self.volume = 0.0
        self.turnover = 0.0
        self.trades = 0
        # The last feed bar taken and what it was; −1 and None before one.
        self._last_open = -1
        self._source: Timeframe | None = None

    def begin(self, ts: int) -> None:
        """Set the interval at the first tick; a part built from feed bars stays."""
        start = self.timeframe.start(ts)
        if start > self.ts_open:
            self._clear(start)

    def add(self, price: float) -> None:
        """Take a price without a size (a mid)."""
        if price > self.high:
            if self.high == -_INFINITY:
                self.open = price
            self.high = price
        if price < self.low:
            self.low = price
        self.close = price

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

    def forming(self) -> Bar | None:
        """Return the open bar as it stands; None where nothing came yet."""
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
        self._absorb(bar)
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
            self.close,
            self.trades,
        )

    def _absorb(self, bar: Bar) -> None:
        if self.high == -_INFINITY:
            self.open = bar.open
        self.high = max(self.high, bar.high)
        self.low = min(self.low, bar.low)
        self.close = bar.close
        self.volume += bar.volume
        self.turnover += bar.turnover
        self.trades += bar.trades

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
        self.volume = 0.0
        self.turnover = 0.0
        self.trades = 0
