"""The market as it was at the close of past bars: all that a shadow run may see.

Windows and indicators of its own, filled bar by bar from copies; no quotes, no book, no
figures. Implements the market's views of ``model.ports``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby
from operator import attrgetter

from workstation.market.running import IndicatorKey, RunningIndicator, parameters
from workstation.market.window import BarWindow
from workstation.model.market import Bar
from workstation.model.ports import BookView, InstrumentView
from workstation.model.timeframes import Timeframe

__all__ = ["PastInstrument", "PastMarket"]

_closed_at = attrgetter("ts_recv")


class _NoFigures:
    """Figures that are all unknown: no processor has seen these bars."""

    def __getattr__(self, name: str) -> float | None:
        if name.startswith("__"):
            raise AttributeError(name)
        return None

    def get(self, name: str) -> float | None:
        """Return nothing."""
        return None

    def names(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()


class PastInstrument:
    """One instrument whose last closed bar is all that is known of it."""

    def __init__(self, instrument: str) -> None:
        self.instrument = instrument
        self.bid = self.bid_size = self.ask = self.ask_size = 0.0
        self.last = 0.0
        self.ts_recv = 0
        self.latency_ns: int | None = None
        self.bars_only = True
        self.day_open = 0.0
        self.figures = _NoFigures()
        self.book: BookView | None = None
        self.is_top_proven = False

    @property
    def mid(self) -> float | None:
        """Return nothing: there are no quotes."""
        return None

    @property
    def mark(self) -> float | None:
        """Return the last close."""
        return self.last or None


class PastMarket:
    """Bars of some instruments, one length each, taken again one by one."""

    def __init__(self, timeframe: Timeframe, bars: Mapping[str, Sequence[Bar]]) -> None:
        self._bars = bars
        self._live = {name: PastInstrument(name) for name in bars}
        self._windows = {
            name: BarWindow(timeframe, max(1, len(kept))) for name, kept in bars.items()
        }
        self._running: dict[str, dict[IndicatorKey, RunningIndicator]] = {
            name: {} for name in bars
        }

    def moments(self) -> Iterator[tuple[int, list[Bar]]]:
        """Yield each close with the bars that closed then, having taken them."""
        merged = merge(*self._bars.values(), key=_closed_at)
        for ts, group in groupby(merged, key=_closed_at):
            closed = list(group)
            for bar in closed:
                self._take(bar)
            yield ts, closed

    def _take(self, bar: Bar) -> None:
        self._windows[bar.instrument].append(bar)
        for running in self._running[bar.instrument].values():
            running.update(bar)
        live = self._live[bar.instrument]
        live.last = bar.close
        live.ts_recv = bar.ts_recv

    def instrument(self, instrument: str) -> PastInstrument:
        """Return what is known of an instrument."""
        return self._live[instrument]

    def bars(self, instrument: str, timeframe: Timeframe) -> BarWindow:
        """Return the bars taken so far."""
        return self._windows[instrument]

    def indicator(
        self, instrument: str, timeframe: Timeframe, name: str, **params: float | str
    ) -> RunningIndicator:
        """Return the running indicator over the bars taken so far."""
        key, definition = parameters(name, params)
        running = self._running[instrument].get(key)
        if running is None:
            running = self._running[instrument][key] = RunningIndicator(key, definition)
            running.warm(self._windows[instrument])
        return running

    def distrust(self, instrument: str, now_ns: int) -> str | None:
        """Return nothing: what has closed is trusted."""
        return None

    def age_limit(self, instrument: str) -> int:
        """Return that anything may be old."""
        return 1 << 62

    def follow(
        self, instrument: str, tick: Callable[[InstrumentView, object], None]
    ) -> Callable[[], None]:
        """Follow nothing: between the closes there are no ticks."""
        return lambda: None
