"""Builders of bars that trading itself ends: by ticks, volume or value.

The Aggregator feeds them every sound trade; where bars are built of mids, those by
ticks count the changes of the mid instead. What fills a bar belongs to it whole and
closes it, so no trade is split and volume is conserved.
"""

from __future__ import annotations

from workstation.model.market import Bar
from workstation.model.timeframes import BarKind, Timeframe

__all__ = ["CountedBuilder"]


class CountedBuilder:
    """Build bars of one instrument and one counted timeframe."""

    __slots__ = (
        "_is_value",
        "_is_volume",
        "_limit",
        "close",
        "high",
        "instrument",
        "low",
        "open",
        "ticks",
        "timeframe",
        "trades",
        "ts_open",
        "turnover",
        "volume",
    )

    def __init__(self, instrument: str, timeframe: Timeframe) -> None:
        self.instrument = instrument
        self.timeframe = timeframe
        self._limit = timeframe.size
        self._is_volume = timeframe.kind is BarKind.VOLUME
        self._is_value = timeframe.kind is BarKind.VALUE
        self.ts_open = 0
        self.open = self.high = self.low = self.close = 0.0
        self.volume = self.turnover = 0.0
        self.trades = 0
        self.ticks = 0
        """Trades, or changes of the mid, in the open bar."""

    @property
    def counts_ticks(self) -> bool:
        """Tell whether so many ticks fill a bar, not what was traded."""
        return not (self._is_volume or self._is_value)

    def add(self, ts: int, price: float, size: float) -> Bar | None:
        """Take a trade at ``ts``; return the bar it filled, or None."""
        self._take(ts, price)
        self.volume += size
        self.turnover += price * size
        self.trades += 1
        if self._is_volume:
            done: float = self.volume
        elif self._is_value:
            done = self.turnover
        else:
            done = self.ticks
        return None if done < self._limit else self._filled(ts)

    def add_mid(self, ts: int, mid: float) -> Bar | None:
        """Take a mid at ``ts``, a tick where it moved; return the bar it filled."""
        if mid == self.close:
            return None
        self._take(ts, mid)
        return None if self.ticks < self._limit else self._filled(ts)

    def forming(self) -> Bar | None:
        """Return the open bar as it stands; None where nothing came yet."""
        return self._bar(self.ts_open) if self.ticks else None

    def suits(self, source: Timeframe) -> bool:
        """Tell that feed bars cannot say which trade filled a bar."""
        return source == self.timeframe

    def digest(self) -> tuple[object, ...]:
        """Return the whole state for the state hash."""
        return (
            self.timeframe,
            self.ts_open,
            (self.open, self.high, self.low, self.close),
            (self.volume, self.turnover, self.trades, self.ticks),
        )

    def _take(self, ts: int, price: float) -> None:
        if self.ticks == 0:
            self.ts_open = ts
            self.open = self.high = self.low = price
        elif price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.close = price
        self.ticks += 1

    def _filled(self, ts: int) -> Bar:
        bar = self._bar(ts)
        self.volume = self.turnover = 0.0
        self.trades = self.ticks = 0
        return bar

    def _bar(self, ts_recv: int) -> Bar:
        return Bar(
            self.instrument,
            ts_recv,
            self.timeframe,
            self.ts_open,
            self.open,
            self.high,
            self.low,
            self.close,
            self.volume,
            self.turnover,
            self.trades,
        )
