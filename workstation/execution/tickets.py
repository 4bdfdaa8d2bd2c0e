"""The operator's own orders: judged, placed and amended, through the one risk stage.

The Executor registers ``place`` and ``amend``; ``judge`` says what would become of a
command and changes nothing, which is what a preview asks. A refusal is a DenyRecord
like any other and CommandRefused with its code.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import asdict, replace

from workstation.execution.closing import Closing
from workstation.execution.desk import OrderDesk
from workstation.execution.protection import Protection
from workstation.execution.risk import Denial, DenialCode, RiskStage
from workstation.execution.shape import bad_price
from workstation.execution.stops import Stops
from workstation.execution.tracked import Tracked
from workstation.execution.triggers import meeting_price
from workstation.model.commands import AmendOrder, PlaceOrder
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Side
from workstation.model.money import figure_error
from workstation.model.orders import (
    Order,
    OrderRole,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from workstation.model.owners import OPERATOR
from workstation.model.ports import Core
from workstation.model.records import SignalRecord
from workstation.model.signals import Signal, SignalAction

__all__ = ["Judged", "Tickets", "keeps_queue"]

_AMENDABLE = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.HELD)
_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
_WORDS = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop",
    OrderType.STOP_LIMIT: "stop-limit",
}


class Judged(NamedTuple):
    """The order as it would be, and why it is refused, if it is.

    ``before`` is the order it takes the place of; ``open`` what would be left to fill.
    """

    order: Order
    denial: Denial | None
    before: Order | None = None

    @property
    def open(self) -> Decimal:
        """Return the quantity that would not be filled yet."""
        filled = self.before.filled if self.before is not None else Decimal(0)
        return self.order.quantity - filled


def keeps_queue(order: Order, quantity: Decimal, price: Decimal | None) -> bool:
    """Tell whether an amend may leave an order its place in the queue.

    Venues put another price or a larger quantity at the end; a smaller quantity at the
    same price keeps its place at those that amend at all. A stop that waits has none.
    """
    return (
        not order.is_untriggered and price == order.price and quantity <= order.quantity
    )


class Tickets:
    """The operator's hand on single orders."""

    def __init__(
        self,
        desk: OrderDesk,
        risk: RiskStage,
        protection: Protection,
        stops: Stops,
        closing: Closing,
    ) -> None:
        self._desk = desk
        self._risk = risk
        self._protection = protection
        self._stops = stops
        self._closing = closing
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def judge(self, command: PlaceOrder | AmendOrder) -> Judged:
        """Return what the order would be and whether it passes; changes nothing.

        Raises CommandRefused when there is no such order to amend.
        """
        if isinstance(command, PlaceOrder):
            return self._judge_new(command)
        return self._judge_amend(command)

    def place(self, command: PlaceOrder) -> None:
        """Send the order, or refuse it with code and numbers."""
        order = self._passed(self._judge_new(command))
        intent = None if order.reduce_only else _intent(command)
        if intent is not None:
            # On record: after a crash it is this that says what protects the fills.
            self._core.record(SignalRecord(self._core.seq, self._core.ts, intent))
        self._clear_way(order)
        self._stops.place(order, intent, self._risk.judged_at)

    def amend(self, command: AmendOrder) -> None:
        """Ask the venue for the change, or make it to what is held; or refuse it."""
        tracked = self._find(command.order_id)
        after = self._passed(self._judge_amend(command))
        order, at = tracked.order, after.trigger
        if order.status is not OrderStatus.HELD:
            at = at if order.is_untriggered else None
            self._clear_way(after)
            self._desk.replace(tracked, command.quantity, command.price, at)
            return
        if self._stops.is_held(order.id) and at is not None:
            self._stops.amend(tracked, command.quantity, command.price, at)
            return
        plan = self._protection.plan(order.owner, order.instrument)
        if plan is None:
            raise CommandRefused(f"{order.id} protects nothing any more")
        stops = order.role is OrderRole.STOP
        self._protection.change(
            plan,
            stop=command.price if stops else None,
            target=None if stops else command.price,
            loosen=True,
        )
        self._protection.sync(order.owner, order.instrument)

    def _clear_way(self, order: Order) -> None:
        """Cancel own orders that a closing order would meet; an entry meets none."""
        if order.reduce_only and not order.is_untriggered:
            self._closing.clear_way(order)

    def _passed(self, judged: Judged) -> Order:
        order, denial = judged.order, judged.denial
        if denial is not None:
            self._desk.deny(order, denial)
            raise CommandRefused(f"{denial.code}: {denial.text}")
        return order

    def _find(self, order_id: str) -> Tracked:
        tracked = self._desk.orders.get(order_id)
        if tracked is None:
            raise CommandRefused(f"order {order_id} is not known")
        return tracked

    # New orders.

    def _judge_new(self, command: PlaceOrder) -> Judged:
        order = self._desk.draft(
            OPERATOR,
            command.instrument,
            OrderRole.EXIT if command.reduce_only else OrderRole.ENTRY,
            command.side,
            command.quantity,
            order_type=command.order_type,
            price=command.price,
            trigger=command.trigger,
            time_in_force=command.time_in_force,
            reduce_only=command.reduce_only,
            post_only=command.post_only,
            expires_ns=command.expires_ns,
            reason=command.reason or "by the operator",
        )
        text = figure_error(asdict(command)) or _contradiction(order)
        if text:
            return Judged(order, Denial(DenialCode.ORDER_CONTRADICTS, text))
        denial = self._risk.check(order, self._core.ts)
        if denial is None and not (command.stop is command.target is None):
            denial = self._unfit(order, command.stop, command.target)
        return Judged(order, denial)

    def _unfit(
        self, order: Order, stop: Decimal | None, target: Decimal | None
    ) -> Denial | None:
        """Return why this protection of what an order fills is none, if so."""
        if order.reduce_only:
            text = "a reduce-only order closes: it has nothing to protect"
            return Denial(DenialCode.ORDER_CONTRADICTS, text)
        instrument = self._risk.instruments[order.instrument]
        for trigger in (stop, target):
            if trigger is not None and (denial := bad_price(trigger, instrument)):
                return denial
        return self._met_at_once(order, stop, target)

    def _met_at_once(
        self, order: Order, stop: Decimal | None, target: Decimal | None
    ) -> Denial | None:
        """Return which of them the price of the order itself meets, if any."""
        price = self._risk.reference(order)
        for role, trigger in ((OrderRole.STOP, stop), (OrderRole.TARGET, target)):
            if trigger is None or price is None:
                continue
            below = (role is OrderRole.STOP) is (order.side is Side.BUY)
            denial = _wrong_side(role, trigger, price, below=below)
            if denial is not None:
                return denial
        return None

    # Changed orders.

    def _judge_amend(self, command: AmendOrder) -> Judged:
        tracked = self._find(command.order_id)
        before = tracked.order
        # The trigger of a position's stop or target is all that can be changed of it.
        leg = _is_held_leg(before)
        trigger = command.price if leg else command.trigger
        after = replace(
            before,
            # A draft: what is refused leaves the order itself as it is.
            status=OrderStatus.INITIALIZED,
            prior=None,
            quantity=command.quantity,
            price=before.price if leg else command.price,
            trigger=trigger if before.is_untriggered else before.trigger,
        )
        text = figure_error(asdict(command))
        if text:
            return Judged(after, Denial(DenialCode.ORDER_CONTRADICTS, text), before)
        denial = _unchangeable(before, after)
        if denial is None and tracked.reshaping:
            text = f"{before.id} is being changed, and the venue has not answered yet"
            denial = Denial(DenialCode.NOT_AMENDABLE, text)
        if denial is None and leg:
            denial = self._judge_trigger(after, trigger)
        elif denial is None:
            denial = self._judge_successor(tracked, after)
            intent = tracked.intent
            if denial is None and intent is not None and not after.reduce_only:
                denial = self._met_at_once(after, intent.stop, intent.target)
        return Judged(after, denial, before)

    def _judge_trigger(self, order: Order, trigger: Decimal | None) -> Denial | None:
        if trigger is None:
            text = f"the trigger of {order.id} is what can be changed: say price"
            return Denial(DenialCode.NOT_AMENDABLE, text)
        denial = bad_price(trigger, self._risk.instruments[order.instrument])
        view = self._risk.market.instrument(order.instrument)
        price = meeting_price(view, order.side)
        if denial is None and price is not None:
            below = (order.role is OrderRole.STOP) is (order.side is Side.SELL)
            denial = _wrong_side(order.role, trigger, price, below=below)
        return denial

    def _judge_successor(self, tracked: Tracked, after: Order) -> Denial | None:
        """Put what would be left to fill to the risk stage, in the old order's place.

        Whoever owns it, it is the operator's act: his row is never taken or locked.
        """
        before = tracked.order
        left = replace(
            after, quantity=after.quantity - before.filled, filled=Decimal(0)
        )
        if after.reduce_only:
            # Closing goes on while the executor is paused or the row is locked.
            left = replace(left, role=OrderRole.FLATTEN)
        elif (after.price, after.trigger) == (before.price, before.trigger) and (
            after.quantity < before.quantity
        ):
            # Less of the same: no limit, hold or kill stands in the way of that.
            return self._risk.shape(left)
        else:
            left = replace(left, owner=OPERATOR, role=OrderRole.ENTRY)
        with self._desk.orders.without(tracked):
            return self._risk.check(left, self._core.ts)


def _intent(command: PlaceOrder) -> Signal:
    """Return an entry as the signal whose stop and target follow its fills."""
    buys = command.side is Side.BUY
    return Signal(
        strategy=OPERATOR,
        instrument=command.instrument,
        action=SignalAction.ENTER_LONG if buys else SignalAction.ENTER_SHORT,
        quantity=command.quantity,
        order_type=command.order_type,
        limit_price=command.price,
        trigger=command.trigger,
        time_in_force=command.time_in_force,
        post_only=command.post_only,
        stop=command.stop,
        target=command.target,
        # The operator may hold some already: the protection is for all of it.
        add=True,
        reason=command.reason,
    )


def _contradiction(order: Order) -> str:
    """Return what of an order cannot be had together; "" when all can."""
    limit, word = order.type is OrderType.LIMIT, _WORDS.get(order.type)
    if word is None:
        return f"a ticket is {', '.join(_WORDS.values())}, not {order.type.value}"
    if not limit and order.type is not OrderType.STOP_LIMIT and order.price is not None:
        return f"a {word} order has no price, this one has {order.price}"
    if not order.is_untriggered and order.trigger is not None:
        return f"a {word} order has no trigger, this one has {order.trigger}"
    if order.post_only and not limit:
        return f"post-only is for limit orders: a {word} order takes"
    if order.type is OrderType.STOP and order.time_in_force in _AT_ONCE:
        return f"a stop order waits: GTC or GTD, not {order.time_in_force}"
    if order.post_only and order.time_in_force in _AT_ONCE:
        return f"post-only never takes, {order.time_in_force} takes at once or ends"
    ends = order.time_in_force is TimeInForce.GTD
    if ends and order.type is OrderType.MARKET:
        return "GTD is for limit orders: a market order does not wait"
    if order.expires_ns is not None and not ends:
        return f"an end is for GTD, not for {order.time_in_force}"
    return ""


def _unchangeable(before: Order, after: Order) -> Denial | None:
    """Return why this order cannot be changed so, whatever it costs."""
    if before.status not in _AMENDABLE:
        text = f"{before.id} is {before.status.value.replace('_', ' ')}"
        return Denial(DenialCode.NOT_AMENDABLE, f"{text}, not open")
    if _is_held_leg(before):
        if after.quantity != before.quantity:
            text = (
                f"{before.id} is for the whole position of {before.quantity}: its "
                "trigger can be changed, not its quantity"
            )
            return Denial(DenialCode.NOT_AMENDABLE, text)
    elif before.type is OrderType.MARKET:
        text = f"{before.id} is a market order; only limits and stops are amended"
        return Denial(DenialCode.NOT_AMENDABLE, text)
    elif (before.price is None) is not (after.price is None):
        text = f"{before.id} is a {_WORDS[before.type]} order: "
        text += "it has no price" if before.price is None else "it needs a price"
        return Denial(DenialCode.NOT_AMENDABLE, text)
    elif before.is_untriggered and after.trigger is None:
        text = f"{before.id} is a {_WORDS[before.type]} order: it needs a trigger"
        return Denial(DenialCode.NOT_AMENDABLE, text)
    if (after.quantity, after.price, after.trigger) == (
        before.quantity,
        before.price,
        before.trigger,
    ):
        return Denial(DenialCode.NOTHING_CHANGED, f"{before.id} is so already")
    if after.quantity <= before.filled and before.filled:
        text = f"{before.filled} of {before.id} is filled: the quantity must be more"
        return Denial(DenialCode.NOT_AMENDABLE, text)
    return None


def _is_held_leg(order: Order) -> bool:
    """Tell whether it is the stop or target of a position, which is held here."""
    return order.is_leg and order.status is OrderStatus.HELD


def _wrong_side(
    role: OrderRole, trigger: Decimal, price: Decimal, *, below: bool
) -> Denial | None:
    if trigger < price if below else trigger > price:
        return None
    side = "below" if below else "above"
    text = f"{role.value} {trigger} must be {side} {price}, or it is met at once"
    return Denial(DenialCode.PROTECTION_MET, text)
