"""Supervision: counts the faults of strategies, and stops the ones that fail.

Told by the engine of every contained fault, asked by the Executor about locks and
pauses. Protection that is held stays; only entries are canceled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from workstation.engine.engine import Engine
from workstation.engine.order_commands import OrderCommands
from workstation.kernel import TaskState
from workstation.model.errors import ScriptTimeout
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["Supervision"]

_FAULT_WINDOW_NS = 600 * 1_000_000_000


class Supervision:
    """Watches over the strategies of one engine."""

    def __init__(
        self,
        engine: Engine,
        strategies: Mapping[str, ScriptedStrategy],
        orders: OrderCommands,
    ) -> None:
        self._engine = engine
        self._strategies = strategies
        self._orders = orders
        self._faults: dict[str, deque[int]] = {}

    def forget(self, task: str) -> None:
        """Forget a task's faults: it starts again."""
        self._faults.pop(task, None)

    def row_locked(self, owner: str, instrument: str) -> bool:
        """Tell whether a row is locked in manual."""
        strategy = self._strategies.get(owner)
        return strategy is not None and strategy.is_locked(instrument)

    def strategy_state(self, owner: str) -> str:
        """Return what a strategy's task is; who is no strategy is running."""
        if owner not in self._strategies:
            return TaskState.RUNNING.value
        return self._engine.registry.get(owner).state.value

    def is_stepping(self, owner: str) -> bool:
        """Tell whether a paused strategy's step is still being answered."""
        strategy = self._strategies.get(owner)
        return strategy is not None and strategy.stepping

    def on_fault(self, task: str, error: Exception) -> None:
        """Count a fault; a strategy with too many, or one call too long, fails."""
        strategy = self._strategies.get(task)
        if strategy is None or strategy.stopped:
            return
        now = self._engine.core.ts
        faults = self._faults.setdefault(task, deque())
        faults.append(now)
        while faults[0] <= now - _FAULT_WINDOW_NS:
            faults.popleft()
        if isinstance(error, ScriptTimeout):
            reason = str(error)
        elif len(faults) >= strategy.settings.max_errors:
            reason = f"{len(faults)} errors in 10 minutes, the last: {error}"
        else:
            return
        strategy.stopped = True
        registry = self._engine.registry
        registry.set_state(registry.get(task), TaskState.FAILED, reason)
        # As when it is stopped: nobody would look after what they fill.
        self._orders.cancel_entries(task)
