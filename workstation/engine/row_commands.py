"""Commands to rows: override, with what becomes of the position, hand back, parameters.

``Control`` calls a handler with a command and gets a sentence back, or CommandRefused:
a row says InTrade only while it holds something, so every way in and out is planned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workstation.engine.order_commands import OrderCommands
from workstation.engine.override_plan import Holdings, holdings_of, plan_override
from workstation.execution.executor import Executor
from workstation.model.commands import Disposition, HandBack, Override, SetParams
from workstation.model.errors import CommandRefused
from workstation.model.owners import OPERATOR
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
        row = strategy.row(command.instrument)
        self._orders.check_seen(command, command.instrument)
        plan = plan_override(self._holdings(row), command, self._orders.ts)
        if plan.refusal:
            raise CommandRefused(plan.refusal)
        executor = self._executor
        owner, instrument = command.strategy, command.instrument
        if plan.adopts:
            executor.adopt(owner, instrument)
        elif plan.hands_over:
            # Cancels the entries itself, once it is sure that it can.
            executor.handover(owner, instrument, to=OPERATOR)
        elif command.disposition is Disposition.FLATTEN:
            self._orders.close(owner, instrument, command.reason)
        elif plan.cancels or plan.gives_up:
            self._orders.cancel_entries(owner, instrument)
        if command.lock:
            # A locked row is the operator's: what its script wished rests no longer.
            self._executor.withdraw_quotes(owner, instrument, "locked in manual")
        strategy.override(command)
        locked = ", locked in manual" if command.lock else ""
        return f"{instrument} to {command.state}{locked}: {command.reason}"

    def _holdings(self, row: Row) -> Holdings:
        executor, instrument = self._executor, row.instrument.id
        waiting = executor.waiting_entry(row.strategy, instrument)
        return holdings_of(
            row.strategy,
            instrument,
            row.state,
            locked=row.locked,
            position=row.held,
            operators=executor.position(OPERATOR, instrument).quantity,
            orders=[
                *executor.working(row.strategy, instrument),
                *executor.working(OPERATOR, instrument),
            ],
            waiting=waiting,
        )

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
