"""Commands: the operator's hand on the engine, each one an input that is journalled.

``Control.execute`` is called between inputs and answers at once. What a command does
is said by the handlers of tasks, rows, orders and injections; what does not apply is
refused with a sentence, recorded, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct, structs

from workstation.engine.engine import Engine
from workstation.engine.injection import Injections
from workstation.engine.journalled import Interrupt, as_journalled
from workstation.engine.order_commands import OrderCommands
from workstation.engine.reconciliation_commands import ReconciliationCommands
from workstation.engine.recovery import Recovery
from workstation.engine.row_commands import RowCommands
from workstation.engine.script_commands import HostOf, ScriptCommands, VersionOf
from workstation.engine.supervision import Supervision
from workstation.engine.task_commands import TaskCommands
from workstation.execution.executor import Executor
from workstation.kernel import KernelError
from workstation.market.aggregator import Aggregator
from workstation.model.commands import (
    AmendOrder,
    CancelOrders,
    Command,
    Hold,
    Inject,
    Kill,
)
from workstation.model.errors import CommandRefused
from workstation.model.market import MarketEvent
from workstation.model.records import CommandRecord
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["Control", "Outcome"]


class Outcome(Struct, frozen=True):
    """What became of a command."""

    accepted: bool
    detail: str
    seq: int


class Control:
    """Executes commands on one engine made of the shipped parts."""

    def __init__(
        self,
        engine: Engine,
        aggregator: Aggregator,
        strategies: tuple[ScriptedStrategy, ...],
        executor: Executor,
        *,
        may_inject: bool,
        version_of: VersionOf,
        host_of: HostOf,
    ) -> None:
        self.engine = engine
        self.by_hand = 0
        """Commands and interrupted script calls so far."""
        named = {strategy.name: strategy for strategy in strategies}
        orders = OrderCommands(engine, executor)
        supervision = Supervision(engine, named, orders)
        injections = Injections(
            engine, aggregator, named, executor.history, allowed=may_inject
        )
        self.injected = injections.seqs
        tasks = TaskCommands(engine, aggregator, named, executor, orders, supervision)
        self.recovery = Recovery(engine, named, executor, tasks.halt_again)
        self._outcome: Outcome | None = None
        self._handlers: dict[type, Callable[[Any], str]] = {
            **tasks.handlers(),
            **injections.handlers(),
            **RowCommands(named, executor, orders).handlers(),
            **orders.handlers(),
            **self.recovery.handlers(),
            **ReconciliationCommands(executor, named, orders).handlers(),
            **ScriptCommands(engine, named, version_of, host_of).handlers(),
        }
        for command_type in self._handlers:
            engine.dispatcher.route(command_type, self._take)
        executor.row_locked = supervision.row_locked
        executor.strategy_state = supervision.strategy_state
        executor.stepped = supervision.is_stepping
        engine.on_fault = supervision.on_fault

    def execute(self, command: Command) -> Outcome:
        """Take a command as the next input and say what became of it."""
        engine = self.engine
        # A replay starts first, so the run must have: else the records' order differs.
        engine.start()
        command = as_journalled(command)
        core = engine.core
        self.by_hand += 1
        if engine.journal is not None:
            engine.journal.input(core.seq + 1, engine.pulled, command)
        self._outcome = None
        core.take(command)
        outcome = self._outcome or Outcome(False, "the command failed", core.seq)
        if outcome.accepted and isinstance(command, Inject):
            event = command.event
            if isinstance(event, MarketEvent):
                engine.after_market(structs.replace(event, ts_recv=core.ts))
        engine.catch_up()
        return outcome

    def interrupted(self, interrupt: Interrupt) -> None:
        """Journal that a script call was interrupted; a replay does the same."""
        engine = self.engine
        self.by_hand += 1
        if engine.journal is not None:
            engine.journal.input(engine.core.seq, engine.pulled, interrupt)

    def _take(self, command: Command) -> None:
        core = self.engine.core
        try:
            detail = self._handlers[type(command)](command)
            accepted = True
        except (CommandRefused, KernelError) as refusal:
            detail, accepted = str(refusal), False
        core.record(
            CommandRecord(
                seq=core.seq,
                ts=core.ts,
                command=type(command).__name__,
                subject=_subject(command),
                who=command.origin,
                accepted=accepted,
                detail=detail,
            )
        )
        self._outcome = Outcome(accepted, detail, core.seq)


def _subject(command: Command) -> str:
    for name in ("subject", "task", "instrument", "strategy", "name"):
        value = getattr(command, name, None)
        if value is not None:
            return str(value)
    if isinstance(command, CancelOrders):
        return ", ".join(command.order_ids)
    if isinstance(command, AmendOrder):
        return command.order_id
    if isinstance(command, Kill):
        return command.level.value
    if isinstance(command, Hold):
        return "on" if command.on else "off"
    return ""
