"""Pull sources merged by (time, feed order, index), with the count of each.

The driver pulls; a paused feed's events are read and shed, so that time goes on.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence

from workstation.model.errors import FeedHole
from workstation.model.market import MarketEvent
from workstation.model.roles import Connector, Resyncing

__all__ = ["Feed", "Sources"]


class Feed:
    """One connector with its counts; figures the screen shows."""

    __slots__ = (
        "connector",
        "delivered",
        "ended",
        "error",
        "instruments",
        "last_ts",
        "name",
        "passes",
        "paused",
        "pull",
        "resync",
        "shed",
        "stopped",
        "tap",
    )

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self.pull = connector.next
        self.resync = connector.resync if isinstance(connector, Resyncing) else None
        """Asks for a whole book; None for a feed that cannot, such as a recording."""
        self.name = connector.name
        self.delivered = 0
        self.shed = 0
        self.last_ts: int | None = None
        self.paused = False
        self.stopped = False
        self.passes = 0
        self.ended = False
        self.error: str | None = None
        self.instruments: tuple[str, ...] = ()
        # A tuple of plain values is soon left alone by the garbage collector.
        self.tap: Callable[[tuple[str, int, MarketEvent]], None] | None = None
        """Takes name, time and event of each pop, while the feed is recorded."""

    @property
    def skipped(self) -> int:
        """Return how many damaged rows the connector skipped."""
        return int(getattr(self.connector, "skipped", 0))


class Sources:
    """The merge of all feeds of a driven run."""

    def __init__(self, connectors: Sequence[Connector]) -> None:
        self.feeds = tuple(Feed(connector) for connector in connectors)
        self.due: int | None = None
        """What ``peek_ts`` returned last; None also before it was first asked."""
        # No two entries are of one order, so events are never compared.
        self._heap: list[tuple[int, int, MarketEvent, Feed]] | None = None
        self.over: list[tuple[Feed, Exception | None]] = []
        """Feeds that ended, failed or lost events since ``tell``: one is read ahead."""
        self.on_end: Callable[[Feed], None] = lambda feed: None
        self.on_hole: Callable[[Feed, FeedHole], None] = _raise
        self.on_error: Callable[[Feed, Exception], None] = _raise

    def peek_ts(self) -> int | None:
        """Return the time of the next event, or None when all feeds have ended."""
        heap = self._heap
        if heap is None:
            heap = self._heap = []
            for order in range(len(self.feeds)):
                self._refill(order)
        self.due = heap[0][0] if heap else None
        return self.due

    def pop(self) -> tuple[int, int, MarketEvent, Feed]:
        """Take the next event: time, order, event and feed.

        Call only after ``peek_ts`` returned a time.
        """
        heap = self._heap
        assert heap
        first = heap[0]
        feed = first[3]
        # This runs once per tick: pulled here, and one heap sift for a pop and a push.
        following = None
        if not feed.stopped:
            try:
                following = feed.pull()
            except Exception as error:  # the feed's edge
                following = self._pull(feed) if self._lost(feed, error) else None
            else:
                if following is None:
                    self._end(feed)
        if following is None:
            heapq.heappop(heap)
            self.peek_ts()
        elif len(heap) == 1:
            due, event = following
            self.due = due
            heap[0] = (due, first[1], event, feed)
        else:
            heapq.heapreplace(heap, (following[0], first[1], following[1], feed))
            self.due = heap[0][0]
        return first

    def bringing(self, instrument: str) -> Feed | None:
        """Return the first feed of an instrument; one that can be asked comes first."""
        feeds = [feed for feed in self.feeds if instrument in feed.instruments]
        feeds.sort(key=lambda feed: feed.resync is None)
        return feeds[0] if feeds else None

    def stop(self, name: str) -> None:
        """End one feed: what it had left is not delivered."""
        for order, feed in enumerate(self.feeds):
            if feed.name == name:
                feed.stopped = True
                if self._heap is not None:
                    self._heap = [entry for entry in self._heap if entry[1] != order]
                    heapq.heapify(self._heap)
                    self.peek_ts()

    def tell(self) -> None:
        """Say which feeds are over or lost events, once those before are dealt with."""
        over, self.over = self.over, []
        for feed, error in over:
            if error is None:
                self.on_end(feed)
            elif isinstance(error, FeedHole):
                self.on_hole(feed, error)
            else:
                self.on_error(feed, error)

    def close(self) -> None:
        """Release the files of all feeds."""
        for feed in self.feeds:
            feed.connector.close()

    def _refill(self, order: int) -> None:
        assert self._heap is not None
        feed = self.feeds[order]
        following = self._pull(feed)
        if following is not None:
            heapq.heappush(self._heap, (following[0], order, following[1], feed))

    def _pull(self, feed: Feed) -> tuple[int, MarketEvent] | None:
        while True:
            try:
                following = feed.pull()
            except Exception as error:  # the feed's edge
                if not self._lost(feed, error):
                    return None
            else:
                if following is None:
                    self._end(feed)
                return following

    def _lost(self, feed: Feed, error: Exception) -> bool:
        """Tell whether only events were lost; else it is the feed's visible failure."""
        self.over.append((feed, error))
        if isinstance(error, FeedHole):
            return True
        feed.error = str(error)
        feed.ended = True
        return False

    def _end(self, feed: Feed) -> None:
        feed.ended = True
        self.over.append((feed, None))


def _raise(feed: Feed, error: Exception) -> None:
    raise error
