"""Signals become orders: entries, exits and changes of protection, after risk.

The Executor registers ``on_signal``; ``closing`` closes for whoever else wants that.
Nothing leaves here that the risk stage has not passed.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from msgspec.structs import replace

from workstation.execution.closing import Closing, expiry, limit_of, trigger_of
from workstation.execution.desk import OrderDesk
from workstation.execution.ledger import Ledger
from workstation.execution.protection import Protection
from workstation.execution.risk import Denial, DenialCode, Joining, RiskStage
from workstation.execution.settings import OrderSettings
from workstation.execution.stops import Stops
from workstation.execution.triggers import Triggers
from workstation.model.instruments import Side
from workstation.model.orders import OrderRole
from workstation.model.ports import Core, MarketView
from workstation.model.signals import Signal, SignalAction

__all__ = ["Intents", "with_protection"]

ZERO = Decimal(0)
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_BUY, _SELL = Side.BUY, Side.SELL
_ENTRY, _EXIT = OrderRole.ENTRY, OrderRole.EXIT
_NO, _ADD, _REVERSE = Joining.NO, Joining.ADD, Joining.REVERSE


class Intents:
    """Carries out signals at the desk."""

    def __init__(
        self,
        desk: OrderDesk,
        risk: RiskStage,
        ledger: Ledger,
        protection: Protection,
        market: MarketView,
        settings: OrderSettings,
        triggers: Triggers,
    ) -> None:
        self._desk = desk
        self._risk = risk
        self._ledger = ledger
        self._protection = protection
        self._market = market
        self.closing = Closing(desk, risk, ledger, settings, self._enter)
        self.stops = Stops(desk, risk, ledger, self.closing, triggers)
        self._core: Core
        self._actions: dict[SignalAction, Callable[[Signal], None]] = {
            SignalAction.ENTER_LONG: partial(self._enter, _BUY),
            SignalAction.ENTER_SHORT: partial(self._enter, _SELL),
            SignalAction.EXIT: self.closing.exit,
            SignalAction.PROTECT: self._protect,
            SignalAction.CANCEL_ENTRY: self._cancel_entry,
        }

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core
        self.closing.attach(core)
        self.stops.attach(core)

    def on_signal(self, signal: Signal) -> None:
        """Do what a row wants, or tell why not."""
        self._actions[signal.action](signal)

    def _cancel_entry(self, signal: Signal) -> None:
        owner, instrument = signal.strategy, signal.instrument
        reason = signal.reason or "by the script"
        dropped = self.closing.drop(owner, instrument, reason)
        if not self.closing.cancel_entries(owner, instrument, reason) + dropped:
            draft = self._desk.draft(owner, instrument, _ENTRY, _BUY, ZERO)
            text = f"{owner} has no entry working in {instrument} to cancel"
            self._desk.deny(draft, Denial(DenialCode.NO_ENTRY, text))

    def _enter(self, side: Side, signal: Signal) -> None:
        wanted = signal.quantity if signal.quantity is not None else ZERO
        order = self._desk.draft(
            signal.strategy,
            signal.instrument,
            _ENTRY,
            side,
            self._risk.sized(signal.strategy, signal.instrument, wanted, self._core.ts),
            order_type=signal.order_type,
            price=limit_of(signal),
            trigger=trigger_of(signal),
            time_in_force=signal.time_in_force,
            post_only=signal.post_only,
            expires_ns=expiry(signal, self._core.ts),
            reason=signal.reason,
        )
        if signal.reverse:
            joining = _REVERSE
        else:
            joining = _ADD if signal.add else _NO
        denial = self._risk.check(order, self._core.ts, joining)
        if denial is not None:
            self._desk.deny(order, denial)
        elif signal.reverse:
            self.closing.reverse(signal)
        else:
            self.stops.place(order, signal, self._risk.judged_at)

    def _protect(self, signal: Signal) -> None:
        owner, instrument = signal.strategy, signal.instrument
        held = self._ledger.position(owner, instrument).quantity
        denial = self._risk.switches(owner, instrument, _EXIT, entry=False)
        row = self._desk.orders.row(owner, instrument)
        waiting = [(each, each.intent) for each in row if each.intent is not None]
        if denial is None and not held and not waiting:
            denial = Denial(
                DenialCode.NO_POSITION, f"{owner} holds no {instrument} to protect"
            )
        if denial is None:
            for tracked, intent in waiting:
                tracked.intent = with_protection(intent, signal)
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
                loosen=signal.loosen,
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


def with_protection(intent: Signal, change: Signal) -> Signal:
    """Return the intent of a waiting entry with what a PROTECT signal changes."""
    return replace(
        intent,
        stop=intent.stop if change.stop is None else change.stop,
        target=intent.target if change.target is None else change.target,
        trailing_bps=change.trailing_bps or intent.trailing_bps,
    )
