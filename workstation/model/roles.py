"""The four roles of a trading engine, and the broker at its edge.

``EngineBuilder`` accepts any object that fits. Aggregator, Strategy and Executor are
called synchronously by the dispatcher (an ``async def`` there is refused); what they
cause goes through the ``Core`` they are attached to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from workstation.model.market import MarketEvent
from workstation.model.ports import Core, Edge
from workstation.model.rates import BrokerAbilities
from workstation.model.rehearsal import Happening
from workstation.model.reports import Report
from workstation.model.requests import Request, SingleRequest

__all__ = [
    "Aggregator",
    "Broker",
    "Connector",
    "Executor",
    "Part",
    "Rehearsing",
    "Resyncing",
    "Strategy",
    "Venue",
]


@runtime_checkable
class Part(Protocol):
    """A synchronous part of the core.

    A part may also have ``handlers() -> Mapping[type, Callable]``: then each event
    goes straight to the handler of its type, and ``handle_event`` is not called.
    Of the types in ``follows`` it hears also while its task is stopped or has failed.
    One that has ``digest() -> object`` (plain numbers, strings, lists, no floats that
    depend on order of summation) takes part in the state hash.
    """

    name: str
    subscriptions: tuple[type, ...]

    def attach(self, core: Core) -> None:
        """Receive the way back into the core, once, before the first event."""

    def handle_event(self, event: object) -> None:
        """Take one event of a subscribed type."""


class Aggregator(Part, Protocol):
    """Turns raw market events into books, bars and indicators. Exactly one."""


class Strategy(Part, Protocol):
    """Turns market state into signals. One or more."""


class Executor(Part, Protocol):
    """Turns signals into orders and reports into positions. One per broker."""


@runtime_checkable
class Connector(Protocol):
    """A pull source of market events in time order.

    ``next`` may raise FeedHole where events are missing, and is called again. A
    connector may also have ``ending`` (what and detail of the record at its end),
    ``note`` (what of it is missing from the start) and, where it has raw frames,
    ``keep_frames() -> deque | None``: from the event given last on, the frame of each
    event is put there; ``drop_frames()`` ends that.
    """

    name: str

    def next(self) -> tuple[int, MarketEvent] | None:
        """Return the next event with its ``ts_recv``, or None at the end."""

    def identity(self) -> Mapping[str, str]:
        """Return what makes this source the same again: seed, file hashes, format."""

    def close(self) -> None:
        """Release files."""


@runtime_checkable
class Resyncing(Protocol):
    """What a Connector may have too: it can be asked for a whole order book."""

    def resync(self, instrument: str) -> None:
        """Bring a ``BookSnapshot`` of this instrument among the next events.

        Called between two calls of ``next`` for an instrument of its own, once per
        try: it returns at once, and leaves trying again to the core, which wants the
        book until it has one. What it asks a venue for has its limits; one request in
        flight per instrument is enough.
        """


@runtime_checkable
class Broker(Protocol):
    """Where orders go; a simulated one is driven by the run's clock.

    One that can do more than the least has ``abilities: BrokerAbilities`` and takes a
    BatchRequest as so many requests. One that does not want every market event has
    ``precedes`` and ``trails``: the types it sees before the core, and after it.
    """

    name: str

    def attach(self, edge: Edge) -> None:
        """Receive the way to schedule and to report, once, before the first event."""

    def request(self, request: Request) -> None:
        """Take one request that the Executor made."""

    def before_market(self, event: MarketEvent) -> None:
        """See a market event before the core does (simulated brokers match here)."""

    def after_market(self, event: MarketEvent) -> None:
        """See it again when the core is quiet."""


@runtime_checkable
class Rehearsing(Protocol):
    """What a simulated Broker may have too: its account can be changed behind us."""

    def happen(self, event: Happening) -> str:
        """Let something happen at the venue now, and return what did.

        Raises CommandRefused, with what would be right, where it cannot.
        """


class Venue(Protocol):
    """A venue behind a network, as the edge of a broker sees it; knows no run.

    What it returns are inputs of the core: it decides nothing and keeps no position.
    """

    name: str
    abilities: BrokerAbilities

    async def send(self, request: SingleRequest) -> Sequence[Report]:
        """Carry a request out and return what the venue answered.

        Raises VenueSilent where nobody knows whether it was carried out.
        """

    async def news(self) -> Sequence[Report]:
        """Return fills and ends of orders since the last call; may raise VenueSilent.

        Fills may be reported twice: by ``send`` and here.
        """

    def account(self) -> Mapping[str, object] | None:
        """Return what a watchdog needs to reach the account; None for no watchdog.

        ``silence_s`` in it is the silence of the engine after which it acts.
        """

    async def close(self) -> None:
        """Release the connection."""
