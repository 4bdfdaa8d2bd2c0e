"""The dialogs that only look: go until, alerts, detail, help, jump, message, unlock."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from textual.app import App

from tests.ui.screens.dialogs import BUSY, Nothing
from tests.ui.screens.scenes import (
    FEED,
    TS,
    D,
    FakeEngine,
    Fuse,
    Host,
    alert,
    frame,
    in_trade,
    lines_of,
    position,
    task,
    text_of,
)
from workstation.engine.frames import Alert, BookCount
from workstation.engine.store import Numbered
from workstation.kernel.tasks import TaskState
from workstation.model.records import TaskRecord
from workstation.model.states import BookTrust
from workstation.ui.actions import ACTIONS, Scope
from workstation.ui.goals import Goal
from workstation.ui.help import help_lines
from workstation.ui.key_names import key_glyph
from workstation.ui.screens.alerts import AlertsScreen
from workstation.ui.screens.detail import DetailScreen
from workstation.ui.screens.details import (
    feed_lines,
    position_lines,
    row_lines,
    task_lines,
)
from workstation.ui.screens.fields import TextField
from workstation.ui.screens.go_until import GoUntilScreen
from workstation.ui.screens.help_screen import HelpScreen
from workstation.ui.screens.jump import JumpScreen, JumpTarget
from workstation.ui.screens.order_details import order_lines
from workstation.ui.screens.ritual import Verb
from workstation.ui.screens.scene import Scene
from workstation.ui.screens.unlock import UnlockScreen
from workstation.ui.widgets.text_panel import Line, TextPanel


def until(fuse: Fuse) -> GoUntilScreen:
    return GoUntilScreen(
        in_trade(),
        Nothing(),
        "ema_cross",
        "BTCUSDT",
        price_of=lambda instrument: 61_685.99,
        tick=D("0.01"),
        timer=fuse,
    )


@pytest.mark.parametrize(
    ("kind", "sentence", "text"),
    [
        ("signal", "a strategy sends a signal", "next signal"),
        ("fill", "an order fills", "next fill"),
        ("state", "BTCUSDT ema_cross changes its state", "state of BTCUSDT"),
        ("price", "BTCUSDT crosses 61685.99", "BTCUSDT at 61685.99"),
        ("error", "a script, a task or a feed fails", "next error"),
    ],
)
async def test_each_kind_of_goal(kind: str, sentence: str, text: str) -> None:
    fuse = Fuse()
    screen = until(fuse)
    host = Host(screen)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen.kind = kind
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert sentence in text_of(screen)
        screen.query_one("#go").focus()
        await pilot.press("enter")
        await pilot.pause()
    (goal,) = host.answers
    assert isinstance(goal, Goal)
    assert goal.text == text


async def test_a_signal_of_this_symbol_is_chosen_by_keys() -> None:
    fuse = Fuse()
    screen = until(fuse)
    host = Host(screen)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press("tab", "right", "y")
        await pilot.pause()
    (goal,) = host.answers
    assert isinstance(goal, Goal)
    assert goal.text == "next signal of BTCUSDT"


async def test_a_time_is_checked_as_it_is_typed() -> None:
    fuse = Fuse()
    screen = until(fuse)
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen.kind = "time"
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert not screen.query_one("#go", Verb).ready
        screen.query_one("#time", TextField).entry.focus()
        await pilot.press(*"23:58")
        await pilot.pause()
        assert "Plays until 2024-08-08 23:58:00 UTC." in text_of(screen)
        assert screen.query_one("#go", Verb).ready
        assert screen.goal().text == "2024-08-08 23:58:00 UTC"


async def test_a_text_is_required() -> None:
    fuse = Fuse()
    screen = until(fuse)
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen.kind = "text"
        await pilot.pause()
        fuse.fire()
        assert not screen.query_one("#go", Verb).ready
        screen.query_one("#text", TextField).entry.value = "[gap]"
        await pilot.pause()
        assert "contains “[gap]”" in text_of(screen)
        assert screen.query_one("#go", Verb).ready


# --- alerts ---------------------------------------------------------------------------


async def test_enter_jumps_to_the_cause_of_the_alert() -> None:
    screen = AlertsScreen(BUSY, lambda ids: None)
    host = Host(screen)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("down")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
    (chosen,) = host.answers
    assert isinstance(chosen, Alert)
    assert chosen.id == 2


async def test_the_alert_under_the_cursor_is_shown_whole() -> None:
    screen = AlertsScreen(BUSY, lambda ids: None)
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = text_of(screen)
        assert "want 4711 got 4719. Will not trade." in text
        assert "The next snapshot of the feed mends it." in text
        assert "2 active alerts" in text


async def test_acknowledging_is_told_with_the_ids() -> None:
    seen: set[int] = set()
    screen = AlertsScreen(BUSY, seen.update, is_seen=lambda one: one.id in seen)
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "2 not acknowledged" in text_of(screen)
        await pilot.press("A")
        await pilot.pause()
        assert seen == {1, 2, 3}
        assert "0 not acknowledged" in text_of(screen)


async def test_an_empty_list_says_what_would_fill_it() -> None:
    screen = AlertsScreen(frame(), lambda ids: None)
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "What goes wrong is listed here" in text_of(screen)


async def test_new_alerts_appear_while_it_is_open() -> None:
    screen = AlertsScreen(frame(), lambda ids: None)
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen.refresh_from(frame(alerts=(alert(text="a[/]b happened"),)))
        await pilot.pause()
        assert "a[/]b happened" in text_of(screen)


# --- detail, help ---------------------------------------------------------------------


def plain(lines: Any) -> str:
    panel = TextPanel()
    panel.set_lines(list[Line](lines))
    return panel.plain()


def test_a_task_shows_the_changes_of_its_state() -> None:
    record = TaskRecord(
        seq=1, ts=TS, task="ema_cross", before="running", after="failed", reason="x[/]"
    )
    text = plain(task_lines(task(state=TaskState.FAILED), [Numbered(1, record)]))
    assert "running → failed  x[/]" in text


def test_rows_positions_and_feeds_have_details() -> None:
    scene = Scene.of(in_trade())
    assert "+1.000" in plain(row_lines(scene, "ema_cross", "BTCUSDT"))
    assert "not shown by any feed" in plain(row_lines(scene, "x", "y"))
    assert "61673.69" in plain(position_lines(position()))
    assert "812.0 events/s" in plain(feed_lines(FEED))


def test_a_feed_lists_the_proof_of_its_books() -> None:
    book = BookCount(
        symbol="BTCUSDT",
        decimals=2,
        update_id=50_093_421_584,
        bid=(61_685.99, 1.0087),
        ask=(61_686.0, 2.29327),
        bid_levels=1_209,
        ask_levels=2_196,
        trust=BookTrust.TRUSTED,
        applied=3_449,
        dropped=2,
        gaps=0,
        crossed=0,
    )
    text = plain(feed_lines(msgspec.structs.replace(FEED, books=(book,))))
    for words in (
        "BTCUSDT       61685.99 × 1.0087 / 61686.00 × 2.29327  trusted",
        "update 50093421584  1209 + 2196 levels",
        "applied 3449  dropped 2  gaps 0  crossed 0",
    ):
        assert words in text


async def test_an_alert_from_before_the_first_event_has_no_age() -> None:
    early = alert(ts=0, last_ts=0, text="the journal cannot be written")
    screen = AlertsScreen(frame(alerts=(early,)), lambda ids: None, timer=Fuse())
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = text_of(screen)
    assert "#" not in text
    assert "start" in text.split("the journal")[0]
    assert "at the start 2 times the journal cannot be written" in text


async def test_a_detail_follows_the_frames() -> None:
    screen = DetailScreen(
        in_trade(),
        "Order 13",
        lambda scene: order_lines(scene.order("o-13")),
        panels=frozenset({"orders"}),
    )
    assert screen.panels == {"orders"}
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "60,452.00" in text_of(screen)
        screen.refresh_from(frame())
        await pilot.pause()
        assert "no longer kept here" in text_of(screen)


def test_help_lists_every_key_the_focused_panel_first() -> None:
    text = plain(help_lines(Scope.TASK, 80))
    assert text.lower().startswith("task, feed, strategy")
    joined = " ".join(text.split())
    for entry in ACTIONS:
        assert key_glyph(entry.keys[0]) in text
        assert " ".join(entry.title.split()) in joined, entry.id


def test_help_shows_the_keys_of_the_keymap() -> None:
    keymap = {"clock.slower": ("f6",), "table.sort": ()}
    text = plain(help_lines(Scope.CLOCK, 80, keymap=keymap))
    assert "F6" in text
    assert "sort by the next column" not in text


async def test_help_names_the_log_file_and_the_themes() -> None:
    path = "/home/someone/" + "a-very-long-folder/" * 6 + "workstation.log"
    screen = HelpScreen(
        BUSY, Scope.ROW, log_path=path, themes=("one", "two"), theme="two"
    )
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("end")
        await pilot.pause()
        text = "".join(line.strip() for line in lines_of(screen))
        assert path in text.replace("   ", "")
        assert "one, two (now)" in text
        assert "runs/first.journal" in text


async def test_the_help_key_closes_the_help() -> None:
    screen = HelpScreen(BUSY)
    host = Host(screen)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("question_mark")
        await pilot.pause()
        assert host.answers == [None]


# --- jump, message, unlock ------------------------------------------------------------

TARGETS = (
    JumpTarget("symbols", "Symbols", 0, 2),
    JumpTarget("log", "Log [x]", 40, 12),
)


class JumpHost(App[None]):
    """An app that opens the overlay."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[str | None] = []

    def on_mount(self) -> None:
        """Open it."""
        self.push_screen(JumpScreen(TARGETS), self.answers.append)


@pytest.mark.parametrize(
    ("key", "answer"), [("a", "symbols"), ("s", "log"), ("d", None), ("escape", None)]
)
async def test_a_letter_jumps_to_its_panel(key: str, answer: str | None) -> None:
    host = JumpHost()
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        lines = lines_of(host.screen)
        assert lines[2].startswith(" a Symbols")
        assert lines[12][40:].startswith(" s Log [x]")
        await pilot.press(key)
        await pilot.pause()
        assert host.answers == [answer]


async def test_unlocking_wants_the_accounts_name() -> None:
    fuse = Fuse()
    screen = UnlockScreen(frame(), timer=fuse)
    host = Host(screen)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press(*"dem")
        await pilot.press("tab", "tab", "enter")
        assert host.answers == []
        screen.query_one("#name", TextField).entry.focus()
        await pilot.press("end", "o", "enter", "enter")
        await pilot.pause()
        assert host.answers == [True]


async def test_leaving_the_unlock_dialog_keeps_the_lock() -> None:
    screen = UnlockScreen(frame(), "demo")
    host = Host(screen)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert host.answers == [None]


async def test_the_engine_is_not_asked_by_a_dialog_that_looks() -> None:
    engine = FakeEngine()
    screen = until(Fuse())
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("escape")
    assert engine.commands == []
