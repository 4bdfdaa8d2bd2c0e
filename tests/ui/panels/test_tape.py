"""The tape: what it takes from frames, what keys do, what it says when empty."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ui import fakes
from tests.ui.test_app import layout_of, opened, text_of
from workstation.engine.frames import OwnFill, TapeFrame
from workstation.ui.app import WorkstationApp
from workstation.ui.panels.tape import TapePanel
from workstation.ui.screens.detail import DetailScreen
from workstation.ui.screens.jump import JUMP_KEYS

S = fakes.S
HUGE = (200, 50)


def panel_of(app: WorkstationApp) -> TapePanel:
    panel = layout_of(app).panels["tape"]
    assert isinstance(panel, TapePanel)
    return panel


def trades(first: int, last: int, size: float = 0.1) -> tuple[Any, ...]:
    return tuple((n * S, 100.0 + n, size, 1) for n in range(first, last + 1))


def sizes(panel: TapePanel) -> list[str]:
    return [row[1] for row in panel.export_rows()[1:]]


class Feed:
    """Frames with the tape that a test puts into it."""

    def __init__(self, tape: TapeFrame | None) -> None:
        self.tape = tape
        self.session = fakes.FakeSession(lambda focus: fakes.frame(tape=self.tape))


async def test_the_tape_stands_at_the_right_of_a_large_monitor() -> None:
    async with opened(size=HUGE) as (app, _, _):
        lines = text_of(app).split("\n")
        tape = panel_of(app).tape
        assert tape.size.width == 42
    at = next(n for n, line in enumerate(lines) if " Tape BTCUSDT " in line)
    assert lines[at].endswith(" bought 54%  following ─")
    assert lines[at + 1].rstrip().endswith("│ TIME              PRICE   SIZE")
    rows = [line[158:].rstrip() for line in lines[at + 2 : at + 8]]
    assert rows[0] == " 23:55:11.123  61,685.99  0.100 B"
    assert rows[1] == " 23:55:10.123  61,686.01  0.100 S"
    assert rows[2] == " 23:55:09.123  61,686.00  0.100 B"
    assert rows[3] == "◆23:55:09.000  61,673.69  1.000 B me"
    assert rows[5] == " 23:55:07.123  61,686.01  1.250 B ×10"
    assert lines[at + 8][158:].rstrip() == " 23:55:06.123  61,686.00  0.100 S"


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_tab_brings_the_tape_alone_where_it_has_no_place(
    size: tuple[int, int],
) -> None:
    async with opened(size=size) as (app, pilot, _):
        assert not panel_of(app).display
        for _ in range(20):
            await pilot.press("tab")
            await pilot.pause()
            if layout_of(app).current == "tape":
                break
        app.bridge.pump_once()
        await pilot.pause()
        text = text_of(app)
    assert "━ Tape BTCUSDT ━" in text
    assert "×10  ████" in text
    assert "77,108" in text
    assert " mine" in text


async def test_jump_reaches_the_tape() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("ctrl+o")
        await pilot.pause()
        order = layout_of(app).order
        await pilot.press(JUMP_KEYS[order.index("tape")])
        await pilot.pause()
        assert layout_of(app).current == "tape"


async def test_each_trade_is_shown_once_however_often_frames_come() -> None:
    feed = Feed(fakes.tape(total=3, trades=trades(1, 3), fills=()))
    async with opened(session=feed.session, size=HUGE) as (app, _pilot, _):
        panel = panel_of(app)
        app.bridge.pump_once()
        assert sizes(panel) == ["101.00", "102.00", "103.00"]
        feed.tape = fakes.tape(total=5, trades=trades(2, 5), fills=())
        app.bridge.pump_once()
        app.bridge.pump_once()
        assert sizes(panel) == ["101.00", "102.00", "103.00", "104.00", "105.00"]


async def test_trades_that_no_frame_could_bring_are_counted() -> None:
    feed = Feed(fakes.tape(total=3, trades=trades(1, 3), fills=()))
    async with opened(session=feed.session, size=HUGE) as (app, pilot, _):
        feed.tape = fakes.tape(total=1_250, trades=trades(1_100, 1_250), fills=())
        app.bridge.pump_once()
        await pilot.press("z")
        for _ in range(9):
            await pilot.press("tab")
        panel_of(app).tape.action_edge(1)
        await pilot.pause()
        assert "1,096 more came too fast to be shown" in text_of(app)
        assert len(sizes(panel_of(app))) == 3 + 151


async def test_a_run_that_begins_again_begins_a_new_tape() -> None:
    feed = Feed(fakes.tape(total=40))
    async with opened(session=feed.session, size=HUGE) as (app, _pilot, _):
        feed.tape = fakes.tape(total=2, trades=trades(1, 2), fills=())
        app.bridge.pump_once()
        assert sizes(panel_of(app)) == ["101.00", "102.00"]


async def test_another_symbol_has_its_own_tape() -> None:
    async with opened(size=HUGE) as (app, pilot, _):
        before = len(sizes(panel_of(app)))
        await pilot.press("down")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        assert "Tape ETHUSDT" in text_of(app)
        assert len(sizes(panel_of(app))) == before


async def test_a_pinned_tape_stays_on_its_symbol() -> None:
    async with opened(size=HUGE) as (app, pilot, _):
        layout_of(app).focus_panel("tape")
        await pilot.pause()
        await pilot.press("w")
        layout_of(app).focus_panel("symbols")
        await pilot.pause()
        await pilot.press("down")
        await pilot.pause()
        assert "pinned Tape BTCUSDT" in text_of(app)


async def test_own_fills_come_once_and_in_their_place() -> None:
    fill = OwnFill(number=7, ts=2 * S + 1, price=99.5, size=1.0, side=-1)
    feed = Feed(fakes.tape(total=3, trades=trades(1, 3), fills=(fill,)))
    async with opened(session=feed.session, size=HUGE) as (app, _pilot, _):
        panel = panel_of(app)
        assert sizes(panel) == ["101.00", "102.00", "99.50", "103.00"]
        assert panel.export_rows()[3] == [
            "00:00:02.000",
            *("99.50", "1.000", "sell", "own"),
        ]
        late = OwnFill(number=9, ts=4 * S, price=98.5, size=2.0, side=1)
        feed.tape = fakes.tape(total=3, trades=trades(1, 3), fills=(fill, late))
        app.bridge.pump_once()
        assert sizes(panel)[-1] == "98.50"


async def test_f_holds_the_tape_and_f_follows_again() -> None:
    feed = Feed(fakes.tape(total=3, trades=trades(1, 3), fills=()))
    async with opened(session=feed.session, size=HUGE) as (app, pilot, _):
        layout_of(app).focus_panel("tape")
        await pilot.pause()
        await pilot.press("f")
        await pilot.pause()
        assert "held  f follows" in text_of(app)
        shown = panel_of(app).tape.render_line(1).text
        feed.tape = fakes.tape(total=60, trades=trades(1, 60), fills=())
        app.bridge.pump_once()
        await pilot.pause()
        await pilot.press("f")
        await pilot.pause()
        assert "following ─" in text_of(app) or "following ━" in text_of(app)
        assert panel_of(app).tape.render_line(1).text != shown


async def test_moving_the_cursor_holds_and_enter_opens_the_symbol() -> None:
    async with opened(size=HUGE) as (app, pilot, _):
        layout_of(app).focus_panel("tape")
        await pilot.pause()
        await pilot.press("down", "down")
        await pilot.pause()
        assert not panel_of(app).tape.following
        assert panel_of(app).copy_text().split("\t")[0] == "23:55:10.123"
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)


async def test_the_filter_finds_big_trades_and_own_ones() -> None:
    async with opened(size=HUGE) as (app, pilot, _):
        layout_of(app).focus_panel("tape")
        await pilot.pause()
        await pilot.press("slash", *"big")
        await pilot.pause()
        assert "Tape BTCUSDT 1 of 41  /big" in text_of(app)
        assert [row[2] for row in panel_of(app).export_rows()[1:]] == ["1.250"]
        panel_of(app).set_filter("mine")
        assert [row[4] for row in panel_of(app).export_rows()[1:]] == ["own"]
        assert panel_of(app).find("61,673", 1) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"is_kept": False}, "No trades are kept."),
        ({"bars_only": True}, "This feed brings no trades."),
        ({}, "No trade yet."),
    ],
)
async def test_an_empty_tape_says_what_would_fill_it(
    change: dict[str, Any], said: str
) -> None:
    bare = fakes.tape(
        total=0, trades=(), fills=(), mean_size=None, buy_share=None, **change
    )
    feed = Feed(bare)
    async with opened(session=feed.session, size=HUGE) as (app, _, _):
        assert said in text_of(app)
        assert panel_of(app).copy_text() == ""


async def test_before_there_is_a_mean_nothing_is_big() -> None:
    feed = Feed(fakes.tape(total=2, trades=trades(1, 2, 9.0), mean_size=None))
    async with opened(session=feed.session, size=HUGE) as (app, pilot, _):
        assert "×" not in "".join(
            panel_of(app).tape.render_line(y).text for y in range(1, 5)
        )
        layout_of(app).focus_panel("tape")
        await pilot.press("z")
        await pilot.pause()
        assert "buy" in text_of(app)


async def test_a_side_that_is_not_known_is_a_dot() -> None:
    feed = Feed(fakes.tape(total=1, trades=((S, 1.0, 0.5, 0),), fills=()))
    async with opened(session=feed.session, size=HUGE) as (app, _, _):
        assert panel_of(app).tape.render_line(1).text.rstrip().endswith("0.500 ·")
        assert panel_of(app).export_rows()[1][3] == ""


async def test_a_standing_tape_costs_no_line() -> None:
    feed = Feed(fakes.tape())
    async with opened(session=feed.session, size=HUGE) as (app, pilot, _):
        await pilot.pause()
        tape = panel_of(app).tape
        formats, draws = tape.formats, tape.draws
        for _ in range(5):
            app.bridge.pump_once()
            await pilot.pause()
        assert (tape.formats, tape.draws) == (formats, draws)
