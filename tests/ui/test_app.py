"""The app over a session made by hand: what is shown, and which words keys send."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from tests.ui import fakes
from workstation.engine.frames import Focus, Frame
from workstation.kernel.tasks import TaskState
from workstation.model.commands import (
    CancelOrders,
    Hold,
    Kill,
    KillLevel,
    PauseTask,
    ResumeTask,
)
from workstation.model.orders import (
    OrderEvent,
    OrderHistory,
    OrderMove,
    OrderRole,
    OrderStatus,
)
from workstation.ui.app import WorkstationApp, run_app
from workstation.ui.screens.alerts import AlertsScreen
from workstation.ui.screens.cancel import CancelScreen
from workstation.ui.screens.detail import DetailScreen
from workstation.ui.screens.help_screen import HelpScreen
from workstation.ui.screens.kill import KillScreen
from workstation.ui.screens.layout import LayoutScreen
from workstation.ui.screens.layouts import LAYOUTS, FeedsLayout, LogLayout
from workstation.ui.screens.quit import QuitScreen
from workstation.ui.screens.unknown import UnknownScreen
from workstation.ui.screens.unlock import UnlockScreen


@asynccontextmanager
async def opened(
    *overrides: str,
    size: tuple[int, int] = (120, 40),
    make: Callable[[Focus | None], Frame] = fakes.frame,
    session: fakes.FakeSession | None = None,
    keymap: dict[str, str] | None = None,
    **options: Any,
) -> AsyncIterator[tuple[WorkstationApp, Pilot[int], fakes.FakeSession]]:
    session = session or fakes.FakeSession(make)
    config = fakes.config(*overrides)
    if keymap is not None:
        # The config refuses a wrong one; a settings file could still bring it.
        ui = msgspec.structs.replace(config.ui, keymap=keymap)
        config = msgspec.structs.replace(config, ui=ui)
    options.setdefault("environ", {"TERM": "xterm-256color"})
    options.setdefault("themes", fakes.THEMES)
    app = WorkstationApp(config, session=session, **options)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.pause()
        yield app, pilot, session


def text_of(app: WorkstationApp) -> str:
    return "\n".join(
        strip.text.rstrip() for strip in app.screen._compositor.render_strips()
    )


def footer(app: WorkstationApp) -> str:
    layout = app.layout_screen()
    assert layout is not None
    return layout.footer.said


def layout_of(app: WorkstationApp) -> LayoutScreen:
    layout = app.layout_screen()
    assert layout is not None
    return layout


def _always(frame: Frame) -> Callable[[Focus | None], Frame]:
    return lambda focus: frame


def calm(focus: Focus | None = None) -> Frame:
    """Return a frame with nothing exposed and no alert."""
    return fakes.frame(
        focus,
        header=fakes.header(positions=0, orders=0, held_protection=0),
        orders=(),
        positions=(),
        alerts=(),
    )


# -- what is shown -------------------------------------------------------------


async def test_the_wide_monitor_stands_as_sketched() -> None:
    async with opened() as (app, _, _):
        lines = text_of(app).split("\n")
    assert len(lines) == 40
    assert lines[0].startswith(
        " SIM ×4 RUN  demo  2024-08-08 23:55:12 UTC  event 48,210"
    )
    assert lines[3].startswith("━ Symbols 8 ━")
    head = (
        "  SYMBOL   STRATEGY   STATE          FOR       LAST   CHG% SPRbp"
        "  AGE       POS OPEN PNL  STOP%  WHY NOT"
    )
    assert lines[4] == head
    assert lines[5] == (
        "▸ BTCUSDT  ema_cross  ● InTrade     2:14  61,685.99  +0.41   0.0"
        " 40ms    +1.000   +12.30  −2.00  in trade"
    )
    assert lines[6] == (
        "  ETHUSDT  ema_cross  ◐ CloseWatch  0:09   2,682.50  −0.12   3.1"
        " 40ms         ·        ·      ·  spread 3.1 > 2.0 bp"
    )
    assert lines[7] == (
        "! SOLUSDT  ema_cross  ○ Watch       9:51     143.21  +1.02   0.7"
        "  32s         ·        ·      ·  book untrusted"
    )
    assert lines[8].endswith("locked until 00:10")
    # The splits of the two lower rows of panels stand in the sketch's columns.
    assert [at for at, glyph in enumerate(lines[13]) if glyph == "┬"] == [61, 83]
    assert [at for at, glyph in enumerate(lines[27]) if glyph == "┬"] == [71]
    assert lines[28].startswith(
        " ID  SYMBOL   SIDE   FILLED/QTY     PRICE  AWAY% TYPE  STATE    AGE"
    )
    assert lines[29].startswith(
        " 12  BTCUSDT  SELL      0/1.000  64,770.0  +5.00 limit open     2:14   │"
    )
    assert lines[31].startswith(
        "     13 is held here: it stops protecting when the engine stops"
    )
    assert lines[33].startswith(
        " SYMBOL   OWNER          QTY     ENTRY      MARK     OPEN  STOP%  AGE  │"
    )
    assert lines[34].startswith(
        " BTCUSDT  ema_cross   +1.000 61,673.69 61,685.99   +12.30  −2.00 2:14  │"
    )
    total = lines[35]
    assert total.startswith(" total ")
    assert total.index("+12.30") == lines[34].index("+12.30")
    assert lines[38].startswith(" RUN ×4 ━")
    assert "63%" in lines[38]
    assert lines[39].endswith("ctrl+k KILL")


async def test_the_small_monitor_stands_as_sketched() -> None:
    async with opened(size=(80, 24)) as (app, _, _):
        lines = text_of(app).split("\n")
    assert len(lines) == 24
    assert lines[0].startswith(" SIM ×4 RUN 23:55:12Z  day +412.10 +0.41%")
    assert lines[3] == (
        "  SYMBOL   STATE              LAST   CHG%  AGE     POS    OPEN  WHY NOT"
    )
    assert lines[4] == (
        "▸ BTCUSDT  ● InTrade     61,685.99  +0.41 40ms  +1.000  +12.30  in trade"
    )
    assert lines[5].endswith("spread 3.1>2.0")
    assert lines[12].startswith("─ BTCUSDT ema_cross ─")
    assert lines[12].endswith(" 2:14 in state ─")
    assert lines[13].startswith(" [● InTrade]  +1.000 @ 61,673.69  stop 60,452.0")
    assert lines[15].startswith("─ Orders 2 ─")
    assert lines[15].endswith(" unknown 0 ─")
    assert lines[16] == (
        " 12 BTCUSDT  SELL    0/1.000   64,770.0  +5.00%  limit  open     2:14"
    )
    assert lines[18] == " 13 is held here: it stops protecting when the engine stops"
    assert lines[19].startswith("─ Log ─")
    assert lines[23].endswith("ctrl+k KILL")


async def test_names_are_painted_before_there_is_an_engine() -> None:
    app = WorkstationApp(
        fakes.config(),
        session=fakes.FakeSession(),
        themes=fakes.THEMES,
        environ={"TERM": "xterm"},
    )
    app._start_engine = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        text = text_of(app)
    for name in ("BTCUSDT", "ETHUSDT", "LTCUSDT"):
        assert name in text
    assert "starting" in text


async def test_a_large_terminal_adds_feeds_and_a_second_chart() -> None:
    async with opened(size=(200, 60)) as (app, _, _):
        lines = text_of(app).split("\n")
    assert "─ Feeds 1 ─" in lines[3]
    assert lines[13].count("Chart BTCUSDT") == 2


async def test_a_small_terminal_shows_the_focused_panel_alone() -> None:
    async with opened(size=(60, 15)) as (app, pilot, _):
        lines = text_of(app).split("\n")
        assert lines[1].startswith("━ Symbols")
        assert lines[14].endswith("ctrl+k KILL")
        await pilot.press("tab")
        await pilot.pause()
        assert text_of(app).split("\n")[1].startswith("━ Chart")


async def test_a_tiny_terminal_says_that_the_engine_runs() -> None:
    async with opened(size=(39, 9)) as (app, _, _):
        lines = [line for line in text_of(app).split("\n") if line]
    assert lines == ["too small, engine runs, ctrl+k kills"]


async def test_resizing_keeps_the_cursor_and_fits_again() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("down")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        for size in ((200, 60), (30, 8), (81, 25), (120, 40)):
            await pilot.resize_terminal(*size)
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        assert "▸ ETHUSDT" in text_of(app)
        assert len(text_of(app).split("\n")) == 40


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (60, 15)])
@pytest.mark.parametrize("digit", sorted(LAYOUTS))
async def test_a_layout_shown_first_is_laid_out_like_one_switched_to(
    digit: str, size: tuple[int, int]
) -> None:
    other = "7" if digit != "7" else "1"
    seen = []
    for first, keys in ((digit, ()), (other, (digit,))):
        async with opened(f"ui.layout={first}", size=size) as (app, pilot, _):
            await pilot.press(*keys)
            await pilot.pause()
            layout = layout_of(app)
            assert app.current_mode == digit
            shown = {name for name, p in layout.panels.items() if p.region.area}
            assert shown == {panel.panel_id for panel in layout.visible_panels()}
            assert layout.current in shown
            panel = layout.panels[layout.current]
            assert app.focused is panel.body
            assert "━" in text_of(app).split("\n")[panel.region.y]
            seen.append((layout.current, shown))
    assert seen[0] == seen[1]


async def test_ascii_glyphs_leave_nothing_else_on_the_screen() -> None:
    async with opened('ui.glyphs="ascii"') as (app, pilot, _):
        app.bridge.pump_once()
        await pilot.pause()
        text = text_of(app)
        assert text.isascii(), {c for c in text if not c.isascii()}
        assert "T InTrade" in text


async def test_no_color_paints_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened() as (app, pilot, _):
        for key in ("2", "7", "1"):
            await pilot.press(key)
            await pilot.pause()
        assert app.no_color
        assert "InTrade" in text_of(app)


async def test_the_last_price_is_tinted_for_three_frames_but_not_over_ssh() -> None:
    for environ, tinted in (({}, True), ({"SSH_TTY": "/dev/pts/1"}, False)):
        session = fakes.FakeSession()
        async with opened(session=session, environ=environ) as (app, _pilot, _):
            moved = fakes.frame(symbols=(fakes.symbol_row(last=61_700.0, version=2),))
            session.make = _always(moved)
            panel = layout_of(app).panels["symbols"]
            inks = []
            for _ in range(5):
                app.bridge.pump_once()
                row = panel.table.rows[0]  # type: ignore[attr-defined]
                inks.append("tint-up" in row.cells[4][1])
            assert inks == ([True] * 3 + [False] * 2 if tinted else [False] * 5)


# -- failing -------------------------------------------------------------------


async def test_a_failed_panel_says_so_and_the_others_live_on() -> None:
    bad = fakes.frame(positions=(None,))
    session = fakes.FakeSession(lambda focus: bad)
    async with opened(session=session) as (app, pilot, _):
        text = text_of(app)
        assert "This panel failed" in text
        assert "AttributeError" in text
        assert "12  BTCUSDT  SELL" in text
        session.make = fakes.frame
        app.bridge.pump_once()
        await pilot.pause()
        assert "This panel failed" not in text_of(app)
        assert "61,673.69 61,685.99" in text_of(app)


async def test_a_driver_that_fails_is_stuck_and_an_alert() -> None:
    session = fakes.FakeSession(calm)
    session.fake_driver.failure = RuntimeError("no disk")
    async with opened(session=session) as (app, pilot, _):
        await pilot.pause()
        text = text_of(app)
        assert " STUCK " in text.split("\n")[0]
        assert "RuntimeError: no disk" in text.split("\n")[2]
        assert app.is_running


async def test_a_session_that_cannot_be_assembled_is_an_alert(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(config: object) -> None:
        raise ValueError("nothing there")

    monkeypatch.setattr("workstation.ui.app._assemble", broken)
    app = WorkstationApp(fakes.config(), themes=fakes.THEMES, environ={})
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.pause()
        assert "nothing there" in text_of(app).split("\n")[2]
        await pilot.press("ctrl+q")
    assert app.return_value == 0


async def test_frames_that_fail_leave_keys_that_work() -> None:
    session = fakes.FakeSession()
    async with opened(session=session) as (app, pilot, _):
        session.frame_failure = RuntimeError("torn")
        app.bridge.tick()
        await pilot.pause()
        assert "torn" in text_of(app)
        session.frame_failure = None
        await pilot.press("2")
        await pilot.pause()
        assert isinstance(app.layout_screen(), FeedsLayout)


async def test_a_bad_theme_file_is_an_alert_and_the_rest_works(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text('[colors]\nprimary = "no-such-colour"\n')
    async with opened(make=calm, themes=(*fakes.THEMES, tmp_path)) as (app, _, _):
        assert "broken.toml" in text_of(app).split("\n")[2]
        assert app.theme == "harbor-dark"


async def test_an_unknown_theme_falls_back(tmp_path: Path) -> None:
    async with opened('ui.theme="nothing"', make=calm) as (app, _, _):
        assert app.theme == "harbor-dark"
        assert "nothing" in text_of(app).split("\n")[2]


async def test_a_wrong_keymap_is_an_alert_and_the_usual_keys_work() -> None:
    async with opened(keymap={"clock.play": "nokey"}, make=calm) as (
        app,
        pilot,
        session,
    ):
        assert "nokey" in text_of(app).split("\n")[2]
        await pilot.press("space")
        assert session.fake_driver.words == ["pause"]


async def test_a_keymap_moves_a_key() -> None:
    keys = "ui.keymap={'clock.play'='f5','app.kill'='f6'}"
    async with opened(keys, make=calm) as (app, pilot, session):
        await pilot.press("space")
        assert session.fake_driver.words == []
        await pilot.press("f5")
        assert session.fake_driver.words == ["pause"]
        await pilot.press("f6")
        await pilot.pause()
        assert isinstance(app.screen, KillScreen)


# -- keys that look ------------------------------------------------------------


async def test_the_cursor_s_row_is_the_focus_of_the_other_panels() -> None:
    async with opened() as (app, pilot, session):
        await pilot.press("down")
        await pilot.pause()
        assert session.focuses[-1] is not None
        assert session.focuses[-1].instrument == "ETHUSDT"
        assert "Chart ETHUSDT" in text_of(app)


async def test_a_pinned_panel_stays_on_its_symbol() -> None:
    async with opened() as (app, pilot, _session):
        await pilot.press("tab", "w", "shift+tab", "down")
        await pilot.pause()
        text = text_of(app)
        assert "pinned Chart BTCUSDT" in text
        assert app.focus_row is not None
        assert app.focus_row.instrument == "ETHUSDT"
        await pilot.press("tab", "w")
        await pilot.pause()
        assert "Chart ETHUSDT" in text_of(app)


async def test_digits_switch_layouts_and_the_choice_is_remembered() -> None:
    saved: list[tuple[str, object]] = []
    async with opened(save_setting=lambda k, v: saved.append((k, v))) as (
        app,
        pilot,
        session,
    ):
        await pilot.press("2")
        await pilot.pause()
        assert isinstance(app.layout_screen(), FeedsLayout)
        app.bridge.pump_once()
        assert {
            *("feeds", "tasks", "opportunities", "channels", "gaps", "indicators")
        } == session.asked[-1]
        await pilot.press("7")
        await pilot.pause()
        assert isinstance(app.layout_screen(), LogLayout)
        app.bridge.pump_once()
        assert session.asked[-1] == frozenset()
    assert saved == [("ui.layout", 2), ("ui.layout", 7)]


async def test_state_of_a_panel_survives_another_layout() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("down", "down", "slash", "u", "s", "d", "enter")
        await pilot.press("2")
        await pilot.pause()
        await pilot.press("1")
        await pilot.pause()
        panel = layout_of(app).panels["symbols"]
        assert panel.filter_text == "usd"
        assert panel.choice is not None
        assert panel.choice.instrument == "SOLUSDT"


async def test_the_filter_hides_rows_and_escape_brings_them_back() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("slash", "e", "t", "h")
        await pilot.pause()
        panel = layout_of(app).panels["symbols"]
        assert "Symbols 1 of 8  /eth" in text_of(app)
        await pilot.press("enter")
        await pilot.pause()
        assert panel.filter_text == "eth"
        await pilot.press("escape")
        await pilot.pause()
        assert panel.filter_text == ""
        assert "Symbols 8" in text_of(app)


async def test_letters_typed_into_the_filter_do_nothing_else() -> None:
    async with opened() as (app, pilot, session):
        await pilot.press("slash", "H", "space", "F", "q")
        assert session.executed == []
        assert session.fake_driver.words == []
        await pilot.press("escape")
        await pilot.pause()
        assert layout_of(app).filter_bar.value == ""


async def test_n_goes_to_the_next_match() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("n")
        assert "searched" in footer(app)
        await pilot.press("slash", "d", "a", "enter", "escape", "n")
        await pilot.pause()
        assert app.choice is not None
        assert app.choice.instrument == "ADAUSDT"


async def test_zoom_gives_the_panel_the_screen_and_escape_takes_it_back() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("z")
        await pilot.pause()
        text = text_of(app)
        assert "Orders" not in text
        assert "SYMBOL" in text
        await pilot.press("escape")
        await pilot.pause()
        assert "Orders 2" in text_of(app)


async def test_tab_goes_round_all_panels() -> None:
    async with opened() as (app, pilot, _):
        layout = layout_of(app)
        seen = [layout.current]
        for _ in layout.order[1:]:
            await pilot.press("tab")
            await pilot.pause()
            assert app.focused is not None
            seen.append(layout.current)
        assert seen == list(layout.order)
        await pilot.press("tab")
        assert layout.current == seen[0]
        await pilot.press("shift+tab")
        assert layout.current == seen[-1]


async def test_jump_goes_to_the_panel_of_the_letter() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("ctrl+o")
        await pilot.pause()
        await pilot.press("s")
        await pilot.pause()
        assert layout_of(app).current == "chart"


async def test_marks_and_copy_and_export(tmp_path: Path) -> None:
    async with opened() as (app, pilot, _):
        app.export_folder = tmp_path / "exports"
        await pilot.press("y")
        assert app.clipboard.split("\t")[:3] == ["BTCUSDT", "ema_cross", "InTrade"]
        assert "61685.99" in app.clipboard
        assert "clipboard" in footer(app)
        await pilot.press("v", "v", "y")
        assert app.clipboard.count("\n") == 1
        assert "marked 2" in text_of(app)
        await pilot.press("e")
        files = list((tmp_path / "exports").iterdir())
        assert len(files) == 1
        assert str(files[0]) in footer(app)
        rows = files[0].read_text().splitlines()
        assert len(rows) == 9
        assert rows[1].startswith("BTCUSDT,ema_cross,InTrade,2:14,61685.99,+0.41")
        assert "−" not in files[0].read_text()
        await pilot.press("escape")
        assert layout_of(app).panels["symbols"].marked_count == 0


async def test_an_export_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with opened() as (app, pilot, _):
        app.export_folder = tmp_path / "file"
        await pilot.press("e")
        assert footer(app).startswith("Not exported")


async def test_s_sorts_and_the_cursor_stays_with_its_row() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("down", "S")
        await pilot.pause()
        panel = layout_of(app).panels["symbols"]
        names = [row.key.split("/")[0] for row in panel.table.rows]  # type: ignore[attr-defined]
        assert names == sorted(names)
        assert app.choice is not None
        assert app.choice.instrument == "ETHUSDT"
        assert "SYMBOL" in footer(app)


async def test_enter_opens_the_detail_of_the_row() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, LayoutScreen)


async def test_help_and_alerts_open() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape")
        await pilot.pause()
        await pilot.press("a")
        await pilot.pause()
        assert isinstance(app.screen, AlertsScreen)


async def test_acknowledging_clears_the_alert_line() -> None:
    async with opened() as (app, pilot, _):
        assert "SOLUSDT book untrusted" in text_of(app).split("\n")[2]
        assert "1 alert  a open" in text_of(app).split("\n")[2]
        await pilot.press("A")
        await pilot.pause()
        assert text_of(app).split("\n")[2] == " no alerts"


async def test_a_bad_alert_rings_once() -> None:
    bad = fakes.alert(severity="bad")
    session = fakes.FakeSession(lambda focus: fakes.frame(alerts=(bad,)))
    async with opened("ui.bell=true", session=session) as (app, _, _):
        rung: list[int] = []
        app.alerts._rung.clear()
        app.bell = lambda: rung.append(1)  # type: ignore[method-assign]
        app.bridge.pump_once()
        app.bridge.pump_once()
        assert rung == [1]


async def test_a_letter_with_no_effect_says_why() -> None:
    async with opened(make=calm) as (app, pilot, session):
        await pilot.press("c")
        assert "order" in footer(app)
        await pilot.press("p")
        assert "task" in footer(app)
        await pilot.press("apostrophe")
        assert "bookmark" in footer(app)
        assert session.executed == []


async def test_a_message_goes_with_the_next_key() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("ctrl+c")
        assert "ctrl+q quits" in footer(app)
        await pilot.press("down")
        assert footer(app) == ""


async def test_the_rest_of_a_cut_escape_sequence_is_dropped() -> None:
    async with opened() as (app, pilot, _session):
        await pilot.press("tab", "tab", "tab", "tab")
        app._wall = type("Still", (), {"now": lambda self: 5})()
        await pilot.press("escape", "left_square_bracket", "C")
        await pilot.pause()
        assert not isinstance(app.screen, CancelScreen)


async def test_a_theme_is_switched_live_and_remembered() -> None:
    saved: list[tuple[str, object]] = []
    async with opened(save_setting=lambda k, v: saved.append((k, v))) as (
        app,
        pilot,
        _,
    ):
        app.use_theme("paper-light")
        await pilot.pause()
        assert app.theme == "paper-light"
        app.use_theme("no-such-theme")
        assert app.theme == "paper-light"
    assert saved == [("ui.theme", "paper-light")]


async def test_the_palette_offers_actions_themes_and_symbols() -> None:
    async with opened() as (app, _, _):
        titles = [title for title, _, _ in app.palette_entries()]
    assert "Theme okabe-dark" in titles
    assert "Go to BTCUSDT ema_cross" in titles
    assert any(title.startswith("Play or pause") for title in titles)


# -- the clock -----------------------------------------------------------------


async def test_clock_keys_are_words_to_the_driver() -> None:
    async with opened() as (app, pilot, session):
        await pilot.press("full_stop", "comma")
        await pilot.pause()
        assert footer(app) == "6 events to the next bar of BTCUSDT."
        await pilot.press("greater_than_sign", "less_than_sign")
        words = session.fake_driver.words
        # The bar closes with the seventh event, the first of which was stepped to.
        assert words == ["step", "pause", *["step"] * 6, "speed 10", "speed 4"]
        assert session.executed == []
        assert " STEP " in text_of(app).split("\n")[0]
        await pilot.press("space")
        assert session.fake_driver.words[-1] == "play"


async def test_a_bookmark_is_kept_and_its_log_shown_the_run_stays() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("m")
        await pilot.pause()
        assert [mark.events for mark in app.bookmarks] == [48_210]
        assert "1 bookmark" in text_of(app).split("\n")[38]
        await pilot.press("apostrophe")
        assert footer(app).startswith("The log at bookmark 1, event 48,210; the run ")


# -- trading -------------------------------------------------------------------


@pytest.mark.parametrize("key", ["ctrl+k", "f9"])
async def test_kill_holds_at_once_and_opens_the_ladder(key: str) -> None:
    async with opened() as (app, pilot, session):
        await pilot.press(key)
        await pilot.pause()
        assert [type(c) for c in session.executed] == [Kill]
        command = session.executed[0]
        assert isinstance(command, Kill)
        assert command.level is KillLevel.HOLD
        assert isinstance(app.screen, KillScreen)
        await pilot.press(key)
        command = session.executed[-1]
        assert isinstance(command, Kill)
        assert command.level is KillLevel.CANCEL


async def test_kill_works_while_typing_and_in_dialogs_and_in_the_palette() -> None:
    for before in (("slash", "a"), ("a",), ("ctrl+p",), ("ctrl+q",)):
        async with opened() as (app, pilot, session):
            await pilot.press(*before)
            await pilot.pause()
            await pilot.press("ctrl+k")
            await pilot.pause()
            assert [type(c) for c in session.executed] == [Kill], before
            assert isinstance(app.screen, KillScreen), before


async def test_kill_works_on_a_locked_and_on_a_read_only_screen() -> None:
    async with opened(read_only=True) as (_app, pilot, session):
        await pilot.press("ctrl+k")
        await pilot.pause()
        assert [type(c) for c in session.executed] == [Kill]


async def test_a_kill_promises_no_way_back_that_a_read_only_screen_has_not() -> None:
    killed = fakes.header(kill="cancel", kill_reason="ctrl+k", word="KILLED")
    ways = []
    for read_only in (False, True):
        make = _always(fakes.frame(header=killed))
        for size in ((120, 40), (80, 24), (60, 15)):
            async with opened(make=make, size=size, read_only=read_only) as opening:
                app, pilot, session = opening
                if not read_only:
                    await pilot.press("L")
                    app.bridge.pump_once()
                    await pilot.pause()
                for _ in range(2):
                    text = text_of(app)
                    assert "KILLED (cancel)" in text
                    assert ("L unlocks, then re-arm" in text) is not read_only
                    assert ("read-only: cannot re-arm" in text) is read_only
                    # The second time in the dialog, the ladder itself.
                    await pilot.press("ctrl+k")
                    await pilot.pause()
                assert isinstance(app.screen, KillScreen)
                ways.append("it cannot re-arm. One started" in app.screen.sentence())
                assert session.executed == []
    assert ways == [False] * 3 + [True] * 3


async def test_the_alert_of_a_kill_says_that_a_locked_screen_does_not_rearm() -> None:
    remedy = "ctrl+k shows the ladder and re-arms."
    raised = fakes.alert(
        kind="control", subject="kill", severity="bad", remedy=remedy, text="kill"
    )
    other = fakes.alert(id=2, kind="book", severity="bad", remedy="Wait.")
    shown = fakes.frame(
        header=fakes.header(kill="hold", word="HALTED"), alerts=(raised, other)
    )
    for keys, read_only, said in (
        ((), False, remedy),
        (("L",), False, f"{remedy} L unlocks this screen first."),
        ((), True, f"{remedy} Not from this screen: it is read-only."),
    ):
        async with opened(make=_always(shown), read_only=read_only) as (app, pilot, _):
            await pilot.press(*keys, "a")
            await pilot.pause()
            assert isinstance(app.screen, AlertsScreen)
            assert app.screen.sentence().endswith(f"\n{said}")
            await pilot.press("down")
            await pilot.pause()
            assert app.screen.sentence().endswith("\nWait.")


async def test_h_holds_and_lifts() -> None:
    session = fakes.FakeSession()
    async with opened(session=session) as (app, pilot, _):
        await pilot.press("H")
        held = fakes.header(hold_since_ns=fakes.NOW, word="HOLD")
        session.make = lambda focus: fakes.frame(focus, header=held)
        app.bridge.pump_once()
        await pilot.press("H")
        assert [c.on for c in session.executed if isinstance(c, Hold)] == [True, False]


async def test_a_lock_makes_acting_keys_absent_until_the_account_is_typed() -> None:
    async with opened() as (app, pilot, session):
        await pilot.press("L", "H", "o", "F")
        await pilot.pause()
        assert session.executed == []
        assert isinstance(app.screen, LayoutScreen)
        assert "override" not in text_of(app).split("\n")[39]
        assert "locked" in footer(app)
        await pilot.press("L")
        await pilot.pause()
        assert isinstance(app.screen, UnlockScreen)


async def test_read_only_never_acts() -> None:
    async with opened(read_only=True) as (app, pilot, session):
        await pilot.press("H", "o", "F", "L")
        assert session.executed == []
        assert isinstance(app.screen, LayoutScreen)
        assert "read-only" in footer(app)


async def test_cancel_acts_at_once_on_an_entry_and_asks_for_protection() -> None:
    entry = fakes.order_row(15, role=OrderRole.ENTRY, reduce_only=False)
    session = fakes.FakeSession(
        lambda focus: fakes.frame(focus, orders=(entry, *fakes.orders()))
    )
    async with opened(session=session) as (app, pilot, _):
        layout_of(app).focus_panel("orders")
        await pilot.pause()
        await pilot.press("c")
        assert session.executed == [CancelOrders(order_ids=("o-15",))]
        await pilot.press("down", "c")
        await pilot.pause()
        assert isinstance(app.screen, CancelScreen)
        ids: tuple[str, ...] = app.screen.order_ids
        assert ids == ("o-12",)
        await pilot.press("escape")
        await pilot.pause()
        await pilot.press("C")
        await pilot.pause()
        assert isinstance(app.screen, CancelScreen)
        ids = app.screen.order_ids
        assert ids == ("o-15", "o-12", "o-13")
        assert len(session.executed) == 1


def only_file(folder: Path) -> str:
    (file,) = folder.iterdir()
    return file.read_text(encoding="utf-8")


async def test_c_on_an_order_of_unknown_fate_asks_what_to_do_and_enter_shows_it(
    tmp_path: Path,
) -> None:
    lost = fakes.order_row(15, role=OrderRole.ENTRY, status=OrderStatus.UNKNOWN)
    session = fakes.FakeSession(lambda focus: fakes.frame(focus, orders=(lost,)))
    late = OrderMove(
        fakes.NOW, OrderStatus.SUBMITTED, OrderEvent.TIME_OUT, OrderStatus.UNKNOWN
    )
    session.histories["o-15"] = OrderHistory(lost.order, (late,))
    async with opened(session=session) as (app, pilot, _):
        app.export_folder = tmp_path
        layout_of(app).focus_panel("orders")
        await pilot.pause()
        await pilot.press("c")
        await pilot.pause()
        assert isinstance(app.screen, UnknownScreen)
        assert session.executed == []
        await pilot.press("escape")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "time out  submitted → unknown" in text_of(app)
        await pilot.press("e")
        await pilot.pause()
        assert "1 row of o-15 in" in text_of(app)
    assert "134000000000,submitted,time_out,unknown" in only_file(tmp_path)


async def test_a_refused_command_says_why() -> None:
    session = fakes.FakeSession()
    session.refusal = "the account is closed"
    async with opened(session=session) as (app, pilot, _):
        await pilot.press("H")
        assert footer(app) == "Refused: the account is closed."


async def test_p_pauses_and_resumes_the_task_below_the_cursor() -> None:
    session = fakes.FakeSession()
    async with opened(session=session) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        layout_of(app).focus_panel("tasks")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.press("down", "p")
        paused = fakes.task_row(state=TaskState.PAUSED)
        session.make = lambda focus: fakes.frame(
            focus, tasks=(fakes.task_row("market"), paused)
        )
        app.bridge.pump_once()
        await pilot.press("p")
        assert session.executed == [
            PauseTask(task="ema_cross", reason="p"),
            ResumeTask(task="ema_cross", reason="p"),
        ]


async def test_marks_pause_many_tasks() -> None:
    async with opened() as (app, pilot, session):
        await pilot.press("2")
        await pilot.pause()
        layout_of(app).focus_panel("tasks")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.press("v", "v", "p")
        assert [c.task for c in session.executed if isinstance(c, PauseTask)] == [
            "market",
            "ema_cross",
        ]


# -- leaving -------------------------------------------------------------------


async def test_quit_asks_where_something_is_exposed() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert isinstance(app.screen, QuitScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert app.is_running
        await app.action_quit()
        await pilot.pause()
        assert isinstance(app.screen, QuitScreen)


async def test_quit_with_nothing_exposed_ends_in_order() -> None:
    async with opened(make=calm) as (app, pilot, session):
        await pilot.press("ctrl+q")
    assert app.return_value == 0
    assert session.fake_driver.words == ["ended"]
    assert session.closed


@pytest.mark.parametrize(
    ("policy", "commands"),
    [
        ("keep", []),
        ("cancel-entries", ["Hold", "CancelOrders"]),
        ("flatten", ["Hold", "Flatten"]),
    ],
)
async def test_sigterm_does_what_on_exit_says_and_ends_in_order(
    policy: str, commands: list[str]
) -> None:
    import os
    import signal

    from workstation.model.orders import OrderRole

    entry = fakes.order_row(15, role=OrderRole.ENTRY)
    session = fakes.FakeSession(lambda focus: fakes.frame(focus, orders=(entry,)))
    async with opened(f'engine.on_exit="{policy}"', session=session) as (app, pilot, _):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(5):
            await pilot.pause()
    assert app.return_value == 0
    assert session.fake_driver.engine.number <= 61, "60 s of the run's clock"
    assert [type(c).__name__ for c in session.executed] == commands
    assert session.closed


@pytest.mark.parametrize("owns_process", [True, False])
async def test_the_heap_is_frozen_only_where_the_process_is_the_apps_alone(
    owns_process: bool,
) -> None:
    before = gc.get_freeze_count()
    async with opened(owns_process=owns_process):
        frozen = gc.get_freeze_count()
    assert (frozen > before) is owns_process
    assert gc.get_freeze_count() == (0 if owns_process else before)


def test_the_command_gives_the_app_the_whole_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[WorkstationApp] = []

    async def run(app: WorkstationApp, **options: object) -> None:
        ran.append(app)

    monkeypatch.setattr(WorkstationApp, "run_async", run)
    config = fakes.config()
    assert run_app(config, read_only=False, save_setting=lambda key, value: None) == 0
    assert [app.owns_process for app in ran] == [True]
