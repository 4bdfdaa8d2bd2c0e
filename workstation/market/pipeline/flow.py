"""Order flow imbalance of the best prices (Cont, Kukanov, Stoikov 2014).

Each change of best prices or sizes is an event of size e: what came to the bid and
left the ask counts up, the reverse down. Summed over a window and divided by the mean
best-queue size it is a pure number: +1 is one whole queue of buying.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from workstation.market.pipeline.figures import Figure
from workstation.market.pipeline.processor import Ground, Shipped
from workstation.market.pipeline.settings import FlowSettings
from workstation.model.timeframes import NS_PER_S

if TYPE_CHECKING:
    from workstation.market.live import LiveInstrument

__all__ = ["Flow", "Top", "flow_events"]

Top = tuple[float, float, float, float]
"""Bid, bid size, ask, ask size."""

STEPS = 20
"""Steps in a window: sums are kept per step, so nothing drifts and memory is fixed."""


def flow_events(tops: Sequence[Top]) -> list[float]:
    """Return e of each top after the first, in units of size."""
    return [flow_event(before, after) for before, after in pairwise(tops)]


def flow_event(before: Top, after: Top) -> float:
    """Return e between two tops: > 0 is buying."""
    bid, bid_size, ask, ask_size = after
    old_bid, old_bid_size, old_ask, old_ask_size = before
    return (
        (bid_size if bid >= old_bid else 0.0)
        - (old_bid_size if bid <= old_bid else 0.0)
        - (ask_size if ask <= old_ask else 0.0)
        + (old_ask_size if ask >= old_ask else 0.0)
    )


class Flow(Shipped):
    """Order flow imbalance over the running step of the window and the 19 before."""

    __slots__ = (
        "_ask",
        "_ask_size",
        "_bid",
        "_bid_size",
        "_count",
        "_end_ns",
        "_queue",
        "_step_ns",
        "_steps",
        "_sum",
    )

    name = "flow"
    gives: ClassVar[tuple[Figure, ...]] = (
        Figure(
            "ofi",
            "mean best queues",
            "Σe of the best prices over `window_s`, divided by the mean best-queue "
            "size of the window; > 0 is buying; nothing counts across a gap",
            "best prices did not change in the window",
        ),
    )

    def __init__(self, settings: FlowSettings) -> None:
        self._step_ns = max(1, round(settings.window_s * NS_PER_S / STEPS))
        # Sums of the steps that are over, oldest first: (end, Σe, Σ queues, count).
        self._steps: list[tuple[int, float, float, int]] = []
        self._end_ns = 0
        self._sum = 0.0
        self._queue = 0.0
        self._count = 0
        # The top before; a bid of 0.0 means that there is none to compare with.
        self._bid = 0.0
        self._bid_size = 0.0
        self._ask = 0.0
        self._ask_size = 0.0

    def attach(self, ground: Ground) -> None:
        """Watch best prices and breaks."""
        live = ground.live
        live.top_watchers = (*live.top_watchers, self._on_top)
        live.break_watchers = (*live.break_watchers, self._broken)

    def _on_top(self, live: LiveInstrument, ts: int) -> None:
        bid = live.bid
        ask = live.ask
        bid_size = live.bid_size
        ask_size = live.ask_size
        if not 0.0 < bid <= ask:
            self._bid = 0.0
            return
        old_bid = self._bid
        if old_bid:
            old_ask = self._ask
            if ts >= self._end_ns:
                self._turn(ts)
            # As flow_event, without the call: this is done for every quote.
            event = bid_size if bid >= old_bid else 0.0
            if bid <= old_bid:
                event -= self._bid_size
            if ask <= old_ask:
                event -= ask_size
            if ask >= old_ask:
                event += self._ask_size
            self._sum += event
            self._queue += bid_size + ask_size
            self._count += 1
        self._bid = bid
        self._bid_size = bid_size
        self._ask = ask
        self._ask_size = ask_size

    def _turn(self, ts: int) -> None:
        """Close the step that is over, and begin the one of ``ts``."""
        step = self._step_ns
        begin = ts - ts % step
        if self._count:
            done = (self._end_ns, self._sum, self._queue, self._count)
            self._steps.append(done)
        oldest = begin - (STEPS - 1) * step
        while self._steps and self._steps[0][0] <= oldest:
            del self._steps[0]
        self._end_ns = begin + step
        self._sum = self._queue = 0.0
        self._count = 0

    def _broken(self, live: LiveInstrument) -> None:
        self._bid = 0.0

    @property
    def ofi(self) -> float | None:
        """Return Σe over the window in mean best-queue sizes; > 0 is buying."""
        queue, count = self._queue, self._count
        events = self._sum
        for _, done, queues, counted in self._steps:
            events += done
            queue += queues
            count += counted
        # Each change saw two queues, so their mean is Σ/2n.
        return events * 2.0 * count / queue if queue > 0.0 else None

    def digest(self) -> tuple[object, ...]:
        """Return the whole state for the state hash."""
        return (
            list(self._steps),
            (self._end_ns, self._sum, self._queue, self._count),
            (self._bid, self._bid_size, self._ask, self._ask_size),
        )
