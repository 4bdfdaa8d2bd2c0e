"""An Executor that quotes at a venue which is the test itself, request by request."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tests.execution.fakes import BTC, CASH, ETH, NS, FakeCore, FakeMarket
from workstation.execution.executor import Executor
from workstation.execution.settings import OrderSettings, QuotingSettings, RiskSettings
from workstation.model.desired import DesiredLevel, DesiredOrders
from workstation.model.instruments import Side
from workstation.model.market import Quote
from workstation.model.orders import Order
from workstation.model.rates import BrokerAbilities, RateLimit
from workstation.model.records import RequoteRecord
from workstation.model.reports import (
    OrderAccepted,
    OrderCanceled,
    OrderFilledReport,
    OrderRejected,
    OrderReplaced,
)
from workstation.model.requests import (
    BatchRequest,
    CancelOrder,
    QueryAccount,
    QueryOrder,
    ReplaceOrder,
    SubmitOrder,
)

D = Decimal
Pair = tuple[float, float]
Single = SubmitOrder | CancelOrder | ReplaceOrder | QueryOrder


def wish(
    bids: Sequence[Pair] = (),
    asks: Sequence[Pair] = (),
    *,
    strategy: str = "s",
    instrument: str = "BTC",
    post_only: bool = True,
    reason: str = "",
) -> DesiredOrders:
    """Return a wish; prices and quantities may be floats."""
    return DesiredOrders(
        strategy=strategy,
        instrument=instrument,
        bids=tuple(DesiredLevel(D(str(p)), D(str(q))) for p, q in bids),
        asks=tuple(DesiredLevel(D(str(p)), D(str(q))) for p, q in asks),
        post_only=post_only,
        reason=reason,
    )


class Quoter:
    """Takes wishes, keeps requests until ``answer``, which obeys them."""

    def __init__(
        self,
        *,
        quoting: QuotingSettings | None = None,
        orders: OrderSettings | None = None,
        risk: RiskSettings | None = None,
        rates: Sequence[RateLimit] = (),
        cancel_share: float = 0.2,
        abilities: BrokerAbilities | None = None,
        cash: Decimal = CASH,
    ) -> None:
        self.market = FakeMarket()
        self.core = FakeCore(1_000 * NS)
        self.executor = Executor(
            risk or RiskSettings(),
            orders or OrderSettings(),
            (BTC, ETH),
            self.market,
            currency="USDT",
            cash=cash,
            quoting=quoting or QuotingSettings(min_lifetime_ms=0),
            rates=rates,
            cancel_share=cancel_share,
            abilities=abilities or BrokerAbilities(modify=True),
        )
        self.executor.attach(self.core)
        self.book: dict[str, Order] = {}
        self._seen = 0
        self._trades = 0
        self.quote(100.0, 100.2)

    def give(self, event: object) -> None:
        """Take one input, and what it causes, as the engine dispatches it."""
        self.core.seq += 1
        self.executor.handle_event(event)
        self._drain()

    def _drain(self) -> None:
        emitted = self.core.emitted
        while emitted:
            event = emitted.popleft()
            if type(event) in self.executor.subscriptions:
                self.executor.handle_event(event)

    def quote(self, bid: float, ask: float, instrument: str = "BTC") -> None:
        """Move the market, and with it the time of its data."""
        event = Quote(instrument, self.core.ts, bid, 10.0, ask, 10.0)
        self.market.see(event)
        self.give(event)

    def wait(self, seconds: float = 0) -> None:
        """Let timers fire up to then; those of now fire with 0."""
        self.core.advance(self.core.ts + int(seconds * NS))
        self._drain()
        # What they caused may be due now, too.
        self.core.advance(self.core.ts)
        self._drain()

    def asked(self) -> list[Single]:
        """Return the requests since the last call, batches taken apart."""
        new = self.core.requests[self._seen :]
        self._seen = len(self.core.requests)
        single: list[Single] = []
        for request in new:
            if isinstance(request, BatchRequest):
                single += request.requests
            elif not isinstance(request, QueryAccount):
                single.append(request)
        return single

    def answer(self) -> list[Single]:
        """Do what was asked, report it, and let the Executor look again."""
        asked = self.asked()
        for request in asked:
            if isinstance(request, SubmitOrder):
                order = request.order
                self.book[order.id] = order
                self.give(OrderAccepted(order.id, f"v-{order.id}"))
            elif isinstance(request, CancelOrder):
                if self.book.pop(request.order_id, None) is not None:
                    self.give(OrderCanceled(request.order_id))
            elif isinstance(request, ReplaceOrder):
                self.give(
                    OrderReplaced(request.order_id, request.quantity, request.price)
                )
        self.wait()
        return asked

    def settle(self) -> int:
        """Answer until nothing is asked any more; return how many rounds it took."""
        for rounds in range(20):
            if not self.answer():
                return rounds
        raise AssertionError("it never comes to rest")

    def fill(self, order_id: str, quantity: str, price: str = "100") -> None:
        """Report an execution."""
        self._trades += 1
        self.give(
            OrderFilledReport(
                order_id,
                f"t-{self._trades}",
                D(quantity),
                D(price),
                D(0),
                "USDT",
                maker=True,
            )
        )

    def reject(self, order_id: str, reason: str = "no") -> None:
        """Refuse an order."""
        self.give(OrderRejected(order_id, reason))

    def resting(self) -> list[tuple[str, float, float]]:
        """Return side, price and rest of the working quotes, bids first."""
        quotes = self.executor.working("s", "BTC")
        return sorted(
            (each.side.value, float(each.price or 0), float(each.remaining))
            for each in quotes
        )

    def ids(self, side: Side = Side.BUY) -> list[str]:
        """Return the ids of the working quotes of a side, oldest first."""
        return [o.id for o in self.executor.working("s", "BTC") if o.side is side]

    def decisions(self) -> list[RequoteRecord]:
        """Return the records of what was decided."""
        return self.core.kept(RequoteRecord)
