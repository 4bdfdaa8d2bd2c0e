"""Rows of a scripted strategy: asked at bars, moved by orders and fills."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.strategy.fakes import BTC, Stand, order, write_script
from workstation.model.commands import Disposition, Override
from workstation.model.errors import CommandRefused, ScriptError
from workstation.model.events import OrderDenied, OrderUpdated, PositionChanged
from workstation.model.orders import OrderEvent, OrderRole, OrderStatus
from workstation.model.positions import Position
from workstation.model.records import LockRecord
from workstation.model.signals import SignalAction
from workstation.model.states import SymbolState
from workstation.strategy.scripted import ScriptedStrategy

ENTER = "return {'action': 'enter_long', 'stop': market.close * 0.9, 'reason': 'go'}"
SEEN = "return {'signal': 'cross', 'n': market.bars()}"

S = OrderStatus


def _stand(tmp_path: Path, **parts: Any) -> Stand:
    settings = parts.pop("settings", {})
    return Stand(write_script(tmp_path, **parts), **settings)


def _updated(stand: Stand, status: OrderStatus, role: OrderRole | None = None) -> None:
    made = order(status, role or OrderRole.ENTRY)
    stand.books.orders = [made]
    stand.strategy.handle_event(
        OrderUpdated(made, S.INITIALIZED, OrderEvent.SUBMIT, stand.core.ts)
    )


def _position(stand: Stand, quantity: str) -> None:
    old = Position(owner="s", instrument="BTC", quantity=stand.books.held)
    stand.books.held = Decimal(quantity)
    new = Position(owner="s", instrument="BTC", quantity=stand.books.held)
    stand.strategy.handle_event(PositionChanged(old, new, stand.core.ts))


def _in_trade(tmp_path: Path, **parts: Any) -> Stand:
    stand = _stand(tmp_path, **{"detect": SEEN, "filter": ENTER} | parts)
    stand.bar()
    stand.bar()
    _updated(stand, S.SUBMITTED)
    _position(stand, "1")
    _updated(stand, S.FILLED)
    return stand


def _override(state: SymbolState, **rest: Any) -> Override:
    return Override(strategy="s", instrument="BTC", state=state, reason="mine", **rest)


def test_a_row_goes_its_way_from_watch_to_watch(tmp_path: Path) -> None:
    stand = _stand(
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
    _updated(stand, S.SUBMITTED)
    _position(stand, "10")
    _updated(stand, S.FILLED)
    stand.bar()
    assert stand.core.signals[-1].action is SignalAction.EXIT
    assert stand.core.moves[-1] == ("CloseWatch", "InTrade", "commit")
    _position(stand, "0")
    assert stand.core.moves == [
        ("Watch", "CloseWatch", "opportunity"),
        ("CloseWatch", "InTrade", "commit"),
        ("InTrade", "Watch", "flat"),
    ]


def test_close_watch_ends_after_its_bars(tmp_path: Path) -> None:
    stand = _stand(tmp_path, detect=SEEN, settings={"close_watch_bars": 3})
    for _ in range(4):
        stand.bar()
    assert stand.core.moves[-1] == ("CloseWatch", "Watch", "expire")


def test_a_script_gives_up_an_opportunity(tmp_path: Path) -> None:
    stand = _stand(tmp_path, detect=SEEN, filter="return {'action': 'cancel_analysis'}")
    stand.bar()
    stand.bar()
    assert stand.core.moves[-1] == ("CloseWatch", "Watch", "cancel")
    assert stand.core.signals == []


def test_a_denied_entry_leads_back_to_watch_with_the_code(tmp_path: Path) -> None:
    stand = _stand(tmp_path, detect=SEEN, filter=ENTER)
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


@pytest.mark.parametrize("end", [S.REJECTED, S.CANCELED, S.EXPIRED])
def test_an_entry_that_ended_without_a_fill_leads_back_to_watch(
    tmp_path: Path, end: OrderStatus
) -> None:
    stand = _stand(tmp_path, detect=SEEN, filter=ENTER)
    stand.bar()
    stand.bar()
    _updated(stand, S.SUBMITTED)
    _updated(stand, end)
    assert stand.core.moves[-1] == ("InTrade", "Watch", "entry_ended")


def test_a_late_fill_of_an_entry_that_was_given_up_is_in_trade(tmp_path: Path) -> None:
    stand = _stand(tmp_path)
    _position(stand, "1")
    assert stand.core.moves == [("Watch", "InTrade", "fill")]


def test_an_entry_of_less_than_a_lot_is_given_up(tmp_path: Path) -> None:
    stand = _stand(tmp_path, detect=SEEN, filter=ENTER)
    stand.books.equity = Decimal("0.1")
    stand.bar()
    stand.bar()
    assert stand.core.signals == []
    assert stand.core.moves[-1] == ("CloseWatch", "Watch", "cancel")
    assert "less than a lot of 0.001" in stand.row.answer


def test_stops_are_only_tightened(tmp_path: Path) -> None:
    manage = "return {'action': 'update_stop_loss', 'stop': market.close * 0.95}"
    stand = _in_trade(tmp_path, manage=manage)
    _updated(stand, S.HELD, OrderRole.STOP)
    assert stand.row.stop == Decimal(90)
    stand.bar(100.0)
    assert stand.core.signals[-1].action is SignalAction.PROTECT
    assert stand.core.signals[-1].stop == Decimal("95.00")
    made = len(stand.core.signals)
    stand.bar(80.0)
    assert len(stand.core.signals) == made
    assert stand.row.answer == "stop 76.00 would loosen 90: kept"


def test_the_script_is_not_asked_while_an_exit_works(tmp_path: Path) -> None:
    stand = _in_trade(tmp_path, manage="return {'action': 'exit'}")
    stand.bar()
    _updated(stand, S.ACCEPTED, OrderRole.EXIT)
    calls = stand.row.calls
    stand.bar()
    assert stand.row.calls == calls
    assert len([s for s in stand.core.signals if s.action is SignalAction.EXIT]) == 1


def test_what_a_script_keeps_stays_until_it_is_reset(tmp_path: Path) -> None:
    detect = "context['n'] = context.get('n', 0) + 1; return None"
    stand = _stand(tmp_path, detect=detect)
    for _ in range(3):
        stand.bar()
    assert stand.row.context == {"n": 3}
    stand.strategy.reset()
    assert stand.row.context == {}


def test_two_strategies_of_one_script_share_no_variable(tmp_path: Path) -> None:
    head = "seen = []\n"
    detect = "seen.append(1); context['n'] = len(seen); return None"
    first = _stand(tmp_path, head=head, detect=detect)
    second = _stand(tmp_path, head=head, detect=detect)
    first.bar()
    first.bar()
    second.bar()
    assert first.row.context["n"] == 2
    assert second.row.context["n"] == 1


def test_an_opportunity_the_script_goes_on_changing_is_not_the_row_s(
    tmp_path: Path,
) -> None:
    head = "mine = {'signal': 'a'}\n"
    stand = _stand(tmp_path, head=head, detect="return mine")
    stand.bar()
    globals_ = stand.strategy.script.detect_opportunity.__globals__
    globals_["mine"]["signal"] = "b"
    assert stand.row.context["opportunity"] == {"signal": "a"}


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"detect": "return 3"}, "must return None or a dict, not 3"),
        ({"detect": "return {'x': float('nan')}"}, "x is nan"),
        (
            {"detect": SEEN, "filter": "return {'action': 'buy'}"},
            "action 'buy' is not one of",
        ),
    ],
)
def test_a_wrong_answer_is_raised_and_shown_and_moves_nothing(
    tmp_path: Path, parts: dict[str, str], said: str
) -> None:
    stand = _stand(tmp_path, **parts)
    if "filter" in parts:
        stand.bar()
    moves = len(stand.core.moves)
    with pytest.raises(ScriptError) as caught:
        stand.bar()
    assert said in str(caught.value)
    assert said in stand.row.answer
    assert stand.core.signals == []
    assert len(stand.core.moves) == moves


def test_indicators_are_asked_by_name_and_are_none_before_their_time(
    tmp_path: Path,
) -> None:
    detect = (
        "context['v'] = [indicators.sma(2), indicators.sma(period=2, back=1)]; "
        "return None"
    )
    stand = _stand(tmp_path, detect=detect)
    stand.bar(1.0)
    assert stand.row.context["v"] == [None, None]
    assert stand.row.indicators.asked()[0][0] == "sma"
    with pytest.raises(TypeError, match="has 2 parameters"):
        stand.row.indicators.sma(2, 3)
    with pytest.raises(ValueError, match="back = 2"):
        stand.row.indicators.sma(2, back=2)


# Pause and step.


def test_while_paused_calls_are_withheld_and_made_one_by_one(tmp_path: Path) -> None:
    stand = _stand(tmp_path)
    stand.strategy.paused = True
    stand.bar()
    stand.bar()
    assert stand.row.calls == 0
    assert stand.strategy.step() == "BTC"
    assert stand.row.calls == 1
    stand.strategy.step()
    with pytest.raises(CommandRefused, match="has no withheld call"):
        stand.strategy.step()
    assert stand.row.calls == 2


def test_fills_and_ends_of_orders_go_on_while_paused(tmp_path: Path) -> None:
    stand = _in_trade(tmp_path)
    stand.strategy.paused = True
    _position(stand, "0")
    assert stand.row.state is SymbolState.WATCH


def test_a_locked_row_is_not_asked(tmp_path: Path) -> None:
    stand = _stand(tmp_path, detect=SEEN)
    stand.strategy.override(_override(SymbolState.WATCH, lock=True))
    stand.bar()
    assert stand.row.calls == 0
    assert stand.row.answer == "locked in manual"
    assert stand.strategy.is_locked("BTC")
    stand.strategy.hand_back("BTC", "done")
    stand.bar()
    assert stand.row.calls == 1
    with pytest.raises(CommandRefused, match="is not locked"):
        stand.strategy.hand_back("BTC", "again")


def test_a_lock_ends_by_itself_and_says_so(tmp_path: Path) -> None:
    stand = _stand(tmp_path)
    stand.bar()
    until = stand.core.ts + 5
    stand.strategy.override(_override(SymbolState.WATCH, lock=True, expires_ns=until))
    timer = stand.core.clock.pop_due(until)
    assert timer is not None
    timer.callback()
    assert not stand.strategy.is_locked("BTC")
    last = stand.core.records[-1]
    assert isinstance(last, LockRecord)
    assert (last.before, last.after, last.reason) == (True, False, "lock expired")


def test_a_lock_that_is_renewed_does_not_end_at_the_old_time(tmp_path: Path) -> None:
    stand = _stand(tmp_path)
    for until in (5, 50):
        stand.strategy.override(
            _override(SymbolState.WATCH, lock=True, expires_ns=until)
        )
    assert stand.core.clock.next_due() == 50


def test_an_end_without_a_lock_changes_nothing(tmp_path: Path) -> None:
    stand = _stand(tmp_path)
    stand.strategy.override(_override(SymbolState.WATCH, expires_ns=99))
    assert stand.core.records == []


# Override.


def test_a_row_that_is_overridden_to_close_watch_has_an_opportunity_and_time(
    tmp_path: Path,
) -> None:
    filter_ = "context['saw'] = context['opportunity']['signal']; return None"
    stand = _stand(tmp_path, filter=filter_, settings={"close_watch_bars": 3})
    stand.bar()
    stand.strategy.override(_override(SymbolState.CLOSE_WATCH))
    stand.bar()
    assert stand.row.context["saw"] == "override"
    assert stand.row.state is SymbolState.CLOSE_WATCH
    stand.bar()
    stand.bar()
    assert stand.core.moves[-1] == ("CloseWatch", "Watch", "expire")


def test_a_move_the_table_forbids_is_refused_with_those_it_allows(
    tmp_path: Path,
) -> None:
    stand = _in_trade(tmp_path)
    with pytest.raises(CommandRefused) as caught:
        stand.strategy.check_override(_override(SymbolState.CLOSE_WATCH))
    assert str(caught.value) == (
        "s BTC is in InTrade and cannot go to CloseWatch; it can go to: Watch"
    )


def test_a_row_that_holds_leaves_by_its_fills_with_the_operator_s_reason(
    tmp_path: Path,
) -> None:
    stand = _in_trade(tmp_path)
    stand.strategy.override(
        _override(SymbolState.WATCH, disposition=Disposition.FLATTEN)
    )
    assert stand.row.state is SymbolState.IN_TRADE
    _position(stand, "0")
    assert stand.row.transitions[-1].reason == "override: mine"


def test_an_override_to_where_the_row_is_leaves_no_reason_behind(
    tmp_path: Path,
) -> None:
    stand = _in_trade(tmp_path)
    stand.strategy.override(_override(SymbolState.IN_TRADE, lock=True))
    _position(stand, "0")
    assert stand.row.transitions[-1].reason == "position closed"


def test_a_row_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path,
) -> None:
    stand = _stand(tmp_path)
    with pytest.raises(CommandRefused, match="s has no row ETH; it has: BTC"):
        stand.strategy.hand_back("ETH", "x")


def test_a_restart_leaves_close_watch_for_the_context_is_gone(tmp_path: Path) -> None:
    filter_ = "return {'action': 'cancel_analysis'} if context['opportunity'] else None"
    stand = _stand(tmp_path, detect=SEEN, filter=filter_)
    stand.bar()
    stand.strategy.reset()
    assert stand.core.moves[-1] == ("CloseWatch", "Watch", "cancel")
    stand.bar()
    assert stand.row.state is SymbolState.CLOSE_WATCH


def test_a_commit_that_came_to_nothing_does_not_block_the_row(tmp_path: Path) -> None:
    stand = _stand(tmp_path, detect=SEEN, filter=ENTER)
    stand.bar()
    stand.bar()
    assert stand.row.committing
    stand.strategy.override(_override(SymbolState.WATCH))
    assert not stand.row.committing


# Digest.


@pytest.mark.parametrize(
    "keep",
    [
        "context['me'] = context",
        "context['big'] = 1 << 200",
        "context['half'] = '\\ud800'",
        "context['object'] = object()",
        "context['set'] = {'a', 'b'}",
        "context[('a', object())] = 1",
        "context['nan'] = float('nan')",
        "context['bytes'] = b'x'",
        "import numpy; context['np'] = numpy.float64(1.5)",
    ],
)
def test_whatever_a_script_keeps_has_the_same_digest_twice(
    tmp_path: Path, keep: str
) -> None:
    digests = []
    for _ in range(2):
        stand = _stand(tmp_path, detect=f"{keep}; return None")
        stand.bar()
        digests.append(msgspec.msgpack.encode(stand.strategy.digest()))
    assert digests[0] == digests[1]


def test_the_digest_tells_contexts_apart(tmp_path: Path) -> None:
    digests = set()
    for value in ("1", "2", "'1'"):
        stand = _stand(tmp_path, detect=f"context['x'] = {value}; return None")
        stand.bar()
        row_digest = stand.row.digest()
        digests.add(msgspec.msgpack.encode(row_digest))
    assert len(digests) == 3


def test_a_strategy_hears_only_of_its_own_rows(tmp_path: Path) -> None:
    stand = _stand(tmp_path)
    other = Position(owner="t", instrument="BTC", quantity=Decimal(1))
    flat = Position(owner="t", instrument="BTC")
    stand.strategy.handle_event(PositionChanged(flat, other, 1))
    elsewhere = Position(owner="s", instrument="ETH", quantity=Decimal(1))
    stand.strategy.handle_event(PositionChanged(flat, elsewhere, 1))
    assert stand.core.records == []
    assert isinstance(stand.strategy, ScriptedStrategy)
    assert BTC.id in stand.strategy.rows
