"""Stand-ins for core, edge and market, and a run that joins them as the engine does."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

from workstation.execution.executor import Executor
from workstation.execution.settings import (
    OrderSettings,
    ReconciliationSettings,
    RiskSettings,
)
from workstation.kernel.clock import Timer
from workstation.market.book import Book
from workstation.market.pipeline.figures import NO_FIGURES
from workstation.model.commands import PlaceOrder
from workstation.model.events import OrderFilled
from workstation.model.instruments import Instrument, Side
from workstation.model.market import (
    Bar,
    BookSnapshot,
    Level,
    MarketEvent,
    Quote,
    Trade,
)
from workstation.model.orders import OrderType
from workstation.model.ports import BarsView, IndicatorView
from workstation.model.rates import BrokerAbilities
from workstation.model.records import Record
from workstation.model.reports import (
    ExternalOrder,
    OrderAccepted,
    OrderFilledReport,
    Report,
)
from workstation.model.requests import Request, SubmitOrder
from workstation.model.signals import Signal, SignalAction
from workstation.model.states import BookTrust
from workstation.model.timeframes import Timeframe
from workstation.venues.paper.broker import PaperBroker
from workstation.venues.paper.settings import PaperBrokerSettings

D = Decimal
NS = 1_000_000_000
MINUTE = Timeframe.of_ns(60 * NS)
CASH = D(100_000)
BTC = Instrument(
    id="BTC",
    venue="test",
    symbol="BTC",
    base="BTC",
    quote="USDT",
    tick_size=D("0.1"),
    lot_size=D("0.001"),
    min_notional=D(5),
)
ETH = Instrument(
    id="ETH",
    venue="test",
    symbol="ETH",
    base="ETH",
    quote="USDT",
    tick_size=D("0.01"),
    lot_size=D("0.01"),
)
T = TypeVar("T")


class FakeBook(Book):
    """A book that is what the test says."""

    def __init__(self, bids: Sequence[Level] = (), asks: Sequence[Level] = ()) -> None:
        super().__init__()
        self.snapshot(BookSnapshot("", 0, 0, tuple(bids), tuple(asks)))
        self.trust = BookTrust.TRUSTED


class FakeView:
    """Live figures of one instrument, set by the test or by ``FakeMarket.see``."""

    def __init__(self, instrument: str) -> None:
        self.instrument = instrument
        self.bid = self.bid_size = self.ask = self.ask_size = self.last = 0.0
        self.ts_recv = 0
        self.latency_ns: int | None = None
        self.bars_only = True
        self.day_open = 0.0
        self.book: FakeBook | None = None
        self.is_top_proven = True
        self.figures = NO_FIGURES

    @property
    def mid(self) -> float | None:
        return (self.bid + self.ask) / 2 if self.bid > 0 and self.ask > 0 else None

    @property
    def mark(self) -> float | None:
        return self.mid or self.last or None


class FakeMarket:
    """A market view that sees events like an aggregator, without windows."""

    def __init__(self, instruments: Sequence[Instrument] = (BTC, ETH)) -> None:
        self.views = {i.id: FakeView(i.id) for i in instruments}
        self.reasons: dict[str, str] = {}
        self.followers: dict[str, list[Callable[[FakeView, object], None]]] = {}

    def follow(
        self, instrument: str, tick: Callable[[FakeView, object], None]
    ) -> Callable[[], None]:
        following = self.followers.setdefault(instrument, [])
        following.append(tick)
        return lambda: following.remove(tick)

    def instrument(self, instrument: str) -> FakeView:
        return self.views[instrument]

    def bars(self, instrument: str, timeframe: Timeframe) -> BarsView:
        raise AssertionError("nothing here asks for bars")

    def indicator(
        self, instrument: str, timeframe: Timeframe, name: str, **params: float | str
    ) -> IndicatorView:
        raise AssertionError("nothing here asks for indicators")

    def age_limit(self, instrument: str) -> int:
        return 5 * NS

    def distrust(self, instrument: str, now_ns: int) -> str | None:
        return self.reasons.get(instrument)

    def see(self, event: MarketEvent) -> None:
        view = self.views[event.instrument]
        view.ts_recv = event.ts_recv
        if isinstance(event, Quote):
            view.bars_only = False
            view.bid, view.bid_size = event.bid, event.bid_size
            view.ask, view.ask_size = event.ask, event.ask_size
        elif isinstance(event, Trade):
            view.bars_only = False
            view.last = event.price
        elif isinstance(event, Bar):
            view.last = event.close
        if isinstance(event, Quote | Trade):
            for tick in self.followers.get(event.instrument, ()):
                tick(view, event.ts_recv)


class FakeCore:
    """Keeps what a part hands over; timers fire when the test moves the time."""

    def __init__(self, ts: int = NS) -> None:
        self.seq = 1
        self.ts = ts
        self.emitted: deque[object] = deque()
        self.published: list[object] = []
        self.records: list[Record] = []
        self.requests: list[Request] = []
        self.on_request: Callable[[Request], None] | None = None
        self._timers: list[tuple[int, int, Timer]] = []
        self._count = 0
        self.names: set[str] = set()

    def emit(self, event: object) -> None:
        self.emitted.append(event)

    def publish(self, event: object) -> None:
        self.published.append(event)

    def record(self, record: Record) -> None:
        assert record.seq == self.seq
        assert record.ts == self.ts
        self.records.append(record)

    def request(self, request: Request) -> None:
        self.requests.append(request)
        if self.on_request is not None:
            self.on_request(request)

    def call_at(self, due_ns: int, name: str, callback: Callable[[], None]) -> Timer:
        assert name not in self.names, f"timer {name} is not unique"
        self.names.add(name)
        return self.schedule(due_ns, callback)

    def schedule(self, due_ns: int, callback: Callable[[], None]) -> Timer:
        assert due_ns >= self.ts
        timer = Timer(due_ns, 0, callback)
        self._count += 1
        heapq.heappush(self._timers, (due_ns, self._count, timer))
        return timer

    def advance(self, ns: int) -> None:
        """Fire everything due by ``ns``, then stand there."""
        while self._timers and self._timers[0][0] <= ns:
            due, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                self.ts = max(self.ts, due)
                self.seq += 1
                timer.callback()
        self.ts = max(self.ts, ns)

    def said(self, kind: type[T]) -> list[T]:
        """Return what was published of one type."""
        return [event for event in self.published if isinstance(event, kind)]

    def kept(self, kind: type[T]) -> list[T]:
        """Return the records of one type."""
        return [record for record in self.records if isinstance(record, kind)]


class FakeEdge:
    """The edge of a run: reports go to ``deliver`` when they are due."""

    def __init__(self, core: FakeCore, deliver: Callable[[Report], None]) -> None:
        self._core = core
        self._deliver = deliver

    @property
    def ts(self) -> int:
        return self._core.ts

    def call_at(self, due_ns: int, callback: Callable[[], None]) -> Timer:
        return self._core.schedule(due_ns, callback)

    def report(self, due_ns: int, report: Report) -> None:
        self._core.schedule(due_ns, lambda: self._deliver(report))


def executor(
    core: FakeCore,
    market: FakeMarket,
    risk: RiskSettings | None = None,
    orders: OrderSettings | None = None,
    cash: Decimal = CASH,
    instruments: Sequence[Instrument] = (BTC, ETH),
    abilities: BrokerAbilities | None = None,
    reconciliation: ReconciliationSettings | None = None,
) -> Executor:
    """Return an attached Executor for BTC and ETH."""
    made = Executor(
        risk or RiskSettings(),
        orders or OrderSettings(),
        instruments,
        market,
        currency="USDT",
        cash=cash,
        abilities=abilities,
        reconciliation=reconciliation,
    )
    made.attach(core)
    return made


class Run:
    """An Executor and a paper broker, dispatched by the rules of the engine."""

    def __init__(
        self,
        broker: PaperBrokerSettings | None = None,
        risk: RiskSettings | None = None,
        orders: OrderSettings | None = None,
        btc: Instrument = BTC,
    ) -> None:
        self.market = FakeMarket()
        self.core = FakeCore()
        settings = broker or PaperBrokerSettings()
        self.executor = executor(
            self.core,
            self.market,
            risk,
            orders,
            instruments=(btc, ETH),
            abilities=BrokerAbilities(stops=settings.native_stops),
        )
        self.broker = PaperBroker(settings, (btc, ETH), self.market)
        self.broker.heed(self.executor.triggers.precedes)
        self.broker.attach(FakeEdge(self.core, self._dispatch))
        self.core.on_request = self.broker.request
        self.heard: list[object] = []

    def _dispatch(self, event: object) -> None:
        self.core.seq += 1
        self.executor.handle_event(event)
        self._drain()

    def _drain(self) -> None:
        while self.core.emitted:
            event = self.core.emitted.popleft()
            self.heard.append(event)
            if isinstance(event, Signal | OrderFilled):
                self.executor.handle_event(event)

    def feed(self, event: MarketEvent, *signals: Signal) -> None:
        """Take one market event; ``signals`` are what a strategy says to it."""
        self.core.advance(event.ts_recv)
        self.broker.before_market(event)
        self.core.advance(event.ts_recv)
        self.market.see(event)
        self.core.seq += 1
        self.executor.handle_event(event)
        for signal in signals:
            self.core.emit(signal)
        self._drain()
        self.broker.after_market(event)
        self.core.advance(event.ts_recv)

    def tell(self, event: object) -> None:
        """Take a signal or a command as an input."""
        self._dispatch(event)
        self.core.advance(self.core.ts)

    def wait(self, seconds: float) -> None:
        """Let time pass without market data."""
        self.core.advance(self.core.ts + int(seconds * NS))


class Hand:
    """An Executor whose venue is the test itself."""

    def __init__(
        self,
        risk: RiskSettings | None = None,
        orders: OrderSettings | None = None,
        cash: Decimal = CASH,
        btc: Instrument = BTC,
        abilities: BrokerAbilities | None = None,
        reconciliation: ReconciliationSettings | None = None,
    ) -> None:
        self.market = FakeMarket()
        self.core = FakeCore()
        self.executor = executor(
            self.core,
            self.market,
            risk,
            orders,
            cash,
            (btc, ETH),
            abilities,
            reconciliation,
        )
        self.quote(100.0, 100.2)
        self._trades = 0

    def give(self, event: object) -> None:
        """Hand one input to the Executor."""
        self.core.seq += 1
        self.executor.handle_event(event)

    def quote(self, bid: float, ask: float, instrument: str = "BTC") -> None:
        """Move the market."""
        event = Quote(instrument, self.core.ts, bid, 10.0, ask, 10.0)
        self.market.see(event)
        self.give(event)

    def enter(
        self, quantity: str = "1", action: str = "enter_long", **fields: object
    ) -> str:
        """Send an entry signal; return the id its order has or would have."""
        self.give(signal(action, quantity, **fields))
        return f"o-{self.executor.desk.orders.made}"

    def fill(
        self,
        order_id: str,
        quantity: str,
        price: str = "100.2",
        fee: str = "0",
        trade_id: str | None = None,
        currency: str = "USDT",
    ) -> None:
        """Report an execution; ``currency`` is the fee's."""
        self._trades += 1
        self.give(
            OrderFilledReport(
                order_id,
                trade_id or f"t-{self._trades}",
                D(quantity),
                D(price),
                D(fee),
                currency,
                False,
            )
        )

    def accept(self, order_id: str) -> None:
        """Report an acknowledgement."""
        self.give(OrderAccepted(order_id, f"v-{order_id}"))

    def position(self, owner: str = "s", instrument: str = "BTC") -> Decimal:
        """Return what an owner holds."""
        return self.executor.position(owner, instrument).quantity

    def held(self) -> list[tuple[str, Decimal, Decimal | None]]:
        """Return role, quantity and trigger of what is held here."""
        return [
            (o.role.value, o.quantity, o.trigger)
            for o in self.executor.held_protection()
        ]

    def submitted(self) -> list[str]:
        """Return the ids of the orders that left, in order."""
        return [r.order.id for r in self.core.requests if isinstance(r, SubmitOrder)]


def ticket(
    quantity: str = "1",
    price: str | None = None,
    side: Side = Side.BUY,
    **rest: object,
) -> PlaceOrder:
    """Return an order of the operator in BTC: a limit order where a price is given."""
    given: dict[str, object] = {
        "instrument": "BTC",
        "side": side,
        "quantity": D(quantity),
        "order_type": OrderType.MARKET if price is None else OrderType.LIMIT,
        "price": None if price is None else D(price),
    }
    for name in ("stop", "target"):
        if name in rest:
            rest[name] = D(str(rest[name]))
    return PlaceOrder(**(given | rest))  # type: ignore[arg-type]


def by_hand(
    order_id: str,
    quantity: str = "1",
    price: str | None = None,
    side: Side = Side.BUY,
    venue_id: str | None = None,
) -> ExternalOrder:
    """Return an order in BTC that was made at the venue: a limit where it has a price.

    ``venue_id`` is the venue's own name for it.
    """
    return ExternalOrder(
        order_id=order_id,
        instrument="BTC",
        side=side,
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=D(quantity),
        price=None if price is None else D(price),
        venue_id=venue_id,
    )


def signal(action: str, quantity: str | None = None, **fields: object) -> Signal:
    """Return a signal of strategy ``s`` on BTC; prices may be given as text."""
    for name in ("limit_price", "trigger", "stop", "target"):
        if isinstance(fields.get(name), str):
            fields[name] = D(str(fields[name]))
    if "order_type" in fields:
        fields["order_type"] = OrderType(str(fields["order_type"]))
    given: dict[str, object] = {"strategy": "s", "instrument": "BTC", **fields}
    given["action"] = SignalAction(action)
    given["quantity"] = None if quantity is None else D(quantity)
    return Signal(**given)  # type: ignore[arg-type]


def quote(
    seconds: float, bid: float, ask: float, size: float = 10.0, instrument: str = "BTC"
) -> Quote:
    """Return a quote with the same size on both sides."""
    return Quote(instrument, int(seconds * NS), bid, size, ask, size)


def bar(seconds: int, o: float, h: float, low: float, c: float) -> Bar:
    """Return a one-minute bar of BTC that closes at ``seconds``."""
    close = seconds * NS
    return Bar("BTC", close, MINUTE, close - 60 * NS, o, h, low, c, 1.0)
