"""What all dialogs share: they fit, say enough, and cannot be confirmed unseen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from textual.color import Color
from textual.widgets import Input, Static

from tests.ui.screens.dialogs import ACTING, BUSY, DIALOGS
from tests.ui.screens.scenes import (
    SEQ,
    FakeEngine,
    Fuse,
    Host,
    frame,
    header,
    lines_of,
    position,
)
from workstation.ui.glyphs import ASCII
from workstation.ui.screens.fields import TextField
from workstation.ui.screens.flatten import FlattenScreen
from workstation.ui.screens.override import OverrideScreen
from workstation.ui.screens.ritual import Ritual, Verb
from workstation.ui.screens.stop_task import StopTaskScreen

SIZES = [(80, 24), (120, 40)]


def make(name: str) -> tuple[FakeEngine, Fuse, Ritual[Any]]:
    engine, fuse = FakeEngine(), Fuse()
    return engine, fuse, DIALOGS[name](engine, fuse)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", DIALOGS)
async def test_a_dialog_fits(name: str, size: tuple[int, int]) -> None:
    _, fuse, dialog = make(name)
    async with Host(dialog).run_test(size=size) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        inside = dialog.query_one("#ritual").region
        assert inside.bottom <= size[1] - 1, "it covers the keys"
        assert inside.right <= size[0]
        for verb in dialog.query(Verb):
            if verb.display and verb.region:
                assert verb.region.right <= inside.right, verb.label
                assert verb.region.bottom <= inside.bottom, verb.label
                assert verb.region.width == len(verb.label) + 4
        for words in dialog.query(Static):
            if words.display and words.region:
                assert words.region.bottom <= inside.bottom
        # Only tables may cut a text: they show it whole below.
        if name not in ("alerts", "reconciliation"):
            assert not any("…" in line for line in lines_of(dialog))


@pytest.mark.parametrize("name", DIALOGS)
async def test_a_dialog_is_opaque_and_repeats_the_header(name: str) -> None:
    _, _, dialog = make(name)
    async with Host(dialog).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        text = "\n".join(lines_of(dialog))
        assert "event 48,210/76,867" in text
        assert "equity 100,412.10 USDT" in text
        assert "ctrl+k KILL" in text
        assert dialog.styles.background.a == 1


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light"])
async def test_a_dialog_is_opaque_under_ansi_themes(theme: str) -> None:
    _, _, dialog = make("kill")
    async with Host(dialog, theme).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert dialog.styles.background == Color.parse("ansi_default")
        assert "Kill ladder" in "\n".join(lines_of(dialog))


@pytest.mark.parametrize("name", DIALOGS)
async def test_a_dialog_paints_without_colour(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    _, _, dialog = make(name)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "ctrl+k KILL" in "\n".join(lines_of(dialog))


@pytest.mark.parametrize("name", DIALOGS)
async def test_a_dialog_can_be_shown_in_ascii(name: str) -> None:
    _, fuse, dialog = make(name)
    host = Host(dialog)
    host.glyphs = ASCII  # type: ignore[attr-defined]
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        text = "".join(lines_of(dialog))
        assert text.isascii(), [c for c in text if not c.isascii()]


@pytest.mark.parametrize("name", ACTING)
async def test_back_has_the_focus_and_enter_does_nothing_else(name: str) -> None:
    engine, fuse, dialog = make(name)
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        assert dialog.focused is dialog.query_one("#back")
        if name != "kill":
            await pilot.press("enter")
            assert engine.commands == []
            assert host.answers == [None]


@pytest.mark.parametrize("name", DIALOGS)
async def test_escape_goes_back(name: str) -> None:
    _, _, dialog = make(name)
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert len(host.answers) == 1
        assert not host.screen.is_modal


@pytest.mark.parametrize("name", ACTING)
async def test_a_key_that_was_queued_before_confirms_nothing(name: str) -> None:
    engine, fuse, dialog = make(name)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert not dialog.armed
        await pilot.press("y", "tab", "enter", "y")
        assert engine.commands == []
        fuse.fire()
        assert dialog.armed


async def test_the_arming_timer_waits_for_the_paint_and_runs_300_ms() -> None:
    delays: list[float] = []
    dialog = FlattenScreen(
        BUSY,
        FakeEngine().execute,
        "BTCUSDT",
        timer=lambda delay, callback: delays.append(delay),
    )
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert delays == [0.3]


async def test_y_goes_on_once_armed() -> None:
    engine, fuse, dialog = make("flatten")
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press("y")
        await pilot.pause()
        assert len(engine.commands) == 1
        assert len(host.answers) == 1


async def test_y_is_a_letter_in_a_text_field() -> None:
    engine, fuse, dialog = make("override")
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        dialog.query_one("#reason", TextField).entry.focus()
        await pilot.press("y")
        assert engine.commands == []
        assert dialog.query_one("#reason Input", Input).value == "y"


async def test_the_answer_carries_what_was_shown() -> None:
    engine, fuse, dialog = make("flatten")
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        # The live line moves on; the sentence, and so the answer, does not.
        dialog.refresh_from(msgspec.structs.replace(BUSY, seq=SEQ + 50))
        await pilot.press("y")
        assert engine.last.seen_seq == SEQ


async def test_a_refusal_is_shown_in_place_with_the_new_sentence() -> None:
    engine, fuse, dialog = make("flatten")
    engine.refusal = "orders or position of BTCUSDT changed at seq 101"
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press("y")
        await pilot.pause()
        assert host.answers == []
        text = "\n".join(lines_of(dialog))
        assert "Refused: orders or position of BTCUSDT changed" in text
        assert not dialog.armed
        await pilot.press("y")
        assert len(engine.commands) == 1, "it must be read before it can be repeated"

        less = position("0.5")
        dialog.refresh_from(
            msgspec.structs.replace(BUSY, seq=SEQ + 5, positions=(less,))
        )
        await pilot.pause()
        assert "Sells 0.500 BTCUSDT" in "\n".join(lines_of(dialog))
        engine.refusal = ""
        fuse.fire()
        await pilot.press("y")
        await pilot.pause()
        assert engine.last.seen_seq == SEQ + 5
        assert len(host.answers) == 1


async def test_an_old_timer_does_not_arm_the_new_sentence() -> None:
    _, fuse, dialog = make("flatten")
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        old = list(fuse.waiting)
        dialog.rebase()
        for callback in old:
            callback()
        assert not dialog.armed
        await pilot.pause()
        fuse.fire()
        assert dialog.armed


async def test_the_live_line_follows_the_frames() -> None:
    _, _, dialog = make("flatten")
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "last 61,685.99" in "\n".join(lines_of(dialog))
        moved = msgspec.structs.replace(BUSY.symbols[0], last=61_700.5)  # type: ignore[index]
        dialog.refresh_from(
            msgspec.structs.replace(
                BUSY, symbols=(moved,), header=header(word="PAUSED", speed=1.0)
            )
        )
        await pilot.pause()
        text = "\n".join(lines_of(dialog))
        assert "last 61,700.50" in text
        assert "PAUSED" in text


async def test_a_dialog_opened_on_a_poor_frame_waits_for_its_parts() -> None:
    poor = msgspec.structs.replace(BUSY, orders=None, positions=None)
    engine, fuse = FakeEngine(), Fuse()
    dialog = FlattenScreen(poor, engine.execute, "BTCUSDT", "ema_cross", timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        dialog.refresh_from(msgspec.structs.replace(BUSY, seq=SEQ + 1))
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert "Sells 1.000 BTCUSDT" in "\n".join(lines_of(dialog))
        assert dialog.seen_seq == SEQ + 1


async def test_text_from_outside_is_never_markup() -> None:
    engine, fuse = FakeEngine(), Fuse()
    engine.refusal = "a[/]b [A-Z] \x1b[31m[bold]x"
    dialog = StopTaskScreen(frame(), engine.execute, "ema[/]", timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press("y")
        await pilot.pause()
        text = "\n".join(lines_of(dialog))
        assert "a[/]b [A-Z]" in text
        assert "ema[/] is asked no more" in text
        assert "\x1b" not in text


async def test_a_click_does_not_act_and_a_double_click_does() -> None:
    engine, fuse, dialog = make("flatten")
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        await pilot.click("#go")
        assert engine.commands == []
        assert dialog.focused is dialog.query_one("#go")
        await pilot.double_click("#go")
        assert len(engine.commands) == 1


async def test_arrows_and_tab_move_between_fields_and_verbs() -> None:
    dialog = OverrideScreen(BUSY, FakeEngine().execute, "ema_cross", "BTCUSDT")
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("right")
        assert dialog.focused is dialog.query_one("#go")
        await pilot.press("left", "shift+tab")
        assert isinstance(dialog.focused, Input)
