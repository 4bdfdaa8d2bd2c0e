"""Quotes against a venue that answers late, out of order, or with a no.

The venue is a model of its own: it knows orders, fills and nothing of wishes.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.execution.quoting import Quoter, Single, wish
from workstation.execution.settings import QuotingSettings, RiskSettings
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus
from workstation.model.rates import BrokerAbilities, RateLimit
from workstation.model.reports import (
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderFilledReport,
    OrderRejected,
    OrderReplaced,
    OrderStatusReport,
    ReplaceRejected,
)
from workstation.model.requests import (
    CancelOrder,
    QueryOrder,
    ReplaceOrder,
    SubmitOrder,
)

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
SIZES = st.integers(1, 5)
TOLERANCE = D("1.1")


class Rest:
    """An order as the venue has it."""

    def __init__(self, side: Side, price: Decimal, quantity: Decimal) -> None:
        self.side, self.price, self.quantity = side, price, quantity
        self.filled = D(0)

    @property
    def left(self) -> Decimal:
        return self.quantity - self.filled


class Races(RuleBasedStateMachine):
    """Wishes, answers in any order, fills and time, by turns."""

    abilities = BrokerAbilities(modify=True, batch=3)
    rates: tuple[RateLimit, ...] = (RateLimit(window_s=2, weight=12, batch=2),)

    def __init__(self) -> None:
        super().__init__()
        self.desk = Quoter(
            quoting=QuotingSettings(
                keep_bps=10, min_lifetime_ms=0, pause_s=1, longest_pause_s=4
            ),
            risk=RiskSettings(max_position_value=None, max_order_value=None),
            cash=D(10**9),
            abilities=self.abilities,
            rates=self.rates,
        )
        self.desk.quote(50.0, 150.0)
        self.pending: list[Single] = []
        self.book: dict[str, Rest] = {}
        self.trades = 0
        # A wish stands for some steps, so that much can happen to it.
        self.rest_steps = 0
        self.wished = {BUY: D(0), SELL: D(0)}
        self.bound = {BUY: D(0), SELL: D(0)}
        self.since = {BUY: D(0), SELL: D(0)}

    def collect(self) -> None:
        """Take what was asked; cancels are never held back by rates."""
        self.pending += self.desk.asked()

    def working(self, side: Side) -> Decimal:
        """Return what may fill on a side: at the venue, and on its way there."""
        quotes = self.desk.executor.working("s", "BTC")
        asked = {
            r.order_id: r.quantity for r in self.pending if isinstance(r, ReplaceOrder)
        }
        return sum(
            (
                max(o.remaining, asked.get(o.id, D(0)) - o.filled)
                for o in quotes
                if o.side is side
            ),
            D(0),
        )

    @precondition(lambda self: self.rest_steps <= 0)
    @rule(
        mid=st.integers(960, 1040),
        bids=st.lists(st.tuples(st.integers(1, 12), SIZES), max_size=3),
        asks=st.lists(st.tuples(st.integers(1, 12), SIZES), max_size=3),
        steps=st.integers(0, 14),
    )
    def wish(
        self,
        mid: int,
        bids: list[tuple[int, int]],
        asks: list[tuple[int, int]],
        steps: int,
    ) -> None:
        self.rest_steps = steps
        self.collect()
        for side, levels in ((BUY, bids), (SELL, asks)):
            self.wished[side] = sum((D(size) for _, size in levels), D(0))
            self.bound[side] = max(self.wished[side] * TOLERANCE, self.working(side))
            self.since[side] = D(0)
        self.desk.give(
            wish(
                [((mid - away) / 10, size) for away, size in bids],
                [((mid + away) / 10, size) for away, size in asks],
            )
        )
        self.collect()

    @rule(which=st.integers(0, 20), refuse=st.integers(0, 5))
    def answer(self, which: int, refuse: int) -> None:
        self.rest_steps -= 1
        self.collect()
        if self.pending:
            request = self.pending.pop(which % len(self.pending))
            self.handle(request, refuse=refuse == 0)

    @rule()
    def obey(self) -> None:
        self.rest_steps -= 1
        self.collect()
        while self.pending:
            self.handle(self.pending.pop(0), refuse=False)
            self.collect()
        self.desk.wait()
        self.collect()

    def handle(self, request: Single, *, refuse: bool) -> None:
        give = self.desk.give
        if isinstance(request, SubmitOrder):
            order = request.order
            if refuse or order.price is None:
                give(OrderRejected(order.id, "no"))
                return
            self.book[order.id] = Rest(order.side, order.price, order.quantity)
            give(OrderAccepted(order.id, "v"))
            return
        name = request.order_id
        rest = self.book.get(name)
        if isinstance(request, QueryOrder):
            status = None if rest is None else OrderStatus.ACCEPTED
            filled = D(0) if rest is None else rest.filled
            give(OrderStatusReport(name, status, filled))
        elif isinstance(request, CancelOrder):
            if rest is None:
                if not any(
                    isinstance(r, SubmitOrder) and r.order.id == name
                    for r in self.pending
                ):
                    give(CancelRejected(name, "unknown"))
                else:
                    # It overtook its order: the venue will know it later.
                    self.pending.append(request)
            elif refuse:
                give(CancelRejected(name, "busy"))
            else:
                del self.book[name]
                give(OrderCanceled(name))
        elif rest is None or refuse or request.quantity <= rest.filled:
            give(ReplaceRejected(name, "no"))
        else:
            assert request.price is not None
            rest.quantity, rest.price = request.quantity, request.price
            give(OrderReplaced(name, request.quantity, request.price))

    @rule(which=st.integers(0, 20), part=st.integers(1, 10))
    def fill(self, which: int, part: int) -> None:
        self.rest_steps -= 1
        if not self.book:
            return
        name = sorted(self.book)[which % len(self.book)]
        rest = self.book[name]
        quantity = min(rest.left, D(part) / 2)
        rest.filled += quantity
        self.since[rest.side] += quantity
        self.trades += 1
        if not rest.left:
            del self.book[name]
        self.desk.give(
            OrderFilledReport(
                name, f"t-{self.trades}", quantity, rest.price, D(0), "USDT", True
            )
        )
        self.collect()

    @rule(tenths=st.integers(0, 8))
    def wait(self, tenths: int) -> None:
        self.desk.wait(tenths / 10)
        self.desk.quote(50.0, 150.0)
        self.collect()

    @invariant()
    def own_orders_never_meet(self) -> None:
        bids = [each.price for each in self.book.values() if each.side is BUY]
        asks = [each.price for each in self.book.values() if each.side is SELL]
        assert not (bids and asks) or max(bids) < min(asks)

    @invariant()
    def a_side_fills_no_more_than_wished_or_was_at_work(self) -> None:
        for side in (BUY, SELL):
            assert self.since[side] <= self.bound[side]

    def teardown(self) -> None:
        """Let the venue obey from now on: what rests is what is wanted."""
        for _ in range(60):
            self.collect()
            while self.pending:
                self.handle(self.pending.pop(0), refuse=False)
                self.collect()
            self.desk.wait(0.5)
            self.desk.quote(50.0, 150.0)
        executor = self.desk.executor
        assert executor.unknown_count == 0
        mine = {
            each.id: (each.side, each.price, each.remaining)
            for each in executor.working("s", "BTC")
        }
        assert mine == {
            name: (each.side, each.price, each.left) for name, each in self.book.items()
        }
        row = executor.quoting._rows.get(("s", "BTC"))
        levels = {} if row is None else row.levels
        for side, wanted in levels.items():
            rests = [each for each in self.book.values() if each.side is side]
            assert len(rests) == len(wanted)
            total = sum((each.quantity for each in wanted), D(0))
            rested = sum((each.left for each in rests), D(0))
            assert total * D("0.9") <= rested <= total * D("1.1")
            assert total <= self.wished[side]
        orders = executor.desk.orders
        assert orders.pending("BTC", BUY) + orders.pending("BTC", SELL) == sum(
            (each.left for each in self.book.values()), D(0)
        )


class RacesWithoutChanges(Races):
    """The same where the venue can neither change orders nor take batches."""

    abilities = BrokerAbilities()
    rates = ()


_FEW = settings(
    max_examples=40,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestRaces = Races.TestCase
TestRaces.settings = _FEW
TestRacesWithoutChanges = RacesWithoutChanges.TestCase
TestRacesWithoutChanges.settings = _FEW
