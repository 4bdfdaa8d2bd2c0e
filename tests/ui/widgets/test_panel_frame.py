from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.containers import Horizontal

from tests.ui.widgets.host import Host, painted
from workstation.ui.typeset import clean
from workstation.ui.widgets.panel_frame import PanelFrame, rule_parts
from workstation.ui.widgets.text_panel import RuleLine, TextLine, TextPanel


async def test_neighbours_share_one_rule_joined_where_the_divider_begins() -> None:
    left, right = TextPanel(), TextPanel()
    row = Horizontal(
        PanelFrame(left, title="Chart BTCUSDT 1m", divider=True),
        PanelFrame(right, title="Book", info=[("trusted", "good")]),
    )
    app = Host(row)
    async with app.run_test(size=(60, 5)) as pilot:
        await pilot.pause()
        lines = app.lines()
        assert (
            lines[0] == "─ Chart BTCUSDT 1m ──────────┬─ Book ───────────── trusted ─"
        )
        assert {text[29] for text in lines[1:]} == {"│"}
        right.focus()
        await pilot.pause()
        assert app.lines()[0][30:] == "━ Book ━━━━━━━━━━━━━ trusted ━"
        assert app.lines()[0][:29].count("━") == 0
        left.focus()
        await pilot.pause()
        assert app.lines()[0][30:] == "─ Book ───────────── trusted ─"
        app.query(PanelFrame).first().divider = False
        await pilot.pause()
        assert not any("┬" in text or "│" in text for text in app.lines())


async def test_a_zoomed_panel_keeps_its_title() -> None:
    panel = TextPanel()
    frame = PanelFrame(panel, title="Book")
    app = Host(Horizontal(frame, PanelFrame(TextPanel(), title="Log")))
    async with app.run_test(size=(60, 5)) as pilot:
        panel.focus()
        app.screen.maximize(panel)
        await pilot.pause()
        assert app.screen.maximized is frame
        assert app.lines()[0] == "━ Book " + "━" * 53


async def test_a_title_repaints_only_when_it_changes_and_takes_any_text() -> None:
    frame = PanelFrame(TextPanel(), title="a[/]b [A-Z]")
    app = Host(frame)
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.pause()
        assert app.lines()[0].startswith("─ a[/]b [A-Z] ──")
        draws = frame.rule.draws
        frame.set_title("a[/]b [A-Z]")
        assert frame.rule.draws == draws
        frame.set_title("Orders 2", "unknown 0")
        assert frame.rule.draws == draws + 1


@given(st.text(max_size=30), st.text(max_size=30), st.integers(1, 60), st.booleans())
def test_info_leaves_before_the_title_is_cut(
    title: str, info: str, cells: int, end: bool
) -> None:
    title, info = clean(title), clean(info)
    parts = rule_parts(
        [(title, "")] if title else [],
        [(info, "")] if info else [],
        cells,
        end="┬" if end else "",
    )
    text = "".join(part for part, _ in parts)
    if cells >= 8:
        assert cell_len(text) == cells
    if end:
        assert text.endswith("┬")
    if info.strip() and title and f" {info} ─" in text:
        assert f"─ {title} " in text


async def test_a_text_panel_shows_rules_and_right_ends_and_moves_its_window() -> None:
    panel = TextPanel()
    async with Host(panel).run_test(size=(30, 4)) as pilot:
        panel.set_lines(
            [
                TextLine((("stop", "dim"),), (("held here !", "warn"),)),
                RuleLine("Gates", "entry blocked"),
                *(f"line {index}" for index in range(10)),
            ]
        )
        await pilot.pause()
        assert painted(panel) == [
            " stop             held here ! ",
            "─ Gates ────── entry blocked ─",
            f"{' line 0':30}",
            f"{'9 more ↓':>29} ",
        ]
        panel.focus()
        await pilot.press("end")
        assert painted(panel)[-1].strip() == "line 9"
        await pilot.press("up", "pageup", "home", "down")
        assert panel.top == 1
        assert panel.plain().splitlines()[0] == "stop  held here !"
        panel.set_lines(["one"])
        assert panel.top == 0
