"""Entries that a kill or a flatten was to cancel, and that are open after all."""

from __future__ import annotations

import pytest

from tests.execution.fakes import NS, Hand, by_hand
from tests.execution.test_restarts import Restarted
from workstation.model.commands import Flatten, Kill, KillLevel, Rearm, Recover
from workstation.model.orders import OrderStatus
from workstation.model.reports import CancelRejected, OrderStatusReport
from workstation.model.requests import CancelOrder

S = OrderStatus
either = pytest.mark.parametrize(
    "command",
    [
        Kill(level=KillLevel.CANCEL),
        Kill(level=KillLevel.FLATTEN),
        Flatten(instrument="BTC"),
    ],
    ids=["cancel", "kill", "flatten"],
)


def entered() -> Hand:
    hand = Hand()
    hand.core.ts = 1_700_000_000 * NS
    hand.quote(100.0, 100.2)
    hand.enter("1", order_type="limit", limit_price="99")
    return hand


def cancels(hand: Hand) -> int:
    return hand.core.requests.count(CancelOrder("o-1", "BTC"))


def wait(hand: Hand, seconds: float) -> None:
    hand.core.advance(hand.core.ts + round(seconds * NS))


def say(hand: Hand, status: OrderStatus | None) -> None:
    hand.give(OrderStatusReport("o-1", status, asked_ns=hand.core.ts))


@either
def test_a_cancel_that_was_lost_is_asked_for_again(command: Kill | Flatten) -> None:
    hand = entered()
    hand.accept("o-1")
    hand.give(command)
    for tries in range(1, 4):
        assert cancels(hand) == tries
        # No answer: its fate is unknown, and then it is open.
        wait(hand, 6)
        say(hand, S.ACCEPTED)
    assert cancels(hand) == 4


@either
def test_a_cancel_that_came_before_the_order_is_asked_for_again(
    command: Kill | Flatten,
) -> None:
    hand = entered()
    hand.give(command)
    hand.give(CancelRejected("o-1", "Unknown order sent"))
    say(hand, None)
    assert cancels(hand) == 1
    wait(hand, 1)
    # It is taken in by the venue only now.
    hand.accept("o-1")
    assert cancels(hand) == 1, "too soon after the last try"
    wait(hand, 1)
    assert cancels(hand) == 2


@either
def test_an_entry_taken_for_refused_is_canceled_once_it_is_found_alive(
    command: Kill | Flatten,
) -> None:
    hand = entered()
    wait(hand, 31)
    say(hand, None)
    hand.give(command)
    assert cancels(hand) == 0
    wait(hand, 61)
    say(hand, S.ACCEPTED)
    assert cancels(hand) == 1


def test_nobody_cancels_again_what_the_operator_alone_wanted_away() -> None:
    hand = entered()
    hand.accept("o-1")
    tracked = hand.executor.desk.orders.get("o-1")
    assert tracked is not None
    hand.executor.desk.cancel(tracked, "by the operator")
    wait(hand, 6)
    say(hand, S.ACCEPTED)
    wait(hand, 60)
    assert cancels(hand) == 1


def test_what_is_made_by_hand_after_the_kill_is_let_be() -> None:
    hand = entered()
    hand.give(Kill(level=KillLevel.CANCEL))
    wait(hand, 1)
    hand.give(by_hand("web_1", "1", "99", venue_id="v-1"))
    hand.give(OrderStatusReport("web_1", S.ACCEPTED))
    wait(hand, 60)
    assert CancelOrder("web_1", "BTC") not in hand.core.requests


@pytest.mark.parametrize("level", [KillLevel.CANCEL, KillLevel.FLATTEN])
def test_a_re_arm_does_not_bring_back_what_was_to_be_canceled(level: KillLevel) -> None:
    hand = entered()
    hand.accept("o-1")
    hand.give(Kill(level=level))
    wait(hand, 6)
    hand.give(Rearm())
    say(hand, S.ACCEPTED)
    assert cancels(hand) == 2


def test_what_was_flattened_is_canceled_again_by_the_next_run() -> None:
    hand = entered()
    hand.accept("o-1")
    hand.give(Flatten(instrument="BTC"))
    hand.give(CancelRejected("o-1", "busy"))
    again = Restarted(hand)
    again.executor.recover(Recover(origin="engine"), again.cut)
    assert cancels(again) == 1
