"""A strategy driven by a user's script: asks it at each bar, moves the rows.

A ``model.Strategy``. It owns its rows; the script only answers. It never sees orders
or the ledger but through the views it is given, and follows fills, not wishes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from workstation.model.commands import Override
from workstation.model.errors import CommandRefused, ScriptError
from workstation.model.events import (
    BarClosed,
    OrderDenied,
    OrderUpdated,
    PositionChanged,
)
from workstation.model.instruments import Instrument
from workstation.model.orders import TERMINAL, OrderRole, OrderType
from workstation.model.ports import Core, MarketView, OrdersView, PositionView
from workstation.model.records import LockRecord, SignalRecord, StateRecord
from workstation.model.signals import Signal, SignalAction
from workstation.model.states import SymbolState
from workstation.model.timeframes import parse_timeframe
from workstation.strategy.actions import (
    Action,
    ActionKind,
    parse_action,
    parse_opportunity,
)
from workstation.strategy.inputs import Indicators, Market
from workstation.strategy.machine import TABLE, Trigger, step
from workstation.strategy.row import Row
from workstation.strategy.script import Script, ScriptFunction
from workstation.strategy.settings import StrategySettings
from workstation.strategy.sizing import entry_quantity

__all__ = ["CallGuard", "ScriptedStrategy", "WithheldCall"]

T = TypeVar("T")

# Calls withheld while paused that can still be stepped through one by one.
_WITHHELD_KEPT = 1_000
# As much of a reason as a line of the log can show.
_REASON_KEPT = 200


class CallGuard(Protocol):
    """Calls a script within its time budget."""

    def __call__(
        self, strategy: str, instrument: str, function: ScriptFunction, row: Row
    ) -> object:
        """Return the script's answer; raises ScriptError or ScriptTimeout."""


WithheldCall = str
"""The instrument whose call was withheld."""


class ScriptedStrategy:
    """One script on its rows.

    ``follows`` is what it hears also when stopped or failed: its rows must say what
    the ledger holds, whoever closes it.
    """

    follows = (OrderUpdated, OrderDenied, PositionChanged)

    def __init__(
        self,
        settings: StrategySettings,
        script: Script,
        instruments: Sequence[Instrument],
        market: MarketView,
        positions: PositionView,
        orders: OrdersView,
        guard: CallGuard,
        order_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        self.name = settings.name
        self.settings = settings
        self.script = script
        self.timeframe_ns = parse_timeframe(settings.timeframe)
        self.params = script.resolve(settings.params)
        self.paused = False
        self.stopped = False
        self.calls = 0
        self.withheld: deque[WithheldCall] = deque(maxlen=_WITHHELD_KEPT)
        self.subscriptions: tuple[type, ...] = tuple(self.handlers())
        self.rows: dict[str, Row] = {}
        self._positions = positions
        self._orders = orders
        self._guard = guard
        self._core: Core
        for instrument in instruments:
            inputs = Market(
                instrument.symbol,
                market.instrument(instrument.id),
                market.bars(instrument.id, self.timeframe_ns),
            )
            inputs.params = dict(self.params)
            self.rows[instrument.id] = Row(
                instrument,
                inputs,
                Indicators(market, instrument.id, self.timeframe_ns, order_of),
            )

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def handlers(self) -> Mapping[type, Callable[[Any], None]]:
        """Return the handler of each event type."""
        return {
            BarClosed: self._on_bar,
            OrderUpdated: self._on_order,
            OrderDenied: self._on_denied,
            PositionChanged: self._on_position,
        }

    def handle_event(self, event: object) -> None:
        """Take one event of a subscribed type."""
        self.handlers()[type(event)](event)

    def digest(self) -> object:
        """Return the canonical state of all rows."""
        return [
            self.name,
            self.script.hash,
            list(self.params.items()),
            [row.digest() for row in self.rows.values()],
        ]

    # The operator's hand.

    def step(self) -> WithheldCall:
        """Make the oldest withheld call; raises CommandRefused when there is none."""
        if not self.withheld:
            raise CommandRefused(
                f"{self.name} has no withheld call; it is asked at the close of each "
                f"{self.settings.timeframe} bar"
            )
        instrument = self.withheld.popleft()
        self._ask(self.rows[instrument])
        return instrument

    def check_override(self, command: Override) -> Row:
        """Return the row; raises CommandRefused when the table forbids the move."""
        row = self._row(command.instrument)
        if row.state is command.state:
            return row
        if (row.state, _OVERRIDES[command.state]) not in TABLE:
            legal = [
                s.value for s in SymbolState if (row.state, _OVERRIDES[s]) in TABLE
            ]
            raise CommandRefused(
                f"{self.name} {row.instrument.symbol} is in {row.state} and cannot go "
                f"to {command.state}; it can go to: {', '.join(legal)}"
            )
        return row

    def override(self, command: Override) -> None:
        """Set the state, and the lock if asked; what orders do is done before."""
        row = self.check_override(command)
        reason = f"override: {command.reason}"
        until_ns = command.expires_ns if command.lock else None
        if command.lock != row.locked or until_ns != row.lock_until_ns:
            self.set_lock(row, command.lock, until_ns, command.reason)
        if row.state is command.state:
            return
        held = not self._positions.position(self.name, command.instrument).is_flat
        if row.state is SymbolState.IN_TRADE and (held or self._entering(row)):
            # Leaves by its fills: the machine says InTrade while a position is held.
            row.override_reason = reason
            return
        self._move(row, _OVERRIDES[command.state], reason)
        if row.state is SymbolState.CLOSE_WATCH:
            # What the script reads there, and how long it has, as of its own making.
            row.context["opportunity"] = {"signal": "override", "reason": reason}
            row.bars_left = self.settings.close_watch_bars

    def hand_back(self, instrument: str, reason: str) -> None:
        """End a row's manual lock."""
        row = self._row(instrument)
        if not row.locked:
            raise CommandRefused(f"{self.name} {row.instrument.symbol} is not locked")
        self.set_lock(row, False, None, reason)

    def set_lock(
        self, row: Row, locked: bool, until_ns: int | None, reason: str
    ) -> None:
        """Lock a row in manual, or end the lock; ``until_ns`` ends it by itself."""
        core = self._core
        if row.lock_timer is not None:
            row.lock_timer.cancel()
            row.lock_timer = None
        before, row.locked = row.locked, locked
        row.lock_until_ns = until_ns if locked else None
        instrument = row.instrument.id
        core.record(
            LockRecord(
                seq=core.seq,
                ts=core.ts,
                strategy=self.name,
                instrument=instrument,
                before=before,
                after=locked,
                until_ns=row.lock_until_ns,
                reason=reason,
            )
        )
        if locked and until_ns is not None:
            row.lock_timer = core.call_at(
                until_ns,
                f"unlock:{self.name}/{instrument}",
                lambda: self.set_lock(row, False, None, "lock expired"),
            )

    def is_locked(self, instrument: str) -> bool:
        """Tell whether the row is locked in manual."""
        row = self.rows.get(instrument)
        return row is not None and row.locked

    def reset(self) -> None:
        """Forget the scripts' contexts and withheld calls; states follow the ledger.

        What was watched closely goes with the context: the script would not know why.
        """
        self.withheld.clear()
        for row in self.rows.values():
            row.context.clear()
            if row.state is SymbolState.CLOSE_WATCH:
                self._move(row, Trigger.CANCEL, "restarted")

    # Events.

    def _on_bar(self, event: BarClosed) -> None:
        bar = event.bar
        if bar.timeframe_ns != self.timeframe_ns:
            return
        row = self.rows.get(event.instrument)
        if row is None:
            return
        row.bar = bar
        if self.stopped:
            return
        if self.paused:
            self.withheld.append(event.instrument)
        elif row.locked:
            row.answer = "locked in manual"
        else:
            self._ask(row)

    def _on_order(self, event: OrderUpdated) -> None:
        order = event.order
        if order.owner != self.name:
            return
        row = self.rows.get(order.instrument)
        if row is None:
            return
        if order.role is OrderRole.STOP:
            row.stop = None if order.is_terminal else order.trigger
        elif order.role is OrderRole.TARGET:
            row.target = None if order.is_terminal else order.trigger
        if order.role is not OrderRole.ENTRY:
            return
        if row.committing and not order.is_terminal:
            row.committing = False
            self._move(row, Trigger.COMMIT, order.reason)
        elif (
            order.status in TERMINAL
            and row.state is SymbolState.IN_TRADE
            and self._positions.position(self.name, order.instrument).is_flat
            and not self._entering(row)
        ):
            self._leave(row, Trigger.ENTRY_ENDED, f"entry {order.status}")

    def _on_denied(self, event: OrderDenied) -> None:
        row = self.rows.get(event.instrument)
        if event.owner != self.name or row is None:
            return
        row.answer = f"denied {event.code}: {event.text}"
        if row.committing:
            row.committing = False
            self._move(row, Trigger.CANCEL, f"denied {event.code}")

    def _on_position(self, event: PositionChanged) -> None:
        new = event.new
        row = self.rows.get(new.instrument)
        if new.owner != self.name or row is None:
            return
        if new.is_flat:
            if row.state is SymbolState.IN_TRADE and not self._entering(row):
                self._leave(row, Trigger.FLAT, "position closed")
        elif row.state is not SymbolState.IN_TRADE:
            row.committing = False
            self._move(row, Trigger.FILL, "filled")

    # Asking the script.

    def _ask(self, row: Row) -> None:
        bar = row.bar
        if bar is None:
            return
        position = self._positions.position(self.name, row.instrument.id)
        row.market.refresh(bar, self._core.ts, position)
        row.market.stop = None if row.stop is None else float(row.stop)
        row.market.target = None if row.target is None else float(row.target)
        if row.state is SymbolState.WATCH:
            self._detect(row)
        elif row.state is SymbolState.CLOSE_WATCH:
            if not row.committing:
                self._filter(row)
        elif not position.is_flat and not self._exiting(row):
            self._manage(row)

    def _call(
        self, row: Row, function: ScriptFunction, parse: Callable[[object], T]
    ) -> T:
        self.calls += 1
        row.calls += 1
        try:
            return parse(self._guard(self.name, row.instrument.id, function, row))
        except ScriptError as error:
            row.answer = f"script error: {error}"
            raise

    def _detect(self, row: Row) -> None:
        answer = self._call(
            row,
            self.script.detect_opportunity,
            lambda given: parse_opportunity(self.script.name, given),
        )
        if answer is None:
            row.answer = "no signal"
            return
        row.context["opportunity"] = answer
        row.bars_left = self.settings.close_watch_bars
        reason = str(answer.get("reason") or answer.get("signal") or "opportunity")
        reason = reason[:_REASON_KEPT]
        row.answer = f"opportunity: {reason}"
        self._move(row, Trigger.OPPORTUNITY, reason)

    def _filter(self, row: Row) -> None:
        action = self._action(row, self.script.filter_commitment, in_trade=False)
        if action is None:
            row.bars_left -= 1
            row.answer = f"waits to commit, {row.bars_left} bars left"
            if row.bars_left <= 0:
                self._move(row, Trigger.EXPIRE, "no commitment in time")
        elif action.kind is ActionKind.CANCEL_ANALYSIS:
            row.answer = f"given up: {action.reason}"
            self._move(row, Trigger.CANCEL, action.reason)
        else:
            self._commit(row, action)

    def _manage(self, row: Row) -> None:
        action = self._action(row, self.script.manage_position, in_trade=True)
        row.answer = "holds" if action is None else f"{action.kind}: {action.reason}"
        if action is None:
            return
        if action.kind is ActionKind.EXIT:
            self._signal(row, SignalAction.EXIT, action)
            return
        instrument = row.instrument
        stop = None if action.stop is None else instrument.nearest_price(action.stop)
        if stop is not None and row.stop is not None:
            long = row.market.position > 0
            if (stop <= row.stop) if long else (stop >= row.stop):
                row.answer = f"stop {stop} would loosen {row.stop}: kept"
                return
        target = action.target
        self._signal(
            row,
            SignalAction.PROTECT,
            action,
            stop=stop,
            target=None if target is None else instrument.nearest_price(target),
        )

    def _action(
        self, row: Row, function: ScriptFunction, *, in_trade: bool
    ) -> Action | None:
        return self._call(
            row,
            function,
            lambda given: parse_action(
                self.script.name, given, in_trade=in_trade, market=row.market.close
            ),
        )

    def _commit(self, row: Row, action: Action) -> None:
        instrument = row.instrument
        price = action.price or row.market.close
        equity = self._positions.account().equity
        quantity = entry_quantity(
            self.settings, instrument, price, equity, action.quantity
        )
        if quantity <= 0:
            row.answer = f"size is less than a lot of {instrument.lot_size}"
            self._move(row, Trigger.CANCEL, row.answer)
            return
        long = action.kind is ActionKind.ENTER_LONG
        row.committing = True
        row.answer = f"{action.kind}: {action.reason}"
        self._signal(
            row,
            SignalAction.ENTER_LONG if long else SignalAction.ENTER_SHORT,
            action,
            quantity=quantity,
            stop=_near(instrument, action.stop),
            target=_near(instrument, action.target),
        )

    def _signal(
        self,
        row: Row,
        what: SignalAction,
        action: Action,
        *,
        quantity: Decimal | None = None,
        stop: Decimal | None = None,
        target: Decimal | None = None,
    ) -> None:
        limit = _near(row.instrument, action.price)
        signal = Signal(
            strategy=self.name,
            instrument=row.instrument.id,
            action=what,
            quantity=quantity,
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            limit_price=limit,
            stop=stop,
            target=target,
            trailing_bps=action.trailing_bps,
            reason=action.reason,
        )
        core = self._core
        core.record(SignalRecord(core.seq, core.ts, signal))
        core.emit(signal)

    # Moving.

    def _leave(self, row: Row, trigger: Trigger, reason: str) -> None:
        self._move(row, trigger, row.override_reason or reason)

    def _move(self, row: Row, trigger: Trigger, reason: str) -> None:
        core = self._core
        instrument = row.instrument.id
        before = row.state
        row.state = step(f"{self.name} {instrument}", before, trigger)
        row.since_ns = core.ts
        row.committing = False
        row.override_reason = ""
        record = StateRecord(
            seq=core.seq,
            ts=core.ts,
            strategy=self.name,
            instrument=instrument,
            before=before,
            after=row.state,
            trigger=trigger.value,
            reason=reason,
        )
        row.transitions.append(record)
        core.record(record)

    def _row(self, instrument: str) -> Row:
        row = self.rows.get(instrument)
        if row is None:
            known = ", ".join(self.rows)
            raise CommandRefused(
                f"{self.name} has no row {instrument}; it has: {known}"
            )
        return row

    def _entering(self, row: Row) -> bool:
        return self._has_working(row, OrderRole.ENTRY)

    def _exiting(self, row: Row) -> bool:
        return self._has_working(row, OrderRole.EXIT)

    def _has_working(self, row: Row, role: OrderRole) -> bool:
        working = self._orders.working(self.name, row.instrument.id)
        return any(order.role is role for order in working)


_OVERRIDES = {
    SymbolState.WATCH: Trigger.OVERRIDE_WATCH,
    SymbolState.CLOSE_WATCH: Trigger.OVERRIDE_CLOSE_WATCH,
    SymbolState.IN_TRADE: Trigger.OVERRIDE_IN_TRADE,
}


def _near(instrument: Instrument, price: float | None) -> Decimal | None:
    return None if price is None else instrument.nearest_price(price)
