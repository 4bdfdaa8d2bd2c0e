"""Hand each event to the handlers of its type: one drain loop, first in, first out.

The engine's core and the scheduler feed it. What a handler emits comes after all that
waits already, never nested. It never awaits, and lets no exception through.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from operator import length_hint
from typing import Any, TypeVar

from workstation.kernel.clock import cpu_now
from workstation.kernel.errors import InvalidSetting, SchedulerError
from workstation.kernel.tasks import TaskHandle, TaskState

T = TypeVar("T")
FaultHook = Callable[[TaskHandle | None, Any, Exception], object]
_log = logging.getLogger(__name__)

# One event in so many is timed: reading the thread's CPU clock twice costs ten times a
# delivery. A prime, so that events that come in a rhythm are not always missed.
SAMPLE = 251


class Dispatcher:
    """Route events by their exact type to handlers, in order of routing.

    A route of a task that is not running is taken out of the table when its state
    changes, so running ones pay nothing for it. While a task is paused its events are
    kept, at most ``hold`` of them (the oldest are lost first, and counted); they are
    handed over one by one by ``step`` and all, before anything new, on resuming.
    A change of state or routing counts from the next event on.
    """

    def __init__(self, on_fault: FaultHook | None = None, *, hold: int = 1000) -> None:
        if hold < 1:
            raise InvalidSetting("hold", hold, "1 or more events")
        self.on_fault = on_fault
        self.faults = 0
        """Exceptions of handlers, with or without a task."""
        self.unheard = 0
        """Events no handler was there for."""
        self._hold = hold
        self._queue: deque[object] = deque()
        self._draining = False
        self._tables: dict[type, _Table] = {}
        self._routes: dict[int, list[_Route]] = {}
        self._held: dict[int, deque[_Handover]] = {}
        self._tables[_Quiet] = _Table()
        handovers = _Table()
        handovers.live = (self._hand_over,)
        handovers.owners = (None,)
        self._tables[_Handover] = handovers

    @property
    def depth(self) -> int:
        """Return how many events wait for their turn."""
        return len(self._queue)

    def emit(self, event: object) -> None:
        """Put an event at the end of the queue."""
        self._queue.append(event)

    def drain(self) -> None:
        """Handle what is in the queue, and what that causes, until it is quiet."""
        if self._queue and not self._draining:
            self.dispatch(_QUIET)

    def dispatch(self, event: object) -> None:
        """Emit an event and drain; from inside a handler it only emits."""
        queue = self._queue
        if self._draining:
            queue.append(event)
            return
        if queue:
            queue.append(event)
            event = queue.popleft()
        tables = self._tables
        self._draining = True
        try:
            while True:
                table = tables.get(type(event))
                if table is None:
                    self.unheard += 1
                else:
                    count = table.count = table.count + 1
                    if not count % SAMPLE:
                        self._dispatch_timed(table, event)
                    else:
                        owners = table.owners
                        calls = iter(table.live)
                        while True:
                            try:
                                for handler in calls:
                                    handler(event)
                                break
                            except Exception as error:
                                # The iterator stands behind the one that failed.
                                at = len(owners) - length_hint(calls) - 1
                                self.report(owners[at], event, error)
                if not queue:
                    return
                event = queue.popleft()
        finally:
            self._draining = False

    def _dispatch_timed(self, table: _Table, event: object) -> None:
        """Do the same for one event, and charge each task the time of a sample."""
        for handler, owner in zip(table.live, table.owners, strict=True):
            before = cpu_now()
            try:
                handler(event)
            except Exception as error:
                self.report(owner, event, error)
            if owner is not None:
                owner.cpu_ns += (cpu_now() - before) * SAMPLE

    def report(self, task: TaskHandle | None, event: object, error: Exception) -> None:
        """Count an exception on its task and pass it to ``on_fault``."""
        self.faults += 1
        if task is not None:
            task.count_error(error)
        if self.on_fault is None:
            _log.error(
                "task %s failed on %s",
                "-" if task is None else task.name,
                type(event).__name__,
                exc_info=error,
            )
            return
        try:
            self.on_fault(task, event, error)
        except Exception:
            _log.exception("the dispatcher's on_fault hook failed")

    # -- routes -----------------------------------------------------------------

    def route(
        self,
        event_type: type[T],
        handler: Callable[[T], object],
        *,
        task: TaskHandle | None = None,
    ) -> None:
        """Call ``handler`` with each event of the type while its task receives any."""
        table = self._tables.get(event_type)
        if table is None:
            table = self._tables[event_type] = _Table()
        route = _Route(table, handler, task)
        table.routes.append(route)
        if task is not None:
            if task.id not in self._routes:
                self._routes[task.id] = []
                task.watchers.append(self._on_state)
            self._routes[task.id].append(route)
            self._count_live(task)
        self._seat(table)

    def unroute(self, task: TaskHandle) -> None:
        """Forget all routes of a task, and what was held back for it."""
        for route in self._routes.pop(task.id, ()):
            route.settle()
            route.table.routes.remove(route)
            self._seat(route.table)
        if self._on_state in task.watchers:
            task.watchers.remove(self._on_state)
        task.live_counts = ()
        task.lost += len(self._held.pop(task.id, ()))
        task.withheld = 0

    def routed_types(self) -> tuple[type, ...]:
        """Return the event types that have at least one route."""
        return tuple(each for each, table in self._tables.items() if table.routes)

    # -- pausing ----------------------------------------------------------------

    def step(self, task: TaskHandle) -> bool:
        """Hand over exactly one event held back for a task; False when none is."""
        held = self._held.get(task.id)
        if not held:
            return False
        handover = held.popleft()
        handover.released = True
        task.withheld = len(held)
        self.dispatch(handover)
        return True

    def inject(self, task: TaskHandle, event: object) -> None:
        """Give an event to one task alone; SchedulerError when it takes no such."""
        routes = [
            route
            for route in self._routes.get(task.id, ())
            if self._tables.get(type(event)) is route.table
        ]
        if not routes:
            raise SchedulerError(
                f"task {task.name} takes no {type(event).__name__}; inject an event "
                "of a type it subscribes to"
            )
        for route in routes:
            if task.receives:
                self.dispatch(_Handover(route, event))
            else:
                self._keep(route, event)

    def _on_state(self, task: TaskHandle) -> None:
        for route in self._routes.get(task.id, ()):
            self._seat(route.table)
        if task.state is TaskState.PAUSED:
            return
        held = self._held.pop(task.id, None)
        task.withheld = 0
        if not held:
            return
        if task.state is TaskState.RUNNING:
            self._queue.extend(held)
        else:
            task.lost += len(held)

    def _keep(self, route: _Route, event: object) -> None:
        """Hold an event back, unless a handler before us has just ended the pause."""
        task = route.task
        assert task is not None
        if task.receives:
            self.dispatch(_Handover(route, event))
            return
        if task.state is not TaskState.PAUSED:
            task.lost += 1
            return
        held = self._held.setdefault(task.id, deque())
        if len(held) >= self._hold:
            held.popleft()
            task.lost += 1
        held.append(_Handover(route, event))
        task.withheld = len(held)

    def _hand_over(self, handover: _Handover) -> None:
        route = handover.route
        task = route.task
        if task is not None:
            if not (handover.released or task.receives):
                self._keep(route, handover.event)
                return
            task.events += 1
        try:
            route.handler(handover.event)
        except Exception as error:
            self.report(task, handover.event, error)

    def _seat(self, table: _Table) -> None:
        """Build again what is called for an event type; swap it in as a whole."""
        live: list[Callable[[Any], object]] = []
        owners: list[TaskHandle | None] = []
        for route in table.routes:
            task = route.task
            receives = task is None or task.receives
            route.settle()
            if receives:
                route.since = table.count
                live.append(route.handler)
            elif task is not None and task.state is TaskState.PAUSED:
                live.append(partial(self._keep, route))
            else:
                continue
            owners.append(task)
        table.live = tuple(live)
        table.owners = tuple(owners)

    def _count_live(self, task: TaskHandle) -> None:
        task.live_counts = tuple(route.fresh for route in self._routes[task.id])


class _Table:
    """What is called for one event type, and how often it was."""

    __slots__ = ("count", "live", "owners", "routes")

    def __init__(self) -> None:
        self.count = 0
        self.live: tuple[Callable[[Any], object], ...] = ()
        self.owners: tuple[TaskHandle | None, ...] = ()
        self.routes: list[_Route] = []


class _Route:
    """One handler's place in a table, and since which event it is called."""

    __slots__ = ("handler", "since", "table", "task")

    def __init__(
        self,
        table: _Table,
        handler: Callable[[Any], object],
        task: TaskHandle | None,
    ) -> None:
        self.table = table
        self.handler = handler
        self.task = task
        self.since: int | None = None

    def fresh(self) -> int:
        """Return how many events went here since the last settling."""
        return 0 if self.since is None else self.table.count - self.since

    def settle(self) -> None:
        """Book what went here on the task and count from here no more."""
        fresh = self.fresh()
        self.since = None
        if self.task is not None and fresh:
            self.task.events += fresh


class _Handover:
    """An event for one route alone; ``released`` when it may pass a pause."""

    __slots__ = ("event", "released", "route")

    def __init__(self, route: _Route, event: object) -> None:
        self.route = route
        self.event = event
        self.released = False


class _Quiet:
    """Nobody's event: dispatching it drains what waits before it."""


_QUIET = _Quiet()
