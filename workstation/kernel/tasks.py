"""The registry: who the tasks are, and the one place that changes their state.

The scheduler and the engine register tasks here and change their state only through
``TaskRegistry.set_state``. Needs no event loop, except for ``spawn``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any

import msgspec

from workstation.kernel.clock import Clock
from workstation.kernel.errors import (
    DuplicateComponent,
    IllegalTaskState,
    SchedulerError,
    TaskNotFound,
)
from workstation.kernel.handle import Backlog, TaskHandle, TaskStats
from workstation.kernel.roles import (
    LEGAL,
    BackgroundTask,
    EventTask,
    Task,
    TaskKind,
    TaskState,
)
from workstation.kernel.supervision import Supervision

__all__ = [
    "LEGAL",
    "BackgroundTask",
    "Backlog",
    "EventTask",
    "Supervision",
    "Task",
    "TaskChange",
    "TaskHandle",
    "TaskKind",
    "TaskRegistry",
    "TaskState",
    "TaskStats",
]


class TaskChange(msgspec.Struct, frozen=True, kw_only=True):
    """Record one change of state: before, after, why, when (run's clock)."""

    task_id: int
    task: str
    before: TaskState
    after: TaskState
    reason: str
    ts: int


ChangeHook = Callable[[TaskHandle, TaskState, TaskState, str], object]


class TaskRegistry:
    """Keep all tasks in order of registration, and be the one place that changes them.

    ``on_change(handle, before, after, reason)`` is called after each change;
    ``on_crash(name, error)`` with an exception that left a spawned coroutine.
    """

    def __init__(
        self, clock: Clock | None = None, *, on_change: ChangeHook | None = None
    ) -> None:
        self.clock = clock
        self.on_change = on_change
        self.on_crash: Callable[[str, BaseException], object] | None = None
        self._by_name: dict[str, TaskHandle] = {}
        self._by_id: dict[int, TaskHandle] = {}
        self._last_id = 0
        self._spawned: set[asyncio.Task[Any]] = set()

    def register(
        self,
        task: Task,
        supervision: Supervision | None = None,
        name: str | None = None,
        after: Iterable[str] | None = None,
    ) -> TaskHandle:
        """Take in a task and return its handle; ids count from 1.

        Raises DuplicateComponent for a name in use, TaskNotFound when it is to come
        after a task that is not there, SchedulerError for what is no task.
        """
        if not isinstance(task, Task):
            raise SchedulerError(
                f"{task!r} is no task; derive it from BackgroundTask or EventTask"
            )
        label = task.name if name is None else name
        if label in self._by_name:
            raise DuplicateComponent("task", (label, label), "one task of each name")
        needed = tuple(task.after if after is None else after)
        for each in needed:
            self.get(each)
        self._last_id += 1
        handle = TaskHandle(
            self._last_id,
            task,
            name=label,
            supervision=Supervision() if supervision is None else supervision,
            after=needed,
            now_ns=self._now(),
        )
        self._by_name[label] = handle
        self._by_id[handle.id] = handle
        return handle

    def get(self, name_or_id: str | int) -> TaskHandle:
        """Return the handle of a name or an id; raise TaskNotFound."""
        found = (
            self._by_id.get(name_or_id)
            if isinstance(name_or_id, int)
            else self._by_name.get(name_or_id)
        )
        if found is None:
            raise TaskNotFound(name_or_id, self._by_name)
        return found

    def remove(self, name: str | int) -> TaskHandle:
        """Forget a task that was never started or is stopped; its id stays used.

        Raises IllegalTaskState for one that is up or has failed: stop it first.
        """
        handle = self.get(name)
        if handle.state not in (TaskState.REGISTERED, TaskState.STOPPED):
            raise IllegalTaskState(
                handle.name, handle.state.value, "removed", ("stop it first",)
            )
        del self._by_name[handle.name]
        del self._by_id[handle.id]
        return handle

    def __iter__(self) -> Iterator[TaskHandle]:
        return iter(tuple(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def set_state(
        self, handle: TaskHandle, state: TaskState, reason: str = ""
    ) -> TaskChange:
        """Change a task's state; raise IllegalTaskState when the table forbids it."""
        before = handle.state
        if state not in LEGAL[before]:
            raise IllegalTaskState(
                handle.name, before.value, state.value, sorted(LEGAL[before])
            )
        handle.state = state
        handle.state_since_ns = self._now()
        for watcher in tuple(handle.watchers):
            watcher(handle)
        if self.on_change is not None:
            self.on_change(handle, before, state, reason)
        return TaskChange(
            task_id=handle.id,
            task=handle.name,
            before=before,
            after=state,
            reason=reason,
            ts=handle.state_since_ns,
        )

    def pause(self, name: str | int, reason: str = "operator") -> TaskChange:
        """Hold back a running task's work; IllegalTaskState when it cannot be."""
        handle = self.get(name)
        if not handle.task.pausable:
            accepted = LEGAL[handle.state] - {TaskState.PAUSED}
            raise IllegalTaskState(
                handle.name, f"{handle.state.value}, never paused", "paused", accepted
            )
        return self.set_state(handle, TaskState.PAUSED, reason)

    def resume(self, name: str | int, reason: str = "operator") -> TaskChange:
        """Let a paused task work again; IllegalTaskState when it is not paused."""
        handle = self.get(name)
        if handle.state is not TaskState.PAUSED:
            raise IllegalTaskState(
                handle.name, handle.state.value, "resumed", ("resume a paused task",)
            )
        return self.set_state(handle, TaskState.RUNNING, reason)

    def spawn(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Run a coroutine as a named asyncio task, kept until it ends.

        What it raises goes to ``on_crash``, or to the loop's exception handler.
        """
        job = asyncio.get_running_loop().create_task(work, name=name)
        self._spawned.add(job)
        job.add_done_callback(self._ended)
        return job

    @property
    def spawned(self) -> tuple[str, ...]:
        """Return the names of the asyncio tasks that have not ended."""
        return tuple(sorted(job.get_name() for job in self._spawned))

    def _ended(self, job: asyncio.Task[Any]) -> None:
        self._spawned.discard(job)
        if job.cancelled():
            return
        error = job.exception()
        if error is None:
            return
        if self.on_crash is not None:
            self.on_crash(job.get_name(), error)
            return
        job.get_loop().call_exception_handler(
            {"message": f"task {job.get_name()} crashed", "exception": error}
        )

    def _now(self) -> int:
        return 0 if self.clock is None else self.clock.now()
