"""Signals become orders: entries, exits and changes of protection, after risk.

The Executor registers ``on_signal`` and uses ``close`` for whatever else closes a
position. Nothing leaves here that the risk stage has not passed.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from msgspec.structs import replace

from workstation.execution.desk import OrderDesk
from workstation.execution.ledger import Ledger
from workstation.execution.protection import Protection
from workstation.execution.risk import Denial, DenialCode, RiskStage
from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderRole, OrderType
from workstation.model.ports import Core, MarketView
from workstation.model.signals import Signal, SignalAction

__all__ = ["Intents"]

ZERO = Decimal(0)
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_BUY, _SELL = Side.BUY, Side.SELL
_MARKET, _LIMIT = OrderType.MARKET, OrderType.LIMIT
_ENTRY, _EXIT = OrderRole.ENTRY, OrderRole.EXIT


class Intents:
    """Carries out signals at the desk."""

    def __init__(
        self,
        desk: OrderDesk,
        risk: RiskStage,
        ledger: Ledger,
        protection: Protection,
        market: MarketView,
    ) -> None:
        self._desk = desk
        self._risk = risk
        self._ledger = ledger
        self._protection = protection
        self._market = market
        self._core: Core
        self._actions: dict[SignalAction, Callable[[Signal], None]] = {
            SignalAction.ENTER_LONG: partial(self._enter, _BUY),
            SignalAction.ENTER_SHORT: partial(self._enter, _SELL),
            SignalAction.EXIT: self._exit,
            SignalAction.PROTECT: self._protect,
            SignalAction.CANCEL_ENTRY: self._cancel_entry,
        }

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def on_signal(self, signal: Signal) -> None:
        """Do what a row wants, or tell why not."""
        self._actions[signal.action](signal)

    def _cancel_entry(self, signal: Signal) -> None:
        self.cancel_entries(signal.strategy, signal.instrument, signal.reason)

    def _enter(self, side: Side, signal: Signal) -> None:
        limit = signal.order_type is _LIMIT
        order = self._desk.draft(
            signal.strategy,
            signal.instrument,
            _ENTRY,
            side,
            signal.quantity if signal.quantity is not None else ZERO,
            order_type=_LIMIT if limit else _MARKET,
            price=signal.limit_price if limit else None,
            time_in_force=signal.time_in_force,
            reason=signal.reason,
        )
        self._submit(order, signal)

    def _submit(self, order: Order, intent: Signal | None = None) -> Denial | None:
        denial = self._risk.check(order, self._core.ts)
        if denial is not None:
            self._desk.deny(order, denial)
        else:
            self._desk.send(order, intent, self._risk.judged_at)
        return denial

    def _exit(self, signal: Signal) -> None:
        owner, instrument = signal.strategy, signal.instrument
        denial = self._risk.switches(owner, instrument, _EXIT, entry=False)
        held = self._ledger.position(owner, instrument).quantity
        side = _SELL if held > 0 else _BUY
        if denial is None:
            canceled = self.cancel_entries(owner, instrument, signal.reason or "exit")
            if not held and canceled:
                return
            if not held:
                denial = Denial(
                    DenialCode.NO_POSITION, f"{owner} holds no {instrument} to close"
                )
        closing = self._desk.orders.closing(owner, instrument, side)
        wanted = signal.quantity if signal.quantity is not None else abs(held) - closing
        order = self._desk.draft(
            owner,
            instrument,
            _EXIT,
            side,
            wanted,
            reduce_only=True,
            reason=signal.reason,
        )
        if denial is None and held and wanted <= 0 and signal.quantity is None:
            denial = self._risk.closing(held, instrument)
        if denial is not None:
            self._desk.deny(order, denial)
        else:
            self._submit(order)

    def _protect(self, signal: Signal) -> None:
        owner, instrument = signal.strategy, signal.instrument
        held = self._ledger.position(owner, instrument).quantity
        denial = self._risk.switches(owner, instrument, _EXIT, entry=False)
        waiting = [t for t in self._desk.orders.row(owner, instrument) if t.intent]
        if denial is None and not held and not waiting:
            denial = Denial(
                DenialCode.NO_POSITION, f"{owner} holds no {instrument} to protect"
            )
        if denial is None:
            for tracked in waiting:
                tracked.intent = _with_protection(tracked.intent, signal)
        if denial is None and held:
            side = _SELL if held > 0 else _BUY
            plan = self._protection.plan(owner, instrument)
            if plan is None:
                plan = self._protection.install(
                    owner, instrument, side, self._best(owner, instrument)
                )
            kept = self._protection.change(
                plan,
                stop=signal.stop,
                target=signal.target,
                trailing_bps=signal.trailing_bps,
            )
            if not kept:
                denial = Denial(
                    DenialCode.STOP_LOOSENED,
                    f"stop {signal.stop} is looser than {plan.stop}, which stays",
                )
            self._protection.sync(owner, instrument)
        if denial is not None:
            side = _BUY if held < 0 else _SELL
            draft = self._desk.draft(owner, instrument, OrderRole.STOP, side, abs(held))
            self._desk.deny(draft, denial)

    def _best(self, owner: str, instrument: str) -> float:
        entry = float(self._ledger.position(owner, instrument).average_price)
        return self._market.instrument(instrument).mark or entry

    def cancel_entries(self, owner: str, instrument: str, reason: str) -> int:
        """Cancel a row's working entries; return how many."""
        count = 0
        for tracked in self._desk.orders.row(owner, instrument):
            if not tracked.order.reduce_only and self._desk.cancel(tracked, reason):
                count += 1
        return count

    def close(
        self,
        owner: str,
        instrument: str,
        role: OrderRole,
        reason: str,
        most: Decimal | None = None,
    ) -> Denial | bool:
        """Close what is left of a position at market; False when nothing is.

        ``most`` bounds the quantity. Returns the denial, which everybody was told of,
        where the risk stage refuses.
        """
        held = self._ledger.position(owner, instrument).quantity
        side = _SELL if held > 0 else _BUY
        left = abs(held) - self._desk.orders.closing(owner, instrument, side)
        if most is not None:
            left = min(left, most)
        if left <= 0:
            return False
        order = self._desk.draft(
            owner, instrument, role, side, left, reduce_only=True, reason=reason
        )
        return self._submit(order) or True


def _with_protection(intent: Signal | None, change: Signal) -> Signal | None:
    """Return the intent of a waiting entry with what a PROTECT signal changes."""
    if intent is None:
        return None
    return replace(
        intent,
        stop=intent.stop if change.stop is None else change.stop,
        target=intent.target if change.target is None else change.target,
        trailing_bps=change.trailing_bps or intent.trailing_bps,
    )
