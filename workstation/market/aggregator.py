"""The Aggregator: turns market events into quotes, bars and indicators.

The engine calls its handlers before any other part's; strategies, the Executor and the
screen read it as ``model.ports.MarketView``. It decides nothing and never waits. Quotes
and trades are the hot path (under 0.8 µs each): what is rare happens in other methods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workstation.market.books import Books
from workstation.market.live import LiveInstrument
from workstation.market.opportunities import OpportunityDetector
from workstation.market.pipeline.chain import Plan
from workstation.market.pipeline.settings import PipelineSettings
from workstation.market.settings import StorageSettings
from workstation.market.state import MarketState
from workstation.market.timetable import Timetable
from workstation.model.errors import ScriptError
from workstation.model.events import (
    BarClosed,
    DataBroke,
    MarketDataUpdated,
    OrderFilled,
)
from workstation.model.instruments import Instrument
from workstation.model.market import Bar, BookDelta, BookSnapshot, Quote, Trade
from workstation.model.ports import Core
from workstation.model.records import BarRecord, FaultRecord, FeedRecord
from workstation.model.timeframes import NS_PER_DAY, NS_PER_MS, Timeframe

__all__ = ["Aggregator"]

_STORED_AT = 256
"""Quotes that wait to be stored; a burst within one pulse comes on top."""
_ABSORB_NS = 10_000_000_000
"""Ticks wait at most this long to be absorbed: the lists stay some kilobytes."""


class Aggregator(MarketState):
    """Keep what is known of the market; the one part of its role in a run."""

    name = "aggregator"
    subscriptions: tuple[type, ...] = (
        Quote,
        Trade,
        Bar,
        BookSnapshot,
        BookDelta,
        OrderFilled,
    )

    def __init__(
        self,
        settings: StorageSettings,
        instruments: Sequence[Instrument],
        opportunities: OpportunityDetector | None = None,
        *,
        plan: Plan | None = None,
    ) -> None:
        super().__init__(settings, instruments)
        self.plan = plan or Plan(PipelineSettings())
        self.opportunities = opportunities
        if opportunities is not None:
            opportunities.watch(self._live, self._stale_ns)
        self._drops_late = settings.late_trades == "drop"
        self._repeat = settings.empty_bars == "repeat"
        self._interval_ns = settings.market_data_interval_ms * NS_PER_MS
        self._told: set[tuple[str, ...]] = set()
        self._books = Books(
            self._live,
            self._gaps,
            begin=self._start,
            topped=self._follow_top,
            refuse=self._refuse,
        )
        self._core: Core
        self._timetable: Timetable
        # Any: each handler takes just the type it is listed under.
        self._handlers: Mapping[type, Callable[[Any], None]] = {
            Quote: self.on_quote,
            Trade: self.on_trade,
            Bar: self.on_bar,
            BookSnapshot: self._books.on_snapshot,
            BookDelta: self._books.on_delta,
            OrderFilled: self.on_fill,
        }
        for each in instruments:
            live = self._live[each.id]
            live.figures = self.plan.build(
                live, each, self._distrust_now, self._script_failed
            )

    # --- the part ------------------------------------------------------------------

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core
        self._books.attach(core)
        self._timetable = Timetable(core, self._close_bars)
        if self.opportunities is not None:
            self.opportunities.attach(core)

    def handlers(self) -> Mapping[type, Callable[[Any], None]]:
        """Return the straight route of each event type."""
        return self._handlers

    def handle_event(self, event: object) -> None:
        """Take one market event."""
        self._handlers[type(event)](event)

    def digest(self) -> object:
        """Return the whole state for the state hash."""
        edges = None if self.opportunities is None else self.opportunities.digest()
        return (super().digest(), self._books.digest(), edges)

    def mark_untrusted(self, instrument: str, reason: str) -> None:
        """Trust nothing of an instrument until its feed delivers again.

        A book needs a new snapshot then, the rest its next event.
        """
        live = self.instrument(instrument)
        live.blocked = reason
        live.ticking = False
        live.update_id = -1
        live.newest_id = 0
        self._books.restart(live, reason)
        for watcher in live.break_watchers:
            watcher(live)
        if live.book is None:
            # A book has told of it.
            self._core.emit(DataBroke(instrument, reason, self._core.ts))

    # --- quotes and trades: the hot path -------------------------------------------

    def on_quote(self, event: Quote) -> None:
        """Take best prices, unless the book shows newer ones."""
        live = self._live.get(event.instrument)
        bid = event.bid
        bid_size = event.bid_size
        ask = event.ask
        ask_size = event.ask_size
        total = bid + ask + bid_size + ask_size
        # Infinities and NaN give NaN here; a hash of NaN would differ between runs.
        if live is None or total - total != 0.0:
            self._refuse(live, event)
            return
        live.tape = hash((live.tape, bid, bid_size, ask, ask_size))
        live.quotes += 1
        ts = live.ts_recv = event.ts_recv
        if event.ts_event is not None:
            live.latency_ns = ts - event.ts_event
        if not live.ticking:
            self._start(live)
        update_id = event.update_id
        if update_id is not None:
            if update_id < live.update_id:
                live.late += 1
                return
            live.update_id = update_id
            if live.recent is not None:
                live.recent.append(event)
        live.quote_ns = ts
        live.bid = bid
        live.bid_size = bid_size
        live.ask = ask
        live.ask_size = ask_size
        if live.quote_window is not None:
            live.new_quotes.append(event)
        if live.takes_mids and bid > 0.0 and ask > 0.0:
            self._take_mid(live, ts, (bid + ask) * 0.5)
        for watcher in live.top_watchers:
            watcher(live, ts)
        if ts >= live.gate_ns:
            self._pulse(live, ts)

    def on_trade(self, event: Trade) -> None:
        """Take a public trade into figures and open bars."""
        live = self._live.get(event.instrument)
        price = event.price
        size = event.size
        turnover = price * size
        if live is None or turnover - turnover != 0.0:
            self._refuse(live, event)
            return
        trade_id = event.trade_id
        if trade_id:
            if trade_id <= live.newest_id:
                live.repeated += 1
                return
            live.newest_id = trade_id
        live.tape = hash((live.tape, price, size, event.aggressor))
        live.trades += 1
        live.last = price
        ts = live.ts_recv = event.ts_recv
        if not live.ticking:
            self._start(live)
        if ts >= live.turn_ns:
            self._turn(live, ts, price)
        sent = event.ts_event
        if sent is not None:
            live.latency_ns = ts - sent
            if sent < live.open_ns and self._is_left_out(live, event):
                return
        live.new_trades.append(event)
        if live.counted:
            self._count(live, ts, price, size)
        for watcher in live.trade_watchers:
            watcher(live, event)

    def _is_left_out(self, live: LiveInstrument, late: Trade) -> bool:
        """Count a late trade; tell whether bars are built without it."""
        live.late_trades += 1
        if self._drops_late:
            live.absorb()
            if live.trade_window is not None:
                live.store_trades()
                live.trade_window.extend((late,))
            for watcher in live.trade_watchers:
                watcher(live, late)
        return self._drops_late

    def _turn(self, live: LiveInstrument, ts: int, price: float) -> None:
        """Begin a day where one began; keep the lists of ticks short."""
        if ts >= live.day_end_ns:
            _begin_day(live, ts, price)
        live.absorb()
        live.turn_ns = min(live.day_end_ns, ts + _ABSORB_NS)

    def _take_mid(self, live: LiveInstrument, ts: int, mid: float) -> None:
        """Build bars of mids from the first one on, and no longer of trades."""
        if live.takes_trades:
            live.follow_mids()
        if ts >= live.turn_ns:
            self._turn(live, ts, mid)
        live.mids.append(mid)
        for builder in live.counted_mids:
            bar = builder.add_mid(ts, mid)
            if bar is not None:
                self._closed(live, bar)

    def _follow_top(self, live: LiveInstrument, ts: int) -> None:
        """Take best prices that a book has set; the end of ``on_quote`` for books."""
        if live.quote_window is not None:
            live.new_quotes.append(
                Quote(
                    *(live.instrument, ts, live.bid, live.bid_size),
                    *(live.ask, live.ask_size),
                )
            )
        if live.takes_mids and live.bid > 0.0 and live.ask > 0.0:
            self._take_mid(live, ts, (live.bid + live.ask) * 0.5)
        for watcher in live.top_watchers:
            watcher(live, ts)
        if ts >= live.gate_ns:
            self._pulse(live, ts)

    def _pulse(self, live: LiveInstrument, ts: int) -> None:
        """Publish market figures if the mid changed; begin a day where one began."""
        if len(live.new_quotes) >= _STORED_AT:
            live.store_quotes()
        mid = live.mid
        if mid is None or live.bid > live.ask:
            return
        if ts >= live.day_end_ns:
            _begin_day(live, ts, mid)
        if mid == live.shown_mid:
            return
        live.shown_mid = mid
        live.gate_ns = min(ts + self._interval_ns, live.day_end_ns)
        imbalance, volatility, uncertainty, adverse = live.figures.told()
        self._core.publish(
            MarketDataUpdated(
                instrument=live.instrument,
                mid=mid,
                best_bid=live.bid,
                best_ask=live.ask,
                spread_bps=(live.ask - live.bid) / mid * 10_000.0,
                imbalance=imbalance,
                volatility_bps=volatility,
                vol_uncertainty_bps=uncertainty,
                adverse_selection=adverse,
                ts=ts,
            )
        )

    def _start(self, live: LiveInstrument) -> None:
        """Begin, or begin again, with ticks of this instrument."""
        live.ticking = True
        live.bars_only = False
        live.blocked = ""
        now = self._core.ts
        live.absorb()
        for builder in live.builders:
            builder.begin(now)
            self._timetable.need(builder.timeframe)
        if live.builders:
            live.open_ns = live.builders[0].ts_open
        self._books.resume(live)

    def _refuse(
        self,
        live: LiveInstrument | None,
        event: Quote | Trade | Bar | BookSnapshot | BookDelta,
    ) -> None:
        """Leave out an event nobody can use; say so once per instrument."""
        if live is None:
            detail = f"{event.instrument} is no instrument of this run"
            self._tell("unknown", event.instrument, detail)
            return
        live.rejected += 1
        kind = type(event).__name__.lower()
        detail = f"{event.instrument}: a {kind} with figures that are not finite"
        self._tell("rejected", event.instrument, detail)

    def _tell(self, what: str, subject: str, detail: str) -> None:
        if (what, subject) in self._told:
            return
        self._told.add((what, subject))
        core = self._core
        core.record(
            FeedRecord(
                seq=core.seq, ts=core.ts, feed=self.name, what=what, detail=detail
            )
        )

    # --- the chain of processors ---------------------------------------------------

    def on_fill(self, event: OrderFilled) -> None:
        """Tell the processors of a fill of our own."""
        live = self._live.get(event.fill.instrument)
        if live is not None:
            for watcher in live.fill_watchers:
                watcher(live, event.fill)

    def _distrust_now(self, instrument: str) -> str | None:
        return self._live[instrument].distrust(self._core.ts, self._stale_ns)

    def _script_failed(
        self, script: str, instrument: str, error: ScriptError, *, off: bool
    ) -> None:
        """Record what a processor's script did wrong, and whether it goes on."""
        core = self._core
        core.record(
            FaultRecord(
                seq=core.seq,
                ts=core.ts,
                task=script,
                instrument=instrument,
                error=f"off for {instrument}: {error}" if off else str(error),
                where="processor off" if off else "processor",
            )
        )

    # --- bars ----------------------------------------------------------------------

    def on_bar(self, event: Bar) -> None:
        """Take a feed's bar where it is all there is."""
        live = self._live.get(event.instrument)
        figures = (event.open, event.high, event.low, event.close, event.volume)
        total = sum(figures) + event.turnover
        if live is None or total - total != 0.0:
            self._refuse(live, event)
            return
        if not live.bars_only:
            live.bars_ignored += 1
            return
        live.tape = hash((live.tape, event.ts_open, *figures, event.turnover))
        live.bars_feed += 1
        ts = live.ts_recv = event.ts_recv
        if event.ts_event is not None:
            live.latency_ns = ts - event.ts_event
        live.last = event.close
        live.bar_ns = event.timeframe.length_ns
        live.blocked = ""
        if event.ts_open >= live.day_end_ns:
            _begin_day(live, event.ts_open, event.open)
        for builder in live.builders:
            if not builder.suits(event.timeframe):
                self._tell_unsuited(event, builder.timeframe)
                continue
            for bar in builder.take(event):
                self._closed(live, bar)
        for counted in live.counted:
            if counted.suits(event.timeframe):
                self._closed(live, event)
            else:
                self._tell_unsuited(event, counted.timeframe)

    def _tell_unsuited(self, event: Bar, wanted: Timeframe) -> None:
        source = event.timeframe
        detail = f"{event.instrument}: {wanted} bars cannot be made of {source}"
        self._tell("timeframe", f"{event.instrument} {wanted}", detail)

    def _close_bars(self, timeframe: Timeframe, boundary: int) -> None:
        """Close the bars that end now, in the order of the instruments."""
        for live in self._live.values():
            if live.bars_only:
                continue
            live.absorb()
            for builder in live.builders:
                if builder.timeframe == timeframe:
                    bar = builder.finish(boundary, repeat=self._repeat)
                    live.open_ns = live.builders[0].ts_open
                    if bar is not None:
                        self._closed(live, bar)

    def _count(self, live: LiveInstrument, ts: int, price: float, size: float) -> None:
        """Take a trade into the bars that trading ends."""
        for builder in live.counted:
            bar = builder.add(ts, price, size)
            if bar is not None:
                self._closed(live, bar)

    def _closed(self, live: LiveInstrument, bar: Bar) -> None:
        timeframe = bar.timeframe
        live.windows[timeframe].append(bar)
        for running in self._running.get((live.instrument, timeframe), {}).values():
            running.update(bar)
        for watcher in live.bar_watchers:
            watcher(live, bar)
        core = self._core
        core.record(BarRecord(core.seq, core.ts, bar, live.tape))
        event = BarClosed(live.instrument, core.ts, bar)
        core.emit(event)
        core.publish(event)


def _begin_day(live: LiveInstrument, ts: int, price: float) -> None:
    """Take the first price of a day (UTC)."""
    live.day_open = price
    live.day_end_ns = ts - ts % NS_PER_DAY + NS_PER_DAY
