"""The panels of layout 4: what they say, and which row their keys choose."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.ui import fakes
from tests.ui.test_app import footer, layout_of, opened, text_of
from workstation.engine.frames import BlockTable, Focus, Frame, Way
from workstation.kernel.tasks import TaskState
from workstation.model.commands import PauseTask, RestartTask, ResumeTask, StepTask
from workstation.model.records import LockRecord
from workstation.model.states import Gate, SymbolState
from workstation.ui.panels.script_log import ScriptLogPanel
from workstation.ui.screens.detail import DetailScreen
from workstation.ui.screens.edit_params import EditParamsScreen
from workstation.ui.screens.stop_task import StopTaskScreen
from workstation.ui.verbs.looking import jump_to

S = fakes.S


def of(**changes: Any) -> Frame:
    return fakes.frame(**changes)


async def test_layout_4_says_what_each_strategy_is_and_costs() -> None:
    async with opened(size=(120, 40)) as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        app.bridge.pump_once()
        text = text_of(app)
        assert (
            "▸ ema_cross    Python 7b555b94   1m    8   5   1   1   1  running     0.13"
            "     26   0      ·  none"
        ) in text
        assert "BTCUSDT ema_cross  1 of 8" in text
        assert "← → symbol" in text.split("\n")[-1]


async def test_a_failed_strategy_is_marked_and_its_error_shown() -> None:
    row = fakes.strategy_row(
        state="failed", errors=5, last_error="5 errors in 10 minutes", p99_ns=None
    )
    frame = of(strategies=(row, fakes.strategy_row(name="b", memory_bytes=31_400_000)))
    async with opened(make=lambda focus: frame) as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        app.bridge.pump_once()
        text = text_of(app)
        assert "Strategies 2  failed 1" in text
        assert "5 errors in 10 minutes" in text
        assert "     31  none" in text


async def test_left_and_right_go_through_the_symbols_of_the_strategy() -> None:
    async with opened() as (app, pilot, session):
        await pilot.press("4")
        await pilot.pause()
        await pilot.press("right")
        await pilot.pause()
        assert app.focus_row is not None
        assert app.focus_row.instrument == "ETHUSDT"
        app.bridge.pump_once()
        await pilot.press("left", "left")
        await pilot.pause()
        app.bridge.pump_once()
        # Beyond the first one comes the last.
        names = [row.instrument for row in fakes.symbols()]
        assert app.focus_row.instrument == names[-1]
        assert session.focuses[-1] == app.focus_row


async def test_other_keys_may_go_through_the_symbols() -> None:
    keys = "ui.keymap={'strategy.next_symbol'='f5'}"
    async with opened(keys) as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        assert "← F5 symbol" in text_of(app)
        await pilot.press("right")
        assert app.focus_row is not None
        assert app.focus_row.instrument == "BTCUSDT"
        await pilot.press("f5")
        assert app.focus_row.instrument == "ETHUSDT"


async def test_a_symbol_is_found_here_too() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        app.bridge.pump_once()
        jump_to(app, "SOLUSDT")
        await pilot.pause()
        assert app.focus_row is not None
        assert app.focus_row.instrument == "SOLUSDT"
        jump_to(app, "NONE")
        assert "NONE is in no panel" in footer(app)


async def test_the_cursor_on_a_strategy_keeps_the_symbol_it_has() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        panel = layout_of(app).panels["strategies"]
        assert panel.choice is not None
        assert (panel.choice.strategy, panel.choice.task) == ("ema_cross", "ema_cross")
        app.focus.on(panel.choice)
        assert app.focus_row is not None
        assert app.focus_row.strategy == "ema_cross"
        assert app.focus_row.instrument == "BTCUSDT"


async def test_p_s_r_x_send_their_commands() -> None:
    async with opened() as (app, pilot, session):
        await pilot.press("4")
        await pilot.pause()
        await pilot.press("p")
        await pilot.press("r")
        assert session.executed == [
            PauseTask(task="ema_cross", reason="p"),
            RestartTask(task="ema_cross", reason="r"),
        ]
        await pilot.press("s")
        assert "not paused" in footer(app)
        await pilot.press("x")
        await pilot.pause()
        assert isinstance(app.screen, StopTaskScreen)


async def test_a_paused_strategy_is_resumed_and_stepped() -> None:
    paused = msgspec.structs.replace(
        fakes.task_row("ema_cross"), state=TaskState.PAUSED
    )
    frame = of(strategies=(fakes.strategy_row(state="paused"),), tasks=(paused,))
    async with opened(make=lambda focus: frame) as (app, pilot, session):
        await pilot.press("4")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.press("s")
        await pilot.press("p")
        assert session.executed == [
            StepTask(task="ema_cross", reason="s"),
            ResumeTask(task="ema_cross", reason="p"),
        ]


async def test_enter_on_a_strategy_shows_its_errors_with_their_lines() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        text = text_of(app)
        assert "Strategy ema_cross" in text
        assert "Last errors" in text
        assert "ETHUSDT  ZeroDivisionError: division by zero" in text
        assert "  1  def detect_opportunity" in text
        assert "▸ 3      return 1 / spread" in text
        assert "  5  # the end" in text


async def test_enter_on_an_error_shows_it_alone_and_a_note_has_no_source() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        layout_of(app).focus_panel("script_log")
        await pilot.pause()
        assert "Script log 2  ema_cross.py  errors 1" in text_of(app)
        await pilot.press("enter")
        await pilot.pause()
        text = text_of(app)
        assert "error         ZeroDivisionError: division by zero" in text
        assert "▸ 3      return 1 / spread" in text
        await pilot.press("escape", "down", "enter")
        await pilot.pause()
        text = text_of(app)
        assert "wrote         volume dried up" in text
        assert "Source" not in text


async def test_p_pauses_from_the_script_log_too() -> None:
    async with opened() as (app, pilot, session):
        await pilot.press("4")
        await pilot.pause()
        layout_of(app).focus_panel("script_log")
        await pilot.pause()
        await pilot.press("p")
        assert session.executed[-1] == PauseTask(task="ema_cross", reason="p")


async def test_the_alert_of_a_strategy_leads_to_its_error() -> None:
    alert = fakes.alert(subject="ema_cross", instrument="ETHUSDT", text="it failed")
    async with opened(make=lambda focus: of(alerts=(alert,))) as (app, pilot, _):
        await pilot.press("a")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        assert "▸ 3      return 1 / spread" in text_of(app)
        assert app.focus_row is not None
        assert app.focus_row.instrument == "ETHUSDT"


async def test_enter_on_a_parameter_edits_it_unless_the_screen_is_locked() -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        layout_of(app).focus_panel("params")
        await pilot.pause()
        app.bridge.pump_once()
        assert "  bars of the fast EMA" in text_of(app)
        await pilot.press("L", "enter")
        await pilot.pause()
        assert "not edited on a locked screen" in footer(app)
        app.locked = False
        await pilot.press("down")
        await pilot.pause()
        app.bridge.pump_once()
        assert "  bars of the slow EMA" in text_of(app)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, EditParamsScreen)
        assert app.focused is not None
        assert app.focused.id == "param-1-entry"


async def test_wide_parameters_say_what_they_are_in_a_column() -> None:
    async with opened(size=(200, 50)) as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        app.bridge.pump_once()
        text = text_of(app)
        assert "WHAT IT IS" in text
        assert "slow         30         20         2 to 500       int    bars" in text


# -- the machine -----------------------------------------------------------------------


async def machine_text(size: tuple[int, int] = (120, 40), **changes: Any) -> str:
    machine = fakes.machine(**changes)
    frame = of(machine=machine)
    async with opened(size=size, make=lambda focus: frame) as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        app.bridge.pump_once()
        return text_of(app)


async def test_the_state_a_row_is_in_has_the_heavy_box() -> None:
    text = await machine_text()
    assert "┃ ● InTrade ┃" in text
    assert "│ ○ Watch │" in text
    assert "+1.000 @ 61,673.69  script: holds" in text
    assert "2:14 in state" in text


async def test_ways_are_gathered_by_where_they_lead() -> None:
    text = await machine_text()
    assert "→ ○ Watch      entry canceled, flat, o by hand" in text
    assert "stays here     fill" in text


async def test_close_watch_says_how_long_it_has_left() -> None:
    row = fakes.symbol_row(state=SymbolState.CLOSE_WATCH)
    flat = fakes.machine().position
    flat = msgspec.structs.replace(flat, quantity=0)
    ways = (Way("cancel", SymbolState.WATCH),)
    text = await machine_text(row=row, position=flat, bars_left=1, ways=ways)
    assert "1 bar left to commit" in text
    assert "┃ ◐ CloseWatch ┃" in text


async def test_a_lock_is_part_of_the_history_and_of_the_line() -> None:
    lock = LockRecord(
        seq=1,
        ts=fakes.NOW,
        strategy="ema_cross",
        instrument="BTCUSDT",
        before=False,
        after=True,
        reason="news",
    )
    row = fakes.symbol_row(manual=True, manual_until_ns=fakes.NOW)
    text = await machine_text(row=row, history=(lock,))
    assert "⊘ until 23:55" in text
    assert "23:55:12  ⊘                 operator manual: news" in text


async def test_a_small_machine_stands_in_one_line() -> None:
    text = await machine_text(size=(80, 24))
    assert "○ Watch → ◐ CloseWatch → [● InTrade]" in text
    assert "→ ○ Watch      entry canceled, flat," in text
    assert "stays here" not in text


async def test_a_row_that_has_not_moved_says_so() -> None:
    assert "It has not moved yet." in await machine_text(history=())


# -- the script's log ------------------------------------------------------------------


async def test_an_untouched_cursor_stays_with_the_newest_line() -> None:
    log = fakes.script_log()
    newer = msgspec.structs.replace(log.lines[-1], number=log.lines[-1].number + 1)
    longer = msgspec.structs.replace(log, lines=(*log.lines, newer))
    frames = [of(script_log=each) for each in (log, longer)]
    async with opened(make=lambda focus: frames[0]) as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        panel = layout_of(app).panels["script_log"]
        assert isinstance(panel, ScriptLogPanel)
        app.bridge.pump_once()
        assert panel.table.cursor_key == str(log.lines[-1].number)
        panel.show(frames[1])
        assert panel.table.cursor_key == str(newer.number)
        panel.table.action_cursor(1)
        chosen = panel.table.cursor_key
        newest = msgspec.structs.replace(newer, number=newer.number + 1)
        lines = (*longer.lines, newest)
        panel.show(of(script_log=msgspec.structs.replace(log, lines=lines)))
        assert panel.table.cursor_key == chosen


# -- why not ---------------------------------------------------------------------------


async def test_the_gates_stand_in_their_order_with_what_stops_first() -> None:
    text = await machine_text()
    assert "Why not BTCUSDT ema_cross" in text
    assert "stopped at state" in text
    assert "✓ feed  40 ms < 2 s" in text
    assert "✗ state already in trade" in text
    below = "\n".join(line[67:] for line in text.split("\n")[8:])
    places = [below.index(f" {gate.name} ") for gate in fakes.machine().gates]
    assert places == sorted(places)


async def test_a_row_that_nothing_stops_is_free() -> None:
    assert "entry free" in await machine_text(gates=(Gate("feed", True, "1 ms"),))


async def test_what_blocked_most_is_ranked_with_shares_of_the_row_and_of_all() -> None:
    text = await machine_text()
    assert "Blocked most" in text
    assert "of 125" in text
    assert "script   no signal          116  93%     855  84%" in text
    assert "state    in trade             7   6%     136  13%" in text
    assert "entered                       2   2%      15   1%" in text
    assert "lock     locked               ·           10   1%" in text


async def test_a_narrow_list_has_the_row_alone() -> None:
    text = await machine_text(size=(80, 24))
    assert "script   no signal         116  93%" in text
    assert "855" not in text


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_nothing_counted_yet_says_when_it_is(size: tuple[int, int]) -> None:
    frame = of(blocks=BlockTable(row=(), all=()))
    async with opened(size=size, make=lambda focus: frame) as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        app.bridge.pump_once()
        assert "Nothing yet: it counts closed bars." in text_of(app)


async def test_only_what_is_seen_is_asked_for() -> None:
    async with opened() as (app, pilot, session):
        wanted = {"strategies", "params", "script_log", "blocks"}
        assert not wanted & session.asked[-1]
        await pilot.press("4")
        await pilot.pause()
        app.bridge.pump_once()
        assert session.asked[-1] == wanted | {"machine"}
        layout_of(app).focus_panel("why_not")
        await pilot.press("z")
        await pilot.pause()
        app.bridge.pump_once()
        assert session.asked[-1] == {"machine", "blocks"}


async def test_a_pinned_machine_stays_with_its_row() -> None:
    def make(focus: Focus | None) -> Frame:
        name = "BTCUSDT" if focus is None else focus.instrument
        row = fakes.symbol_row(name)
        return fakes.frame(focus, machine=fakes.machine(row))

    async with opened(make=make) as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        layout_of(app).focus_panel("diagram")
        await pilot.pause()
        await pilot.press("w")
        layout_of(app).focus_panel("strategies")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.press("right")
        await pilot.pause()
        app.bridge.pump_once()
        text = text_of(app)
        assert "pinned Machine BTCUSDT ema_cross" in text
        assert "Why not ETHUSDT ema_cross" in text
