"""Queue positions on the recorded captures: real books, tickers and trades."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.execution.fakes import FakeCore, FakeEdge
from tests.market import fakes as market
from tests.reference import reference
from tests.venues.recordings import make_feed
from workstation.market.aggregator import Aggregator
from workstation.market.settings import StorageSettings
from workstation.model.instruments import Instrument, Side
from workstation.model.market import MarketEvent, Trade
from workstation.model.orders import Order, OrderRole, OrderType
from workstation.model.randomness import random_stream
from workstation.model.reports import OrderFilledReport, Report
from workstation.model.requests import CancelOrder, SubmitOrder
from workstation.venues.matching.orders import UNKNOWN
from workstation.venues.paper.broker import PaperBroker
from workstation.venues.paper.settings import PaperBrokerSettings

pytestmark = pytest.mark.reference

D = Decimal
CAPTURES = {
    "spot BTC": (("spot-ws", "btcusdt_20240808.gz"), "BTCUSDT", "0.01", "0.00001"),
    "spot ETH": (("spot-ws", "ethusdt_20240808.gz"), "ETHUSDT", "0.01", "0.0001"),
    "perpetual BTC": (("usdm-ws", "btcusdt_20240808.gz"), "BTCUSDT", "0.1", "0.001"),
}
EVENTS = 20_000
EVERY = 150
KEPT = 12


class Desk:
    """Keeps resting orders near the best prices of a capture, and watches each."""

    def __init__(self, capture: str, **settings: object) -> None:
        parts, symbol, tick, lot = CAPTURES[capture]
        self.feed = make_feed(
            "binance-raw", reference("data", "binance", *parts), symbols=[symbol]
        )
        self.instrument = Instrument(
            id=f"{symbol}.id",
            venue="binance",
            symbol=symbol,
            base=symbol[:3],
            quote="USDT",
            tick_size=D(tick),
            lot_size=D(lot),
        )
        self.aggregator = Aggregator(StorageSettings(), [self.instrument])
        self.market_core = market.FakeCore()
        self.aggregator.attach(self.market_core)
        self.core = FakeCore(ts=0)
        self.reports: list[Report] = []
        self.broker = PaperBroker(
            PaperBrokerSettings(latency_ms=0, **settings),  # type: ignore[arg-type]
            [self.instrument],
            self.aggregator,
        )
        self.broker.attach(FakeEdge(self.core, self.reports.append))
        self.random = random_stream(5, "desk")
        self.limits: dict[str, tuple[Side, Decimal]] = {}
        self.queue: list[str] = []

    def step(self, number: int) -> MarketEvent | None:
        """Take one event as a run does; now and then send orders before the next."""
        item = self.feed.next()
        if item is None:
            return None
        ts, event = item
        self.core.advance(ts)
        self.market_core.advance(ts)
        self.broker.before_market(event)
        self.aggregator.handle_event(event)
        self.broker.after_market(event)
        if number % EVERY == 0:
            self.trade(number)
        self.core.advance(ts)
        return event

    def trade(self, number: int) -> None:
        view = self.aggregator.instrument(self.instrument.id)
        if not (view.bid > 0 and view.ask > 0):
            return
        for side, best in ((Side.BUY, view.bid), (Side.SELL, view.ask)):
            away = self.random.randint(0, 3) * self.instrument.tick_size
            price = self.instrument.nearest_price(best) - away * side.sign
            quantity = self.random.randint(1, 2_000) * self.instrument.lot_size
            order = Order(
                id=f"o{number}-{side.value}",
                instrument=self.instrument.id,
                owner="s",
                role=OrderRole.ENTRY,
                side=side,
                type=OrderType.LIMIT,
                quantity=quantity,
                price=price,
                post_only=True,
            )
            self.limits[order.id] = (side, price)
            self.queue.append(order.id)
            self.broker.request(SubmitOrder(order))
        while len(self.queue) > KEPT:
            self.broker.request(CancelOrder(self.queue.pop(0)))

    def fills(self) -> list[OrderFilledReport]:
        return [r for r in self.reports if isinstance(r, OrderFilledReport)]


@pytest.mark.parametrize("shrinks", ["behind", "proportional"])
@pytest.mark.parametrize("capture", CAPTURES)
def test_a_place_in_the_queue_only_moves_forward(capture: str, shrinks: str) -> None:
    desk = Desk(capture, queue_shrinks=shrinks)
    book = desk.broker.matching.book(desk.instrument.id)
    before: dict[str, Decimal] = {}
    moved = by_turn = seen = 0
    for number in range(EVENTS):
        told = len(desk.reports)
        event = desk.step(number)
        if event is None:
            break
        after = {}
        for half in (book.buys, book.sells):
            for level in half.levels.values():
                last = D(0)
                for order in level.orders.values():
                    assert D(0) <= order.ahead <= level.shown
                    assert last <= order.ahead
                    assert D(0) < order.left <= order.terms.quantity
                    last = order.ahead
                    after[order.terms.id] = order.ahead
        for order_id, ahead in after.items():
            was = before.get(order_id)
            if was is not None:
                assert ahead <= was
                moved += ahead < was
        before = after
        got = [r for r in desk.reports[told:] if isinstance(r, OrderFilledReport)]
        for fill in got:
            side, limit = desk.limits[fill.order_id]
            assert fill.price == limit
            assert fill.maker
            if isinstance(event, Trade):
                printed = D(repr(event.price))
                assert (printed - limit) * side.sign <= 0
                by_turn += printed == limit
        if isinstance(event, Trade):
            assert sum((f.quantity for f in got), D(0)) <= D(repr(event.size))
        seen += bool(after)
    assert seen > EVENTS / 2
    assert moved > 100
    assert by_turn > 0
    assert any(a != UNKNOWN for a in before.values())
    filled: dict[str, Decimal] = {}
    for fill in desk.fills():
        filled[fill.order_id] = filled.get(fill.order_id, D(0)) + fill.quantity
    balance = desk.broker.balances.get(desk.instrument.base, D(0))
    signed = [q * desk.limits[name][0].sign for name, q in filled.items()]
    assert balance == sum(signed, D(0))


def test_the_same_capture_gives_the_same_fills_and_the_same_digest() -> None:
    made = []
    for _ in range(2):
        desk = Desk("spot BTC", report_ms=(1.0, 5.0, 9.0, 20.0, 50.0))
        for number in range(6_000):
            desk.step(number)
        made.append((desk.reports, desk.broker.digest()))
    assert made[0] == made[1]
    assert made[0][0]


def test_the_models_come_in_their_order_on_a_capture() -> None:
    totals = []
    for model in ("through", "queue", "touch", "optimistic"):
        desk = Desk("spot BTC", fill_model=model)
        for number in range(12_000):
            desk.step(number)
        totals.append(sum((f.quantity for f in desk.fills()), D(0)))
    assert totals == sorted(totals)
    assert len(set(totals)) == 4
