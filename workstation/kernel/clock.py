"""The run's time in integer nanoseconds UTC, and the timers that hang on it.

``SimClock`` is moved by its driver, ``RealClock`` by the world. This is the only
module that asks the machine for the time. A clock belongs to one thread.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from workstation.kernel.errors import ClockError

# A wall clock may be set while we sleep on a monotonic one: look at least this often.
_LONGEST_SLEEP_S = 60.0
# Timers fired in one turn of the event loop before others get theirs.
_BURST = 64
# Later than any timer: 292 years after the epoch.
_FAR_NS = 2**63 - 1
# Below this many timers, sweeping out the cancelled ones is not worth it.
_SWEEP_FROM = 64


def cpu_now() -> int:
    """Return the CPU time of this thread in ns, for counters only."""
    return time.thread_time_ns()


def as_of(made_ns: int, now_ns: int, after_ns: int | None = None) -> int:
    """Return when something was made that a clock which was ahead calls later than now.

    That is now; a nanosecond after it where it was made later than ``after_ns`` by that
    clock, so that the order of the two stays. What is no later than now stays.
    """
    if made_ns <= now_ns:
        return made_ns
    return now_ns + (after_ns is not None and made_ns > after_ns)


class Timer:
    """Stand for one call at one time; returned by ``Clock.call_at``."""

    __slots__ = ("callback", "cancelled", "due_ns", "priority")

    def __init__(
        self, due_ns: int, priority: int, callback: Callable[[], object]
    ) -> None:
        self.due_ns = due_ns
        self.priority = priority
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Keep the timer from firing; harmless when it already has."""
        self.cancelled = True

    def __repr__(self) -> str:
        word = "cancelled" if self.cancelled else "due"
        return f"<Timer {word} {self.due_ns} priority {self.priority}>"


class Clock(ABC):
    """Tell the time and keep timers in order of (due, priority, registration).

    ``first_due`` is never later than the first timer: a driver that looks at it once
    per event need not ask for timers that are not there.
    """

    def __init__(self) -> None:
        self._timers: list[tuple[int, int, int, Timer]] = []
        self._registered = 0
        self._sweep_at = _SWEEP_FROM
        self.first_due = _FAR_NS

    @abstractmethod
    def now(self) -> int:
        """Return the time in ns UTC; never less than a time returned before."""

    @abstractmethod
    async def sleep_until(self, ns: int) -> None:
        """Return when the clock shows ``ns`` or later."""

    def call_at(
        self, due_ns: int, callback: Callable[[], object], *, priority: int = 0
    ) -> Timer:
        """Register a call at ``due_ns``; of equal times the lower priority is first.

        A time that has passed is due at once.
        """
        timer = Timer(due_ns, priority, callback)
        self._registered += 1
        heapq.heappush(self._timers, (due_ns, priority, self._registered, timer))
        if due_ns < self.first_due:
            self.first_due = due_ns
        if len(self._timers) > self._sweep_at:
            self._sweep()
        return timer

    def next_due(self) -> int | None:
        """Return when the next timer is due, or None when there is none."""
        timers = self._timers
        while timers:
            if not timers[0][3].cancelled:
                return timers[0][0]
            heapq.heappop(timers)
        return None

    def pop_due(self, until_ns: int) -> Timer | None:
        """Take out the first timer due by ``until_ns`` without calling it."""
        timers = self._timers
        while timers and timers[0][0] <= until_ns:
            timer = heapq.heappop(timers)[3]
            if not timer.cancelled:
                self.first_due = timers[0][0] if timers else _FAR_NS
                return timer
        self.first_due = timers[0][0] if timers else _FAR_NS
        return None

    def _sweep(self) -> None:
        # Doubling the mark keeps this O(1) per timer, however many are cancelled.
        self._timers = [entry for entry in self._timers if not entry[3].cancelled]
        heapq.heapify(self._timers)
        self._sweep_at = max(_SWEEP_FROM, 2 * len(self._timers))


class SimClock(Clock):
    """Be a clock that stands still until its driver moves it.

    ``ns`` is what ``now()`` returns, for the driver that reads it with every event, and
    moves it forward itself where ``sleepers`` is empty.
    """

    def __init__(self, start_ns: int = 0) -> None:
        super().__init__()
        self.ns = start_ns
        self._slept = 0
        self.sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now(self) -> int:
        """Return the time the driver has set, in ns UTC."""
        return self.ns

    def advance_to(self, ns: int) -> None:
        """Set the time to ``ns`` and wake those who slept until then.

        Fires no timer. Raises ClockError when ``ns`` is in the past.
        """
        if ns < self.ns:
            raise ClockError(
                f"the clock shows {self.ns} and was asked to go back to {ns}; "
                "time must not decrease"
            )
        self.ns = ns
        sleepers = self.sleepers
        while sleepers and sleepers[0][0] <= ns:
            future = heapq.heappop(sleepers)[2]
            if not future.done():
                future.set_result(None)

    def run_until(self, ns: int) -> int:
        """Fire all timers due by ``ns`` at their own times; return how many.

        Timers that fired timers schedule within the span fire too. An exception of a
        callback leaves the clock at that callback's time with the rest still due.
        """
        if ns < self.ns:
            self.advance_to(ns)
        fired = 0
        while (timer := self.pop_due(ns)) is not None:
            if timer.due_ns > self.ns:
                self.advance_to(timer.due_ns)
            fired += 1
            timer.callback()
        self.advance_to(ns)
        return fired

    async def sleep_until(self, ns: int) -> None:
        """Return when the driver has moved the time to ``ns`` or later."""
        if ns <= self.ns:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._slept += 1
        heapq.heappush(self.sleepers, (ns, self._slept, future))
        await future

    def next_wake(self) -> int | None:
        """Return until when the first sleeper sleeps, or None when nobody does."""
        sleepers = self.sleepers
        while sleepers and sleepers[0][2].done():
            heapq.heappop(sleepers)
        return sleepers[0][0] if sleepers else None


class RealClock(Clock):
    """Show the machine's time, held still while the machine's clock is set back."""

    def __init__(
        self,
        source: Callable[[], int] = time.time_ns,
        *,
        on_error: Callable[[Timer, Exception], None] | None = None,
    ) -> None:
        super().__init__()
        self._source = source
        self._last = source()
        self._wake: asyncio.Event | None = None
        self.on_error = on_error

    def now(self) -> int:
        """Return the time in ns UTC, never less than before."""
        ns = self._source()
        if ns > self._last:
            self._last = ns
        return self._last

    def call_at(
        self, due_ns: int, callback: Callable[[], object], *, priority: int = 0
    ) -> Timer:
        """Register a call at ``due_ns`` and let a running pump know."""
        timer = super().call_at(due_ns, callback, priority=priority)
        if self._wake is not None:
            self._wake.set()
        return timer

    async def sleep_until(self, ns: int) -> None:
        """Return when it is ``ns`` or later; needs no pump."""
        # A machine's clock may be set: look again instead of trusting one long sleep.
        while (left := ns - self.now()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left / 1e9, _LONGEST_SLEEP_S))
        await asyncio.sleep(0)

    async def run(self) -> None:
        """Fire timers as they come due, until cancelled.

        An exception of a callback goes to ``on_error``, or to the event loop's
        exception handler, and never stops the pump.
        """
        if self._wake is not None:
            raise ClockError("this clock is being pumped already; one pump is enough")
        loop = asyncio.get_running_loop()
        wake = self._wake = asyncio.Event()
        try:
            while True:
                wake.clear()
                if self._fire_burst(loop):
                    await asyncio.sleep(0)
                    continue
                due = self.next_due()
                if due is None:
                    await wake.wait()
                    continue
                left_s = max(0.0, (due - self.now()) / 1e9)
                alarm = loop.call_later(min(left_s, _LONGEST_SLEEP_S), wake.set)
                try:
                    await wake.wait()
                finally:
                    alarm.cancel()
        finally:
            self._wake = None

    def _fire_burst(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Fire what is due, at most one burst; return whether more may be due."""
        now = self.now()
        for _ in range(_BURST):
            timer = self.pop_due(now)
            if timer is None:
                return False
            try:
                timer.callback()
            except Exception as error:
                if self.on_error is not None:
                    self.on_error(timer, error)
                else:
                    loop.call_exception_handler(
                        {"message": f"{timer!r} failed", "exception": error}
                    )
        return True


def steady_clock() -> RealClock:
    """Return a clock for waits, which goes on evenly whatever the machine's is set to.

    Its times say nothing but how much lies between two of them.
    """
    return RealClock(time.monotonic_ns)
