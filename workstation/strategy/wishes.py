"""Wishes: a checked action of a script becomes a signal to the Executor.

Called with answers only. Prices are put on the tick and the size is worked out here;
whether an order comes of it the risk stage decides.
"""

from __future__ import annotations

from decimal import Decimal

from workstation.model.instruments import Instrument
from workstation.model.orders import OrderRole, OrderType, TimeInForce
from workstation.model.ports import Core, PositionView
from workstation.model.records import DenyRecord, SignalRecord
from workstation.model.signals import Signal, SignalAction
from workstation.model.states import SymbolState
from workstation.model.timeframes import NS_PER_S
from workstation.strategy.actions import Action, ActionKind
from workstation.strategy.machine import Trigger
from workstation.strategy.row import SCRIPT, Row
from workstation.strategy.settings import StrategySettings
from workstation.strategy.sizing import Refusal, Size, entry_quantity, refusal
from workstation.strategy.tally import ENTERED

__all__ = ["Wishes"]

# What is not in it is a limit order: limit, and post_only.
_TYPES = {
    "market": OrderType.MARKET,
    "stop": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
}


class Wishes:
    """Signals of one strategy's rows."""

    def __init__(self, settings: StrategySettings, positions: PositionView) -> None:
        self._settings = settings
        self._positions = positions
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def enter(self, row: Row, action: Action) -> None:
        """Commit to an entry, or give it up where its size cannot be traded."""
        instrument = row.instrument
        price = action.price or action.trigger or row.market.reference
        size = self._size(action)
        equity = self._positions.account().equity
        quantity = entry_quantity(size, instrument, price, equity, action.stop)
        refused = refusal(size, instrument, quantity, price)
        # What adds to a position is not what the row waits for while it is flat.
        first = row.state is not SymbolState.IN_TRADE
        if refused is not None:
            if first:
                row.tally.count(refused.code)
            self._refuse(row, refused)
            return
        long = action.kind is ActionKind.ENTER_LONG
        row.committing = row.willing = True
        if first:
            row.tally.count(ENTERED)
        row.answer = f"{action.kind}: {action.reason}"
        self._signal(
            row,
            SignalAction.ENTER_LONG if long else SignalAction.ENTER_SHORT,
            action,
            quantity=quantity,
            stop=_near(instrument, action.stop),
            target=_near(instrument, action.target),
        )

    def exit(self, row: Row, action: Action) -> None:
        """Ask for the position, or a part of it, to be closed."""
        quantity: Decimal | None = None
        if action.quantity is not None:
            quantity = row.instrument.round_quantity(action.quantity)
            price = action.price or row.market.reference
            size = Size("quantity", action.quantity)
            if quantity <= 0:
                refused = refusal(size, row.instrument, quantity, price)
                assert refused is not None
                self._refuse(row, refused, OrderRole.EXIT)
                return
        self._signal(row, SignalAction.EXIT, action, quantity=quantity)

    def protect(self, row: Row, action: Action) -> None:
        """Ask for another stop or target; what would loosen needs to be asked so."""
        stop = _near(row.instrument, action.stop)
        target = _near(row.instrument, action.target)
        if stop is not None and row.stop is not None and not action.loosen:
            long = row.market.position > 0
            if (stop <= row.stop) if long else (stop >= row.stop):
                why = "is there" if stop == row.stop else f"would loosen {row.stop}"
                row.answer = f"stop {stop} {why}: kept"
                stop = None
                if target is None and action.trailing_bps is None:
                    return
        self._signal(row, SignalAction.PROTECT, action, stop=stop, target=target)

    def cancel_entry(self, row: Row, action: Action) -> None:
        """Ask for what works of the entry to be canceled; what is held stays."""
        self._signal(row, SignalAction.CANCEL_ENTRY, action)

    def _size(self, action: Action) -> Size:
        if action.quantity is not None:
            return Size("quantity", action.quantity)
        if action.size is not None:
            return Size(action.size_mode or self._settings.size_mode, action.size)
        return Size(self._settings.size_mode, self._settings.size)

    def _refuse(
        self, row: Row, refused: Refusal, role: OrderRole = OrderRole.ENTRY
    ) -> None:
        core = self._core
        row.answer = refused.text
        core.record(
            DenyRecord(
                seq=core.seq,
                ts=core.ts,
                owner=row.strategy,
                instrument=row.instrument.id,
                role=role,
                code=refused.code,
                text=refused.text,
            )
        )
        if role is OrderRole.ENTRY:
            row.move(core, Trigger.DENIED, refused.text, SCRIPT)

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
        seconds = action.good_for_s
        signal = Signal(
            strategy=row.strategy,
            instrument=row.instrument.id,
            action=what,
            quantity=quantity,
            order_type=_TYPES.get(action.order_type, OrderType.LIMIT),
            limit_price=limit,
            trigger=_near(row.instrument, action.trigger),
            time_in_force=TimeInForce(action.time_in_force),
            good_for_ns=None if seconds is None else round(seconds * NS_PER_S),
            post_only=action.order_type == "post_only",
            stop=stop,
            target=target,
            trailing_bps=action.trailing_bps,
            loosen=action.loosen,
            add=action.add,
            reverse=action.reverse,
            reason=action.reason,
        )
        core = self._core
        core.record(SignalRecord(core.seq, core.ts, signal))
        core.emit(signal)


def _near(instrument: Instrument, price: float | None) -> Decimal | None:
    return None if price is None else instrument.nearest_price(price)
