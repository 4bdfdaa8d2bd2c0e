"""Commands to rows: override, with what becomes of the position, and hand back.

``Control`` calls a handler with a command and gets a sentence back, or CommandRefused:
a row says InTrade only while it holds something, so every way in and out is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workstation.engine.order_commands import OrderCommands
from workstation.execution.executor import Executor
from workstation.model.commands import Disposition, HandBack, Override, SetParams
from workstation.model.errors import CommandRefused
from workstation.model.states import SymbolState
from workstation.strategy.row import Row
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["RowCommands"]


class RowCommands:
    """The operator's hand on the rows of all strategies."""

    def __init__(
        self,
        strategies: Mapping[str, ScriptedStrategy],
        executor: Executor,
        orders: OrderCommands,
    ) -> None:
        self._strategies = strategies
        self._executor = executor
        self._orders = orders

    def handlers(self) -> dict[type, Callable[[Any], str]]:
        """Return the handler of each command."""
        return {
            Override: self._override,
            HandBack: self._hand_back,
            SetParams: self._set_params,
        }

    def _override(self, command: Override) -> str:
        strategy = self._strategy(command.strategy)
        if not command.reason.strip():
            raise CommandRefused("an override needs a reason")
        row = strategy.check_override(command)
        self._orders.check_seen(command, command.instrument)
        self._check_disposition(command, row)
        executor = self._executor
        owner, instrument = command.strategy, command.instrument
        disposition = command.disposition
        if disposition is Disposition.ADOPT:
            executor.adopt(owner, instrument)
        elif disposition is Disposition.HAND_OVER:
            # Cancels the entries itself, once it is sure that it can.
            executor.handover(owner, instrument, to="operator")
        elif disposition is Disposition.FLATTEN:
            self._orders.close(owner, instrument, command.reason)
        elif disposition is Disposition.CANCEL or _leads_out(command, row):
            self._orders.cancel_entries(owner, instrument)
        strategy.override(command)
        locked = ", locked in manual" if command.lock else ""
        return f"{instrument} to {command.state}{locked}: {command.reason}"

    def _hand_back(self, command: HandBack) -> str:
        self._strategy(command.strategy).hand_back(command)
        return f"{command.instrument} is back with {command.strategy}"

    def _set_params(self, command: SetParams) -> str:
        return self._strategy(command.strategy).set_params(command)

    def _strategy(self, name: str) -> ScriptedStrategy:
        strategy = self._strategies.get(name)
        if strategy is None:
            known = ", ".join(self._strategies)
            raise CommandRefused(f"no strategy {name}; known: {known}")
        return strategy

    def _check_disposition(self, command: Override, row: Row) -> None:
        owner, instrument = command.strategy, command.instrument
        held = self._executor.position(owner, instrument)
        into = command.state is SymbolState.IN_TRADE and row.state is not command.state
        out = _leads_out(command, row)
        disposition = command.disposition
        if disposition is Disposition.ADOPT and not into:
            raise CommandRefused(
                f"{instrument} adopts a position only on its way to InTrade"
            )
        if (
            disposition in (Disposition.FLATTEN, Disposition.HAND_OVER)
            and command.state is SymbolState.IN_TRADE
        ):
            raise CommandRefused(
                f"{disposition} leads out of InTrade: choose Watch with it"
            )
        if into and disposition is not Disposition.ADOPT:
            raise CommandRefused(
                "into InTrade only by adopting the operator's or an external position"
            )
        if (
            out
            and not held.is_flat
            and disposition not in (Disposition.FLATTEN, Disposition.HAND_OVER)
        ):
            raise CommandRefused(
                f"{held.quantity} {instrument} is held: flatten it or hand it over to "
                "the operator to leave InTrade"
            )


def _leads_out(command: Override, row: Row) -> bool:
    return row.state is SymbolState.IN_TRADE and row.state is not command.state
