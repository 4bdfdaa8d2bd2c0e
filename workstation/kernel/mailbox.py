"""A bounded box of events between a publisher and one reader at its own pace.

The bus fills it, an observer empties it. It never waits on behalf of the publisher,
and touches asyncio only when somebody awaits. One thread only.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable
from enum import StrEnum
from typing import Any, Generic, TypeVar

from workstation.kernel.errors import (
    ChannelFull,
    InvalidSetting,
    MailboxClosed,
    MailboxEmpty,
)

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Overflow(StrEnum):
    """Say what a full mailbox does with one more event."""

    DROP_OLDEST = "drop_oldest"
    """Forget the oldest waiting event and count it as lost."""
    CONFLATE = "conflate"
    """Keep the newest event per key, in the place of the one it replaces."""
    NEVER = "never"
    """Refuse the publisher with ChannelFull."""


class Mailbox(Generic[T]):
    """Hold events for one reader: oldest first, at most ``capacity`` of them.

    ``wake`` is called with the first event that arrives in an empty mailbox, so once
    per burst for a reader that empties it. With ``stamp`` the items come out as
    ``(stamp(), event)``, stamped on arrival.
    """

    def __init__(
        self,
        capacity: int,
        *,
        overflow: Overflow = Overflow.DROP_OLDEST,
        name: str = "",
        wake: Callable[[], object] | None = None,
        stamp: Callable[[], object] | None = None,
    ) -> None:
        if capacity < 1:
            raise InvalidSetting("capacity", capacity, "1 or more")
        self.capacity = capacity
        self.overflow = overflow
        self.name = name
        self.wake = wake
        self.lost = 0
        """Events forgotten for want of room since the mailbox was opened."""
        self.conflated = 0
        """Events replaced by a newer one of their key."""
        self.refused = 0
        """Events turned away with ChannelFull."""
        self.closed = False
        self._taken = 0
        self._told = 0
        self._high = 0
        self._stamp = stamp
        self._on_close: Callable[[], object] | None = None
        self._getters: deque[asyncio.Future[None]] = deque()
        self._putters: deque[asyncio.Future[None]] = deque()
        # Any: a stamped mailbox holds pairs, a plain one events.
        self._items: Any = self._new_items()

    def _new_items(self) -> Any:
        return deque()

    # -- the publisher's side ---------------------------------------------------

    def offer(self, event: T) -> bool:
        """Put an event in; return False when the mailbox refuses it."""
        items = self._items
        depth = len(items)
        if depth >= self.capacity:
            self._high = depth
            if self.overflow is Overflow.NEVER:
                self.refused += 1
                return False
            items.popleft()
            self.lost += 1
        items.append(event if self._stamp is None else (self._stamp(), event))
        if not depth:
            self._arrived()
        return True

    def put(self, event: T) -> None:
        """Put an event in; raise ChannelFull when full, MailboxClosed when closed."""
        if self.closed:
            raise MailboxClosed(f"mailbox {self.name!r} is closed; open another")
        if not self.offer(event):
            label = self.name or "mailbox"
            raise ChannelFull(type(event).__name__, self.capacity, (label,))

    async def put_wait(self, event: T) -> None:
        """Put an event in, waiting for room if the mailbox would refuse it."""
        await self.wait_room()
        self.put(event)

    @property
    def has_room(self) -> bool:
        """Return whether one more event would be taken without a refusal."""
        return self.overflow is not Overflow.NEVER or len(self._items) < self.capacity

    async def wait_room(self) -> None:
        """Return when one more event would be taken; raise MailboxClosed if never."""
        while not self.has_room:
            if self.closed:
                raise MailboxClosed(f"mailbox {self.name!r} was closed while full")
            await self._wait_in(self._putters)

    # -- the reader's side ------------------------------------------------------

    async def get(self) -> T:
        """Return the oldest event, waiting for one; MailboxClosed when none can come.

        One that several await serves them in the order they came.
        """
        while not self._items:
            await self.wait_item()
        item = self._take()
        if self._items:
            self._rouse(self._getters)
        return item

    async def wait_item(self) -> None:
        """Return when there is an event to take, without taking it."""
        while not self._items:
            if self.closed:
                raise MailboxClosed(f"mailbox {self.name!r} is closed and empty")
            try:
                await self._wait_in(self._getters)
            except asyncio.CancelledError:
                # Whoever was roused and cancelled must not swallow the rousing.
                if self._items:
                    self._rouse(self._getters)
                raise

    def get_nowait(self) -> T:
        """Return the oldest event; raise MailboxEmpty when there is none."""
        if not self._items:
            raise MailboxEmpty(f"mailbox {self.name!r} is empty; await get() to wait")
        return self._take()

    def drain(self, limit: int | None = None) -> list[T]:
        """Return up to ``limit`` events (all by default), oldest first."""
        depth = len(self._items)
        if depth > self._high:
            self._high = depth
        if limit is None or limit >= depth:
            batch = self._pop_all()
        else:
            batch = [self._pop() for _ in range(max(0, limit))]
        self._taken += len(batch)
        if self._putters:
            self._rouse_all(self._putters)
        return batch

    def take_lost(self) -> int:
        """Return how many events were lost since this was last asked."""
        fresh = self.lost - self._told
        self._told = self.lost
        return fresh

    def peek(self) -> T | None:
        """Return the oldest event and leave it; None when there is none."""
        return self._head() if self._items else None

    @property
    def depth(self) -> int:
        """Return how many events wait."""
        return len(self._items)

    @property
    def high_water(self) -> int:
        """Return the most events that ever waited."""
        return max(self._high, len(self._items))

    @property
    def received(self) -> int:
        """Return how many events came in, whatever became of them."""
        return self._taken + self.lost + self.conflated + len(self._items)

    def close(self) -> None:
        """Take in nothing more; what waits can still be read. Harmless twice."""
        if self.closed:
            return
        self.closed = True
        if self._on_close is not None:
            self._on_close()
        self._rouse_all(self._getters)
        self._rouse_all(self._putters)

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        try:
            return await self.get()
        except MailboxClosed:
            raise StopAsyncIteration from None

    # -- inside -----------------------------------------------------------------

    def _pop(self) -> T:
        item: T = self._items.popleft()
        return item

    def _pop_all(self) -> list[T]:
        batch: list[T] = list(self._items)
        self._items.clear()
        return batch

    def _head(self) -> T:
        item: T = self._items[0]
        return item

    def _take(self) -> T:
        depth = len(self._items)
        if depth > self._high:
            self._high = depth
        self._taken += 1
        item = self._pop()
        if self._putters:
            self._rouse_all(self._putters)
        return item

    def _arrived(self) -> None:
        if self._getters:
            self._rouse(self._getters)
        if self.wake is not None:
            try:
                self.wake()
            except Exception:
                # The publisher must not pay for a reader's broken callback.
                _log.exception("the wake callback of mailbox %r failed", self.name)

    @staticmethod
    async def _wait_in(line: deque[asyncio.Future[None]]) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(future)
        try:
            await future
        finally:
            if future in line:
                line.remove(future)

    @staticmethod
    def _rouse(line: deque[asyncio.Future[None]]) -> None:
        while line:
            future = line.popleft()
            if not future.done():
                future.set_result(None)
                return

    @classmethod
    def _rouse_all(cls, line: deque[asyncio.Future[None]]) -> None:
        while line:
            cls._rouse(line)


class ConflatingMailbox(Mailbox[T]):
    """Hold the newest event per key; a new key in a full mailbox drops the oldest."""

    def __init__(
        self,
        capacity: int,
        key_of: Callable[[T], Hashable],
        *,
        name: str = "",
        wake: Callable[[], object] | None = None,
        stamp: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(
            capacity, overflow=Overflow.CONFLATE, name=name, wake=wake, stamp=stamp
        )
        self._key_of = key_of

    def _new_items(self) -> Any:
        return OrderedDict()

    def offer(self, event: T) -> bool:
        """Put an event in, in the place of the one with its key if that waits."""
        items = self._items
        depth = len(items)
        key = self._key_of(event)
        if key in items:
            self.conflated += 1
        elif depth >= self.capacity:
            self._high = depth
            items.popitem(last=False)
            self.lost += 1
        items[key] = event if self._stamp is None else (self._stamp(), event)
        if not depth:
            self._arrived()
        return True

    def _pop(self) -> T:
        item: T = self._items.popitem(last=False)[1]
        return item

    def _pop_all(self) -> list[T]:
        batch: list[T] = list(self._items.values())
        self._items.clear()
        return batch

    def _head(self) -> T:
        item: T = next(iter(self._items.values()))
        return item
