"""Stop and stop-limit orders: held until a price meets them, judged again, released."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.execution.fakes import NS, Hand, signal
from workstation.execution.recovering import Recovering
from workstation.execution.settings import RiskSettings
from workstation.model.commands import (
    AmendOrder,
    CancelOrders,
    Flatten,
    Hold,
    Kill,
    KillLevel,
    PlaceOrder,
    Recover,
)
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Side
from workstation.model.market import Trade
from workstation.model.orders import (
    Order,
    OrderRole,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from workstation.model.rates import BrokerAbilities
from workstation.model.records import DenyRecord
from workstation.model.reports import (
    OrderCanceled,
    OrderRejected,
    OrderReplaced,
    OrderStatusReport,
    OrderTriggered,
    ReplaceRejected,
)
from workstation.model.requests import CancelOrder, ReplaceOrder, SubmitOrder

D = Decimal
S = OrderStatus
BUY, SELL = Side.BUY, Side.SELL
NATIVE = BrokerAbilities(modify=True, stops=True)
OPEN = RiskSettings(max_order_value=None, max_position_value=None, leverage=D(100))


def ticket(
    quantity: str = "1",
    trigger: str = "105",
    price: str | None = None,
    side: Side = BUY,
    **rest: object,
) -> PlaceOrder:
    """Return a stop order of the operator in BTC, a stop-limit where it has a price."""
    given: dict[str, object] = {
        "instrument": "BTC",
        "side": side,
        "quantity": D(quantity),
        "order_type": OrderType.STOP if price is None else OrderType.STOP_LIMIT,
        "trigger": D(trigger),
        "price": None if price is None else D(price),
    }
    return PlaceOrder(**(given | rest))  # type: ignore[arg-type]


def order_of(hand: Hand, order_id: str = "o-1") -> Order:
    return next(o for o in hand.executor.orders() if o.id == order_id)


def refused(hand: Hand, command: object) -> str:
    before = hand.executor.digest()
    with pytest.raises(CommandRefused) as caught:
        hand.give(command)
    assert hand.executor.digest() == before
    return str(caught.value)


def codes(hand: Hand) -> list[str]:
    return [record.code for record in hand.core.kept(DenyRecord)]


def holding(quantity: str = "2", owner: str = "s") -> Hand:
    """Return an Executor whose row holds a long position of BTC."""
    hand = Hand(OPEN)
    hand.give(signal("enter_long", quantity, strategy=owner))
    hand.fill("o-1", quantity)
    return hand


# What meets a trigger.


@pytest.mark.parametrize(
    ("side", "trigger", "before", "met"),
    [
        (BUY, "105", (104.8, 104.9), (104.8, 105.0)),
        (SELL, "95", (95.1, 95.0), (95.0, 95.1)),
    ],
)
def test_a_stop_waits_here_until_what_it_would_get_is_at_its_trigger(
    side: Side, trigger: str, before: tuple[float, float], met: tuple[float, float]
) -> None:
    hand = Hand()
    hand.give(ticket(trigger=trigger, side=side))
    assert order_of(hand).status is S.HELD
    hand.quote(*before)
    assert hand.submitted() == []
    hand.quote(*met)
    (request,) = hand.core.requests
    assert isinstance(request, SubmitOrder)
    sent = request.order
    assert (sent.type, sent.trigger, sent.quantity) == (
        OrderType.MARKET,
        D(trigger),
        D(1),
    )
    at = met[1] if side is BUY else met[0]
    assert sent.reason == f"stop {trigger} met at {at!r}"


def test_a_stop_limit_is_sent_as_a_limit_order_with_its_terms() -> None:
    hand = Hand()
    hand.give(ticket(price="105.5", time_in_force=TimeInForce.IOC))
    hand.quote(104.9, 105.2)
    sent = order_of(hand)
    assert (sent.type, sent.price, sent.time_in_force) == (
        OrderType.LIMIT,
        D("105.5"),
        TimeInForce.IOC,
    )


def test_a_trade_meets_it_only_where_nothing_is_quoted() -> None:
    hand = Hand()
    hand.give(ticket())
    event = Trade("BTC", hand.core.ts, 106.0, 1.0, 1)
    hand.market.see(event)
    hand.give(event)
    assert hand.submitted() == []
    hand.market.views["BTC"].bid = hand.market.views["BTC"].ask = 0.0
    hand.give(event)
    assert hand.submitted() == ["o-1"]


def test_prices_that_are_not_trusted_wake_up_no_entry() -> None:
    hand = Hand()
    hand.give(ticket())
    hand.market.reasons["BTC"] = "a gap in the book"
    hand.quote(106.0, 106.2)
    assert (order_of(hand).status, codes(hand)) == (S.HELD, [])
    hand.market.reasons.clear()
    hand.quote(106.0, 106.2)
    assert order_of(hand).status is S.SUBMITTED


def test_the_operators_stop_protects_what_it_fills() -> None:
    hand = Hand()
    hand.give(ticket(stop=D(101), target=D(120)))
    hand.quote(104.9, 105.0)
    hand.fill("o-1", "1", "105")
    assert hand.held() == [("stop", D(1), D(101)), ("target", D(1), D(120))]


def test_a_script_enters_at_a_stop_and_its_row_is_on_its_way_in() -> None:
    hand = Hand()
    hand.enter("1", order_type="stop", trigger="105", stop="101")
    assert hand.executor.desk.orders.has_entry("s", "BTC") == "o-1"
    hand.enter("1")
    assert codes(hand) == ["ALREADY_IN_POSITION"]
    hand.quote(104.9, 105.0)
    hand.fill("o-1", "1", "105")
    assert hand.position() == 1
    assert hand.held() == [("stop", D(1), D(101))]


def test_a_script_adds_at_a_stop() -> None:
    hand = holding("1")
    hand.enter("1", order_type="stop", trigger="105", add=True)
    hand.quote(104.9, 105.0)
    hand.fill("o-2", "1", "105")
    assert hand.position() == 2


# What is refused at once.


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (
            ticket(trigger="100.2"),
            "TRIGGER_MET: the trigger of a buy stop must be above 100.2, 100.2 is met "
            "already",
        ),
        (
            ticket(trigger="100", side=SELL),
            "TRIGGER_MET: the trigger of a sell stop must be below 100.0",
        ),
        (ticket(trigger="105.05"), "PRICE_OFF_TICK: price 105.05"),
        (
            ticket(trigger="105", order_type=OrderType.STOP_LIMIT),
            "PRICE_OFF_TICK: a stop-limit order needs a price",
        ),
        (
            ticket(order_type=OrderType.STOP_LIMIT, price="105", post_only=True),
            "ORDER_CONTRADICTS: post-only is for limit orders: a stop-limit order",
        ),
        (
            ticket(price="105", order_type=OrderType.STOP),
            "ORDER_CONTRADICTS: a stop order has no price, this one has 105",
        ),
        (
            ticket(order_type=OrderType.MARKET),
            "ORDER_CONTRADICTS: a market order has no trigger, this one has 105",
        ),
        (
            ticket(time_in_force=TimeInForce.IOC),
            "ORDER_CONTRADICTS: a stop order waits: GTC or GTD, not IOC",
        ),
        (ticket(time_in_force=TimeInForce.GTD), "NO_EXPIRY: a GTD order needs an end"),
        (
            ticket(reduce_only=True, side=SELL, trigger="95"),
            "REDUCE_ONLY_WOULD_INCREASE",
        ),
    ],
)
def test_what_no_stop_can_be_is_refused_with_what_would_be_right(
    command: PlaceOrder, text: str
) -> None:
    assert refused(Hand(), command).startswith(text)


def test_a_stop_without_a_trigger_is_denied_whoever_asks_for_it() -> None:
    hand = Hand()
    hand.enter("1", order_type="stop")
    (denied,) = hand.core.kept(DenyRecord)
    assert denied.text == "a stop order needs a trigger"


# Risk: counted while it waits, judged when it leaves.


def test_a_waiting_entry_counts_at_its_trigger_and_exactly_the_limit_passes() -> None:
    hand = Hand(RiskSettings(max_order_value=None, max_position_value=D(2100)))
    hand.give(ticket("15", trigger="105"))
    orders = hand.executor.desk.orders
    assert (orders.pending("BTC", BUY), orders.pending_value) == (D(15), D(1575))
    assert orders.at_venue == 0
    # 1575 wait; 525 more is the limit itself.
    assert refused(hand, ticket("5.001", trigger="105")).startswith("MAX_POSITION")
    hand.give(ticket("5", trigger="105"))
    hand.give(CancelOrders(order_ids=("o-1",)))
    assert orders.pending_value == D(525)


def test_a_released_stop_is_judged_at_the_market_that_it_meets() -> None:
    limit = RiskSettings(max_order_value=D(1100), max_position_value=None)
    within, beyond = Hand(limit), Hand(limit)
    for hand, ask in ((within, 110.0), (beyond, 110.1)):
        hand.give(ticket("10", trigger="105"))
        hand.quote(109.9, ask)
    assert order_of(within).status is S.SUBMITTED
    assert within.executor.desk.orders.pending_value == D(1100)
    assert order_of(beyond).status is S.DENIED
    assert codes(beyond) == ["MAX_ORDER_VALUE"]
    assert beyond.executor.desk.orders.pending_value == 0


def test_a_stop_limit_is_judged_at_its_price_beside_others_and_not_itself() -> None:
    hand = Hand(RiskSettings(max_order_value=None, max_position_value=D(1060)))
    hand.give(ticket("10", trigger="105", price="106"))
    hand.quote(104.9, 105.0)
    assert order_of(hand).status is S.SUBMITTED
    assert hand.executor.desk.orders.pending_value == D(1060)


def test_a_denial_at_the_trigger_ends_the_order_and_frees_its_row() -> None:
    hand = Hand()
    hand.enter("1", order_type="stop", trigger="105")
    hand.give(Hold(on=True))
    hand.quote(104.9, 105.0)
    assert (order_of(hand).status, codes(hand)) == (S.DENIED, ["HOLD"])
    assert hand.executor.working("s", "BTC") == []
    assert not hand.executor.triggers.waiting


def test_an_own_order_is_met_when_the_stop_leaves_not_while_it_waits() -> None:
    hand = Hand()
    hand.give(
        PlaceOrder(
            instrument="BTC",
            side=SELL,
            quantity=D(1),
            order_type=OrderType.LIMIT,
            price=D("105.2"),
        )
    )
    hand.accept("o-1")
    hand.give(ticket("1", trigger="105"))
    assert order_of(hand, "o-2").status is S.HELD
    hand.quote(104.9, 105.2)
    assert (order_of(hand, "o-2").status, codes(hand)) == (S.DENIED, ["SELF_TRADE"])


def test_a_waiting_stop_limit_is_in_no_book_that_others_could_meet() -> None:
    hand = Hand()
    hand.give(ticket("1", trigger="105", price="106"))
    hand.enter("1", "enter_short")
    assert codes(hand) == []
    hand.quote(104.9, 105.0)
    hand.accept("o-1")
    hand.enter("1", "enter_short", strategy="t")
    assert codes(hand) == ["SELF_TRADE"]


# The operator's switches.


def test_the_ladder_cancels_entries_and_keeps_what_only_reduces() -> None:
    hand = holding("2", owner="operator")
    hand.give(ticket("1", trigger="105"))
    hand.give(ticket("1", trigger="95", side=SELL, reduce_only=True))
    hand.give(Kill(level=KillLevel.CANCEL))
    assert order_of(hand, "o-2").status is S.CANCELED
    assert order_of(hand, "o-3").status is S.HELD
    hand.quote(95.0, 95.2)
    assert order_of(hand, "o-3").status is S.SUBMITTED


def test_flattening_cancels_the_entry_and_then_what_was_to_reduce() -> None:
    hand = holding("2", owner="operator")
    hand.give(ticket("1", trigger="105"))
    hand.give(ticket("2", trigger="95", side=SELL, reduce_only=True))
    hand.give(Flatten(instrument="BTC"))
    hand.fill("o-4", "2")
    assert [order_of(hand, i).status for i in ("o-2", "o-3")] == [S.CANCELED] * 2
    assert not hand.executor.triggers.waiting


def test_a_hold_lets_what_waits_wait_and_denies_it_when_it_would_leave() -> None:
    hand = Hand()
    hand.give(ticket())
    hand.give(Hold(on=True))
    assert order_of(hand).status is S.HELD
    hand.give(Hold(on=False))
    hand.quote(104.9, 105.0)
    assert order_of(hand).status is S.SUBMITTED


# What only reduces.


def test_an_exit_at_a_stop_closes_what_is_left_and_no_more() -> None:
    hand = holding("2")
    hand.give(signal("exit", "1.5", order_type="stop", trigger="95"))
    assert order_of(hand, "o-2").role is OrderRole.EXIT
    hand.give(signal("protect", stop="97"))
    hand.quote(97.0, 97.1)
    hand.fill("o-3", "0.9", "97")
    hand.quote(95.0, 95.1)
    # 1.1 are held and being closed by the stop: nothing is left for the exit.
    assert order_of(hand, "o-2").status is S.HELD
    hand.give(OrderRejected("o-3", "not today"))
    hand.quote(95.0, 95.1)
    sent = order_of(hand, "o-2")
    assert (sent.status, sent.quantity) == (S.SUBMITTED, D("1.1"))


def test_an_exit_at_a_stop_ends_with_the_position() -> None:
    hand = holding("2")
    hand.give(signal("exit", order_type="stop_limit", trigger="95", limit_price="94"))
    hand.give(signal("protect", stop="97"))
    hand.quote(97.0, 97.1)
    hand.fill("o-3", "2", "97")
    ended = order_of(hand, "o-2")
    assert (ended.status, ended.reason) == (S.CANCELED, "all closed")


def test_a_position_that_is_handed_over_leaves_no_exit_behind_that_waits() -> None:
    hand = holding("2")
    hand.give(signal("exit", order_type="stop", trigger="95"))
    hand.core.seq += 1
    hand.executor.handover("s", "BTC")
    assert order_of(hand, "o-2").status is S.CANCELED
    assert not hand.executor.triggers.waiting


def test_an_exit_that_the_broker_refuses_at_its_trigger_is_held_again() -> None:
    hand = holding("2")
    hand.give(signal("exit", "1.5", order_type="stop", trigger="95"))
    hand.quote(94.9, 95.0)
    hand.fill("o-2", "0.5", "94.9")
    hand.give(OrderRejected("o-2", "no connection"))
    (again,) = hand.executor.held_protection()
    assert (again.quantity, again.trigger, again.role) == (
        D(1),
        D(95),
        OrderRole.EXIT,
    )
    assert again.reason == "held again: o-2 ended rejected"
    # Not at every tick, and then for what is held.
    hand.quote(94.9, 95.0)
    assert hand.submitted() == ["o-1", "o-2"]
    hand.core.advance(hand.core.ts + NS)
    hand.quote(94.9, 95.0)
    assert hand.submitted() == ["o-1", "o-2", "o-3"]
    hand.fill("o-3", "1", "94.9")
    assert hand.position() == D("0.5")


def test_an_exit_that_is_canceled_after_its_trigger_is_not_held_again() -> None:
    hand = holding("2")
    hand.give(signal("exit", order_type="stop", trigger="95"))
    hand.quote(94.9, 95.0)
    hand.give(OrderCanceled("o-2"))
    assert hand.executor.held_protection() == []


def test_another_exit_takes_the_place_of_one_that_waits() -> None:
    hand = holding("2")
    hand.give(signal("exit", order_type="stop", trigger="95"))
    hand.give(signal("exit", order_type="stop", trigger="96"))
    assert order_of(hand, "o-2").status is S.CANCELED
    assert order_of(hand, "o-3").trigger == D(96)


def test_a_met_exit_waits_until_an_exit_at_a_price_is_out_of_its_way() -> None:
    hand = holding("2", owner="operator")
    hand.give(ticket("1", trigger="95", side=SELL, reduce_only=True))
    limit = PlaceOrder(
        instrument="BTC",
        side=SELL,
        quantity=D(2),
        order_type=OrderType.LIMIT,
        price=D(108),
        reduce_only=True,
    )
    hand.give(limit)
    hand.accept("o-3")
    hand.quote(95.0, 95.1)
    assert order_of(hand, "o-2").status is S.HELD
    assert hand.core.requests[-1] == CancelOrder("o-3", "BTC")
    hand.give(OrderCanceled("o-3"))
    sent = order_of(hand, "o-2")
    assert (sent.status, sent.quantity) == (S.SUBMITTED, D(1))


def test_what_only_reduces_is_held_up_by_no_limit_nor_switch() -> None:
    hand = holding("2", owner="operator")
    hand.give(ticket("2", trigger="95", side=SELL, reduce_only=True))
    hand.executor.paused = True
    hand.give(Kill(level=KillLevel.HOLD))
    hand.quote(95.0, 95.1)
    assert order_of(hand, "o-2").status is S.SUBMITTED


# Its end, and its changes.


def test_a_held_order_ends_at_its_time() -> None:
    hand = Hand()
    end = hand.core.ts + 5 * NS
    hand.give(ticket(time_in_force=TimeInForce.GTD, expires_ns=end))
    hand.core.advance(end - 1)
    assert order_of(hand).status is S.HELD
    hand.core.advance(end)
    ended = order_of(hand)
    assert (ended.status, ended.reason) == (S.EXPIRED, "good till date")
    assert hand.executor.desk.orders.pending_value == 0
    hand.quote(106.0, 106.1)
    assert hand.submitted() == []


def test_the_end_of_a_stop_is_that_of_its_waiting_and_a_stop_limits_its_own() -> None:
    hand = Hand()
    end = hand.core.ts + 5 * NS
    for price in (None, "106"):
        hand.give(ticket(price=price, time_in_force=TimeInForce.GTD, expires_ns=end))
    hand.quote(104.9, 105.0)
    market, limit = order_of(hand, "o-1"), order_of(hand, "o-2")
    assert (market.time_in_force, market.expires_ns) == (TimeInForce.GTC, None)
    assert (limit.time_in_force, limit.expires_ns) == (TimeInForce.GTD, end)
    hand.core.advance(end)
    assert market.status is S.SUBMITTED


def test_an_amend_moves_trigger_price_and_quantity_and_what_they_count_for() -> None:
    hand = Hand()
    hand.give(ticket("1", trigger="105", price="106"))
    hand.give(
        AmendOrder(order_id="o-1", quantity=D(2), price=D(108), trigger=D("107.5"))
    )
    assert hand.executor.desk.orders.pending_value == D(216)
    hand.quote(105.9, 106.0)
    assert order_of(hand).status is S.HELD
    hand.quote(107.4, 107.5)
    sent = order_of(hand)
    assert (sent.quantity, sent.price, sent.trigger) == (D(2), D(108), D("107.5"))
    hand2 = Hand()
    hand2.give(ticket("1", trigger="105"))
    hand2.give(AmendOrder(order_id="o-1", quantity=D(1), price=None, trigger=D(107)))
    assert hand2.executor.desk.orders.pending_value == D(107)


@pytest.mark.parametrize(
    ("quantity", "price", "trigger", "text"),
    [
        ("1", "106", "100", "TRIGGER_MET: the trigger of a buy stop must be above"),
        (
            "1",
            None,
            "105",
            "NOT_AMENDABLE: o-1 is a stop-limit order: it needs a price",
        ),
        ("1", "106", None, "NOT_AMENDABLE: o-1 is a stop-limit order: it needs a trig"),
        ("1", "106", "105", "NOTHING_CHANGED"),
        ("500", "106", "105", "MAX_ORDER_VALUE"),
    ],
)
def test_an_amend_is_judged_like_a_new_order(
    quantity: str, price: str | None, trigger: str | None, text: str
) -> None:
    hand = Hand()
    hand.give(ticket("1", trigger="105", price="106"))
    command = AmendOrder(
        order_id="o-1",
        quantity=D(quantity),
        price=None if price is None else D(price),
        trigger=None if trigger is None else D(trigger),
    )
    assert refused(hand, command).startswith(text)


# Taken up by another run.


def test_what_was_held_is_held_again_with_its_end_and_its_protection() -> None:
    before = holding("2", owner="operator")
    end = before.core.ts + 100 * NS
    before.give(ticket("1", stop=D(101), time_in_force=TimeInForce.GTD, expires_ns=end))
    before.give(ticket("1", trigger="95", side=SELL, reduce_only=True))
    before.give(ticket("1", trigger="103", price="104"))
    before.give(AmendOrder(order_id="o-4", quantity=D(2), price=D(107), trigger=D(106)))
    hand = Hand(OPEN)
    recovering = Recovering(hand.executor)
    for record in before.core.records:
        recovering.take(record)
    recovering.finish()
    hand.core.seq += 1
    hand.executor.recover(Recover(), ())
    first, second = before.executor, hand.executor
    assert [o for o in second.orders() if not o.is_terminal] == [
        o for o in first.orders() if not o.is_terminal
    ]
    ours, theirs = second.desk.orders, first.desk.orders
    assert ours.pending_value == theirs.pending_value == D(105) + 2 * D(107)
    hand.quote(104.9, 105.0)
    hand.fill("o-2", "1", "105")
    assert ("stop", D(3), D(101)) in hand.held()
    hand.core.advance(end)
    hand.quote(95.0, 95.1)
    assert order_of(hand, "o-3").status is S.SUBMITTED


def test_nothing_enters_at_a_stop_before_the_venue_has_answered() -> None:
    hand = Hand()
    hand.give(ticket())
    hand.executor.controls.asked.add("o-9")
    hand.quote(105.0, 105.2)
    assert (order_of(hand).status, codes(hand)) == (S.HELD, [])
    hand.executor.controls.asked.clear()
    hand.quote(105.0, 105.2)
    assert order_of(hand).status is S.SUBMITTED


# Kept by the venue.


def at_venue(**rest: object) -> Hand:
    hand = Hand(OPEN, abilities=NATIVE)
    hand.give(ticket(**rest))  # type: ignore[arg-type]
    hand.accept("o-1")
    return hand


def test_a_broker_that_keeps_stops_gets_them_at_once() -> None:
    hand = at_venue()
    (request,) = hand.core.requests
    assert isinstance(request, SubmitOrder)
    assert (request.order.type, request.order.trigger) == (OrderType.STOP, D(105))
    assert hand.executor.desk.orders.at_venue == 1
    assert hand.executor.desk.orders.pending_value == D(105)
    hand.quote(106.0, 106.2)
    assert len(hand.core.requests) == 1


def test_the_venue_tells_that_a_stop_was_woken_and_others_meet_it_then() -> None:
    hand = at_venue(price="106")
    hand.enter("1", "enter_short")
    assert codes(hand) == []
    hand.give(OrderTriggered("o-1", 5))
    woken = order_of(hand)
    assert (woken.status, woken.type) == (S.ACCEPTED, OrderType.LIMIT)
    hand.enter("1", "enter_short", strategy="t")
    assert codes(hand) == ["SELF_TRADE"]
    # It comes once more, and by a status: nothing new.
    moves = hand.executor.history("o-1")
    hand.give(OrderTriggered("o-1", 5))
    hand.give(OrderStatusReport("o-1", S.ACCEPTED, ts_event=6, triggered=True))
    assert hand.executor.history("o-1") == moves


def test_a_status_tells_of_a_trigger_whose_report_was_lost() -> None:
    hand = at_venue()
    hand.give(OrderStatusReport("o-1", S.ACCEPTED, ts_event=6, triggered=True))
    assert order_of(hand).type is OrderType.MARKET


def test_a_stop_at_the_venue_would_meet_what_is_within_its_reach() -> None:
    hand = Hand(OPEN, abilities=NATIVE)
    sell = PlaceOrder(
        instrument="BTC",
        side=SELL,
        quantity=D(1),
        order_type=OrderType.LIMIT,
        price=D("105.2"),
    )
    hand.give(sell)
    hand.accept("o-1")
    assert refused(hand, ticket(price="105.2")).startswith("SELF_TRADE")
    hand.give(ticket(price="105.1"))


@pytest.mark.parametrize(
    ("limit", "trigger", "price", "worth"),
    [(None, "108", None, "216"), ("106", "107", "109", "218")],
)
def test_an_amend_of_a_stop_at_the_venue_counts_at_the_worse_while_it_is_asked(
    limit: str | None, trigger: str, price: str | None, worth: str
) -> None:
    hand = Hand(OPEN, abilities=NATIVE)
    hand.give(ticket("1", "105", limit))
    hand.accept("o-1")
    orders = hand.executor.desk.orders
    hand.give(
        AmendOrder(
            order_id="o-1",
            quantity=D(2),
            price=None if price is None else D(price),
            trigger=D(trigger),
        )
    )
    assert isinstance(hand.core.requests[-1], ReplaceOrder)
    assert orders.pending_worth("BTC", BUY) == D(worth)
    hand.give(ReplaceRejected("o-1", "no"))
    assert orders.pending_worth("BTC", BUY) == D(limit or "105")


def test_an_amend_of_a_stop_at_the_venue_asks_for_its_trigger_too() -> None:
    hand = at_venue(price="106")
    hand.give(AmendOrder(order_id="o-1", quantity=D(1), price=D(108), trigger=D(107)))
    assert hand.core.requests[-1] == ReplaceOrder("o-1", D(1), D(108), "BTC", D(107))
    hand.give(OrderReplaced("o-1", D(1), D(108), 7, D(107)))
    changed = order_of(hand)
    assert (changed.trigger, changed.price) == (D(107), D(108))
    hand.give(OrderTriggered("o-1", 8))
    hand.quote(107.0, 107.2)
    hand.give(AmendOrder(order_id="o-1", quantity=D(1), price=D(109)))
    assert hand.core.requests[-1] == ReplaceOrder("o-1", D(1), D(109), "BTC", None)


def test_a_stop_whose_move_is_not_answered_counts_for_the_worse_of_both() -> None:
    hand = at_venue()
    orders = hand.executor.desk.orders
    hand.give(AmendOrder(order_id="o-1", quantity=D(2), price=None, trigger=D(110)))
    assert orders.pending_value == D(220)
    hand.give(OrderReplaced("o-1", D(2), None, 7, D(110)))
    assert orders.pending_value == D(220)
    hand.give(AmendOrder(order_id="o-1", quantity=D(2), price=None, trigger=D(102)))
    assert orders.pending_value == D(220)
    hand.give(OrderReplaced("o-1", D(2), None, 8, D(102)))
    assert orders.pending_value == D(204)


def test_a_reducing_stop_at_the_venue_gives_way_to_the_stop_of_the_position() -> None:
    hand = Hand(OPEN, abilities=NATIVE)
    hand.give(signal("enter_long", "2", stop="97"))
    hand.fill("o-1", "2")
    hand.give(signal("exit", order_type="stop", trigger="95"))
    hand.accept("o-3")
    assert not order_of(hand, "o-3").closes_now
    assert hand.held() == [("stop", D(2), D(97))]
    hand.quote(97.0, 97.1)
    assert hand.core.requests[-1] == CancelOrder("o-3", "BTC")
    hand.give(OrderCanceled("o-3"))
    assert order_of(hand, "o-2").status is S.SUBMITTED
    hand.fill("o-2", "2", "97")
    assert hand.position() == 0


def test_a_reducing_stop_at_the_venue_is_canceled_once_all_is_closed() -> None:
    hand = Hand(OPEN, abilities=NATIVE)
    hand.give(signal("enter_long", "2"))
    hand.fill("o-1", "2")
    hand.give(signal("exit", "1", order_type="stop", trigger="95"))
    hand.accept("o-2")
    hand.give(Flatten(instrument="BTC"))
    assert hand.core.requests[-1] == CancelOrder("o-2", "BTC")
    # The cancel comes too late: what it filled is not closed twice.
    hand.fill("o-2", "1", "95")
    hand.fill("o-3", "1", "95")
    assert hand.position() == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["stop", "market", "cancel", "amend", "price", "fill"]),
            st.integers(1, 4),
            st.integers(0, 12),
        ),
        max_size=30,
    )
)
def test_what_waits_and_what_works_is_what_is_pending(
    steps: list[tuple[str, int, int]],
) -> None:
    hand = Hand(OPEN)
    for word, size, place in steps:
        mine = hand.executor.working("operator", "BTC")
        one = mine[place % len(mine)] if mine else None
        try:
            if word == "stop":
                price = str(106 + place) if place % 2 else None
                hand.give(ticket(str(size), str(101 + place), price))
            elif word == "market":
                hand.give(PlaceOrder(instrument="BTC", side=BUY, quantity=D(size)))
            elif word == "price":
                hand.quote(98.0 + place, 98.2 + place)
            elif one is None:
                continue
            elif word == "cancel":
                hand.give(CancelOrders(order_ids=(one.id,)))
            elif word == "amend":
                limit = None if one.price is None else one.price + place
                at = one.trigger and one.trigger + place
                hand.give(
                    AmendOrder(
                        order_id=one.id, quantity=D(size), price=limit, trigger=at
                    )
                )
            elif word == "fill" and one.status is not S.HELD:
                hand.fill(one.id, "0.5", "105")
        except CommandRefused:
            pass
        orders = hand.executor.desk.orders
        for side in Side:
            left = [t.order.remaining for t in orders.open() if t.order.side is side]
            assert orders.pending("BTC", side) == sum(left, D(0))
        values = {
            t.order.id: t.order.remaining
            * (
                t.order.price
                or (t.order.trigger if t.order.is_untriggered else None)
                or t.worth
            )
            for t in orders.open()
        }
        assert orders.pending_value == sum(values.values(), D(0))
        held = [t.order.id for t in orders.open() if t.order.status is S.HELD]
        waiting = hand.executor.triggers.waiting.get("BTC", [])
        assert len(waiting) == len(held)


def test_an_entry_that_waits_here_is_no_protection() -> None:
    hand = Hand()
    hand.fill(hand.enter(stop="90"), "1")
    hand.enter(order_type="stop", trigger="110", strategy="t")
    assert len(hand.executor.desk.orders.held()) == 2
    (only,) = hand.executor.held_protection()
    assert only.role is OrderRole.STOP
