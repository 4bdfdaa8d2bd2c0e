"""Rows of a scripted strategy: asked at bars, moved by orders and fills."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.strategy.fakes import BTC, ENTER, SEEN, Stand, hand_back, override_to
from workstation.model.errors import CommandRefused
from workstation.model.events import OrderDenied, PositionChanged
from workstation.model.orders import OrderRole, OrderStatus
from workstation.model.positions import Position
from workstation.model.signals import SignalAction
from workstation.model.states import SymbolState
from workstation.strategy.scripted import ScriptedStrategy
from workstation.strategy.settings import AskSettings

S = OrderStatus


def test_a_row_goes_its_way_from_watch_to_watch(tmp_path: Path) -> None:
    stand = Stand.of(
        tmp_path,
        detect=SEEN,
        filter=ENTER,
        manage="return {'action': 'exit', 'reason': 'enough'}",
    )
    stand.bar()
    assert stand.row.state is SymbolState.CLOSE_WATCH
    assert stand.row.context["opportunity"] == {"signal": "cross", "n": 1}
    stand.bar()
    (entry,) = stand.core.signals
    assert entry.action is SignalAction.ENTER_LONG
    assert entry.quantity == Decimal("10.000")
    assert entry.stop == Decimal("90.00")
    # It is the order that moves the row, not the wish.
    assert stand.row.state is SymbolState.CLOSE_WATCH
    stand.update(S.SUBMITTED)
    stand.hold("10")
    stand.update(S.FILLED)
    stand.bar()
    assert stand.core.signals[-1].action is SignalAction.EXIT
    assert stand.core.moves[-1] == ("InTrade", "InTrade", "first_fill")
    stand.hold("0")
    assert stand.core.moves == [
        ("Watch", "CloseWatch", "opportunity"),
        ("CloseWatch", "InTrade", "enter_long"),
        ("InTrade", "InTrade", "first_fill"),
        ("InTrade", "Watch", "flat"),
    ]


def test_a_denied_entry_leads_back_to_watch_with_the_code(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path, detect=SEEN, filter=ENTER)
    stand.bar()
    stand.bar()
    stand.strategy.handle_event(
        OrderDenied(
            owner="s",
            instrument="BTC",
            role=OrderRole.ENTRY,
            code="STALE_DATA",
            text="quote 9 s old",
            ts=1,
        )
    )
    assert stand.row.state is SymbolState.WATCH
    assert stand.row.answer == "denied STALE_DATA: quote 9 s old"


@pytest.mark.parametrize(
    ("end", "trigger"),
    [
        (S.REJECTED, "entry_rejected"),
        (S.CANCELED, "entry_canceled"),
        (S.EXPIRED, "entry_expired"),
    ],
)
def test_an_entry_that_ended_without_a_fill_leads_back_to_watch(
    tmp_path: Path, end: OrderStatus, trigger: str
) -> None:
    stand = Stand.of(tmp_path, detect=SEEN, filter=ENTER)
    stand.bar()
    stand.bar()
    stand.update(S.SUBMITTED)
    stand.update(end)
    assert stand.core.moves[-1] == ("InTrade", "Watch", trigger)


def test_a_late_fill_of_an_entry_that_was_given_up_is_in_trade(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path)
    stand.hold("1")
    assert stand.core.moves == [("Watch", "InTrade", "first_fill")]


def test_what_a_script_keeps_stays_until_it_is_reset(tmp_path: Path) -> None:
    detect = "context['n'] = context.get('n', 0) + 1; return None"
    stand = Stand.of(tmp_path, detect=detect)
    for _ in range(3):
        stand.bar()
    assert stand.row.context == {"n": 3}
    stand.strategy.reset()
    assert stand.row.context == {}


def test_two_strategies_of_one_script_share_no_variable(tmp_path: Path) -> None:
    head = "seen = []\n"
    detect = "seen.append(1); context['n'] = len(seen); return None"
    first = Stand.of(tmp_path, head=head, detect=detect)
    second = Stand.of(tmp_path, head=head, detect=detect)
    first.bar()
    first.bar()
    second.bar()
    assert first.row.context["n"] == 2
    assert second.row.context["n"] == 1


def test_while_paused_one_call_a_row_is_withheld_for_the_newest_bar(
    tmp_path: Path,
) -> None:
    detect = "context['close'] = market.close; return None"
    stand = Stand.of(tmp_path, detect=detect)
    stand.strategy.paused = True
    for close in (101.0, 102.0, 103.0):
        stand.bar(close)
    assert stand.row.calls == 0
    assert (list(stand.strategy.withheld), stand.strategy.lost) == (["BTC"], 2)
    assert stand.strategy.step() == "BTC"
    assert (stand.row.calls, stand.row.context) == (1, {"close": 103.0})
    with pytest.raises(CommandRefused, match="has no withheld call"):
        stand.strategy.step()
    stand.bar()
    stand.strategy.drop_withheld()
    assert (list(stand.strategy.withheld), stand.strategy.lost) == ([], 3)


def test_a_bar_at_which_nothing_is_asked_withholds_nothing(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path, settings={"ask": AskSettings(watch_bars=3)})
    stand.strategy.paused = True
    stand.bar()
    stand.bar()
    assert list(stand.strategy.withheld) == []
    stand.bar()
    assert list(stand.strategy.withheld) == ["BTC"]
    stand.strategy.drop_undue()
    assert list(stand.strategy.withheld) == ["BTC"]
    stand.bar()
    stand.strategy.drop_undue()
    assert (list(stand.strategy.withheld), stand.strategy.lost) == ([], 1)


def test_the_withheld_call_of_a_row_that_is_locked_is_not_made(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path, detect=SEEN)
    stand.strategy.paused = True
    stand.bar()
    stand.strategy.override(override_to(SymbolState.WATCH, lock=True))
    with pytest.raises(CommandRefused, match="has no withheld call"):
        stand.strategy.step()
    stand.bar()
    assert list(stand.strategy.withheld) == []
    stand.strategy.hand_back(hand_back())
    stand.bar()
    assert stand.strategy.step() == "BTC"
    assert stand.row.state is SymbolState.CLOSE_WATCH


def test_a_strategy_that_has_stopped_is_not_stepped(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path)
    stand.strategy.paused = True
    stand.bar()
    stand.strategy.stopped = True
    with pytest.raises(CommandRefused, match="s has stopped; restart it first"):
        stand.strategy.step()
    assert stand.row.calls == 0


def test_a_step_lasts_until_its_entry_is_answered_or_its_input_is_over(
    tmp_path: Path,
) -> None:
    stand = Stand.of(tmp_path, detect=SEEN, filter=ENTER)
    stand.bar()
    stand.strategy.paused = True
    stand.bar()
    assert not stand.strategy.stepping
    stand.core.seq += 1
    stand.strategy.step()
    assert len(stand.core.signals) == 1
    assert stand.strategy.stepping
    stand.core.seq += 1
    assert not stand.strategy.stepping
    stand.core.seq -= 1
    assert stand.strategy.stepping
    stand.update(S.SUBMITTED)
    assert not stand.strategy.stepping


def test_a_step_that_asks_for_no_entry_is_over_at_once(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path, detect=SEEN)
    stand.strategy.paused = True
    stand.bar()
    stand.strategy.step()
    assert not stand.strategy.stepping


def test_fills_and_ends_of_orders_go_on_while_paused(tmp_path: Path) -> None:
    stand = Stand.in_trade(tmp_path)
    stand.strategy.paused = True
    stand.hold("0")
    assert stand.row.state is SymbolState.WATCH


def test_a_restart_leaves_close_watch_for_the_context_is_gone(tmp_path: Path) -> None:
    filter_ = "return {'action': 'cancel_analysis'} if context['opportunity'] else None"
    stand = Stand.of(tmp_path, detect=SEEN, filter=filter_)
    stand.bar()
    stand.strategy.reset()
    assert stand.core.moves[-1] == ("CloseWatch", "Watch", "cancel")
    stand.bar()
    assert stand.row.state is SymbolState.CLOSE_WATCH


def test_a_strategy_hears_only_of_its_own_rows(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path)
    other = Position(owner="t", instrument="BTC", quantity=Decimal(1))
    flat = Position(owner="t", instrument="BTC")
    stand.strategy.handle_event(PositionChanged(flat, other, 1))
    elsewhere = Position(owner="s", instrument="ETH", quantity=Decimal(1))
    stand.strategy.handle_event(PositionChanged(flat, elsewhere, 1))
    assert stand.core.records == []
    assert isinstance(stand.strategy, ScriptedStrategy)
    assert BTC.id in stand.strategy.rows


def test_a_row_is_on_its_way_in_while_its_entry_waits_for_a_trigger(
    tmp_path: Path,
) -> None:
    stand = Stand.of(tmp_path, detect=SEEN, filter=ENTER)
    stand.bar()
    stand.bar()
    stand.update(S.HELD)
    assert stand.core.moves[-1] == ("CloseWatch", "InTrade", "enter_long")
    stand.update(S.SUBMITTED, before=S.HELD)
    assert stand.core.moves[-1] == ("InTrade", "InTrade", "enter_long")


def test_an_entry_that_is_denied_at_its_trigger_leads_back_to_watch(
    tmp_path: Path,
) -> None:
    stand = Stand.of(tmp_path, detect=SEEN, filter=ENTER)
    stand.bar()
    stand.bar()
    stand.update(S.HELD)
    stand.update(S.DENIED, before=S.HELD)
    assert stand.core.moves[-1] == ("InTrade", "Watch", "entry_rejected")
