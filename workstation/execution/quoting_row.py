"""One row's wish and its quotes: what is still wanted of it, and what works for it.

The quoting desk owns the rows. A fill is taken off the wish, so that between two
wishes a side never fills more than was wished; what somebody else withdrew is not
wanted any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from workstation.execution.settings import QuotingSettings
from workstation.execution.steps import Step
from workstation.execution.tracked import Tracked
from workstation.execution.working import Phase, Working
from workstation.kernel.clock import Timer
from workstation.model.desired import DesiredLevel, DesiredOrders
from workstation.model.events import OrderUpdated
from workstation.model.instruments import Side
from workstation.model.orders import TERMINAL, Order, OrderEvent, OrderStatus
from workstation.model.timeframes import NS_PER_MS, NS_PER_S

__all__ = ["Quote", "QuotingRow"]

ZERO = Decimal(0)
# Ended quotes whose late fills are still taken off the wish.
_KEEP_ENDED = 64
# After a refused cancel the report that explains it is on its way.
_AFTER_REFUSED_CANCEL_NS = 500 * NS_PER_MS
S = OrderStatus
E = OrderEvent
_PHASES: Mapping[OrderStatus, Phase] = {
    S.SUBMITTED: Phase.SENT,
    S.ACCEPTED: Phase.OPEN,
    S.PARTIALLY_FILLED: Phase.OPEN,
    S.PENDING_REPLACE: Phase.CHANGING,
    S.PENDING_CANCEL: Phase.LEAVING,
    S.UNKNOWN: Phase.UNKNOWN,
}


class Level:
    """One wished level and what is still wanted of it."""

    __slots__ = ("price", "quantity")

    def __init__(self, price: Decimal, quantity: Decimal) -> None:
        self.price = price
        self.quantity = quantity


class Quote:
    """An order of a row: the level it works for, and what was asked of it.

    ``asked`` is price and whole quantity of a change under way, ``lost`` says that
    nobody knows what became of one. ``leaving`` says that its cancel was ours.
    """

    __slots__ = (
        "asked",
        "filled",
        "leaving",
        "level",
        "lost",
        "rigid",
        "since_ns",
        "tracked",
    )

    def __init__(self, tracked: Tracked, level: Level | None, since_ns: int) -> None:
        self.tracked = tracked
        self.level = level
        self.since_ns = since_ns
        self.asked: tuple[Decimal, Decimal] | None = None
        self.filled = ZERO
        self.leaving = self.lost = self.rigid = False

    def working(self) -> Working | None:
        """Return it as requoting sees it; None where it cannot work."""
        order = self.tracked.order
        phase = _PHASES.get(order.status)
        if phase is None or order.price is None:
            return None
        if phase is Phase.OPEN and self.tracked.reshaping:
            # A refused cancel has opened it again, and the change is not answered.
            phase = Phase.CHANGING
        seen = Working(
            order_id=order.id,
            side=order.side,
            price=order.price,
            quantity=order.remaining,
            phase=phase,
            since_ns=self.since_ns,
            rigid=self.rigid,
        )
        if self.asked is None:
            return seen
        price, whole = self.asked
        return replace(
            seen,
            price=price,
            quantity=max(ZERO, whole - order.filled),
            old_price=order.price,
            old_quantity=order.remaining,
        )


class QuotingRow:
    """The quotes of one (owner, instrument)."""

    def __init__(self, wish: DesiredOrders, settings: QuotingSettings) -> None:
        self.wish = wish
        self._settings = settings
        self.levels: dict[Side, list[Level]] = {Side.BUY: [], Side.SELL: []}
        self.quotes: dict[str, Quote] = {}
        self.ended: dict[str, Quote] = {}
        self.refusals = dict.fromkeys(Side, 0)
        self.paused_ns = dict.fromkeys(Side, 0)
        self.told: dict[Side | None, str] = {}
        self.steps: tuple[Step, ...] = ()
        self.timer: Timer | None = None
        self.due_ns = 0
        self.watch: Timer | None = None
        self.timers = 0

    def take(self, wish: DesiredOrders) -> bool:
        """Wish something else; tell whether it differs from what is wanted now."""
        before = self.desired()
        self.wish = wish
        for side, levels in ((Side.BUY, wish.bids), (Side.SELL, wish.asks)):
            self.levels[side] = [Level(each.price, each.quantity) for each in levels]
        return (wish.bids, wish.asks) != (before.bids, before.asks)

    def adopt(self, tracked: Tracked) -> None:
        """Look after a quote that was made before this run."""
        quote = Quote(tracked, None, tracked.order.updated_ns)
        quote.filled = tracked.order.filled
        self.quotes[tracked.order.id] = quote

    def desired(self) -> DesiredOrders:
        """Return what is still wanted, levels in the order of ``levels``."""
        bids, asks = (
            tuple(DesiredLevel(each.price, each.quantity) for each in self.levels[side])
            for side in Side
        )
        return replace(self.wish, bids=bids, asks=asks)

    @property
    def wants_any(self) -> bool:
        """Tell whether any level is wanted."""
        return any(self.levels.values())

    @property
    def works_any(self) -> bool:
        """Tell whether any quote rests whose cancel nobody asked for."""
        return any(
            each.tracked.order.status is not S.PENDING_CANCEL
            for each in self.quotes.values()
        )

    def follow(self, event: OrderUpdated, ts: int) -> int | None:
        """Take in what became of a quote; return when to look at the row again."""
        order, what = event.order, event.event
        quote = self.quotes.get(order.id) or self.ended.get(order.id)
        if quote is None:
            return None
        if order.id in self.ended and order.status not in TERMINAL:
            # It was enlarged before its last fill, or its end was only concluded.
            self.quotes[order.id] = self.ended.pop(order.id)
            quote.leaving = False
        if what is E.REQUEST_CANCEL:
            if not quote.leaving:
                self._withdrawn(quote)
            return None
        if what is E.REJECT_CANCEL:
            quote.leaving = False
            return ts + _AFTER_REFUSED_CANCEL_NS
        if what is E.FILL or what is E.PARTIAL_FILL:
            self._filled(quote, order)
        elif what is E.ACCEPT or what is E.REPLACE:
            self.refusals[order.side] = self.paused_ns[order.side] = 0
            if what is E.REPLACE:
                quote.asked = None
                quote.since_ns = ts
        elif what is E.REJECT_REPLACE:
            quote.asked = None
            quote.rigid = True
            self._refused(order.side, ts)
        elif what is E.TIME_OUT:
            quote.lost = quote.lost or quote.asked is not None
        elif what is E.REJECT or what is E.EXPIRE:
            self._refused(order.side, ts)
        elif what is not E.CANCEL:
            return None
        elif not quote.leaving and event.before is not S.PENDING_CANCEL:
            # By the venue: nobody here asked for it.
            self._refused(order.side, ts)
        if order.status in TERMINAL and order.id in self.quotes:
            self._end(quote)
        return ts

    def _filled(self, quote: Quote, order: Order) -> None:
        """Take a fill off the level it was for, or else off the best ones."""
        fill = order.filled - quote.filled
        quote.filled = order.filled
        levels = self.levels[order.side]
        own = [each for each in levels if each is quote.level]
        # What is larger than its level within tolerance takes nothing from others.
        best_first = own or sorted(
            levels, key=lambda each: each.price, reverse=order.side is Side.BUY
        )
        for level in best_first:
            taken = min(fill, level.quantity)
            level.quantity -= taken
            fill -= taken
        self.levels[order.side] = [each for each in levels if each.quantity > 0]

    def _withdrawn(self, quote: Quote) -> None:
        """Want no more what somebody else withdrew, nor what was not placed yet."""
        tied = {id(each.level) for each in self.quotes.values() if each is not quote}
        for side, levels in self.levels.items():
            self.levels[side] = [each for each in levels if id(each) in tied]

    def _refused(self, side: Side, ts: int) -> None:
        """Count a refusal of the venue; from some number on the side pauses."""
        settings = self._settings
        self.refusals[side] += 1
        beyond = self.refusals[side] - settings.rejections
        if beyond >= 0:
            # 2**20 pauses are longer than any longest one.
            pause_s = settings.pause_s * 2 ** min(beyond, 20)
            pause_s = min(pause_s, settings.longest_pause_s)
            self.paused_ns[side] = ts + round(pause_s * NS_PER_S)

    def _end(self, quote: Quote) -> None:
        """Put a final quote aside; its late fills still count."""
        quote.asked = None
        order_id = quote.tracked.order.id
        del self.quotes[order_id]
        self.ended[order_id] = quote
        if len(self.ended) > _KEEP_ENDED:
            del self.ended[next(iter(self.ended))]

    def digest(self) -> object:
        """Return the row in plain values."""
        return (
            tuple(
                (side.value, str(each.price), str(each.quantity))
                for side, levels in self.levels.items()
                for each in levels
            ),
            tuple(
                (name, each.leaving, each.lost, each.rigid, str(each.asked))
                for name, each in self.quotes.items()
            ),
            tuple(self.refusals.values()),
            tuple(self.paused_ns.values()),
            tuple((str(side), code) for side, code in self.told.items()),
            self.timers,
        )
