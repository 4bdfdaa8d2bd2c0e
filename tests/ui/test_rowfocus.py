"""The focused row: what a cursor anywhere makes of it."""

from __future__ import annotations

import msgspec

from tests.engine.runs import TWO_VENUES, settings
from workstation.engine.frames import Focus
from workstation.ui.panels.base import Choice
from workstation.ui.rowfocus import RowFocus


def at(focus: RowFocus) -> tuple[str, str]:
    row = focus.row
    assert isinstance(row, Focus)
    return row.strategy, row.instrument


def two_strategies() -> RowFocus:
    """Return the focus of a run whose second strategy has the last symbol alone."""
    run = settings()
    first = run.strategies[0]
    last = run.instruments[-1].id
    second = msgspec.structs.replace(first, name="other", symbols=(last,))
    return RowFocus(msgspec.structs.replace(run, strategies=(first, second)))


def test_a_symbol_without_a_strategy_takes_its_first_one() -> None:
    focus = two_strategies()
    last = focus.names[-1].instrument
    focus.on(Choice(last))
    assert at(focus) == ("ema_cross", last)
    focus.on(Choice(last, "other"))
    assert at(focus) == ("other", last)


def test_a_strategy_keeps_the_symbol_where_it_has_it() -> None:
    focus = two_strategies()
    last = focus.names[-1].instrument
    focus.on(Choice(last, "other"))
    focus.on(Choice(strategy="ema_cross"))
    assert at(focus) == ("ema_cross", last)


def test_a_strategy_without_the_symbol_brings_its_first_one() -> None:
    focus = two_strategies()
    focus.on(focus.names[0])
    focus.on(Choice(strategy="other"))
    assert at(focus) == ("other", focus.names[-1].instrument)


def test_what_is_neither_leaves_the_focus_where_it_is() -> None:
    focus = RowFocus(settings(config=TWO_VENUES))
    before = focus.row
    focus.on(Choice(task="market"))
    focus.on(Choice(strategy="nobody"))
    assert focus.row == before


def test_turning_goes_round_the_symbols_of_the_focused_strategy_alone() -> None:
    focus = two_strategies()
    names = focus.symbols_of("ema_cross")
    focus.turn("ema_cross", -1)
    assert at(focus) == ("ema_cross", names[-1])
    focus.turn("ema_cross", 1)
    assert at(focus) == ("ema_cross", names[0])
    focus.turn("other", 1)
    assert at(focus) == ("ema_cross", names[0])
    assert focus.symbols_of("other") == focus.symbols_of("") == ()
