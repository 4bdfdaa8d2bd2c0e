"""Drivers: what moves the clock of a run. Play, pause, step, speed, go-until.

None of this is an input: a run gives the same records however it was driven. The
play driver yields to asyncio after at most two milliseconds, only between steps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct

from workstation.engine.engine import Engine
from workstation.kernel import Clock, RealClock
from workstation.model.timeframes import NS_PER_MS, NS_PER_S, parse_span

__all__ = ["SPEEDS", "PlayDriver", "PlayState", "Until", "run_backtest"]

# The engine shares its thread with the screen: a slice must be shorter than a frame.
_SLICE_NS = 2 * NS_PER_MS
# Steps between two looks at the wall clock, which costs as much as half a tick.
_LOOK_EVERY = 8
# Steps of a backtest that nobody watches between two looks of its driver.
_MANY = 1_000
# While nothing is due the driver looks this often for the next event.
_LONGEST_WAIT_S = 0.05
# A step by hand shows all that it caused where scripts elsewhere answer by then, in
# so many rounds: a first call asks again for each indicator that it needs.
_STEP_WAIT_S = 0.01
_STEP_ROUNDS = 20
SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 100_000.0)
"""Speeds of the ``<`` and ``>`` keys, × the run's own time; the last is "as fast"."""


class Until(Struct, frozen=True):
    """When a driven run stops by itself: one of the four is set."""

    events: int | None = None
    fills: int | None = None
    span_ns: int | None = None
    ts: int | None = None

    @classmethod
    def parse(cls, text: str) -> Until:
        """Return the meaning of ``events=N``, ``fills=N``, ``time=10m`` or an ISO time.

        Raises ValueError that lists the allowed forms.
        """
        name, equals, value = text.partition("=")
        if equals and name in ("events", "fills") and value.isdecimal() and int(value):
            return cls(**{name: int(value)})
        if equals and name == "time":
            try:
                return cls(span_ns=parse_span(value))
            except ValueError as error:
                raise ValueError(f"until {text!r}: {error}") from error
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                f"until {text!r} is none of events=N, fills=N, time=10m, or a time "
                "such as 2024-08-08T23:55:00Z"
            ) from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        whole = int(moment.replace(microsecond=0).timestamp())
        return cls(ts=whole * NS_PER_S + moment.microsecond * 1_000)

    def reached(self, engine: Engine) -> bool:
        """Tell whether to stop before the next step."""
        if self.events is not None:
            return engine.delivered >= self.events
        if self.fills is not None:
            return engine.store.filled >= self.fills
        end = self.ts
        if self.span_ns is not None:
            end = (engine.first_ts or 0) + self.span_ns
        due = engine.sources.peek_ts()
        return end is not None and due is not None and due > end


def run_backtest(engine: Engine, until: Until | None = None) -> None:
    """Run to the end, or until told, without a screen and without waiting."""
    engine.start()
    if until is None:
        while engine.advance(_MANY):
            pass
        return
    while not until.reached(engine) and engine.step():
        pass


class PlayState(StrEnum):
    """What the play driver is doing."""

    PAUSED = "paused"
    PLAYING = "playing"
    ENDED = "ended"


class PlayDriver:
    """Plays a run against the wall clock at a chosen speed.

    ``on_step`` is called after each step that the operator asked for.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        speed: float = 1.0,
        paused: bool = False,
        wall: Clock | None = None,
    ) -> None:
        self.engine = engine
        self.speed = speed
        self.state = PlayState.PAUSED if paused else PlayState.PLAYING
        self.goal: Callable[[Engine], bool] | None = None
        self.goal_text = ""
        self.until: Until | None = None
        self.over = asyncio.Event()
        """Set once the run has ended."""
        self._wall = wall or RealClock()
        self._wake = asyncio.Event()
        self._stopping = False
        self._from_wall_ns = 0
        self._from_ts = 0

    # Words to the driver.

    def play(self) -> None:
        """Let the clock run."""
        if self.state is not PlayState.ENDED:
            self.state = PlayState.PLAYING
            self._rebase()
            self._wake.set()

    def pause(self) -> None:
        """Let the clock stand; what was begun by go-until is given up."""
        if self.state is not PlayState.ENDED:
            self.state = PlayState.PAUSED
        self.goal = None
        self.goal_text = ""

    def toggle(self) -> None:
        """Play if paused, pause if playing."""
        if self.state is PlayState.PLAYING:
            self.pause()
        else:
            self.play()

    def set_speed(self, speed: float) -> None:
        """Change the speed from here on."""
        self.speed = speed
        self._rebase()
        self._wake.set()

    def change_speed(self, direction: int) -> float:
        """Take the next speed up (+1) or down (−1) and return it."""
        if direction > 0:
            following = next((s for s in SPEEDS if s > self.speed), SPEEDS[-1])
        else:
            following = next((s for s in reversed(SPEEDS) if s < self.speed), SPEEDS[0])
        self.set_speed(following)
        return following

    @property
    def awaiting(self) -> bool:
        """Tell whether a step is not finished: a script elsewhere must answer."""
        return self.engine.awaiting

    def step(self) -> bool:
        """Pause and do exactly one step; False when the run has ended."""
        self.pause()
        return self._one()

    def go_until(self, reached: Callable[[Engine], bool], text: str) -> None:
        """Play until ``reached`` says so after a step, then pause."""
        self.goal = reached
        self.goal_text = text
        self.play()

    # The loop.

    async def run(self) -> None:
        """Drive until ``stop``; yields between steps, waits when nothing is due."""
        engine = self.engine
        engine.waits = False
        for broker in engine.distant:
            broker.on_arrival = self._wake.set
        engine.start()
        self._rebase()
        while not self._stopping:
            if engine.awaiting:
                await self._hear()
                continue
            if engine.has_arrivals:
                engine.take_arrivals()
                if not engine.awaiting:
                    self._has_arrived()
                continue
            if self.state is not PlayState.PLAYING:
                self._wake.clear()
                if not self._stopping:
                    await self._wake.wait()
                continue
            wait_s = self._slice()
            if wait_s > 0:
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), wait_s)
                except TimeoutError:
                    pass
            else:
                await asyncio.sleep(0)

    def stop(self) -> None:
        """End ``run`` at the next boundary."""
        self._stopping = True
        self._wake.set()

    def _slice(self) -> float:
        """Step for one slice; return for how long nothing is due, in s."""
        engine, wall = self.engine, self._wall
        start = now = wall.now()
        target = self._target(now)
        steps = 0
        # One by one where somebody looks after each.
        alone = self.until is None and self.goal is None and not engine.distant
        many = _LOOK_EVERY if alone else 1
        while True:
            due = engine.sources.peek_ts()
            if due is None:
                self._end()
                return 0.0
            if due > target:
                return min((due - target) / self.speed / NS_PER_S, _LONGEST_WAIT_S)
            if self.until is not None and self.until.reached(engine):
                self.until = None
                self.pause()
                return 0.0
            engine.advance(many, target)
            if engine.awaiting or engine.has_arrivals:
                return 0.0
            if self._has_arrived():
                return 0.0
            steps += many
            if steps % _LOOK_EVERY == 0:
                now = wall.now()
                if now - start >= _SLICE_NS:
                    return 0.0

    async def _hear(self) -> None:
        """Take what scripts elsewhere have answered; the loop is free meanwhile."""
        engine = self.engine
        edge = engine.core.scripts.edge
        try:
            # Looks up now and then: the driver may have been told to stop.
            await asyncio.wait_for(edge.arrival(), _LONGEST_WAIT_S)
        except TimeoutError:
            return
        engine.take_answers(edge.collect(0.0))
        if not engine.awaiting:
            self._has_arrived()

    def _has_arrived(self) -> bool:
        """Pause where go-until wanted to come to."""
        if self.goal is None or not self.goal(self.engine):
            return False
        self.pause()
        return True

    def _target(self, now_ns: int) -> int:
        return self._from_ts + int((now_ns - self._from_wall_ns) * self.speed)

    def _rebase(self) -> None:
        self._from_wall_ns = self._wall.now()
        self._from_ts = self.engine.clock.now()

    def _one(self) -> bool:
        engine = self.engine
        engine.start()
        self._settle()
        if engine.awaiting:
            return True
        stepped = engine.step()
        self._settle()
        if not stepped:
            self._end()
        return stepped

    def _end(self) -> None:
        self.state = PlayState.ENDED
        self.over.set()

    def _settle(self) -> None:
        """Give scripts elsewhere a moment to answer; ``run`` takes what comes later."""
        engine = self.engine
        edge = engine.core.scripts.edge
        for _ in range(_STEP_ROUNDS):
            answers = edge.collect(_STEP_WAIT_S) if engine.awaiting else ()
            if not answers:
                return
            engine.take_answers(answers)
