"""Broadcast typed events to whoever subscribed; one channel per event type.

Publishers call ``publish``; handlers run in the publisher's call, observers read their
mailbox when they like. A subscriber's error or slowness never reaches another one.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from operator import attrgetter
from typing import Any, TypeVar

from workstation.kernel.channel import (
    Channel,
    ChannelConfig,
    ChannelStats,
    Subscription,
)
from workstation.kernel.errors import ChannelFull, InvalidChannel, InvalidSetting
from workstation.kernel.mailbox import ConflatingMailbox, Mailbox, Overflow

__all__ = [
    "ChannelConfig",
    "ChannelStats",
    "EventBus",
    "Mailbox",
    "Overflow",
    "Subscription",
]

T = TypeVar("T")
ErrorHook = Callable[[Subscription, Any, Exception], object]
_log = logging.getLogger(__name__)


class EventBus:
    """Carry events from publishers to subscribers, by the exact type of the event.

    A handler that publishes does so inside the outer publication; where causes must
    come before effects for everyone, use the Dispatcher.
    """

    def __init__(
        self,
        channels: Mapping[type, ChannelConfig] | None = None,
        history: int = 1000,
        *,
        on_error: ErrorHook | None = None,
    ) -> None:
        if history < 0:
            raise InvalidSetting("history", history, "0 or more events")
        self._history = history
        self._recent: deque[Any] = deque(maxlen=history)
        self._remember = self._recent.append
        self._channels: dict[type, Channel] = {}
        self._subscribed = 0
        self.on_error = on_error
        for event_type, config in (channels or {}).items():
            self.add_channel(event_type, config)

    def publish(self, event: object) -> int:
        """Give an event to all who subscribed to its type; return to how many.

        Nobody listening is no error. Raises InvalidChannel for a type without a
        channel, and ChannelFull when an observer that may not lose anything has no
        room: all others have the event then, so wait for room before you publish
        rather than publishing it again.
        """
        channel = self._channels.get(type(event))
        if channel is None:
            raise InvalidChannel(type(event), self._channels)
        channel.published += 1
        self._remember(event)
        channel.remember(event)
        audience = channel.everyone
        if not (audience.size or channel.by_key):
            # Most of what a run publishes nobody has subscribed to.
            channel.unheard += 1
            return 0
        if channel.by_key:
            audience = channel.by_key.get(channel.key_of(event), audience)
        if audience.handlers:
            self._call(channel, audience.handlers, event)
        full: list[Mailbox[Any]] | None = None
        for mailbox in audience.mailboxes:
            if not mailbox.offer(event):
                full = [*(full or ()), mailbox]
        if full:
            raise ChannelFull(
                channel.event_type.__name__,
                full[0].capacity,
                [mailbox.name for mailbox in full],
            )
        if not audience.size:
            channel.unheard += 1
        return audience.size

    async def publish_wait(self, event: object) -> int:
        """Wait until nobody would refuse the event, then publish it."""
        channel = self._channel(type(event))
        while True:
            audience = channel.audience_of(event)
            full = [box for box in audience.mailboxes if not box.has_room]
            if not full:
                return self.publish(event)
            for mailbox in full:
                if not mailbox.closed:
                    await mailbox.wait_room()

    def _call(
        self, channel: Channel, handlers: tuple[Subscription, ...], event: object
    ) -> None:
        channel.called += len(handlers)
        calls = iter(handlers)
        while True:
            try:
                for subscription in calls:
                    subscription.handler(event)
                return
            except Exception as error:
                # The iterator stands behind the one that failed: go on with the next.
                channel.errors += 1
                subscription.errors += 1
                self._report(subscription, event, error)

    def _report(
        self, subscription: Subscription, event: object, error: Exception
    ) -> None:
        if self.on_error is None:
            _log.error(
                "subscriber %s failed on %s",
                subscription.name,
                type(event).__name__,
                exc_info=error,
            )
            return
        try:
            self.on_error(subscription, event, error)
        except Exception:
            _log.exception("the bus's on_error hook failed")

    def add_channel(self, event_type: type, config: ChannelConfig) -> None:
        """Open a channel for an event type; InvalidSetting when it has one."""
        if event_type in self._channels:
            raise InvalidSetting(
                "channel", event_type.__name__, "a type that has no channel yet"
            )
        self._channels[event_type] = Channel(event_type, config, self._history)

    @property
    def channels(self) -> tuple[type, ...]:
        """Return the event types that have a channel, in the order they were added."""
        return tuple(self._channels)

    def subscribe(
        self,
        event_type: type[T],
        handler: Callable[[T], object],
        *,
        key: Hashable | None = None,
        name: str = "",
    ) -> Subscription:
        """Call ``handler`` with every event of the type published from now on.

        With ``key``, only with those whose key attribute equals it.
        """
        channel = self._channel(event_type)
        self._check_key(channel, key)
        self._subscribed += 1
        subscription = Subscription(channel, handler, key, name, self._subscribed)
        channel.add(subscription)
        return subscription

    def observe(
        self,
        event_type: type[T],
        *,
        capacity: int | None = None,
        overflow: Overflow | None = None,
        key: Hashable | None = None,
        name: str = "",
        wake: Callable[[], object] | None = None,
        stamp: Callable[[], object] | None = None,
    ) -> Mailbox[T]:
        """Open a mailbox that receives every event of the type from now on.

        ``capacity`` and ``overflow`` are the channel's unless given; ``key`` as in
        ``subscribe``, ``wake`` and ``stamp`` as in Mailbox.
        """
        channel = self._channel(event_type)
        self._check_key(channel, key)
        room = channel.config.capacity if capacity is None else capacity
        policy = channel.config.overflow if overflow is None else overflow
        label = name or f"observer of {event_type.__name__}"
        mailbox: Mailbox[T]
        if policy is Overflow.CONFLATE:
            attribute = channel.config.key
            if attribute is None:
                raise InvalidSetting(
                    "overflow", policy.value, "another policy: the channel has no key"
                )
            mailbox = ConflatingMailbox(
                room, attrgetter(attribute), name=label, wake=wake, stamp=stamp
            )
        else:
            mailbox = Mailbox(room, overflow=policy, name=label, wake=wake, stamp=stamp)
        channel.attach(mailbox, key)
        return mailbox

    def last(self, n: int) -> list[Any]:
        """Return the newest ``n`` events of all types, oldest first."""
        return _newest(self._recent, n)

    def last_of(self, event_type: type[T], n: int) -> list[T]:
        """Return the newest ``n`` events of one type, oldest first."""
        return _newest(self._channel(event_type).recent, n)

    def stats(self) -> tuple[ChannelStats, ...]:
        """Return the counters of every channel, in the order they were added."""
        return tuple(channel.stats() for channel in self._channels.values())

    def _channel(self, event_type: type) -> Channel:
        try:
            return self._channels[event_type]
        except KeyError:
            raise InvalidChannel(event_type, self._channels) from None

    @staticmethod
    def _check_key(channel: Channel, key: Hashable | None) -> None:
        if key is not None and channel.config.key is None:
            raise InvalidSetting(
                "key",
                key,
                f"left out: channel {channel.event_type.__name__} has no key attribute",
            )


def _newest(events: deque[T], n: int) -> list[T]:
    if n < 0:
        raise InvalidSetting("n", n, "0 or more events")
    skip = max(0, len(events) - n)
    return list(events)[skip:]
