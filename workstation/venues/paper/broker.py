"""The paper broker: a venue that fills our orders from the data the run sees.

The engine drives it on the run's clock: requests arrive and reports leave by its
latency, and a matching engine of its own decides what trades, against a market that is
only watched. It knows nothing of owners, stops or positions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial

from msgspec.structs import replace

from workstation.model.fees import VenueFees
from workstation.model.instruments import Instrument, to_decimal
from workstation.model.market import Bar, MarketEvent, Trade
from workstation.model.orders import Order, OrderStatus, OrderType
from workstation.model.ports import Edge, InstrumentView, MarketView
from workstation.model.randomness import random_stream
from workstation.model.rehearsal import Happening
from workstation.model.reports import (
    AccountReport,
    Balance,
    OpenOrder,
    OrderStatusReport,
    ReplaceRejected,
)
from workstation.model.requests import (
    BatchRequest,
    CancelOrder,
    QueryAccount,
    QueryOrder,
    ReplaceOrder,
    Request,
    SubmitOrder,
)
from workstation.venues.matching import MatchingEngine, SelfTrade, Terms
from workstation.venues.matching.level import Shrink
from workstation.venues.matching.orders import UNKNOWN
from workstation.venues.paper.account import Account
from workstation.venues.paper.bars import BarFills, Precedes
from workstation.venues.paper.depth import Depth
from workstation.venues.paper.desk import Desk
from workstation.venues.paper.hand import Hand
from workstation.venues.paper.latency import Latency
from workstation.venues.paper.queues import Queues
from workstation.venues.paper.settings import PaperBrokerSettings

__all__ = ["PaperBroker"]

ZERO = Decimal(0)
# All of them: the venue sees one account, whoever its owner's strategies are.
ACCOUNT = "paper"

_S = OrderStatus
_TYPES = (OrderType.MARKET, OrderType.LIMIT)
_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)


class PaperBroker:
    """One simulated account at all venues of the run."""

    def __init__(
        self,
        settings: PaperBrokerSettings,
        instruments: Sequence[Instrument],
        market: MarketView,
        fees: Mapping[str, VenueFees] | None = None,
        *,
        seed: int = 0,
    ) -> None:
        """``fees`` are those of venues that have others than the settings say."""
        self.name = settings.name
        self.abilities = settings.abilities
        self._settings = settings
        self._instruments = {i.id: i for i in instruments}
        self._market = market
        own = VenueFees(
            to_decimal(settings.maker_fee_bps), to_decimal(settings.taker_fee_bps)
        )
        rates = {i.id: (fees or {}).get(i.venue, own) for i in instruments}
        self._depth = Depth(settings, self._instruments, market)
        self._account = Account(
            settings.cash, self._instruments, rates, self._depth.price
        )
        self.balances = self._account.balances
        self._latency = Latency(settings, random_stream(seed, f"{self.name} latency"))
        self._desk = Desk(
            self.name,
            self._instruments,
            self._account,
            self._latency,
            self._is_instant,
        )
        self.matching = MatchingEngine(
            instruments,
            self._desk.hear,
            outside=self._depth,
            self_trade=SelfTrade(settings.self_trade),
            shrink=Shrink(settings.queue_shrinks),
            # Reduce-only is judged on the owner before an order leaves: the account's
            # net may be flat while two owners hold opposite positions.
            holds_positions=False,
            funds=self._account if settings.check_balance else None,
        )
        self._queues = Queues(settings, self._instruments, market, self.matching)
        self._bars = BarFills(
            settings.spread_bps, self._instruments, self.matching, self._desk.orders
        )
        self._hand = Hand(
            self.name,
            self._instruments,
            self._account,
            self._desk,
            self.matching,
            self._any_problem,
            self._submit,
            self._free,
        )
        self._edge: Edge

    def attach(self, edge: Edge) -> None:
        """Receive the run's clock and agenda, once, before the first event."""
        self._edge = self._desk.edge = edge

    def heed(self, precedes: Precedes) -> None:
        """Ask this, where only bars exist, what is held elsewhere and comes first."""
        self._bars.precedes = precedes

    @property
    def fills(self) -> int:
        """Return how many fills were reported."""
        return self._desk.fills

    def place(self, order_id: str) -> tuple[Decimal, Decimal] | None:
        """Return the size ahead of a resting order and the size shown at its price.

        None where it does not rest, where nobody knows, or where the fill model has no
        queue. It reads and changes nothing.
        """
        working = self.matching.orders.get(order_id)
        if working is None or self._settings.fill_model != "queue":
            return None
        terms = working.terms
        half = self.matching.book(terms.instrument).half(terms.side)
        level = None if terms.price is None else half.levels.get(terms.price)
        if level is None or working.ahead == UNKNOWN:
            return None
        if working.number not in level.orders:
            # A stop that waits is in no book.
            return None
        return working.ahead, level.shown

    def happen(self, event: Happening) -> str:
        """Let something happen at the venue that nobody here has asked for.

        Returns what did. Raises CommandRefused where it cannot.
        """
        return self._hand.happen(event)

    # Requests, on their way.

    def request(self, request: Request) -> None:
        """Take one request of the Executor; it arrives one latency later."""
        match request:
            case BatchRequest(requests=requests):
                for each in requests:
                    self.request(each)
                return
            case SubmitOrder(order=order):
                where, order_id = order.instrument, order.id
                arrive = partial(self._submit, order)
            case CancelOrder(order_id=order_id):
                where = self._desk.where(order_id) or request.instrument
                arrive = partial(self.matching.cancel, order_id)
            case ReplaceOrder(order_id=order_id):
                where = self._desk.where(order_id)
                arrive = partial(self._replace, request)
            case QueryOrder(order_id=order_id):
                where = self._desk.where(order_id) or request.instrument
                arrive = partial(self._query, request)
            case QueryAccount():
                self._tell_account(request)
                return
        if self._is_instant(where):
            arrive()
            return
        due_ns = self._latency.arrival(request, order_id, self._edge.ts)
        if due_ns > self._edge.ts:
            self._edge.call_at(due_ns, arrive)
        else:
            arrive()

    def _is_instant(self, instrument: str) -> bool:
        """Tell whether only bars exist, which know no time of day."""
        if instrument in self._instruments:
            return self._view(instrument).bars_only
        return all(self._view(name).bars_only for name in self._instruments)

    def _view(self, instrument: str) -> InstrumentView:
        return self._market.instrument(instrument)

    # Requests, at the venue.

    def _submit(self, order: Order) -> None:
        self._desk.arriving = order
        problem = self._problem(order)
        if problem is not None:
            self.matching.refuse(order.id, problem)
            return
        if order.instrument not in self._instruments:
            self.matching.submit(_terms(order))
            return
        bars_only = self._view(order.instrument).bars_only
        if order.is_untriggered:
            self._tell_last(order)
        over = order.expires_ns is not None and order.expires_ns <= self._edge.ts
        terms = _terms(order)
        if bars_only:
            # When it ends is told by bars, which come at their close.
            terms = replace(terms, expires_ns=None)
        if not self.matching.submit(terms, match=not (bars_only or over)):
            return
        # A stop that was met as it arrived is another order now.
        order = self._desk.orders[order.id]
        if bars_only:
            self._submitted_on_bars(order, over=over)
        elif over:
            self._expire()
        elif order.expires_ns is not None:
            self._edge.call_at(order.expires_ns, self._expire)

    def _submitted_on_bars(self, order: Order, *, over: bool) -> None:
        now_ns, expires_ns = self._edge.ts, order.expires_ns
        self._bars.came(order, now_ns)
        if not order.is_untriggered:
            self._bars.released(order, now_ns)
        if over and order.id in self._desk.orders:
            self.matching.end(order.id, "good till date")
        elif expires_ns is not None:
            self._edge.call_at(
                max(expires_ns, now_ns), partial(self._expire_on_bars, order.id)
            )

    def _tell_last(self, order: Order) -> None:
        """Tell what the trigger of a new or changed stop is compared with."""
        price = self._queues.last(order.instrument, order.side)
        if price > 0:
            self.matching.last_was(order.instrument, to_decimal(price))

    def _expire(self) -> None:
        self.matching.expire(self._edge.ts)

    def _expire_on_bars(self, order_id: str) -> None:
        """End an order whose time is over, unless a bar of that time may still come."""
        order = self._desk.orders.get(order_id)
        if order is None or order.expires_ns is None:
            return
        lapse_ns = self._bars.lapse_ns(order.instrument, order.expires_ns)
        if self._view(order.instrument).bars_only and lapse_ns > self._edge.ts:
            self._edge.call_at(lapse_ns, partial(self._expire_on_bars, order_id))
        else:
            self.matching.end(order_id, "good till date")

    def _problem(self, order: Order) -> str | None:
        """Return why the paper venue refuses what a real one may take."""
        instrument = self._instruments.get(order.instrument)
        if instrument is None:
            return None
        if order.type not in _TYPES and not (
            self._settings.native_stops and order.type in _STOPS
        ):
            return f"order type {order.type.value} is not known here"
        if order.type is OrderType.LIMIT and order.price is None:
            return f"price None is not on tick {instrument.tick_size}"
        view = self._view(instrument.id)
        known = view.bid > 0 or view.ask > 0 or view.last > 0
        if not known and self._bars.bar(instrument.id, self._edge.ts) is None:
            return f"no market data of {instrument.id} yet"
        if self._settings.check_balance:
            return self._lacks(_terms(order))
        return None

    def _any_problem(self, order: Order) -> str | None:
        return self._problem(order) or self.matching.problem(_terms(order))

    def _lacks(self, terms: Terms) -> str | None:
        supply = self.matching.trading.supply(terms)
        return self._account.lacks(terms, supply, self.matching.orders.values())

    def _free(self, currency: str) -> Decimal:
        """Return what may go out of a balance."""
        if self._settings.check_balance:
            return self._account.free(currency, self.matching.orders.values())
        return self.balances.get(currency, ZERO)

    def _replace(self, request: ReplaceOrder) -> None:
        order_id, price = request.order_id, request.price
        order = self._desk.orders.get(order_id)
        problem = None
        if order is not None and order.type is OrderType.MARKET:
            problem = "a market order has nothing to be replaced"
        elif order is not None and self._settings.check_balance:
            filled = self.matching.orders[order_id].filled
            left = max(request.quantity - filled, ZERO)
            asked = replace(_terms(order), quantity=left, price=price)
            problem = self._lacks(replace(asked, trigger=request.trigger))
        if problem is not None:
            self._desk.report(
                order_id, ReplaceRejected(order_id, problem, self._edge.ts)
            )
            return
        bars_only = order is not None and self._view(order.instrument).bars_only
        if order is not None and order.is_untriggered:
            self._tell_last(order)
        before = self._shape(order_id)
        self.matching.amend(
            order_id,
            request.quantity,
            price,
            request.trigger,
            match=not bars_only,
        )
        if order is not None and bars_only and self._shape(order_id) != before:
            self._bars.came(order, self._edge.ts)

    def _shape(self, order_id: str) -> tuple[int, Decimal | None, Decimal | None]:
        """Return what an order with another place, price or trigger has otherwise."""
        working = self.matching.orders.get(order_id)
        if working is None:
            return 0, None, None
        return working.number, working.terms.price, working.terms.trigger

    def _query(self, request: QueryOrder) -> None:
        """Answer with the status: no fill is ever lost here, so none is repeated."""
        order_id = request.order_id
        status, filled = self.matching.fates.get(order_id) or (None, ZERO)
        report = OrderStatusReport(
            order_id, status, filled, self._edge.ts, asked_ns=request.asked_ns
        )
        working = self.matching.orders.get(order_id)
        if working is not None:
            order = self._desk.orders[order_id]
            report = replace(
                report,
                status=_S.PARTIALLY_FILLED if working.filled else _S.ACCEPTED,
                filled=working.filled,
                quantity=order.quantity,
                price=order.price,
                triggered=not order.is_untriggered,
                trigger=order.trigger,
            )
        self._desk.report(order_id, report)

    def _tell_account(self, request: QueryAccount) -> None:
        """Answer about the account; no order ends here unheard, so none is recent.

        Asked and answered at once: it draws no delay, so that looking at the account
        changes none of those that orders have.
        """
        orders = tuple(
            OpenOrder(
                order_id=order.id,
                instrument=order.instrument,
                side=order.side,
                order_type=order.type,
                quantity=order.quantity,
                filled=self.matching.orders[order.id].filled,
                price=order.price,
                trigger=order.trigger,
            )
            for order in self._desk.orders.values()
        )
        self._edge.report(
            self._edge.ts,
            AccountReport(
                number=request.number,
                balances=tuple(
                    Balance(name, total) for name, total in self.balances.items()
                ),
                orders=orders,
                ts_event=self._edge.ts,
            ),
        )

    # Market data. Only bars are matched before the core sees them.

    precedes: tuple[type, ...] = (Bar,)

    def before_market(self, event: MarketEvent) -> None:
        """Match against a bar before the core sees it, where only bars exist."""
        if type(event) is Bar and self._view(event.instrument).bars_only:
            self._bars.see(event, self._edge.ts)

    def after_market(self, event: MarketEvent) -> None:
        """Match against what the core has just seen."""
        if type(event) is Bar:
            return
        name = event.instrument
        busy = name in self._desk.busy
        if busy and not self._view(name).bars_only:
            self._bars.leave(name)
        if type(event) is Trade:
            self._queues.note(event)
            if busy:
                self._queues.trade(event)
            return
        self._depth.refresh(name)
        if busy:
            self._queues.change(event)

    def digest(self) -> object:
        """Return balances, orders with their places in the queue, and delays."""
        return (
            self._account.digest(),
            self._desk.fills,
            self.matching.digest(),
            self._bars.digest(),
            self._depth.digest(),
            self._latency.digest(),
        )


def _terms(order: Order) -> Terms:
    return Terms(
        id=order.id,
        account=ACCOUNT,
        instrument=order.instrument,
        side=order.side,
        quantity=order.quantity,
        price=None if order.type is OrderType.MARKET else order.price,
        trigger=order.trigger if order.is_untriggered else None,
        time_in_force=order.time_in_force,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        expires_ns=order.expires_ns,
    )
