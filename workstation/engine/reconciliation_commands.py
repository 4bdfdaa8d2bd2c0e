"""Commands of the reconciliation: ask the venue again, settle what differs.

``Control`` calls a handler with a command and gets a sentence back, or CommandRefused;
the Executor carries it out. Here is refused what names a row that there is not, or was
decided on a picture that is out of date.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workstation.engine.order_commands import OrderCommands
from workstation.execution.executor import Executor
from workstation.model.commands import Reconcile, Resolve
from workstation.model.errors import CommandRefused
from workstation.model.owners import OPERATOR
from workstation.model.reconciliation import Resolution, Subject
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["ReconciliationCommands"]

# What makes an order or a position somebody's; a cancel always passes.
_GIVES = (Resolution.ADOPT, Resolution.ATTRIBUTE)


class ReconciliationCommands:
    """The operator's hand on what books and venue say differently."""

    def __init__(
        self,
        executor: Executor,
        strategies: Mapping[str, ScriptedStrategy],
        orders: OrderCommands,
    ) -> None:
        self._executor = executor
        self._strategies = strategies
        self._orders = orders

    def handlers(self) -> dict[type, Callable[[Any], str]]:
        """Return the handler of each command."""
        return {Reconcile: self._executor.reconcile, Resolve: self._resolve}

    def _resolve(self, command: Resolve) -> str:
        instrument = self._instrument(command)
        if instrument is not None and command.resolution in _GIVES:
            self._orders.check_seen(command, instrument)
        if instrument is not None and command.resolution is Resolution.ATTRIBUTE:
            self._check_row(command.owner, instrument)
        return self._executor.resolve(command)

    def _check_row(self, owner: str, instrument: str) -> None:
        if not owner or owner == OPERATOR:
            return
        strategy = self._strategies.get(owner)
        if strategy is None or instrument not in strategy.rows:
            rows = [n for n, s in self._strategies.items() if instrument in s.rows]
            raise CommandRefused(
                f"{owner} does not trade {instrument}; "
                f"who does: {', '.join([OPERATOR, *rows])}"
            )

    def _instrument(self, command: Resolve) -> str | None:
        if command.kind is Subject.BALANCE:
            return command.instrument or None
        if command.kind is Subject.POSITION:
            return command.subject
        orders = self._executor.orders()
        found = next((each for each in orders if each.id == command.subject), None)
        return None if found is None else found.instrument
