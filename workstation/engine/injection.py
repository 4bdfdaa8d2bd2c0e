"""Injected events: what an operator may feed by hand, and what no market could send.

Called by ``Control`` before an event goes in; it changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import structs

from workstation.model.errors import CommandRefused
from workstation.model.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    Level,
    MarketEvent,
    Quote,
)

__all__ = ["check_event"]


def check_event(event: MarketEvent, instruments: Sequence[str]) -> None:
    """Raise CommandRefused, with what would be right, for an impossible event."""
    if event.instrument not in instruments:
        known = ", ".join(instruments)
        raise CommandRefused(f"no instrument {event.instrument}; known: {known}")
    figures = _figures(event)
    if not all(map(math.isfinite, figures)):
        raise CommandRefused(f"{type(event).__name__} must have finite figures")
    if isinstance(event, BookDelta | BookSnapshot):
        good = all(price > 0 and size >= 0 for price, size in _levels(event))
        rule = "prices above 0 and sizes of 0 or more"
    elif isinstance(event, Quote):
        good = 0 < event.bid < event.ask and min(event.bid_size, event.ask_size) > 0
        rule = "0 < bid < ask and sizes above 0"
    elif isinstance(event, Bar):
        good = 0 < event.low <= min(event.open, event.close) and (
            event.high >= max(event.open, event.close)
        )
        good = good and event.volume >= 0 and event.timeframe_ns > 0
        rule = "low ≤ open, close ≤ high, all above 0, and no negative volume"
    else:
        good = event.price > 0 and event.size > 0
        rule = "price and size above 0"
    if not good:
        raise CommandRefused(f"{type(event).__name__} must have {rule}")


def _levels(event: BookDelta | BookSnapshot) -> tuple[Level, ...]:
    return (*event.bids, *event.asks)


def _figures(event: MarketEvent) -> tuple[float, ...]:
    if isinstance(event, BookDelta | BookSnapshot):
        return tuple(figure for level in _levels(event) for figure in level)
    return tuple(value for value in structs.astuple(event) if type(value) is float)
