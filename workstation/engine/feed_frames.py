"""Feeds and their gaps, as a frame shows them.

Called by ``FrameSource`` between two inputs; it only reads.
"""

from __future__ import annotations

from workstation.engine.engine import Engine
from workstation.engine.figures import age
from workstation.engine.frames import FeedRow, GapRow
from workstation.engine.sources import Feed
from workstation.market.aggregator import Aggregator
from workstation.model.timeframes import NS_PER_S

__all__ = ["FeedFrames"]

# A rate is taken over at least this much of the run's time.
_RATE_NS = NS_PER_S


class FeedFrames:
    """Feed rows of one session."""

    def __init__(self, engine: Engine, aggregator: Aggregator) -> None:
        self._engine = engine
        self._aggregator = aggregator
        self._rates: dict[str, tuple[int, int, float]] = {}

    def feeds(self) -> tuple[FeedRow, ...]:
        """Return the feeds in the order of the config."""
        return tuple(self._feed(feed) for feed in self._engine.sources.feeds)

    def gaps(self) -> tuple[GapRow, ...]:
        """Return the gaps of all books, the newest first."""
        return tuple(
            GapRow(
                ts=entry.when_ns,
                instrument=entry.instrument,
                reason=entry.reason,
                expected=entry.expected,
                got=entry.got,
                until_ns=entry.until_ns,
            )
            for entry in reversed(self._aggregator.gap_ledger())
        )

    def _feed(self, feed: Feed) -> FeedRow:
        handle = self._engine.registry.get(feed.name)
        state = "ended" if feed.ended and not feed.error else handle.state.value
        return FeedRow(
            name=feed.name,
            kind=type(feed.connector).__name__.removesuffix("Feed").lower(),
            state=state,
            events=feed.delivered,
            rate=self._rate(feed),
            age_ns=age(feed.last_ts, self._engine.core.ts),
            gaps=sum(
                1
                for entry in self._aggregator.gap_ledger()
                if entry.instrument in feed.instruments
            ),
            skipped=feed.skipped,
            shed=feed.shed,
            last_error=feed.error
            or str(getattr(feed.connector, "last_error", "") or ""),
            symbols=len(feed.instruments),
        )

    def _rate(self, feed: Feed) -> float:
        now = self._engine.core.ts
        ts, events, rate = self._rates.get(feed.name, (now, feed.delivered, 0.0))
        if now - ts >= _RATE_NS:
            rate = (feed.delivered - events) * NS_PER_S / (now - ts)
            self._rates[feed.name] = (now, feed.delivered, rate)
        elif feed.name not in self._rates:
            self._rates[feed.name] = (now, feed.delivered, 0.0)
        return rate
