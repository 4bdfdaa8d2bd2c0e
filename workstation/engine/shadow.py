"""A shadow run: what a version of a script would have wanted at the last bars.

The strategy's own machine in a small world: closed bars of the windows, no quotes,
entries that fill whole at the close of their bar, stops before targets. Two versions
are compared by what they intended. The run itself is neither asked nor changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, TypeVar

from msgspec import Struct, structs

from workstation.engine.shadow_market import PastMarket
from workstation.kernel import SimClock, Timer
from workstation.model.errors import ScriptError, ScriptTimeout
from workstation.model.events import BarClosed, PositionChanged
from workstation.model.instruments import Instrument, to_decimal
from workstation.model.market import Bar
from workstation.model.orders import Order
from workstation.model.positions import AccountView, Position, refill
from workstation.model.records import DenyRecord, Record, SignalRecord, StateRecord
from workstation.model.requests import Request
from workstation.model.signals import Signal, SignalAction
from workstation.model.states import Gate
from workstation.model.timeframes import Timeframe
from workstation.strategy.host import DistantHost, ScriptHost
from workstation.strategy.replies import ScriptAnswered
from workstation.strategy.script import Script
from workstation.strategy.scripted import ScriptedStrategy
from workstation.strategy.settings import StrategySettings

__all__ = ["Difference", "Intent", "Respond", "ShadowRun", "Steps", "differences"]

T = TypeVar("T")

_BARS = 200
"""Bars of each symbol that are asked about; those before only fill the windows."""
_CALLS = 2_000
"""Calls that one shadow run is meant to make, over all symbols: a fraction of a second.
"""
_FEWEST = 20
"""Bars of each symbol that are asked about all the same: with more than 100 symbols the
calls are more."""

Steps = Generator[Literal[True] | None, None, T]
"""Work in small pieces: True after one of them, None where it has to wait."""
Respond = Callable[[str, Sequence[Any]], Steps[ScriptAnswered]]
"""Ask a worker some questions of a strategy; gives way while it has not answered."""


class Intent(Struct, frozen=True):
    """What a version wanted of one symbol at the close of one bar."""

    ts: int
    instrument: str
    text: str


class Difference(Struct, frozen=True):
    """Where two versions wanted different things; "" = nothing."""

    ts: int
    instrument: str
    before: str
    after: str


def differences(
    before: Sequence[Intent], after: Sequence[Intent]
) -> tuple[Difference, ...]:
    """Return where two shadow runs over the same bars part, oldest first."""
    one, other = _by_place(before), _by_place(after)
    return tuple(
        Difference(*place, one.get(place, ""), other.get(place, ""))
        for place in sorted(one | other)
        if one.get(place) != other.get(place)
    )


def _by_place(intents: Sequence[Intent]) -> dict[tuple[int, str], str]:
    found: dict[tuple[int, str], str] = {}
    for each in intents:
        place = (each.ts, each.instrument)
        found[place] = f"{found[place]}; {each.text}" if place in found else each.text
    return found


class _World:
    """Core, ledger and Executor of a shadow run: fills at once, at the close."""

    def __init__(self, account: AccountView) -> None:
        self.seq = 0
        self.clock = SimClock()
        self.queue: deque[object] = deque()
        self.intents: list[Intent] = []
        self.posted: list[Any] = []
        self._account = account
        self._held: dict[str, Position] = {}
        self._protection: dict[str, tuple[Decimal | None, Decimal | None]] = {}
        self._closes: dict[str, Decimal] = {}

    # model.Core

    @property
    def ts(self) -> int:
        """Return the time of the bar."""
        return self.clock.ns

    def emit(self, event: object) -> None:
        """Put an event behind the others."""
        self.queue.append(event)

    def publish(self, event: object) -> None:
        """Tell nobody."""

    def record(self, record: Record) -> None:
        """Keep what was wanted."""
        if isinstance(record, SignalRecord):
            self.intend(record.signal.instrument, _wanted(record.signal))
        elif isinstance(record, DenyRecord):
            self.intend(record.instrument, f"refused: {record.text}")
        elif isinstance(record, StateRecord) and record.who == "script":
            self.intend(record.instrument, f"{record.trigger}: {record.reason}")

    def request(self, request: Request) -> None:
        """Refuse: strategies make no requests."""
        raise AssertionError("a strategy makes no requests")

    def call_at(self, due_ns: int, name: str, callback: Callable[[], None]) -> Timer:
        """Run ``callback`` when the bars have come so far."""
        return self.clock.call_at(due_ns, callback)

    # Positions and orders.

    def position(self, owner: str, instrument: str) -> Position:
        """Return what the version would hold."""
        held = self._held.get(instrument)
        return held or Position(owner=owner, instrument=instrument)

    def net(self, instrument: str) -> Decimal:
        """Return the same."""
        return self.position("", instrument).quantity

    def account(self) -> AccountView:
        """Return the account as it was when the shadow run began."""
        return self._account

    def working(self, owner: str, instrument: str) -> Sequence[Order]:
        """Return nothing: orders fill at once."""
        return ()

    def gates(self, owner: str, instrument: str) -> Sequence[Gate]:
        """Return nothing: no gate is closed."""
        return ()

    def post(self, strategy: str, question: object) -> None:
        """Keep a question to a worker."""
        self.posted.append(question)

    # What happens.

    def intend(self, instrument: str, text: str) -> None:
        """Keep one intent at this time."""
        self.intents.append(Intent(self.ts, instrument, text))

    def close(self, bar: Bar) -> None:
        """Meet stop and target in the bar that has closed: the stop first."""
        name = bar.instrument
        self._closes[name] = to_decimal(bar.close)
        held = self._held.get(name)
        if held is None:
            return
        stop, target = self._protection.get(name, (None, None))
        low, high = to_decimal(bar.low), to_decimal(bar.high)
        long = held.quantity > 0
        stopped = stop is not None and (low <= stop if long else high >= stop)
        reached = target is not None and (high >= target if long else low <= target)
        if stopped or reached:
            self._change(held, Decimal(0))

    def obey(self, signal: Signal) -> None:
        """Fill what was wanted at the close of the bar."""
        name = signal.instrument
        held = self.position(signal.strategy, name)
        action, quantity = signal.action, signal.quantity or Decimal(0)
        if action is SignalAction.PROTECT:
            stop, target = self._protection.get(name, (None, None))
            self._protection[name] = (signal.stop or stop, signal.target or target)
        elif action is SignalAction.EXIT:
            left = abs(held.quantity) - (signal.quantity or abs(held.quantity))
            sign = 1 if held.quantity > 0 else -1
            self._change(held, sign * max(left, Decimal(0)))
        elif action in (SignalAction.ENTER_LONG, SignalAction.ENTER_SHORT):
            sign = 1 if action is SignalAction.ENTER_LONG else -1
            joins = held.quantity * sign > 0
            base = held.quantity if joins else Decimal(0)
            self._protection[name] = (signal.stop, signal.target)
            self._change(held, base + sign * quantity)

    def _change(self, held: Position, quantity: Decimal) -> None:
        if quantity == held.quantity:
            return
        filled = refill(held, quantity - held.quantity, self._closes[held.instrument])
        new = Position(
            owner=held.owner,
            instrument=held.instrument,
            quantity=filled.quantity,
            cost=filled.cost,
            average_price=filled.average_price,
        )
        if quantity:
            self._held[held.instrument] = new
        else:
            self._held.pop(held.instrument, None)
            self._protection.pop(held.instrument, None)
        self.emit(PositionChanged(held, new, self.ts))


class ShadowRun:
    """One version of a script over the last bars of its symbols.

    ``respond`` reaches the worker of a script that runs elsewhere.
    """

    def __init__(
        self,
        settings: StrategySettings,
        script: Script,
        host: ScriptHost,
        instruments: Sequence[Instrument],
        bars: Mapping[str, Sequence[Bar]],
        account: AccountView,
        order_of: Callable[[str], tuple[str, ...]],
        respond: Respond | None = None,
    ) -> None:
        self.errors: list[str] = []
        self.stopped = False
        """A run would have stopped the strategy by then: it is asked no more."""
        self.bars = 0
        """Bars that were asked about."""
        self._world = world = _World(account)
        if isinstance(host, DistantHost):
            host.attach(world.post)
        most = max(_FEWEST, min(_BARS, _CALLS // max(1, len(instruments))))
        self._from = {
            name: kept[-most].ts_recv if len(kept) > most else 0
            for name, kept in bars.items()
        }
        self._respond = respond
        self._market = PastMarket(Timeframe.parse(settings.timeframe), bars)
        self.strategy = ScriptedStrategy(
            settings, script, host, instruments, self._market, world, world, order_of
        )
        self.strategy.attach(world)

    @property
    def intents(self) -> tuple[Intent, ...]:
        """Return what was wanted so far."""
        return tuple(self._world.intents)

    def steps(self) -> Steps[None]:
        """Go through the bars; gives way after each event, and while a worker thinks.

        Hundreds of symbols may close a bar at one time, and each may warm indicators.
        """
        world = self._world
        for ts, closed in self._market.moments():
            world.clock.run_until(ts)
            for bar in closed:
                if ts < self._from[bar.instrument]:
                    continue
                self.bars += 1
                world.close(bar)
                world.emit(BarClosed(bar.instrument, ts, bar))
            yield from self._drain()
            if self.stopped:
                return
            yield True

    def _drain(self) -> Steps[None]:
        world, name = self._world, self.strategy.name
        handlers = self.strategy.handlers()
        parts: deque[ScriptAnswered] = deque()
        while world.queue or world.posted or parts:
            while world.queue:
                event = world.queue.popleft()
                world.seq += 1
                try:
                    if isinstance(event, Signal):
                        world.obey(event)
                        # As once an order is sent: an add moves no row that would.
                        self.strategy.rows[event.instrument].committing = False
                    else:
                        handlers[type(event)](event)
                except ScriptError as error:
                    self._failed(event, error)
                if self.stopped:
                    return
                yield True
            if parts:
                world.emit(parts.popleft())
            elif world.posted and self._respond is not None:
                questions, world.posted = world.posted, []
                answered = yield from self._respond(name, questions)
                parts.extend(_apart(answered))

    def _failed(self, event: object, error: ScriptError) -> None:
        instrument = str(getattr(event, "instrument", ""))
        self.errors.append(f"{instrument}: {error}" if instrument else str(error))
        too_many = len(self.errors) >= self.strategy.settings.max_errors
        # A call that runs away takes a whole budget, and so would each one after it.
        self.stopped = too_many or isinstance(error, ScriptTimeout)
        self._world.intend(instrument, f"error: {error}")


def _apart(answered: ScriptAnswered) -> list[ScriptAnswered]:
    """Return the answers row by row: here no row waits for another."""
    if answered.fault:
        return [answered]
    return [structs.replace(answered, replies=(each,)) for each in answered.replies]


def _wanted(signal: Signal) -> str:
    words = [signal.action.value.replace("_", " ")]
    if signal.quantity is not None:
        words.append(f"{signal.quantity:f}")
    if signal.limit_price is not None:
        words.append(f"at {signal.limit_price:f}")
    for name in ("stop", "target"):
        price = getattr(signal, name)
        if price is not None:
            words.append(f"{name} {price:f}")
    return f"{' '.join(words)}: {signal.reason}" if signal.reason else " ".join(words)
