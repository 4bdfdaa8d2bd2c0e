"""Frames of one focused symbol: its machine and gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from workstation.engine.frames import (
    Focus,
    MachineFrame,
    SymbolRow,
)
from workstation.execution.executor import Executor
from workstation.market.aggregator import Aggregator
from workstation.model.instruments import Instrument
from workstation.model.orders import Order, OrderRole, OrderStatus
from workstation.model.states import Gate, SymbolState
from workstation.strategy.row import Row
from workstation.strategy.scripted import ScriptedStrategy
from workstation.strategy.sizing import Size, entry_quantity

__all__ = ["FocusFrames"]


class FocusFrames:
    """Reads one row's surroundings."""

    def __init__(
        self,
        aggregator: Aggregator,
        strategies: Sequence[ScriptedStrategy],
        executor: Executor,
        instruments: Mapping[str, Instrument],
    ) -> None:
        self._aggregator = aggregator
        self._strategies = {strategy.name: strategy for strategy in strategies}
        self._executor = executor
        self._instruments = instruments

    def row(self, strategy: str, instrument: str) -> Row | None:
        """Return a strategy's row, or None."""
        owner = self._strategies.get(strategy)
        return None if owner is None else owner.rows.get(instrument)

    def gates(self, strategy: ScriptedStrategy, row: Row) -> list[Gate]:
        """Return the ordered checks an entry of this row must pass."""
        name = row.instrument.id
        size = self._entry_size(strategy, row)
        gates = list(self._executor.gates(strategy.name, name, size or None))
        state = row.state
        own = [
            Gate(
                "state",
                state is not SymbolState.IN_TRADE,
                "in trade" if state is SymbolState.IN_TRADE else state.value,
            ),
            Gate("signal", state is SymbolState.CLOSE_WATCH, row.answer),
        ]
        if size == 0:
            lot = row.instrument.lot_size
            own.append(Gate("sizing", False, f"size is less than a lot of {lot}"))
        place = next(
            (n for n, gate in enumerate(gates) if gate.name in ("hold", "risk")),
            len(gates),
        )
        return gates[:place] + own + gates[place:]

    def _entry_size(self, strategy: ScriptedStrategy, row: Row) -> Decimal | None:
        """Return what an entry would be now, or None where no price is known."""
        mark = self._aggregator.instrument(row.instrument.id).mark
        if mark is None:
            return None
        equity = self._executor.account().equity
        settings = strategy.settings
        if settings.size_mode == "risk":
            # How much depends on the stop, which only an entry names.
            return None
        size = Size(settings.size_mode, settings.size)
        return entry_quantity(size, row.instrument, mark, equity)

    def machine(self, focus: Focus, rows: Sequence[SymbolRow]) -> MachineFrame | None:
        """Return the focused row in full, or None where no strategy has it."""
        strategy = self._strategies.get(focus.strategy)
        row = self.row(focus.strategy, focus.instrument)
        shown = next(
            (
                r
                for r in rows
                if (r.instrument, r.strategy) == (focus.instrument, focus.strategy)
            ),
            None,
        )
        if strategy is None or row is None or shown is None:
            return None
        held = [
            order
            for order in self._executor.working(focus.strategy, focus.instrument)
            if order.status is OrderStatus.HELD
        ]
        return MachineFrame(
            row=shown,
            position=self._executor.position(focus.strategy, focus.instrument),
            stop=_trigger(held, OrderRole.STOP),
            target=_trigger(held, OrderRole.TARGET),
            stop_held=any(order.role is OrderRole.STOP for order in held),
            script=strategy.script.name,
            answer=row.answer,
            gates=tuple(self.gates(strategy, row)),
            history=tuple(reversed(row.history)),
            params=tuple((k, str(v)) for k, v in row.market.params.items()),
            calls=row.calls,
        )


def _trigger(held: Sequence[Order], role: OrderRole) -> Any:
    return next((order.trigger for order in held if order.role is role), None)
