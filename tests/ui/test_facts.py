"""What keys say where they do nothing, and what is true of the row below the cursor."""

from __future__ import annotations

import msgspec
import pytest

from tests.ui import fakes
from tests.ui.test_app import footer, layout_of, opened, text_of
from workstation.kernel.tasks import TaskState
from workstation.model.commands import StepTask
from workstation.ui.actions import ACTIONS, PANEL_SCOPES, Action, Fact
from workstation.ui.facts import not_here

_ROOM = 80 - len("  ctrl+k KILL ") - 1
"""Cells of a sentence in the footer of the smallest screen."""


@pytest.mark.parametrize(
    "entry",
    [each for each in ACTIONS if each.scope in PANEL_SCOPES],
    ids=lambda e: e.id,
)
def test_where_a_key_is_heard_fits_into_80_columns(entry: Action) -> None:
    assert len(not_here(entry, entry.keys[0])) <= _ROOM


async def test_the_smallest_screen_says_in_full_where_a_key_is_heard() -> None:
    async with opened(size=(80, 24)) as (app, pilot, _):
        await pilot.press("R")
        assert "R (reload) needs: task, feed, strategy. " in text_of(app)


@pytest.mark.parametrize("panel", ["strategies", "script_log"])
async def test_a_strategy_is_no_feed_wherever_it_is_shown(panel: str) -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("4")
        await pilot.pause()
        layout_of(app).focus_panel(panel)
        await pilot.pause()
        assert Fact.SCRIPT in app.facts()
        assert Fact.FEED not in app.facts()
        assert "W record" not in text_of(app)
        await pilot.press("W")
        assert "a strategy is no feed" in footer(app)


async def test_a_task_without_a_script_has_none_to_reload() -> None:
    async with opened() as (app, pilot, session):
        await pilot.press("2")
        await pilot.pause()
        layout_of(app).focus_panel("feeds")
        await pilot.pause()
        app.bridge.pump_once()
        assert "W record" in text_of(app)
        await pilot.press("R")
        assert "this task has no script" in footer(app)
        assert session.fake_reloading.asked == []


async def test_roll_back_is_offered_once_there_is_a_version_before() -> None:
    async with opened() as (app, pilot, session):
        await pilot.press("4")
        await pilot.pause()
        assert "U roll back" not in text_of(app)
        await pilot.press("U")
        assert "the script has no version before this one" in footer(app)
        session.fake_reloading.hashes["ema_cross"] = ("1b2c3d4e", "7b555b94")
        app.hush()
        app.bridge.pump_once()
        assert "U roll back" in text_of(app)


async def test_a_paused_strategy_is_stepped_from_its_script_log_alone() -> None:
    paused = msgspec.structs.replace(
        fakes.task_row("ema_cross"), state=TaskState.PAUSED
    )
    frame = fakes.frame(
        strategies=(fakes.strategy_row(state="paused"),), tasks=(paused,)
    )
    async with opened(make=lambda focus: frame) as (app, pilot, session):
        await pilot.press("4")
        await pilot.pause()
        layout_of(app).focus_panel("script_log")
        await pilot.press("z")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.press("s")
        assert session.executed == [StepTask(task="ema_cross", reason="s")]
