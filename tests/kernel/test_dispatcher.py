"""The dispatcher: order, isolation, pausing, counters; with no event loop at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.kernel.dispatcher import SAMPLE, Dispatcher
from workstation.kernel.errors import InvalidSetting, SchedulerError
from workstation.kernel.tasks import EventTask, TaskHandle, TaskRegistry, TaskState


@dataclass(frozen=True)
class Tick:
    n: int


@dataclass(frozen=True)
class Order:
    n: int


class Listener(EventTask):
    subscriptions = (Tick,)

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: list[int] = []

    def handle_event(self, event: Tick) -> None:
        self.seen.append(event.n)
        if event.n < 0:
            raise ValueError(f"bad tick {event.n}")


class Attentive(Listener):
    receives_while_paused = True


class Desk:
    """A dispatcher, a registry, and tasks brought to running."""

    def __init__(self, **options: Any) -> None:
        self.faults: list[tuple[str, Any, str]] = []
        self.dispatcher = Dispatcher(self.fault, **options)
        self.registry = TaskRegistry()

    def fault(self, task: TaskHandle | None, event: Any, error: Exception) -> None:
        self.faults.append(("-" if task is None else task.name, event, str(error)))

    def add(self, listener: Listener, state: TaskState = TaskState.RUNNING) -> Any:
        handle = self.registry.register(listener)
        self.dispatcher.route(Tick, listener.handle_event, task=handle)
        if state is not TaskState.REGISTERED:
            self.registry.set_state(handle, TaskState.INITIALIZING)
            self.registry.set_state(handle, TaskState.RUNNING)
        return handle


def test_what_a_handler_emits_comes_after_what_waits_and_is_never_nested() -> None:
    dispatcher = Dispatcher()
    log: list[str] = []

    def first(tick: Tick) -> None:
        log.append(f"first in {tick.n}")
        dispatcher.dispatch(Order(tick.n * 10))
        if tick.n == 1:
            dispatcher.emit(Tick(2))
        dispatcher.drain()
        log.append(f"first out {tick.n}")

    dispatcher.route(Tick, first)
    dispatcher.route(Tick, lambda tick: log.append(f"second {tick.n}"))
    dispatcher.route(Order, lambda order: log.append(f"order {order.n}"))
    dispatcher.dispatch(Tick(1))
    assert log == [
        "first in 1",
        "first out 1",
        "second 1",
        "order 10",
        "first in 2",
        "first out 2",
        "second 2",
        "order 20",
    ]


@given(st.lists(st.integers(0, 3), max_size=30))
def test_emitted_events_are_handled_first_in_first_out(plan: list[int]) -> None:
    dispatcher = Dispatcher()
    seen: list[int] = []
    dispatcher.route(Tick, lambda tick: seen.append(tick.n))
    for n, move in enumerate(plan):
        if move:
            dispatcher.emit(Tick(n))
        else:
            dispatcher.dispatch(Tick(n))
            assert dispatcher.depth == 0
            assert seen == list(range(n + 1))
    dispatcher.drain()
    assert dispatcher.depth == 0
    assert seen == list(range(len(plan)))


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_broken_handler_is_counted_on_its_task_and_reaches_no_other(at: int) -> None:
    desk = Desk()
    tasks = [Listener(name) for name in "abc"]
    handles = [desk.add(task) for task in tasks]

    def broken(tick: Tick) -> None:
        raise ValueError("poison")

    tasks[at].handle_event = broken  # type: ignore[assignment, method-assign]
    desk.dispatcher.unroute(handles[at])
    desk.dispatcher = Dispatcher(desk.fault)
    for task, handle in zip(tasks, handles, strict=True):
        desk.dispatcher.route(Tick, task.handle_event, task=handle)
    # Past the sampled event too, which takes another path.
    count = SAMPLE + 5
    for n in range(count):
        desk.dispatcher.dispatch(Tick(n))
    assert [handle.errors for handle in handles] == [
        count if n == at else 0 for n in range(3)
    ]
    assert [len(task.seen) for task in tasks] == [
        0 if n == at else count for n in range(3)
    ]
    assert handles[at].last_error == "ValueError: poison"
    assert desk.faults[5] == ("abc"[at], Tick(5), "poison")
    assert desk.dispatcher.faults == count


def test_a_broken_fault_hook_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def hook(task: Any, event: Any, error: Exception) -> None:
        raise RuntimeError("hook")

    dispatcher = Dispatcher(hook)
    seen: list[int] = []
    dispatcher.route(Tick, lambda tick: 1 / 0)
    dispatcher.route(Tick, lambda tick: seen.append(tick.n))
    dispatcher.dispatch(Tick(1))
    assert seen == [1]
    assert "on_fault hook failed" in caplog.text


def test_without_a_hook_a_fault_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    dispatcher = Dispatcher()
    dispatcher.route(Tick, lambda tick: 1 / 0)
    dispatcher.dispatch(Tick(1))
    assert "failed on Tick" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_what_stops_the_program_passes_and_leaves_the_rest_in_the_queue() -> None:
    dispatcher = Dispatcher()
    seen: list[int] = []

    def stop(order: Order) -> None:
        raise KeyboardInterrupt

    dispatcher.route(Order, stop)
    dispatcher.route(Tick, lambda tick: seen.append(tick.n))
    dispatcher.emit(Order(1))
    dispatcher.emit(Tick(1))
    with pytest.raises(KeyboardInterrupt):
        dispatcher.drain()
    assert dispatcher.depth == 1 + 1  # the tick, and the mark drain() put behind it
    dispatcher.drain()
    assert seen == [1]


def test_an_event_nobody_handles_is_counted() -> None:
    dispatcher = Dispatcher()
    dispatcher.dispatch(Tick(1))
    assert dispatcher.unheard == 1


def test_a_task_gets_nothing_before_it_runs_and_after_it_has_stopped() -> None:
    desk = Desk()
    task = Listener("a")
    handle = desk.add(task, TaskState.REGISTERED)
    desk.dispatcher.dispatch(Tick(1))
    desk.registry.set_state(handle, TaskState.INITIALIZING)
    desk.dispatcher.dispatch(Tick(2))
    desk.registry.set_state(handle, TaskState.RUNNING)
    desk.dispatcher.dispatch(Tick(3))
    desk.registry.set_state(handle, TaskState.STOPPING)
    desk.dispatcher.dispatch(Tick(4))
    desk.registry.set_state(handle, TaskState.STOPPED)
    desk.dispatcher.dispatch(Tick(5))
    assert task.seen == [3]
    assert (handle.events, handle.withheld) == (1, 0)


def test_a_pause_holds_events_back_and_resuming_hands_them_over_first() -> None:
    desk = Desk()
    paused, other = Listener("a"), Listener("b")
    handle = desk.add(paused)
    desk.add(other)
    desk.registry.pause("a")
    for n in range(3):
        desk.dispatcher.dispatch(Tick(n))
    assert (paused.seen, other.seen) == ([], [0, 1, 2])
    assert (handle.withheld, handle.events) == (3, 0)
    desk.registry.resume("a")
    desk.dispatcher.dispatch(Tick(3))
    assert paused.seen == [0, 1, 2, 3]
    assert (handle.withheld, handle.events, handle.lost) == (0, 4, 0)


def test_a_step_hands_over_exactly_one_event() -> None:
    desk = Desk()
    task = Listener("a")
    handle = desk.add(task)
    desk.registry.pause("a")
    assert not desk.dispatcher.step(handle)
    for n in range(3):
        desk.dispatcher.dispatch(Tick(n))
    assert desk.dispatcher.step(handle)
    assert (task.seen, handle.withheld) == ([0], 2)
    assert handle.state is TaskState.PAUSED


def test_a_long_pause_loses_the_oldest_and_counts_them() -> None:
    desk = Desk(hold=2)
    task = Listener("a")
    handle = desk.add(task)
    desk.registry.pause("a")
    for n in range(5):
        desk.dispatcher.dispatch(Tick(n))
    assert (handle.withheld, handle.lost) == (2, 3)
    desk.registry.resume("a")
    desk.dispatcher.drain()
    assert task.seen == [3, 4]


def test_stopping_a_paused_task_counts_what_it_held_back_as_lost() -> None:
    desk = Desk()
    task = Listener("a")
    handle = desk.add(task)
    desk.registry.pause("a")
    desk.dispatcher.dispatch(Tick(1))
    desk.registry.set_state(handle, TaskState.STOPPING)
    assert (handle.withheld, handle.lost, task.seen) == (0, 1, [])


def test_a_pause_before_the_queue_is_drained_holds_back_again() -> None:
    desk = Desk()
    task = Listener("a")
    handle = desk.add(task)
    desk.registry.pause("a")
    desk.dispatcher.dispatch(Tick(1))
    desk.registry.resume("a")
    desk.registry.pause("a")
    desk.dispatcher.drain()
    assert (task.seen, handle.withheld) == ([], 1)


def test_a_task_resumed_by_a_handler_before_it_still_gets_that_event() -> None:
    desk = Desk()
    task = Listener("a")
    handle = desk.registry.register(task)
    desk.registry.set_state(handle, TaskState.INITIALIZING)
    desk.registry.set_state(handle, TaskState.RUNNING)
    desk.registry.pause("a")
    desk.dispatcher.route(
        Tick, lambda tick: desk.registry.resume("a") if tick.n == 2 else None
    )
    desk.dispatcher.route(Tick, task.handle_event, task=handle)
    for n in (1, 2, 3):
        desk.dispatcher.dispatch(Tick(n))
    assert task.seen == [1, 2, 3]
    assert (handle.withheld, handle.events) == (0, 3)


def test_a_task_that_receives_while_paused_gets_everything() -> None:
    desk = Desk()
    task = Attentive("a")
    handle = desk.add(task)
    desk.registry.pause("a")
    desk.dispatcher.dispatch(Tick(1))
    assert task.seen == [1]
    assert (handle.events, handle.withheld) == (1, 0)


def test_counters_stay_right_when_routes_come_and_go() -> None:
    desk = Desk()
    handles = [desk.add(Listener(name)) for name in "ab"]
    for n in range(3):
        desk.dispatcher.dispatch(Tick(n))
    late = desk.add(Listener("c"))
    for n in range(2):
        desk.dispatcher.dispatch(Tick(n))
    desk.dispatcher.unroute(handles[0])
    desk.dispatcher.dispatch(Tick(9))
    assert [handle.events for handle in (*handles, late)] == [5, 6, 3]
    handles[1].events += 10
    desk.dispatcher.dispatch(Tick(9))
    assert handles[1].events == 17
    assert desk.dispatcher.routed_types() == (Tick,)


def test_an_injected_event_goes_to_one_task_alone() -> None:
    desk = Desk()
    one, other = Listener("a"), Listener("b")
    handle = desk.add(one)
    desk.add(other)
    desk.dispatcher.inject(handle, Tick(7))
    assert (one.seen, other.seen) == ([7], [])
    desk.dispatcher.inject(handle, Tick(-1))
    assert desk.faults == [("a", Tick(-1), "bad tick -1")]
    desk.registry.pause("a")
    desk.dispatcher.inject(handle, Tick(8))
    assert (one.seen, handle.withheld) == ([7, -1], 1)
    with pytest.raises(SchedulerError, match="a takes no Order"):
        desk.dispatcher.inject(handle, Order(1))


def test_cpu_time_is_sampled_onto_the_task_that_used_it() -> None:
    desk = Desk()
    busy = Listener("busy")
    handle = desk.registry.register(busy)
    desk.registry.set_state(handle, TaskState.INITIALIZING)
    desk.registry.set_state(handle, TaskState.RUNNING)
    desk.dispatcher.route(Tick, lambda _: sum(range(2000)), task=handle)
    idle = desk.add(Listener("idle"))
    for n in range(10 * SAMPLE):
        desk.dispatcher.dispatch(Tick(n))
    assert handle.cpu_ns > idle.cpu_ns > 0


def test_there_must_be_room_to_hold_something() -> None:
    with pytest.raises(InvalidSetting, match="hold is 0"):
        Dispatcher(hold=0)
