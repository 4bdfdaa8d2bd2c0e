"""The scheduler: order, roll-back, supervision, pausing, shutdown; each old defect."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from workstation.kernel import (
    BackgroundTask,
    ChannelConfig,
    EventBus,
    EventTask,
    IllegalTaskState,
    InvalidChannel,
    Overflow,
    Scheduler,
    SchedulerError,
    ShutdownErrors,
    SimClock,
    StartFailed,
    StopTimeout,
    Supervision,
    Task,
    TaskHandle,
    TaskNotFound,
    TaskState,
)

S = TaskState
SHORT_NS = 1_000_000


@dataclass(frozen=True)
class Tick:
    n: int


@dataclass(frozen=True)
class Other:
    n: int


class Worker(BackgroundTask):
    """Do one unit whenever the test allows one, and log its life."""

    def __init__(self, name: str, log: list[str] | None = None) -> None:
        self.name = name
        self.log = [] if log is None else log
        self.calls = 0

    async def initialize(self) -> None:
        self.log.append(f"{self.name} up")

    async def execute(self) -> None:
        self.calls += 1
        await asyncio.sleep(0)

    async def shutdown(self) -> None:
        self.log.append(f"{self.name} down")


class Failing(Worker):
    """Fail in every call."""

    async def execute(self) -> None:
        self.calls += 1
        raise ValueError(f"call {self.calls}")


class Unready(Worker):
    async def initialize(self) -> None:
        raise OSError("no network")


class Listener(EventTask):
    subscriptions: tuple[type, ...] = (Tick,)

    def __init__(self, name: str, log: list[str] | None = None) -> None:
        self.name = name
        self.log = [] if log is None else log
        self.seen: list[int] = []

    def initialize(self) -> None:
        self.log.append(f"{self.name} up")

    def handle_event(self, event: Any) -> None:
        self.seen.append(event.n)
        if event.n < 0:
            raise ValueError(f"poison {event.n}")

    def shutdown(self) -> None:
        self.log.append(f"{self.name} down")


class AsyncListener(EventTask):
    """Handle events only while its gate is open."""

    subscriptions: tuple[type, ...] = (Tick,)

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def handle_event(self, event: Any) -> None:
        await self.gate.wait()
        self.seen.append(event.n)
        if event.n < 0:
            raise ValueError(f"poison {event.n}")


async def settle(until: Callable[[], bool] | None = None) -> None:
    """Give the loop turns: until something holds, or enough for all to come to rest."""
    for _ in range(2000 if until else 30):
        if until is not None and until():
            return
        await asyncio.sleep(0)
    assert until is None, "what was waited for did not come"


class Bench:
    """A scheduler on a clock the test moves."""

    def __init__(self) -> None:
        self.bus = EventBus({Tick: ChannelConfig(4, "ticks")})
        self.clock = SimClock()
        self.alerts: list[tuple[str, str]] = []
        self.faults: list[tuple[str, str]] = []
        self.scheduler = Scheduler(
            self.bus,
            self.clock,
            rng=random.Random(1),
            on_alert=lambda handle, why: self.alerts.append((handle.name, why)),
        )
        self.scheduler.dispatcher.on_fault = lambda handle, _, error: (
            self.faults.append(("-" if handle is None else handle.name, str(error)))
        )

    def state(self, name: str) -> TaskState:
        return self.scheduler.registry.get(name).state


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    try:
        await made.scheduler.shutdown(SHORT_NS)
    except ShutdownErrors:
        pass


# -- start ----------------------------------------------------------------------


async def test_tasks_start_in_order_of_registration_and_stop_in_reverse(
    bench: Bench,
) -> None:
    log: list[str] = []
    for task in (Worker("a", log), Listener("b", log), Worker("c", log)):
        bench.scheduler.register(task)
    await bench.scheduler.start()
    assert [handle.state for handle in bench.scheduler.registry] == [S.RUNNING] * 3
    await bench.scheduler.shutdown()
    assert log == ["a up", "b up", "c up", "c down", "b down", "a down"]
    assert [handle.state for handle in bench.scheduler.registry] == [S.STOPPED] * 3


async def test_nothing_works_before_all_are_initialized(bench: Bench) -> None:
    first = Worker("first")
    at_start: list[int] = []

    class Last(Worker):
        async def initialize(self) -> None:
            await settle()
            at_start.append(first.calls)

    bench.scheduler.register(first)
    bench.scheduler.register(Last("last"))
    await bench.scheduler.start()
    await settle(lambda: first.calls > 0)
    assert at_start == [0]


async def test_a_second_start_doubles_nothing(bench: Bench) -> None:
    log: list[str] = []
    bench.scheduler.register(Worker("a", log))
    bench.scheduler.register(Listener("b", log))
    await asyncio.gather(bench.scheduler.start(), bench.scheduler.start())
    await bench.scheduler.start()
    assert bench.scheduler.registry.spawned == ("a",)
    assert log == ["a up", "b up"]
    bench.bus.publish(Tick(1))
    assert bench.scheduler.registry.get("b").events == 1


async def test_a_second_start_leaves_a_stopped_task_stopped(bench: Bench) -> None:
    bench.scheduler.register(Worker("a"))
    await bench.scheduler.start()
    await bench.scheduler.stop("a")
    await bench.scheduler.start()
    assert bench.state("a") is S.STOPPED


async def test_a_failed_start_rolls_back_in_reverse_and_can_be_repeated(
    bench: Bench,
) -> None:
    log: list[str] = []
    broken = Unready("c", log)
    for task in (Worker("a", log), Listener("b", log), broken, Worker("d", log)):
        bench.scheduler.register(task)
    with pytest.raises(StartFailed, match=r"task c .*no network.* rolled back: b, a"):
        await bench.scheduler.start()
    assert log == ["a up", "b up", "b down", "a down"]
    assert bench.scheduler.registry.spawned == ()
    assert [bench.state(name) for name in "abcd"] == [
        S.STOPPED,
        S.STOPPED,
        S.FAILED,
        S.REGISTERED,
    ]
    assert not bench.scheduler.started
    assert bench.bus.publish(Tick(1)) == 0

    broken.__class__ = Worker  # type: ignore[assignment]
    await bench.scheduler.start()
    assert [bench.state(name) for name in "abcd"] == [S.RUNNING] * 4


async def test_a_cancelled_start_rolls_back_too(bench: Bench) -> None:
    class Slow(Worker):
        async def initialize(self) -> None:
            await asyncio.Event().wait()

    log: list[str] = []
    bench.scheduler.register(Worker("a", log))
    bench.scheduler.register(Slow("b", log))
    job = asyncio.ensure_future(bench.scheduler.start())
    await settle()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert log == ["a up", "a down"]


async def test_a_task_registered_late_runs(bench: Bench) -> None:
    await bench.scheduler.start()
    worker, listener = Worker("late"), Listener("listener")
    bench.scheduler.register(worker)
    bench.scheduler.register(listener)
    await settle(lambda: worker.calls > 0)
    bench.bus.publish(Tick(1))
    assert listener.seen == [1]


async def test_a_task_registered_during_the_start_runs(bench: Bench) -> None:
    child = Worker("child")

    class Parent(Worker):
        async def initialize(self) -> None:
            bench.scheduler.register(child)

    bench.scheduler.register(Parent("parent"))
    await bench.scheduler.start()
    await settle(lambda: child.calls > 0)


async def test_a_late_task_that_cannot_start_fails_alone_and_alerts(
    bench: Bench,
) -> None:
    worker = Worker("a")
    bench.scheduler.register(worker)
    await bench.scheduler.start()
    bench.scheduler.register(Unready("late"))
    await settle()
    assert (bench.state("late"), bench.state("a")) == (S.FAILED, S.RUNNING)
    assert bench.alerts == [("late", "failed to start: OSError: no network")]


def test_a_subscription_to_an_unknown_channel_is_refused_at_registration() -> None:
    class Lost(Listener):
        subscriptions = (Other,)

    bench = Bench()
    with pytest.raises(InvalidChannel, match="Other; known channels: Tick"):
        bench.scheduler.register(Lost("lost"))
    assert len(bench.scheduler.registry) == 0


def test_a_task_without_work_is_refused() -> None:
    class Idle(Task):
        name = "idle"

    with pytest.raises(SchedulerError, match="BackgroundTask or EventTask"):
        Bench().scheduler.register(Idle())


# -- supervision ----------------------------------------------------------------


async def test_errors_back_off_on_the_runs_clock_and_then_fail_visibly(
    bench: Bench,
) -> None:
    task = Failing("bad")
    policy = Supervision(backoff_ns=1000, jitter=0.2, max_restarts=3)
    handle = bench.scheduler.register(task, supervision=policy)
    healthy = Worker("good")
    bench.scheduler.register(healthy)
    await bench.scheduler.start()
    waits: list[int] = []
    for calls in (1, 2, 3):
        await settle(lambda calls=calls: task.calls == calls)  # type: ignore[misc]
        await settle()
        assert task.calls == calls, "it must not spin while it backs off"
        wake = bench.clock.next_wake()
        assert wake is not None
        waits.append(wake - bench.clock.now())
        bench.clock.advance_to(wake - 1)
        await settle()
        assert task.calls == calls
        bench.clock.advance_to(wake)
    await settle(lambda: handle.state is S.FAILED)
    for wait, base in zip(waits, (1000, 2000, 4000), strict=True):
        assert 0.8 * base <= wait <= 1.2 * base
        assert wait != base
    assert (handle.errors, handle.restarts) == (4, 3)
    assert handle.last_error == "ValueError: call 4"
    assert [name for name, _ in bench.alerts] == ["bad"]
    assert "more than 3 errors within 300 s" in bench.alerts[0][1]
    assert bench.state("good") is S.RUNNING
    await settle(lambda: bench.scheduler.registry.spawned == ("good",))
    await bench.scheduler.shutdown()
    assert "bad down" in task.log
    assert bench.state("bad") is S.FAILED, "a failed task stays so, for all to see"


async def test_a_failed_task_can_be_restarted_by_hand_with_a_clean_sheet(
    bench: Bench,
) -> None:
    task = Failing("bad")
    policy = Supervision(max_restarts=0)
    handle = bench.scheduler.register(task, supervision=policy)
    await bench.scheduler.start()
    await settle(lambda: handle.state is S.FAILED)
    task.__class__ = Worker  # type: ignore[assignment]
    await bench.scheduler.restart("bad")
    await settle(lambda: task.calls > 3)
    assert handle.state is S.RUNNING
    assert task.log == ["bad up", "bad down", "bad up"]


async def test_a_failed_task_can_be_stopped_for_good(bench: Bench) -> None:
    handle = bench.scheduler.register(
        Failing("bad"), supervision=Supervision(max_restarts=0)
    )
    await bench.scheduler.start()
    await settle(lambda: handle.state is S.FAILED)
    await bench.scheduler.stop("bad")
    assert handle.state is S.STOPPED


async def test_a_call_that_returns_at_once_starves_nobody(bench: Bench) -> None:
    class Spinning(Worker):
        async def execute(self) -> None:
            self.calls += 1

    spinning, other = Spinning("spinning"), Worker("other")
    bench.scheduler.register(spinning)
    bench.scheduler.register(other)
    await bench.scheduler.start()
    await settle(lambda: other.calls > 10)
    assert 10 < spinning.calls < 100


async def test_a_cancellation_nobody_asked_for_is_an_error_not_a_silent_end(
    bench: Bench,
) -> None:
    class Confused(Worker):
        async def execute(self) -> None:
            self.calls += 1
            raise asyncio.CancelledError

    handle = bench.scheduler.register(Confused("confused"))
    await bench.scheduler.start()
    await settle(lambda: handle.errors == 1)
    assert handle.state is S.RUNNING
    assert "CancelledError" in handle.last_error


@pytest.mark.parametrize("kind", [Listener, AsyncListener])
async def test_a_poisonous_event_is_skipped_counted_and_shown(
    bench: Bench, kind: Callable[[str], Listener | AsyncListener]
) -> None:
    task = kind("ema")
    handle = bench.scheduler.register(task)
    await bench.scheduler.start()
    for n in (1, -2, 3):
        bench.bus.publish(Tick(n))
    await settle()
    assert task.seen == [1, -2, 3]
    assert handle.state is S.RUNNING
    assert (handle.events, handle.errors) == (3, 1)
    assert handle.last_error == "ValueError: poison -2"
    assert bench.faults == [("ema", "poison -2")]


# -- overload -------------------------------------------------------------------


async def test_a_stalled_task_slows_nobody_shows_its_lag_and_recovers(
    bench: Bench,
) -> None:
    stalled, quick = AsyncListener("stalled"), AsyncListener("quick")
    stalled.gate.clear()
    slow_handle = bench.scheduler.register(stalled)
    quick_handle = bench.scheduler.register(quick)
    await bench.scheduler.start()
    for n in range(10):
        bench.clock.advance_to(n * 100)
        bench.bus.publish(Tick(n))
        await settle()
    assert quick.seen == list(range(10))
    assert (quick_handle.lost, quick_handle.lag_ns) == (0, 0)
    assert stalled.seen == []
    assert slow_handle.lost == 5, "one is in hand, four wait, five were forgotten"
    assert slow_handle.lag_ns == 300, "the oldest that waits came at 600, it is 900"
    bench.clock.advance_to(2000)
    assert slow_handle.lag_ns == 1400, "lag grows while it is stalled"
    stalled.gate.set()
    await settle()
    assert stalled.seen == [0, 6, 7, 8, 9]
    bench.bus.publish(Tick(10))
    await settle()
    assert stalled.seen[-1] == 10
    assert slow_handle.state is S.RUNNING
    assert slow_handle.lag_ns == 0


async def test_events_of_several_types_are_handled_in_order_of_publication(
    bench: Bench,
) -> None:
    class Both(AsyncListener):
        subscriptions = (Tick, Other)

    bench.bus.add_channel(Other, ChannelConfig(10, "others", Overflow.NEVER))
    task = Both("both")
    bench.scheduler.register(task)
    await bench.scheduler.start()
    for event in (Tick(1), Other(2), Tick(3), Other(4)):
        bench.bus.publish(event)
    await settle()
    assert task.seen == [1, 2, 3, 4]


# -- while running --------------------------------------------------------------


async def test_pausing_a_background_task_stops_its_calls_and_a_step_is_one(
    bench: Bench,
) -> None:
    worker = Worker("a")
    handle = bench.scheduler.register(worker)
    await bench.scheduler.start()
    await settle(lambda: worker.calls > 2)
    bench.scheduler.pause("a")
    await settle()
    calls = worker.calls
    await settle()
    assert (worker.calls, handle.withheld) == (calls, 1)
    assert await bench.scheduler.step("a")
    assert await bench.scheduler.step("a")
    await settle()
    assert worker.calls == calls + 2
    assert handle.state is S.PAUSED
    bench.scheduler.resume("a")
    await settle(lambda: worker.calls > calls + 5)
    assert handle.withheld == 0


@pytest.mark.parametrize("kind", [Listener, AsyncListener])
async def test_pausing_an_event_task_holds_events_back_and_a_step_is_one(
    bench: Bench, kind: Callable[[str], Listener | AsyncListener]
) -> None:
    task = kind("a")
    handle = bench.scheduler.register(task)
    await bench.scheduler.start()
    bench.scheduler.pause("a")
    assert not await bench.scheduler.step("a")
    for n in range(3):
        bench.bus.publish(Tick(n))
    await settle()
    assert (task.seen, handle.withheld) == ([], 3)
    assert await bench.scheduler.step("a")
    await settle()
    assert (task.seen, handle.withheld) == ([0], 2)
    bench.scheduler.resume("a")
    await settle()
    assert task.seen == [0, 1, 2], "what was held back waits for no new event"
    bench.bus.publish(Tick(3))
    await settle()
    assert task.seen == [0, 1, 2, 3]
    assert (handle.withheld, handle.events, handle.lost) == (0, 4, 0)


async def test_an_asynchronous_task_may_receive_while_paused(bench: Bench) -> None:
    class Attentive(AsyncListener):
        receives_while_paused = True

    task = Attentive("a")
    handle = bench.scheduler.register(task)
    await bench.scheduler.start()
    bench.scheduler.pause("a")
    bench.bus.publish(Tick(1))
    await settle()
    assert (task.seen, handle.withheld) == ([1], 0)


async def test_a_step_that_waits_is_told_when_the_pause_ends(bench: Bench) -> None:
    class Stuck(Worker):
        async def execute(self) -> None:
            self.calls += 1
            await asyncio.Event().wait()

    bench.scheduler.register(Stuck("a"))
    await bench.scheduler.start()
    await settle()
    bench.scheduler.pause("a")
    step = asyncio.ensure_future(bench.scheduler.step("a"))
    await settle()
    bench.scheduler.resume("a")
    assert await step is False
    with pytest.raises(IllegalTaskState, match="step a paused task"):
        await bench.scheduler.step("a")


@pytest.mark.parametrize("kind", [Listener, AsyncListener])
async def test_an_injected_event_reaches_one_task_alone(
    bench: Bench, kind: Callable[[str], Listener | AsyncListener]
) -> None:
    one, other = kind("one"), kind("other")
    bench.scheduler.register(one)
    bench.scheduler.register(other)
    with pytest.raises(IllegalTaskState, match="registered"):
        bench.scheduler.inject("one", Tick(1))
    await bench.scheduler.start()
    bench.scheduler.inject("one", Tick(7))
    await settle()
    assert (one.seen, other.seen) == ([7], [])
    with pytest.raises(SchedulerError, match="it takes Tick"):
        bench.scheduler.inject("one", Other(1))
    with pytest.raises(TaskNotFound, match="known tasks: one, other"):
        bench.scheduler.inject("two", Tick(1))


async def test_a_background_task_takes_no_events(bench: Bench) -> None:
    bench.scheduler.register(Worker("a"))
    await bench.scheduler.start()
    with pytest.raises(SchedulerError, match="it takes no events"):
        bench.scheduler.inject("a", Tick(1))


async def test_stopping_one_task_leaves_the_others_and_it_can_come_back(
    bench: Bench,
) -> None:
    one, other = Listener("one"), AsyncListener("other")
    handle = bench.scheduler.register(one)
    bench.scheduler.register(other)
    await bench.scheduler.start()
    await bench.scheduler.stop("one")
    assert handle.state is S.STOPPED
    bench.bus.publish(Tick(1))
    await settle()
    assert (one.seen, other.seen) == ([], [1])
    with pytest.raises(IllegalTaskState, match="stopped"):
        await bench.scheduler.stop("one")
    await bench.scheduler.restart("one")
    bench.bus.publish(Tick(2))
    assert one.seen == [2]
    assert handle.restarts == 1


async def test_a_restarted_task_has_one_loop_not_two(bench: Bench) -> None:
    task = AsyncListener("a")
    handle = bench.scheduler.register(task)
    await bench.scheduler.start()
    bench.scheduler.pause("a")
    bench.bus.publish(Tick(1))
    await bench.scheduler.restart("a")
    assert handle.lost == 1, "what waited when it stopped is counted as lost"
    bench.bus.publish(Tick(2))
    await settle()
    assert task.seen == [2]
    assert bench.scheduler.registry.spawned == ("a",)


async def test_a_restart_that_fails_is_alerted_and_raised(bench: Bench) -> None:
    class Weak(Worker):
        async def shutdown(self) -> None:
            raise OSError("stuck")

    task = Weak("a")
    handle = bench.scheduler.register(task)
    await bench.scheduler.start()
    task.__class__ = type("Dead", (Weak,), {"initialize": Unready.initialize})
    with pytest.raises(StartFailed, match="no network"):
        await bench.scheduler.restart("a")
    assert handle.state is S.FAILED
    assert len(bench.alerts) == 2


async def test_a_task_cannot_wait_for_its_own_end(bench: Bench) -> None:
    class SelfStopping(Worker):
        async def execute(self) -> None:
            await bench.scheduler.stop(self.name)

    handle = bench.scheduler.register(SelfStopping("a"))
    await bench.scheduler.start()
    await settle(lambda: handle.errors == 1)
    assert "would wait for itself" in handle.last_error
    assert handle.state is S.RUNNING


async def test_cpu_time_is_charged_to_the_task_that_used_it(bench: Bench) -> None:
    class Busy(Worker):
        async def execute(self) -> None:
            sum(range(20_000))
            await asyncio.sleep(0)
            self.calls += 1

    busy, idle = Busy("busy"), Worker("idle")
    hot = bench.scheduler.register(busy)
    cold = bench.scheduler.register(idle)
    await bench.scheduler.start()
    await settle(lambda: busy.calls > 20)
    assert hot.cpu_ns > cold.cpu_ns > 0


# -- shutdown -------------------------------------------------------------------


async def test_shutdown_cancels_and_joins_so_that_nothing_executes_after_it(
    bench: Bench,
) -> None:
    log: list[str] = []

    class Waiting(Worker):
        async def execute(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                log.append(f"{self.name} cancelled")

    bench.scheduler.register(Waiting("a", log))
    bench.scheduler.register(Worker("b", log))
    await bench.scheduler.start()
    await settle()
    log.clear()
    await bench.scheduler.shutdown()
    assert log == ["b down", "a cancelled", "a down"]
    assert bench.scheduler.registry.spawned == ()
    await bench.scheduler.shutdown()
    assert log == ["b down", "a cancelled", "a down"]


async def test_shutdown_goes_on_past_errors_and_raises_them_all(bench: Bench) -> None:
    class Weak(Worker):
        async def shutdown(self) -> None:
            raise OSError(f"{self.name} is stuck")

    log: list[str] = []
    for task in (Worker("a", log), Weak("b"), Weak("c")):
        bench.scheduler.register(task)
    await bench.scheduler.start()
    with pytest.raises(ShutdownErrors) as caught:
        await bench.scheduler.shutdown()
    assert [str(error) for error in caught.value.exceptions] == [
        "c is stuck",
        "b is stuck",
    ]
    assert log[-1] == "a down"
    assert [handle.state for handle in bench.scheduler.registry] == [S.STOPPED] * 3
    await bench.scheduler.shutdown()


async def test_a_task_that_will_not_end_is_given_up_on_and_named(bench: Bench) -> None:
    release = asyncio.Event()

    class Stubborn(Worker):
        async def execute(self) -> None:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue

    class Endless(Worker):
        async def shutdown(self) -> None:
            await asyncio.Event().wait()

    log: list[str] = []
    bench.scheduler.register(Worker("first", log))
    bench.scheduler.register(Stubborn("stubborn"))
    bench.scheduler.register(Endless("endless"))
    await bench.scheduler.start()
    await settle()
    with pytest.raises(ShutdownErrors) as caught:
        await bench.scheduler.shutdown(SHORT_NS)
    errors = caught.value.exceptions
    assert all(isinstance(error, StopTimeout) for error in errors)
    assert "endless: shutdown() did not end" in str(errors[0])
    assert "stubborn: its loop did not end" in str(errors[1])
    assert log[-1] == "first down"
    release.set()
    await settle(lambda: bench.scheduler.registry.spawned == ())


async def test_a_loop_cancelled_from_outside_is_noticed(bench: Bench) -> None:
    handle = bench.scheduler.register(Worker("a"))
    await bench.scheduler.start()
    await settle()
    next(job for job in asyncio.all_tasks() if job.get_name() == "a").cancel()
    await settle(lambda: handle.state is S.FAILED)
    assert bench.alerts == [("a", "cancelled from outside")]


async def test_a_broken_alert_hook_stops_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(handle: TaskHandle, reason: str) -> None:
        raise RuntimeError("no bell")

    bench.scheduler.on_alert = broken
    handle = bench.scheduler.register(
        Failing("bad"), supervision=Supervision(max_restarts=0)
    )
    await bench.scheduler.start()
    await settle(lambda: handle.state is S.FAILED)
    assert "on_alert hook failed" in caplog.text
    bench.scheduler.on_alert = None
    await bench.scheduler.restart("bad")
    await settle(lambda: handle.state is S.FAILED)
    assert "task bad: more than 0 errors" in caplog.text
