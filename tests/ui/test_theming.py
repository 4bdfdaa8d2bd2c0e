from __future__ import annotations

from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from tests.ui.widgets.host import THEMES, Host
from workstation.ui.theming import (
    DEFAULT_THEME,
    DEFAULT_VARIABLES,
    VARIABLES,
    ThemeError,
    default_variables,
    load_themes,
    parse_theme,
)
from workstation.ui.widgets.line_table import Column, LineTable, Row
from workstation.ui.widgets.text_panel import TextPanel

SHIPPED, PROBLEMS = load_themes([THEMES])
GROUNDS = ("header-bg", "cursor-bg", "cursor-blurred-bg", "mark-bg")
READ = (
    *("text-strong", "key", "focus-line"),
    *("state-watch", "state-close-watch", "state-in-trade", "state-manual"),
    *("tick-up", "tick-down", "severity-info", "severity-warn", "severity-bad"),
    *("book-bid", "book-ask"),
)
SKIPPED = ("muted", "stale", *(f"overlay-{place}" for place in range(1, 5)))


def luminance(color: Color) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in color.rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    a, b = luminance(Color.parse(one)), luminance(Color.parse(two))
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


def test_three_themes_ship_and_the_default_is_among_them() -> None:
    assert PROBLEMS == []
    names = [theme.name for theme in SHIPPED]
    assert names == ["harbor-dark", "okabe-dark", "paper-light"]
    assert DEFAULT_THEME in names


@pytest.mark.parametrize("theme", SHIPPED, ids=lambda theme: theme.name)
def test_a_shipped_theme_sets_every_variable_of_ours(theme: Theme) -> None:
    assert set(VARIABLES) <= set(theme.variables)


@pytest.mark.parametrize("theme", SHIPPED, ids=lambda theme: theme.name)
def test_text_can_be_read_on_every_ground(theme: Theme) -> None:
    assert theme.background is not None
    assert theme.foreground is not None
    values = theme.variables
    grounds = [theme.background, *(values[name] for name in GROUNDS)]
    inks = [theme.foreground, *(values[name] for name in READ)]
    for ground in grounds:
        assert min(contrast(ink, ground) for ink in inks) >= 4.5
        assert min(contrast(values[name], ground) for name in SKIPPED) >= 3.0
    alarm = values["severity-bad-bg"]
    assert contrast(theme.foreground, alarm) >= 4.5
    assert contrast(values["severity-bad"], alarm) >= 4.5
    for tint in ("tint-bg", "tint-up-bg", "tint-down-bg"):
        assert contrast(theme.foreground, values[tint]) >= 4.5


def test_the_colour_blind_theme_parts_up_from_down_by_blue_and_orange() -> None:
    theme = next(theme for theme in SHIPPED if theme.name == "okabe-dark")
    up = Color.parse(theme.variables["tick-up"])
    down = Color.parse(theme.variables["tick-down"])
    assert up.b > up.r
    assert down.r > down.b


def test_every_theme_of_textual_gets_our_variables() -> None:
    for theme in BUILTIN_THEMES.values():
        values = default_variables(theme)
        assert values.keys() == VARIABLES.keys()
        for value in values.values():
            Color.parse(value)
    assert DEFAULT_VARIABLES.keys() == VARIABLES.keys()


@pytest.mark.parametrize("name", ["nord", "ansi-dark", "paper-light"])
async def test_a_widget_paints_under_any_theme_and_follows_a_change(name: str) -> None:
    panel = TextPanel()
    app = Host(panel)
    async with app.run_test(size=(40, 6)) as pilot:
        panel.set_lines([[("up", "up")]])
        await pilot.pause()
        before = panel.ink("up")
        app.theme = name
        await pilot.pause()
        assert panel.ink("up") != before
        assert panel.render_line(0).text.startswith(" up")


async def test_without_own_colours_the_cursor_is_told_by_its_text_style() -> None:
    table = LineTable([Column("a", "A", 5)])
    table.set_rows([Row("x", 1, ["x"]), Row("y", 1, ["y"])])
    app = Host(table, theme="ansi-dark")
    async with app.run_test(size=(40, 6)) as pilot:
        table.focus()
        await pilot.pause()
        style = table.ink("cursor")
        assert style.reverse
        assert style.bgcolor == table.ink().bgcolor
        assert table.ink("cursor-blurred").bold


BROKEN = """\
dark = "yes"
colour = 1

[colors]
primary = "#12"
primry = "red"

[variables]
state-wach = "red"
muted = "greyish"
"block-cursor-text-style" = "blinking"
"""


def test_a_broken_theme_names_every_fault_with_its_line() -> None:
    with pytest.raises(ThemeError) as caught:
        parse_theme(BROKEN, name="mine", source="mine.toml")
    problems = caught.value.problems
    assert len(problems) == 7
    text = "\n".join(problems)
    assert 'mine.toml:1: dark = "yes": use true or false' in text
    assert "mine.toml:2: colour is unknown" in text
    assert 'mine.toml:5: primary = "#12": use "#rrggbb"' in text
    assert "mine.toml:6: [colors] primry is unknown: did you mean primary?" in text
    assert "mine.toml:9: [variables] state-wach is unknown" in text
    assert 'mine.toml:10: muted = "greyish"' in text
    assert 'mine.toml:11: block-cursor-text-style = "blinking": use words' in text


def test_broken_toml_says_where() -> None:
    with pytest.raises(ThemeError, match=r"x\.toml:2: not TOML"):
        parse_theme("dark = true\ndark =\n", name="x", source="x.toml")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "colors = 3\n",
        "[colors]\nprimary = 7\n",
        '[colors]\nprimary = "red"\n[variables]\nrule = "auto 60%"\n',
        '[colors]\nprimary = "red"\n[variables]\nrule = ["red"]\n',
        'luminosity-spread = 9\n[colors]\nprimary = "red"\n',
    ],
)
def test_nonsense_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ThemeError, match=r"x\.toml"):
        parse_theme(text, name="x", source="x.toml")


def test_a_users_file_wins_and_a_broken_one_leaves_the_shipped(tmp_path: Path) -> None:
    (tmp_path / "harbor-dark.toml").write_text('[colors]\nprimary = "#abcdef"\n')
    (tmp_path / "okabe-dark.toml").write_text('[colors]\nprimary = "nope"\n')
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.toml").mkdir()
    themes, problems = load_themes([THEMES, tmp_path, tmp_path / "absent"])
    found = {theme.name: theme for theme in themes}
    assert found["harbor-dark"].primary == "#abcdef"
    shipped = next(theme for theme in SHIPPED if theme.name == "okabe-dark")
    assert found["okabe-dark"].primary == shipped.primary
    assert len(problems) == 3
    assert any("okabe-dark.toml:2" in problem for problem in problems)
    assert any("not UTF-8" in problem for problem in problems)
