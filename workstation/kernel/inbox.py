"""What waits for one asynchronous event task, over all the channels it subscribes to.

Filled by the bus, emptied by the task's runner: first published, first handled, each
channel by its own capacity and overflow. Knows how long the oldest event has waited.
"""

from __future__ import annotations

import asyncio
from typing import Any

from workstation.kernel.bus import EventBus
from workstation.kernel.clock import Clock
from workstation.kernel.mailbox import Mailbox


class Inbox:
    """Merge a task's mailboxes by order of arrival."""

    def __init__(
        self, bus: EventBus, clock: Clock, types: tuple[type, ...], name: str
    ) -> None:
        self._clock = clock
        self._arrivals = 0
        self._last_lag_ns = 0
        self._waiter: asyncio.Future[None] | None = None
        # Any: the stamped items are pairs of ((arrival, ns), event).
        self._boxes: list[Mailbox[Any]] = [
            bus.observe(each, name=name, wake=self._arrived, stamp=self._stamp)
            for each in dict.fromkeys(types)
        ]

    def _stamp(self) -> tuple[int, int]:
        self._arrivals += 1
        return self._arrivals, self._clock.now()

    def _arrived(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @property
    def depth(self) -> int:
        """Return how many events wait."""
        return sum(box.depth for box in self._boxes)

    @property
    def lost(self) -> int:
        """Return how many events were forgotten for want of room."""
        return sum(box.lost for box in self._boxes)

    @property
    def lag_ns(self) -> int:
        """Return how long the oldest event has waited, else how long the last one."""
        head = self._first()
        if head is None:
            return self._last_lag_ns
        return self._clock.now() - _stamp_of(head)[1]

    async def wait(self) -> None:
        """Return when there is an event to take."""
        while self._first() is None:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def take(self) -> Any:
        """Return the event that came first of all that wait."""
        box = self._first()
        assert box is not None
        (_, ns), event = box.get_nowait()
        self._last_lag_ns = self._clock.now() - ns
        return event

    def add(self, event: object, types: tuple[type, ...]) -> None:
        """Put in an event past the bus; raise ChannelFull when it finds no room."""
        self._boxes[list(dict.fromkeys(types)).index(type(event))].put(event)

    def close(self) -> int:
        """Leave all channels; return how many events were still waiting."""
        waiting = self.depth
        for box in self._boxes:
            box.close()
        return waiting

    def _first(self) -> Mailbox[Any] | None:
        waiting = [box for box in self._boxes if box.depth]
        return min(waiting, key=_stamp_of, default=None)


def _stamp_of(box: Mailbox[Any]) -> tuple[int, int]:
    head = box.peek()
    assert head is not None
    stamp: tuple[int, int] = head[0]
    return stamp
