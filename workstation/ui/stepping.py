"""Steps a driven run as fast as it goes, in slices that leave the screen its turn.

For what the operator waits for: the next bar, cancels and closes before leaving. Words
to the driver only: the run decides as if it had been played. Never sends a command.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from workstation.kernel.clock import Clock

if TYPE_CHECKING:
    from workstation.engine.drivers import PlayDriver

__all__ = ["Outcome", "Stepper"]

_SLICE_NS = 5_000_000
# A key waits at most this long behind a slice.
_SLICE_STEPS = 1_000
_LOOK_EVERY = 8
# Steps between two looks at the wall clock, which costs as much as half a tick.


class Outcome(StrEnum):
    """Why the steps ended; the value completes "not done, …"."""

    DONE = "done"
    ENDED = "the run has ended"
    TAKEN = "the clock was given another word"
    STEPS = "the most steps were made"
    CLOCK = "the run's clock went its bound"
    WALL = "it took too long"


class Stepper:
    """One stretch of steps; ``made`` counts them."""

    def __init__(self, driver: PlayDriver, wall: Clock) -> None:
        self.made = 0
        self._driver = driver
        self._wall = wall

    async def until(
        self,
        done: Callable[[], bool],
        *,
        most: int | None = None,
        span_ns: int | None = None,
        wall_ns: int | None = None,
    ) -> Outcome:
        """Step until ``done``, or one of the bounds, or the clock is used by others.

        ``span_ns`` of the run's clock count from the next event on: after a night, or
        between hourly bars, one event is all there may be.
        """
        driver, wall = self._driver, self._wall
        driver.pause()
        began = wall.now()
        end = self._end(span_ns)
        while True:
            if driver.state.value == "playing":
                return Outcome.TAKEN
            outcome = self._slice(done, most, end)
            if outcome is not None:
                return outcome
            if wall_ns is not None and wall.now() - began >= wall_ns:
                return Outcome.WALL
            await asyncio.sleep(0)

    def _slice(
        self, done: Callable[[], bool], most: int | None, end: int | None
    ) -> Outcome | None:
        driver, wall = self._driver, self._wall
        start = wall.now()
        for number in range(1, _SLICE_STEPS + 1):
            if done():
                return Outcome.DONE
            if most is not None and self.made >= most:
                return Outcome.STEPS
            due = driver.engine.sources.peek_ts()
            if end is not None and due is not None and due > end:
                return Outcome.CLOCK
            before = driver.engine.pulled
            if not driver.step():
                return Outcome.ENDED
            self.made += driver.engine.pulled - before
            if driver.engine.awaiting:
                # A script elsewhere thinks: the driver's own loop hears its answer.
                break
            if number % _LOOK_EVERY == 0 and wall.now() - start >= _SLICE_NS:
                break
        return None

    def _end(self, span_ns: int | None) -> int | None:
        if span_ns is None:
            return None
        due = self._driver.engine.sources.peek_ts()
        return (self._driver.engine.clock.now() if due is None else due) + span_ns
