"""Books and venue: what differs is found, confirmed, told of, and settled."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from tests.execution.fakes import NS, Hand, signal
from workstation.execution.denials import DenialCode
from workstation.execution.recovering import Recovering
from workstation.execution.settings import ReconciliationSettings
from workstation.model.commands import (
    CancelOrders,
    Flatten,
    Hold,
    Kill,
    KillLevel,
    Reconcile,
    Recover,
    Resolve,
)
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Side
from workstation.model.orders import OrderRole, OrderStatus, OrderType
from workstation.model.rates import BrokerAbilities
from workstation.model.reconciliation import (
    BalanceLine,
    OrderLine,
    Resolution,
    Subject,
    Verdict,
)
from workstation.model.records import (
    BalanceRecord,
    ControlRecord,
    DenyRecord,
    DifferenceRecord,
    OwnerRecord,
)
from workstation.model.reports import (
    AccountReport,
    Balance,
    OpenOrder,
    OrderCanceled,
    OrderFilledReport,
    OrderStatusReport,
)
from workstation.model.requests import CancelOrder, QueryAccount, QueryOrder, Request

D = Decimal
CASH = D(100_000)
EVERY_S = 30


class Account(Hand):
    """An Executor at a venue that answers for the account what the test says."""

    def __init__(self, *, opened: bool = True, every_s: float = EVERY_S) -> None:
        super().__init__(
            abilities=BrokerAbilities(account=True),
            reconciliation=ReconciliationSettings(every_s=every_s),
        )
        self.executor.reconciliation.opened = opened
        self.has = {"USDT": CASH}
        self.orders: list[OpenOrder] = []
        self.answered = 0

    def begin(self) -> None:
        self.core.seq += 1
        self.executor.reconciliation.begin()

    def asked(self) -> list[QueryAccount]:
        """Return all questions for the account so far."""
        return [r for r in self.core.requests if isinstance(r, QueryAccount)]

    def answer(self, orders: Sequence[OpenOrder] | None = None) -> None:
        """Answer the last question with what the venue has now."""
        self.answered = self.asked()[-1].number
        self.give(
            AccountReport(
                number=self.asked()[-1].number,
                balances=tuple(Balance(n, total) for n, total in self.has.items()),
                orders=tuple(self.orders if orders is None else orders),
            )
        )

    def later(self, seconds: float) -> None:
        self.core.advance(self.core.ts + round(seconds * NS))

    def again(self) -> None:
        """Let the venue be asked once more, and say the same."""
        before = len(self.asked())
        self.later(EVERY_S)
        assert len(self.asked()) > before
        self.answer()

    def differ(self, currency: str, change: str) -> None:
        """Let money move at the venue, until the books have it confirmed."""
        self.has[currency] = self.has.get(currency, D(0)) + D(change)
        self.again()
        self.later(2)
        self.answer()

    def line(self, currency: str) -> BalanceLine:
        lines = self.executor.reconciliation_view().balances
        return next(each for each in lines if each.currency == currency)

    def order(self, order_id: str) -> OrderLine:
        lines = self.executor.reconciliation_view().orders
        return next(each for each in lines if each.order_id == order_id)

    def records(self, kind: type) -> list[object]:
        return [each for each in self.core.records if type(each) is kind]

    def resolve(self, kind: Subject, subject: str, how: str, **more: object) -> str:
        self.core.seq += 1
        resolution = Resolution(how)
        return self.executor.resolve(
            Resolve(kind=kind, subject=subject, resolution=resolution, **more)  # type: ignore[arg-type]
        )

    def denied(self) -> str:
        """Return why an entry is denied now; nothing where it passes."""
        before = len(self.records(DenyRecord))
        self.give(signal("enter_long", "1"))
        denied = self.records(DenyRecord)[before:]
        return str(denied[0].code) if denied else ""  # type: ignore[attr-defined]


def web(quantity: str = "2", **more: object) -> OpenOrder:
    """Return an order that somebody made at the venue."""
    fields: dict[str, object] = {
        "order_id": "web_1",
        "instrument": "BTC",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "quantity": D(quantity),
        "price": D(90),
    }
    return OpenOrder(**{**fields, **more})  # type: ignore[arg-type]


# When it is asked.


def test_nothing_enters_before_the_venue_has_answered_for_the_account() -> None:
    account = Account()
    account.begin()
    assert account.executor.reconciling
    assert account.denied() == DenialCode.RECONCILING
    account.answer()
    assert not account.executor.reconciling
    assert account.denied() == ""


def test_an_account_is_asked_for_again_until_it_answers() -> None:
    account = Account()
    account.begin()
    account.later(3)
    assert len(account.asked()) == 1
    account.later(2)
    assert len(account.asked()) == 2
    account.later(300)
    # The waits have doubled: an answer that stays away is no reason to shout.
    assert 5 <= len(account.asked()) <= 8


def test_an_answer_that_comes_after_the_next_question_counts_as_of_its_own() -> None:
    account = Account()
    account.begin()
    first = account.asked()[0]
    account.later(100)
    assert len(account.asked()) > 3
    account.give(AccountReport(number=first.number, balances=(Balance("USDT", CASH),)))
    assert not account.executor.reconciling
    # A fill since the question is in no answer to it.
    account.fill(account.enter("1"), "1", "100")
    second, last = account.asked()[1], account.asked()[-1]
    account.give(AccountReport(number=second.number, balances=(Balance("USDT", CASH),)))
    assert account.line("USDT").difference == 0
    account.has = {"USDT": CASH - 100, "BTC": D(1)}
    account.give(AccountReport(number=last.number, balances=()))
    account.later(2)
    account.answer()
    assert account.line("USDT").verdict is Verdict.AGREES


def test_an_answer_to_a_question_before_the_one_that_was_answered_says_nothing() -> (
    None
):
    account = Account()
    account.begin()
    first = account.asked()[0]
    account.later(5)
    account.answer()
    for _ in range(2):
        account.give(AccountReport(number=first.number, balances=()))
        account.answer()
    assert not account.executor.reconciling
    assert account.line("USDT").verdict is Verdict.AGREES


def test_a_broker_that_cannot_be_asked_is_not() -> None:
    hand = Hand()
    hand.enter()
    hand.core.advance(hand.core.ts + 3_600 * NS)
    assert not any(isinstance(r, QueryAccount) for r in hand.core.requests)
    with pytest.raises(CommandRefused, match="cannot be asked"):
        hand.executor.reconcile(Reconcile())


def test_a_simulated_account_is_looked_at_while_anything_is_going_on() -> None:
    account = Account()
    account.later(1_000)
    assert not account.asked(), "nothing was ever sent"
    order_id = account.enter()
    account.accept(order_id)
    account.later(EVERY_S)
    assert len(account.asked()) == 1
    account.orders = [
        OpenOrder(
            order_id=order_id,
            instrument="BTC",
            side=Side.BUY,
            order_type=OrderType.MARKET,
            quantity=D(1),
        )
    ]
    account.answer()
    account.fill(order_id, "1")
    account.has = {"USDT": CASH - D("100.2"), "BTC": D(1)}
    account.orders = []
    account.again()
    account.again()
    account.later(10 * EVERY_S)
    assert len(account.asked()) == 3, "all is done and was agreed on"


def test_a_venue_account_is_looked_at_for_good() -> None:
    account = Account()
    account.begin()
    account.answer()
    for _ in range(5):
        account.again()
    assert len(account.asked()) == 6


def test_every_s_of_zero_looks_only_at_the_start() -> None:
    account = Account(every_s=0)
    account.begin()
    account.answer()
    account.enter()
    account.later(3_600)
    assert len(account.asked()) == 1
    account.core.seq += 1
    account.executor.reconcile(Reconcile())
    assert len(account.asked()) == 2


def taken_up(
    account: Account, records: int | None = None, cash: Decimal = CASH
) -> Account:
    """Return the account as a new engine takes it up, by so many of its records.

    ``cash`` is what the config says that the account began with.
    """
    after = Account(opened=False)
    after.executor.ledger.initial = cash
    after.has, after.orders = account.has, account.orders
    recovering = Recovering(after.executor)
    for record in account.core.records[:records]:
        recovering.take(record)
    recovering.finish()
    after.core.records = account.core.records[:records]
    after.core.seq, after.core.ts = account.core.seq + 1, account.core.ts
    after.executor.recover(Recover(origin="engine"), recovering.cut)
    return after


@pytest.mark.parametrize("how", ["canceled", "filled", "closed by word"])
def test_an_order_that_has_ended_is_not_waited_for_any_more(how: str) -> None:
    account = Account()
    account.begin()
    account.answer()
    order_id = account.enter(order_type="limit", limit_price="95")
    if how != "closed by word":
        account.accept(order_id)
        account.orders = [web("1", order_id=order_id, price=D(95))]
    account = taken_up(account)
    account.answer()
    assert account.denied() == DenialCode.RECONCILING
    # The answer about the order is lost; what became of it comes all the same.
    if how == "canceled":
        account.give(CancelOrders(order_ids=(order_id,)))
        account.give(OrderCanceled(order_id, filled=D(0)))
    elif how == "filled":
        account.fill(order_id, "1", price="95")
    else:
        account.executor.close_unknown(order_id, "by phone")
    assert not account.executor.reconciling
    (*_, done) = account.core.kept(ControlRecord)
    assert (done.name, done.after) == ("recovery", "done")


# Balances.


def test_a_new_account_begins_with_what_its_venue_has() -> None:
    account = Account(opened=False)
    account.has = {"USDT": D("1234.5"), "BTC": D("0.7")}
    account.begin()
    account.answer()
    executor = account.executor
    assert executor.ledger.initial == executor.account().equity == D("1234.5")
    assert executor.account().day_start == D("1234.5")
    assert executor.limits.drawdown(D("1234.5")) == 0
    assert executor.net("BTC") == 0, "what it began with is no position"
    assert executor.ledger.balances() == {**account.has}
    assert [r.after for r in account.records(BalanceRecord)] == [  # type: ignore[attr-defined]
        D("0.7"),
        D("1234.5"),
    ]
    assert account.denied() == ""


def opened_by_hand() -> Account:
    """Return a new account that was traded by hand a moment before its first answer."""
    account = Account(opened=False)
    account.has = {"USDT": D("1234.5"), "BTC": D(2), "ETH": D(5)}
    account.begin()
    account.answer([web("2", status=OrderStatus.FILLED, filled=D(2))])
    account.fill("web_1", "2", price="90")
    account.give(OrderStatusReport("web_1", OrderStatus.FILLED, D(2)))
    account.later(2)
    account.answer()
    return account


@pytest.mark.parametrize("records", range(len(opened_by_hand().core.records) + 1))
def test_an_account_is_opened_once_wherever_its_first_run_was_killed(
    records: int,
) -> None:
    whole = opened_by_hand()
    assert not whole.executor.reconciling
    after = taken_up(whole, records, cash=D(50))
    after.answer([web("2", status=OrderStatus.FILLED, filled=D(2))])
    if after.executor.working("external", "BTC"):
        after.fill("web_1", "2", price="90")
        after.give(OrderStatusReport("web_1", OrderStatus.FILLED, D(2)))
        after.later(2)
        after.answer()
    assert not after.executor.reconciling
    assert after.executor.controls.unreconciled == {}
    assert after.executor.ledger.balances() == after.has
    assert after.position("external") == 2
    assert after.executor.account().initial == whole.executor.account().initial


def test_an_order_by_hand_that_was_taken_over_at_once_opens_no_account() -> None:
    account = Account(opened=False)
    account.has = {"USDT": D(500)}
    account.orders = [web()]
    account.begin()
    account.answer()
    account.resolve(Subject.ORDER, "web_1", "adopt")
    account.fill("web_1", "2", price="90")
    assert not account.executor.reconciliation.opened
    account.orders, account.has = [], {"USDT": D(320), "BTC": D(2)}
    after = taken_up(account)
    assert not after.executor.reconciliation.opened
    after.answer()
    assert after.executor.account().initial == 500
    assert after.executor.controls.unreconciled == {}


def test_one_different_answer_is_a_doubt_and_a_second_one_a_difference() -> None:
    account = Account()
    account.begin()
    account.answer()
    account.has["USDT"] -= 300
    account.again()
    assert account.line("USDT").verdict is Verdict.ASKING
    assert account.denied() == "", "a fill may be on its way"
    account.later(2)
    account.answer()
    line = account.line("USDT")
    assert (line.verdict, line.difference) == (Verdict.DIFFERS, D(-300))
    (record,) = account.records(DifferenceRecord)
    assert (record.here, record.venue) == ("100000", "99700")  # type: ignore[attr-defined]


def test_nothing_is_entered_in_a_currency_that_differs() -> None:
    account = Account()
    account.begin()
    account.answer()
    account.differ("BTC", "1")
    assert account.denied() == DenialCode.UNRECONCILED
    denied = account.records(DenyRecord)[-1]
    assert "0 BTC here, 1 at the venue" in denied.text  # type: ignore[attr-defined]
    account.quote(10.0, 10.1, "ETH")
    before = len(account.submitted())
    account.give(signal("enter_long", "1", instrument="ETH"))
    assert len(account.submitted()) == before + 1, "ETH has nothing to do with it"


def test_a_position_can_be_closed_while_its_balance_differs() -> None:
    account = Account()
    order_id = account.enter()
    account.fill(order_id, "1")
    account.begin()
    account.has = {"USDT": CASH - D("100.2"), "BTC": D(5)}
    account.answer()
    account.again()
    assert account.line("BTC").verdict is Verdict.DIFFERS
    before = len(account.submitted())
    account.give(signal("exit"))
    assert len(account.submitted()) == before + 1


def test_fills_between_question_and_answer_are_no_difference() -> None:
    account = Account()
    order_id = account.enter()
    account.begin()
    # The venue had not filled it when it answered.
    account.fill(order_id, "1")
    account.answer()
    assert account.executor.reconciling
    account.has = {"USDT": CASH - D("100.2"), "BTC": D(1)}
    account.later(2)
    account.answer()
    assert not account.executor.reconciling
    assert not account.records(DifferenceRecord)


def test_a_fill_that_comes_late_ends_the_doubt() -> None:
    account = Account()
    account.begin()
    account.answer()
    order_id = account.enter()
    account.accept(order_id)
    account.has = {"USDT": CASH - D("100.2"), "BTC": D(1)}
    account.again()
    account.fill(order_id, "1")
    account.again()
    assert account.line("BTC").verdict is Verdict.AGREES
    assert not account.records(DifferenceRecord)


def test_a_difference_that_goes_away_lets_entries_pass_again() -> None:
    account = Account()
    account.begin()
    account.answer()
    account.differ("USDT", "-50")
    assert account.denied() == DenialCode.UNRECONCILED
    account.has["USDT"] = CASH
    account.again()
    assert account.denied() == ""
    verdicts = [r.after for r in account.records(DifferenceRecord)]  # type: ignore[attr-defined]
    assert verdicts == [Verdict.DIFFERS, Verdict.AGREES]


def test_a_difference_is_found_however_often_the_account_trades() -> None:
    account = Account()
    account.begin()
    account.answer()
    account.has = {"USDT": CASH - 300, "BTC": D(0)}
    order_id = account.enter("100", order_type="limit", limit_price="95")
    account.accept(order_id)
    for filled in range(80):
        account.orders = [web("100", order_id=order_id, price=D(95), filled=D(filled))]
        account.later(1)
        asked = account.asked()
        if asked and asked[-1].number != account.answered:
            account.answer()
        account.fill(order_id, "1", price="95")
        account.has |= {
            "USDT": account.has["USDT"] - 95,
            "BTC": account.has["BTC"] + 1,
        }
        if filled < 40:
            assert not account.executor.controls.unreconciled
    assert account.line("USDT").verdict is Verdict.DIFFERS
    assert account.line("BTC").verdict is Verdict.AGREES


def test_an_account_that_is_never_at_rest_is_not_asked_for_without_pause() -> None:
    account = Account()
    account.begin()
    account.answer()
    order_id = account.enter("100", order_type="limit", limit_price="95")
    account.accept(order_id)
    for tenths in range(600):
        filled = D(tenths) / 10
        account.orders = [web("100", order_id=order_id, price=D(95), filled=filled)]
        # The venue is ahead by some fills, now by more and now by less.
        ahead = filled + D(1 + tenths * tenths % 13) / 10
        account.has = {"USDT": CASH - 95 * ahead, "BTC": ahead}
        account.later(1)
        if account.asked()[-1].number != account.answered:
            account.answer()
        account.fill(order_id, "0.1", price="95")
    assert account.position() == 60
    since = [each for each in account.asked() if each.since_ns is not None]
    assert 10 < len(since) < 40


def test_a_currency_that_only_pays_fees_begins_with_what_there_was_of_it() -> None:
    account = Account(opened=False)
    account.has = {"USDT": CASH, "BNB": D(10)}
    account.begin()
    account.answer()

    def buy(trade_id: str, has: str) -> None:
        fee = D("0.001")
        report = OrderFilledReport(
            account.enter(strategy=trade_id), trade_id, D(1), D(100), fee, "BNB", False
        )
        account.give(report)
        account.has |= {"BTC": account.has.get("BTC", D(0)) + 1, "BNB": D(has)}
        account.has["USDT"] -= 100

    buy("t-1", "9.999")
    account.again()
    account.later(2)
    account.answer()
    assert account.line("BNB").verdict is Verdict.AGREES
    assert account.executor.ledger.balances()["BNB"] == D("9.999")
    buy("t-2", "9.998")
    account.again()
    assert account.line("BNB").verdict is Verdict.AGREES
    assert account.executor.controls.unreconciled == {}
    # From now on it is looked at like any other.
    account = taken_up(account)
    account.differ("BNB", "-3")
    assert account.line("BNB").difference == -3


def test_a_currency_of_another_market_is_not_looked_at() -> None:
    account = Account()
    account.begin()
    account.has["DOGE"] = D(1_000_000)
    account.answer()
    account.again()
    assert account.denied() == ""


# Orders.


def test_an_order_made_by_hand_is_taken_as_external() -> None:
    account = Account()
    account.orders = [web()]
    account.begin()
    account.answer()
    (order,) = account.executor.working("external", "BTC")
    assert (order.quantity, order.price) == (D(2), D(90))
    assert isinstance(account.core.requests[-1], QueryOrder), "what it has filled"
    account.give(OrderStatusReport("web_1", OrderStatus.ACCEPTED, quantity=D(2)))
    account.again()
    assert account.order("web_1").verdict is Verdict.EXTERNAL


def test_an_order_made_by_hand_that_is_over_is_found_by_what_is_missing() -> None:
    account = Account()
    account.begin()
    account.answer()
    since_ns = account.asked()[-1].asked_ns - 60 * NS
    account.later(600)
    account.has = {"USDT": CASH - 180, "BTC": D(2)}
    account.answer()
    account.later(2)
    assert account.asked()[-1].since_ns is not None
    assert account.asked()[-1].since_ns == since_ns
    account.answer([web(filled=D(2), status=OrderStatus.FILLED)])
    fill = OrderFilledReport("web_1", "t-9", D(2), D(90), D(0), "USDT", False)
    account.give(fill)
    account.give(OrderStatusReport("web_1", OrderStatus.FILLED, D(2), quantity=D(2)))
    account.later(5)
    account.answer()
    assert account.executor.position("external", "BTC").quantity == 2
    assert not account.records(DifferenceRecord)
    assert account.denied() == ""


@pytest.mark.parametrize(("silent_h", "back_h"), [(2, 2), (40, 24)])
def test_what_was_traded_by_hand_while_the_venue_was_silent_is_looked_for(
    silent_h: float, back_h: float
) -> None:
    account = Account()
    account.begin()
    account.answer()
    account = taken_up(account)
    account.answer()
    begun_ns = account.core.ts
    account.later(silent_h * 3_600)
    account.give(Hold(on=True))
    ended_ns = account.core.ts
    # Killed again before the venue has said a word.
    for _ in range(2):
        account = taken_up(account)
        (asked,) = account.asked()
        assert asked.since_ns is not None
        wanted = max(begun_ns, ended_ns - back_h * 3_600 * NS)
        assert asked.since_ns == wanted - 60 * NS


def test_what_was_traded_before_the_account_was_opened_is_not_asked_for() -> None:
    account = Account(opened=False)
    account.give(Hold(on=True))
    account.later(3_600)
    account.begin()
    account.answer()
    opened_ns = account.core.ts
    account.later(10)
    account.give(Hold(on=False))
    (asked,) = taken_up(account).asked()
    assert asked.since_ns == opened_ns - 60 * NS


def test_an_old_order_of_ours_is_not_taken_for_one_made_by_hand() -> None:
    account = Account()
    order_id = account.enter()
    account.fill(order_id, "1")
    account.executor.desk.orders._closed.clear()
    account.begin()
    account.answer([web(order_id=order_id, filled=D(1), status=OrderStatus.FILLED)])
    assert account.executor.working("external", "BTC") == []
    assert account.executor.net("BTC") == 1


def test_no_new_order_gets_the_id_of_one_that_was_found_at_the_venue() -> None:
    # Such as an earlier life of the account has left there, whose journal is gone.
    account = Account()
    odd = web(order_id="o-" + "9" * 5_000, price=D(50))
    account.orders = [
        web(order_id="o-1", price=D(70)),
        web(order_id="o-3", price=D(60)),
        odd,
    ]
    account.begin()
    account.answer()
    for _ in range(3):
        account.give(OrderStatusReport("o-1", OrderStatus.ACCEPTED))
        account.give(OrderStatusReport("o-3", OrderStatus.ACCEPTED))
        account.give(OrderStatusReport(odd.order_id, OrderStatus.ACCEPTED))
        account.later(2)
        account.answer()
        if not account.executor.reconciling:
            break
    for price in ("90", "91"):
        account.enter(order_type="limit", limit_price=price, strategy=price)
    assert account.submitted() == ["o-2", "o-4"]
    after = taken_up(account)
    assert after.executor.desk.orders.made == 4
    assert after.executor.working("external", "BTC")[0].id == "o-1"


def test_what_was_traded_by_hand_is_booked_once_however_long_ago_it_was() -> None:
    account = Account()
    account.begin()
    account.answer()
    # As long as anything differs, all orders since then are asked for.
    account.differ("ETH", "1")
    account.has |= {"USDT": CASH - 180, "BTC": D(2)}
    over = web(filled=D(2), status=OrderStatus.FILLED)

    def told() -> None:
        account.give(
            OrderFilledReport("web_1", "t-9", D(2), D(90), D(0), "USDT", False)
        )
        account.give(OrderStatusReport("web_1", OrderStatus.FILLED, D(2)))

    account.later(30)
    account.answer()
    account.later(2)
    account.answer([over])
    told()
    assert account.position("external") == 2
    # It has ended long ago and is not kept any more.
    account.executor.desk.orders._closed.clear()
    account.has["USDT"] -= 1
    account.later(30)
    account.answer()
    account.later(2)
    assert account.asked()[-1].since_ns is not None
    account.answer([over])
    assert account.executor.working("external", "BTC") == []


def test_an_order_that_the_venue_does_not_list_is_asked_about() -> None:
    account = Account()
    order_id = account.enter(order_type="limit", limit_price="95")
    account.accept(order_id)
    account.later(1)
    account.begin()
    account.answer()
    asked: list[Request] = account.core.requests[-1:]
    assert [getattr(each, "order_id", "") for each in asked] == [order_id]
    assert account.order(order_id).verdict is Verdict.ASKING


@pytest.mark.parametrize("is_open", [True, False])
def test_an_order_that_is_over_here_and_open_there_is_not_over(is_open: bool) -> None:
    account = Account()
    account.begin()
    account.answer()
    order_id = account.enter(order_type="limit", limit_price="95")
    account.accept(order_id)
    account.give(CancelOrders(order_ids=(order_id,)))
    account.core.seq += 1
    account.executor.reconcile(Reconcile())
    account.give(OrderCanceled(order_id, "", 5, D(0)))
    there = [web("1", order_id=order_id, price=D(95))]
    # The venue may have said so before it canceled the order.
    account.answer(there)
    assert account.executor.working("s", "BTC") == []
    account.later(2)
    account.answer(there)
    (order,) = account.executor.working("s", "BTC")
    assert order.status is OrderStatus.UNKNOWN
    assert account.order(order_id).verdict is Verdict.ASKING
    status = OrderStatus.ACCEPTED if is_open else OrderStatus.CANCELED
    told = OrderStatusReport(order_id, status, ts_event=6, asked_ns=account.core.ts)
    account.give(told)
    found = account.executor.desk.orders.get(order_id)
    assert found is not None
    assert found.order.status is status


def test_an_order_just_sent_is_not_missed() -> None:
    account = Account()
    account.begin()
    account.later(1)
    account.answer()
    account.later(1)
    account.core.seq += 1
    account.executor.reconcile(Reconcile())
    order_id = account.enter(order_type="limit", limit_price="95")
    account.accept(order_id)
    account.answer()
    assert account.executor.working("s", "BTC")
    assert not any(isinstance(r, QueryOrder) for r in account.core.requests)


def test_an_order_that_is_more_filled_at_the_venue_is_asked_about() -> None:
    account = Account()
    order_id = account.enter("2", order_type="limit", limit_price="95")
    account.accept(order_id)
    account.later(1)
    account.begin()
    account.answer([web(order_id=order_id, price=D(95), filled=D(1))])
    assert [r.order_id for r in account.core.requests if isinstance(r, QueryOrder)] == [
        order_id
    ]


def killed(account: Account, level: KillLevel = KillLevel.FLATTEN) -> None:
    account.begin()
    account.answer()
    account.later(1)
    account.give(Kill(level=level))
    account.later(1)


def test_what_is_traded_by_hand_after_a_kill_is_not_traded_back() -> None:
    account = Account()
    killed(account)
    account.orders = [web(side=Side.SELL)]
    account.again()
    account.fill("web_1", "2", price="90")
    assert account.position("external") == -2
    assert account.submitted() == [], "nobody but the operator trades now"


def test_what_fills_of_an_order_by_hand_after_its_kill_is_closed() -> None:
    account = Account()
    account.orders = [web()]
    killed(account)
    assert CancelOrder("web_1", "BTC") in account.core.requests
    account.fill("web_1", "2", price="90")
    (order,) = account.executor.working("external", "BTC")
    assert (order.side, order.role) == (Side.SELL, OrderRole.FLATTEN)


@pytest.mark.parametrize("level", [KillLevel.CANCEL, KillLevel.FLATTEN])
def test_a_kill_taken_up_again_leaves_what_was_made_by_hand_since(
    level: KillLevel,
) -> None:
    account = Account()
    killed(account, level)
    account.orders = [web(), web(order_id="web_2", price=D(80))]
    account.again()
    account.fill("web_1", "2", price="90")
    account.orders = account.orders[1:]
    after = taken_up(account)
    assert after.submitted() == []
    assert not any(isinstance(r, CancelOrder) for r in after.core.requests)
    assert after.executor.kill_level is level


# What the operator makes of it.


def external(account: Account, filled: str = "0") -> None:
    """Let an order by hand be known, with some of it filled."""
    account.orders = [web(filled=D(filled))]
    account.begin()
    account.answer()
    if D(filled):
        account.give(
            OrderFilledReport("web_1", "t-1", D(filled), D(90), D(0), "USDT", False)
        )
        account.has = {"USDT": CASH - D(filled) * 90, "BTC": D(filled)}
    status = OrderStatus.PARTIALLY_FILLED if D(filled) else OrderStatus.ACCEPTED
    account.give(OrderStatusReport("web_1", status, D(filled), quantity=D(2)))
    account.again()


@pytest.mark.parametrize(("how", "owner"), [("adopt", ""), ("attribute", "s")])
def test_what_closes_a_position_made_by_hand_is_nobody_s_to_take(
    how: str, owner: str
) -> None:
    account = Account()
    external(account, "1")
    account.give(Flatten(instrument="BTC", owner="external"))
    (close,) = [o for o in account.executor.orders() if o.reduce_only]
    account.accept(close.id)
    with pytest.raises(CommandRefused, match="closes what was made by hand"):
        account.resolve(Subject.ORDER, close.id, how, owner=owner)
    account.fill(close.id, "1", "90")
    assert account.position("external") == 0
    assert account.executor.desk.orders.closing("external", "BTC", Side.SELL) == 0


def test_an_order_by_hand_can_be_adopted_by_the_operator() -> None:
    account = Account()
    external(account)
    done = account.resolve(Subject.ORDER, "web_1", "adopt")
    assert done == "order web_1 is operator's now"
    (order,) = account.executor.working("operator", "BTC")
    assert order.role is OrderRole.MANUAL
    (record,) = account.records(OwnerRecord)
    assert (record.before, record.after) == ("external", "operator")  # type: ignore[attr-defined]
    account.fill("web_1", "2", price="90")
    assert account.position("operator") == 2
    with pytest.raises(CommandRefused, match="filled"):
        account.resolve(Subject.ORDER, "web_1", "adopt")


def test_an_order_by_hand_can_become_the_entry_of_a_row() -> None:
    account = Account()
    external(account)
    account.resolve(Subject.ORDER, "web_1", "attribute", owner="s")
    (order,) = account.executor.working("s", "BTC")
    assert order.role is OrderRole.ENTRY
    account.fill("web_1", "2", price="90")
    assert account.position("s") == 2


def test_no_row_gets_an_entry_that_it_has_no_use_for() -> None:
    account = Account()
    account.fill(account.enter(action="enter_short"), "1")
    account.has = {"USDT": CASH + D("100.2"), "BTC": D(-1)}
    external(account)
    with pytest.raises(CommandRefused, match="holds -1 BTC; a buy is no entry"):
        account.resolve(Subject.ORDER, "web_1", "attribute", owner="s")
    resting = account.enter(
        order_type="limit", limit_price="95", strategy="t", action="enter_long"
    )
    with pytest.raises(CommandRefused, match=f"has the entry {resting}"):
        account.resolve(Subject.ORDER, "web_1", "attribute", owner="t")
    with pytest.raises(CommandRefused, match="name the owner"):
        account.resolve(Subject.ORDER, "web_1", "attribute")


def test_an_order_by_hand_can_be_canceled_or_let_be() -> None:
    account = Account()
    external(account)
    account.resolve(Subject.ORDER, "web_1", "ignore", reason="a friend's")
    assert account.order("web_1").verdict is Verdict.IGNORED
    assert account.order("web_1").reason == "a friend's"
    account.resolve(Subject.ORDER, "web_1", "cancel")
    assert account.core.requests[-1] == CancelOrder("web_1", "BTC")
    with pytest.raises(CommandRefused, match="needs a reason"):
        account.resolve(Subject.ORDER, "web_1", "ignore")
    with pytest.raises(CommandRefused, match="not known here"):
        account.resolve(Subject.ORDER, "web_2", "cancel")


def test_a_position_made_by_hand_goes_to_whom_the_operator_says() -> None:
    account = Account()
    external(account, filled="1")
    view = account.executor.reconciliation_view()
    (position,) = view.positions
    assert (position.owner, position.verdict) == ("external", Verdict.EXTERNAL)
    account.resolve(Subject.POSITION, "BTC", "ignore", reason="not ours")
    view = account.executor.reconciliation_view()
    assert view.positions[0].verdict is Verdict.IGNORED
    with pytest.raises(CommandRefused, match="ignored already"):
        account.resolve(Subject.POSITION, "BTC", "ignore", reason="not ours")
    account.resolve(Subject.POSITION, "BTC", "attribute", owner="s")
    assert account.position("external") == 0
    assert account.position("s") == 1
    with pytest.raises(CommandRefused, match="no BTC was made at the venue"):
        account.resolve(Subject.POSITION, "BTC", "adopt")


def test_a_position_that_changes_hands_leaves_orders_by_hand_alone() -> None:
    account = Account()
    external(account, filled="1")
    account.resolve(Subject.ORDER, "web_1", "ignore", reason="not ours")
    account.resolve(Subject.POSITION, "BTC", "adopt")
    assert account.position("operator") == 1
    assert not any(isinstance(r, CancelOrder) for r in account.core.requests)


def test_an_adopted_difference_is_money_put_in_and_no_profit() -> None:
    account = Account()
    account.begin()
    account.answer()
    account.differ("USDT", "-30000")
    before = account.executor.account()
    done = account.resolve(Subject.BALANCE, "USDT", "adopt", reason="withdrawn")
    assert done == "30000 USDT went out; the books are as the venue has it"
    after = account.executor.account()
    assert after.equity == before.equity - 30_000
    assert after.equity - after.day_start == before.equity - before.day_start
    assert account.executor.limits.drawdown(after.equity) == 0
    assert account.denied() == ""
    account.again()
    assert account.line("USDT").verdict is Verdict.AGREES


def test_a_difference_can_become_a_position_at_a_price() -> None:
    account = Account()
    account.begin()
    account.answer()
    account.differ("BTC", "2")
    done = account.resolve(
        Subject.BALANCE, "BTC", "attribute", owner="s", instrument="BTC", price=D(80)
    )
    assert done == "2 BTC at 80 is s's now"
    position = account.executor.position("s", "BTC")
    assert (position.quantity, position.average_price) == (D(2), D(80))
    # It is worth more than it was paid with: 2 × (100.1 − 80).
    assert account.executor.account().equity == CASH + 160 + D("40.2")
    assert account.executor.ledger.balances() == {"USDT": CASH, "BTC": 2}
    account.again()
    assert account.denied() == DenialCode.ALREADY_IN_POSITION


def test_what_is_missing_can_be_taken_from_a_position() -> None:
    account = Account()
    account.fill(account.enter("3"), "3", price="100")
    account.has = {"USDT": CASH - 300, "BTC": D(3)}
    account.begin()
    account.answer()
    account.differ("BTC", "-1")
    account.resolve(Subject.BALANCE, "BTC", "attribute", owner="s", instrument="BTC")
    # At the mark, since no price was named.
    assert account.position("s") == 2
    assert account.executor.ledger.realized == D("0.1")


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"owner": "s"}, "name an instrument of BTC: BTC"),
        ({"owner": "s", "instrument": "ETH"}, "name an instrument of BTC: BTC"),
        ({"instrument": "BTC"}, "name the owner"),
        ({"owner": "external", "instrument": "BTC"}, "name the owner"),
    ],
)
def test_a_position_needs_an_owner_and_an_instrument(
    more: dict[str, object], match: str
) -> None:
    account = Account()
    account.begin()
    account.answer()
    account.differ("BTC", "2")
    with pytest.raises(CommandRefused, match=match):
        account.resolve(Subject.BALANCE, "BTC", "attribute", **more)


def test_dust_can_be_adopted_but_is_no_position() -> None:
    account = Account()
    account.begin()
    account.answer()
    account.differ("BTC", "0.0004")
    with pytest.raises(CommandRefused, match="not on the lot"):
        account.resolve(
            Subject.BALANCE, "BTC", "attribute", owner="s", instrument="BTC"
        )
    account.resolve(Subject.BALANCE, "BTC", "adopt")
    account.again()
    assert account.denied() == ""


def test_an_ignored_difference_counts_again_once_it_is_another() -> None:
    account = Account()
    account.begin()
    account.answer()
    account.differ("USDT", "-5")
    account.resolve(Subject.BALANCE, "USDT", "ignore", reason="a fee of the bank")
    assert account.denied() == ""
    account.again()
    line = account.line("USDT")
    assert (line.verdict, line.reason) == (Verdict.IGNORED, "a fee of the bank")
    account.differ("USDT", "-1")
    assert account.line("USDT").verdict is Verdict.DIFFERS
    assert account.line("USDT").difference == -6
    assert account.denied() == DenialCode.UNRECONCILED


@pytest.mark.parametrize("passes", [True, False])
def test_what_is_ignored_stays_so_for_its_reason_over_a_restart(passes: bool) -> None:
    account = Account(opened=False)
    account.begin()
    account.answer()
    account.differ("USDT", "-5")
    account.resolve(Subject.BALANCE, "USDT", "ignore", reason="a fee of the bank")
    # For a moment it is another: a fill may have been on its way.
    account.has["USDT"] -= 1
    account.again()
    assert account.line("USDT").verdict is Verdict.ASKING
    account.has["USDT"] += 1
    if passes:
        account.later(2)
        account.answer()
        assert account.line("USDT").verdict is Verdict.IGNORED
    after = taken_up(account)
    after.answer()
    line = after.line("USDT")
    assert (line.verdict, line.reason) == (Verdict.IGNORED, "a fee of the bank")
    assert not after.executor.reconciling
    after.has["USDT"] -= 1
    after.again()
    after.later(2)
    after.answer()
    assert after.line("USDT").verdict is Verdict.DIFFERS


def test_a_difference_is_settled_as_it_was_shown_or_not_at_all() -> None:
    account = Account()
    account.begin()
    account.answer()
    account.differ("USDT", "-5")
    with pytest.raises(CommandRefused, match="is -5 now, not -4 as shown"):
        account.resolve(Subject.BALANCE, "USDT", "adopt", difference=D(-4))
    account.resolve(Subject.BALANCE, "USDT", "adopt", difference=D(-5))
    with pytest.raises(CommandRefused, match="no difference in USDT"):
        account.resolve(Subject.BALANCE, "USDT", "adopt")
    with pytest.raises(CommandRefused, match="not compared yet"):
        account.resolve(Subject.BALANCE, "DOGE", "adopt")


def test_answers_in_quick_succession_confirm_nothing() -> None:
    account = Account()
    account.begin()
    account.has["USDT"] -= 300
    account.answer()
    for _ in range(3):
        account.later(0.4)
        account.core.seq += 1
        account.executor.reconcile(Reconcile())
        account.answer()
    assert account.line("USDT").verdict is Verdict.ASKING
    account.later(2)
    account.answer()
    assert account.line("USDT").verdict is Verdict.DIFFERS


def test_a_figure_that_changes_is_not_settled_before_it_is_confirmed() -> None:
    account = Account()
    account.begin()
    account.answer()
    account.differ("USDT", "-300")
    account.has["USDT"] -= 20
    account.again()
    assert account.denied() == DenialCode.UNRECONCILED, "it differs all the while"
    # An order made by hand may be behind it, and is asked for.
    assert account.line("USDT").difference == -320
    with pytest.raises(CommandRefused, match="only once"):
        account.resolve(Subject.BALANCE, "USDT", "adopt")
    account.later(2)
    assert account.asked()[-1].since_ns is not None
    account.answer()
    account.resolve(Subject.BALANCE, "USDT", "adopt", difference=D(-320))
    assert account.denied() == ""
