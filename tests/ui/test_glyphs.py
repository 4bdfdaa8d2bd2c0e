from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from workstation.ui.glyphs import ASCII, UNICODE, GlyphSet, choose

EMOJI_CAPABLE = set("⏸▶◀✖⏵⏹☑✔⚠⚡")


def glyphs(found: GlyphSet) -> list[str]:
    names = [name for name in GlyphSet.__slots__ if name not in ("name", "ascii")]
    return [glyph for name in names for glyph in getattr(found, name)]


@pytest.mark.parametrize("found", [UNICODE, ASCII])
def test_each_glyph_is_one_cell_wide_and_never_an_emoji(found: GlyphSet) -> None:
    for glyph in glyphs(found):
        assert cell_len(glyph) == 1
        assert unicodedata.east_asian_width(glyph) not in "WF"
        assert glyph not in EMOJI_CAPABLE


def test_the_ascii_set_is_ascii_and_tells_the_states_apart() -> None:
    assert all(glyph.isascii() for glyph in glyphs(ASCII))
    states = (ASCII.watch, ASCII.close_watch, ASCII.in_trade, ASCII.manual)
    assert len(set(states)) == 4
    assert ASCII.rule != ASCII.rule_focus
    assert ASCII.passed != ASCII.failed


@given(st.text())
def test_ascii_keeps_the_width_of_every_text(text: str) -> None:
    shown = ASCII.show(text)
    assert shown.isascii()
    assert all(cell_len(ASCII.show(c)) == cell_len(c) for c in text if c.isprintable())


def test_unicode_shows_a_text_as_it_is() -> None:
    assert UNICODE.show("◐ −1·") == "◐ −1·"
    assert ASCII.show("◐ −1·…") == "C -1.~"


@given(st.floats(0, 1), st.integers(0, 30))
def test_a_bar_has_its_cells_and_grows_with_its_share(share: float, cells: int) -> None:
    bar = UNICODE.bar(share, cells)
    assert cell_len(bar) == cells
    assert bool(bar.strip()) == (share > 0 and cells > 0)
    fuller = UNICODE.bar(1.0, cells)
    assert bar.count("█") <= fuller.count("█") == cells


@pytest.mark.parametrize(
    ("setting", "encoding", "term", "expected"),
    [
        ("auto", "utf-8", "xterm-256color", UNICODE),
        ("auto", "UTF_8", None, UNICODE),
        ("auto", "ascii", "xterm", ASCII),
        ("auto", None, "xterm", ASCII),
        ("auto", "utf-8", "linux", ASCII),
        ("auto", "utf-8", "dumb", ASCII),
        ("ascii", "utf-8", "xterm", ASCII),
        ("unicode", "ascii", "dumb", UNICODE),
    ],
)
def test_auto_decides_from_encoding_and_terminal(
    setting: str, encoding: str | None, term: str | None, expected: GlyphSet
) -> None:
    assert choose(setting, encoding, term) is expected


def test_an_unknown_setting_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="auto, unicode, ascii"):
        choose("emoji", "utf-8", "xterm")
