"""A row's surroundings, made by hand: a core that keeps all it is given, and views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from workstation.kernel.clock import SimClock, Timer
from workstation.market.aggregator import Aggregator
from workstation.market.settings import StorageSettings
from workstation.model.commands import HandBack, Override
from workstation.model.events import BarClosed, OrderUpdated, PositionChanged
from workstation.model.instruments import Instrument, Side
from workstation.model.market import Bar
from workstation.model.orders import (
    Order,
    OrderEvent,
    OrderRole,
    OrderStatus,
    OrderType,
)
from workstation.model.positions import AccountView, Position
from workstation.model.records import Record, StateRecord
from workstation.model.requests import Request
from workstation.model.signals import Signal
from workstation.model.states import Gate, SymbolState
from workstation.model.timeframes import Timeframe
from workstation.strategy.host import ScriptHost
from workstation.strategy.python_host import PythonHost
from workstation.strategy.row import Row
from workstation.strategy.script import ScriptFunction, load_script
from workstation.strategy.scripted import ScriptedStrategy
from workstation.strategy.settings import StrategySettings

ENTER = "return {'action': 'enter_long', 'stop': market.close * 0.9, 'reason': 'go'}"
SEEN = "return {'signal': 'cross', 'n': market.bars()}"
MINUTE = 60_000_000_000
TIMEFRAME = Timeframe.of_ns(MINUTE)
BTC = Instrument(
    id="BTC",
    venue="test",
    symbol="BTC",
    base="B",
    quote="T",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.001"),
)


class KeepingCore:
    """A ``model.Core`` that keeps records, events and timers."""

    def __init__(self) -> None:
        self.seq = 1
        self.clock = SimClock()
        self.records: list[Record] = []
        self.emitted: list[object] = []

    @property
    def ts(self) -> int:
        return self.clock.now()

    def emit(self, event: object) -> None:
        self.emitted.append(event)

    def publish(self, event: object) -> None:
        pass

    def record(self, record: Record) -> None:
        self.records.append(record)

    def request(self, request: Request) -> None:
        raise AssertionError("a strategy makes no requests")

    def call_at(self, due_ns: int, name: str, callback: Callable[[], None]) -> Timer:
        return self.clock.call_at(due_ns, callback)

    @property
    def signals(self) -> list[Signal]:
        return [event for event in self.emitted if isinstance(event, Signal)]

    @property
    def moves(self) -> list[tuple[str, str, str]]:
        return [
            (r.before.value, r.after.value, r.trigger)
            for r in self.records
            if isinstance(r, StateRecord)
        ]


class Books:
    """Positions and working orders that the test sets."""

    def __init__(self) -> None:
        self.held = Decimal(0)
        self.orders: list[Order] = []
        self.equity = Decimal(10_000)

    def position(self, owner: str, instrument: str) -> Position:
        return Position(owner=owner, instrument=instrument, quantity=self.held)

    def net(self, instrument: str) -> Decimal:
        return self.held

    def account(self) -> AccountView:
        nothing = Decimal(0)
        return AccountView(
            currency="T",
            initial=self.equity,
            realized=nothing,
            unrealized=nothing,
            fees=nothing,
            equity=self.equity,
            day_start=self.equity,
            exposure=nothing,
            fills=0,
            orders=0,
        )

    def working(self, owner: str, instrument: str) -> Sequence[Order]:
        return [order for order in self.orders if not order.is_terminal]

    def gates(self, owner: str, instrument: str) -> Sequence[Gate]:
        return ()


def order(status: OrderStatus, role: OrderRole = OrderRole.ENTRY) -> Order:
    """Return an order of the strategy in a status; what is held waits for a price."""
    kind = OrderType.MARKET
    if status is OrderStatus.HELD:
        kind = OrderType.TARGET if role is OrderRole.TARGET else OrderType.STOP
    return Order(
        id=f"{role.value}-1",
        instrument="BTC",
        owner="s",
        role=role,
        side=Side.BUY,
        type=kind,
        quantity=Decimal(1),
        trigger=Decimal(90) if role is OrderRole.STOP else None,
        reduce_only=role is not OrderRole.ENTRY,
        status=status,
    )


# Any: a script's answer is whatever it returns.
def call(strategy: str, instrument: str, function: ScriptFunction, row: Row) -> Any:
    """Call a script unguarded."""
    return function(row.market, row.context, row.indicators)


class Stand:
    """One scripted strategy ``s`` on BTC with one-minute bars."""

    def __init__(
        self, path: Path, *, host: ScriptHost | None = None, **settings: Any
    ) -> None:
        self.market = Aggregator(StorageSettings(), [BTC])
        self.market.watch("BTC", TIMEFRAME)
        self.books = Books()
        self.core = KeepingCore()
        script = load_script(path)
        self.strategy = ScriptedStrategy(
            StrategySettings(name="s", script=path.name, **settings),
            script,
            host or PythonHost(script, call),
            [BTC],
            self.market,
            self.books,
            self.books,
            lambda name: ("period",),
        )
        self.strategy.attach(self.core)
        self.row = self.strategy.rows["BTC"]
        self.bars = 0

    @classmethod
    def of(cls, folder: Path, **parts: Any) -> Self:
        """Return the stand of a script of these lines; ``settings`` are its own."""
        settings = parts.pop("settings", {})
        return cls(write_script(folder, **parts), **settings)

    @classmethod
    def in_trade(cls, folder: Path, **parts: Any) -> Self:
        """Return a stand whose row holds a position."""
        stand = cls.of(folder, **{"detect": SEEN, "filter": ENTER} | parts)
        stand.bar()
        stand.bar()
        stand.update(OrderStatus.SUBMITTED)
        stand.hold("1")
        stand.update(OrderStatus.FILLED)
        return stand

    def update(
        self,
        status: OrderStatus,
        role: OrderRole = OrderRole.ENTRY,
        before: OrderStatus = OrderStatus.INITIALIZED,
    ) -> None:
        """Tell of an order, the only one, in a status."""
        made = order(status, role)
        self.books.orders = [made]
        self.strategy.handle_event(
            OrderUpdated(made, before, OrderEvent.SUBMIT, self.core.ts)
        )

    def hold(self, quantity: str) -> None:
        """Tell of another position."""
        old = Position(owner="s", instrument="BTC", quantity=self.books.held)
        self.books.held = Decimal(quantity)
        new = Position(owner="s", instrument="BTC", quantity=self.books.held)
        self.strategy.handle_event(PositionChanged(old, new, self.core.ts))

    def bar(self, close: float = 100.0) -> None:
        """Close one bar and tell the strategy."""
        start = self.bars * MINUTE
        self.bars += 1
        self.core.seq += 1
        self.core.clock.advance_to(start + MINUTE)
        bar = Bar(
            "BTC",
            start + MINUTE,
            TIMEFRAME,
            start,
            close,
            close,
            close,
            close,
            1.0,
        )
        self.market.bars("BTC", TIMEFRAME).append(bar)
        self.strategy.handle_event(BarClosed("BTC", start + MINUTE, bar))


def override_to(state: SymbolState, **rest: Any) -> Override:
    """Return an override of the stand's row."""
    return Override(strategy="s", instrument="BTC", state=state, reason="mine", **rest)


def hand_back(instrument: str = "BTC") -> HandBack:
    """Return that the stand's row is to be handed back."""
    return HandBack(strategy="s", instrument=instrument, reason="done")


SCRIPT = """
answers = {{}}

def detect_opportunity(market, context, indicators):
    {detect}

def filter_commitment(market, context, indicators):
    {filter}

def manage_position(market, context, indicators):
    {manage}
"""


def write_script(
    folder: Path,
    *,
    detect: str = "return None",
    filter: str = "return None",  # the word of the script's own function
    manage: str = "return None",
    head: str = "",
    name: str = "script.py",
) -> Path:
    """Write a script of three one-line functions."""
    path = folder / name
    path.write_text(head + SCRIPT.format(detect=detect, filter=filter, manage=manage))
    return path
