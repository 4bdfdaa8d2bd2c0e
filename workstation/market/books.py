"""The books of a run: each event's way into its book, and what follows from it.

The Aggregator routes snapshots and differences straight here. A changed top becomes the
instrument's best prices where it is newer than the ticker's, tickers are checked
against the book, and each change of trust is recorded, told and kept in the ledger.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from workstation.market.book import Book, TrustChange
from workstation.market.gaps import GapEntry, GapLedger
from workstation.market.live import RECENT_TICKERS, LiveInstrument
from workstation.market.resync import Resyncs
from workstation.model.events import BookTrustChanged, DataBroke
from workstation.model.market import BookDelta, BookSnapshot
from workstation.model.ports import Core
from workstation.model.records import BookRecord
from workstation.model.states import BookTrust
from workstation.model.timeframes import NS_PER_S

__all__ = ["Books"]

_PATIENCE_NS = 5 * NS_PER_S
"""What a first snapshot may take: a feed that can be asked asks for it by itself."""


class Books:
    """Keep the books of ``live`` and write ``gaps``; one part of the Aggregator.

    ``begin`` is told of an instrument's first tick, ``topped`` of new best
    prices that a book has set, ``refuse`` of an event of no instrument of the run.
    """

    def __init__(
        self,
        live: Mapping[str, LiveInstrument],
        gaps: GapLedger,
        *,
        begin: Callable[[LiveInstrument], None],
        topped: Callable[[LiveInstrument, int], None],
        refuse: Callable[[LiveInstrument | None, BookDelta | BookSnapshot], None],
    ) -> None:
        self._live = live
        self._gaps = gaps
        self._begin = begin
        self._topped = topped
        self._refuse = refuse
        self._resyncs = Resyncs(gaps)
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core
        self._resyncs.attach(core)

    def restart(self, live: LiveInstrument, reason: str) -> None:
        """Trust no book of an instrument whose feed stopped until a new snapshot.

        Nobody is asked for it before the feed delivers again.
        """
        self._resyncs.drop(live.instrument)
        if live.recent is not None:
            live.recent.clear()
        if live.book is not None:
            change = live.book.restart(reason)
            if change is not None:
                self._tell(live, change)

    def resume(self, live: LiveInstrument) -> None:
        """Wish for the whole book of an instrument whose feed delivers again."""
        book = live.book
        if book is not None and book.trust is BookTrust.UNTRUSTED:
            self._resyncs.want(live.instrument, book.reason)

    def digest(self) -> object:
        """Return what is wished for, for the state hash; books are in their figures."""
        return self._resyncs.digest()

    def on_delta(self, event: BookDelta) -> None:
        """Take a difference of the order book."""
        live = self._live.get(event.instrument)
        if live is None:
            self._refuse(live, event)
            return
        book = live.book or _begin_book(live)
        ts = live.ts_recv = event.ts_recv
        if event.ts_event is not None:
            live.latency_ns = ts - event.ts_event
        applied = book.applied
        change = book.delta(event)
        if not live.ticking:
            self._begin(live)
        if book.applied != applied:
            live.tape = hash((live.tape, event.last_id, event.bids, event.asks))
            self._follow_book(live, book, ts)
        else:
            # Its levels count when a snapshot lets them in, and are in the digest.
            live.tape = hash((live.tape, event.first_id, event.last_id))
        if change is not None:
            self._trust_changed(live, change)

    def on_snapshot(self, event: BookSnapshot) -> None:
        """Take a whole order book."""
        live = self._live.get(event.instrument)
        if live is None:
            self._refuse(live, event)
            return
        book = live.book or _begin_book(live)
        ts = live.ts_recv = event.ts_recv
        if event.ts_event is not None:
            live.latency_ns = ts - event.ts_event
        replaced = book.replaced
        change = book.snapshot(event)
        # After it, so that nobody asks for a book that has just come.
        if not live.ticking:
            self._begin(live)
        if book.replaced != replaced:
            live.tape = hash((live.tape, event.last_id, event.bids, event.asks))
            self._follow_book(live, book, ts)
        else:
            live.tape = hash((live.tape, event.last_id))
        if change is not None:
            self._trust_changed(live, change)

    def _follow_book(self, live: LiveInstrument, book: Book, ts: int) -> None:
        """Check tickers against a changed book; show its top where that is newer."""
        if book.trust is not BookTrust.TRUSTED:
            return
        update_id = book.update_id
        recent = live.recent
        while recent and (recent[0].update_id or 0) <= update_id:
            ticker = recent.popleft()
            if ticker.update_id == update_id:
                book.compare_ticker(
                    ticker.bid, ticker.bid_size, ticker.ask, ticker.ask_size
                )
        live.quote_ns = ts
        if update_id <= live.update_id:
            return
        live.update_id = update_id
        live.bid, live.bid_size = book.best_bid() or (0.0, 0.0)
        live.ask, live.ask_size = book.best_ask() or (0.0, 0.0)
        self._topped(live, ts)

    def _trust_changed(self, live: LiveInstrument, change: TrustChange) -> None:
        self._tell(live, change)
        if change.after is BookTrust.TRUSTED:
            self._resyncs.drop(live.instrument)
        elif change.after is BookTrust.SYNCING:
            self._resyncs.want(live.instrument, change.reason, _PATIENCE_NS)
        else:
            # One that was still waiting for its first book waits no longer.
            self._resyncs.drop(live.instrument)
            self._resyncs.want(live.instrument, change.reason)

    def _tell(self, live: LiveInstrument, change: TrustChange) -> None:
        core = self._core
        name, ts = live.instrument, core.ts
        if change.after is BookTrust.UNTRUSTED:
            for watcher in live.break_watchers:
                watcher(live)
            core.emit(DataBroke(name, ts=ts, reason=f"book: {change.reason}"))
            live.break_quotes = live.quotes - live.late
            self._gaps.open(
                GapEntry(
                    when_ns=ts,
                    instrument=name,
                    reason=change.reason,
                    expected=change.expected,
                    got=change.got,
                )
            )
        elif change.before is BookTrust.UNTRUSTED:
            self._gaps.mend(name, ts, change.reason)
        core.record(
            BookRecord(
                core.seq,
                ts,
                name,
                change.before,
                change.after,
                change.reason,
                change.expected,
                change.got,
            )
        )
        event = BookTrustChanged(name, ts, change.before, change.after, change.reason)
        core.emit(event)
        core.publish(event)


def _begin_book(live: LiveInstrument) -> Book:
    live.book = Book()
    live.recent = deque(maxlen=RECENT_TICKERS)
    return live.book
