"""A core of one part: a clock, timers, and lists of what the part said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from workstation.kernel.clock import SimClock, Timer
from workstation.market.aggregator import Aggregator
from workstation.market.settings import StorageSettings
from workstation.model.instruments import Instrument
from workstation.model.market import Bar, MarketEvent
from workstation.model.records import BarRecord, Record
from workstation.model.requests import Request
from workstation.model.timeframes import Timeframe


class FakeCore:
    """Implements ``model.ports.Core`` and drives one Aggregator by event times."""

    def __init__(self, start_ns: int = 0) -> None:
        self.clock = SimClock(start_ns)
        self.seq = 0
        self.ts = start_ns
        self.emitted: list[object] = []
        self.published: list[object] = []
        self.records: list[Record] = []
        self.fired: list[tuple[int, str]] = []

    def emit(self, event: object) -> None:
        self.emitted.append(event)

    def publish(self, event: object) -> None:
        self.published.append(event)

    def record(self, record: Record) -> None:
        self.records.append(record)

    def request(self, request: Request) -> None:
        raise AssertionError("the market asks nothing of a broker")

    def call_at(self, due_ns: int, name: str, callback: Callable[[], None]) -> Timer:
        def fire() -> None:
            self.seq += 1
            self.ts = self.clock.now()
            self.fired.append((self.ts, name))
            callback()

        return self.clock.call_at(max(due_ns, self.ts), fire)

    def feed(self, part: Aggregator, events: Iterable[MarketEvent]) -> None:
        """Take events in order, firing what is due at or before each first."""
        for event in events:
            self.advance(max(event.ts_recv, self.ts))
            self.seq += 1
            part.handle_event(event)

    def advance(self, ts: int) -> None:
        """Fire what is due by ``ts`` and leave the clock there."""
        self.clock.run_until(ts)
        self.ts = ts

    def bars(self, timeframe: Timeframe | None = None) -> list[Bar]:
        """Return the bars that were recorded as closed."""
        return [
            record.bar
            for record in self.records
            if isinstance(record, BarRecord)
            and timeframe in (None, record.bar.timeframe)
        ]


def instrument(name: str = "BTCUSDT") -> Instrument:
    """Return an instrument of a fine grid."""
    return Instrument(
        id=name,
        venue="test",
        symbol=name,
        base=name[:3],
        quote="USDT",
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.00001"),
    )


def market(
    *names: str,
    watch: Iterable[str] = (),
    settings: StorageSettings | None = None,
    start_ns: int = 0,
) -> tuple[Aggregator, FakeCore]:
    """Return an attached Aggregator over ``names`` (BTCUSDT) and its core."""
    symbols = names or ("BTCUSDT",)
    part = Aggregator(
        settings or StorageSettings(), [instrument(name) for name in symbols]
    )
    core = FakeCore(start_ns)
    part.attach(core)
    for name in symbols:
        for timeframe in watch:
            part.watch(name, Timeframe.parse(timeframe))
    return part, core
