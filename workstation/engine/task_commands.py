"""Commands to tasks: pause, resume, step, restart and stop of feeds and parts.

``Control`` calls a handler with a command and gets a sentence back, or CommandRefused
with what would be right. What everything depends on is never paused or stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workstation.engine.engine import Engine, PartTask
from workstation.engine.order_commands import OrderCommands
from workstation.engine.sources import Feed
from workstation.engine.supervision import Supervision
from workstation.execution.executor import Executor
from workstation.kernel import TaskHandle, TaskState
from workstation.market.aggregator import Aggregator
from workstation.model.commands import (
    PauseTask,
    RestartTask,
    ResumeTask,
    StepTask,
    StopTask,
)
from workstation.model.errors import CommandRefused, ScriptError
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["TaskCommands"]


class TaskCommands:
    """The operator's hand on the tasks of one engine."""

    def __init__(
        self,
        engine: Engine,
        aggregator: Aggregator,
        strategies: Mapping[str, ScriptedStrategy],
        executor: Executor,
        orders: OrderCommands,
        supervision: Supervision,
    ) -> None:
        self._engine = engine
        self._aggregator = aggregator
        self._strategies = strategies
        self._executor = executor
        self._orders = orders
        self._supervision = supervision

    def handlers(self) -> dict[type, Callable[[Any], str]]:
        """Return the handler of each command."""
        return {
            PauseTask: self._pause,
            ResumeTask: self._resume,
            StepTask: self._step,
            RestartTask: self._restart,
            StopTask: self._stop,
        }

    def halt_again(self, halted: Mapping[str, str]) -> list[str]:
        """Pause or stop what an operator did in an earlier run; return what it was.

        ``halted`` has the name of the command by task. Feeds begin anew with a run.
        """
        done = []
        running = {
            handle.name
            for handle in self._engine.registry
            if handle.state is TaskState.RUNNING
        }
        for name, command in halted.items():
            role = self._task(name)[1] if name in running else ""
            if role == "strategy" and command == StopTask.__name__:
                self._stop(StopTask(task=name, reason="stopped in an earlier run"))
                done.append(f"{name} stopped")
            elif role in ("strategy", "executor") and command == PauseTask.__name__:
                self._pause(PauseTask(task=name, reason="paused in an earlier run"))
                done.append(f"{name} paused")
        return done

    def _pause(self, command: PauseTask) -> str:
        handle, role = self._task(command.task)
        if role in ("aggregator", "broker"):
            raise CommandRefused(
                f"{role} {handle.name} cannot be paused: everything depends on it; "
                "pause a feed, a strategy or the executor"
            )
        self._engine.registry.pause(handle.name, command.reason or "operator")
        if role == "feed":
            feed = self._feed(handle.name)
            feed.paused = True
            for instrument in feed.instruments:
                self._aggregator.mark_untrusted(instrument, f"feed {feed.name} paused")
            return f"{feed.name} is paused: its events are shed and counted"
        if role == "strategy":
            self._strategies[handle.name].paused = True
            # Nobody would move them while the market does.
            self._executor.withdraw_quotes(handle.name, None, "strategy paused")
            return f"{handle.name} is paused: no script calls; stops and fills go on"
        self._executor.paused = True
        self._executor.withdraw_quotes(None, None, "executor paused")
        return "new orders are denied (TASK_PAUSED); cancels and reports pass"

    def _resume(self, command: ResumeTask) -> str:
        handle, role = self._task(command.task)
        self._engine.registry.resume(handle.name, command.reason or "operator")
        if role == "feed":
            feed = self._feed(handle.name)
            feed.paused = False
            feed.passes = 0
        elif role == "strategy":
            strategy = self._strategies[handle.name]
            strategy.paused = False
            strategy.drop_withheld()
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
            strategy.drop_undue()
            instrument = strategy.withheld[0] if strategy.withheld else ""
            try:
                strategy.step()
            except ScriptError as error:
                # A fault of the strategy, not of the command: it made the call.
                self._engine.dispatcher.report(handle, command, error)
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
        strategy = self._strategies[handle.name]
        failure = strategy.script.failure
        if failure:
            raise CommandRefused(f"{failure}; mend the file and save it")
        if strategy.waits:
            raise CommandRefused(
                f"{handle.name} waits for an answer of its script; try again"
            )
        registry = self._engine.registry
        if handle.state in (TaskState.RUNNING, TaskState.PAUSED):
            registry.set_state(handle, TaskState.STOPPING, "restart")
            registry.set_state(handle, TaskState.STOPPED, "restart")
        registry.set_state(handle, TaskState.INITIALIZING, "restart")
        strategy.reset()
        strategy.paused = strategy.stopped = False
        self._supervision.forget(handle.name)
        self._engine.core.scripts.edge.rearm(handle.name)
        handle.restarts += 1
        registry.set_state(handle, TaskState.RUNNING, "restart")
        return f"{handle.name} runs again with an empty context"

    def _stop(self, command: StopTask) -> str:
        handle, role = self._task(command.task)
        if role not in ("strategy", "feed"):
            raise CommandRefused(
                f"{role} {handle.name} cannot be stopped alone; quit ends the run"
            )
        registry = self._engine.registry
        registry.set_state(handle, TaskState.STOPPING, command.reason or "operator")
        if role == "feed":
            self._engine.sources.stop(handle.name)
            feed = self._feed(handle.name)
            for instrument in feed.instruments:
                self._aggregator.mark_untrusted(instrument, f"feed {feed.name} stopped")
            detail = f"{handle.name} is stopped; what it had left is not delivered"
        else:
            strategy = self._strategies[handle.name]
            strategy.stopped = True
            count = self._orders.cancel_entries(handle.name)
            detail = (
                f"{handle.name} is stopped; {count} entries canceled, "
                "protection stays held"
            )
        registry.set_state(handle, TaskState.STOPPED, command.reason or "operator")
        return detail

    def _task(self, name: str) -> tuple[TaskHandle, str]:
        handle = self._engine.registry.get(name)
        task = handle.task
        return handle, task.role if isinstance(task, PartTask) else "task"

    def _feed(self, name: str) -> Feed:
        return next(feed for feed in self._engine.sources.feeds if feed.name == name)
