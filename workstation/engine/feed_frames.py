"""Feeds and their gaps, as a frame shows them.

Called by ``FrameSource`` between two inputs; it only reads.
"""

from __future__ import annotations

from collections.abc import Mapping

from workstation.engine.engine import Engine
from workstation.engine.figures import age
from workstation.engine.frames import BookCount, FeedRow, GapRow
from workstation.engine.recorder import Recorder
from workstation.engine.sources import Feed
from workstation.market.aggregator import Aggregator
from workstation.market.gaps import GapEntry
from workstation.model.instruments import Instrument
from workstation.model.states import BookTrust
from workstation.model.timeframes import NS_PER_S

__all__ = ["FeedFrames"]

# A rate is taken over at least this much of the run's time.
_RATE_NS = NS_PER_S


class FeedFrames:
    """Feed rows of one session."""

    def __init__(
        self,
        engine: Engine,
        aggregator: Aggregator,
        recorder: Recorder,
        instruments: Mapping[str, Instrument],
    ) -> None:
        self._engine = engine
        self._aggregator = aggregator
        self._recorder = recorder
        self._instruments = instruments
        self._rates: dict[str, tuple[int, int, float]] = {}
        self._gaps: tuple[tuple[GapEntry, ...], tuple[GapRow, ...]] = ((), ())
        self._bringing: dict[str, Feed | None] = {}

    def feeds(self, *, with_books: bool = False) -> tuple[FeedRow, ...]:
        """Return the feeds in the order of the config, with all books if asked."""
        feeds = self._engine.sources.feeds
        return tuple(self._feed(feed, with_books) for feed in feeds)

    def gaps(self) -> tuple[GapRow, ...]:
        """Return the gaps of all books: open ones first, the newest of each first."""
        entries = self._aggregator.gap_ledger()
        if entries != self._gaps[0]:
            rows = [self._gap(entry) for entry in reversed(entries)]
            rows.sort(key=lambda row: row.until_ns is not None)
            self._gaps = (entries, tuple(rows))
        return self._gaps[1]

    def _gap(self, entry: GapEntry) -> GapRow:
        name = entry.instrument
        if name not in self._bringing:
            self._bringing[name] = self._engine.sources.bringing(name)
        feed = self._bringing[name]
        return GapRow(
            ts=entry.when_ns,
            instrument=name,
            feed="" if feed is None else feed.name,
            reason=entry.reason,
            expected=entry.expected,
            got=entry.got,
            until_ns=entry.until_ns,
            tries=entry.tries,
            asked=feed is not None and feed.resync is not None,
            mended=entry.mended,
        )

    def _feed(self, feed: Feed, with_books: bool) -> FeedRow:
        handle = self._engine.registry.get(feed.name)
        state = "ended" if feed.ended and not feed.error else handle.state.value
        count = trusted = gaps = 0
        distrusted = silent = ""
        oldest: int | None = None
        for name in feed.instruments:
            live = self._aggregator.instrument(name)
            heard = live.ts_recv
            if heard and (oldest is None or heard < oldest):
                oldest, silent = heard, name
            book = live.book
            if book is None:
                continue
            count += 1
            gaps += book.gaps
            if book.trust is BookTrust.TRUSTED:
                trusted += 1
            elif not distrusted:
                distrusted = f"{name} book {book.trust.value}: {book.reason}"
        return FeedRow(
            name=feed.name,
            kind=type(feed.connector).__name__.removesuffix("Feed").lower(),
            state=state,
            events=feed.delivered,
            rate=self._rate(feed),
            age_ns=age(feed.last_ts, self._engine.core.ts),
            gaps=gaps,
            skipped=feed.skipped,
            shed=feed.shed,
            last_error=feed.error
            or str(getattr(feed.connector, "last_error", "") or ""),
            symbols=len(feed.instruments),
            worst_symbol=silent,
            worst_ns=age(oldest, self._engine.core.ts),
            books_ok=trusted,
            book_count=count,
            distrusted=distrusted,
            books=self._books(feed) if with_books else (),
            recording=self._recorder.status(feed),
        )

    def _books(self, feed: Feed) -> tuple[BookCount, ...]:
        made = []
        for name in feed.instruments:
            book = self._aggregator.instrument(name).book
            if book is None:
                continue
            bids, asks = book.depth()
            instrument = self._instruments[name]
            made.append(
                BookCount(
                    symbol=instrument.id,
                    decimals=instrument.price_decimals,
                    update_id=book.update_id,
                    bid=book.best_bid(),
                    ask=book.best_ask(),
                    bid_levels=bids,
                    ask_levels=asks,
                    trust=book.trust,
                    reason=book.reason,
                    applied=book.applied,
                    dropped=book.dropped,
                    gaps=book.gaps,
                    crossed=book.crossed,
                    replaced=book.replaced,
                    refused=book.refused,
                )
            )
        return tuple(made)

    def _rate(self, feed: Feed) -> float:
        now = self._engine.core.ts
        ts, events, rate = self._rates.get(feed.name, (now, feed.delivered, 0.0))
        if now - ts >= _RATE_NS:
            rate = (feed.delivered - events) * NS_PER_S / (now - ts)
            self._rates[feed.name] = (now, feed.delivered, rate)
        elif feed.name not in self._rates:
            self._rates[feed.name] = (now, feed.delivered, 0.0)
        return rate
