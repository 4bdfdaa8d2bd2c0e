"""The operator's own orders: what passes, what is refused, and what an amend does."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.execution.fakes import BTC, Hand, Run, quote, ticket
from workstation.execution.settings import RiskSettings
from workstation.execution.tickets import keeps_queue
from workstation.model.commands import (
    AmendOrder,
    Hold,
    Kill,
    KillLevel,
    PlaceOrder,
)
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Side
from workstation.model.orders import (
    Order,
    OrderRole,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from workstation.model.records import DenyRecord
from workstation.model.reports import OrderCanceled, OrderReplaced, ReplaceRejected
from workstation.model.requests import CancelOrder, ReplaceOrder

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def amend(order_id: str, quantity: str, price: str) -> AmendOrder:
    return AmendOrder(order_id=order_id, quantity=D(quantity), price=D(price))


def refused(hand: Hand, command: PlaceOrder | AmendOrder) -> str:
    """Return the sentence of a refusal that leaves the state as it is."""
    before = hand.executor.digest()
    with pytest.raises(CommandRefused) as caught:
        hand.give(command)
    assert hand.executor.digest() == before
    return str(caught.value)


def working(hand: Hand, quantity: str = "1", price: str = "99") -> str:
    """Return the id of a limit buy of the operator that the venue works."""
    hand.give(ticket(quantity, price))
    (order,) = hand.executor.working("operator", "BTC")
    hand.accept(order.id)
    return order.id


def order_of(hand: Hand, order_id: str = "o-1") -> Order:
    return next(o for o in hand.executor.orders() if o.id == order_id)


def test_an_order_of_the_operator_is_his_and_filled_like_any_other() -> None:
    hand = Hand()
    hand.give(ticket("2", "100.5", post_only=False, reason="by hand"))
    order = order_of(hand)
    assert (order.owner, order.role) == ("operator", OrderRole.ENTRY)
    assert (order.price, order.quantity, order.reason) == (D("100.5"), D(2), "by hand")
    hand.accept("o-1")
    hand.fill("o-1", "2", "100.2")
    assert hand.position("operator") == 2
    assert hand.position("s") == 0


def test_all_that_a_ticket_says_reaches_the_venue() -> None:
    hand = Hand()
    command = ticket(
        "1", "99", time_in_force=TimeInForce.GTD, expires_ns=hand.core.ts + 5
    )
    hand.give(command)
    order = order_of(hand)
    assert (order.time_in_force, order.expires_ns) == (
        TimeInForce.GTD,
        command.expires_ns,
    )
    hand.give(ticket("1", "98", post_only=True))
    assert order_of(hand, "o-2").post_only
    assert hand.submitted() == ["o-1", "o-2"]


def test_stop_and_target_of_a_ticket_are_held_once_it_fills() -> None:
    hand = Hand()
    hand.give(ticket("1", stop="95", target="110"))
    assert hand.held() == []
    hand.fill("o-1", "0.4")
    hand.fill("o-1", "0.6")
    assert hand.held() == [("stop", D("1.0"), D("95.0")), ("target", D(1), D("110.0"))]
    # A second ticket adds; its tighter stop is for all that is held then.
    hand.give(ticket("1", stop="97"))
    added = max(hand.submitted())
    hand.fill(added, "1")
    assert hand.held() == [("stop", D(2), D("97.0")), ("target", D(2), D("110.0"))]


def test_a_reduce_only_ticket_closes_what_the_operator_holds_and_no_more() -> None:
    hand = Hand()
    hand.give(ticket("1"))
    hand.fill("o-1", "1")
    text = refused(hand, ticket("1.5", side=SELL, reduce_only=True))
    assert text.startswith("REDUCE_ONLY_WOULD_INCREASE: sell 1.5 would add")
    hand.give(ticket("1", side=SELL, reduce_only=True))
    assert order_of(hand, "o-2").role is OrderRole.EXIT
    hand.fill("o-2", "1", "100.0")
    assert hand.position("operator") == 0


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (ticket("1", "99.05"), "PRICE_OFF_TICK: price 99.05 is not"),
        (ticket("0"), "QUANTITY_ZERO"),
        (ticket("0.0005"), "QUANTITY_OFF_LOT"),
        (ticket("0.01"), "BELOW_MIN_NOTIONAL: value 1.002 is below min_notional 5"),
        (ticket("1", instrument="XRP"), "UNKNOWN_INSTRUMENT: XRP is not in this run"),
        (ticket("1", "99", time_in_force=TimeInForce.GTD), "NO_EXPIRY"),
        (
            ticket("1", "99", time_in_force=TimeInForce.GTD, expires_ns=1),
            "EXPIRY_PASSED: the order's end was 1 s ago",
        ),
        (
            ticket("1", "99", expires_ns=5_000_000_000),
            "ORDER_CONTRADICTS: an end is for GTD, not for GTC",
        ),
        (
            ticket("1", post_only=True),
            "ORDER_CONTRADICTS: post-only is for limit orders",
        ),
        (
            ticket("1", "99", post_only=True, time_in_force=TimeInForce.IOC),
            "ORDER_CONTRADICTS: post-only never takes, IOC takes at once",
        ),
        (
            ticket("1", "99", order_type=OrderType.MARKET),
            "ORDER_CONTRADICTS: a market order has no price, this one has 99",
        ),
        (
            ticket("1", time_in_force=TimeInForce.GTD, expires_ns=5_000_000_000),
            "ORDER_CONTRADICTS: GTD is for limit orders",
        ),
        (
            ticket("1", order_type=OrderType.TARGET),
            "ORDER_CONTRADICTS: a ticket is market, limit, stop, stop-limit, not tar",
        ),
        (
            ticket("1", "99", stop="99"),
            "PROTECTION_MET: stop 99 must be below 99, or it is met at once",
        ),
        (
            ticket("1", target="100.2"),
            "PROTECTION_MET: target 100.2 must be above 100.2",
        ),
        (
            ticket("1", side=SELL, stop="99.9"),
            "PROTECTION_MET: stop 99.9 must be above 100.0",
        ),
        (ticket("1", stop="95.05"), "PRICE_OFF_TICK: price 95.05"),
    ],
)
def test_a_refusal_has_code_and_numbers_and_is_on_record(
    command: PlaceOrder, text: str
) -> None:
    hand = Hand()
    said = refused(hand, command)
    assert said.startswith(text)
    (record,) = hand.core.kept(DenyRecord)
    assert f"{record.code}: {record.text}" == said
    assert record.owner == "operator"
    assert hand.submitted() == []


def test_protection_of_what_only_closes_contradicts_itself() -> None:
    hand = Hand()
    hand.give(ticket("1"))
    hand.fill("o-1", "1")
    closing = ticket("1", side=SELL, reduce_only=True, stop="105")
    assert refused(hand, closing).startswith("ORDER_CONTRADICTS: a reduce-only order")


def test_limits_hold_and_kill_stop_the_operator_too() -> None:
    hand = Hand(RiskSettings(max_order_value=D(500), max_open_orders=1))
    assert "value 501 is more than max_order_value 500" in refused(hand, ticket("5"))
    working(hand)
    assert refused(hand, ticket("1", "98")).startswith("MAX_OPEN_ORDERS")
    hand = Hand()
    hand.give(Hold(on=True))
    assert refused(hand, ticket("1")).startswith("HOLD")
    hand.give(Hold(on=False))
    hand.give(Kill(level=KillLevel.HOLD, reason="test"))
    assert refused(hand, ticket("1")) == "KILLED: killed at hold: test; re-arm to trade"


def test_judging_changes_nothing_and_says_what_placing_does() -> None:
    hand = Hand(RiskSettings(max_order_value=D(500)))
    before, kept = hand.executor.digest(), len(hand.core.records)
    judged = hand.executor.judge(ticket("5"))
    assert judged.denial is not None
    assert judged.denial.code == "MAX_ORDER_VALUE"
    assert hand.executor.judge(ticket("4")).denial is None
    assert hand.executor.digest() == before
    assert len(hand.core.records) == kept
    assert hand.core.requests == []


def test_an_amend_asks_the_venue_and_follows_its_answer() -> None:
    hand = Hand()
    order_id = working(hand)
    hand.give(amend(order_id, "2", "98.5"))
    assert order_of(hand).status is OrderStatus.PENDING_REPLACE
    assert hand.core.requests[-1] == ReplaceOrder(order_id, D(2), D("98.5"), "BTC")
    # The order is what the venue holds until that has answered.
    assert (order_of(hand).quantity, order_of(hand).price) == (D(1), D(99))
    assert refused(hand, amend(order_id, "3", "98")).startswith(
        "NOT_AMENDABLE: o-1 is pending replace, not open"
    )
    hand.give(OrderReplaced(order_id, D(2), D("98.5")))
    assert (order_of(hand).quantity, order_of(hand).price) == (D(2), D("98.5"))
    hand.give(amend(order_id, "2", "98"))
    hand.give(ReplaceRejected(order_id, "busy"))
    assert order_of(hand).status is OrderStatus.ACCEPTED
    assert order_of(hand).price == D("98.5")


@pytest.mark.parametrize(
    ("quantity", "price", "text"),
    [
        ("1", "99", "NOTHING_CHANGED: o-1 is so already"),
        ("1", "99.05", "PRICE_OFF_TICK"),
        ("1.0005", "99", "QUANTITY_OFF_LOT"),
        ("0", "99", "QUANTITY_ZERO"),
        ("6", "99", "MAX_ORDER_VALUE: value 594 is more than max_order_value 500"),
        ("0.4", "99", "NOT_AMENDABLE: 0.4 of o-1 is filled: the quantity must be more"),
    ],
)
def test_an_amend_passes_the_risk_stage_too(
    quantity: str, price: str, text: str
) -> None:
    hand = Hand(RiskSettings(max_order_value=D(500)))
    order_id = working(hand)
    if quantity == "0.4":
        hand.fill(order_id, "0.4", "99")
    assert refused(hand, amend(order_id, quantity, price)).startswith(text)
    assert not isinstance(hand.core.requests[-1], ReplaceOrder)


def test_an_amend_is_judged_in_the_place_of_what_it_changes() -> None:
    hand = Hand(RiskSettings(max_position_value=D(200), max_open_orders=1))
    order_id = working(hand, "1.5", "99")
    # 1.5 + 2 would be too much, and one order is open: but it is the same one.
    hand.give(amend(order_id, "2", "99"))
    hand.give(OrderReplaced(order_id, D(2), D(99)))
    assert refused(hand, amend(order_id, "2.1", "99")).startswith("MAX_POSITION_VALUE")
    hand.fill(order_id, "1", "99")
    # 1 is held, and 1 more may be filled: what is filled is not counted twice.
    hand.give(amend(order_id, "2", "99.5"))
    assert order_of(hand).status is OrderStatus.PENDING_REPLACE


@pytest.mark.parametrize(
    ("quantity", "price", "worth"),
    [
        ("6", "99", "594"),
        ("4", "100", "400"),
        ("6", "98", "588"),
        # Less for less: until that is answered, it may still fill as it is.
        ("2", "98", "396"),
        ("2", "100", "398"),
    ],
)
def test_an_amend_on_its_way_counts_at_the_worst_of_before_and_after(
    quantity: str, price: str, worth: str
) -> None:
    hand = Hand(RiskSettings(max_order_value=None))
    order_id = working(hand, "4", "99")
    orders = hand.executor.desk.orders
    assert orders.pending_worth("BTC", BUY) == 396
    hand.give(amend(order_id, quantity, price))
    assert orders.pending("BTC", BUY) == max(D(4), D(quantity))
    least = max(D(396), D(quantity) * D(price))
    assert least <= D(worth) <= orders.pending_worth("BTC", BUY)
    hand.give(OrderReplaced(order_id, D(quantity), D(price)))
    assert orders.pending("BTC", BUY) == D(quantity)
    assert orders.pending_worth("BTC", BUY) == D(quantity) * D(price)
    assert orders.pending_value == D(quantity) * D(price)


@pytest.mark.parametrize("beyond", [False, True])
def test_an_entry_beside_an_amend_on_its_way_is_judged_with_its_growth(
    beyond: bool,
) -> None:
    hand = Hand(RiskSettings(max_order_value=None, max_total_exposure=D(1000)))
    hand.quote(100.0, 100.0)
    order_id = working(hand, "4", "100")
    hand.give(amend(order_id, "6", "100"))
    hand.enter("4.001" if beyond else "4")
    codes = [record.code for record in hand.core.kept(DenyRecord)]
    assert codes == (["MAX_TOTAL_EXPOSURE"] if beyond else [])


def test_what_an_amend_adds_is_taken_back_when_it_is_refused_or_over() -> None:
    for end in (
        ReplaceRejected("o-1", "no"),
        OrderReplaced("o-1", D(6), D(99)),
        OrderCanceled("o-1"),
    ):
        hand = Hand(RiskSettings(max_order_value=None))
        working(hand, "4", "99")
        hand.give(amend("o-1", "6", "99"))
        hand.fill("o-1", "1", "99")
        orders = hand.executor.desk.orders
        assert orders.pending("BTC", BUY) == 5
        hand.give(end)
        left = {ReplaceRejected: 3, OrderReplaced: 5, OrderCanceled: 0}[type(end)]
        assert orders.pending("BTC", BUY) == left
        assert orders.pending_value == left * 99


def test_a_second_amend_is_judged_without_what_the_first_would_have_added() -> None:
    hand = Hand(RiskSettings(max_order_value=None))
    working(hand, "4", "99")
    hand.give(amend("o-1", "6", "99"))
    orders = hand.executor.desk.orders
    tracked = orders.get("o-1")
    assert tracked is not None
    with orders.without(tracked):
        assert orders.pending("BTC", BUY) == 0
        assert orders.pending_value == 0
    assert orders.pending_value == 594


def test_an_exit_that_is_being_enlarged_closes_as_much_as_it_may_fill() -> None:
    hand = Hand(RiskSettings(max_order_value=None))
    hand.give(ticket("4"))
    hand.fill("o-1", "4", "100")
    hand.give(ticket("1", "120", side=SELL, reduce_only=True))
    hand.accept("o-2")
    hand.give(amend("o-2", "3", "120"))
    text = refused(hand, ticket("1.001", "121", side=SELL, reduce_only=True))
    assert text.startswith("REDUCE_ONLY_WOULD_INCREASE")
    hand.give(ticket("1", "121", side=SELL, reduce_only=True))
    hand.give(OrderReplaced("o-2", D(3), D(120)))
    orders = hand.executor.desk.orders
    assert orders.closing("operator", "BTC", SELL) == 4


def test_less_of_the_same_passes_where_no_entry_does() -> None:
    hand = Hand()
    order_id = working(hand, "2")
    hand.give(Kill(level=KillLevel.HOLD, reason="test"))
    assert refused(hand, amend(order_id, "3", "99")).startswith("KILLED")
    # A better price is nearer to a fill, so it is as good as a new entry.
    assert refused(hand, amend(order_id, "1", "99.5")).startswith("KILLED")
    hand.give(amend(order_id, "1", "99"))
    assert hand.core.requests[-1] == ReplaceOrder(order_id, D(1), D(99), "BTC")


def test_the_order_of_a_strategy_can_be_amended_by_hand() -> None:
    hand = Hand()
    order_id = hand.enter("1", order_type=OrderType.LIMIT, limit_price="99")
    hand.accept(order_id)
    hand.give(amend(order_id, "1.5", "99.1"))
    assert hand.core.requests[-1] == ReplaceOrder(order_id, D("1.5"), D("99.1"), "BTC")


def test_a_row_that_is_in_and_locked_can_be_amended_by_the_operator() -> None:
    hand = Hand()
    order_id = hand.enter("1", order_type=OrderType.LIMIT, limit_price="99")
    hand.accept(order_id)
    hand.fill(order_id, "0.4", "99")
    hand.executor.row_locked = lambda owner, instrument: True
    hand.give(amend(order_id, "1.5", "99.1"))
    assert hand.core.requests[-1] == ReplaceOrder(order_id, D("1.5"), D("99.1"), "BTC")


def test_an_exit_is_amended_while_new_entries_are_on_hold() -> None:
    hand = Hand()
    hand.give(ticket("1"))
    hand.fill("o-1", "1")
    hand.give(ticket("1", "105", side=SELL, reduce_only=True))
    hand.accept("o-2")
    hand.give(Hold(on=True))
    assert "would add" in refused(hand, amend("o-2", "1.5", "104"))
    hand.give(amend("o-2", "1", "104"))
    assert hand.core.requests[-1] == ReplaceOrder("o-2", D(1), D(104), "BTC")


def test_a_held_stop_moves_at_once_also_further_away() -> None:
    hand = Hand()
    hand.give(ticket("1", stop="95", target="110"))
    hand.fill("o-1", "1")
    stop, target = hand.executor.held_protection()
    hand.give(amend(stop.id, "1", "93"))
    hand.give(amend(target.id, "1", "120"))
    assert hand.held() == [("stop", D(1), D("93.0")), ("target", D(1), D("120.0"))]
    met = refused(hand, amend(stop.id, "1", "100"))
    assert met.startswith("PROTECTION_MET: stop 100 must be below 100.0")
    assert "for the whole position of 1" in refused(hand, amend(stop.id, "2", "93"))
    assert refused(hand, amend(target.id, "1", "99")).startswith("PROTECTION_MET")
    assert refused(hand, amend(stop.id, "1", "93.05")).startswith("PRICE_OFF_TICK")


def test_only_what_is_there_and_open_can_be_amended() -> None:
    hand = Hand()
    assert refused(hand, amend("o-9", "1", "99")) == "order o-9 is not known"
    hand.give(ticket("1"))
    hand.accept("o-1")
    assert refused(hand, amend("o-1", "1", "99")).startswith(
        "NOT_AMENDABLE: o-1 is a market order; only limits and stops are amended"
    )
    hand.fill("o-1", "1")
    assert refused(hand, amend("o-1", "2", "99")).startswith(
        "NOT_AMENDABLE: o-1 is filled, not open"
    )


def test_only_less_at_the_same_price_may_keep_the_place_in_the_queue() -> None:
    hand = Hand()
    order = order_of(hand, working(hand, "2", "99"))
    assert keeps_queue(order, D(1), D(99))
    assert not keeps_queue(order, D(3), D(99))
    assert not keeps_queue(order, D(1), D("98.9"))


def test_the_paper_broker_works_a_ticket_and_its_amend() -> None:
    run = Run()
    run.feed(quote(1, 100.0, 100.2))
    run.tell(ticket("1", "99"))
    run.feed(quote(2, 100.0, 100.2))
    run.tell(amend("o-1", "2", "100.2"))
    run.feed(quote(3, 100.0, 100.2))
    run.wait(1)
    assert run.executor.position("operator", "BTC").quantity == 2
    assert not any(isinstance(r, CancelOrder) for r in run.core.requests)
    assert BTC.is_on_tick(D("100.2"))


@given(
    st.lists(
        st.tuples(
            st.sampled_from((BUY, SELL)),
            st.integers(1, 40),
            st.integers(950, 1_050),
            st.booleans(),
        ),
        min_size=1,
        max_size=8,
    ),
    st.data(),
)
def test_the_sums_without_an_order_are_those_of_all_others(
    wanted: list[tuple[Side, int, int, bool]], data: st.DataObject
) -> None:
    # Any price, and so no collar: what is proven are the sums.
    risk = RiskSettings(
        max_order_value=None,
        max_position_value=None,
        collar_through_bps=None,
        collar_away_bps=None,
    )
    hand = Hand(risk)
    for side, lots, above, acknowledged in wanted:
        # Sells above buys: own orders that would meet are denied.
        ticks = above if side is BUY else above + 200
        hand.give(ticket(str(D(lots) / 10), str(D(ticks) / 10), side=side))
        if acknowledged:
            hand.accept(f"o-{hand.executor.desk.orders.made}")
    orders = hand.executor.desk.orders
    open_ = orders.open()
    left_out = data.draw(st.sampled_from(open_))
    before = sums(hand)
    with orders.without(left_out):
        others = [t.order for t in open_ if t is not left_out]
        for side in (BUY, SELL):
            same = [o.remaining for o in others if o.side is side]
            assert orders.pending("BTC", side) == sum(same, D(0))
        assert orders.pending_value == sum(
            (o.remaining * (o.price or D(0)) for o in others), D(0)
        )
        assert orders.at_venue == len(others)
        assert left_out not in orders.row("operator", "BTC")
    # Digit by digit: the state hash is made of these.
    assert sums(hand) == before


def sums(hand: Hand) -> str:
    orders = hand.executor.desk.orders
    return repr(
        (
            orders.pending("BTC", BUY),
            orders.pending("BTC", SELL),
            orders.pending_value,
            orders.pending_elsewhere("ETH"),
            orders.at_venue,
            [t.order.id for t in orders.row("operator", "BTC")],
        )
    )


@pytest.mark.parametrize("wild", ["NaN", "Infinity", "1e23", "1e400", "1e-30"])
@pytest.mark.parametrize("name", ["quantity", "price", "stop", "trigger"])
def test_a_figure_that_no_order_can_have_is_refused(name: str, wild: str) -> None:
    hand = Hand()
    given: dict[str, object] = {name: D(wild)}
    if name == "trigger":
        given["order_type"] = OrderType.STOP
    command = replace(ticket("1", None if name == "trigger" else "99"), **given)
    assert "is no figure below 10^15" in refused(hand, command)
    hand.give(ticket("1", "99"))
    hand.accept("o-1")
    if name in ("quantity", "price"):
        change = replace(amend("o-1", "1", "98"), **{name: D(wild)})
        assert "is no figure below 10^15" in refused(hand, change)
