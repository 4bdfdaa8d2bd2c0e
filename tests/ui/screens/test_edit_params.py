"""The dialog of parameters: checked as typed, a sentence, the command it sends."""

from __future__ import annotations

import msgspec
import pytest

from tests.ui import fakes
from tests.ui.screens.scenes import FakeEngine, Fuse, Host, frame, text_of
from workstation.engine.frames import Frame, ParamRow
from workstation.model.commands import SetParams
from workstation.ui.panels.params import value_text
from workstation.ui.screens.edit_params import EditParamsScreen
from workstation.ui.screens.fields import ChoiceLine, TextField
from workstation.ui.screens.param_fields import read_value, remark, wrong_with
from workstation.ui.screens.ritual import Verb

STOP = fakes.param_row(
    "stop", kind="float", value=0.02, default=0.02, minimum=0.0005, maximum=0.4
)
NAME = fakes.param_row("venue", kind="str", value="a", default="a", minimum=None)

WIDE = fakes.param_row("wide", kind="float", minimum=None, maximum=None)
COUNT = fakes.param_row("count", kind="int", minimum=None, maximum=None)


def shown(**changes: ParamRow) -> Frame:
    table = fakes.params()
    rows = tuple(changes.get(row.name, row) for row in table.params)
    return frame(params=msgspec.structs.replace(table, params=rows))


def dialog_on(
    param: str = "fast", base: Frame | None = None
) -> tuple[FakeEngine, Fuse, EditParamsScreen]:
    engine, fuse = FakeEngine(), Fuse()
    screen = EditParamsScreen(base or shown(), engine.execute, param, timer=fuse)
    return engine, fuse, screen


def entry(dialog: EditParamsScreen, place: int) -> TextField:
    return dialog.query_one(f"#param-{place}", TextField)


@pytest.mark.parametrize(
    ("row", "text", "wrong"),
    [
        (fakes.param_row(), "12", ""),
        (fakes.param_row(), "12.5", "a whole number"),
        (fakes.param_row(), "x", "a whole number"),
        (fakes.param_row(), "", "a number is missing"),
        (fakes.param_row(), "1", "must be 2 to 500"),
        (fakes.param_row(), "501", "must be 2 to 500"),
        (fakes.param_row(minimum=None), "501", "must be at most 500"),
        (fakes.param_row(maximum=None), "1", "must be at least 2"),
        (STOP, "0.03", ""),
        (STOP, "nan", "not a number"),
        (STOP, "0.5", "must be 0.0005 to 0.4"),
        (NAME, "b", ""),
        (NAME, "", ""),
        (WIDE, "1e400", "too large"),
        (WIDE, "-1e400", "too large"),
        (WIDE, "1e300", ""),
        (COUNT, "9223372036854775807", ""),
        (COUNT, "9223372036854775808", "too large: 64 bits at most"),
        (COUNT, "1e999999", "too large: 64 bits at most"),
        (fakes.param_row(), "1e400", "too large: 64 bits at most"),
    ],
)
def test_a_text_is_checked_by_its_kind_and_range(
    row: ParamRow, text: str, wrong: str
) -> None:
    assert wrong_with(row, text) == wrong


def test_values_keep_their_kind() -> None:
    assert read_value(fakes.param_row(), "1,200") == 1200
    assert isinstance(read_value(STOP, "1"), float)
    assert read_value(NAME, "12") == "12"
    truth = fakes.param_row("on", kind="bool", value=True, default=True)
    assert read_value(truth, "false") is False
    assert remark(STOP) == "0.0005 to 0.4  default 0.02"


async def test_it_begins_in_the_parameter_that_was_opened() -> None:
    _, _, dialog = dialog_on("slow")
    async with Host(dialog).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert dialog.focused is entry(dialog, 1).entry
        text = text_of(dialog)
        assert "Parameters BTCUSDT ema_cross" in text
        assert "bars of the slow EMA" in text
        assert "Nothing is changed yet." in text


async def test_the_sentence_says_from_what_to_what_and_the_command_is_sent() -> None:
    engine, fuse, dialog = dialog_on()
    host = Host(dialog)
    async with host.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        fuse.fire()
        entry(dialog, 0).entry.value = "12"
        dialog.query_one("#param-3", ChoiceLine).value = "false"
        await pilot.pause()
        assert dialog.sentence() == (
            "BTCUSDT of ema_cross: fast 10 → 12 and long_only true → false, from its "
            "next call on."
        )
        assert dialog.query_one("#go", Verb).label == "Set 2 parameters of 1 symbol"
        dialog.query_one("#reason", TextField).entry.value = "calmer"
        dialog.query_one("#go", Verb).focus()
        await pilot.press("enter")
        await pilot.pause()
        assert engine.commands == [
            SetParams(
                strategy="ema_cross",
                instrument="BTCUSDT",
                values={"fast": 12, "long_only": False},
                reason="calmer",
                seen_seq=dialog.seen_seq,
            )
        ]
        assert len(host.answers) == 1


async def test_all_symbols_are_named_with_their_number_and_who_differs() -> None:
    differing = msgspec.structs.replace(fakes.param_row(), differs=True)
    engine, fuse, dialog = dialog_on(base=shown(fast=differing))
    async with Host(dialog).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        fuse.fire()
        entry(dialog, 0).entry.value = "12"
        dialog.query_one("#where", ChoiceLine).value = "all"
        await pilot.pause()
        assert dialog.sentence() == (
            "All 8 symbols of ema_cross: fast 10 → 12, from their next calls on. They "
            "do not all have the same fast now."
        )
        dialog.query_one("#go", Verb).action_press()
        assert engine.last == SetParams(
            strategy="ema_cross",
            values={"fast": 12},
            seen_seq=dialog.seen_seq,
        )


async def test_nothing_is_sent_while_a_value_cannot_be_used() -> None:
    engine, fuse, dialog = dialog_on()
    async with Host(dialog).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        fuse.fire()
        entry(dialog, 1).entry.value = "25"
        entry(dialog, 0).entry.value = "1"
        await pilot.pause()
        text = text_of(dialog)
        assert "must be 2 to 500" in text
        assert "Nothing is changed while a value cannot be used." in text
        dialog.query_one("#go", Verb).action_press()
        assert engine.commands == []


async def test_a_change_by_others_writes_the_sentence_anew() -> None:
    _, fuse, dialog = dialog_on()
    async with Host(dialog).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        fuse.fire()
        entry(dialog, 0).entry.value = "12"
        await pilot.pause()
        now = msgspec.structs.replace(fakes.param_row(), value=11)
        dialog.refresh_from(msgspec.structs.replace(shown(fast=now), seq=101))
        assert "fast 11 → 12" in dialog.sentence()
        # It must be read again before it can be confirmed.
        assert not dialog.armed


@pytest.mark.parametrize(
    ("row", "value"),
    [
        (WIDE, 0.12345678901),
        (WIDE, 61_685.9931),
        (WIDE, 1234567.0),
        (WIDE, 1e-7),
        (COUNT, 9_007_199_254_740_993),
    ],
)
def test_no_digit_of_a_number_is_lost(row: ParamRow, value: float) -> None:
    assert read_value(row, value_text(value)) == value
    held = msgspec.structs.replace(row, value=value, minimum=value)
    assert f"at least {value_text(value)}" in remark(held)
    assert wrong_with(held, value_text(value)) == ""


async def test_a_text_may_be_emptied_and_blanks_alone_are_no_change() -> None:
    name = msgspec.structs.replace(NAME, value=" a ")
    _, _, dialog = dialog_on("venue", with_rows(name))
    async with Host(dialog).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert dialog.changes() == {}
        entry(dialog, 0).entry.value = ""
        await pilot.pause()
        assert dialog.changes() == {"venue": ""}
        assert 'venue  a  → ""' in dialog.sentence()


def with_rows(*rows: ParamRow) -> Frame:
    table = msgspec.structs.replace(fakes.params(), params=rows)
    return msgspec.structs.replace(frame(params=table), seq=101)


async def test_a_reload_takes_what_is_gone_and_keeps_what_was_typed() -> None:
    _, fuse, dialog = dialog_on("slow")
    async with Host(dialog).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        fuse.fire()
        entry(dialog, 1).entry.value = "35"
        entry(dialog, 2).entry.value = "0.03"
        await pilot.pause()
        slow = fakes.param_row("slow", value=30, maximum=32.0)
        fresh = fakes.param_row("fresh")
        fast = fakes.param_row(value=12, default=12)
        dialog.refresh_from(with_rows(fresh, slow, fast))
        await pilot.pause()
        # Nobody has typed into it: it follows the new version's default.
        assert entry(dialog, 0).text == "12"
        assert entry(dialog, 1).text == "35"
        assert entry(dialog, 2).text == "0.03"
        assert entry(dialog, 1).wrong == "must be 2 to 32"
        said = (
            "The script was reloaded: it has stop and long_only no longer and has "
            "fresh now: open this again to set it."
        )
        assert said in dialog.sentence()
        entry(dialog, 1).entry.value = "31"
        await pilot.pause()
        assert dialog.changes() == {"slow": 31}
        assert dialog.sentence().startswith("BTCUSDT of ema_cross: slow 30 → 31, from")
        for place in range(4):
            widget = dialog.query_one(f"#param-{place}")
            (widget.entry if isinstance(widget, TextField) else widget).focus()
            await pilot.pause()
        assert "the script has it no longer" in text_of(dialog)


async def test_a_reload_that_leaves_no_parameter_leaves_the_dialog() -> None:
    _, fuse, dialog = dialog_on()
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        entry(dialog, 0).entry.value = "12"
        await pilot.pause()
        dialog.refresh_from(with_rows())
        await pilot.pause()
        dialog.arm()
        assert dialog.changes() == {}
        assert entry(dialog, 0).text == "12"
        assert not dialog.query_one("#go", Verb).ready


async def test_a_refusal_stays_on_the_screen() -> None:
    engine, fuse, dialog = dialog_on()
    engine.refusal = "fast must be below slow"
    host = Host(dialog)
    async with host.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        fuse.fire()
        entry(dialog, 0).entry.value = "12"
        await pilot.pause()
        dialog.query_one("#go", Verb).action_press()
        await pilot.pause()
        assert "Refused: fast must be below slow." in text_of(dialog)
        assert host.answers == []


async def test_y_is_a_letter_while_a_value_is_typed() -> None:
    engine, fuse, dialog = dialog_on()
    async with Host(dialog).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press("y", "enter")
        assert engine.commands == []


async def test_many_parameters_scroll_and_leave_the_verbs_in_sight() -> None:
    table = fakes.params()
    rows = tuple(fakes.param_row(f"p{n}") for n in range(40))
    base = frame(params=msgspec.structs.replace(table, params=rows))
    _, _, dialog = dialog_on("p39", base)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = text_of(dialog)
        assert "p39" in text
        assert "[ Back ]" in text
