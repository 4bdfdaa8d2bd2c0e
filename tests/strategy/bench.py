"""A row with everything real around it but the venue, which the test plays by hand.

Executor, Aggregator, strategy and the operator's commands are the shipped ones, joined
as the engine joins them: one input at a time, what it emits first in, first out.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

from tests.strategy.fakes import KeepingCore
from workstation.engine.engine import Engine
from workstation.engine.order_commands import OrderCommands
from workstation.engine.row_commands import RowCommands
from workstation.execution.executor import Executor
from workstation.execution.settings import OrderSettings, RiskSettings
from workstation.kernel.clock import Timer
from workstation.market.aggregator import Aggregator
from workstation.market.settings import StorageSettings
from workstation.model.commands import Command, HandBack, Override, SetParams
from workstation.model.events import (
    AskDue,
    BarClosed,
    DataBroke,
    Killed,
    OrderDenied,
    OrderUpdated,
    PositionChanged,
)
from workstation.model.instruments import Instrument
from workstation.model.market import Bar, Quote
from workstation.model.orders import Order
from workstation.model.records import StateRecord
from workstation.model.requests import CancelOrder, Request, SubmitOrder
from workstation.model.signals import Signal
from workstation.model.states import SymbolState
from workstation.model.timeframes import Timeframe
from workstation.strategy.question import Function
from workstation.strategy.row import Row
from workstation.strategy.script import ParamSpec, Script
from workstation.strategy.scripted import ScriptedStrategy
from workstation.strategy.settings import StrategySettings

D = Decimal
S = 1_000_000_000
MINUTE = Timeframe.of_ns(60 * S)
BTC = Instrument(
    id="BTC",
    venue="test",
    symbol="BTC",
    base="BTC",
    quote="USDT",
    tick_size=D("0.1"),
    lot_size=D("0.001"),
)
SCRIPT = Script(
    name="says.py",
    path="says.py",
    hash="x",
    params=(
        ParamSpec("fast", 10, 2, 500, "bars"),
        ParamSpec("stop", 0.02, 0.001, 0.4, "loss"),
    ),
)
_HEARD = (
    OrderUpdated,
    OrderDenied,
    PositionChanged,
    DataBroke,
    Killed,
    BarClosed,
    AskDue,
)


class Says:
    """A host whose script answers what the test puts into ``answer``."""

    def __init__(self) -> None:
        self.answer: object = None
        self.asked: list[Function] = []

    def ask(self, row: Row, function: Function) -> object:
        self.asked.append(function)
        answer, self.answer = self.answer, None
        if callable(answer):
            return answer(row.market)
        return answer


class BenchCore(KeepingCore):
    """A core that takes requests, and hands what is due to its run."""

    def __init__(self) -> None:
        super().__init__()
        self.clock.advance_to(S)
        self.requests: list[Request] = []
        self.take: Callable[[Callable[[], None]], None]

    def request(self, request: Request) -> None:
        self.requests.append(request)

    def call_at(self, due_ns: int, name: str, callback: Callable[[], None]) -> Timer:
        due = max(due_ns, self.ts)
        return self.clock.call_at(due, lambda: self.take(callback))


class Bench:
    """Strategy ``s`` on BTC with bars of a minute; the row has no position yet."""

    def __init__(
        self,
        risk: RiskSettings | None = None,
        orders: OrderSettings | None = None,
        **settings: Any,
    ) -> None:
        self.core = BenchCore()
        self.core.take = self._take
        self.market = Aggregator(StorageSettings(stale_ms=3_600_000), [BTC])
        self.market.watch("BTC", MINUTE)
        self.market.attach(self.core)
        self.executor = Executor(
            risk or RiskSettings(),
            orders or OrderSettings(),
            [BTC],
            self.market,
            currency="USDT",
            cash=D(1_000_000),
        )
        self.executor.attach(self.core)
        self.says = Says()
        given: Any = {"size_mode": "quantity", "size": 1.0} | settings
        self.strategy = ScriptedStrategy(
            StrategySettings(name="s", script="says.py", **given),
            SCRIPT,
            self.says,
            [BTC],
            self.market,
            self.executor,
            self.executor,
            lambda name: ("period",),
        )
        self.strategy.attach(self.core)
        self.executor.row_locked = lambda owner, name: self.strategy.is_locked(name)
        self.row = self.strategy.rows["BTC"]
        # Of the engine only the clock, and when what was touched, are asked for.
        engine = SimpleNamespace(
            core=self.core, store=SimpleNamespace(touched={}), ended=False
        )
        orders_hand = OrderCommands(cast(Engine, engine), self.executor)
        rows_hand = RowCommands({"s": self.strategy}, self.executor, orders_hand)
        self._commands = {**orders_hand.handlers(), **rows_hand.handlers()}
        self.bars = 0
        self.price = 100.0
        self.quote(100.0)

    def _take(self, act: Callable[[], None]) -> None:
        self.core.seq += 1
        act()
        emitted = self.core.emitted
        while emitted:
            event = emitted.pop(0)
            if isinstance(event, Signal):
                self.executor.handle_event(event)
            elif isinstance(event, _HEARD):
                self.strategy.handle_event(event)

    # Inputs.

    def quote(self, price: float) -> None:
        """Move the market to a bid, an ask a tick above it."""
        self.price = price
        event = Quote("BTC", self.core.ts, price, 1e6, price + 0.1, 1e6)

        def act() -> None:
            self.market.handle_event(event)
            self.executor.handle_event(event)

        self._take(act)

    def bar(self, answer: object = None) -> None:
        """Close a bar at the price, and answer so if the script is asked."""
        self.wait_for_bar()
        self.says.answer = answer
        start = self.bars * 60 * S
        self.bars += 1
        price = self.price
        bar = Bar("BTC", self.core.ts, MINUTE, start, price, price, price, price, 1.0)

        def act() -> None:
            self.market.bars("BTC", MINUTE).append(bar)
            self.core.emit(BarClosed("BTC", self.core.ts, bar))

        self._take(act)
        self.says.answer = None

    def wait_for_bar(self) -> None:
        """Let time pass until the next bar closes, which it does not yet."""
        self.wait_until(max(self.core.ts, (self.bars + 1) * 60 * S))

    def report(self, report: object) -> None:
        """Take a report of the venue."""
        self._take(lambda: self.executor.handle_event(report))

    def act(self, act: Callable[[], None]) -> None:
        """Do something to a part as an input of its own."""
        self._take(act)

    def bar_at(self, price: float) -> None:
        """Close a bar at a price, with the answer that is set already."""
        self.price = price
        self.bar(self.says.answer)

    def broke(self, reason: str = "gap") -> None:
        """Tell that the market data broke."""
        event = DataBroke("BTC", reason, self.core.ts)
        self._take(lambda: self.core.emit(event))

    def do(self, command: Command) -> str:
        """Execute a command; raises CommandRefused."""
        said: list[str] = []
        refused: list[Exception] = []

        def act() -> None:
            try:
                said.append(self._commands[type(command)](command))
            except Exception as error:
                refused.append(error)

        self._take(act)
        if refused:
            raise refused[0]
        return said[0]

    def override(self, state: SymbolState, **rest: object) -> str:
        """Override the row."""
        given: Any = {"strategy": "s", "instrument": "BTC", "reason": "mine", **rest}
        return self.do(Override(state=state, **given))

    def hand_back(self) -> str:
        """Hand the row back."""
        return self.do(HandBack(strategy="s", instrument="BTC", reason="done"))

    def set_params(self, instrument: str | None = None, **values: Any) -> str:
        """Change parameters."""
        return self.do(SetParams(strategy="s", instrument=instrument, values=values))

    def wait_until(self, ns: int) -> None:
        """Let time pass, with the timers on the way."""
        clock = self.core.clock
        while (timer := clock.pop_due(ns)) is not None:
            clock.advance_to(max(timer.due_ns, clock.now()))
            timer.callback()
        clock.advance_to(ns)

    # What there is.

    def order(self, order_id: str) -> Order:
        """Return an order as it is known."""
        tracked = self.executor.desk.orders.get(order_id)
        assert tracked is not None
        return tracked.order

    def working(self) -> list[Order]:
        """Return the row's orders that are not final, held ones too."""
        return self.executor.working("s", "BTC")

    def submitted(self) -> list[Order]:
        """Return the orders that left, as they left."""
        return [r.order for r in self.core.requests if isinstance(r, SubmitOrder)]

    def canceled(self) -> list[str]:
        """Return the ids whose cancel left."""
        return [r.order_id for r in self.core.requests if isinstance(r, CancelOrder)]

    def position(self, owner: str = "s") -> Decimal:
        """Return what an owner holds."""
        return self.executor.position(owner, "BTC").quantity

    def moves(self) -> list[StateRecord]:
        """Return the row's transitions so far."""
        return [r for r in self.core.records if isinstance(r, StateRecord)]
