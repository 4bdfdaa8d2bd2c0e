"""Mailboxes: bounds, order, overflow, honest counters; asyncio only when awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from workstation.kernel.errors import (
    ChannelFull,
    InvalidSetting,
    MailboxClosed,
    MailboxEmpty,
)
from workstation.kernel.mailbox import ConflatingMailbox, Mailbox, Overflow


class Item(NamedTuple):
    key: int
    n: int


def key_of(item: Item) -> int:
    return item.key


class MailboxModel(RuleBasedStateMachine):
    """Compare a mailbox with a plain list that follows the same policy."""

    capacity = 4

    def __init__(self) -> None:
        super().__init__()
        self.box = self.make()
        self.model: list[Item] = []
        self.lost = self.conflated = self.refused = self.sent = self.high = 0
        self.wakes = 0
        self.expected_wakes = 0
        self.box.wake = self.woken

    def make(self) -> Mailbox[Item]:
        raise AssertionError("each policy makes its own")

    def woken(self) -> None:
        self.wakes += 1

    @rule(key=st.integers(0, 6))
    def offer(self, key: int) -> None:
        item = Item(key, self.sent)
        self.sent += 1
        if not self.model:
            self.expected_wakes += 1
        assert self.box.offer(item) is self.expect(item)
        self.high = max(self.high, len(self.model))

    def expect(self, item: Item) -> bool:
        raise AssertionError("each policy expects its own")

    @rule(limit=st.none() | st.integers(0, 6))
    def drain(self, limit: int | None) -> None:
        count = len(self.model) if limit is None else limit
        assert self.box.drain(limit) == self.model[:count]
        del self.model[:count]

    @precondition(lambda self: self.model)
    @rule()
    def get(self) -> None:
        assert self.box.peek() == self.model[0]
        assert self.box.get_nowait() == self.model.pop(0)

    @precondition(lambda self: not self.model)
    @rule()
    def get_from_empty(self) -> None:
        assert self.box.peek() is None
        with pytest.raises(MailboxEmpty):
            self.box.get_nowait()

    @rule()
    def ask_lost(self) -> None:
        before = self.box._told
        assert self.box.take_lost() == self.lost - before
        assert self.box.take_lost() == 0

    @invariant()
    def counters_agree(self) -> None:
        box = self.box
        assert box.depth == len(self.model) <= box.capacity
        assert (box.lost, box.conflated, box.refused) == (
            self.lost,
            self.conflated,
            self.refused,
        )
        assert box.received + box.refused == self.sent
        assert box.high_water == self.high
        assert self.wakes == self.expected_wakes


class DropOldestModel(MailboxModel):
    def make(self) -> Mailbox[Item]:
        return Mailbox(self.capacity)

    def expect(self, item: Item) -> bool:
        if len(self.model) == self.capacity:
            self.model.pop(0)
            self.lost += 1
        self.model.append(item)
        return True


class NeverModel(MailboxModel):
    def make(self) -> Mailbox[Item]:
        return Mailbox(self.capacity, overflow=Overflow.NEVER)

    def expect(self, item: Item) -> bool:
        if len(self.model) == self.capacity:
            self.refused += 1
            return False
        self.model.append(item)
        return True


class ConflateModel(MailboxModel):
    def make(self) -> Mailbox[Item]:
        return ConflatingMailbox(self.capacity, key_of)

    def expect(self, item: Item) -> bool:
        for at, waiting in enumerate(self.model):
            if waiting.key == item.key:
                self.model[at] = item
                self.conflated += 1
                return True
        if len(self.model) == self.capacity:
            self.model.pop(0)
            self.lost += 1
        self.model.append(item)
        return True


TestDropOldest = DropOldestModel.TestCase
TestNever = NeverModel.TestCase
TestConflate = ConflateModel.TestCase


@given(st.lists(st.integers(), max_size=40), st.integers(1, 10))
def test_drop_oldest_keeps_the_newest_and_says_how_many_it_lost(
    sent: list[int], capacity: int
) -> None:
    box: Mailbox[int] = Mailbox(capacity)
    for n in sent:
        box.put(n)
    assert box.take_lost() == max(0, len(sent) - capacity)
    assert box.drain() == sent[-capacity:]


def test_never_refuses_with_an_error_that_names_the_box() -> None:
    box: Mailbox[int] = Mailbox(1, overflow=Overflow.NEVER, name="journal")
    box.put(1)
    with pytest.raises(ChannelFull, match="journal holds 1 of 1"):
        box.put(2)
    assert box.drain() == [1]
    box.put(3)


def test_a_mailbox_without_room_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="capacity is 0"):
        Mailbox(0)


def test_a_broken_wake_callback_does_not_reach_the_publisher(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> None:
        raise ValueError("no pump")

    box: Mailbox[int] = Mailbox(3, wake=broken)
    assert box.offer(1)
    assert box.drain() == [1]
    assert "wake callback" in caplog.text


def make_stamp() -> Callable[[], int]:
    ticks = iter(range(100))
    return lambda: next(ticks)


def test_stamps_are_taken_on_arrival() -> None:
    plain: Mailbox[object] = Mailbox(3, stamp=make_stamp())
    plain.offer("a")
    plain.offer("b")
    assert plain.drain() == [(0, "a"), (1, "b")]
    keyed: Mailbox[Any] = ConflatingMailbox(3, key_of, stamp=make_stamp())
    keyed.offer(Item(1, 1))
    keyed.offer(Item(1, 2))
    assert keyed.drain() == [(1, Item(1, 2))]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_get_waits_for_an_event_and_serves_waiters_in_turn() -> None:
    box: Mailbox[int] = Mailbox(10)
    got: list[tuple[str, int]] = []

    async def reader(name: str) -> None:
        got.append((name, await box.get()))

    jobs = [asyncio.ensure_future(reader(name)) for name in "abc"]
    await settle()
    box.put(1)
    box.put(2)
    box.put(3)
    await asyncio.gather(*jobs)
    assert sorted(n for _, n in got) == [1, 2, 3]
    assert got[0] == ("a", 1)


async def test_a_reader_cancelled_as_it_is_roused_passes_the_event_on() -> None:
    box: Mailbox[int] = Mailbox(10)
    first = asyncio.ensure_future(box.get())
    second = asyncio.ensure_future(box.get())
    await settle()
    box.put(1)
    first.cancel()
    assert await asyncio.wait_for(second, 5) == 1
    with suppress(asyncio.CancelledError):
        await first


async def test_a_reader_cancelled_before_an_event_leaves_no_trace() -> None:
    box: Mailbox[int] = Mailbox(10)
    first = asyncio.ensure_future(box.get())
    await settle()
    first.cancel()
    box.put(1)
    await settle()
    assert first.cancelled()
    assert await box.get() == 1


async def test_an_edge_waits_for_room_and_nothing_is_lost() -> None:
    box: Mailbox[int] = Mailbox(2, overflow=Overflow.NEVER)

    async def edge() -> None:
        for n in range(20):
            await box.put_wait(n)

    job = asyncio.ensure_future(edge())
    got: list[int] = []
    while len(got) < 20:
        got.append(await box.get())
        assert box.depth <= 2
    await job
    assert got == list(range(20))
    assert box.high_water == 2
    assert box.lost == box.refused == 0


async def test_two_edges_never_overfill_between_them() -> None:
    box: Mailbox[int] = Mailbox(1, overflow=Overflow.NEVER)

    async def edge(base: int) -> None:
        for n in range(10):
            await box.put_wait(base + n)

    jobs = [asyncio.ensure_future(edge(base)) for base in (0, 100)]
    got = [await box.get() for _ in range(20)]
    await asyncio.gather(*jobs)
    assert [n for n in got if n < 100] == list(range(10))
    assert [n for n in got if n >= 100] == list(range(100, 110))


async def test_closing_lets_the_reader_finish_and_then_ends_it() -> None:
    box: Mailbox[int] = Mailbox(10, name="ui")
    box.put(1)
    box.put(2)
    box.close()
    box.close()
    assert [n async for n in box] == [1, 2]
    with pytest.raises(MailboxClosed, match="ui"):
        await box.get()
    with pytest.raises(MailboxClosed):
        box.put(3)


async def test_closing_releases_those_who_wait() -> None:
    box: Mailbox[int] = Mailbox(1, overflow=Overflow.NEVER)
    reader = asyncio.ensure_future(box.get())
    await settle()
    box.close()
    with pytest.raises(MailboxClosed):
        await reader
    full: Mailbox[int] = Mailbox(1, overflow=Overflow.NEVER)
    full.put(1)
    writer = asyncio.ensure_future(full.put_wait(2))
    await settle()
    full.close()
    with pytest.raises(MailboxClosed):
        await writer
