"""Frames of one focused row: its machine, its gates, its moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workstation.engine.frames import MachineFrame, SymbolRow, Way
from workstation.engine.gating import RowGates
from workstation.execution.executor import Executor
from workstation.model.orders import Order, OrderRole, OrderStatus
from workstation.strategy.machine import TABLE
from workstation.strategy.row import Row
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["FocusFrames"]


class FocusFrames:
    """Reads one row's surroundings."""

    def __init__(
        self,
        strategies: Sequence[ScriptedStrategy],
        executor: Executor,
        gates: RowGates,
    ) -> None:
        self._strategies = {strategy.name: strategy for strategy in strategies}
        self._executor = executor
        self._gates = gates

    def machine(self, shown: SymbolRow) -> MachineFrame:
        """Return a strategy's row, as its table shows it, in full."""
        strategy = self._strategies[shown.strategy]
        row = strategy.rows[shown.instrument]
        held = [
            order
            for order in self._executor.working(shown.strategy, shown.instrument)
            if order.status is OrderStatus.HELD
        ]
        return MachineFrame(
            row=shown,
            position=self._executor.position(shown.strategy, shown.instrument),
            stop=_trigger(held, OrderRole.STOP),
            target=_trigger(held, OrderRole.TARGET),
            stop_held=any(order.role is OrderRole.STOP for order in held),
            script=strategy.script.name,
            answer=row.answer,
            bars_left=row.bars_left,
            gates=self._gates.of(strategy, row),
            ways=_ways(row),
            history=tuple(reversed(row.history)),
            params=tuple((k, str(v)) for k, v in row.market.params.items()),
            calls=row.calls,
        )


def _ways(row: Row) -> tuple[Way, ...]:
    return tuple(
        Way(trigger.value, after)
        for (state, trigger), ways in TABLE.items()
        if state is row.state
        for _, after in ways
    )


def _trigger(held: Sequence[Order], role: OrderRole) -> Any:
    return next((order.trigger for order in held if order.role is role), None)
