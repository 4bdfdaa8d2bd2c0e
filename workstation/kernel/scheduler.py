"""Start, pause, step, restart and stop tasks on an asyncio loop, in a known order.

For whoever orchestrates live work. Plain event handlers are called by the dispatcher,
all others by a runner each. An error of a task stays its own: counted, shown, alerted.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from workstation.kernel.bus import EventBus, Subscription
from workstation.kernel.clock import Clock
from workstation.kernel.dispatcher import Dispatcher
from workstation.kernel.errors import (
    IllegalTaskState,
    InvalidChannel,
    SchedulerError,
    ShutdownErrors,
    StartFailed,
    StopTimeout,
)
from workstation.kernel.inbox import Inbox
from workstation.kernel.runner import BackgroundRunner, EventRunner, Runner
from workstation.kernel.tasks import (
    BackgroundTask,
    EventTask,
    Supervision,
    Task,
    TaskHandle,
    TaskRegistry,
    TaskState,
)

AlertHook = Callable[[TaskHandle, str], object]
_log = logging.getLogger(__name__)

# Long enough to close a connection politely, short enough for whoever waits at a key.
STOP_TIMEOUT_NS = 5_000_000_000

_DOWN = (TaskState.REGISTERED, TaskState.STOPPED)
_STARTABLE = (*_DOWN, TaskState.FAILED)
_UP = (TaskState.RUNNING, TaskState.PAUSED)


class Scheduler:
    """Run tasks: register them, start, and shut down in reverse.

    ``on_alert(handle, reason)`` is called when a task has failed for good. Timers of
    a RealClock fire only where its pump runs; tasks and their back-off need none.
    """

    def __init__(
        self,
        bus: EventBus,
        clock: Clock,
        *,
        registry: TaskRegistry | None = None,
        dispatcher: Dispatcher | None = None,
        rng: random.Random,
        on_alert: AlertHook | None = None,
    ) -> None:
        self.bus = bus
        self.clock = clock
        self.registry = TaskRegistry(clock) if registry is None else registry
        if self.registry.clock is None:
            self.registry.clock = clock
        self.dispatcher = Dispatcher() if dispatcher is None else dispatcher
        self.on_alert = on_alert
        self._rng = rng
        self._lock = asyncio.Lock()
        self._started = False
        self._initialized: set[int] = set()
        self._runners: dict[int, Runner] = {}
        self._inboxes: dict[int, Inbox] = {}
        self._bridges: dict[type, Subscription] = {}

    @property
    def started(self) -> bool:
        """Return whether the scheduler is up, so that a new task starts at once."""
        return self._started

    def register(
        self,
        task: Task,
        supervision: Supervision | None = None,
        name: str | None = None,
        after: Iterable[str] | None = None,
    ) -> TaskHandle:
        """Take in a task; while the scheduler is up it starts in the background.

        Raises InvalidChannel for a subscription without a channel, and what
        TaskRegistry.register raises.
        """
        if not isinstance(task, BackgroundTask | EventTask):
            raise SchedulerError(
                f"{task!r} has no work the scheduler could call; derive it from "
                "BackgroundTask or EventTask"
            )
        if isinstance(task, EventTask):
            for event_type in task.subscriptions:
                if event_type not in self.bus.channels:
                    raise InvalidChannel(event_type, self.bus.channels)
        handle = self.registry.register(task, supervision, name, after)
        if self._started:
            self.registry.spawn(self._join_in(handle), name=f"start {handle.name}")
        return handle

    # -- up ---------------------------------------------------------------------

    async def start(self) -> None:
        """Start all tasks in order of registration; harmless when started.

        All are initialized before the first background task works. When one fails,
        those before it are shut down in reverse and StartFailed is raised.
        """
        async with self._lock:
            if self._started:
                return
            up: list[TaskHandle] = []
            try:
                while (handle := self._next_to_start(up)) is not None:
                    up.append(handle)
                    await self._initialize(handle)
            except BaseException as error:
                failed = up[-1]
                undone = await self._roll_back(up)
                if isinstance(error, Exception):
                    raise StartFailed(failed.name, error, undone) from error
                raise
            self._started = True
            for handle in up:
                self._run(handle)

    def _next_to_start(self, up: list[TaskHandle]) -> TaskHandle | None:
        # Asked anew each time: an initialize() may register further tasks.
        for handle in self._tasks_down():
            if handle not in up:
                return handle
        return None

    async def _join_in(self, handle: TaskHandle) -> None:
        """Start a task that was registered while the others ran."""
        async with self._lock:
            if self._started and handle in self._tasks_down():
                try:
                    await self._initialize(handle)
                except Exception:
                    self._alert(handle, f"failed to start: {handle.last_error}")
                else:
                    self._run(handle)

    async def _initialize(self, handle: TaskHandle) -> None:
        """Make a task ready; event tasks receive from here on."""
        self.registry.set_state(handle, TaskState.INITIALIZING, "start")
        task = handle.task
        try:
            await _settled(task.initialize())
        except BaseException as error:
            handle.count_error(error)
            self.registry.set_state(handle, TaskState.FAILED, handle.last_error)
            raise
        self._initialized.add(handle.id)
        if isinstance(task, EventTask):
            self._connect(handle, task)

    def _connect(self, handle: TaskHandle, task: EventTask) -> None:
        if inspect.iscoroutinefunction(task.handle_event):
            inbox = Inbox(self.bus, self.clock, task.subscriptions, handle.name)
            self._inboxes[handle.id] = inbox
            handle.backlog = inbox
            runner = EventRunner(
                handle, task.handle_event, inbox, self.dispatcher.report
            )
            self._launch(handle, runner)
        else:
            for event_type in task.subscriptions:
                self.dispatcher.route(event_type, task.handle_event, task=handle)
                if event_type not in self._bridges:
                    self._bridges[event_type] = self.bus.subscribe(
                        event_type, self.dispatcher.dispatch, name="dispatcher"
                    )
        self.registry.set_state(handle, TaskState.RUNNING, "start")

    def _run(self, handle: TaskHandle) -> None:
        """Let a background task work; event tasks do already."""
        task = handle.task
        if isinstance(task, BackgroundTask):
            self.registry.set_state(handle, TaskState.RUNNING, "start")
            self._launch(
                handle,
                BackgroundRunner(handle, task, self.clock, self._rng, self._fail),
            )

    def _launch(self, handle: TaskHandle, runner: Runner) -> None:
        self._runners[handle.id] = runner
        handle.watchers.append(runner.nudge)
        runner.job = self.registry.spawn(runner.run(), name=handle.name)
        runner.job.add_done_callback(lambda job: self._ended(handle, job))

    async def _roll_back(self, up: list[TaskHandle]) -> list[str]:
        undone: list[str] = []
        for handle in reversed(up):
            if handle.state is TaskState.FAILED:
                continue
            for name, error in await self._bring_down(handle, STOP_TIMEOUT_NS):
                _log.error("rolling back %s", name, exc_info=error)
            undone.append(handle.name)
        return undone

    # -- down -------------------------------------------------------------------

    async def shutdown(self, timeout_ns: int = STOP_TIMEOUT_NS) -> None:
        """Stop all tasks in reverse order of registration; harmless when down.

        Each asyncio task is cancelled and joined, then ``shutdown`` is awaited, each
        for at most ``timeout_ns`` of real time. Goes on past errors and raises them
        all at the end as ShutdownErrors.
        """
        self._refuse_own_tasks("shut down")
        async with self._lock:
            self._started = False
            errors: list[tuple[str, BaseException]] = []
            for handle in reversed(self._tasks()):
                errors += await self._bring_down(handle, timeout_ns)
            if errors:
                raise ShutdownErrors(errors)

    async def stop(self, name: str | int, *, timeout_ns: int = STOP_TIMEOUT_NS) -> None:
        """Stop one task; raise ShutdownErrors when it did not go well."""
        self._refuse_own_tasks("stop")
        async with self._lock:
            handle = self.registry.get(name)
            if handle.state not in (*_UP, TaskState.FAILED):
                raise IllegalTaskState(
                    handle.name, handle.state.value, "stopping", ("initializing",)
                )
            errors = await self._bring_down(handle, timeout_ns, "operator")
            if handle.state is TaskState.FAILED:
                self.registry.set_state(handle, TaskState.STOPPING, "operator")
                self.registry.set_state(handle, TaskState.STOPPED, "operator")
            if errors:
                raise ShutdownErrors(errors)

    async def restart(
        self, name: str | int, *, timeout_ns: int = STOP_TIMEOUT_NS
    ) -> None:
        """Stop a task if it is up and start it again, with a clean sheet of failures.

        Errors on the way down are counted and alerted; one on the way up is raised.
        """
        self._refuse_own_tasks("restart")
        async with self._lock:
            handle = self.registry.get(name)
            for _, error in await self._bring_down(handle, timeout_ns, "restart"):
                self._alert(handle, f"stopping it for a restart: {error}")
            handle.restarts += 1
            try:
                await self._initialize(handle)
            except Exception as error:
                self._alert(handle, f"failed to restart: {handle.last_error}")
                raise StartFailed(handle.name, error, ()) from error
            self._run(handle)

    async def _bring_down(
        self, handle: TaskHandle, timeout_ns: int, reason: str = "shutdown"
    ) -> list[tuple[str, BaseException]]:
        """Stop one task whatever it does; return what went wrong.

        A task that has failed is cleaned up and stays failed, for all to see.
        """
        if handle.state in _DOWN:
            return []
        errors: list[BaseException] = []
        failed = handle.state is TaskState.FAILED
        if not failed:
            self.registry.set_state(handle, TaskState.STOPPING, reason)
        self._disconnect(handle)
        runner = self._runners.pop(handle.id, None)
        if runner is not None:
            handle.watchers.remove(runner.nudge)
            runner.retired = True
            if runner.job is not None:
                runner.job.cancel()
                if not await _ends(runner.job, timeout_ns):
                    errors.append(StopTimeout(handle.name, "its loop", timeout_ns))
        if handle.id in self._initialized:
            self._initialized.discard(handle.id)
            last = self.registry.spawn(
                _caught(handle.task.shutdown, errors), name=f"stop {handle.name}"
            )
            if not await _ends(last, timeout_ns):
                last.cancel()
                errors.append(StopTimeout(handle.name, "shutdown()", timeout_ns))
        for error in errors:
            handle.count_error(error)
        if not failed:
            self.registry.set_state(handle, TaskState.STOPPED, reason)
        return [(handle.name, error) for error in errors]

    def _refuse_own_tasks(self, what: str) -> None:
        current = asyncio.current_task()
        for runner in self._runners.values():
            if runner.job is current:
                raise SchedulerError(
                    f"task {runner.handle.name} asked to {what} and would wait for "
                    "itself; ask from a task the scheduler does not run"
                )

    def _disconnect(self, handle: TaskHandle) -> None:
        inbox = self._inboxes.pop(handle.id, None)
        if inbox is not None:
            handle.backlog = None
            handle.lost += inbox.lost + inbox.close()
        self.dispatcher.unroute(handle)
        routed = self.dispatcher.routed_types()
        for event_type in [each for each in self._bridges if each not in routed]:
            self._bridges.pop(event_type).unsubscribe()

    # -- while running ----------------------------------------------------------

    def pause(self, name: str | int, reason: str = "operator") -> None:
        """Hold back a running task's calls; a call under way ends first."""
        self.registry.pause(name, reason)

    def resume(self, name: str | int, reason: str = "operator") -> None:
        """Let a paused task work again, first on what was held back."""
        self.registry.resume(name, reason)
        self.dispatcher.drain()

    async def step(self, name: str | int) -> bool:
        """Let exactly one call of a paused task through and wait for its end.

        Return False when nothing was held back, or the pause ended first.
        """
        handle = self.registry.get(name)
        if handle.state is not TaskState.PAUSED:
            raise IllegalTaskState(
                handle.name, handle.state.value, "step", ("step a paused task",)
            )
        runner = self._runners.get(handle.id)
        if runner is None:
            return self.dispatcher.step(handle)
        return await runner.step()

    def inject(self, name: str | int, event: object) -> None:
        """Give an event to one task alone; a paused one holds it back like others.

        Raises SchedulerError when the task takes no such event, IllegalTaskState when
        it is not up.
        """
        handle = self.registry.get(name)
        types: tuple[type, ...] = ()
        if isinstance(handle.task, EventTask):
            types = handle.task.subscriptions
        if type(event) not in types:
            takes = ", ".join(each.__name__ for each in types) or "no events"
            raise SchedulerError(
                f"task {handle.name} cannot be given a {type(event).__name__}; "
                f"it takes {takes}"
            )
        if handle.state not in _UP:
            raise IllegalTaskState(
                handle.name, handle.state.value, "injection", ("inject while it is up",)
            )
        inbox = self._inboxes.get(handle.id)
        if inbox is None:
            self.dispatcher.inject(handle, event)
        else:
            inbox.add(event, types)

    # -- faults -----------------------------------------------------------------

    def _tasks(self) -> list[TaskHandle]:
        return [
            handle
            for handle in self.registry
            if isinstance(handle.task, BackgroundTask | EventTask)
        ]

    def _tasks_down(self) -> list[TaskHandle]:
        return [handle for handle in self._tasks() if handle.state in _STARTABLE]

    def _fail(self, handle: TaskHandle, reason: str) -> None:
        self.registry.set_state(handle, TaskState.FAILED, reason)
        self._disconnect(handle)
        self._alert(handle, reason)

    def _ended(self, handle: TaskHandle, job: asyncio.Task[Any]) -> None:
        """Notice a loop that ended while its task was still up."""
        runner = self._runners.get(handle.id)
        if runner is None or runner.job is not job or handle.state not in _UP:
            return
        error = None if job.cancelled() else job.exception()
        if error is not None:
            handle.count_error(error)
        self._fail(handle, "cancelled from outside" if error is None else str(error))

    def _alert(self, handle: TaskHandle, reason: str) -> None:
        if self.on_alert is None:
            _log.error("task %s: %s", handle.name, reason)
            return
        try:
            self.on_alert(handle, reason)
        except Exception:
            _log.exception("the scheduler's on_alert hook failed")


async def _settled(result: Awaitable[None] | None) -> None:
    if result is not None:
        await result


async def _caught(
    work: Callable[[], Awaitable[None] | None], errors: list[BaseException]
) -> None:
    try:
        await _settled(work())
    except Exception as error:
        errors.append(error)


async def _ends(job: asyncio.Task[Any], timeout_ns: int) -> bool:
    """Return whether an asyncio task ends in time; never raises what it raised."""
    done, _ = await asyncio.wait({job}, timeout=timeout_ns / 1e9)
    return bool(done)
