"""Tasks and their registry: states by a table, handles, spawned coroutines."""

from __future__ import annotations

import asyncio
from itertools import product
from typing import Any

import pytest

from workstation.kernel.clock import SimClock
from workstation.kernel.errors import (
    DuplicateComponent,
    IllegalTaskState,
    SchedulerError,
    TaskNotFound,
)
from workstation.kernel.tasks import (
    LEGAL,
    BackgroundTask,
    EventTask,
    Supervision,
    Task,
    TaskHandle,
    TaskKind,
    TaskRegistry,
    TaskState,
)

S = TaskState


class Work(BackgroundTask):
    def __init__(self, name: str = "work") -> None:
        self.name = name

    async def execute(self) -> None:
        await asyncio.sleep(0)


class Listener(EventTask):
    name = "listener"

    def handle_event(self, event: Any) -> None:
        return None


class Fixed(Work):
    pausable = False


class Feed(Task):
    name = "feed"


def put_in(registry: TaskRegistry, handle: TaskHandle, state: TaskState) -> None:
    paths: dict[TaskState, tuple[TaskState, ...]] = {
        S.REGISTERED: (),
        S.INITIALIZING: (S.INITIALIZING,),
        S.RUNNING: (S.INITIALIZING, S.RUNNING),
        S.PAUSED: (S.INITIALIZING, S.RUNNING, S.PAUSED),
        S.STOPPING: (S.INITIALIZING, S.STOPPING),
        S.STOPPED: (S.INITIALIZING, S.STOPPING, S.STOPPED),
        S.FAILED: (S.INITIALIZING, S.FAILED),
    }
    for each in paths[state]:
        registry.set_state(handle, each)


@pytest.mark.parametrize(("before", "after"), list(product(S, S)))
def test_a_state_changes_only_as_the_table_says(
    before: TaskState, after: TaskState
) -> None:
    clock = SimClock(7)
    changes: list[tuple[TaskState, TaskState, str]] = []
    registry = TaskRegistry(clock)
    handle = registry.register(Work())
    put_in(registry, handle, before)
    registry.on_change = lambda _, b, a, why: changes.append((b, a, why))
    clock.advance_to(9)
    if after in LEGAL[before]:
        change = registry.set_state(handle, after, "because")
        assert (change.before, change.after, change.ts) == (before, after, 9)
        assert (handle.state, handle.state_since_ns) == (after, 9)
        assert changes == [(before, after, "because")]
    else:
        with pytest.raises(IllegalTaskState, match=f"work is {before.value}"):
            registry.set_state(handle, after, "because")
        assert handle.state is before
        assert changes == []


def test_handles_are_found_by_id_and_by_name_in_order_of_registration() -> None:
    registry = TaskRegistry()
    first = registry.register(Work("a"))
    second = registry.register(Listener(), name="b")
    third = registry.register(Feed())
    assert [handle.id for handle in registry] == [1, 2, 3]
    assert registry.get("b") is registry.get(2) is second
    assert [handle.kind for handle in registry] == [
        TaskKind.BACKGROUND,
        TaskKind.EVENT,
        TaskKind.DRIVEN,
    ]
    assert first.supervision == Supervision()
    assert len(registry) == 3
    assert "feed" in registry
    assert third.task.name == "feed"


def test_an_unknown_task_is_an_error_that_lists_the_known_ones() -> None:
    registry = TaskRegistry()
    registry.register(Work("ema"))
    registry.register(Work("rsi"))
    for wanted in ("emma", 3):
        with pytest.raises(TaskNotFound, match="known tasks: ema, rsi"):
            registry.get(wanted)


def test_a_name_is_given_once() -> None:
    registry = TaskRegistry()
    registry.register(Work())
    with pytest.raises(DuplicateComponent, match="work"):
        registry.register(Work())


def test_a_task_may_only_come_after_one_that_is_there() -> None:
    registry = TaskRegistry()
    registry.register(Work("a"))
    assert registry.register(Work("b"), after=["a"]).after == ("a",)
    with pytest.raises(TaskNotFound, match="'z'"):
        registry.register(Work("c"), after=["z"])
    assert "c" not in registry


def test_what_is_no_task_is_refused() -> None:
    with pytest.raises(SchedulerError, match="derive it"):
        TaskRegistry().register(object())  # type: ignore[arg-type]


def test_pause_and_resume_go_back_and_forth_and_nowhere_else() -> None:
    registry = TaskRegistry()
    handle = registry.register(Work())
    with pytest.raises(IllegalTaskState, match="registered"):
        registry.pause("work")
    put_in(registry, handle, S.RUNNING)
    with pytest.raises(IllegalTaskState, match="running"):
        registry.resume("work")
    assert registry.pause("work", "lunch").reason == "lunch"
    with pytest.raises(IllegalTaskState, match="paused"):
        registry.pause("work")
    assert registry.resume(handle.id).after is S.RUNNING


def test_a_task_that_cannot_be_paused_says_so() -> None:
    registry = TaskRegistry()
    put_in(registry, registry.register(Fixed()), S.RUNNING)
    with pytest.raises(IllegalTaskState, match="never paused"):
        registry.pause("work")


def test_a_task_that_is_down_can_be_removed_and_its_id_is_not_used_again() -> None:
    registry = TaskRegistry()
    handle = registry.register(Work())
    put_in(registry, handle, S.RUNNING)
    with pytest.raises(IllegalTaskState, match="stop it first"):
        registry.remove("work")
    registry.set_state(handle, S.STOPPING)
    registry.set_state(handle, S.STOPPED)
    assert registry.remove("work") is handle
    assert "work" not in registry
    assert list(registry) == []
    assert registry.register(Work()).id == 2


def test_stats_are_a_picture_that_stays() -> None:
    registry = TaskRegistry(SimClock(3))
    handle = registry.register(Work())
    handle.events += 2
    handle.lost += 1
    handle.withheld = 4
    handle.lag_ns = 5
    handle.count_error(ValueError("bad\ntick"))
    before = handle.stats()
    handle.events += 1
    assert (before.events, before.lost, before.withheld, before.lag_ns) == (2, 1, 4, 5)
    assert (before.errors, before.last_error) == (1, "ValueError: bad tick")
    assert before.state_since_ns == 3
    assert handle.stats().events == 3


async def test_an_exception_of_a_spawned_coroutine_never_vanishes() -> None:
    async def crash() -> None:
        raise ValueError("gone")

    registry = TaskRegistry()
    crashes: list[tuple[str, str]] = []
    registry.on_crash = lambda name, error: crashes.append((name, str(error)))
    job = registry.spawn(crash(), name="edge")
    assert job.get_name() == "edge"
    assert registry.spawned == ("edge",)
    await asyncio.wait({job})
    await asyncio.sleep(0)
    assert crashes == [("edge", "gone")]
    assert not registry.spawned

    registry.on_crash = None
    reported: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context["message"]))
    await asyncio.wait({registry.spawn(crash(), name="edge")})
    await asyncio.sleep(0)
    assert reported == ["task edge crashed"]
