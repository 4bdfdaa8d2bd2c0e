"""Protocols through which parts see each other; the builder passes the objects in.

Views are read-only and valid only during the call: a part that wants to keep a
figure copies it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Protocol

from workstation.kernel.clock import Timer
from workstation.model.instruments import Side
from workstation.model.market import Level
from workstation.model.orders import Order
from workstation.model.positions import AccountView, Position
from workstation.model.records import Record
from workstation.model.reports import Report
from workstation.model.requests import Request
from workstation.model.states import BookTrust, Gate
from workstation.model.timeframes import Timeframe

__all__ = [
    "BarsView",
    "BookView",
    "Core",
    "Edge",
    "FiguresView",
    "FollowedMarketView",
    "IndicatorView",
    "InstrumentView",
    "MarketView",
    "OrdersView",
    "PositionView",
]


class Core(Protocol):
    """The way back into the core for the parts it calls."""

    @property
    def seq(self) -> int:
        """Return the sequence number of the input being handled."""

    @property
    def ts(self) -> int:
        """Return the run's clock in ns."""

    def emit(self, event: object) -> None:
        """Queue an event for the other parts; it runs after this handler, in order."""

    def publish(self, event: object, /) -> object:
        """Tell observers of a change that has been made."""

    def record(self, record: Record) -> None:
        """Hand over the record of a state change that has been made."""

    def request(self, request: Request) -> None:
        """Send a request to the broker at the edge."""

    def call_at(self, due_ns: int, name: str, callback: Callable[[], None]) -> Timer:
        """Run ``callback`` as an input of its own at ``due_ns``; name it uniquely."""


class Edge(Protocol):
    """What a simulated broker may use: the run's clock and its agenda."""

    @property
    def ts(self) -> int:
        """Return the run's clock in ns."""

    def call_at(self, due_ns: int, callback: Callable[[], None]) -> Timer:
        """Run ``callback`` at ``due_ns`` at the venue (not an input of the core)."""

    def report(self, due_ns: int, report: Report) -> None:
        """Deliver a report to the core as an input at ``due_ns``."""


class BookView(Protocol):
    """One order book."""

    trust: BookTrust
    update_id: int
    applied: int
    dropped: int
    gaps: int
    crossed: int
    replaced: int
    refused: int

    def best_bid(self) -> Level | None:
        """Return price and size of the best bid."""

    def best_ask(self) -> Level | None:
        """Return price and size of the best ask."""

    def bids(self, n: int) -> Sequence[Level]:
        """Return the n best bids, best first."""

    def asks(self, n: int) -> Sequence[Level]:
        """Return the n best asks, best first."""

    def depth(self) -> tuple[int, int]:
        """Return the count of bid and ask levels."""

    def size_at(self, price: float) -> float:
        """Return the size at a price, on whichever side it is; 0.0 for no level."""

    def size_of(self, side: Side, n: int) -> float:
        """Return what an order of this side could take of the n best levels."""

    def size_to(self, side: Side, price: float) -> float:
        """Return what an order of this side could take at ``price`` and better."""

    def vwap_to(self, side: Side, size: float) -> float | None:
        """Return its average price for this size; None where less is known."""

    def imbalance(self, n: int) -> float | None:
        """Return (bids − asks)/(bids + asks) of the n best sizes, in [−1, 1]."""

    def weighted_imbalance(self, n: int, decay: float) -> float | None:
        """Return it with sizes × e^(−distance from the side's best price/decay)."""

    def microprice(self) -> float | None:
        """Return the mid weighted by the opposite sizes."""


class BarsView(Protocol):
    """The window of closed bars of one instrument and timeframe."""

    timeframe: Timeframe

    def __len__(self) -> int:
        """Return how many closed bars are kept."""

    def close(self, back: int = 0) -> float:
        """Return the close ``back`` bars ago (0 = the last closed)."""

    def high(self, back: int = 0) -> float:
        """Return the high ``back`` bars ago."""

    def low(self, back: int = 0) -> float:
        """Return the low ``back`` bars ago."""

    def open(self, back: int = 0) -> float:
        """Return the open ``back`` bars ago."""

    def volume(self, back: int = 0) -> float:
        """Return the volume ``back`` bars ago."""

    def ts_open(self, back: int = 0) -> int:
        """Return the open time ``back`` bars ago, ns."""

    def highest(self, n: int, back: int = 0) -> float | None:
        """Return the highest high of n bars ending ``back`` bars ago."""

    def lowest(self, n: int, back: int = 0) -> float | None:
        """Return the lowest low of n bars ending ``back`` bars ago."""

    def average_volume(self, n: int, back: int = 0) -> float | None:
        """Return the mean volume of n bars ending ``back`` bars ago."""


class IndicatorView(Protocol):
    """A running indicator, shared by all who ask for the same one."""

    @property
    def value(self) -> tuple[float, ...] | None:
        """Return the outputs at the last closed bar; None before warm-up."""

    @property
    def previous(self) -> tuple[float, ...] | None:
        """Return the outputs one bar earlier."""


class FiguresView(Protocol):
    """What the chain of processors says of one instrument; docs/processors.md."""

    def __getattr__(self, name: str) -> float | None:
        """Return a figure, None = not known; AttributeError where none gives it."""

    def get(self, name: str) -> float | None:
        """Return a figure; None also where no processor gives it."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all figures, in the order of the chain."""


class InstrumentView(Protocol):
    """Live figures of one instrument; 0.0 and None mean not known yet."""

    instrument: str
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    last: float
    ts_recv: int
    latency_ns: int | None
    bars_only: bool
    day_open: float

    @property
    def mid(self) -> float | None:
        """Return the middle of bid and ask."""

    @property
    def mark(self) -> float | None:
        """Return the price to value a position at: mid, else last."""

    @property
    def is_top_proven(self) -> bool:
        """Tell whether a ticker or a trusted book stands behind the best prices."""

    @property
    def book(self) -> BookView | None:
        """Return the order book, if the feed brings one."""

    @property
    def figures(self) -> FiguresView:
        """Return what the chain of processors says."""


class MarketView(Protocol):
    """What the Aggregator knows."""

    def instrument(self, instrument: str) -> InstrumentView:
        """Return the live figures of an instrument of the run."""

    def bars(self, instrument: str, timeframe: Timeframe) -> BarsView:
        """Return the window; it is built from the first event on."""

    def indicator(
        self, instrument: str, timeframe: Timeframe, name: str, **params: float | str
    ) -> IndicatorView:
        """Return the shared running indicator; created on first use."""

    def distrust(self, instrument: str, now_ns: int) -> str | None:
        """Return why nothing may trade on this data (stale, untrusted), or None."""

    def age_limit(self, instrument: str) -> int:
        """Return how old the data may be before nothing trades on it, ns."""


class FollowedMarketView(MarketView, Protocol):
    """A market that also tells of its ticks, as they come."""

    def follow(
        self, instrument: str, tick: Callable[[InstrumentView, object], None]
    ) -> Callable[[], None]:
        """Call ``tick`` with the figures at each quote and trade; return how to stop.

        It is called on the hot path, before the Executor has seen the event; with what
        the watchers of this market get beside the figures, which says nothing.
        """


class PositionView(Protocol):
    """What the ledger knows."""

    def position(self, owner: str, instrument: str) -> Position:
        """Return an owner's position, flat if it never traded."""

    def net(self, instrument: str) -> Decimal:
        """Return the account's signed position."""

    def account(self) -> AccountView:
        """Return the account's money, marked at the market."""


class OrdersView(Protocol):
    """What the Executor knows of orders."""

    def working(self, owner: str, instrument: str) -> Sequence[Order]:
        """Return the orders of an owner that are not final, oldest first."""

    def gates(self, owner: str, instrument: str) -> Sequence[Gate]:
        """Return the checks an entry of this owner would meet now, in order."""
