"""Exits, reversals and additions: one thing after another, whatever the venue does."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.execution.fakes import CASH, Hand, Run, quote, signal
from workstation.execution.settings import RiskSettings
from workstation.model.commands import Flatten, Hold, Kill, KillLevel
from workstation.model.errors import CommandRefused
from workstation.model.events import OrderDenied
from workstation.model.instruments import Side
from workstation.model.orders import (
    Order,
    OrderRole,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from workstation.model.rates import BrokerAbilities
from workstation.model.records import FaultRecord
from workstation.model.reports import (
    CancelRejected,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
)
from workstation.model.requests import CancelOrder

D = Decimal
S = OrderStatus


def holding(
    quantity: str = "1",
    risk: RiskSettings | None = None,
    cash: Decimal = CASH,
    **fields: object,
) -> Hand:
    """Return a hand whose row holds a long position of order o-1."""
    hand = Hand(risk, cash=cash)
    order_id = hand.enter(quantity, "enter_long", **fields)
    hand.accept(order_id)
    hand.fill(order_id, quantity)
    return hand


def order(hand: Hand, order_id: str) -> Order:
    tracked = hand.executor.desk.orders.get(order_id)
    assert tracked is not None
    return tracked.order


def denied(hand: Hand) -> list[str]:
    return [event.code for event in hand.core.said(OrderDenied)]


def last(hand: Hand) -> Order:
    return order(hand, hand.submitted()[-1])


def cancels(hand: Hand) -> list[str]:
    return [r.order_id for r in hand.core.requests if isinstance(r, CancelOrder)]


# --- additions ------------------------------------------------------------------------


def test_an_entry_while_in_trade_is_refused_unless_it_adds_or_reverses() -> None:
    hand = holding()
    hand.enter("1")
    assert denied(hand) == ["ALREADY_IN_POSITION"]
    hand.enter("1", add=True)
    assert last(hand).role is OrderRole.ENTRY
    hand.fill(last(hand).id, "1", "110")
    assert hand.position() == 2
    assert hand.executor.position("s", "BTC").average_price == D("105.1")


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [
        ("enter_short", {"add": True}, "ALREADY_IN_POSITION"),
        ("enter_long", {"reverse": True}, "ALREADY_IN_POSITION"),
    ],
)
def test_what_does_not_fit_the_side_is_refused(
    action: str, fields: dict[str, object], code: str
) -> None:
    hand = holding()
    hand.enter("1", action, **fields)
    assert denied(hand) == [code]
    assert len(hand.submitted()) == 1


def test_nothing_is_added_to_a_position_that_is_gone_or_while_an_entry_works() -> None:
    hand = Hand()
    hand.enter("1", add=True)
    assert denied(hand) == ["NO_POSITION"]
    hand = holding()
    hand.enter("1", add=True)
    hand.enter("1", add=True)
    assert denied(hand) == ["ALREADY_IN_POSITION"]


def test_an_addition_is_protected_as_a_whole_and_never_loosens() -> None:
    hand = holding(stop="95", target="110")
    hand.enter("1", add=True, stop="97")
    hand.fill(last(hand).id, "0.5")
    assert hand.held() == [("stop", D("1.5"), D("97.0")), ("target", D("1.5"), D(110))]
    hand.fill(last(hand).id, "0.5")
    hand.enter("1", add=True, stop="90")
    hand.fill(last(hand).id, "1")
    assert hand.held() == [("stop", D(3), D("97.0")), ("target", D(3), D(110))]


# --- reversals ------------------------------------------------------------------------


def reversing(**fields: object) -> tuple[Hand, str]:
    """Return a hand that closes a long of 1 to go short 2, and the closing order."""
    hand = holding(stop="95")
    hand.enter("2", "enter_short", reverse=True, stop="105", **fields)
    closing = last(hand)
    assert (closing.role, closing.side, closing.quantity) == (
        OrderRole.EXIT,
        Side.SELL,
        D(1),
    )
    return hand, closing.id


def test_a_reversal_enters_only_when_nothing_is_left() -> None:
    hand, closing = reversing()
    hand.accept(closing)
    hand.fill(closing, "0.4", "100")
    assert hand.submitted()[-1] == closing
    hand.fill(closing, "0.6", "100")
    entry = last(hand)
    assert (entry.role, entry.side, entry.quantity) == (
        OrderRole.ENTRY,
        Side.SELL,
        D(2),
    )
    assert hand.held() == []
    hand.fill(entry.id, "2", "100")
    assert hand.position() == -2
    assert hand.held() == [("stop", D(2), D(105))]
    assert denied(hand) == []


@pytest.mark.parametrize("filled", ["0", "0.4"])
def test_a_reversal_whose_close_ends_early_is_given_up_and_what_is_held_protected(
    filled: str,
) -> None:
    hand, closing = reversing()
    if filled != "0":
        hand.fill(closing, filled, "100")
    hand.give(OrderRejected(closing, "no"))
    assert denied(hand) == ["NOT_CLOSED"]
    assert hand.submitted()[-1] == closing
    left = 1 - D(filled)
    assert hand.position() == left
    assert hand.held() == [("stop", left, D("95.0"))]
    # It is over: what closes the position later brings no entry.
    hand.give(signal("exit"))
    hand.fill(last(hand).id, str(left), "100")
    assert hand.position() == 0
    assert last(hand).role is OrderRole.EXIT


def test_a_doubled_fill_of_the_close_enters_once() -> None:
    hand, closing = reversing()
    hand.fill(closing, "1", "100", trade_id="x")
    hand.fill(closing, "1", "100", trade_id="x")
    assert [order(hand, i).role for i in hand.submitted()] == [
        OrderRole.ENTRY,
        OrderRole.EXIT,
        OrderRole.ENTRY,
    ]


def test_a_reversal_waits_for_an_entry_that_still_works_and_closes_what_it_filled() -> (
    None
):
    hand = Hand()
    first = hand.enter("2")
    hand.accept(first)
    hand.fill(first, "1")
    hand.enter("1", "enter_short", reverse=True)
    assert cancels(hand) == [first]
    closing = last(hand)
    hand.fill(closing.id, "1", "100")
    assert hand.position() == 0
    assert hand.submitted()[-1] == closing.id
    # Late: the cancel crossed a fill.
    hand.fill(first, "0.5")
    hand.give(OrderCanceled(first))
    again = last(hand)
    assert (again.role, again.quantity) == (OrderRole.EXIT, D("0.5"))
    hand.fill(again.id, "0.5", "100")
    assert last(hand).role is OrderRole.ENTRY
    assert last(hand).side is Side.SELL


def test_a_stop_that_closes_first_is_the_close_of_a_reversal() -> None:
    hand = holding(stop="95")
    hand.quote(94.0, 94.2)
    stop = last(hand)
    assert stop.role is OrderRole.STOP
    hand.enter("1", "enter_short", reverse=True)
    assert hand.submitted()[-1] == stop.id
    hand.fill(stop.id, "1", "94")
    assert (last(hand).role, last(hand).side) == (OrderRole.ENTRY, Side.SELL)


def test_a_reversal_of_nothing_is_an_entry() -> None:
    hand = Hand()
    hand.enter("1", "enter_short", reverse=True)
    assert last(hand).role is OrderRole.ENTRY


def test_what_could_not_be_entered_is_refused_before_anything_is_closed() -> None:
    hand = holding()
    hand.give(Hold(on=True))
    hand.enter("1", "enter_short", reverse=True)
    assert denied(hand) == ["HOLD"]
    assert len(hand.submitted()) == 1
    assert hand.position() == 1


@pytest.mark.parametrize(
    ("held", "wanted", "risk", "cash", "code"),
    [
        ("2", "3", RiskSettings(max_position_value=D(250)), CASH, "MAX_POSITION_VALUE"),
        ("5", "14", RiskSettings(), D(1_000), "INSUFFICIENT_CASH"),
    ],
)
def test_a_reversal_is_as_large_as_what_is_entered_from_flat(
    held: str, wanted: str, risk: RiskSettings, cash: Decimal, code: str
) -> None:
    hand = holding(held, risk, cash)
    hand.enter(wanted, "enter_short", reverse=True)
    assert denied(hand) == [code]
    assert len(hand.submitted()) == 1
    flat = Hand(risk, cash=cash)
    flat.enter(wanted, "enter_short")
    assert denied(flat) == [code]


def test_what_is_closed_first_leaves_its_room_to_a_reversal() -> None:
    hand = holding("9", cash=D(1_000))
    hand.enter("9", "enter_short", reverse=True)
    closing = last(hand).id
    hand.fill(closing, "9", "100.2")
    assert denied(hand) == []
    assert (last(hand).role, last(hand).quantity) == (OrderRole.ENTRY, D(9))


def test_a_hold_that_comes_meanwhile_leaves_the_row_flat() -> None:
    hand, closing = reversing()
    hand.give(Hold(on=True))
    hand.fill(closing, "1", "100")
    assert denied(hand) == ["HOLD"]
    assert hand.position() == 0
    assert hand.submitted()[-1] == closing


@pytest.mark.parametrize(
    "command",
    [Flatten(instrument="BTC", owner="s"), Kill(level=KillLevel.CANCEL)],
)
def test_the_operator_ends_a_reversal_and_not_its_close(command: object) -> None:
    hand, closing = reversing()
    hand.give(command)
    assert denied(hand) == ["REVERSE_DROPPED"]
    assert hand.executor.waiting_entry("s", "BTC") == 0
    hand.fill(closing, "1", "100")
    assert hand.position() == 0
    assert hand.submitted()[-1] == closing


def test_canceling_the_entry_ends_a_reversal() -> None:
    hand, _ = reversing()
    assert hand.executor.waiting_entry("s", "BTC") == -2
    hand.give(signal("cancel_entry"))
    assert denied(hand) == ["REVERSE_DROPPED"]
    hand.give(signal("cancel_entry"))
    assert denied(hand)[-1] == "NO_ENTRY"


# --- exits at a price -----------------------------------------------------------------


def resting(quantity: str | None = None) -> tuple[Hand, str]:
    """Return a hand with a stop at 95 whose exit waits at 110, and that exit's id."""
    hand = holding(stop="95")
    hand.give(signal("exit", quantity, order_type=OrderType.LIMIT, limit_price="110"))
    exit_id = last(hand).id
    hand.accept(exit_id)
    return hand, exit_id


def test_a_part_of_a_position_is_closed_at_its_price() -> None:
    hand, exit_id = resting("0.4")
    assert order(hand, exit_id).price == D(110)
    hand.fill(exit_id, "0.4", "110")
    assert hand.position() == D("0.6")
    assert hand.held() == [("stop", D("0.6"), D("95.0"))]


def test_a_stop_that_is_met_takes_an_exit_that_waits_out_of_the_way_first() -> None:
    hand, exit_id = resting()
    hand.quote(94.0, 94.2)
    hand.quote(93.0, 93.2)
    assert cancels(hand) == [exit_id]
    assert hand.submitted()[-1] == exit_id
    hand.give(OrderCanceled(exit_id))
    stop = last(hand)
    assert (stop.role, stop.quantity) == (OrderRole.STOP, D(1))
    assert "met at 93.0" in stop.reason
    hand.fill(stop.id, "1", "93")
    assert hand.position() == 0


def test_a_stop_closes_only_what_an_exit_left_that_filled_meanwhile() -> None:
    hand, exit_id = resting()
    hand.quote(94.0, 94.2)
    hand.fill(exit_id, "0.7", "110")
    hand.give(OrderCanceled(exit_id))
    assert (last(hand).role, last(hand).quantity) == (OrderRole.STOP, D("0.3"))


def test_a_stop_has_nothing_to_do_when_the_exit_filled_whole() -> None:
    hand, exit_id = resting()
    hand.quote(94.0, 94.2)
    hand.fill(exit_id, "1", "110")
    hand.give(CancelRejected(exit_id, "already filled"))
    assert hand.position() == 0
    assert hand.submitted()[-1] == exit_id
    assert hand.held() == []


def test_a_stop_whose_exit_could_not_be_canceled_waits_for_its_price_again() -> None:
    hand, exit_id = resting()
    hand.quote(94.0, 94.2)
    hand.give(CancelRejected(exit_id, "too busy"))
    hand.quote(106.0, 106.2)
    hand.give(OrderExpired(exit_id, "good till date"))
    assert hand.submitted()[-1] == exit_id
    assert hand.held() == [("stop", D(1), D("95.0"))]
    hand.quote(94.5, 94.7)
    assert (last(hand).role, last(hand).quantity) == (OrderRole.STOP, D(1))
    assert last(hand).reason == "stop 95.0 met at 94.5"


def test_a_stop_that_was_moved_away_waits_for_its_new_price() -> None:
    hand, exit_id = resting()
    hand.quote(94.0, 94.2)
    hand.give(signal("protect", stop="90", loosen=True))
    hand.give(OrderCanceled(exit_id))
    assert hand.submitted()[-1] == exit_id
    assert hand.held() == [("stop", D(1), D("90.0"))]


def test_a_flatten_behind_an_exit_that_stays_says_that_it_waits() -> None:
    hand, exit_id = resting()
    hand.give(Flatten(instrument="BTC", owner="s"))
    hand.give(CancelRejected(exit_id, "too busy"))
    (fault,) = [r for r in hand.core.records if isinstance(r, FaultRecord)]
    assert fault.error == (
        "exit o-3 was not canceled: too busy; what should follow it waits"
    )
    hand.give(Flatten(instrument="BTC", owner="s"))
    assert cancels(hand) == [exit_id, exit_id]
    hand.give(OrderCanceled(exit_id))
    assert (last(hand).role, last(hand).quantity) == (OrderRole.FLATTEN, D(1))


def test_a_stop_set_by_hand_to_where_it_had_trailed_is_a_plain_stop() -> None:
    hand = holding(trailing_bps=100.0)
    hand.quote(110.0, 110.2)
    ((_, _, trailed),) = hand.held()
    (held,) = hand.executor.held_protection()
    assert held.trailing
    hand.give(signal("protect", stop=str(trailed)))
    (held,) = hand.executor.held_protection()
    assert (held.trigger, held.trailing) == (trailed, False)


def test_an_exit_that_is_asked_for_again_replaces_the_one_that_waits() -> None:
    hand, exit_id = resting()
    hand.give(signal("exit"))
    assert cancels(hand) == [exit_id]
    hand.give(OrderCanceled(exit_id))
    assert (last(hand).role, last(hand).price) == (OrderRole.EXIT, None)
    assert denied(hand) == []


def test_a_flatten_does_not_wait_for_the_price_of_an_exit() -> None:
    hand, exit_id = resting()
    hand.give(Flatten(instrument="BTC", owner="s"))
    assert cancels(hand) == [exit_id]
    # The script has no say against the operator meanwhile.
    hand.give(signal("exit"))
    assert denied(hand) == ["CLOSING"]
    hand.give(OrderCanceled(exit_id))
    assert (last(hand).role, last(hand).quantity) == (OrderRole.FLATTEN, D(1))
    with pytest.raises(CommandRefused, match="being closed already"):
        hand.give(Flatten(instrument="BTC", owner="s"))


def test_a_reversal_takes_an_exit_that_waits_out_of_the_way() -> None:
    hand, exit_id = resting()
    hand.enter("1", "enter_short", reverse=True)
    assert cancels(hand) == [exit_id]
    hand.give(OrderCanceled(exit_id))
    closing = last(hand)
    assert (closing.role, closing.price) == (OrderRole.EXIT, None)
    hand.fill(closing.id, "1", "100")
    assert (last(hand).role, last(hand).side) == (OrderRole.ENTRY, Side.SELL)


def test_an_exit_at_a_price_may_expire_without_an_alarm() -> None:
    hand, exit_id = resting()
    hand.give(OrderExpired(exit_id, "good till date"))
    assert hand.core.kept(FaultRecord) == []
    assert hand.held() == [("stop", D(1), D("95.0"))]


def test_a_stop_is_held_beside_an_exit_that_waits() -> None:
    hand = holding()
    hand.give(signal("exit", order_type=OrderType.LIMIT, limit_price="110"))
    hand.give(signal("protect", stop="95"))
    assert hand.held() == [("stop", D(1), D("95.0"))]


# --- stops that loosen, and that trail ------------------------------------------------


def test_a_stop_is_loosened_only_when_that_is_asked_for() -> None:
    hand = holding(stop="95")
    hand.give(signal("protect", stop="90"))
    assert denied(hand) == ["STOP_LOOSENED"]
    hand.give(signal("protect", stop="90", loosen=True))
    assert hand.held() == [("stop", D(1), D("90.0"))]


def test_a_stop_that_the_price_moved_says_so_when_it_is_met() -> None:
    hand = holding(stop="95", trailing_bps=1000.0)
    assert not hand.executor.held_protection()[0].trailing
    hand.quote(110.0, 110.2)
    (held,) = hand.executor.held_protection()
    assert (held.trigger, held.trailing) == (D("99.0"), True)
    hand.quote(98.0, 98.2)
    assert last(hand).trailing
    assert last(hand).reason == "trailing stop 99.0 met at 98.0"


# --- orders that rest or end ----------------------------------------------------------


def test_a_good_till_date_order_ends_at_the_venue() -> None:
    run = Run()
    run.feed(quote(1, 100, 101))
    run.tell(
        signal(
            "enter_long",
            "1",
            order_type=OrderType.LIMIT,
            limit_price="99",
            time_in_force=TimeInForce.GTD,
            good_for_ns=5_000_000_000,
        )
    )
    run.wait(4)
    (entry,) = run.executor.working("s", "BTC")
    assert entry.status is S.ACCEPTED
    run.wait(2)
    (entry,) = run.executor.orders()
    assert (entry.status, entry.reason) == (S.EXPIRED, "good till date")


def test_a_good_till_date_order_without_a_date_is_refused() -> None:
    hand = Hand()
    hand.enter(
        order_type=OrderType.LIMIT, limit_price="99", time_in_force=TimeInForce.GTD
    )
    assert denied(hand) == ["NO_EXPIRY"]


@pytest.mark.parametrize(
    ("price", "status"), [("101", S.REJECTED), ("100", S.ACCEPTED)]
)
def test_a_post_only_order_never_takes(price: str, status: OrderStatus) -> None:
    run = Run()
    run.feed(quote(1, 99.9, 100.5))
    run.tell(
        signal(
            "enter_long",
            "1",
            order_type=OrderType.LIMIT,
            limit_price=price,
            post_only=True,
        )
    )
    run.wait(1)
    (entry,) = run.executor.orders()
    assert entry.status is status
    assert run.executor.position("s", "BTC").is_flat


def test_limits_count_for_an_addition_as_for_an_entry() -> None:
    hand = Hand(RiskSettings(max_position_value=D(150)))
    order_id = hand.enter("1")
    hand.fill(order_id, "1")
    hand.enter("1", add=True)
    assert denied(hand) == ["MAX_POSITION_VALUE"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"order_type": "stop", "trigger": "101"}, "TRIGGER_MET"),
        ({"order_type": "stop", "trigger": "97.03"}, "PRICE_OFF_TICK"),
        ({"order_type": "limit", "limit_price": "110.07"}, "PRICE_OFF_TICK"),
        ({"quantity": "2"}, "REDUCE_ONLY_WOULD_INCREASE"),
    ],
)
@pytest.mark.parametrize("native", [False, True])
def test_an_exit_that_is_refused_leaves_the_one_before_it(
    changes: dict[str, str], code: str, native: bool
) -> None:
    hand = Hand(abilities=BrokerAbilities(stops=native))
    hand.enter("1")
    hand.accept("o-1")
    hand.fill("o-1", "1")
    hand.give(signal("exit", order_type="stop", trigger="95"))
    (stop,) = hand.executor.working("s", "BTC")
    if native:
        hand.accept(stop.id)
    asked = list(hand.core.requests)
    fields = dict(changes)
    hand.give(signal("exit", fields.pop("quantity", None), **fields))
    denials = hand.core.said(OrderDenied)
    assert [each.code for each in denials] == [code]
    (left,) = hand.executor.working("s", "BTC")
    assert (left.id, left.trigger) == (stop.id, D(95))
    assert left.status is (S.ACCEPTED if native else S.HELD)
    assert hand.core.requests == asked


def test_an_exit_that_passes_takes_the_place_of_the_one_before_it() -> None:
    hand = holding("1")
    hand.give(signal("exit", order_type="stop", trigger="95"))
    hand.give(signal("exit", order_type="stop", trigger="96"))
    (left,) = hand.executor.working("s", "BTC")
    assert left.trigger == D(96)


def test_who_wants_out_wants_no_reversal_any_more() -> None:
    hand, close = reversing()
    hand.give(signal("exit"))
    assert hand.executor.waiting_entry("s", "BTC") == 0
    assert denied(hand) == ["REVERSE_DROPPED"]
    before = hand.submitted()
    hand.fill(close, "1", "100")
    assert hand.position() == 0
    assert hand.submitted() == before
