"""Closing in parts: no maximum of the venue keeps anybody in a position."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.execution.fakes import BTC, Hand, Run, quote, signal
from workstation.execution.parts import AT_ONCE, parts
from workstation.execution.settings import OrderSettings, RiskSettings
from workstation.model.commands import Flatten, Kill, KillLevel
from workstation.model.instruments import Instrument
from workstation.model.orders import Order, OrderRole, OrderStatus, OrderType
from workstation.model.records import DenyRecord, FaultRecord
from workstation.model.reports import OrderRejected
from workstation.venues.paper.settings import PaperBrokerSettings

D = Decimal
WIDE = RiskSettings(max_order_value=None, max_position_value=None, leverage=D(100))
SMALL = replace(BTC, max_quantity=D(5), market_max_quantity=D(4), min_quantity=D(1))


def holding(quantity: str = "10", btc: Instrument = SMALL, **fields: object) -> Hand:
    """Return a hand that holds more than one order may be: the limit came later."""
    hand = Hand(WIDE, btc=replace(BTC))
    hand.fill(hand.enter(quantity, "enter_long", **fields), quantity, "100")
    executor = hand.executor
    executor.risk.instruments["BTC"] = btc  # type: ignore[index]
    return hand


def sent(hand: Hand) -> list[Order]:
    orders = hand.executor.desk.orders
    found = [orders.get(order_id) for order_id in hand.submitted()[1:]]
    return [tracked.order for tracked in found if tracked is not None]


def sizes(hand: Hand) -> list[Decimal]:
    return [order.quantity for order in sent(hand)]


def test_a_flatten_of_more_than_one_order_may_be_closes_in_parts() -> None:
    hand = holding()
    hand.give(Flatten(instrument="BTC"))
    assert sizes(hand) == [D(4), D(4), D(2)]
    assert {order.role for order in sent(hand)} == {OrderRole.FLATTEN}
    for order in sent(hand):
        hand.fill(order.id, str(order.quantity), "99")
    assert hand.position() == 0
    assert hand.core.kept(DenyRecord) == []


def test_a_flatten_at_the_maximum_is_one_order() -> None:
    hand = holding("4")
    hand.give(Flatten(instrument="BTC"))
    assert sizes(hand) == [D(4)]


def test_a_kill_closes_in_parts_too() -> None:
    hand = holding()
    hand.give(Kill(level=KillLevel.FLATTEN, reason="now"))
    assert sizes(hand) == [D(4), D(4), D(2)]


def test_no_part_is_less_than_the_minimum() -> None:
    hand = holding("8.5")
    hand.give(Flatten(instrument="BTC"))
    assert sizes(hand) == [D(4), D("3.5"), D(1)]


def test_a_capped_flatten_is_split_by_what_is_allowed_at_a_price() -> None:
    hand = Hand(WIDE, OrderSettings(max_slippage_bps=100))
    hand.fill(hand.enter("10"), "10", "100")
    worth = replace(SMALL, max_notional=D(297))
    hand.executor.risk.instruments["BTC"] = worth  # type: ignore[index]
    hand.give(Flatten(instrument="BTC"))
    # 3 × 99.0 is all that one may be worth.
    assert [(o.quantity, o.price) for o in sent(hand)] == [
        (D(3), D("99.0")),
        (D(3), D("99.0")),
        (D(3), D("99.0")),
        (D(1), D("99.0")),
    ]


def test_a_capped_flatten_stays_within_the_prices_the_venue_takes() -> None:
    hand = Hand(WIDE, OrderSettings(max_slippage_bps=1000))
    hand.fill(hand.enter("1"), "1", "100")
    floor = replace(BTC, min_price=D("95"))
    hand.executor.risk.instruments["BTC"] = floor  # type: ignore[index]
    hand.give(Flatten(instrument="BTC"))
    assert [order.price for order in sent(hand)] == [D("95.0")]


def test_an_exit_at_a_price_rests_in_parts() -> None:
    hand = holding()
    hand.give(signal("exit", order_type="limit", limit_price="120"))
    assert [(o.quantity, o.price) for o in sent(hand)] == [
        (D(5), D(120)),
        (D(5), D(120)),
    ]
    # All of them are in the way of a flatten, and canceled for it.
    hand.give(Flatten(instrument="BTC"))
    resting = sent(hand)
    assert {o.status for o in resting} == {OrderStatus.PENDING_CANCEL}


def test_an_exit_of_more_than_is_held_is_denied_as_a_whole() -> None:
    hand = holding()
    hand.give(signal("exit", "11"))
    (denied,) = hand.core.kept(DenyRecord)
    assert denied.code == "REDUCE_ONLY_WOULD_INCREASE"
    assert sent(hand) == []


def test_a_stop_is_released_in_parts_that_are_all_its_own() -> None:
    hand = holding(stop="95")
    assert hand.held() == [("stop", D(10), D("95.0"))]
    hand.quote(94.0, 94.2)
    orders = sent(hand)
    assert [order.quantity for order in orders] == [D(4), D(4), D(2)]
    assert {(o.role, o.type, o.trigger) for o in orders} == {
        (OrderRole.STOP, OrderType.MARKET, D("95.0"))
    }
    assert hand.held() == []
    for order in orders:
        hand.fill(order.id, str(order.quantity), "94")
        assert hand.held() == []
    assert hand.position() == 0


def test_a_part_of_a_stop_that_is_refused_is_held_again() -> None:
    hand = holding(stop="95")
    hand.quote(94.0, 94.2)
    first, second, third = sent(hand)
    hand.fill(first.id, "4", "94")
    hand.give(OrderRejected(second.id, "busy"))
    hand.fill(third.id, "2", "94")
    assert hand.held() == [("stop", D(4), D("95.0"))]


def test_a_reversal_waits_for_all_parts_of_its_close() -> None:
    hand = holding()
    hand.enter("1", "enter_short", reverse=True)
    first, second, third = sent(hand)
    hand.fill(first.id, "4", "100")
    hand.fill(third.id, "2", "100")
    assert len(sent(hand)) == 3
    hand.fill(second.id, "4", "100")
    entry = sent(hand)[-1]
    assert (entry.role, entry.quantity) == (OrderRole.ENTRY, D(1))


def test_a_reversal_one_part_of_whose_close_fails_is_given_up() -> None:
    hand = holding()
    hand.enter("1", "enter_short", reverse=True)
    first, second, third = sent(hand)
    hand.fill(first.id, "4", "100")
    hand.fill(third.id, "2", "100")
    hand.give(OrderRejected(second.id, "no"))
    assert [record.code for record in hand.core.kept(DenyRecord)] == ["NOT_CLOSED"]
    assert len(sent(hand)) == 3


def test_more_parts_than_are_sent_at_once_are_an_alarm_and_not_a_flood() -> None:
    hand = holding("60", replace(BTC, max_quantity=D(1)))
    hand.give(Flatten(instrument="BTC"))
    assert sizes(hand) == [D(1)] * AT_ONCE
    (alarm,) = hand.core.kept(FaultRecord)
    assert alarm.error.startswith("10 of 60")
    for order in sent(hand):
        hand.fill(order.id, "1", "99")
    hand.give(Flatten(instrument="BTC"))
    assert sizes(hand)[AT_ONCE:] == [D(1)] * 10


def test_a_stop_of_more_parts_than_that_goes_on_with_the_next_price() -> None:
    hand = holding("60", replace(BTC, max_quantity=D(1)), stop="95")
    hand.quote(94.0, 94.2)
    first = sent(hand)
    assert [order.quantity for order in first] == [D(1)] * AT_ONCE
    for order in first:
        hand.fill(order.id, "1", "94")
    assert hand.held() == [("stop", D(10), D("95.0"))]
    hand.quote(93.0, 93.2)
    assert sizes(hand)[AT_ONCE:] == [D(1)] * 10
    for order in sent(hand)[AT_ONCE:]:
        hand.fill(order.id, "1", "93")
    assert (hand.position(), hand.held()) == (D(0), [])


@pytest.mark.parametrize("cap", [None, 200])
def test_the_paper_broker_fills_a_close_in_parts(cap: float | None) -> None:
    run = Run(
        PaperBrokerSettings(),
        WIDE,
        OrderSettings(max_slippage_bps=cap),
        btc=replace(BTC, max_quantity=D(3), market_max_quantity=D(2)),
    )
    run.feed(quote(1, 100.0, 100.1), signal("enter_long", "2"))
    run.feed(quote(2, 100.0, 100.1))
    run.feed(quote(3, 100.0, 100.1), signal("enter_long", "2", add=True))
    run.feed(quote(4, 100.0, 100.1))
    run.feed(quote(5, 100.0, 100.1), signal("enter_long", "1", add=True))
    run.feed(quote(6, 100.0, 100.1))
    assert run.executor.position("s", "BTC").quantity == 5
    run.tell(Flatten(instrument="BTC"))
    run.feed(quote(7, 99.9, 100.0))
    assert run.executor.position("s", "BTC").quantity == 0
    closed = [o for o in run.executor.orders() if o.role is OrderRole.FLATTEN]
    expected = [D(2), D(2), D(1)] if cap is None else [D(3), D(2)]
    assert [order.quantity for order in closed] == expected
    assert run.core.kept(DenyRecord) == []


@given(
    quantity=st.integers(1, 400_000),
    most=st.integers(0, 60_000),
    least=st.integers(0, 60_000),
    at=st.integers(0, 60_000),
)
def test_parts_are_the_whole_and_each_is_within_the_bounds_where_it_can_be(
    quantity: int, most: int, least: int, at: int
) -> None:
    def lots(count: int) -> Decimal:
        return count * BTC.lot_size

    one = replace(
        BTC,
        max_quantity=lots(most),
        min_quantity=lots(min(least, most or least)),
        market_max_quantity=lots(at),
    )
    found = parts(one, lots(quantity), None)
    bound = min((each for each in (most, at) if each), default=None)
    if bound is None or quantity <= bound:
        assert found == [lots(quantity)]
        return
    assert all(0 < each <= lots(bound) for each in found)
    if len(found) == AT_ONCE and sum(found) != lots(quantity):
        assert set(found) == {lots(bound)}
        return
    assert sum(found) == lots(quantity)
    # As few as can be.
    assert len(found) == -(-quantity // bound)
    # Two of the minimum always fit into one of the maximum and a rest, if any do.
    if min(least, most or least) * len(found) <= quantity and (
        quantity % bound == 0
        or bound + quantity % bound >= 2 * min(least, most or least)
    ):
        assert all(each >= one.min_quantity for each in found)
