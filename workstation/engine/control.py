"""Commands: the operator's hand on the engine, each one an input that is journalled.

``Control.execute`` is called between inputs and answers at once. What does not apply
is refused with a sentence, recorded, and changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from msgspec import Struct, structs

from workstation.engine.engine import Engine, PartTask
from workstation.engine.injection import check_event
from workstation.engine.journal import Interrupt, as_journalled
from workstation.engine.sources import Feed
from workstation.execution.executor import Executor
from workstation.kernel import KernelError, TaskHandle, TaskState
from workstation.market.aggregator import Aggregator
from workstation.model.commands import (
    CancelOrders,
    Command,
    Disposition,
    Flatten,
    HandBack,
    Hold,
    Inject,
    Kill,
    Override,
    PauseTask,
    Rearm,
    RestartTask,
    ResumeTask,
    StepTask,
    StopTask,
)
from workstation.model.errors import CommandRefused, ScriptError, ScriptTimeout
from workstation.model.orders import OrderRole
from workstation.model.records import CommandRecord
from workstation.model.signals import Signal
from workstation.model.states import SymbolState
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["Control", "Outcome"]

_FAULT_WINDOW_NS = 600 * 1_000_000_000


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
    ) -> None:
        self.engine = engine
        self.injected: deque[int] = deque(maxlen=1_000)
        self._aggregator = aggregator
        self._strategies = {strategy.name: strategy for strategy in strategies}
        self._executor = executor
        self._may_inject = may_inject
        self._faults: dict[str, deque[int]] = {}
        self._outcome: Outcome | None = None
        self._handlers: dict[type, Callable[[Any], str]] = {
            PauseTask: self._pause,
            ResumeTask: self._resume,
            StepTask: self._step,
            RestartTask: self._restart,
            StopTask: self._stop,
            Inject: self._inject,
            Override: self._override,
            HandBack: self._hand_back,
            CancelOrders: self._to_executor,
            Flatten: self._flatten,
            Hold: self._to_executor,
            Kill: self._to_executor,
            Rearm: self._to_executor,
        }
        self._executor_handlers = executor.handlers()
        for command_type in self._handlers:
            engine.dispatcher.route(command_type, self._take)
        executor.row_locked = self._row_locked
        executor.strategy_paused = self._strategy_paused
        engine.on_fault = self._on_fault

    def execute(self, command: Command) -> Outcome:
        """Take a command as the next input and say what became of it."""
        engine = self.engine
        # A replay starts first, so the run must have: else the records' order differs.
        engine.start()
        command = as_journalled(command)
        core = engine.core
        if engine.journal is not None:
            engine.journal.input(core.seq + 1, engine.pulled, command)
        self._outcome = None
        core.take(command)
        outcome = self._outcome or Outcome(False, "the command failed", core.seq)
        if outcome.accepted and isinstance(command, Inject):
            event = command.event
            if not isinstance(event, Signal):
                engine.after_market(structs.replace(event, ts_recv=core.ts))
        core.run_agenda(engine.clock.now())
        return outcome

    def interrupted(self, interrupt: Interrupt) -> None:
        """Journal that a script call was interrupted; a replay does the same."""
        engine = self.engine
        if engine.journal is not None:
            engine.journal.input(engine.core.seq, engine.pulled, interrupt)

    # Taking.

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

    def _check_seen(self, command: Command, instrument: str) -> None:
        seen = command.seen_seq
        touched = self.engine.store.touched.get(instrument, 0)
        if seen is not None and touched > seen:
            raise CommandRefused(
                f"orders or position of {instrument} changed at seq {touched}, after "
                f"what was shown (seq {seen}); look again and repeat"
            )

    # Tasks.

    def _pause(self, command: PauseTask) -> str:
        handle, role = self._task(command.task)
        if role in ("aggregator", "broker"):
            raise CommandRefused(
                f"{role} {handle.name} cannot be paused: everything depends on it; "
                "pause a feed, a strategy or the executor"
            )
        self.engine.registry.pause(handle.name, command.reason or "operator")
        if role == "feed":
            feed = self._feed(handle.name)
            feed.paused = True
            for instrument in feed.instruments:
                self._aggregator.mark_untrusted(instrument, f"feed {feed.name} paused")
            return f"{feed.name} is paused: its events are shed and counted"
        if role == "strategy":
            self._strategies[handle.name].paused = True
            return f"{handle.name} is paused: no script calls; stops and fills go on"
        self._executor.paused = True
        return "new orders are denied (TASK_PAUSED); cancels and reports pass"

    def _resume(self, command: ResumeTask) -> str:
        handle, role = self._task(command.task)
        self.engine.registry.resume(handle.name, command.reason or "operator")
        if role == "feed":
            feed = self._feed(handle.name)
            feed.paused = False
            feed.passes = 0
            # A recording has no snapshot to give: its books stay untrusted.
            resync = getattr(feed.connector, "resync", None)
            if resync is not None:
                resync()
        elif role == "strategy":
            strategy = self._strategies[handle.name]
            strategy.paused = False
            strategy.withheld.clear()
        elif role == "executor":
            self._executor.paused = False
        return f"{handle.name} runs"

    def _step(self, command: StepTask) -> str:
        handle, role = self._task(command.task)
        if handle.state is not TaskState.PAUSED:
            raise CommandRefused(
                f"{handle.name} is {handle.state}; pause it before stepping it"
            )
        if role == "strategy":
            strategy = self._strategies[handle.name]
            instrument = strategy.withheld[0] if strategy.withheld else ""
            try:
                strategy.step()
            except ScriptError as error:
                # A fault of the strategy, not of the command: it made the call.
                self.engine.dispatcher.report(handle, command, error)
                return f"{handle.name} was asked once, on {instrument}: {error}"
            return f"{handle.name} was asked once, on {instrument}"
        if role == "feed":
            self._feed(handle.name).passes += 1
            return f"{handle.name} lets its next event through when the clock moves"
        raise CommandRefused(
            f"{handle.name} denies while paused and withholds nothing to step through"
        )

    def _restart(self, command: RestartTask) -> str:
        handle, role = self._task(command.task)
        if role != "strategy":
            raise CommandRefused(
                f"{role} {handle.name} cannot be restarted in a driven run; "
                "strategies can"
            )
        failure = self._strategies[handle.name].script.failure
        if failure:
            raise CommandRefused(f"{failure}; mend the file and start a new run")
        registry = self.engine.registry
        if handle.state in (TaskState.RUNNING, TaskState.PAUSED):
            registry.set_state(handle, TaskState.STOPPING, "restart")
            registry.set_state(handle, TaskState.STOPPED, "restart")
        registry.set_state(handle, TaskState.INITIALIZING, "restart")
        strategy = self._strategies[handle.name]
        strategy.reset()
        strategy.paused = strategy.stopped = False
        self._faults.pop(handle.name, None)
        handle.restarts += 1
        registry.set_state(handle, TaskState.RUNNING, "restart")
        return f"{handle.name} runs again with an empty context"

    def _stop(self, command: StopTask) -> str:
        handle, role = self._task(command.task)
        if role not in ("strategy", "feed"):
            raise CommandRefused(
                f"{role} {handle.name} cannot be stopped alone; quit ends the run"
            )
        registry = self.engine.registry
        registry.set_state(handle, TaskState.STOPPING, command.reason or "operator")
        if role == "feed":
            self.engine.sources.stop(handle.name)
            feed = self._feed(handle.name)
            for instrument in feed.instruments:
                self._aggregator.mark_untrusted(instrument, f"feed {feed.name} stopped")
            detail = f"{handle.name} is stopped; what it had left is not delivered"
        else:
            strategy = self._strategies[handle.name]
            strategy.stopped = True
            count = self._cancel_entries(handle.name)
            detail = (
                f"{handle.name} is stopped; {count} entries canceled, "
                "protection stays held"
            )
        registry.set_state(handle, TaskState.STOPPED, command.reason or "operator")
        return detail

    def _task(self, name: str) -> tuple[TaskHandle, str]:
        handle = self.engine.registry.get(name)
        task = handle.task
        return handle, task.role if isinstance(task, PartTask) else "task"

    def _feed(self, name: str) -> Feed:
        return next(feed for feed in self.engine.sources.feeds if feed.name == name)

    # Symbols and orders.

    def _inject(self, command: Inject) -> str:
        if not self._may_inject:
            raise CommandRefused("inject works in simulation and recording only")
        core = self.engine.core
        event = command.event
        self.injected.append(core.seq)
        if isinstance(event, Signal):
            strategy = self._strategies.get(event.strategy)
            if strategy is None or event.instrument not in strategy.rows:
                raise CommandRefused(
                    f"no row {event.strategy} {event.instrument}; "
                    f"strategies: {', '.join(self._strategies)}"
                )
            core.emit(event)
            return f"signal {event.action} for {event.instrument}"
        check_event(event, self._aggregator.instruments)
        core.emit(structs.replace(event, ts_recv=core.ts))
        return f"{type(event).__name__} for {event.instrument}"

    def _override(self, command: Override) -> str:
        strategy = self._strategies.get(command.strategy)
        if strategy is None:
            raise CommandRefused(
                f"no strategy {command.strategy}; known: {', '.join(self._strategies)}"
            )
        if not command.reason.strip():
            raise CommandRefused("an override needs a reason")
        row = strategy.check_override(command)
        self._check_seen(command, command.instrument)
        executor = self._executor
        owner, instrument = command.strategy, command.instrument
        held = executor.position(owner, instrument)
        into = command.state is SymbolState.IN_TRADE and row.state is not command.state
        out = row.state is SymbolState.IN_TRADE and row.state is not command.state
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
        if disposition is Disposition.ADOPT:
            executor.adopt(owner, instrument)
        elif disposition is Disposition.HAND_OVER:
            # Cancels the entries itself, once it is sure that it can.
            executor.handover(owner, instrument, to="operator")
        elif disposition is Disposition.FLATTEN:
            self._executor_handlers[Flatten](
                Flatten(instrument=instrument, owner=owner, reason=command.reason)
            )
        elif disposition is Disposition.CANCEL or out:
            self._cancel_entries(owner, instrument)
        strategy.override(command)
        locked = ", locked in manual" if command.lock else ""
        return f"{instrument} to {command.state}{locked}: {command.reason}"

    def _hand_back(self, command: HandBack) -> str:
        strategy = self._strategies.get(command.strategy)
        if strategy is None:
            raise CommandRefused(f"no strategy {command.strategy}")
        strategy.hand_back(command.instrument, command.reason or "handed back")
        return f"{command.instrument} is back with {command.strategy}"

    def _flatten(self, command: Flatten) -> str:
        if self.engine.ended:
            raise CommandRefused(
                "the run has ended and nothing fills any more; what is open stays open"
            )
        self._check_seen(command, command.instrument)
        return self._to_executor(command)

    def _to_executor(self, command: Command) -> str:
        self._executor_handlers[type(command)](command)
        done = _done(command)
        return f"{done}: {command.reason}" if command.reason else done

    def _cancel_entries(self, owner: str, instrument: str | None = None) -> int:
        ids = tuple(
            order.id
            for order in self._executor.orders()
            if order.owner == owner
            and order.role is OrderRole.ENTRY
            and not order.is_terminal
            and instrument in (None, order.instrument)
        )
        if not ids:
            return 0
        try:
            self._executor_handlers[CancelOrders](CancelOrders(order_ids=ids))
        except CommandRefused:
            # All of them are being canceled already.
            return 0
        return len(ids)

    # Supervision.

    def _row_locked(self, owner: str, instrument: str) -> bool:
        strategy = self._strategies.get(owner)
        return strategy is not None and strategy.is_locked(instrument)

    def _strategy_paused(self, owner: str) -> bool:
        strategy = self._strategies.get(owner)
        return strategy is not None and (strategy.paused or strategy.stopped)

    def _on_fault(self, task: str, error: Exception) -> None:
        strategy = self._strategies.get(task)
        if strategy is None or strategy.stopped:
            return
        now = self.engine.core.ts
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
        registry = self.engine.registry
        registry.set_state(registry.get(task), TaskState.FAILED, reason)
        # As when it is stopped: nobody would look after what they fill.
        self._cancel_entries(task)


def _done(command: Command) -> str:
    """Return what the Executor has begun, in a sentence."""
    if isinstance(command, CancelOrders):
        orders = len(command.order_ids)
        return f"cancel of {orders} order{'s' if orders != 1 else ''} asked for"
    if isinstance(command, Flatten):
        return f"{command.instrument} of {command.owner or 'everybody'} is being closed"
    if isinstance(command, Hold):
        if command.on:
            return "new entries are on hold; exits and cancels go on"
        return "the hold is lifted"
    if isinstance(command, Kill):
        return f"killed at {command.level}; only a re-arm allows orders again"
    return "orders are allowed again"


def _subject(command: Command) -> str:
    for name in ("task", "instrument"):
        value = getattr(command, name, None)
        if value is not None:
            return str(value)
    if isinstance(command, CancelOrders):
        return ", ".join(command.order_ids)
    if isinstance(command, Kill):
        return command.level.value
    if isinstance(command, Hold):
        return "on" if command.on else "off"
    return ""
