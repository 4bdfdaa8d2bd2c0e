"""The live figures of one instrument: one slotted object per symbol, changed in place.

The Aggregator writes it on every tick; strategies, the Executor and the screen read it
through ``model.ports.InstrumentView``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from workstation.market.bars import BarBuilder, Slice
from workstation.market.book import Book
from workstation.market.counted import CountedBuilder
from workstation.market.pipeline.figures import NO_FIGURES, Figures
from workstation.market.ticks import QuoteWindow, TradeWindow
from workstation.market.window import BarWindow
from workstation.model.market import Bar, Quote, Trade
from workstation.model.orders import Fill
from workstation.model.states import BookTrust
from workstation.model.timeframes import NS_PER_S, Timeframe

__all__ = [
    "RECENT_TICKERS",
    "BarWatcher",
    "BreakWatcher",
    "FillWatcher",
    "LiveInstrument",
    "TopWatcher",
    "TradeWatcher",
]

RECENT_TICKERS = 1_024
"""Best-price messages kept until the book reaches their id (a burst: ~200)."""

_STORED_AT = 64
"""Trades that wait to be written to their window: some kilobytes."""

TopWatcher = Callable[["LiveInstrument", int], None]
"""Called with the figures and ``ts`` (ns) after each confirmation of best prices."""
TradeWatcher = Callable[["LiveInstrument", Trade], None]
"""Called with the figures and the trade after each sound public trade."""
BarWatcher = Callable[["LiveInstrument", Bar], None]
"""Called with each closed bar, after the indicators and before anyone hears of it."""
FillWatcher = Callable[["LiveInstrument", Fill], None]
"""Called with each fill of one of our own orders, once it is booked."""
BreakWatcher = Callable[["LiveInstrument"], None]
"""Called when the data broke: what comes next does not continue what was."""


class LiveInstrument:
    """What is known of one instrument now; 0.0 and None mean not known yet.

    ``ts_recv`` is of the last event of any kind, ``quote_ns`` of the last that
    confirmed the best prices. ``late`` counts best prices older than those shown,
    ``late_trades`` trades of before the shortest open bar, ``repeated`` trades whose id
    is not above the newest one's, ``rejected`` events with figures that are not finite,
    ``bars_ignored`` feed bars of an instrument that has ticks. ``tape`` digests every
    tick, so that any changed figure changes the state hash. Bid and ask need not come
    from the same source as ``last``.
    """

    __slots__ = (
        "absorbed",
        "ask",
        "ask_size",
        "bar_ns",
        "bar_watchers",
        "bars_feed",
        "bars_ignored",
        "bars_only",
        "bid",
        "bid_size",
        "blocked",
        "book",
        "break_quotes",
        "break_watchers",
        "builders",
        "counted",
        "counted_mids",
        "day_end_ns",
        "day_open",
        "figures",
        "fill_watchers",
        "gate_ns",
        "instrument",
        "last",
        "late",
        "late_trades",
        "latency_ns",
        "mids",
        "new_quotes",
        "new_trades",
        "newest_id",
        "open_ns",
        "quote_ns",
        "quote_window",
        "quotes",
        "recent",
        "rejected",
        "repeated",
        "shown_mid",
        "stored",
        "takes_mids",
        "takes_trades",
        "tape",
        "ticking",
        "top_watchers",
        "trade_watchers",
        "trade_window",
        "trades",
        "ts_recv",
        "turn_ns",
        "update_id",
        "windows",
    )

    def __init__(self, instrument: str) -> None:
        self.instrument = instrument
        self.bid = 0.0
        self.bid_size = 0.0
        self.ask = 0.0
        self.ask_size = 0.0
        self.last = 0.0
        self.ts_recv = 0
        self.quote_ns = 0
        self.latency_ns: int | None = None
        self.bars_only = True
        self.day_open = 0.0
        self.day_end_ns = 0
        # When the next trade has more to do than to be appended: a day begins, or the
        # lists have grown for long enough.
        self.turn_ns = 0
        # The start of the shortest open bar: trades of before it are late.
        self.open_ns = 0
        self.newest_id = 0
        self.quotes = 0
        self.trades = 0
        self.bars_feed = 0
        self.bars_ignored = 0
        self.late = 0
        self.late_trades = 0
        self.repeated = 0
        self.rejected = 0
        self.tape = 0
        # Best prices of a lower id than this are older than those shown.
        self.update_id = -1
        # False until ticks flow: before the first, and after the feed was stopped.
        self.ticking = False
        self.blocked = ""
        self.bar_ns = 0
        # When MarketDataUpdated may be published again, and the mid it last told.
        self.gate_ns = 0
        self.shown_mid = 0.0
        self.figures: Figures = NO_FIGURES
        self.book: Book | None = None
        self.recent: deque[Quote] | None = None
        # Tickers taken when the book's trust was lost.
        self.break_quotes = -1
        self.builders: tuple[BarBuilder, ...] = ()
        # The last trades, and how many of them the bars have, and their window.
        self.new_trades: list[Trade] = []
        self.absorbed = 0
        self.stored = 0
        # Mids that the bars do not have yet, and quotes that their window has not.
        self.mids: list[float] = []
        self.new_quotes: list[Quote] = []
        self.takes_trades = True
        self.takes_mids = False
        # What follows ticks beside the figures and bars: processors, tick windows,
        # detectors. Mostly empty, so a tick pays for one look.
        self.top_watchers: tuple[TopWatcher, ...] = ()
        self.trade_watchers: tuple[TradeWatcher, ...] = ()
        self.bar_watchers: tuple[BarWatcher, ...] = ()
        self.fill_watchers: tuple[FillWatcher, ...] = ()
        self.break_watchers: tuple[BreakWatcher, ...] = ()
        self.quote_window: QuoteWindow | None = None
        self.trade_window: TradeWindow | None = None
        # Bars that trading ends, and those of them that count mids from the first on.
        self.counted: tuple[CountedBuilder, ...] = ()
        self.counted_mids: tuple[CountedBuilder, ...] = ()
        self.windows: dict[Timeframe, BarWindow] = {}

    def keep_ticks(self, quotes: int, trades: int) -> None:
        """Keep windows of so many quotes and trades; to be said before any come."""
        self.quote_window = QuoteWindow(quotes) if quotes else None
        self.trade_window = TradeWindow(trades) if trades else None

    def store_quotes(self) -> None:
        """Bring the window of quotes up to date."""
        if self.quote_window is not None and self.new_quotes:
            self.quote_window.extend(self.new_quotes)
            self.new_quotes.clear()

    def store_trades(self) -> None:
        """Bring the window of trades up to date; bars are not touched."""
        if self.trade_window is not None and len(self.new_trades) > self.stored:
            self.trade_window.extend(self.new_trades[self.stored :])
            self.stored = len(self.new_trades)

    def follow_mids(self) -> None:
        """Build bars of mids from now on, and no longer of trades."""
        self.absorb()
        self.takes_trades = False
        self.counted_mids = tuple(each for each in self.counted if each.counts_ticks)
        self.counted = tuple(each for each in self.counted if not each.counts_ticks)

    def waiting(self) -> Slice | None:
        """Return the ticks that the builders have not absorbed yet."""
        if self.mids:
            return Slice.of(self.mids, ())
        if not self.takes_trades or len(self.new_trades) == self.absorbed:
            return None
        trades = self.new_trades[self.absorbed :]
        return Slice.of([t.price for t in trades], [t.size for t in trades])

    def absorb(self) -> None:
        """Bring bars up to date, and where many trades wait, their window."""
        part = self.waiting()
        if part is not None:
            for builder in self.builders:
                builder.absorb(part)
            self.mids.clear()
        self.absorbed = len(self.new_trades)
        if self.absorbed >= _STORED_AT or self.trade_window is None:
            # A write costs as much for one trade as for fifty: not at every bar.
            self.store_trades()
            self.new_trades.clear()
            self.absorbed = self.stored = 0

    @property
    def is_top_proven(self) -> bool:
        """Tell whether a ticker or a trusted book stands behind the best prices.

        They are the last of a book that broke until a ticker comes or it is mended.
        """
        book = self.book
        return (
            book is None
            or book.trust is BookTrust.TRUSTED
            or self.quotes - self.late > self.break_quotes
        )

    @property
    def mid(self) -> float | None:
        """Return the middle of bid and ask."""
        if self.bid > 0.0 and self.ask > 0.0:
            return (self.bid + self.ask) * 0.5
        return None

    @property
    def mark(self) -> float | None:
        """Return the price to value a position at: mid, else last."""
        if self.bid > 0.0 and self.ask > 0.0:
            return (self.bid + self.ask) * 0.5
        return self.last or None

    @property
    def spread_bps(self) -> float | None:
        """Return the spread in bps of the mid."""
        mid = self.mid
        return None if mid is None else (self.ask - self.bid) / mid * 10_000.0

    def builder(self, timeframe: Timeframe) -> BarBuilder | CountedBuilder | None:
        """Return the builder of these bars, if they are built."""
        for builder in self._all_builders():
            if builder.timeframe == timeframe:
                return builder
        return None

    def _all_builders(self) -> tuple[BarBuilder | CountedBuilder, ...]:
        return (*self.builders, *self.counted, *self.counted_mids)

    def age_limit(self, stale_ns: int) -> int:
        """Return how old these figures may be, ns: bars come only when they close."""
        return stale_ns + 2 * self.bar_ns if self.bars_only else stale_ns

    def distrust(self, now_ns: int, stale_ns: int) -> str | None:
        """Return why nothing may trade on these figures at ``now_ns``, or None."""
        if self.blocked:
            return self.blocked
        if self.ts_recv == 0:
            return "no data yet"
        if self.bars_only:
            return _stale("bar", now_ns - self.ts_recv, self.age_limit(stale_ns))
        book = self.book
        if self.quote_ns:
            stale = _stale("quote", now_ns - self.quote_ns, stale_ns)
            if stale is None and not self.bid > 0.0:
                stale = "no bid"
            elif stale is None and not self.ask > 0.0:
                stale = "no ask"
            elif stale is None and self.bid > self.ask:
                stale = f"quote crossed: bid {self.bid!r} above ask {self.ask!r}"
        else:
            stale = _stale("trade", now_ns - self.ts_recv, stale_ns)
        if stale is None and book is not None and book.trust is not BookTrust.TRUSTED:
            return f"book {book.trust.value}: {book.reason}"
        return stale

    def digest(self) -> tuple[object, ...]:
        """Return the whole state for the state hash, indicators apart."""
        return (
            self.instrument,
            (self.bid, self.bid_size, self.ask, self.ask_size, self.last),
            (self.ts_recv, self.quote_ns, self.latency_ns, self.update_id),
            (self.bars_only, self.ticking, self.blocked, self.bar_ns),
            (self.day_open, self.day_end_ns),
            (self.quotes, self.trades, self.bars_feed, self.bars_ignored),
            (self.late, self.rejected, self.late_trades, self.repeated),
            (self.turn_ns, self.open_ns, self.newest_id),
            (self.takes_trades, self.mids),
            [(t.price, t.size) for t in self.new_trades[self.absorbed :]],
            self.tape,
            (self.gate_ns, self.shown_mid, self.figures.digest()),
            (None if self.book is None else self.book.digest(), self.break_quotes),
            [builder.digest() for builder in self._all_builders()],
            [window.digest() for window in self.windows.values()],
        )


def _stale(word: str, age_ns: int, limit_ns: int) -> str | None:
    if age_ns <= limit_ns:
        return None
    return f"{word} {age_ns / NS_PER_S:.1f} s old, limit {limit_ns / NS_PER_S:.1f} s"
