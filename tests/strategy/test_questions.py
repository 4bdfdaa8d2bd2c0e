"""Questions to a script: each state its own, and what the answers do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.strategy.fakes import SEEN, Stand
from workstation.model.errors import ScriptError
from workstation.model.orders import OrderRole, OrderStatus
from workstation.model.records import NoteRecord, StateRecord
from workstation.model.signals import SignalAction
from workstation.strategy.question import Function

S = OrderStatus


def test_close_watch_ends_after_its_bars(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path, detect=SEEN, settings={"close_watch_bars": 3})
    for _ in range(4):
        stand.bar()
    assert stand.core.moves[-1] == ("CloseWatch", "Watch", "expire")


def test_a_script_gives_up_an_opportunity(tmp_path: Path) -> None:
    stand = Stand.of(
        tmp_path, detect=SEEN, filter="return {'action': 'cancel_analysis'}"
    )
    stand.bar()
    stand.bar()
    assert stand.core.moves[-1] == ("CloseWatch", "Watch", "cancel")
    assert stand.core.signals == []


def test_the_script_is_not_asked_while_an_exit_works(tmp_path: Path) -> None:
    stand = Stand.in_trade(tmp_path, manage="return {'action': 'exit'}")
    stand.bar()
    stand.update(S.ACCEPTED, OrderRole.EXIT)
    calls = stand.row.calls
    stand.bar()
    assert stand.row.calls == calls
    assert len([s for s in stand.core.signals if s.action is SignalAction.EXIT]) == 1


@pytest.mark.parametrize(
    ("role", "status", "asked"),
    [
        (OrderRole.STOP, S.HELD, True),
        (OrderRole.TARGET, S.HELD, True),
        (OrderRole.STOP, S.SUBMITTED, False),
        (OrderRole.TARGET, S.ACCEPTED, False),
        (OrderRole.FLATTEN, S.PARTIALLY_FILLED, False),
        (OrderRole.FLATTEN, S.FILLED, True),
    ],
)
def test_a_position_is_managed_unless_an_order_closes_it(
    tmp_path: Path, role: OrderRole, status: OrderStatus, asked: bool
) -> None:
    stand = Stand.in_trade(tmp_path)
    stand.update(status, role)
    calls = stand.row.calls
    stand.bar()
    assert (stand.row.calls > calls) is asked


def test_an_opportunity_the_script_goes_on_changing_is_not_the_row_s(
    tmp_path: Path,
) -> None:
    head = "mine = {'signal': 'a'}\n"
    stand = Stand.of(tmp_path, head=head, detect="return mine")
    stand.bar()
    globals_ = stand.strategy.script.functions[Function.DETECT].__globals__
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
    stand = Stand.of(tmp_path, **parts)
    if "filter" in parts:
        stand.bar()
    moves = len(stand.core.moves)
    with pytest.raises(ScriptError) as caught:
        stand.bar()
    assert said in str(caught.value)
    assert said in stand.row.answer
    assert stand.core.signals == []
    assert len(stand.core.moves) == moves


def test_what_a_call_logs_is_on_record_before_what_comes_of_it(tmp_path: Path) -> None:
    detect = f"market.log('one'); market.log('two'); {SEEN}"
    stand = Stand.of(tmp_path, detect=detect)
    stand.bar()
    one, two, move = stand.core.records
    assert one == NoteRecord(
        seq=2, ts=stand.core.ts, strategy="s", instrument="BTC", text="one"
    )
    assert isinstance(two, NoteRecord)
    assert two.text == "two"
    assert isinstance(move, StateRecord)
    # The next call has lines of its own.
    stand.bar()
    assert len(stand.core.records) == 3


@pytest.mark.parametrize("end", ["return 3", "return {'x': float('nan')}"])
def test_what_a_call_logs_is_dropped_with_its_wrong_answer(
    tmp_path: Path, end: str
) -> None:
    stand = Stand.of(tmp_path, detect=f"market.log('lost'); {end}")
    with pytest.raises(ScriptError):
        stand.bar()
    assert stand.core.records == []
