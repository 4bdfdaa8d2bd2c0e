"""What a task must define, which states it passes through, and who calls it.

Read by all of the kernel and derived from by whoever writes tasks. Holds no state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar


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


def kind_of(task: Task) -> TaskKind:
    """Return who calls a task's work."""
    if isinstance(task, BackgroundTask):
        return TaskKind.BACKGROUND
    return TaskKind.EVENT if isinstance(task, EventTask) else TaskKind.DRIVEN
