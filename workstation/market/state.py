"""What is known of the market, and the questions one may ask of it.

Strategies, the Executor and the screen read it as ``model.ports.MarketView``; only its
subclass, the Aggregator, changes the figures. Asking changes nothing, except that a new
indicator becomes part of the state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from workstation.market.bars import BarBuilder
from workstation.market.book import Book
from workstation.market.counted import CountedBuilder
from workstation.market.errors import UnknownInstrument, UnknownTimeframe
from workstation.market.gaps import GapEntry, GapLedger
from workstation.market.live import LiveInstrument
from workstation.market.pipeline.figures import Figures
from workstation.market.running import IndicatorKey, RunningIndicator, parameters
from workstation.market.settings import StorageSettings
from workstation.market.ticks import QuoteWindow, TradeWindow
from workstation.market.window import BarWindow
from workstation.model.instruments import Instrument
from workstation.model.market import Bar
from workstation.model.timeframes import NS_PER_MS, Timeframe

__all__ = ["MarketState"]

W = TypeVar("W")


class MarketState:
    """Hold the instruments, windows, indicators and the gap ledger of a run."""

    def __init__(
        self, settings: StorageSettings, instruments: Sequence[Instrument]
    ) -> None:
        self.settings = settings
        self._live = {item.id: LiveInstrument(item.id) for item in instruments}
        for live in self._live.values():
            live.keep_ticks(settings.quotes, settings.trades)
            live.takes_mids = settings.bar_source == "mid"
        self._stale_ns = settings.stale_ms * NS_PER_MS
        self._running: dict[
            tuple[str, Timeframe], dict[IndicatorKey, RunningIndicator]
        ] = {}
        self.indicators_made = 0
        """How many indicators there are; observers see by it that one is new."""
        self._gaps = GapLedger()

    def watch(self, instrument: str, timeframe: Timeframe) -> None:
        """Build these bars; to be said before the first event.

        Raises UnknownInstrument, or UnknownTimeframe once events have come.
        """
        live = self.instrument(instrument)
        if timeframe in live.windows:
            return
        if timeframe.size <= 0 or any(other.ts_recv for other in self._live.values()):
            raise UnknownTimeframe(instrument, timeframe, live.windows)
        live.windows[timeframe] = BarWindow(timeframe, self.settings.window)
        live.windows = dict(sorted(live.windows.items(), key=lambda it: it[0].order))
        if not timeframe.is_clocked:
            live.counted = (*live.counted, CountedBuilder(instrument, timeframe))
            return
        builders = (*live.builders, BarBuilder(instrument, timeframe))
        live.builders = tuple(sorted(builders, key=lambda item: item.timeframe.order))

    @property
    def instruments(self) -> tuple[str, ...]:
        """Return the ids of the instruments of the run, in their order."""
        return tuple(self._live)

    def instrument(self, instrument: str) -> LiveInstrument:
        """Return the live figures; raises UnknownInstrument."""
        try:
            return self._live[instrument]
        except KeyError:
            raise UnknownInstrument(instrument, self._live) from None

    def book(self, instrument: str) -> Book | None:
        """Return the order book, if the feed brings one."""
        return self.instrument(instrument).book

    def timeframes(self, instrument: str) -> tuple[Timeframe, ...]:
        """Return the bars that are built, shorter ones first."""
        return tuple(self.instrument(instrument).windows)

    def bars(self, instrument: str, timeframe: Timeframe) -> BarWindow:
        """Return the window of closed bars; raises UnknownTimeframe if not watched."""
        windows = self.instrument(instrument).windows
        try:
            return windows[timeframe]
        except KeyError:
            raise UnknownTimeframe(instrument, timeframe, windows) from None

    def quotes(self, instrument: str) -> QuoteWindow | None:
        """Return the window of best prices; None where none are kept."""
        live = self.instrument(instrument)
        live.store_quotes()
        return live.quote_window

    def trades(self, instrument: str) -> TradeWindow | None:
        """Return the window of public trades; None where none are kept."""
        live = self.instrument(instrument)
        live.store_trades()
        return live.trade_window

    def forming(self, instrument: str, timeframe: Timeframe) -> Bar | None:
        """Return the open bar as it stands, for a chart; no strategy may see it."""
        live = self.instrument(instrument)
        builder = live.builder(timeframe)
        if isinstance(builder, BarBuilder):
            return builder.forming(live.waiting())
        return None if builder is None else builder.forming()

    def indicator(
        self, instrument: str, timeframe: Timeframe, name: str, **params: float | str
    ) -> RunningIndicator:
        """Return the shared running indicator, warmed from the window if it is new.

        It becomes part of the state: observers compute from columns instead. Raises
        UnknownTimeframe, or what ``workstation.indicators`` says of the request.
        """
        window = self.bars(instrument, timeframe)
        key, definition = parameters(name, params)
        shared = self._running.setdefault((instrument, timeframe), {})
        running = shared.get(key)
        if running is None:
            running = shared[key] = RunningIndicator(key, definition)
            self.indicators_made += 1
            running.warm(window)
        return running

    def indicators(
        self, instrument: str, timeframe: Timeframe
    ) -> tuple[RunningIndicator, ...]:
        """Return the running indicators of these bars, in order of creation."""
        return tuple(self._running.get((instrument, timeframe), {}).values())

    def figures(self, instrument: str) -> Figures:
        """Return the figures of the instrument's chain of processors."""
        return self.instrument(instrument).figures

    def distrust(self, instrument: str, now_ns: int) -> str | None:
        """Return why nothing may trade on this data (stale, untrusted), or None."""
        return self.instrument(instrument).distrust(now_ns, self._stale_ns)

    def age_limit(self, instrument: str) -> int:
        """Return how old the data may be before nothing trades on it, ns."""
        return self.instrument(instrument).age_limit(self._stale_ns)

    def follow(
        self, instrument: str, tick: Callable[[LiveInstrument, object], None]
    ) -> Callable[[], None]:
        """Call ``tick`` with the figures at every tick; return how to stop."""
        live = self.instrument(instrument)

        def stop() -> None:
            live.top_watchers = _without(live.top_watchers, tick)
            live.trade_watchers = _without(live.trade_watchers, tick)

        live.top_watchers = (*live.top_watchers, tick)
        live.trade_watchers = (*live.trade_watchers, tick)
        return stop

    def gap_ledger(self) -> tuple[GapEntry, ...]:
        """Return when which book could not be trusted, oldest first."""
        return self._gaps.entries()

    def digest(self) -> object:
        """Return the whole state for the state hash."""
        return (
            [live.digest() for live in self._live.values()],
            [
                (instrument, timeframe, [item.digest() for item in shared.values()])
                for (instrument, timeframe), shared in self._running.items()
            ],
            self._gaps.total,
        )


def _without(watchers: tuple[W, ...], gone: object) -> tuple[W, ...]:
    """Return the watchers less one: the same may follow twice."""
    at = watchers.index(gone)
    return watchers[:at] + watchers[at + 1 :]
