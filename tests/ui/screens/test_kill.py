"""The kill ladder: what each key and word does, and the way back."""

from __future__ import annotations

import msgspec

from tests.ui.screens.dialogs import BUSY, KILLED
from tests.ui.screens.scenes import (
    STOP,
    TARGET,
    FakeEngine,
    Fuse,
    Host,
    header,
    order,
    text_of,
)
from workstation.engine.frames import Frame
from workstation.model.commands import Kill, KillLevel, Rearm
from workstation.model.instruments import Side
from workstation.model.orders import OrderRole, OrderStatus, OrderType
from workstation.ui.screens.kill import KillScreen
from workstation.ui.screens.ritual import Verb


def ladder(
    shown: Frame = KILLED, *, lifts: bool = True
) -> tuple[FakeEngine, Fuse, KillScreen]:
    engine, fuse = FakeEngine(), Fuse()
    return engine, fuse, KillScreen(shown, engine.execute, lifts=lifts, timer=fuse)


def at(level: str | None) -> Frame:
    return msgspec.structs.replace(BUSY, seq=150, header=header(kill=level))


async def test_it_shows_the_rungs_and_what_is_still_there() -> None:
    _, _, dialog = ladder()
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = text_of(dialog)
        assert "✓ 1 hold" in text
        assert "· 2 cancel" in text
        assert "2 entries keep working" in text
        assert "Flatten closes +1.000 BTCUSDT of ema_cross at market." in text


async def test_escape_lifts_the_hold_of_this_press() -> None:
    engine, _, dialog = ladder()
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(engine.last, Rearm)
        assert len(host.answers) == 1


async def test_escape_leaves_an_older_hold_alone() -> None:
    engine, _, dialog = ladder(lifts=False)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("escape")
        assert engine.commands == []


async def test_the_hold_can_be_kept() -> None:
    engine, fuse, dialog = ladder()
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        dialog.query_one("#keep").focus()
        await pilot.press("enter")
        await pilot.pause()
        assert host.answers == [None]
        assert engine.commands == []


async def test_the_second_press_cancels_entries_before_it_is_armed() -> None:
    engine, _, dialog = ladder()
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert not dialog.armed
        dialog.second()
        assert isinstance(engine.last, Kill)
        assert engine.last.level is KillLevel.CANCEL
        dialog.second()
        assert len(engine.commands) == 1
        await pilot.press("escape")
        assert len(engine.commands) == 1, "what was canceled is not re-armed by esc"


async def test_flatten_wants_its_word() -> None:
    engine, fuse, dialog = ladder()
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        flatten = dialog.query_one("#flatten", Verb)
        flatten.focus()
        await pilot.press("enter")
        assert engine.commands == []
        dialog.query_one("#word Input").focus()
        await pilot.press(*"flatten")
        assert not flatten.ready, "the word is in capitals"
        for _ in range(7):
            await pilot.press("backspace")
        await pilot.press(*"FLATTEN")
        await pilot.pause()
        assert flatten.ready
        flatten.focus()
        await pilot.press("enter")
        assert isinstance(engine.last, Kill)
        assert engine.last.level is KillLevel.FLATTEN


async def test_rearming_wants_its_word() -> None:
    engine, fuse, dialog = ladder(at("flatten"), lifts=False)
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert not dialog.query_one("#rearm", Verb).ready
        dialog.query_one("#word Input").focus()
        await pilot.press(*"REARM")
        await pilot.pause()
        dialog.query_one("#rearm").focus()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(engine.last, Rearm)
        assert host.answers


async def test_the_ladder_follows_a_rung_climbed_elsewhere() -> None:
    _, fuse, dialog = ladder()
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        dialog.refresh_from(at("cancel"))
        await pilot.pause()
        text = text_of(dialog)
        assert "✓ 2 cancel" in text
        assert not dialog.query_one("#go", Verb).ready
        assert "[ Back ]" in text
        assert "Lift the hold" not in text


async def test_a_refused_rung_says_why() -> None:
    engine, _, dialog = ladder()
    engine.refusal = "killed at cancel already"
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        dialog.second()
        await pilot.pause()
        assert "Refused: killed at cancel already." in text_of(dialog)
        assert dialog.level == "hold"


async def test_enter_behind_the_word_goes_to_its_button_and_not_to_lifting() -> None:
    engine, fuse, dialog = ladder()
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        dialog.query_one("#word Input").focus()
        await pilot.press(*"FLAT", "enter", "enter")
        assert engine.commands == []
        await pilot.press(*"TEN", "enter")
        assert dialog.focused is dialog.query_one("#flatten")
        assert engine.commands == []


async def test_the_numbers_of_the_ladder_follow_the_run() -> None:
    _, fuse, dialog = ladder()
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        fewer = msgspec.structs.replace(KILLED, orders=KILLED.orders[:3])  # type: ignore[index]
        dialog.refresh_from(fewer)
        await pilot.pause()
        text = text_of(dialog)
        assert "[ Cancel 1 entry ]" in text
        assert "1 entry keeps working" in text


async def test_a_locked_ladder_does_not_rearm() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = KillScreen(at("cancel"), engine.execute, locked=True, timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        text = text_of(dialog)
        assert "Re-arm" not in text
        assert "REARM" not in text
        assert "The screen is locked: L unlocks it, then it re-arms." in text
        assert "[ Flatten 1 position ]" in text
        dialog.query_one("#word Input").focus()
        await pilot.press(*"REARM", "enter", "escape")
    assert engine.commands == []


async def test_a_locked_ladder_lifts_the_hold_of_its_own_press_only() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = KillScreen(KILLED, engine.execute, lifts=True, locked=True, timer=fuse)
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert "esc lifts the hold; a locked screen cannot do it later." in (
            text_of(dialog)
        )
        dialog.second()
        await pilot.pause()
        assert "lifts the hold" not in text_of(dialog)
        await pilot.press("escape")
    assert [type(command) for command in engine.commands] == [Kill]
    engine = FakeEngine()
    dialog = KillScreen(KILLED, engine.execute, lifts=True, locked=True, timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("escape")
    assert [type(command) for command in engine.commands] == [Rearm]


async def test_a_read_only_ladder_neither_offers_nor_takes_nor_names_a_rearm() -> None:
    for shown, lifts in ((KILLED, True), (KILLED, False), (at("cancel"), False)):
        engine, fuse = FakeEngine(), Fuse()
        dialog = KillScreen(
            shown,
            engine.execute,
            lifts=lifts,
            locked=True,
            read_only=True,
            timer=fuse,
        )
        async with Host(dialog).run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            fuse.fire()
            await pilot.pause()
            text = text_of(dialog)
            assert "Re-arm" not in text
            assert "REARM" not in text
            assert "FLATTEN, for the last rung" in text
            assert ("it cannot re-arm" in text) is not lifts
            assert ("a read-only screen cannot do it later" in text) is lifts
            dialog.query_one("#word Input").focus()
            await pilot.press(*"REARM", "enter", "enter")
            await pilot.pause()
            assert engine.commands == []
            for _ in "REARM":
                await pilot.press("backspace")
            dialog.second()
            await pilot.pause()
            assert "REARM" not in text_of(dialog)


async def test_a_hold_is_halted_and_the_higher_rungs_are_killed() -> None:
    _, _, dialog = ladder()
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = text_of(dialog)
        assert "halted: hold" in text
        assert "Halted: no new orders since this key." in text
        assert "illed" not in text
        dialog.refresh_from(at("cancel"))
        await pilot.pause()
        assert "killed: cancel" in text_of(dialog)


async def test_a_breakers_kill_says_why_and_what_a_rearm_changes() -> None:
    lost = "6000 lost since the day's start, more than max_daily_loss 5000"
    sunk = "0.104000 of the highest equity lost, more than max_drawdown 0.1"
    for reason, said in (
        (f"MAX_DAILY_LOSS: {lost}", "Entries stay denied until the day ends"),
        (f"MAX_DRAWDOWN: {sunk}", "counts the drawdown anew, from 100,412.10"),
        ("ctrl+k", ""),
    ):
        killed = header(kill="cancel", kill_reason=reason)
        frame = msgspec.structs.replace(BUSY, seq=150, header=killed)
        _, _, dialog = ladder(frame, lifts=False)
        async with Host(dialog).run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            text = text_of(dialog)
            assert ("By a breaker: " in text) is bool(said)
            assert said in text


def selling(*, stands: bool = True) -> Frame:
    """Return a run that was flattened, and whose sale is at the venue."""
    row = order("o-20", OrderRole.FLATTEN)
    close = msgspec.structs.replace(
        row.order,
        side=Side.SELL,
        type=OrderType.MARKET,
        price=None,
        reduce_only=True,
        status=OrderStatus.SUBMITTED,
    )
    sale = msgspec.structs.replace(row, order=close, price=None)
    return msgspec.structs.replace(
        BUSY,
        seq=160,
        orders=(STOP, TARGET, sale),
        header=header(kill="flatten", word="KILLED", stands=stands),
    )


async def test_what_is_being_sold_already_is_said_and_not_offered_again() -> None:
    engine, fuse, dialog = ladder(selling(), lifts=False)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        text = text_of(dialog)
        assert "1 position is being sold already, once the clock moves." in text
        assert "target 64,770.00 end with the fill." in text
        assert "64,770.00 stay" not in text
        assert "Flatten 1 position" not in text
        dialog.query_one("#word Input").focus()
        await pilot.press(*"FLATTEN", "enter")
        await pilot.pause()
        assert dialog.notice.startswith("1 position is being sold already")
        assert engine.commands == []
        dialog.refresh_from(selling(stands=False))
        await pilot.pause()
        assert "1 position is being sold already." in text_of(dialog)


async def test_what_a_flatten_did_not_close_is_named() -> None:
    left = msgspec.structs.replace(selling(), orders=(STOP, TARGET))
    _, _, dialog = ladder(left, lifts=False)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = text_of(dialog)
        assert "Not being closed: +1.000 BTCUSDT of ema_cross; F closes each." in text
        assert "BTCUSDT stop 60,452.00 and target 64,770.00 stay." in text


async def test_without_an_entry_nothing_is_lit_to_cancel() -> None:
    still = msgspec.structs.replace(KILLED, orders=(STOP, TARGET))
    _, fuse, dialog = ladder(still)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert "[ Cancel no entries ]" in text_of(dialog)
        assert not dialog.query_one("#go", Verb).ready
        assert dialog.query_one("#keep", Verb).ready


async def test_a_wrong_word_gets_an_answer_until_another_is_typed() -> None:
    engine, fuse, dialog = ladder()
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        dialog.query_one("#word Input").focus()
        await pilot.press(*"sell", "enter")
        await pilot.pause()
        text = text_of(dialog)
        assert "“sell” is neither FLATTEN nor REARM, in capitals: nothing was" in text
        await pilot.press("backspace")
        await pilot.pause()
        assert "neither" not in text_of(dialog)
        assert engine.commands == []
