"""The loop around one task that has an asyncio task of its own.

Made by the scheduler, one per start of a task. It asks before each call whether the
task may work (running, or one step of a paused one), meters it, and books its errors;
it yields to the event loop after each call, so a task that never waits starves nobody.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from typing import Any, ClassVar

from workstation.kernel.clock import Clock, cpu_now
from workstation.kernel.inbox import Inbox
from workstation.kernel.supervision import Failures
from workstation.kernel.tasks import BackgroundTask, TaskHandle, TaskState


class Runner(ABC):
    """Call a task's work again and again while it may work."""

    holds: ClassVar[int] = 0
    """Calls a pause holds back that no backlog counts."""

    def __init__(self, handle: TaskHandle) -> None:
        self.handle = handle
        self.job: asyncio.Task[Any] | None = None
        self.retired = False
        """Set when the task is stopped: a loop that outlived its cancelling ends."""
        self._changed = asyncio.Event()
        self._steps: deque[asyncio.Future[bool]] = deque()

    def nudge(self, handle: TaskHandle) -> None:
        """Look at the task's state again; a watcher of its handle."""
        if handle.state is not TaskState.PAUSED:
            self.drop_steps()
        self._changed.set()

    def drop_steps(self) -> None:
        """Tell those who wait for a step that none will be."""
        while self._steps:
            _resolve(self._steps.popleft(), False)

    @property
    def steppable(self) -> bool:
        """Return whether one more step would find something to do."""
        return True

    async def step(self) -> bool:
        """Let exactly one call through a pause; return True when it has ended."""
        if not self.steppable:
            return False
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._steps.append(done)
        self._changed.set()
        return await done

    @abstractmethod
    async def turn(self) -> bool:
        """Do one call; return False when the task is not to be called again."""

    @abstractmethod
    async def ready(self) -> None:
        """Return when there is something to do."""

    @property
    def may_work(self) -> bool:
        """Return whether calls are made without a step."""
        return self.handle.state is TaskState.RUNNING

    async def run(self) -> None:
        """Work until cancelled, or until a turn says it was the last."""
        step: asyncio.Future[bool] | None = None
        try:
            while True:
                await self.ready()
                step = await self._permit()
                more = await self.turn()
                _resolve(step, True)
                step = None
                if self.retired or not more:
                    return
                await asyncio.sleep(0)
        finally:
            _resolve(step, False)
            self.drop_steps()

    async def _permit(self) -> asyncio.Future[bool] | None:
        """Return when one call may be made, with the step it serves if it does."""
        try:
            while not self.may_work:
                while self._steps:
                    step = self._steps.popleft()
                    if not step.done():
                        return step
                self.handle.withheld = self.holds
                self._changed.clear()
                await self._changed.wait()
        finally:
            self.handle.withheld = 0
        return None

    async def metered(self, work: Awaitable[object]) -> Exception | None:
        """Await work, charge its CPU time, and return what it raised.

        A CancelledError nobody asked for is an error of the work like any other.
        """
        try:
            await _Metered(work, self.handle)
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            return RuntimeError("a CancelledError left it, but nobody cancelled it")
        except Exception as error:
            return error
        return None


def _resolve(future: asyncio.Future[bool] | None, value: bool) -> None:
    if future is not None and not future.done():
        future.set_result(value)


class _Metered:
    """Await something and add the CPU time of each stretch to a task's account."""

    __slots__ = ("_handle", "_work")

    def __init__(self, work: Awaitable[object], handle: TaskHandle) -> None:
        self._work = work
        self._handle = handle

    def __await__(self) -> Generator[Any, Any, object]:
        inner = self._work.__await__()
        # Any: what passes through here is between the work and the event loop.
        resume: Callable[[], Any] = lambda: next(inner)  # noqa: E731
        while True:
            before = cpu_now()
            try:
                waited_for = resume()
            except StopIteration as end:
                return end.value
            finally:
                self._handle.cpu_ns += cpu_now() - before
            try:
                yield waited_for
            except BaseException as error:
                resume = _thrower(inner, error)
            else:
                resume = lambda: next(inner)  # noqa: E731


def _thrower(inner: Any, error: BaseException) -> Callable[[], Any]:
    throw = getattr(inner, "throw", None)
    if throw is None:
        raise error
    return lambda: throw(error)


class BackgroundRunner(Runner):
    """Call ``execute``; after an error wait, and give up after too many."""

    holds: ClassVar[int] = 1

    def __init__(
        self,
        handle: TaskHandle,
        task: BackgroundTask,
        clock: Clock,
        rng: random.Random,
        give_up: Callable[[TaskHandle, str], object],
    ) -> None:
        super().__init__(handle)
        self._task = task
        self._clock = clock
        self._give_up = give_up
        self._failures = Failures(handle.supervision, rng)

    async def ready(self) -> None:
        """Return: there is always something to execute."""

    async def turn(self) -> bool:
        """Call ``execute`` once, and sit out the back-off when it fails."""
        handle = self.handle
        handle.events += 1
        error = await self.metered(self._task.execute())
        if error is None:
            self._failures.succeeded()
            return True
        handle.count_error(error)
        now = self._clock.now()
        wait_ns = self._failures.add(now)
        if wait_ns is None:
            policy = handle.supervision
            self._give_up(
                handle,
                f"more than {policy.max_restarts} errors within "
                f"{policy.window_ns / 1e9:g} s, the last: {handle.last_error}",
            )
            return False
        handle.restarts += 1
        await self._clock.sleep_until(now + wait_ns)
        return True


class EventRunner(Runner):
    """Call an asynchronous ``handle_event`` with what the inbox holds."""

    def __init__(
        self,
        handle: TaskHandle,
        handler: Callable[[Any], Awaitable[object]],
        inbox: Inbox,
        report: Callable[[TaskHandle, object, Exception], object],
    ) -> None:
        super().__init__(handle)
        self._handler = handler
        self._inbox = inbox
        self._report = report

    @property
    def may_work(self) -> bool:
        """Return whether events are handled without a step."""
        return self.handle.receives

    @property
    def steppable(self) -> bool:
        """Return whether an event waits for one more step."""
        return self._inbox.depth > len(self._steps)

    async def ready(self) -> None:
        """Return when an event waits."""
        await self._inbox.wait()

    async def turn(self) -> bool:
        """Handle the oldest event; a poisonous one is reported and skipped."""
        if not self._inbox.depth:
            return True
        event = self._inbox.take()
        self.handle.events += 1
        error = await self.metered(self._handler(event))
        if error is not None:
            self._report(self.handle, event, error)
        return True
