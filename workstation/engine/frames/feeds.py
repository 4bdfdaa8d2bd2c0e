"""Feeds of a frame: their counters, the proof of their books, the gap ledger."""

from __future__ import annotations

from msgspec import Struct

from workstation.engine.recording_writer import TapeStatus
from workstation.model.market import Level
from workstation.model.states import BookTrust

__all__ = ["BookCount", "FeedRow", "GapRow"]


class BookCount(Struct, frozen=True, kw_only=True):
    """What is proven of one book: its end and what it was built from."""

    symbol: str
    decimals: int
    update_id: int
    bid: Level | None
    ask: Level | None
    bid_levels: int
    ask_levels: int
    trust: BookTrust
    reason: str = ""
    applied: int
    dropped: int
    gaps: int
    crossed: int
    replaced: int = 0
    refused: int = 0


class FeedRow(Struct, frozen=True, kw_only=True):
    """One feed: ``rate`` in events per second of the run's own time.

    ``recording`` is what is on disk of it while it is recorded, else None.
    ``worst_symbol`` has been silent for longest, for ``worst_ns``. Of ``book_count``
    books ``books_ok`` are trusted; ``distrusted`` is the first that is not, and why.
    ``books`` are all of them, made where ``feed_books`` are asked for.
    """

    name: str
    kind: str
    state: str
    events: int
    rate: float
    age_ns: int | None
    gaps: int
    skipped: int
    shed: int
    last_error: str
    symbols: int
    worst_symbol: str = ""
    worst_ns: int | None = None
    books_ok: int = 0
    book_count: int = 0
    distrusted: str = ""
    books: tuple[BookCount, ...] = ()
    recording: TapeStatus | None = None


class GapRow(Struct, frozen=True, kw_only=True):
    """One entry of the gap ledger; ``until_ns`` None = still open.

    ``tries`` counts the wishes for a whole book, ``asked`` tells whether the feed can
    be asked for one (a recording cannot), ``mended`` what brought the trust back.
    """

    ts: int
    instrument: str
    feed: str = ""
    reason: str
    expected: int | None
    got: int | None
    until_ns: int | None
    tries: int = 0
    asked: bool = True
    mended: str = ""
