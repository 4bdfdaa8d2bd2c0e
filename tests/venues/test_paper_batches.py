"""What the paper broker can do with quotes: batches, each answered for itself."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tests.execution.fakes import BTC, FakeCore, FakeEdge, FakeMarket, quote
from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderRole, OrderType
from workstation.model.rates import BrokerAbilities, RateLimit
from workstation.model.reports import (
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderRejected,
    Report,
)
from workstation.model.requests import BatchRequest, CancelOrder, SubmitOrder
from workstation.venues.paper.broker import PaperBroker
from workstation.venues.paper.settings import PaperBrokerSettings

D = Decimal


def order(name: str, price: str) -> Order:
    return Order(
        id=name,
        instrument="BTC",
        owner="s",
        role=OrderRole.QUOTE,
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=D(1),
        price=D(price),
        post_only=True,
    )


def test_each_request_of_a_batch_is_answered() -> None:
    market, core = FakeMarket(), FakeCore()
    reports: list[Report] = []
    broker = PaperBroker(PaperBrokerSettings(latency_ms=0), (BTC,), market)
    broker.attach(FakeEdge(core, reports.append))
    market.see(quote(1, 100.0, 100.2))
    batch = BatchRequest(
        (SubmitOrder(order("a", "99")), SubmitOrder(order("b", "101")))
    )
    broker.request(batch)
    broker.request(BatchRequest((CancelOrder("a"), CancelOrder("c"))))
    core.advance(core.ts)
    assert [(type(each), getattr(each, "order_id", "")) for each in reports] == [
        (OrderAccepted, "a"),
        (OrderRejected, "b"),
        (OrderCanceled, "a"),
        (CancelRejected, "c"),
    ]


def test_it_changes_orders_and_takes_batches() -> None:
    can = BrokerAbilities(modify=True, batch=40, account=True)
    assert PaperBrokerSettings().abilities == can
    kept = PaperBrokerSettings(native_stops=True).abilities
    assert kept == msgspec.structs.replace(can, stops=True)


def test_a_share_that_leaves_nothing_for_orders_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cancel_share = 0.5 must be small enough"):
        PaperBrokerSettings(
            rates=(RateLimit(window_s=1, weight=3, modify=2),), cancel_share=0.5
        )
