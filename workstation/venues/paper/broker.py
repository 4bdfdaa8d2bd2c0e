"""The paper broker: a venue that fills our orders from the data the run sees.

The engine drives it on the run's clock; requests arrive and reports leave one latency
later. It never fills without data, more than asked, or better than what is shown, and
knows nothing of owners, stops or positions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial

from msgspec.structs import replace

from workstation.model.fees import VenueFees
from workstation.model.instruments import Instrument, Side, to_decimal
from workstation.model.market import Bar, MarketEvent, Trade
from workstation.model.orders import (
    CancelOrder,
    CancelRejected,
    Order,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    OrderReplaced,
    OrderStatus,
    OrderStatusReport,
    OrderType,
    QueryOrder,
    ReplaceOrder,
    ReplaceRejected,
    Report,
    Request,
    SubmitOrder,
    TimeInForce,
)
from workstation.model.ports import Edge, InstrumentView, MarketView
from workstation.model.timeframes import NS_PER_MS
from workstation.venues.paper import prices
from workstation.venues.paper.depth import Depth, Offer
from workstation.venues.paper.settings import PaperBrokerSettings

__all__ = ["PaperBroker"]

ZERO = Decimal(0)
# Fates of final orders remembered for late cancels and queries.
KEEP_FATES = 10_000

_S = OrderStatus
_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)


class _Working:
    """An order at the venue; ``left`` is what is not filled.

    ``rested`` says, where only bars exist, that it has seen an open.
    """

    __slots__ = ("filled", "instrument", "left", "number", "order", "rested")

    def __init__(self, order: Order, instrument: Instrument, number: int) -> None:
        self.order = order
        self.instrument = instrument
        self.number = number
        self.left = order.quantity
        self.filled = ZERO
        self.rested = False


class PaperBroker:
    """One simulated account at all venues of the run."""

    def __init__(
        self,
        settings: PaperBrokerSettings,
        instruments: Sequence[Instrument],
        market: MarketView,
        fees: Mapping[str, VenueFees] | None = None,
    ) -> None:
        """``fees`` are those of venues that have others than the settings say."""
        self.name = settings.name
        self.balances: dict[str, Decimal] = dict(settings.cash)
        self.fills = 0
        self._settings = settings
        self._instruments = {i.id: i for i in instruments}
        self._market = market
        self._latency_ns = settings.latency_ms * NS_PER_MS
        own = VenueFees(
            to_decimal(settings.maker_fee_bps), to_decimal(settings.taker_fee_bps)
        )
        fees = fees or {}
        self._fees = {i.id: fees.get(i.venue, own) for i in instruments}
        self._orders: dict[str, _Working] = {}
        self._by_instrument: dict[str, dict[str, _Working]] = {}
        self._fates: dict[str, tuple[OrderStatus, Decimal]] = {}
        self._bars: dict[str, Bar] = {}
        self._depth = Depth(settings, market)
        self._accepted = 0
        self._edge: Edge

    def attach(self, edge: Edge) -> None:
        """Receive the run's clock and agenda, once, before the first event."""
        self._edge = edge

    # Requests, one latency after they left.

    def request(self, request: Request) -> None:
        """Take one request of the Executor; it arrives one latency later."""
        match request:
            case SubmitOrder(order=order):
                self._after(order.instrument, partial(self._submit, order))
            case CancelOrder(order_id=order_id):
                self._after(self._where(order_id), partial(self._cancel, order_id))
            case ReplaceOrder():
                where = self._where(request.order_id)
                self._after(where, partial(self._replace, request))
            case QueryOrder(order_id=order_id):
                self._after(self._where(order_id), partial(self._query, order_id))

    def _where(self, order_id: str) -> str:
        working = self._orders.get(order_id)
        return working.instrument.id if working is not None else ""

    def _latency(self, instrument: str) -> int:
        """Return the way there in ns: none where only bars exist."""
        if instrument in self._instruments:
            return 0 if self._view(instrument).bars_only else self._latency_ns
        every = (self._view(name).bars_only for name in self._instruments)
        return 0 if all(every) else self._latency_ns

    def _view(self, instrument: str) -> InstrumentView:
        return self._market.instrument(instrument)

    def _after(self, instrument: str, arrive: Callable[[], None]) -> None:
        latency = self._latency(instrument)
        if latency:
            self._edge.call_at(self._edge.ts + latency, arrive)
        else:
            arrive()

    def _report(self, instrument: str, report: Report) -> None:
        self._edge.report(self._edge.ts + self._latency(instrument), report)

    def _submit(self, order: Order) -> None:
        instrument = self._instruments.get(order.instrument)
        problem = self._refusal(order, instrument)
        if instrument is None or problem is not None:
            if order.id not in self._orders and order.id not in self._fates:
                self._remember(order.id, _S.REJECTED, ZERO)
            reason = problem or ""
            self._report(
                order.instrument, OrderRejected(order.id, reason, self._edge.ts)
            )
            return
        self._accepted += 1
        working = _Working(order, instrument, self._accepted)
        self._orders[order.id] = working
        self._by_instrument.setdefault(instrument.id, {})[order.id] = working
        if order.expires_ns is not None:
            due_ns = max(order.expires_ns, self._edge.ts)
            self._edge.call_at(due_ns, partial(self._run_out, order.id))
        venue_id = f"{self.name}-{self._accepted}"
        self._report(instrument.id, OrderAccepted(order.id, venue_id, self._edge.ts))
        if self._view(instrument.id).bars_only:
            bar = self._bars.get(instrument.id)
            if order.trigger is not None and bar is not None:
                spread = self._settings.spread_bps
                price = prices.released_in_bar(instrument, order, bar, spread)
                self._fill(working, working.left, price, maker=False)
            return
        self._arrive(working)

    def _refusal(self, order: Order, instrument: Instrument | None) -> str | None:
        if instrument is None:
            return f"{order.instrument} is not traded here"
        if order.id in self._orders or order.id in self._fates:
            return f"order id {order.id} was used before"
        if order.quantity <= 0 or not instrument.is_on_lot(order.quantity):
            return f"quantity {order.quantity} is not on lot {instrument.lot_size}"
        if order.type is OrderType.LIMIT:
            price = order.price
            if price is None or price <= 0 or not instrument.is_on_tick(price):
                return f"price {price} is not on tick {instrument.tick_size}"
        elif order.type is not OrderType.MARKET:
            return f"order type {order.type.value} is not known here"
        view = self._view(instrument.id)
        if order.post_only and not view.bars_only:
            offers = self._depth.offers(instrument, order, order.quantity)
            if offers:
                return f"post_only: it would take {offers[0].quantity} at once"
        known = view.bid > 0 or view.ask > 0 or view.last > 0
        if not known and instrument.id not in self._bars:
            return f"no market data of {instrument.id} yet"
        return None

    def _cancel(self, order_id: str) -> None:
        working = self._orders.get(order_id)
        ts = self._edge.ts
        if working is None:
            self._report("", CancelRejected(order_id, self._fate(order_id), ts))
            return
        self._finish(working, _S.CANCELED)
        self._report(working.instrument.id, OrderCanceled(order_id, "", ts))

    def _fate(self, order_id: str) -> str:
        fate = self._fates.get(order_id)
        return "unknown order" if fate is None else f"already {fate[0].value}"

    def _replace(self, request: ReplaceOrder) -> None:
        working = self._orders.get(request.order_id)
        ts = self._edge.ts
        problem = None
        if working is None:
            problem = self._fate(request.order_id)
        elif working.order.type is not OrderType.LIMIT or request.price is None:
            problem = "only limit orders can be replaced"
        elif request.price <= 0 or not working.instrument.is_on_tick(request.price):
            problem = f"price {request.price} is not on the tick"
        elif not working.instrument.is_on_lot(request.quantity):
            problem = f"quantity {request.quantity} is not on the lot"
        elif request.quantity <= working.filled:
            problem = f"{working.filled} is filled already"
        if working is None or problem is not None:
            where = "" if working is None else working.instrument.id
            reason = problem or ""
            self._report(where, ReplaceRejected(request.order_id, reason, ts))
            return
        order = working.order
        self._accepted += 1
        changed = _Working(
            replace(order, quantity=request.quantity, price=request.price),
            working.instrument,
            self._accepted,
        )
        changed.filled = working.filled
        changed.left = request.quantity - working.filled
        self._orders[order.id] = changed
        self._by_instrument[order.instrument][order.id] = changed
        replaced = OrderReplaced(order.id, request.quantity, request.price, ts)
        self._report(order.instrument, replaced)
        if not self._view(order.instrument).bars_only:
            self._arrive(changed)

    def _query(self, order_id: str) -> None:
        working = self._orders.get(order_id)
        ts = self._edge.ts
        if working is not None:
            status = _S.PARTIALLY_FILLED if working.filled else _S.ACCEPTED
            report = OrderStatusReport(order_id, status, working.filled, ts)
            self._report(working.instrument.id, report)
            return
        fate = self._fates.get(order_id)
        status_or_none, filled = (None, ZERO) if fate is None else fate
        self._report("", OrderStatusReport(order_id, status_or_none, filled, ts))

    # Market data.

    def before_market(self, event: MarketEvent) -> None:
        """Match against a bar before the core sees it, where only bars exist."""
        if type(event) is not Bar or not self._view(event.instrument).bars_only:
            return
        self._bars[event.instrument] = event
        for working in self._waiting(event.instrument):
            self._match_bar(working, event)

    def after_market(self, event: MarketEvent) -> None:
        """Match against what the core has just seen."""
        kind = type(event)
        if kind is Bar:
            self._bars.pop(event.instrument, None)
            return
        if kind is not Trade:
            self._depth.refresh(event.instrument)
        if event.instrument not in self._by_instrument:
            return
        if isinstance(event, Trade):
            self._match_trade(event)
        else:
            for working in self._waiting(event.instrument):
                self._match_quote(working)

    def _waiting(self, instrument: str) -> list[_Working]:
        """Return the orders at an instrument: market ones, then by price and time."""
        here = self._by_instrument.get(instrument)
        if not here:
            return []
        return (
            sorted(here.values(), key=_priority) if len(here) > 1 else [*here.values()]
        )

    def _match_bar(self, working: _Working, bar: Bar) -> None:
        order, instrument = working.order, working.instrument
        if order.type is OrderType.MARKET:
            spread = self._settings.spread_bps
            price = prices.with_spread(instrument, bar.open, order.side, spread)
            self._fill(working, working.left, price, maker=False)
            return
        self._match_limit(working, bar)

    def _match_limit(self, working: _Working, bar: Bar) -> None:
        """Let a limit order take at its first open, or rest and meet the range."""
        order, instrument = working.order, working.instrument
        first, working.rested = not working.rested, True
        own = order.price
        if own is None:
            return
        if first:
            spread = self._settings.spread_bps
            price = prices.with_spread(instrument, bar.open, order.side, spread)
            if prices.crosses(own, price, order.side):
                if order.post_only:
                    self._expire(working, "post_only: it would take at the open")
                    return
                self._fill(working, working.left, price, maker=False)
                return
            if order.time_in_force in _AT_ONCE:
                # Immediate means the next open here, not somewhere in the bar.
                self._expire(working, "not at the open")
                return
        reached = prices.limit_in_bar(instrument, order, bar)
        if reached is not None:
            # At its first open nothing can have jumped over it.
            self._fill(working, working.left, own if first else reached, maker=True)

    def _arrive(self, working: _Working) -> None:
        """Let a new order take what is there; the rest waits, rests or expires."""
        order = working.order
        if order.time_in_force is TimeInForce.FOK:
            offered = sum((o.quantity for o in self._offers(working)), ZERO)
            if offered < working.left:
                self._expire(working, f"FOK: {offered} of {working.left} on offer")
                return
        self._take(working, maker=False)
        if working.left > 0 and order.time_in_force is TimeInForce.IOC:
            self._expire(working, f"IOC: {working.filled} of {order.quantity} filled")

    def _match_quote(self, working: _Working) -> None:
        self._take(working, maker=working.order.type is OrderType.LIMIT)

    def _take(self, working: _Working, *, maker: bool) -> None:
        """Trade with what is shown; a resting order gets its own price."""
        order = working.order
        own = order.price if maker else None
        for offer in self._offers(working):
            self._depth.take(order, offer)
            price = offer.price if own is None else own
            self._fill(working, offer.quantity, price, maker=maker)

    def _offers(self, working: _Working) -> list[Offer]:
        return self._depth.offers(working.instrument, working.order, working.left)

    def _match_trade(self, trade: Trade) -> None:
        """Fill resting orders that a public trade went strictly through."""
        printed = to_decimal(trade.price)
        budget: Decimal | None = None
        if self._settings.partial_fills:
            budget = self._instruments[trade.instrument].round_quantity(trade.size)
        for working in self._waiting(trade.instrument):
            order = working.order
            limit = order.price
            if order.type is not OrderType.LIMIT or limit is None:
                continue
            if printed == limit or not prices.crosses(limit, printed, order.side):
                continue
            amount = working.left if budget is None else min(working.left, budget)
            if amount <= 0:
                break
            if budget is not None:
                budget -= amount
            self._fill(working, amount, limit, maker=True)

    # What comes of it.

    def _fill(
        self, working: _Working, quantity: Decimal, price: Decimal, *, maker: bool
    ) -> None:
        order, instrument = working.order, working.instrument
        working.left -= quantity
        working.filled += quantity
        self.fills += 1
        notional = quantity * price
        fees = self._fees[instrument.id]
        fee = notional * (fees.maker if maker else fees.taker)
        signed = quantity * order.side.sign
        balances = self.balances
        quote, base = instrument.quote, instrument.base
        balances[quote] = balances.get(quote, ZERO) - signed * price - fee
        balances[base] = balances.get(base, ZERO) + signed
        if working.left <= 0:
            self._finish(working, _S.FILLED)
        self._report(
            instrument.id,
            OrderFilledReport(
                order_id=order.id,
                trade_id=f"{self.name}-t{self.fills}",
                quantity=quantity,
                price=price,
                fee=fee,
                fee_currency=quote,
                maker=maker,
                ts_event=self._edge.ts,
            ),
        )

    def _run_out(self, order_id: str) -> None:
        working = self._orders.get(order_id)
        if working is not None:
            self._expire(working, "good till date")

    def _expire(self, working: _Working, reason: str) -> None:
        self._finish(working, _S.EXPIRED)
        report = OrderExpired(working.order.id, reason, self._edge.ts)
        self._report(working.instrument.id, report)

    def _finish(self, working: _Working, status: OrderStatus) -> None:
        order_id = working.order.id
        del self._orders[order_id]
        here = self._by_instrument[working.instrument.id]
        del here[order_id]
        if not here:
            del self._by_instrument[working.instrument.id]
        self._remember(order_id, status, working.filled)

    def _remember(self, order_id: str, status: OrderStatus, filled: Decimal) -> None:
        self._fates[order_id] = (status, filled)
        if len(self._fates) > KEEP_FATES:
            del self._fates[next(iter(self._fates))]

    def digest(self) -> object:
        """Return balances and working orders in plain values, oldest first."""
        return (
            tuple((name, str(amount)) for name, amount in self.balances.items()),
            self.fills,
            self._accepted,
            tuple((key, str(w.left), w.rested) for key, w in self._orders.items()),
            self._depth.digest(),
        )


def _priority(working: _Working) -> tuple[int, Decimal, int]:
    order = working.order
    if order.price is None or order.type is OrderType.MARKET:
        return 0, ZERO, working.number
    best_first = -order.price if order.side is Side.BUY else order.price
    return 1, best_first, working.number
