"""What waits here for a price: triggers, watched per instrument.

The stops and targets of positions and the stop orders that are held here wait in one
list and are met by one comparison. The price watch shows it prices; what then happens
is the business of whoever waits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

from workstation.model.instruments import Side, to_decimal
from workstation.model.market import Bar
from workstation.model.ports import InstrumentView

__all__ = ["Grown", "Triggers", "Waiting", "meeting_price"]

# Bound once: looking a member up in its enum costs ten times a global (3.11).
_SELL = Side.SELL


class Grown(Enum):
    """Where in a bar a position has grown, and so what of the bar came after it.

    At a LIMIT all that is worse did, and nobody knows of what is better; at a TRIGGER
    nobody knows of either.
    """

    LIMIT = "limit"
    TRIGGER = "trigger"


class Waiting(ABC):
    """Triggers of one order, or of one position; the floats are what prices meet.

    ``side`` is that of the order that is released. A seller's stop is met by a bid at
    or below it, a buyer's by an ask at or above it; a target from the other side.
    ``best`` is the best price so far, which a trailing stop follows. Of bars one waits
    for those that open at ``since_ns`` or later, and until ``until_ns``, where it has
    an end.
    """

    __slots__ = (
        *("best", "instrument", "owner", "side", "since_ns", "stop_float"),
        *("target_float", "until_ns"),
    )

    ends_entries = False
    """Whether its stop ends the entries of its owner, too."""

    def __init__(self, owner: str, instrument: str, side: Side, best: float) -> None:
        self.owner = owner
        self.instrument = instrument
        self.side = side
        self.best = best
        self.stop_float: float | None = None
        self.target_float: float | None = None
        self.since_ns = 0
        self.until_ns: int | None = None

    @property
    @abstractmethod
    def reduces(self) -> bool:
        """Tell whether what is released only closes; exits at a price then end."""

    @property
    @abstractmethod
    def is_fired(self) -> bool:
        """Tell whether it was met and waits for an exit to be out of its way."""

    @abstractmethod
    def stop_met(self, price: float, ts: int) -> None:
        """Hear that a price has met the stop."""

    @abstractmethod
    def target_met(self, price: float, ts: int) -> None:
        """Hear that a price has met the target."""

    @abstractmethod
    def improved(self, best: float) -> None:
        """Hear of a price better than the best so far, where nothing was met."""

    @abstractmethod
    def lapse(self) -> None:
        """Hear that a bar has passed in or before which its time ended."""


class Triggers:
    """All that wait, by instrument in the order in which they came."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Waiting]] = {}
        # When the last bar came, and how long it was.
        self._bars: dict[str, tuple[int, int]] = {}

    def add(self, waiting: Waiting) -> None:
        """Watch one more."""
        self.waiting.setdefault(waiting.instrument, []).append(waiting)

    def remove(self, waiting: Waiting) -> None:
        """Watch it no more; an instrument where nothing waits has no list."""
        here = self.waiting[waiting.instrument]
        here.remove(waiting)
        if not here:
            del self.waiting[waiting.instrument]

    def on_price(self, here: list[Waiting], bid: float, ask: float, ts: int) -> None:
        """Compare with the best prices: what a seller gets and a buyer pays."""
        if len(here) > 1:
            here = here.copy()
        for each in here:
            stop, target = each.stop_float, each.target_float
            if each.side is _SELL:
                if not bid > 0:
                    continue
                if stop is not None and bid <= stop:
                    each.stop_met(bid, ts)
                elif target is not None and bid >= target:
                    each.target_met(bid, ts)
                elif bid > each.best:
                    each.improved(bid)
            else:
                if not ask > 0:
                    continue
                if stop is not None and ask >= stop:
                    each.stop_met(ask, ts)
                elif target is not None and ask <= target:
                    each.target_met(ask, ts)
                elif ask < each.best:
                    each.improved(ask)

    def on_bar(self, bar: Bar, grown: Mapping[tuple[str, Side], Grown]) -> None:
        """Compare with a bar: its open, then in its range stop, target and new best.

        ``grown`` are positions that have grown in the range, by owner and the side
        that closes them: what may be older than they are is not shown to them.
        """
        ts = bar.ts_recv
        for each in self.waiting.get(bar.instrument, [])[:]:
            how = grown.get((each.owner, each.side))
            reach = self._reach(each, bar)
            if reach is not None and how is None:
                _meet(each, bar.open, *reach, ts)
            elif reach is not None and how is Grown.LIMIT:
                _meet_stop(each, reach[0], ts)
            until = each.until_ns
            if until is not None and until <= bar.ts_close:
                each.lapse()
        self._bars[bar.instrument] = ts, bar.ts_close - bar.ts_open

    def _reach(self, each: Waiting, bar: Bar) -> tuple[float, float] | None:
        """Return the worst and the best that one can meet of a bar, None for nothing.

        What came on the bar before, however late that was told, came before this one.
        """
        since, until = each.since_ns, each.until_ns
        if since > bar.ts_open and since != self._bars.get(bar.instrument, (0, 0))[0]:
            return None
        if until is not None and until < bar.ts_close:
            # Only its open lies within its time for sure.
            return None if until <= bar.ts_open else (bar.open, bar.open)
        return (bar.low, bar.high) if each.side is _SELL else (bar.high, bar.low)

    def length_ns(self, instrument: str) -> int | None:
        """Return how long the last bar was, None where none came."""
        last = self._bars.get(instrument)
        return None if last is None else last[1]

    def precedes(self, owner: str, side: Side, price: Decimal, bar: Bar) -> bool:
        """Tell whether a bar meets a trigger before it fills an order at this price.

        ``owner`` and ``side`` are the order's, which ends then: a stop comes before
        what closes its position at a price, and else what is nearer to the open before
        what is farther.
        """
        at = float(price)
        for each in self.waiting.get(bar.instrument, ()):
            if each.owner != owner or not each.reduces:
                continue
            reach = self._reach(each, bar)
            if reach is None:
                continue
            stop, target = each.stop_float, each.target_float
            (worst, best), other = reach, each.side.opposite
            stopped = _is_met(stop, worst, each.side)
            if each.side is side:
                nearer = target != at and _is_met(target, at, other)
                if stopped or (nearer and _is_met(target, best, other)):
                    return True
            elif each.ends_entries:
                nearer = _is_met(stop, at, each.side)
                if (stopped and nearer) or _is_met(target, bar.open, other):
                    return True
        return False


def _is_met(trigger: float | None, price: float, side: Side) -> bool:
    """Tell whether a price meets the stop of a side, or the target of the other."""
    if trigger is None:
        return False
    return price <= trigger if side is _SELL else price >= trigger


def _meet(each: Waiting, opened: float, worst: float, best: float, ts: int) -> None:
    target, exit_side = each.target_float, each.side
    if _meet_stop(each, opened, ts):
        return
    if _is_met(target, opened, exit_side.opposite):
        each.target_met(opened, ts)
    elif _meet_stop(each, worst, ts):
        return
    elif _is_met(target, best, exit_side.opposite):
        each.target_met(best, ts)
    elif best > each.best if exit_side is _SELL else best < each.best:
        each.improved(best)


def _meet_stop(each: Waiting, price: float, ts: int) -> bool:
    met = _is_met(each.stop_float, price, each.side)
    if met:
        each.stop_met(price, ts)
    return met


def meeting_price(view: InstrumentView, side: Side) -> Decimal | None:
    """Return the price that a trigger of this side would be compared with now."""
    best = view.bid if side is _SELL else view.ask
    price = best if best > 0 else view.mark or view.last
    return to_decimal(price) if price > 0 else None
