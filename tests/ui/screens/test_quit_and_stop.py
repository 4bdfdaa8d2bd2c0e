"""Quit and stop: what stops protecting, what is left, and what is done before."""

from __future__ import annotations

import msgspec
import pytest

from tests.ui.screens.dialogs import BUSY
from tests.ui.screens.scenes import (
    SEQ,
    STOP,
    TARGET,
    FakeEngine,
    Fuse,
    Host,
    frame,
    header,
    in_trade,
    order,
    position,
    task,
    text_of,
)
from workstation.engine.frames import OrderRow
from workstation.engine.reloading import ReloadAnswer
from workstation.model.commands import CancelOrders, Flatten, Hold, StopTask
from workstation.model.orders import OrderStatus, OrderType
from workstation.ui.screens.quit import QuitChoice, QuitScreen
from workstation.ui.screens.ritual import Verb
from workstation.ui.screens.roll_back import RollBackScreen
from workstation.ui.screens.stop_task import StopTaskScreen


def pending(id: str, instrument: str = "BTCUSDT") -> OrderRow:
    """Return an entry whose cancel is on its way."""
    row = order(id, instrument=instrument)
    canceling = msgspec.structs.replace(row.order, status=OrderStatus.PENDING_CANCEL)
    return msgspec.structs.replace(row, order=canceling)


async def test_with_nothing_exposed_quitting_is_one_button() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = QuitScreen(frame(), engine.execute, timer=fuse)
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        text = text_of(dialog)
        assert "Nothing is exposed" in text
        assert "[ Quit ]" in text
        assert "Flatten" not in text
        await pilot.press("y")
        await pilot.pause()
        assert host.answers == [QuitChoice.PLAIN]
        assert engine.commands == []


async def test_it_says_how_many_stops_stop_protecting() -> None:
    dialog = QuitScreen(BUSY, FakeEngine().execute, timer=Fuse())
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = text_of(dialog)
        assert "2 orders held here stop protecting when the engine ends" in text
        assert "when the engine ends: BTCUSDT stop 60,452.00 and target 64,770.00." in (
            text
        )
        assert "Open: +1.000 BTCUSDT of ema_cross. 2 entries work." in text
        assert "Without a stop" not in text


async def test_an_entry_that_is_held_here_does_not_work_on() -> None:
    row = order("o-15")
    stop = msgspec.structs.replace(
        row.order, type=OrderType.STOP, trigger=row.price, status=OrderStatus.HELD
    )
    held = msgspec.structs.replace(row, order=stop, held=True)
    shown = frame(orders=(held, order("o-16")))
    dialog = QuitScreen(shown, FakeEngine().execute, timer=Fuse())
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = text_of(dialog)
        assert "1 entry held here stops working when the engine ends." in text
        assert "1 entry works." in text


async def test_entries_are_canceled_and_answered_before_quitting() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = QuitScreen(BUSY, engine.execute, timer=fuse)
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press("y")
        await pilot.pause()
        assert [type(command) for command in engine.commands] == [Hold, CancelOrders]
        assert isinstance(engine.last, CancelOrders)
        assert engine.last.order_ids == ("o-15", "o-16")
        on_their_way = [
            pending("o-15"),
            pending("o-16", "ETHUSDT"),
        ]
        orders = (*(BUSY.orders or ())[:2], *on_their_way)
        dialog.refresh_from(msgspec.structs.replace(BUSY, seq=SEQ + 1, orders=orders))
        await pilot.pause()
        assert host.answers == [], "a canceled entry may still fill"
        assert "Closing 2 entries" in text_of(dialog)
        dialog.refresh_from(msgspec.structs.replace(in_trade(), seq=SEQ + 2))
        await pilot.pause()
        assert host.answers == [QuitChoice.CANCELED]


async def test_flattening_waits_until_all_is_flat_and_no_entry_works() -> None:
    engine, fuse = FakeEngine(), Fuse()
    wound: list[bool] = []
    dialog = QuitScreen(
        BUSY, engine.execute, wind_down=lambda: wound.append(True), timer=fuse
    )
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        dialog.query_one("#flatten").focus()
        await pilot.press("enter")
        await pilot.pause()
        assert [type(command) for command in engine.commands] == [
            Hold,
            Flatten,
            Flatten,
        ]
        assert wound == [True]
        assert host.answers == []
        assert "Closing 1 position and 2 entries" in text_of(dialog)
        dialog.refresh_from(msgspec.structs.replace(in_trade(), seq=SEQ + 9))
        assert host.answers == []
        entry = pending("o-15")
        dialog.refresh_from(frame(seq=SEQ + 10, orders=(entry,)))
        await pilot.pause()
        assert host.answers == []
        dialog.given_up("it took too long")
        await pilot.pause()
        assert "still open 1 entry" in text_of(dialog)
        assert "[ Quit now ]" in text_of(dialog)
        dialog.refresh_from(frame(seq=SEQ + 11))
        await pilot.pause()
        assert host.answers == [QuitChoice.FLATTENED]


@pytest.mark.parametrize("why", ["locked", "ended"])
async def test_where_nothing_can_be_done_only_back_and_quit_are_offered(
    why: str,
) -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = QuitScreen(
        BUSY, engine.execute, locked=why == "locked", ended=why == "ended", timer=fuse
    )
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for _ in range(2):
            text = text_of(dialog)
            assert "Flatten" not in text
            assert "Cancel" not in text
            assert "[ Back ]" in text
            fuse.fire()
            await pilot.pause()
        assert "[ Quit, end the run ]" in text
        await pilot.press("y")
        await pilot.pause()
    assert host.answers == [QuitChoice.PLAIN]
    assert engine.commands == []


async def test_a_refused_flatten_leaves_a_way_out() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = QuitScreen(in_trade(), engine.execute, timer=fuse)
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        engine.refusal = "the run has ended and nothing fills any more"
        dialog.query_one("#flatten").focus()
        await pilot.press("enter")
        dialog.refresh_from(msgspec.structs.replace(in_trade(), seq=SEQ + 100))
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert "Refused: the run has ended" in text_of(dialog)
        assert "[ Quit, end the run ]" in text_of(dialog)
        dialog.query_one("#go").focus()
        await pilot.press("enter")
        await pilot.pause()
    assert host.answers == [QuitChoice.PLAIN]


async def test_a_hold_that_is_there_is_not_asked_for_again() -> None:
    engine, fuse = FakeEngine(), Fuse()
    held = in_trade(header=header(hold_since_ns=1))
    dialog = QuitScreen(held, engine.execute, timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        dialog.query_one("#flatten").focus()
        await pilot.press("enter")
    assert [type(command) for command in engine.commands] == [Flatten]


async def test_a_position_may_be_left_open() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = QuitScreen(in_trade(), engine.execute, timer=fuse)
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert "[ Quit, end the run ]" in text_of(dialog)
        await pilot.press("y")
        await pilot.pause()
        assert host.answers == [QuitChoice.PLAIN]
        assert engine.commands == []


@pytest.mark.parametrize("mode", ["simulation", "recording", "paper", "live"])
async def test_only_a_venue_keeps_what_is_left_open(mode: str) -> None:
    fuse = Fuse()
    shown = msgspec.structs.replace(BUSY, header=header(mode=mode))
    kept = msgspec.structs.replace(in_trade(), header=header(mode=mode))
    for left, label in (
        (shown, "Cancel 2 entries and quit"),
        (kept, "Quit, leave 1 position open"),
    ):
        dialog = QuitScreen(left, FakeEngine().execute, timer=fuse)
        async with Host(dialog).run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            text = text_of(dialog)
        ends = mode in ("simulation", "recording")
        said = f"This is a {mode}: the run ends with the program, and all of this with"
        assert (said in text) is ends
        assert ("work on." in text) is (left is shown and not ends)
        if ends and left is kept:
            label = "Quit, end the run"
        assert f"[ {label} ]" in text


async def test_quitting_names_owners_and_what_has_no_stop() -> None:
    own = position("-2", owner="operator", instrument="ETHUSDT")
    both = msgspec.structs.replace(
        BUSY, positions=(*(BUSY.positions or ()), own), orders=(STOP, TARGET)
    )
    dialog = QuitScreen(both, FakeEngine().execute, timer=Fuse())
    async with Host(dialog).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        text = text_of(dialog)
    opened = "Open: +1.000 BTCUSDT of ema_cross and −2.000 ETHUSDT of operator."
    assert opened in text
    assert "Without a stop: −2.000 ETHUSDT of operator." in text


async def test_stopping_a_strategy_says_what_stays() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = StopTaskScreen(BUSY, engine.execute, "ema_cross", timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        text = text_of(dialog)
        assert "2 entries will be canceled." in text
        assert "In trade: +1.000 BTCUSDT" in text
        assert "stop 60,452.00 and target 64,770.00 stay held here" in text
        await pilot.press("y")
    assert engine.last == StopTask(
        task="ema_cross", reason="stopped by the operator", seen_seq=SEQ
    )


async def test_stopping_a_feed_names_who_needs_it() -> None:
    dialog = StopTaskScreen(BUSY, FakeEngine().execute, "spot", timer=Fuse())
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = text_of(dialog)
        assert "8 symbols become untrusted" in text
        assert "ema_cross needs it." in text
        assert "held stops see no prices any more" in text


async def test_dependants_can_be_given() -> None:
    dialog = StopTaskScreen(
        frame(tasks=(task("bars"),)),
        FakeEngine().execute,
        "bars",
        dependants=["ema_cross", "recorder"],
        timer=Fuse(),
    )
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "ema_cross and recorder need it." in text_of(dialog)


async def test_rolling_back_says_from_what_to_what_and_who_manages_what_is_held() -> (
    None
):
    versions = ["aaaaaaaaaa", "bbbbbbbbbb"]
    asked: list[str] = []

    def roll_back() -> ReloadAnswer:
        asked.append(versions[-2])
        return ReloadAnswer(True, "it goes back")

    dialog = RollBackScreen(
        in_trade(), "ema_cross", lambda: versions, roll_back, timer=Fuse()
    )
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        dialog.arm()
        assert dialog.sentence() == (
            "ema_cross goes back from version bbbbbbbb to aaaaaaaa, without a run in "
            "the shadow. States, orders and the parameters that were set stay. In "
            "trade: +1.000 BTCUSDT; aaaaaaaa manages it."
        )
        # A version that came meanwhile is shown before it can be confirmed.
        versions.append("cccccccccc")
        dialog.query_one("#go", Verb).action_press()
        assert asked == []
        assert "from version cccccccc to bbbbbbbb" in dialog.sentence()
        assert not dialog.armed
        dialog.arm()
        dialog.query_one("#go", Verb).action_press()
        await pilot.pause()
        assert asked == ["bbbbbbbbbb"]
        assert host.answers == [ReloadAnswer(True, "it goes back")]


async def test_without_a_version_before_nothing_is_rolled_back() -> None:
    refused = ReloadAnswer(False, "no")
    dialog = RollBackScreen(
        frame(), "ema_cross", lambda: ("aaaaaaaaaa",), lambda: refused, timer=Fuse()
    )
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        dialog.arm()
        assert "no version before this one" in dialog.sentence()
        assert not dialog.query_one("#go", Verb).ready
