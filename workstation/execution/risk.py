"""The one risk stage that every order passes: ordered checks, stable codes, numbers.

Asked by the Executor before an order leaves; it changes no order. What reduces risk
(reduce-only orders, protection, the operator's flatten) is never refused for a limit,
for hold or kill, or for the state of the data; cancels do not come here at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from msgspec.structs import replace

from workstation.execution import margin
from workstation.execution.controls import Controls
from workstation.execution.ledger import Ledger
from workstation.execution.orders import Orders
from workstation.execution.rates import RateBudgets
from workstation.execution.settings import RiskSettings
from workstation.model.instruments import Instrument, Side, to_decimal
from workstation.model.orders import (
    Order,
    OrderRole,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from workstation.model.ports import MarketView
from workstation.model.rates import RequestKind
from workstation.model.states import BookTrust

__all__ = ["Denial", "DenialCode", "Joining", "RiskStage"]

ZERO = Decimal(0)
OPERATOR = "operator"
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_BUY, _LIMIT, _UNKNOWN = Side.BUY, OrderType.LIMIT, OrderStatus.UNKNOWN
_GTD = TimeInForce.GTD
_SAFETY = (OrderRole.STOP, OrderRole.TARGET, OrderRole.FLATTEN)


class DenialCode(StrEnum):
    """Why an order was refused; the words are stable, scripts and logs rely on them."""

    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    KILLED = "KILLED"
    HOLD = "HOLD"
    TASK_PAUSED = "TASK_PAUSED"
    TASK_STOPPED = "TASK_STOPPED"
    ROW_LOCKED = "ROW_LOCKED"
    DATA_STALE = "DATA_STALE"
    BOOK_UNTRUSTED = "BOOK_UNTRUSTED"
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    QUANTITY_OFF_LOT = "QUANTITY_OFF_LOT"
    QUANTITY_ZERO = "QUANTITY_ZERO"
    BELOW_MIN_NOTIONAL = "BELOW_MIN_NOTIONAL"
    MAX_ORDER_VALUE = "MAX_ORDER_VALUE"
    MAX_POSITION_VALUE = "MAX_POSITION_VALUE"
    MAX_OPEN_ORDERS = "MAX_OPEN_ORDERS"
    RATE_LIMITED = "RATE_LIMITED"
    REDUCE_ONLY_WOULD_INCREASE = "REDUCE_ONLY_WOULD_INCREASE"
    CLOSING = "CLOSING"
    ALREADY_IN_POSITION = "ALREADY_IN_POSITION"
    INSUFFICIENT_CASH = "INSUFFICIENT_CASH"
    STOP_LOOSENED = "STOP_LOOSENED"
    NO_POSITION = "NO_POSITION"
    FATE_UNKNOWN = "FATE_UNKNOWN"
    NO_ENTRY = "NO_ENTRY"
    NO_EXPIRY = "NO_EXPIRY"
    ORDER_CONTRADICTS = "ORDER_CONTRADICTS"
    PROTECTION_MET = "PROTECTION_MET"
    NOT_AMENDABLE = "NOT_AMENDABLE"
    NOTHING_CHANGED = "NOTHING_CHANGED"
    NOT_CLOSED = "NOT_CLOSED"
    REVERSE_DROPPED = "REVERSE_DROPPED"
    RECONCILING = "RECONCILING"
    SELF_TRADE = "SELF_TRADE"


class Joining(StrEnum):
    """What an entry is to a position that there is already."""

    NO = "no"
    ADD = "add"
    REVERSE = "reverse"
    QUOTE = "quote"
    """One of many resting orders: the row may hold and work others."""


_REVERSE = Joining.REVERSE


class Denial(NamedTuple):
    """A refusal: the code, and a text with the numbers that decided."""

    code: DenialCode
    text: str


class RiskStage:
    """Judges one order at a time against limits, switches, data and positions."""

    def __init__(
        self,
        settings: RiskSettings,
        instruments: Mapping[str, Instrument],
        market: MarketView,
        ledger: Ledger,
        orders: Orders,
        controls: Controls,
        rates: RateBudgets | None = None,
    ) -> None:
        self.settings = settings
        self.instruments = instruments
        self.market = market
        self.ledger = ledger
        self.orders = orders
        self.controls = controls
        self.rates = rates or RateBudgets()
        self.judged_at = ZERO
        """The price at which the last entry was valued: it stays the price at which
        the order is pending, while the market's moves on."""

    def check(
        self, order: Order, now_ns: int, joining: Joining = Joining.NO
    ) -> Denial | None:
        """Return the first reason to refuse the order, or None.

        An entry is asked data, engine, task, lock, size and limits, throttle, fate:
        the order of the gates, which put the same questions. It is for a flat row
        unless ``joining`` says otherwise.
        """
        instrument = self.instruments.get(order.instrument)
        if instrument is None:
            known = ", ".join(self.instruments)
            return Denial(
                DenialCode.UNKNOWN_INSTRUMENT,
                f"{order.instrument} is not in this run; it has {known}",
            )
        owner, role, entry = order.owner, order.role, not order.reduce_only
        denial = self.data(order.instrument, now_ns) if entry else None
        if denial is None:
            denial = self.switches(owner, order.instrument, role, entry=entry)
        if denial is not None:
            return denial
        if entry:
            return (
                self.size(order, joining)
                or self.crowded()
                or self.throttled(now_ns)
                or self.fate(owner, order.instrument)
                or self.self_trade(order, joining)
            )
        return self._shape(order, instrument) or self._reduces(order)

    def check_change(
        self, order: Order, left: Decimal, price: Decimal, now_ns: int
    ) -> Denial | None:
        """Return the first reason to refuse another price and rest of a quote.

        What is left of it now does not count beside what is to be left.
        """
        denial = self.data(order.instrument, now_ns) or self.switches(
            order.owner, order.instrument, order.role, entry=True
        )
        changed = replace(order, quantity=left, price=price, filled=ZERO)
        return denial or self.size(changed, Joining.QUOTE, order.remaining)

    def switches(
        self, owner: str, instrument: str, role: OrderRole, *, entry: bool
    ) -> Denial | None:
        """Return the switch that stands in the way, if any."""
        bound = role not in _SAFETY
        denial = self.paused() if bound else None
        if denial is None and entry:
            denial = self.hold() or self.kill() or self.reconciling()
        if denial is None and bound:
            denial = self.task(owner) if entry else None
            denial = denial or self.lock(owner, instrument)
        return denial

    def paused(self) -> Denial | None:
        """Return that the executor is paused, if so."""
        if not self.controls.paused:
            return None
        return Denial(DenialCode.TASK_PAUSED, "the executor is paused")

    def task(self, owner: str) -> Denial | None:
        """Return why the owner's strategy takes no part, if so."""
        if owner == OPERATOR:
            return None
        state = self.controls.state_of(owner)
        if state == "running":
            return None
        paused = state == "paused"
        code = DenialCode.TASK_PAUSED if paused else DenialCode.TASK_STOPPED
        return Denial(code, f"strategy {owner} is {state}")

    def lock(self, owner: str, instrument: str) -> Denial | None:
        """Return that the row is locked in manual, if so; the operator may act."""
        if owner == OPERATOR or not self.controls.row_locked(owner, instrument):
            return None
        return Denial(
            DenialCode.ROW_LOCKED,
            f"{owner} {instrument} is locked in manual; hand it back first",
        )

    def hold(self) -> Denial | None:
        """Return that new entries are on hold, if so."""
        if not self.controls.hold:
            return None
        return Denial(DenialCode.HOLD, "the operator holds new entries")

    def kill(self) -> Denial | None:
        """Return the rung of the kill ladder, if it was used."""
        controls = self.controls
        if controls.kill_level is None:
            return None
        why = f": {controls.kill_reason}" if controls.kill_reason else ""
        return Denial(
            DenialCode.KILLED,
            f"killed at {controls.kill_level.value}{why}; re-arm to trade",
        )

    def reconciling(self) -> Denial | None:
        """Return that orders of an earlier run are still being asked for, if so."""
        asked = self.controls.asked
        if not asked:
            return None
        return Denial(
            DenialCode.RECONCILING,
            f"the venue is being asked about {', '.join(sorted(asked))}, left open by "
            "an earlier run",
        )

    def data(self, instrument: str, now_ns: int) -> Denial | None:
        """Return why the market data must not be traded on, if so."""
        reason = self.market.distrust(instrument, now_ns)
        if reason is None:
            return None
        book = self.market.instrument(instrument).book
        # A book that is fine leaves age as the only cause.
        bad_book = book is not None and book.trust in (
            BookTrust.UNTRUSTED,
            BookTrust.SYNCING,
        )
        code = DenialCode.BOOK_UNTRUSTED if bad_book else DenialCode.DATA_STALE
        return Denial(code, reason)

    def shape(self, order: Order) -> Denial | None:
        """Return what of price, quantity or end the instrument does not allow."""
        return self._shape(order, self.instruments[order.instrument])

    def _shape(self, order: Order, instrument: Instrument) -> Denial | None:
        for price in (order.price, order.trigger):
            if price is not None and not (price > 0 and instrument.is_on_tick(price)):
                return Denial(
                    DenialCode.PRICE_OFF_TICK,
                    f"price {price} is not a positive multiple of "
                    f"{instrument.tick_size}",
                )
        if order.time_in_force is _GTD and order.expires_ns is None:
            return Denial(DenialCode.NO_EXPIRY, "a GTD order needs an end")
        if order.type is _LIMIT and order.price is None:
            return Denial(DenialCode.PRICE_OFF_TICK, "a limit order needs a price")
        quantity = order.quantity
        if not instrument.is_on_lot(quantity):
            return Denial(
                DenialCode.QUANTITY_OFF_LOT,
                f"quantity {quantity} is not a multiple of {instrument.lot_size}",
            )
        if quantity <= 0:
            return Denial(
                DenialCode.QUANTITY_ZERO,
                f"quantity {quantity} must be at least {instrument.lot_size}",
            )
        return None

    def _reduces(self, order: Order) -> Denial | None:
        position = self.ledger.position(order.owner, order.instrument).quantity
        closing = self.orders.closing(order.owner, order.instrument, order.side)
        room = (-position if order.side is _BUY else position) - closing
        if order.quantity > room:
            if closing and room <= 0:
                return self.closing(position, order.instrument)
            return Denial(
                DenialCode.REDUCE_ONLY_WOULD_INCREASE,
                f"{order.side.value} {order.quantity} would add: {order.owner} holds "
                f"{position}, {closing} of it is being closed",
            )
        return None

    def closing(self, position: Decimal, instrument: str) -> Denial:
        """Return the refusal of an exit while others close the whole position."""
        return Denial(
            DenialCode.CLOSING,
            f"all of {position} {instrument} is being closed already",
        )

    def reference(self, order: Order) -> Decimal | None:
        """Return the price to value an order at: its limit, else what it would meet."""
        if order.price is not None:
            return order.price
        view = self.market.instrument(order.instrument)
        price = view.ask if order.side is _BUY else view.bid
        if not price > 0:
            price = view.mark or view.last
        return to_decimal(price) if price > 0 else None

    def size(
        self, order: Order, joining: Joining = Joining.NO, freed: Decimal = ZERO
    ) -> Denial | None:
        """Return why an entry of this quantity and price is refused, if so.

        ``freed`` is pending now on its side and will not be beside it.
        """
        instrument = self.instruments[order.instrument]
        shape = self._shape(order, instrument)
        return shape or self._limits(order, instrument, joining, freed)

    def _limits(
        self,
        order: Order,
        instrument: Instrument,
        joining: Joining,
        freed: Decimal,
    ) -> Denial | None:
        settings = self.settings
        price = self.reference(order)
        if price is None:
            return Denial(
                DenialCode.DATA_STALE, f"there is no price of {instrument.id} yet"
            )
        self.judged_at = price
        notional = order.quantity * price
        if notional < instrument.min_notional:
            return Denial(
                DenialCode.BELOW_MIN_NOTIONAL,
                f"value {notional} is below min_notional {instrument.min_notional}",
            )
        limit = settings.max_order_value
        if limit is not None and notional > limit:
            return Denial(
                DenialCode.MAX_ORDER_VALUE,
                f"value {notional} is more than max_order_value {limit}",
            )
        held = net = self.ledger.net(order.instrument)
        if joining is Joining.REVERSE:
            # What it holds is closed before: the entry starts without it.
            net -= self.ledger.position(order.owner, order.instrument).quantity
        pending = self.orders.pending(order.instrument, order.side) - freed
        worst = (net if order.side is _BUY else -net) + pending + order.quantity
        limit = settings.max_position_value
        if limit is not None and worst * price > limit:
            return Denial(
                DenialCode.MAX_POSITION_VALUE,
                f"position {net} with {pending} pending and {order.quantity} more is "
                f"worth {worst * price}, more than max_position_value {limit}",
            )
        return self._in_the_way(order, joining) or self._cash(
            order, worst - abs(net), abs(held) - abs(net), price
        )

    def crowded(self) -> Denial | None:
        """Return that as many orders are open as may be, if so."""
        most = self.settings.max_open_orders
        if most is None or self.orders.at_venue < most:
            return None
        return Denial(
            DenialCode.MAX_OPEN_ORDERS,
            f"{self.orders.at_venue} orders are open, max_open_orders is {most}",
        )

    def throttled(self, now_ns: int) -> Denial | None:
        """Return that the broker's rate leaves no room for a new order, if so."""
        refusal = self.rates.refusal(RequestKind.PLACE, now_ns)
        if refusal is None:
            return None
        return Denial(DenialCode.RATE_LIMITED, refusal)

    def fate(self, owner: str, instrument: str) -> Denial | None:
        """Return the orders of a strategy's row that nobody knows the fate of."""
        if owner == OPERATOR or not self.orders.unknown:
            return None
        row = self.orders.row(owner, instrument)
        lost = [t.order.id for t in row if t.order.status is _UNKNOWN]
        if not lost:
            return None
        return Denial(DenialCode.FATE_UNKNOWN, f"fate of {', '.join(lost)} is unknown")

    def meets(self, order: Order) -> list[Order]:
        """Return the own orders at the venue that this one would trade with.

        A market order is taken to reach the best price shown.
        """
        reach = self.reference(order)
        if reach is None:
            return []
        orders = self.orders
        met = orders.resting.met_by(order.instrument, order.side, reach)
        found = (orders.get(order_id) for order_id in met)
        return [tracked.order for tracked in found if tracked is not None]

    def self_trade(self, order: Order, joining: Joining = Joining.NO) -> Denial | None:
        """Return that an entry would trade with an own order, if so.

        A reversal cancels what its own row has at work first.
        """
        for met in self.meets(order):
            if joining is not _REVERSE or met.owner != order.owner:
                return Denial(
                    DenialCode.SELF_TRADE,
                    f"{order.side.value} {order.quantity} would trade with own order "
                    f"{met.id} of {met.owner}: {met.side.value} {met.remaining} at "
                    f"{met.price}",
                )
        return None

    def _in_the_way(self, order: Order, joining: Joining) -> Denial | None:
        """Return that the row is in a state this entry was not meant for, if so."""
        owner, instrument = order.owner, order.instrument
        if joining is Joining.QUOTE:
            return None
        if joining is Joining.NO:
            return self.occupied(owner, instrument)
        position = self.ledger.position(owner, instrument).quantity
        same_side = (position > 0) is (order.side is _BUY)
        if joining is Joining.REVERSE:
            # What works is canceled first; flat by now is as good as closed.
            if not position or not same_side:
                return None
            return Denial(
                DenialCode.ALREADY_IN_POSITION,
                f"{owner} holds {position} {instrument}, which is that side already",
            )
        if not position:
            return Denial(
                DenialCode.NO_POSITION, f"{owner} holds no {instrument} to add to"
            )
        if not same_side:
            return Denial(
                DenialCode.ALREADY_IN_POSITION,
                f"{owner} holds {position} {instrument}; add to that side, or reverse",
            )
        return self._entering(owner, instrument)

    def occupied(self, owner: str, instrument: str) -> Denial | None:
        """Return why a strategy's row may not enter: it is in, or on its way in."""
        if owner == OPERATOR:
            return None
        position = self.ledger.position(owner, instrument).quantity
        if position:
            return Denial(
                DenialCode.ALREADY_IN_POSITION,
                f"{owner} holds {position} {instrument}; exit first",
            )
        return self._entering(owner, instrument)

    def _entering(self, owner: str, instrument: str) -> Denial | None:
        entry = self.orders.has_entry(owner, instrument)
        if entry is not None:
            return Denial(
                DenialCode.ALREADY_IN_POSITION,
                f"{owner} has entry {entry} working in {instrument}",
            )
        return None

    def _cash(
        self, order: Order, added: Decimal, closed: Decimal, price: Decimal
    ) -> Denial | None:
        """Refuse what the equity could not carry even without the buffer.

        ``added`` is what the order adds to the account's position, ``closed`` what
        leaves it before. Entries on their way count as filled, in whatever instrument
        they are; that some of them may offset positions is not counted on.
        """
        if added <= 0:
            return None
        leverage = self.settings.leverage
        value = self.ledger.value()
        elsewhere = self.orders.pending_elsewhere(order.instrument)
        carried = value.exposure + elsewhere
        if closed:
            carried -= closed * (self.ledger.mark(order.instrument) or price)
        exposure = carried + added * price
        if exposure <= value.equity * leverage:
            return None
        used = margin.initial_margin(carried, leverage)
        free = margin.available(value.equity, used, ZERO)
        # What only takes the position back to zero needs no margin.
        exempt = order.quantity - added
        fits = max(ZERO, exempt + margin.max_added(free, leverage, price))
        fits = self.instruments[order.instrument].round_quantity(fits)
        return Denial(
            DenialCode.INSUFFICIENT_CASH,
            f"exposure would be {exposure} with {elsewhere} pending elsewhere, equity "
            f"is {value.equity} at leverage {leverage}; {fits} would fit",
        )
