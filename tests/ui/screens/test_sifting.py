from __future__ import annotations

from workstation.ui.screens.sifting import sifted
from workstation.ui.widgets.text_panel import Line, RuleLine, TextLine

BOOKS = RuleLine("Books", "2")
LINES: list[Line] = [
    [("name ", "dim"), ("market", "")],
    "",
    BOOKS,
    [("BTCUSDT", "strong"), ("  trusted", "good")],
    [("   ", ""), ("update 4711", "dim")],
    TextLine((("ETHUSDT", "strong"),), (("untrusted", "warn"),)),
    [("   ", ""), ("update 9", "dim")],
]


def test_without_words_all_lines_pass() -> None:
    assert sifted(LINES, "  ") == LINES


def test_an_entry_passes_as_a_whole_and_rules_stay() -> None:
    assert sifted(LINES, "4711") == ["", BOOKS, *LINES[3:5]]
    assert sifted(LINES, "btc 4711") == ["", BOOKS, *LINES[3:5]]
    assert sifted(LINES, "untrusted") == ["", BOOKS, *LINES[5:7]]


def test_a_word_may_be_excluded() -> None:
    assert sifted(LINES, "update !4711") == ["", BOOKS, *LINES[5:7]]


def test_nothing_passes_where_nothing_matches() -> None:
    assert sifted(LINES, "nothing") == ["", BOOKS]
