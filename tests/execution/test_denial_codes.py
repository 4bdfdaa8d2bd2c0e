"""Every code of a denial: what is one step beyond its bound is denied with it, the last
step within is not. A code without a case here fails.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.execution.fakes import BTC, CASH, NS, FakeBook, Hand, signal
from tests.execution.test_entry_limits import OFF
from workstation.execution.denials import DenialCode
from workstation.execution.rates import RateBudgets
from workstation.model.commands import (
    AmendOrder,
    Hold,
    Kill,
    KillLevel,
    PlaceOrder,
    Rearm,
    Reconcile,
    Recover,
)
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus, OrderType, TimeInForce
from workstation.model.rates import BrokerAbilities, RateLimit
from workstation.model.records import DenyRecord
from workstation.model.reports import (
    AccountReport,
    Balance,
    OrderRejected,
    OrderStatusReport,
)
from workstation.model.states import BookTrust

D = Decimal
LIMIT = OrderType.LIMIT
Case = Callable[[bool], Hand]
"""Makes a hand do what is ``beyond``, or what is just within."""

CASES: dict[DenialCode, Case] = {}


def case(code: str) -> Callable[[Case], Case]:
    def enter(made: Case) -> Case:
        assert code not in CASES
        CASES[DenialCode(code)] = made
        return made

    return enter


def hand_with(btc: dict[str, str] | None = None, **limits: object) -> Hand:
    bounds = {name: D(value) for name, value in (btc or {}).items()}
    hand = Hand(replace(OFF, **limits), btc=replace(BTC, **bounds))
    hand.quote(100.0, 100.0)
    hand.quote(50.0, 50.0, "ETH")
    return hand


def holding(quantity: str = "1", **fields: object) -> Hand:
    hand = hand_with()
    hand.fill(hand.enter(quantity, "enter_long", **fields), quantity, "100")
    return hand


def resting(
    hand: Hand,
    action: str = "enter_long",
    limit_price: str = "99",
    strategy: str = "s",
) -> str:
    order_id = hand.enter(
        "1", action, order_type=LIMIT, limit_price=limit_price, strategy=strategy
    )
    hand.accept(order_id)
    return order_id


def told(hand: Hand, command: PlaceOrder | AmendOrder) -> Hand:
    before = len(hand.core.kept(DenyRecord))
    try:
        hand.give(command)
    except CommandRefused:
        assert len(hand.core.kept(DenyRecord)) == before + 1
    return hand


@pytest.mark.parametrize("code", DenialCode)
def test_beyond_its_bound_it_is_denied_with_this_code(code: DenialCode) -> None:
    hand = CASES[code](True)
    assert [record.code for record in hand.core.kept(DenyRecord)] == [code]
    assert hand.core.kept(DenyRecord)[0].text


@pytest.mark.parametrize("code", DenialCode)
def test_within_its_bound_nothing_is_denied(code: DenialCode) -> None:
    hand = CASES[code](False)
    assert hand.core.kept(DenyRecord) == []
    assert hand.core.requests


# Switches, data and the state of the row.


@case("UNKNOWN_INSTRUMENT")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    hand.enter(instrument="XRP" if beyond else "ETH")
    return hand


@case("KILLED")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    hand.give(Kill(level=KillLevel.HOLD, reason="wild"))
    if not beyond:
        hand.give(Rearm())
    hand.enter()
    return hand


@case("HOLD")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    hand.give(Hold(on=True))
    if not beyond:
        hand.give(Hold(on=False))
    hand.enter()
    return hand


@case("TASK_PAUSED")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    states = {"s": "paused", "other": "running"}
    hand.executor.strategy_state = states.__getitem__
    hand.enter(strategy="s" if beyond else "other")
    return hand


@case("TASK_STOPPED")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    states = {"s": "stopped", "other": "running"}
    hand.executor.strategy_state = states.__getitem__
    hand.enter(strategy="s" if beyond else "other")
    return hand


@case("ROW_LOCKED")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    hand.executor.row_locked = lambda owner, instrument: owner == "s"
    hand.enter(strategy="s" if beyond else "other")
    return hand


@case("DATA_STALE")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    hand.market.reasons["BTC"] = "BTC is 6 s old, the limit is 5 s"
    hand.enter(instrument="BTC" if beyond else "ETH")
    return hand


@case("BOOK_UNTRUSTED")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    hand.market.views["BTC"].book = FakeBook()
    hand.market.views["BTC"].book.trust = BookTrust.UNTRUSTED
    hand.market.reasons["BTC"] = "the book of BTC has a gap"
    hand.enter(instrument="BTC" if beyond else "ETH")
    return hand


@case("RECONCILING")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    order_id = resting(hand, strategy="a")
    hand.executor.recover(Recover(), [])
    if not beyond:
        hand.give(OrderStatusReport(order_id, OrderStatus.ACCEPTED))
    hand.enter()
    return hand


@case("UNRECONCILED")
def _(beyond: bool) -> Hand:
    hand = Hand(abilities=BrokerAbilities(account=True))
    # A tick of the currency is too much.
    has = CASH - D("0.00000001") if beyond else CASH
    for number in (1, 2):
        hand.executor.reconcile(Reconcile())
        hand.give(AccountReport(number=number, balances=(Balance("USDT", has),)))
        hand.core.ts += 2 * NS
    hand.enter()
    return hand


@case("FATE_UNKNOWN")
def _(beyond: bool) -> Hand:
    hand = holding()
    hand.give(signal("exit", "0.5"))
    if beyond:
        hand.core.advance(hand.core.ts + 60 * NS)
    hand.give(signal("exit", "0.5"))
    hand.fill("o-3", "1", "100")
    assert hand.position() == 0
    hand.enter()
    return hand


@case("SELF_TRADE")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    resting(hand, action="enter_short", limit_price="100.1", strategy="a")
    price = "100.1" if beyond else "100.0"
    hand.enter(order_type=LIMIT, limit_price=price)
    return hand


@case("ALREADY_IN_POSITION")
def _(beyond: bool) -> Hand:
    hand = holding()
    hand.give(signal("exit"))
    hand.fill("o-2", "0.999" if beyond else "1", "100")
    hand.enter()
    return hand


@case("NO_POSITION")
def _(beyond: bool) -> Hand:
    hand = holding()
    hand.give(signal("exit", strategy="other" if beyond else "s"))
    return hand


@case("NO_ENTRY")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    resting(hand)
    hand.give(signal("cancel_entry", strategy="other" if beyond else "s"))
    return hand


@case("CLOSING")
def _(beyond: bool) -> Hand:
    hand = holding()
    hand.give(signal("exit", "1" if beyond else "0.999"))
    hand.give(signal("exit"))
    return hand


@case("REDUCE_ONLY_WOULD_INCREASE")
def _(beyond: bool) -> Hand:
    hand = holding()
    hand.give(signal("exit", "1.001" if beyond else "1"))
    return hand


@case("STOP_LOOSENED")
def _(beyond: bool) -> Hand:
    hand = holding(stop="95")
    hand.give(signal("protect", stop="94.9" if beyond else "95.0"))
    return hand


@case("NOT_CLOSED")
def _(beyond: bool) -> Hand:
    hand = holding()
    hand.enter("2", "enter_short", reverse=True)
    if beyond:
        hand.give(OrderRejected("o-2", "no"))
    else:
        hand.fill("o-2", "1", "100")
    return hand


@case("REVERSE_DROPPED")
def _(beyond: bool) -> Hand:
    hand = holding()
    hand.enter("2", "enter_short", reverse=True)
    if not beyond:
        hand.fill("o-2", "1", "100")
    hand.give(signal("cancel_entry"))
    return hand


# The shape of an order, and what the venue allows of one.


@case("PRICE_OFF_TICK")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    price = "99.95" if beyond else "99.9"
    hand.enter(order_type=LIMIT, limit_price=price)
    return hand


@case("PRICE_BELOW_MINIMUM")
def _(beyond: bool) -> Hand:
    hand = hand_with({"min_price": "90"})
    price = "89.9" if beyond else "90.0"
    hand.enter(order_type=LIMIT, limit_price=price)
    return hand


@case("PRICE_ABOVE_MAXIMUM")
def _(beyond: bool) -> Hand:
    hand = hand_with({"max_price": "110"})
    price = "110.1" if beyond else "110.0"
    hand.enter("1", "enter_short", order_type=LIMIT, limit_price=price)
    return hand


@case("QUANTITY_OFF_LOT")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    hand.enter("1.0005" if beyond else "1.001")
    return hand


@case("QUANTITY_ZERO")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    hand.enter("0" if beyond else "0.01", instrument="ETH")
    return hand


@case("QUANTITY_BELOW_MINIMUM")
def _(beyond: bool) -> Hand:
    hand = hand_with({"min_quantity": "0.5"})
    hand.enter("0.499" if beyond else "0.5")
    return hand


@case("QUANTITY_ABOVE_MAXIMUM")
def _(beyond: bool) -> Hand:
    hand = hand_with({"max_quantity": "2"})
    hand.enter("2.001" if beyond else "2")
    return hand


@case("BELOW_MIN_NOTIONAL")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    hand.enter("0.049" if beyond else "0.05")
    return hand


@case("ABOVE_MAX_NOTIONAL")
def _(beyond: bool) -> Hand:
    hand = hand_with({"max_notional": "198"})
    hand.enter("2.001" if beyond else "2", order_type=LIMIT, limit_price="99")
    return hand


@case("NO_EXPIRY")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    end = None if beyond else 1
    limit = {"order_type": LIMIT, "limit_price": "99"}
    hand.give(
        signal(
            "enter_long", "1", time_in_force=TimeInForce.GTD, good_for_ns=end, **limit
        )
    )
    return hand


@case("EXPIRY_PASSED")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    limit = {"order_type": LIMIT, "limit_price": "99"}
    end = 0 if beyond else 1
    hand.give(
        signal(
            "enter_long", "1", time_in_force=TimeInForce.GTD, good_for_ns=end, **limit
        )
    )
    return hand


# The operator's tickets and amends.


def ticket(**fields: object) -> PlaceOrder:
    given: dict[str, object] = {"instrument": "BTC", "side": Side.BUY, **fields}
    return PlaceOrder(quantity=D(1), **given)  # type: ignore[arg-type]


def amend(quantity: str) -> AmendOrder:
    return AmendOrder(order_id="o-1", quantity=D(quantity), price=D(99))


@case("ORDER_CONTRADICTS")
def _(beyond: bool) -> Hand:
    order_type = OrderType.MARKET if beyond else LIMIT
    return told(hand_with(), ticket(order_type=order_type, price=D(99)))


@case("TRIGGER_MET")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    at = "100" if beyond else "100.1"
    hand.enter(order_type="stop", trigger=at)
    hand.quote(100.0, 100.1)
    return hand


@case("PROTECTION_MET")
def _(beyond: bool) -> Hand:
    stop = D("100.0") if beyond else D("99.9")
    return told(hand_with(), ticket(order_type=OrderType.MARKET, stop=stop))


@case("NOT_AMENDABLE")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    hand.fill(resting(hand), "0.5", "99")
    return told(hand, amend("0.5" if beyond else "0.501"))


@case("NOTHING_CHANGED")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    resting(hand)
    return told(hand, amend("1" if beyond else "0.999"))


# The limits of ``[risk]``, and the broker's.


@case("PRICE_THROUGH_MARKET")
def _(beyond: bool) -> Hand:
    hand = hand_with(collar_through_bps=D(100))
    price = "101.1" if beyond else "101.0"
    hand.enter(order_type=LIMIT, limit_price=price)
    return hand


@case("PRICE_AWAY_FROM_MARKET")
def _(beyond: bool) -> Hand:
    hand = hand_with(collar_away_bps=D(100))
    price = "98.9" if beyond else "99.0"
    hand.enter(order_type=LIMIT, limit_price=price)
    return hand


def _worth(code: str, **limit: object) -> None:
    @case(code)
    def _(beyond: bool) -> Hand:
        hand = hand_with(None, **limit)
        hand.enter("10.001" if beyond else "10")
        return hand


_worth("MAX_ORDER_VALUE", max_order_value=D(1000))
_worth("MAX_POSITION_VALUE", max_position_value=D(1000))
_worth("MAX_SYMBOL_EXPOSURE", max_symbol_exposure=D(1000))
_worth("MAX_VENUE_EXPOSURE", max_venue_exposure=D(1000))
_worth("MAX_TOTAL_EXPOSURE", max_total_exposure=D(1000))
_worth("INSUFFICIENT_CASH", leverage=D("0.01"))


@case("MAX_OPEN_ORDERS")
def _(beyond: bool) -> Hand:
    hand = hand_with(max_open_orders=2)
    for owner in "abc" if beyond else "ab":
        hand.enter(strategy=owner)
    return hand


@case("MAX_ORDER_RATE")
def _(beyond: bool) -> Hand:
    hand = hand_with(max_order_rate=2, order_rate_s=10.0)
    hand.enter(strategy="a")
    hand.enter(strategy="b")
    hand.core.advance(hand.core.ts + 10 * NS - (1 if beyond else 0))
    hand.enter(strategy="c")
    return hand


@case("MAX_MESSAGE_RATIO")
def _(beyond: bool) -> Hand:
    hand = hand_with(max_message_ratio=D(3), message_ratio_least=2)
    hand.fill(hand.enter(strategy="a"), "1", "100")
    for owner in "bcd" if beyond else "bc":
        hand.enter(strategy=owner)
    return hand


@case("RATE_LIMITED")
def _(beyond: bool) -> Hand:
    hand = hand_with()
    rates = RateBudgets([RateLimit(window_s=60, weight=4)], 0.5)
    hand.executor.risk.rates = hand.executor.desk.sender.rates = rates
    for owner in "abc" if beyond else "ab":
        hand.enter(strategy=owner)
    return hand


@case("MAX_DAILY_LOSS")
def _(beyond: bool) -> Hand:
    hand = hand_with(max_daily_loss=D(5000), on_breach="hold")
    fee = "5000.1" if beyond else "5000"
    hand.fill(hand.enter(strategy="a"), "1", "100", fee=fee)
    hand.enter()
    return hand


@case("MAX_DRAWDOWN")
def _(beyond: bool) -> Hand:
    hand = hand_with(max_drawdown=D("0.1"), on_breach="hold")
    fee = "10000.1" if beyond else "10000"
    hand.fill(hand.enter(strategy="a"), "1", "100", fee=fee)
    hand.enter()
    return hand
