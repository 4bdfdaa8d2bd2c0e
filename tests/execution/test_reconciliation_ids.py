"""Orders of the venue that have one client id: none is taken for the other."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.execution.test_reconciliation import CASH, Account, taken_up, web
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderStatus
from workstation.model.reconciliation import Subject, Verdict
from workstation.model.records import FaultRecord
from workstation.model.reports import (
    ExternalOrder,
    OpenOrder,
    OrderFilledReport,
    OrderStatusReport,
)
from workstation.model.requests import QueryOrder

D = Decimal


def alarms(account: Account) -> list[str]:
    return [f.error for f in account.core.kept(FaultRecord) if f.where == "external"]


def asked_about(account: Account) -> int:
    return sum(isinstance(each, QueryOrder) for each in account.core.requests)


def found(account: Account) -> Order:
    (order,) = account.executor.orders()
    return order


def fill(trade_id: str, quantity: str, price: str = "90") -> OrderFilledReport:
    size, at = D(quantity), D(price)
    return OrderFilledReport("web_1", trade_id, size, at, D(0), "USDT", False)


def bought_by_hand(*, filled: str = "2") -> Account:
    """Return an account whose order v-1 of this id was made, and may be filled."""
    account = Account()
    account.begin()
    account.answer([web(venue_id="v-1")])
    account.give(OrderStatusReport("web_1", OrderStatus.ACCEPTED))
    if D(filled):
        account.give(fill("t-1", filled))
        account.give(OrderStatusReport("web_1", OrderStatus.FILLED, D(2)))
        account.has = {"USDT": CASH - 180, "BTC": D(2)}
    else:
        account.orders = [web(venue_id="v-1")]
    account.later(10)
    return account


def look(account: Account, *orders: OpenOrder) -> None:
    account.orders = list(orders)
    account.later(30)
    account.answer()


@pytest.mark.parametrize(
    "more", [{"side": Side.SELL, "venue_id": "v-2"}, {"venue_id": "v-2"}]
)
def test_an_id_that_was_used_again_is_not_booked_as_the_order_before(
    more: dict[str, object],
) -> None:
    account = bought_by_hand()
    questions = asked_about(account)
    for _ in range(3):
        look(account, web(**more))  # type: ignore[arg-type]
    assert found(account).status is OrderStatus.FILLED
    (told,) = alarms(account)
    assert told == (
        "order web_1 in BTC (venue id v-2) has the id of another in BTC (venue id v-1, "
        "filled here): nothing that either fills from here on is booked; cancel it at "
        "the venue, give each order there its own id, settle what it moved (j)"
    )
    assert asked_about(account) == questions, "the answer would be about the other"
    # Whoever asks all the same: what it fills is not booked as this one's.
    for _ in range(2):
        account.give(fill("t-2", "2"))
        account.give(OrderStatusReport("web_1", OrderStatus.FILLED, D(2)))
    assert account.position("external") == 2
    assert len(alarms(account)) == 2
    assert "fill t-2 of 2 may be that of another order" in alarms(account)[-1]
    assert found(account).filled == 2
    # A trade that is booked already is only told once more.
    account.give(fill("t-1", "2"))
    assert len(alarms(account)) == 2
    account.later(600)
    assert asked_about(account) == questions


def test_what_it_moved_is_a_difference_of_the_balances() -> None:
    account = bought_by_hand()
    account.has = {"USDT": CASH, "BTC": D(0)}
    look(account, web(side=Side.SELL, venue_id="v-2", filled=D(1)))
    account.later(2)
    account.answer()
    assert account.line("BTC").verdict is Verdict.DIFFERS
    account.resolve(Subject.BALANCE, "BTC", "adopt", difference=D(-2))
    assert account.executor.ledger.balances()["BTC"] == 0


def test_an_order_whose_id_was_taken_while_it_was_open_is_unknown() -> None:
    account = bought_by_hand(filled="0")
    look(account, web(side=Side.SELL, venue_id="v-2"))
    assert found(account).status is OrderStatus.UNKNOWN
    (told,) = alarms(account)
    assert "(venue id v-1, accepted here)" in told
    assert "close the one here on your word" in told
    # An answer that does not say which one it means settles nothing.
    account.give(OrderStatusReport("web_1", OrderStatus.CANCELED, D(0)))
    account.give(OrderStatusReport("web_1", OrderStatus.CANCELED, venue_id="v-2"))
    assert found(account).status is OrderStatus.UNKNOWN
    account.give(OrderStatusReport("web_1", OrderStatus.CANCELED, venue_id="v-1"))
    assert found(account).status is OrderStatus.CANCELED


def test_an_order_whose_id_was_taken_can_be_closed_on_the_operators_word() -> None:
    account = bought_by_hand(filled="0")
    look(account, web(side=Side.SELL, venue_id="v-2"))
    account.core.seq += 1
    account.executor.close_unknown("web_1", "seen at the venue")
    assert found(account).status is OrderStatus.CANCELED


def test_two_symbols_may_have_one_id_and_only_one_order_is_taken() -> None:
    account = Account()
    both = (
        web(venue_id="7"),
        web(instrument="ETH", venue_id="7", price=D(9)),
    )
    account.begin()
    account.answer(both)
    account.give(OrderStatusReport("web_1", OrderStatus.ACCEPTED))
    look(account, *both)
    assert (found(account).instrument, found(account).status) == (
        "BTC",
        OrderStatus.ACCEPTED,
    )
    (told,) = alarms(account)
    assert told.startswith(
        "order web_1 in ETH (venue id 7) has the id of another in BTC (venue id 7, "
        "accepted here): it is not booked"
    )
    # The venue is asked about an order with its symbol: this one's answers count.
    account.give(fill("t-1", "2"))
    assert account.position("external") == 2


def test_both_are_shown_and_only_the_one_that_is_known_can_be_settled() -> None:
    account = Account()
    both = (
        web(instrument="ETH", venue_id="8", price=D(9)),
        web(venue_id="7"),
    )
    account.begin()
    account.answer(both)
    account.give(OrderStatusReport("web_1", OrderStatus.ACCEPTED))
    look(account, *both)
    known, other = account.executor.reconciliation_view().orders
    assert (known.order_id, known.instrument) == ("web_1", "ETH")
    assert known.verdict is Verdict.EXTERNAL
    assert known.venue is not None
    assert known.venue.price == 9
    assert (other.order_id, other.owner) == ("web_1 (BTC 7)", "")
    assert other.verdict is Verdict.DIFFERS
    assert other.reason == "has the id of another order; cancel it at the venue"
    with pytest.raises(CommandRefused, match="not known here"):
        account.resolve(Subject.ORDER, other.order_id, "cancel")


def test_of_several_orders_of_one_id_none_is_taken_by_guessing() -> None:
    account = Account()
    account.begin()
    over = web(venue_id="1", filled=D(2), status=OrderStatus.FILLED)
    last = web(venue_id="2", side=Side.SELL)
    for _ in range(2):
        account.core.seq += 1
        account.executor.reconciliation.ask()
        account.answer([over, last])
    assert account.executor.orders() == []
    (told,) = alarms(account)
    assert told.startswith(
        "the id web_1 in BTC is 2 orders there, 1, 2 (venue id 2): nothing it fills is "
        "booked; cancel it at the venue"
    )


def test_an_id_whose_older_orders_came_to_nothing_is_taken() -> None:
    account = Account()
    account.begin()
    nothing = web(venue_id="1", status=OrderStatus.CANCELED)
    account.answer([nothing, web(venue_id="2", side=Side.SELL)])
    assert (found(account).venue_id, found(account).side) == ("2", Side.SELL)
    assert alarms(account) == []


def test_an_open_order_with_the_id_of_one_of_long_ago_is_told_of() -> None:
    account = bought_by_hand()
    account.executor.desk.orders._closed.clear()
    look(account, web(venue_id="v-9", status=OrderStatus.FILLED, filled=D(2)))
    assert alarms(account) == [], "it may be that very order"
    for _ in range(2):
        look(account, web(venue_id="v-9"))
    (told,) = alarms(account)
    assert told.startswith("the id web_1 in BTC is open there, and was over here")
    assert "(venue id v-9)" in told
    assert account.executor.working("external", "BTC") == []


def test_another_order_of_an_id_is_told_of_again_after_a_restart() -> None:
    account = bought_by_hand()
    other = web(side=Side.SELL, venue_id="v-2")
    look(account, other)
    account = taken_up(account)
    before = len(alarms(account))
    account.answer([other])
    assert len(alarms(account)) == before + 1
    assert found(account).status is OrderStatus.FILLED


def test_an_order_that_the_stream_tells_of_is_told_apart_as_well() -> None:
    account = bought_by_hand()
    made = ExternalOrder(
        order_id="web_1",
        instrument="BTC",
        side=Side.BUY,
        order_type=web().order_type,
        quantity=D(1),
        price=D(90),
        venue_id="v-3",
    )
    account.give(made)
    account.give(made)
    (told,) = alarms(account)
    assert "(venue id v-3)" in told
