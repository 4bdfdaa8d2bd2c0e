"""Wishes: a checked action of a script becomes a signal to the Executor.

Called with answers only. Prices are put on the tick and the size is worked out here;
whether an order comes of it the risk stage decides.
"""

from __future__ import annotations

from decimal import Decimal

from workstation.model.instruments import Instrument
from workstation.model.orders import OrderType
from workstation.model.ports import Core, PositionView
from workstation.model.records import SignalRecord
from workstation.model.signals import Signal, SignalAction
from workstation.strategy.actions import Action, ActionKind
from workstation.strategy.machine import Trigger
from workstation.strategy.row import Row
from workstation.strategy.settings import StrategySettings
from workstation.strategy.sizing import entry_quantity
from workstation.strategy.tally import ENTERED, Stop

__all__ = ["Wishes"]


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
        """Commit to an entry, or give it up where its size is less than a lot."""
        instrument = row.instrument
        price = action.price or row.market.close
        equity = self._positions.account().equity
        quantity = entry_quantity(
            self._settings, instrument, price, equity, action.quantity
        )
        if quantity <= 0:
            row.answer = f"size is less than a lot of {instrument.lot_size}"
            row.tally.count(Stop.TOO_SMALL)
            row.move(self._core, Trigger.CANCEL, row.answer)
            return
        long = action.kind is ActionKind.ENTER_LONG
        row.committing = row.willing = True
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
        """Ask for the position to be closed."""
        self._signal(row, SignalAction.EXIT, action)

    def protect(self, row: Row, action: Action) -> None:
        """Ask for another stop or target; a stop that would loosen is not taken."""
        stop = _near(row.instrument, action.stop)
        if stop is not None and row.stop is not None:
            long = row.market.position > 0
            if (stop <= row.stop) if long else (stop >= row.stop):
                row.answer = f"stop {stop} would loosen {row.stop}: kept"
                return
        target = _near(row.instrument, action.target)
        self._signal(row, SignalAction.PROTECT, action, stop=stop, target=target)

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
            strategy=row.strategy,
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


def _near(instrument: Instrument, price: float | None) -> Decimal | None:
    return None if price is None else instrument.nearest_price(price)
