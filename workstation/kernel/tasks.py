"""Tasks: what they must define, the states they pass through, who keeps them.

The scheduler and the engine register tasks here and change their state only through
``TaskRegistry.set_state``. Needs no event loop, except for ``spawn``.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

import msgspec

from workstation.kernel.clock import Clock
from workstation.kernel.errors import (
    DuplicateComponent,
    IllegalTaskState,
    SchedulerError,
    TaskNotFound,
    describe,
)
from workstation.kernel.supervision import Supervision

__all__ = [
    "BackgroundTask",
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


class TaskState(StrEnum):
    """Name where a task is in its life."""

    REGISTERED = "registered"
    INITIALIZING = "initializing"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


LEGAL: Mapping[TaskState, frozenset[TaskState]] = MappingProxyType(
    {
        TaskState.REGISTERED: frozenset({TaskState.INITIALIZING}),
        TaskState.INITIALIZING: frozenset(
            {TaskState.RUNNING, TaskState.STOPPING, TaskState.FAILED}
        ),
        TaskState.RUNNING: frozenset(
            {TaskState.PAUSED, TaskState.STOPPING, TaskState.FAILED}
        ),
        TaskState.PAUSED: frozenset(
            {TaskState.RUNNING, TaskState.STOPPING, TaskState.FAILED}
        ),
        TaskState.STOPPING: frozenset({TaskState.STOPPED, TaskState.FAILED}),
        TaskState.STOPPED: frozenset({TaskState.INITIALIZING}),
        TaskState.FAILED: frozenset({TaskState.INITIALIZING, TaskState.STOPPING}),
    }
)
"""To which states a task may go from each."""


class TaskKind(StrEnum):
    """Name who calls a task's work."""

    BACKGROUND = "background"
    """The scheduler, again and again."""
    EVENT = "event"
    """Whoever publishes what it subscribes to."""
    DRIVEN = "driven"
    """Its owner; the registry only keeps its state and counters."""


class Task(ABC):
    """Be the base of all tasks. ``initialize`` and ``shutdown`` may be ``async``."""

    name: str
    receives_while_paused: ClassVar[bool] = False
    """Whether events still reach it while paused; it then holds back its own work."""
    pausable: ClassVar[bool] = True
    after: tuple[str, ...] = ()
    """Names of the tasks that must have been registered, and so started, before."""

    def initialize(self) -> Awaitable[None] | None:
        """Get ready to work; an exception makes the start fail."""
        return None

    def shutdown(self) -> Awaitable[None] | None:
        """Give back what was taken; called once for each ``initialize``."""
        return None


class BackgroundTask(Task):
    """Do work again and again in an asyncio task of its own."""

    @abstractmethod
    async def execute(self) -> None:
        """Do one unit of work; wait inside for what there is to wait for."""


class EventTask(Task):
    """Do work when something happens."""

    subscriptions: tuple[type, ...] = ()

    # Any: each task narrows this to the events it subscribes to.
    @abstractmethod
    def handle_event(self, event: Any) -> Awaitable[None] | None:
        """Handle one event.

        A plain ``def`` is called by the dispatcher; an ``async def`` in an asyncio
        task of its own, behind its mailboxes.
        """


class Backlog(Protocol):
    """Say what waits for a task; its counters read it, so they show a stalled one."""

    @property
    def depth(self) -> int: ...
    @property
    def lost(self) -> int: ...
    @property
    def lag_ns(self) -> int: ...


class TaskStats(msgspec.Struct, frozen=True, kw_only=True):
    """Show one task at one moment."""

    id: int
    name: str
    kind: TaskKind
    state: TaskState
    state_since_ns: int
    events: int
    errors: int
    restarts: int
    lost: int
    withheld: int
    lag_ns: int
    cpu_ns: int
    last_error: str


class TaskChange(msgspec.Struct, frozen=True, kw_only=True):
    """Record one change of state: before, after, why, when (run's clock)."""

    task_id: int
    task: str
    before: TaskState
    after: TaskState
    reason: str
    ts: int


class TaskHandle:
    """Stand for a registered task: who it is, how it is, what it has done.

    ``events`` counts events handed over or calls done, ``lost`` events that never got
    there, ``withheld`` what a pause holds back now, ``lag_ns`` how long the newest or
    the still waiting event waited, ``cpu_ns`` CPU time (sampled for plain handlers).
    """

    __slots__ = (
        "_events",
        "_lag_ns",
        "_lost",
        "_withheld",
        "after",
        "backlog",
        "cpu_ns",
        "errors",
        "id",
        "kind",
        "last_error",
        "live_counts",
        "name",
        "restarts",
        "state",
        "state_since_ns",
        "supervision",
        "task",
        "watchers",
    )

    def __init__(
        self,
        id: int,
        task: Task,
        *,
        name: str,
        supervision: Supervision,
        after: tuple[str, ...] = (),
        now_ns: int = 0,
    ) -> None:
        self.id = id
        self.task = task
        self.name = name
        self.supervision = supervision
        self.after = after
        self.kind = _kind_of(task)
        self.state = TaskState.REGISTERED
        self.state_since_ns = now_ns
        self.errors = 0
        self.restarts = 0
        self.cpu_ns = 0
        self.last_error = ""
        self.backlog: Backlog | None = None
        self.live_counts: tuple[Callable[[], int], ...] = ()
        self.watchers: list[Callable[[TaskHandle], object]] = []
        self._events = 0
        self._lost = 0
        self._withheld = 0
        self._lag_ns = 0

    # The dispatcher counts per route, not per delivery: the sum is made when read.
    @property
    def events(self) -> int:
        """Return how many events or calls the task has been given."""
        return self._events + sum(count() for count in self.live_counts)

    @events.setter
    def events(self, value: int) -> None:
        self._events = value - sum(count() for count in self.live_counts)

    @property
    def lost(self) -> int:
        """Return how many events never reached the task for want of room."""
        return self._lost + (self.backlog.lost if self.backlog is not None else 0)

    @lost.setter
    def lost(self, value: int) -> None:
        self._lost = value - (self.backlog.lost if self.backlog is not None else 0)

    @property
    def withheld(self) -> int:
        """Return how many events or calls a pause holds back at present."""
        paused = self.state is TaskState.PAUSED and not self.receives
        if self.backlog is not None and paused:
            return self._withheld + self.backlog.depth
        return self._withheld

    @withheld.setter
    def withheld(self, value: int) -> None:
        self._withheld = value

    @property
    def lag_ns(self) -> int:
        """Return the wait in ns of the last event, or of the oldest still waiting."""
        return self._lag_ns if self.backlog is None else self.backlog.lag_ns

    @lag_ns.setter
    def lag_ns(self, value: int) -> None:
        self._lag_ns = value

    @property
    def receives(self) -> bool:
        """Return whether events may reach the task in its present state."""
        return self.state is TaskState.RUNNING or (
            self.state is TaskState.PAUSED and self.task.receives_while_paused
        )

    def count_error(self, error: BaseException) -> None:
        """Count an error of the task and keep what it said."""
        self.errors += 1
        self.last_error = describe(error)

    def stats(self) -> TaskStats:
        """Return all of it as an immutable picture."""
        return TaskStats(
            id=self.id,
            name=self.name,
            kind=self.kind,
            state=self.state,
            state_since_ns=self.state_since_ns,
            events=self.events,
            errors=self.errors,
            restarts=self.restarts,
            lost=self.lost,
            withheld=self.withheld,
            lag_ns=self.lag_ns,
            cpu_ns=self.cpu_ns,
            last_error=self.last_error,
        )

    def __repr__(self) -> str:
        return f"<TaskHandle {self.id} {self.name} {self.state.value}>"


def _kind_of(task: Task) -> TaskKind:
    if isinstance(task, BackgroundTask):
        return TaskKind.BACKGROUND
    return TaskKind.EVENT if isinstance(task, EventTask) else TaskKind.DRIVEN


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
        handle = TaskHandle(
            len(self._by_id) + 1,
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
