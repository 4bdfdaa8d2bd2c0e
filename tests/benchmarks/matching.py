"""What the paper broker costs per market event while own orders rest.

Best prices whose sizes change and trades at them, half and half; the loop without the
broker is taken off. And orders alone: accounts that trade with each other in an engine
without an outside.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from decimal import Decimal

from tests.benchmarks.budget import ROUNDS, cpu_ns
from tests.execution.fakes import BTC, FakeCore, FakeEdge, FakeMarket
from workstation.model.instruments import Side
from workstation.model.market import MarketEvent, Quote, Trade
from workstation.model.orders import Order, OrderRole, OrderType
from workstation.model.randomness import random_stream
from workstation.model.requests import SubmitOrder
from workstation.venues.matching import MatchingEngine, Terms
from workstation.venues.paper.broker import PaperBroker
from workstation.venues.paper.settings import FillModel, PaperBrokerSettings

__all__ = ["added_ns", "us_per_order"]

EVENTS = 20_000
ORDERS = 10_000


def events() -> list[MarketEvent]:
    """Return quotes and trades at 100.0 and 100.1, sizes changing each time."""
    random = random_stream(1, "benchmark")
    made: list[MarketEvent] = []
    for n in range(EVENTS):
        ts = 1_000_000 * (n + 2)
        size = round(random.uniform(50, 100), 3)
        if n % 2:
            made.append(Trade("BTC", ts, 100.0, 0.001, -1, n))
        else:
            made.append(Quote("BTC", ts, 100.0, size, 100.1, size))
    return made


def added_ns(resting: int, model: FillModel = "queue") -> float:
    """Return the median cost of an event beside ``resting`` orders a side, ns."""
    made = events()
    rounds = []
    for _ in range(ROUNDS):
        market = FakeMarket()
        broker = PaperBroker(
            PaperBrokerSettings(latency_ms=0, fill_model=model), (BTC,), market
        )
        core = FakeCore(ts=1)
        broker.attach(FakeEdge(core, lambda report: None))
        market.see(Quote("BTC", 1, 100.0, 100.0, 100.1, 100.0))
        for n in range(resting):
            for side, price in ((Side.BUY, "100.0"), (Side.SELL, "100.1")):
                away = Decimal(n // 2) / 10 * -side.sign
                broker.request(SubmitOrder(_order(n, side, Decimal(price) + away)))
        core.advance(2)

        def bare(market: FakeMarket = market) -> None:
            for event in made:
                market.see(event)

        def whole(market: FakeMarket = market, broker: PaperBroker = broker) -> None:
            for event in made:
                market.see(event)
                broker.after_market(event)

        rounds.append((cpu_ns(whole) - cpu_ns(bare)) / EVENTS)
    return statistics.median(rounds)


def us_per_order() -> float:
    """Return the median cost of an order between two accounts, half of which trade."""
    terms = _crossing()
    rounds = []
    for _ in range(ROUNDS):
        engine = MatchingEngine([BTC], lambda event: None)

        def run(engine: MatchingEngine = engine) -> None:
            for each in terms:
                engine.submit(each)

        rounds.append(cpu_ns(run) / ORDERS / 1e3)
        assert engine.trading.executions > ORDERS / 4
    return statistics.median(rounds)


def _order(number: int, side: Side, price: Decimal) -> Order:
    return Order(
        id=f"{side.value}{number}",
        instrument="BTC",
        owner="s",
        role=OrderRole.ENTRY,
        side=side,
        type=OrderType.LIMIT,
        quantity=Decimal(1),
        price=price,
    )


def _crossing() -> Sequence[Terms]:
    random = random_stream(2, "benchmark")
    return [
        Terms(
            id=str(n),
            account="ab"[n % 2],
            instrument="BTC",
            side=Side.BUY if n % 2 else Side.SELL,
            quantity=Decimal(1),
            price=Decimal(1000 + random.randint(-20, 20)) / 10,
        )
        for n in range(ORDERS)
    ]
