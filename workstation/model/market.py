"""Market events as feeds deliver them: floats for prices and sizes, ns for time.

``ts_recv`` is when this machine (or the recorder) received it and drives the run's
clock; ``ts_event`` is the venue's own time where it gives one. Positional creation is
deliberate: these are made once per tick.
"""

from __future__ import annotations

from msgspec import Struct

from workstation.model.timeframes import Timeframe

__all__ = [
    "Bar",
    "BookDelta",
    "BookSnapshot",
    "Level",
    "MarketEvent",
    "Quote",
    "Trade",
]

Level = tuple[float, float]
"""Price and absolute size of one book level; size 0 removes it."""


class Quote(Struct, frozen=True, gc=False, tag="quote"):
    """Best bid and ask with their sizes; ``update_id`` orders it against the book."""

    instrument: str
    ts_recv: int
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    ts_event: int | None = None
    update_id: int | None = None


class Trade(Struct, frozen=True, gc=False, tag="trade"):
    """One public trade; ``aggressor`` is +1 buyer, −1 seller, 0 unknown."""

    instrument: str
    ts_recv: int
    price: float
    size: float
    aggressor: int = 0
    trade_id: int = 0
    ts_event: int | None = None


class Bar(Struct, frozen=True, gc=False, tag="bar"):
    """A closed bar of ``[ts_open, ts_close)``, an input at its close.

    ``turnover`` is Σ price × size in the quote currency, ``trades`` the count.
    """

    instrument: str
    ts_recv: int
    timeframe: Timeframe
    ts_open: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    turnover: float = 0.0
    trades: int = 0
    ts_event: int | None = None

    @property
    def ts_close(self) -> int:
        """Return the first ns after the bar; of counted ones, when it was full."""
        timeframe = self.timeframe
        return timeframe.end(self.ts_open) if timeframe.is_clocked else self.ts_recv


class BookSnapshot(Struct, frozen=True, tag="book_snapshot"):
    """A whole order book as of ``last_id``."""

    instrument: str
    ts_recv: int
    last_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    ts_event: int | None = None


class BookDelta(Struct, frozen=True, tag="book_delta"):
    """Changed levels of updates ``first_id``…``last_id``.

    ``previous_id`` is the ``last_id`` before, where the venue names it (USD-M ``pu``).
    """

    instrument: str
    ts_recv: int
    first_id: int
    last_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    ts_event: int | None = None
    previous_id: int | None = None


MarketEvent = Quote | Trade | Bar | BookSnapshot | BookDelta
