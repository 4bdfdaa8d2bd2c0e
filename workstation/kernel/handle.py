"""A registered task as others see it: who it is, how it is, what it has done.

Made by the registry; dispatcher and runners book on it; panels read its ``stats``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from workstation.kernel.errors import describe
from workstation.kernel.roles import Task, TaskKind, TaskState, kind_of
from workstation.kernel.supervision import Supervision


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
        self.kind = kind_of(task)
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
