"""Each currency's verdict: what moves at every look, and what ends an ignored one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.execution.fakes import by_hand
from tests.execution.test_reconciliation import CASH, Account, taken_up
from workstation.execution.denials import DenialCode
from workstation.model.commands import Reconcile
from workstation.model.errors import CommandRefused
from workstation.model.orders import OrderStatus
from workstation.model.reconciliation import Subject, Verdict
from workstation.model.records import DifferenceRecord
from workstation.model.reports import OrderStatusReport

D = Decimal


def drift(
    account: Account, seconds: int, currencies: tuple[str, ...] = ("USDT",)
) -> int:
    """Let money move at every second; return when the engine took it for settled."""
    for second in range(seconds):
        for name in currencies:
            account.has[name] -= D("0.01")
        account.later(1)
        if account.asked()[-1].number != account.answered:
            account.answer()
        if not account.executor.reconciling and all(
            account.line(name).verdict is Verdict.DIFFERS for name in currencies
        ):
            return second
    return seconds


@pytest.mark.parametrize("at_start", [True, False])
def test_a_balance_that_moves_at_every_look_differs_all_the_same(
    at_start: bool,
) -> None:
    account = Account()
    account.begin()
    if not at_start:
        account.answer()
        assert account.denied() == ""
    account.has["USDT"] -= 50_000
    took_s = drift(account, 120)
    # The first figure, and three more after 2, 4 and 8 s.
    assert 13 <= took_s <= 16 + (0 if at_start else 30)
    assert account.denied() == DenialCode.UNRECONCILED
    shown = account.line("USDT").difference
    account.resolve(Subject.BALANCE, "USDT", "ignore", reason="x", difference=shown)
    assert account.line("USDT").verdict is Verdict.IGNORED
    assert account.denied() != DenialCode.UNRECONCILED


def test_before_the_third_confirmation_a_figure_that_moves_is_a_doubt() -> None:
    account = Account()
    account.begin()
    account.answer()
    for step in range(3):
        account.has["USDT"] -= 1
        if step:
            account.later(2 << step)
            account.answer()
        else:
            account.again()
        assert account.line("USDT").verdict is Verdict.ASKING
    # A fill explains all of it after all.
    account.has["USDT"] = CASH
    account.later(20)
    account.answer()
    assert account.line("USDT").verdict is Verdict.AGREES
    account.has["USDT"] -= 1
    account.again()
    assert account.line("USDT").verdict is Verdict.ASKING, "it is counted anew"
    assert not account.records(DifferenceRecord)


def test_answers_in_quick_succession_confirm_no_figure_that_moves() -> None:
    account = Account()
    account.begin()
    account.answer()
    for _ in range(10):
        account.has["USDT"] -= 1
        account.core.seq += 1
        account.executor.reconcile(Reconcile())
        account.answer()
        account.later(0.4)
    assert account.line("USDT").verdict is Verdict.ASKING


def test_two_balances_that_move_out_of_step_keep_no_start_waiting() -> None:
    account = Account()
    account.has = {"USDT": CASH - 7, "BTC": D(3)}
    account.begin()
    account.answer()
    account.has["ETH"] = D(2)
    account.later(2)
    for _ in range(40):
        account.has["USDT"] -= 1
        account.has["BTC"] += 1
        account.has["ETH"] += 1
        account.answer()
        if not account.executor.reconciling:
            break
        account.later(40)
    assert not account.executor.reconciling
    assert set(account.executor.controls.unreconciled) == {"USDT", "BTC", "ETH"}


def test_fills_between_two_answers_confirm_no_moving_figure() -> None:
    account = Account()
    account.begin()
    account.answer()
    order_id = account.enter("100", order_type="limit", limit_price="95")
    account.accept(order_id)
    # The venue is ahead by one fill, now by more and now by less, all the while.
    booked = D(0)
    for look in range(20):
        ahead = booked + 1 + look % 3
        account.has = {"USDT": CASH - 95 * ahead, "BTC": ahead}
        account.later(32)
        account.answer([])
        account.fill(order_id, "1", price="95")
        booked += 1
    assert not account.records(DifferenceRecord)


def test_a_moving_figure_is_settled_in_the_pause_after_its_confirmation() -> None:
    account = Account()
    account.begin()
    account.answer()
    account.has["USDT"] -= 300
    drift(account, 120)
    account.has["USDT"] -= 1
    account.again()
    assert account.line("USDT").verdict is Verdict.DIFFERS
    with pytest.raises(CommandRefused, match="only once"):
        account.resolve(Subject.BALANCE, "USDT", "adopt")
    for wait in (2, 4, 8):
        account.has["USDT"] -= 1
        account.later(wait)
        account.answer()
    account.resolve(Subject.BALANCE, "USDT", "adopt")
    assert account.executor.ledger.balances()["USDT"] == account.has["USDT"]


# What is ignored.


def ignoring(change: str = "5") -> Account:
    account = Account(opened=False)
    account.begin()
    account.answer()
    account.differ("USDT", change)
    account.resolve(Subject.BALANCE, "USDT", "ignore", reason="airdrop of March")
    return account


@pytest.mark.parametrize("restarts", [True, False])
def test_an_ignored_difference_that_has_gone_is_none_when_it_comes_again(
    restarts: bool,
) -> None:
    account = ignoring()
    # One look sees another figure, and then the money is gone.
    account.has["USDT"] -= 2
    account.again()
    account.has["USDT"] = CASH
    account.later(2)
    account.answer()
    assert account.line("USDT").verdict is Verdict.AGREES
    (*_, last) = account.core.kept(DifferenceRecord)
    assert (last.before, last.after) == (Verdict.ASKING, Verdict.AGREES)
    if restarts:
        account = taken_up(account)
        account.answer()
    account.differ("USDT", "5")
    assert account.line("USDT").verdict is Verdict.DIFFERS
    assert account.denied() == DenialCode.UNRECONCILED


def test_a_doubt_about_an_ignored_difference_over_a_restart_ends_it_for_good() -> None:
    account = ignoring()
    account.has["USDT"] -= 2
    account.again()
    account = taken_up(account)
    account.has["USDT"] = CASH
    account.answer()
    account = taken_up(account)
    account.has["USDT"] += 5
    account.answer()
    assert account.line("USDT").verdict is Verdict.ASKING


def test_fills_that_never_pause_keep_nothing_waiting_while_both_say_the_same() -> None:
    account = Account()
    account.has = {"USDT": CASH, "BTC": D(0)}
    account.begin()
    # Somebody buys by hand between the question and the answer, which tells of it.
    account.give(by_hand("web_1", "0.1", venue_id="v-1"))
    account.fill("web_1", "0.1", "100")
    account.give(OrderStatusReport("web_1", OrderStatus.FILLED, D("0.1")))
    account.has = {"USDT": CASH - 10, "BTC": D("0.1")}
    account.answer()
    assert not account.executor.reconciling
    assert account.denied() == ""
