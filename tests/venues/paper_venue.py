"""A paper broker with its market, driven by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

from tests.execution.fakes import BTC, ETH, FakeCore, FakeEdge, FakeMarket, quote
from workstation.model.instruments import Side
from workstation.model.market import MarketEvent
from workstation.model.orders import Order, OrderRole, OrderType, TimeInForce
from workstation.model.reports import OrderFilledReport, Report
from workstation.model.requests import SingleRequest, SubmitOrder
from workstation.venues.paper.broker import PaperBroker
from workstation.venues.paper.settings import PaperBrokerSettings

__all__ = ["AT_ONCE", "Venue", "quoted"]

D = Decimal
T = TypeVar("T")
AT_ONCE = PaperBrokerSettings(latency_ms=0)


class Venue:
    """A paper broker with its market, and the reports with their times."""

    def __init__(
        self, settings: PaperBrokerSettings = AT_ONCE, *, seed: int = 0
    ) -> None:
        self.market = FakeMarket()
        self.core = FakeCore(ts=0)
        self.reports: list[tuple[int, Report]] = []
        self.broker = PaperBroker(settings, (BTC, ETH), self.market, seed=seed)
        self.broker.attach(
            FakeEdge(self.core, lambda r: self.reports.append((self.core.ts, r)))
        )
        self._count = 0

    def feed(self, event: MarketEvent) -> None:
        self.core.advance(event.ts_recv)
        self.broker.before_market(event)
        self.market.see(event)
        self.broker.after_market(event)
        self.core.advance(event.ts_recv)

    def submit(
        self,
        side: Side,
        quantity: str,
        price: str | None = None,
        tif: TimeInForce = TimeInForce.GTC,
        *,
        owner: str = "s",
        post_only: bool = False,
        reduce_only: bool = False,
        expires_ns: int | None = None,
    ) -> str:
        self._count += 1
        order = Order(
            id=f"o-{self._count}",
            instrument="BTC",
            owner=owner,
            role=OrderRole.ENTRY,
            side=side,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=D(quantity),
            price=None if price is None else D(price),
            time_in_force=tif,
            post_only=post_only,
            reduce_only=reduce_only,
            expires_ns=expires_ns,
        )
        self.broker.request(SubmitOrder(order))
        self.core.advance(self.core.ts)
        return order.id

    def ask(self, request: SingleRequest) -> None:
        self.broker.request(request)
        self.core.advance(self.core.ts)

    def got(self, kind: type[T]) -> list[T]:
        return [r for _, r in self.reports if isinstance(r, kind)]

    def fills(self) -> list[tuple[Decimal, Decimal, bool]]:
        return [(f.quantity, f.price, f.maker) for f in self.got(OrderFilledReport)]


def quoted(
    bid: float = 100.0,
    ask: float = 100.2,
    size: float = 10.0,
    settings: PaperBrokerSettings = AT_ONCE,
) -> Venue:
    """Return a venue that has seen one quote, the same size on both sides."""
    venue = Venue(settings)
    venue.feed(quote(1, bid, ask, size))
    return venue
