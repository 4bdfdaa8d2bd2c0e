"""Answers that come in an input of their own: applied to the row that asked, or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.strategy.fakes import Stand, override_to, write_script
from workstation.model.errors import ScriptError
from workstation.model.records import NoteRecord
from workstation.model.states import SymbolState
from workstation.strategy.host import PENDING
from workstation.strategy.question import Function
from workstation.strategy.row import Row

W, C = SymbolState.WATCH, SymbolState.CLOSE_WATCH
SEEN = {"signal": "cross"}


class Elsewhere:
    """A host that keeps what it was asked and never answers."""

    def __init__(self) -> None:
        self.asked: list[Function] = []

    def ask(self, row: Row, function: Function) -> object:
        self.asked.append(function)
        return PENDING


def stand_of(folder: Path) -> tuple[Stand, Elsewhere]:
    host = Elsewhere()
    return Stand(write_script(folder), host=host), host


def test_an_answer_that_comes_later_moves_the_row_that_asked(tmp_path: Path) -> None:
    stand, _ = stand_of(tmp_path)
    stand.bar()
    assert stand.row.state is W
    stand.strategy.take_answer("BTC", Function.DETECT, SEEN)
    assert stand.row.state is C
    assert stand.row.context["opportunity"] == SEEN


def test_a_row_that_waits_for_an_answer_is_not_asked_again(tmp_path: Path) -> None:
    stand, host = stand_of(tmp_path)
    stand.bar()
    stand.bar()
    assert host.asked == [Function.DETECT]
    stand.strategy.take_answer("BTC", Function.DETECT, None)
    stand.bar()
    assert host.asked == [Function.DETECT, Function.DETECT]


def there_and_back(stand: Stand) -> None:
    stand.strategy.override(override_to(C))
    stand.strategy.override(override_to(W))


def stop(stand: Stand) -> None:
    stand.strategy.stopped = True


def pause(stand: Stand) -> None:
    stand.strategy.paused = True


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (lambda stand: stand.strategy.override(override_to(C)), "in CloseWatch by now"),
        (there_and_back, "has left Watch and come back"),
        (lambda stand: stand.strategy.override(override_to(W, lock=True)), "locked"),
        (stop, "has stopped"),
        (pause, "is paused"),
    ],
)
def test_an_answer_is_dropped_with_a_note_where_the_row_has_gone_on(
    tmp_path: Path, meanwhile: Callable[[Stand], None], why: str
) -> None:
    stand, _ = stand_of(tmp_path)
    stand.bar()
    meanwhile(stand)
    moves = list(stand.core.moves)
    stand.strategy.take_answer("BTC", Function.DETECT, SEEN)
    assert stand.core.moves == moves
    note = stand.core.records[-1]
    assert isinstance(note, NoteRecord)
    assert note.text.startswith("detect_opportunity answered too late: ")
    assert why in note.text
    assert stand.row.asked is None


def test_an_answer_on_another_position_is_dropped(tmp_path: Path) -> None:
    stand, _ = stand_of(tmp_path)
    stand.hold("1")
    stand.bar()
    stand.hold("2")
    stand.strategy.take_answer("BTC", Function.MANAGE, {"action": "exit"})
    assert stand.core.signals == []
    assert stand.row.answer.endswith("the position was 1 and is 2")


def test_an_error_that_comes_later_is_raised_and_moves_nothing(tmp_path: Path) -> None:
    stand, _ = stand_of(tmp_path)
    stand.bar()
    with pytest.raises(ScriptError, match=r"s\.lua:3: broken"):
        stand.strategy.take_answer(
            "BTC", Function.DETECT, ScriptError("s.lua", "broken", 3)
        )
    assert stand.row.state is W
    assert stand.row.answer.startswith("script error")
    assert stand.row.asked is None


def test_what_is_awaited_is_part_of_the_state(tmp_path: Path) -> None:
    stand, _ = stand_of(tmp_path)
    before = stand.strategy.digest()
    stand.bar()
    assert stand.strategy.digest() != before
    assert stand.row.asked is not None
