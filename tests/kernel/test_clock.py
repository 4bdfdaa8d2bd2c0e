"""Clocks: time that never decreases, timers in order, sleepers woken."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.kernel.clock import RealClock, SimClock, Timer, as_of, steady_clock
from workstation.kernel.errors import ClockError


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_sim_clock_shows_what_its_driver_set() -> None:
    clock = SimClock(5)
    assert clock.now() == 5
    clock.advance_to(9)
    assert clock.now() == 9


def test_going_backwards_is_refused_and_changes_nothing() -> None:
    clock = SimClock(10)
    with pytest.raises(ClockError, match=r"10 .* 9"):
        clock.advance_to(9)
    with pytest.raises(ClockError):
        clock.run_until(3)
    assert clock.now() == 10


def test_advancing_fires_no_timer() -> None:
    clock = SimClock()
    fired: list[int] = []
    clock.call_at(3, lambda: fired.append(3))
    clock.advance_to(5)
    assert fired == []
    assert clock.next_due() == 3


def test_pop_due_hands_out_a_timer_without_calling_it() -> None:
    clock = SimClock()
    fired: list[int] = []
    timer = clock.call_at(3, lambda: fired.append(3))
    assert clock.pop_due(2) is None
    assert clock.pop_due(3) is timer
    assert clock.pop_due(3) is None
    assert fired == []


def test_a_cancelled_timer_neither_fires_nor_counts_as_next() -> None:
    clock = SimClock()
    clock.call_at(1, lambda: None).cancel()
    clock.call_at(2, lambda: None)
    assert clock.next_due() == 2
    assert clock.run_until(10) == 1
    assert clock.next_due() is None


def test_run_until_fires_at_the_timers_own_times_and_those_they_schedule() -> None:
    clock = SimClock()
    seen: list[tuple[str, int]] = []

    def first() -> None:
        seen.append(("first", clock.now()))
        clock.call_at(clock.now() + 5, lambda: seen.append(("child", clock.now())))
        clock.call_at(100, lambda: seen.append(("late", clock.now())))

    clock.call_at(10, first)
    clock.call_at(12, lambda: seen.append(("second", clock.now())))
    assert clock.run_until(20) == 3
    assert seen == [("first", 10), ("second", 12), ("child", 15)]
    assert clock.now() == 20


def test_a_timer_in_the_past_is_due_at_once_and_time_stands() -> None:
    clock = SimClock(50)
    seen: list[int] = []
    clock.call_at(10, lambda: seen.append(clock.now()))
    clock.run_until(50)
    assert seen == [50]


def test_a_failing_callback_leaves_the_rest_due() -> None:
    clock = SimClock()
    seen: list[int] = []

    def fail() -> None:
        raise ValueError("broken")

    clock.call_at(1, fail)
    clock.call_at(2, lambda: seen.append(2))
    with pytest.raises(ValueError, match="broken"):
        clock.run_until(5)
    assert clock.now() == 1
    clock.run_until(5)
    assert seen == [2]


def test_of_timers_due_together_the_lower_priority_number_is_first() -> None:
    clock = SimClock()
    fired: list[str] = []
    clock.call_at(1, lambda: fired.append("late"), priority=1)
    clock.call_at(1, lambda: fired.append("first"))
    clock.call_at(1, lambda: fired.append("second"))
    clock.run_until(1)
    assert fired == ["first", "second", "late"]


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(-1, 1), st.booleans()), max_size=150
    ),
    st.lists(st.integers(0, 3), min_size=1, max_size=6),
)
def test_timers_come_out_by_due_then_priority_then_registration(
    plan: list[tuple[int, int, bool]], strides: list[int]
) -> None:
    clock = SimClock()
    fired: list[int] = []
    timers: list[Timer] = []
    for index, (due, priority, cancel) in enumerate(plan):
        timer = clock.call_at(due, partial(fired.append, index), priority=priority)
        timers.append(timer)
        if cancel:
            timer.cancel()
    for stride in strides:
        clock.run_until(clock.now() + stride)
    expected = sorted(
        (due, priority, index)
        for index, (due, priority, cancel) in enumerate(plan)
        if not cancel and due <= clock.now()
    )
    assert fired == [index for _, _, index in expected]


def test_cancelled_timers_do_not_pile_up() -> None:
    clock = SimClock()
    for index in range(10_000):
        clock.call_at(1_000_000 + index, lambda: None).cancel()
    assert len(clock._timers) < 200


async def test_sim_sleepers_wake_when_the_driver_gets_there() -> None:
    clock = SimClock()
    seen: list[tuple[str, int]] = []

    async def sleeper(name: str, until: int) -> None:
        await clock.sleep_until(until)
        seen.append((name, clock.now()))

    jobs = [asyncio.ensure_future(sleeper(n, u)) for n, u in (("b", 20), ("a", 10))]
    await settle()
    assert clock.next_wake() == 10
    clock.advance_to(10)
    await settle()
    assert seen == [("a", 10)]
    assert clock.next_wake() == 20
    clock.run_until(30)
    await asyncio.gather(*jobs)
    assert seen == [("a", 10), ("b", 30)]
    await clock.sleep_until(5)


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = SimClock()
    job = asyncio.ensure_future(clock.sleep_until(10))
    await settle()
    job.cancel()
    with suppress(asyncio.CancelledError):
        await job
    assert clock.next_wake() is None
    clock.advance_to(20)


def test_a_real_clock_never_decreases_when_the_machines_clock_is_set_back() -> None:
    times = iter([100, 100, 150, 120, 149, 151])
    clock = RealClock(lambda: next(times))
    assert [clock.now() for _ in range(5)] == [100, 150, 150, 150, 151]


class _Machine:
    """A machine's clock that jumps on by a fixed amount at each look."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        self.ns += 1000
        return self.ns


async def test_the_pump_fires_timers_in_order_also_new_ones_and_survives_errors() -> (
    None
):
    faults: list[str] = []
    clock = RealClock(_Machine(), on_error=lambda _, error: faults.append(str(error)))
    seen: list[str] = []
    done = asyncio.Event()

    def fail() -> None:
        raise ValueError("broken")

    pump = asyncio.ensure_future(clock.run())
    await settle()
    clock.call_at(30_000, done.set)
    clock.call_at(20_000, lambda: seen.append("second"))
    clock.call_at(10_000, fail)
    clock.call_at(10_000, lambda: seen.append("first"))
    await asyncio.wait_for(done.wait(), 10)
    assert seen == ["first", "second"]
    assert faults == ["broken"]
    with pytest.raises(ClockError, match="pumped already"):
        await clock.run()
    pump.cancel()
    with suppress(asyncio.CancelledError):
        await pump


async def test_a_timer_that_renews_itself_does_not_starve_the_loop() -> None:
    clock = RealClock(_Machine())
    fired = 0

    def again() -> None:
        nonlocal fired
        fired += 1
        clock.call_at(0, again)

    clock.call_at(0, again)
    pump = asyncio.ensure_future(clock.run())
    await settle()
    assert fired > 0
    pump.cancel()
    with suppress(asyncio.CancelledError):
        await pump


async def test_a_pumps_error_without_a_hook_reaches_the_loops_handler() -> None:
    clock = RealClock(_Machine())
    reported: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
    error = ValueError("broken")

    def fail() -> None:
        raise error

    clock.call_at(0, fail)
    pump = asyncio.ensure_future(clock.run())
    await settle()
    assert reported == [error]
    pump.cancel()
    with suppress(asyncio.CancelledError):
        await pump


async def test_a_real_sleep_needs_no_pump() -> None:
    clock = RealClock(_Machine())
    await clock.sleep_until(50_000)
    assert clock.now() >= 50_000


@pytest.mark.parametrize(
    ("made_ns", "after_ns", "of_ns"),
    [
        (9, None, 9),
        (10, 5, 10),
        (11, None, 10),
        (30, 20, 11),
        (20, 20, 10),
        (15, 20, 10),
    ],
)
def test_what_was_made_later_than_now_is_of_now_in_its_order(
    made_ns: int, after_ns: int | None, of_ns: int
) -> None:
    assert as_of(made_ns, 10, after_ns) == of_ns


async def test_a_steady_clock_wakes_no_sooner_than_it_was_told_to() -> None:
    clock = steady_clock()
    until_ns = clock.now() + 1_000_000
    await clock.sleep_until(until_ns)
    assert clock.now() >= until_ns
    # What has passed is not waited for.
    await clock.sleep_until(0)
