"""One event type's channel: who hears it, and what has passed through it.

Owned by the bus. An audience is an immutable picture of the subscribers, built when
they change, so that publishing walks tuples and costs the interested ones only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from operator import attrgetter
from typing import Any

import msgspec

from workstation.kernel.errors import InvalidSetting
from workstation.kernel.mailbox import Mailbox, Overflow


class ChannelConfig(msgspec.Struct, frozen=True):
    """Set up a channel: room per observer, what it is for, what overflow does.

    ``key`` names the attribute of the event by which one may subscribe or conflate.
    """

    capacity: int
    description: str
    overflow: Overflow = Overflow.DROP_OLDEST
    key: str | None = None

    def __post_init__(self) -> None:
        if self.capacity < 1:
            raise InvalidSetting("channel capacity", self.capacity, "1 or more")
        if self.overflow is Overflow.CONFLATE and self.key is None:
            raise InvalidSetting(
                "channel key", self.key, "an attribute name when overflow is conflate"
            )


class ChannelStats(msgspec.Struct, frozen=True, kw_only=True):
    """Show what a channel has done since it was opened.

    ``delivered`` counts calls of handlers and events put in mailboxes; ``dropped``
    those forgotten for want of room; ``unheard`` those published to nobody; ``depth``
    and ``high_water`` are of its fullest mailbox.
    """

    name: str
    description: str
    capacity: int
    subscribers: int
    published: int
    delivered: int
    dropped: int
    unheard: int
    depth: int
    high_water: int
    conflated: int
    refused: int
    errors: int


class Subscription:
    """Stand for one plain handler on one channel."""

    __slots__ = ("_channel", "errors", "event_type", "handler", "key", "name", "order")

    def __init__(
        self,
        channel: Channel,
        handler: Callable[[Any], object],
        key: Hashable | None,
        name: str,
        order: int,
    ) -> None:
        self._channel = channel
        self.event_type = channel.event_type
        self.handler = handler
        self.key = key
        self.name = name or getattr(handler, "__qualname__", repr(handler))
        self.order = order
        self.errors = 0

    def unsubscribe(self) -> None:
        """Stop the calls, at once and also of an event on its way. Harmless twice."""
        self.handler = _ignore
        self._channel.remove(self)


def _ignore(event: object) -> None:
    """Stand in for a handler that has gone."""


class Audience:
    """Hold who hears an event: handlers in order of subscription, then mailboxes."""

    __slots__ = ("handlers", "mailboxes", "size")

    def __init__(
        self, handlers: tuple[Subscription, ...], mailboxes: tuple[Mailbox[Any], ...]
    ) -> None:
        self.handlers = handlers
        self.mailboxes = mailboxes
        self.size = len(handlers) + len(mailboxes)


class Channel:
    """Keep the subscribers and counters of one event type."""

    __slots__ = (
        "_closed_conflated",
        "_closed_dropped",
        "_closed_high",
        "_closed_received",
        "_closed_refused",
        "_mailboxes",
        "_subscriptions",
        "by_key",
        "called",
        "config",
        "errors",
        "event_type",
        "everyone",
        "key_of",
        "published",
        "recent",
        "remember",
        "unheard",
    )

    def __init__(self, event_type: type, config: ChannelConfig, history: int) -> None:
        self.event_type = event_type
        self.config = config
        self.key_of: Callable[[Any], Hashable] = attrgetter(config.key or "")
        self.published = 0
        self.called = 0
        self.unheard = 0
        self.errors = 0
        self.recent: deque[Any] = deque(maxlen=history)
        self.remember = self.recent.append
        self.everyone = Audience((), ())
        self.by_key: dict[Hashable, Audience] = {}
        self._subscriptions: dict[Hashable | None, list[Subscription]] = {}
        self._mailboxes: dict[Hashable | None, list[Mailbox[Any]]] = {}
        self._closed_received = 0
        self._closed_dropped = 0
        self._closed_conflated = 0
        self._closed_refused = 0
        self._closed_high = 0

    def audience_of(self, event: object) -> Audience:
        """Return who would hear this event."""
        if not self.by_key:
            return self.everyone
        return self.by_key.get(self.key_of(event), self.everyone)

    def add(self, subscription: Subscription) -> None:
        """Let a handler hear what is published from now on."""
        self._subscriptions.setdefault(subscription.key, []).append(subscription)
        self._seat(subscription.key)

    def remove(self, subscription: Subscription) -> None:
        """Forget a handler; harmless when it is not here."""
        group = self._subscriptions.get(subscription.key, [])
        if subscription in group:
            group.remove(subscription)
            self._seat(subscription.key)

    def attach(self, mailbox: Mailbox[Any], key: Hashable | None) -> None:
        """Let a mailbox receive what is published from now on."""
        self._mailboxes.setdefault(key, []).append(mailbox)
        mailbox._on_close = lambda: self._detach(mailbox, key)
        self._seat(key)

    def _detach(self, mailbox: Mailbox[Any], key: Hashable | None) -> None:
        self._mailboxes[key].remove(mailbox)
        self._closed_received += mailbox.received
        self._closed_dropped += mailbox.lost
        self._closed_conflated += mailbox.conflated
        self._closed_refused += mailbox.refused
        self._closed_high = max(self._closed_high, mailbox.high_water)
        self._seat(key)

    def _seat(self, key: Hashable | None) -> None:
        """Build again the audiences that a change at ``key`` touches."""
        if key is None:
            self.everyone = Audience(
                tuple(self._subscriptions.get(None, ())),
                tuple(self._mailboxes.get(None, ())),
            )
            for each in self.by_key:
                self.by_key[each] = self._audience(each)
        elif self._subscriptions.get(key) or self._mailboxes.get(key):
            self.by_key[key] = self._audience(key)
        else:
            self.by_key.pop(key, None)
            self._subscriptions.pop(key, None)
            self._mailboxes.pop(key, None)

    def _audience(self, key: Hashable) -> Audience:
        """Return those who hear everything and those who hear ``key``, in order."""
        handlers = [
            *self._subscriptions.get(None, ()),
            *self._subscriptions.get(key, ()),
        ]
        handlers.sort(key=lambda each: each.order)
        mailboxes = (*self._mailboxes.get(None, ()), *self._mailboxes.get(key, ()))
        return Audience(tuple(handlers), mailboxes)

    def stats(self) -> ChannelStats:
        """Return the counters as they stand."""
        boxes = [box for group in self._mailboxes.values() for box in group]
        handlers = sum(len(group) for group in self._subscriptions.values())
        received = self._closed_received + sum(box.received for box in boxes)
        return ChannelStats(
            name=self.event_type.__name__,
            description=self.config.description,
            capacity=self.config.capacity,
            subscribers=handlers + len(boxes),
            published=self.published,
            delivered=self.called + received,
            dropped=self._closed_dropped + sum(box.lost for box in boxes),
            unheard=self.unheard,
            depth=max((box.depth for box in boxes), default=0),
            high_water=max(
                self._closed_high, max((box.high_water for box in boxes), default=0)
            ),
            conflated=self._closed_conflated + sum(box.conflated for box in boxes),
            refused=self._closed_refused + sum(box.refused for box in boxes),
            errors=self.errors,
        )
