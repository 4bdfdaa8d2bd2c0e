"""Settling: nothing is booked twice, and what is let be is what it was."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.execution.fakes import by_hand
from tests.execution.test_reconciliation import CASH, Account, external, taken_up, web
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus
from workstation.model.reconciliation import Subject, Verdict
from workstation.model.records import BalanceRecord, DifferenceRecord, FillRecord
from workstation.model.reports import OrderCanceled, OrderStatusReport

D = Decimal

# What a fill may have explained.


def filled_unheard() -> tuple[Account, str]:
    """Return an account whose order was filled long before its report comes."""
    account = Account()
    account.begin()
    account.answer()
    order_id = account.enter("1")
    account.has = {"USDT": CASH - 100, "BTC": D(1)}
    account.again()
    account.later(2)
    account.answer()
    assert account.line("BTC").verdict is Verdict.DIFFERS
    return account, order_id


@pytest.mark.parametrize(
    ("currency", "how", "more"),
    [
        ("USDT", "adopt", {}),
        ("BTC", "adopt", {}),
        ("BTC", "attribute", {"owner": "s", "instrument": "BTC"}),
        ("BTC", "ignore", {"reason": "x"}),
    ],
)
def test_a_difference_that_a_fill_has_explained_is_not_booked_again(
    currency: str, how: str, more: dict[str, object]
) -> None:
    account, order_id = filled_unheard()
    account.fill(order_id, "1", "100")
    records = len(account.core.records)
    shown = account.line(currency).difference
    with pytest.raises(
        CommandRefused, match=r"a fill was booked since .* ask it again"
    ):
        account.resolve(Subject.BALANCE, currency, how, difference=shown, **more)
    assert account.core.records[records:] == []
    assert account.executor.ledger.balances() == account.has
    account.again()
    assert account.line(currency).verdict is Verdict.AGREES
    assert account.executor.controls.unreconciled == {}


def test_what_fills_do_not_explain_is_settled_after_the_next_answer() -> None:
    account, order_id = filled_unheard()
    account.has["USDT"] -= 7
    account.fill(order_id, "1", "100")
    account.core.seq += 1
    account.later(30)
    account.answer()
    with pytest.raises(CommandRefused, match="only once"):
        account.resolve(Subject.BALANCE, "USDT", "adopt")
    account.later(2)
    account.answer()
    account.resolve(Subject.BALANCE, "USDT", "adopt", difference=D(-7))
    assert account.executor.ledger.balances() == account.has


def test_one_currency_after_the_other_is_settled_by_one_answer() -> None:
    account = Account()
    account.begin()
    account.answer()
    account.has = {"USDT": CASH - 100, "BTC": D(1)}
    account.again()
    account.later(2)
    account.answer()
    attributed = {"owner": "s", "instrument": "BTC", "price": D(100)}
    account.resolve(Subject.BALANCE, "BTC", "attribute", **attributed)
    account.resolve(Subject.BALANCE, "USDT", "adopt", difference=D(-100))
    assert account.executor.ledger.balances() == account.has
    assert len(account.core.kept(FillRecord)) == 1


@pytest.mark.parametrize("put_off", [True, False])
def test_nothing_is_settled_before_the_venue_has_answered_in_this_run(
    put_off: bool,
) -> None:
    account = Account(opened=False)
    account.begin()
    account.answer()
    account.differ("USDT", "5")
    account.resolve(Subject.BALANCE, "USDT", "ignore", reason="airdrop of March")
    account = taken_up(account)
    before = len(account.core.kept(BalanceRecord))
    # It took the money back meanwhile.
    account.has["USDT"] = CASH
    if put_off:
        # It has answered, and an order by hand comes first.
        account.answer([web()])
    for shown in (D(5), None):
        with pytest.raises(CommandRefused, match="has not said in this run"):
            account.resolve(Subject.BALANCE, "USDT", "adopt", difference=shown)
    assert len(account.core.kept(BalanceRecord)) == before
    account.later(2)
    account.answer([web()] if put_off else [])
    assert account.line("USDT").verdict is Verdict.AGREES


def test_nothing_is_settled_while_an_order_may_have_filled_it() -> None:
    account = Account()
    order_id = account.enter("2", order_type="limit", limit_price="95")
    account.accept(order_id)
    account.begin()
    account.orders = [web("2", order_id=order_id, price=D(95))]
    account.has["USDT"] -= 95
    account.answer()
    account.later(2)
    account.answer()
    assert account.line("USDT").verdict is Verdict.DIFFERS
    account.orders = [web("2", order_id=order_id, price=D(95), filled=D(1))]
    account.again()
    with pytest.raises(CommandRefused, match="whose fills may explain -95 USDT"):
        account.resolve(Subject.BALANCE, "USDT", "adopt")
    # One that never answers bars nobody for ever.
    for _ in range(3):
        account.later(2)
        account.answer()
    account.resolve(Subject.BALANCE, "USDT", "adopt")


# What is let be.


def hand(account: Account, order_id: str, side: Side, quantity: str) -> None:
    """Let somebody trade at the venue."""
    account.give(by_hand(order_id, quantity, side=side, venue_id=f"v-{order_id}"))
    account.fill(order_id, quantity, "100")
    account.give(OrderStatusReport(order_id, OrderStatus.FILLED, D(quantity)))


def verdict(account: Account) -> Verdict:
    (position,) = account.executor.reconciliation_view().positions
    return position.verdict


@pytest.mark.parametrize("restarts", [True, False])
@pytest.mark.parametrize(
    "trades",
    [
        ((Side.SELL, "1"), (Side.BUY, "1")),
        ((Side.BUY, "1"), (Side.SELL, "1")),
        ((Side.SELL, "2"), (Side.BUY, "2")),
    ],
)
def test_another_position_of_the_same_size_is_to_settle_again(
    trades: tuple[tuple[Side, str], ...], restarts: bool
) -> None:
    account = Account()
    hand(account, "web_1", Side.BUY, "1")
    account.resolve(Subject.POSITION, "BTC", "ignore", reason="hedge until Friday")
    assert verdict(account) is Verdict.IGNORED
    hand(account, "web_2", *trades[0])
    changed = account.core.kept(DifferenceRecord)[-1]
    closes = trades[0] == (Side.SELL, "1")
    after = Verdict.AGREES if closes else Verdict.EXTERNAL
    assert (changed.before, changed.after) == (Verdict.IGNORED, after)
    assert changed.subject == "BTC"
    assert account.executor.reconciliation.ignored == {}
    hand(account, "web_3", *trades[1])
    if restarts:
        account = taken_up(account)
    assert account.position("external") == 1
    assert verdict(account) is Verdict.EXTERNAL
    account.resolve(Subject.POSITION, "BTC", "ignore", reason="another one")
    assert verdict(account) is Verdict.IGNORED
    account = taken_up(account)
    account.has = {"USDT": CASH - 100, "BTC": D(1)}
    account.answer()
    assert verdict(account) is Verdict.IGNORED, "nothing has changed since"


def test_a_position_that_goes_to_somebody_is_not_let_be_any_more() -> None:
    account = Account()
    hand(account, "web_1", Side.BUY, "1")
    account.resolve(Subject.POSITION, "BTC", "ignore", reason="hedge until Friday")
    account.resolve(Subject.POSITION, "BTC", "adopt")
    (*_, gone) = account.core.kept(DifferenceRecord)
    assert (gone.after, gone.reason) == (Verdict.AGREES, "it is gone")
    assert account.executor.reconciliation.ignored == {}


@pytest.mark.parametrize("what", ["canceled", "changed", "taken"])
def test_an_order_is_let_be_for_as_long_as_it_is_what_it_was(what: str) -> None:
    account = Account()
    external(account)
    account.resolve(Subject.ORDER, "web_1", "ignore", reason="a friend's")
    assert account.order("web_1").verdict is Verdict.IGNORED
    if what == "canceled":
        account.give(OrderCanceled("web_1", filled=D(0)))
        account.orders = []
    elif what == "changed":
        account.orders = [web("3")]
        account.give(OrderStatusReport("web_1", OrderStatus.ACCEPTED, quantity=D(3)))
        assert account.executor.reconciliation.let_be(Subject.ORDER, "web_1") is None
    else:
        account.resolve(Subject.ORDER, "web_1", "adopt")
    account.again()
    (*_, record) = account.core.kept(DifferenceRecord)
    after = Verdict.EXTERNAL if what == "changed" else Verdict.AGREES
    assert (record.before, record.after) == (Verdict.IGNORED, after)
    assert account.executor.reconciliation.ignored == {}
    if what == "changed":
        assert account.order("web_1").verdict is Verdict.EXTERNAL
        assert record.reason == "it was 2 at 90"


def test_what_an_earlier_version_ignored_stays_so_until_it_changes() -> None:
    account = Account()
    external(account, "1")
    ignored = account.executor.reconciliation.ignored
    ignored[Subject.ORDER, "web_1"] = ("", "a friend's")
    ignored[Subject.POSITION, "BTC"] = ("1", "a friend's, too")
    account.again()
    assert account.order("web_1").verdict is Verdict.IGNORED
    assert verdict(account) is Verdict.IGNORED
    # Its strategy takes it over, and there is another one of the size.
    account.core.seq += 1
    account.executor.adopt("s", "BTC", "external")
    hand(account, "web_2", Side.BUY, "1")
    positions = account.executor.reconciliation_view().positions
    (made,) = [each for each in positions if each.owner == "external"]
    assert (made.quantity, made.verdict) == (D(1), Verdict.EXTERNAL)


@pytest.mark.parametrize("died", [False, True])
def test_what_an_order_of_unknown_fate_may_have_moved_is_not_booked(died: bool) -> None:
    account = Account(opened=not died)
    account.begin()
    account.answer()
    order_id = account.enter("1")
    account.has = {"USDT": CASH - 100, "BTC": D(1)}
    if died:
        account = taken_up(account)
        account.answer()
        account.later(2)
        account.answer()
    else:
        account.later(11)
        account.again()
        account.later(2)
        account.answer()
    assert account.line("BTC").verdict is Verdict.DIFFERS
    for currency, how, more in (
        ("BTC", "attribute", {"owner": "s", "instrument": "BTC", "price": D(100)}),
        ("BTC", "adopt", {}),
        ("USDT", "adopt", {}),
    ):
        with pytest.raises(CommandRefused, match=f"{order_id} may have filled"):
            account.resolve(Subject.BALANCE, currency, how, **more)
    account.fill(order_id, "1", "100")
    account.give(OrderStatusReport(order_id, OrderStatus.FILLED, D(1)))
    assert account.executor.ledger.balances() == account.has


def test_what_may_have_been_moved_is_booked_once_the_order_was_closed_by_hand() -> None:
    account = Account()
    account.begin()
    account.answer()
    order_id = account.enter("1")
    account.has = {"USDT": CASH - 100, "BTC": D(1)}
    account.later(11)
    account.again()
    account.later(2)
    account.answer()
    account.core.seq += 1
    account.executor.close_unknown(order_id, "the venue's page says canceled")
    account.resolve(Subject.BALANCE, "USDT", "adopt")
    assert account.line("USDT").verdict is Verdict.AGREES
