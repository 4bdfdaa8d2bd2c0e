"""The override dialog: legal choices, a preview with numbers, the command it sends."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.ui.screens.scenes import (
    STOP,
    TARGET,
    TS,
    FakeEngine,
    Fuse,
    Host,
    frame,
    in_trade,
    order,
    position,
    row,
    text_of,
)
from workstation.engine.frames import Frame, SymbolRow
from workstation.engine.override_plan import choices, plan_override
from workstation.model.commands import Disposition, HandBack, Override
from workstation.model.orders import OrderRole, OrderStatus, OrderType
from workstation.model.states import SymbolState
from workstation.model.timeframes import NS_PER_S
from workstation.ui.screens.fields import ChoiceLine, TextField
from workstation.ui.screens.override import OverrideScreen
from workstation.ui.screens.override_all import OverrideAllScreen
from workstation.ui.screens.override_fields import OverrideRitual
from workstation.ui.screens.ritual import Verb
from workstation.ui.screens.scene import Scene
from workstation.ui.screens.sentences import override_sentence

WATCH, CLOSE, IN = SymbolState


def dialog_on(shown: Frame) -> tuple[FakeEngine, Fuse, OverrideScreen]:
    engine, fuse = FakeEngine(), Fuse()
    return (
        engine,
        fuse,
        OverrideScreen(shown, engine.execute, "ema_cross", "BTCUSDT", timer=fuse),
    )


def say(
    shown: Frame,
    target: SymbolState,
    disposition: Disposition,
    *,
    lock: bool = False,
    until_ns: int | None = None,
) -> str:
    scene = Scene.of(shown)
    one = scene.row("ema_cross", "BTCUSDT")
    assert one is not None
    command = Override(
        strategy="ema_cross",
        instrument="BTCUSDT",
        state=target,
        disposition=disposition,
        lock=lock,
        expires_ns=until_ns,
    )
    now = 0 if until_ns is None else until_ns - 1
    plan = plan_override(scene.holdings(one), command, now)
    return override_sentence(scene, one, plan)


def legal(shown: Frame, one: SymbolRow) -> dict[SymbolState, tuple[Disposition, ...]]:
    return choices(Scene.of(shown).holdings(one), 0)


@pytest.mark.parametrize(
    ("state", "states"), [(WATCH, (WATCH, CLOSE)), (CLOSE, (CLOSE, WATCH))]
)
def test_legal_states_without_a_position(
    state: SymbolState, states: tuple[SymbolState, ...]
) -> None:
    shown = frame(symbols=(row(state=state),))
    assert tuple(legal(shown, row(state=state))) == states


def test_in_trade_is_offered_only_where_a_position_can_be_adopted() -> None:
    shown = frame(positions=(position(owner="operator"),))
    assert tuple(legal(shown, row())) == (WATCH, CLOSE, IN)
    assert legal(shown, row())[IN] == (Disposition.ADOPT,)
    other = frame(positions=(position(owner="operator", instrument="ETHUSDT"),))
    assert IN not in legal(other, row())


def test_out_of_in_trade_only_by_flattening_or_handing_over() -> None:
    found = legal(in_trade(), row(state=IN))
    assert tuple(found) == (IN, WATCH)
    assert found[WATCH] == (Disposition.HAND_OVER, Disposition.FLATTEN)
    # In trade it stays only as it is: what closes it leads out.
    assert found[IN] == (Disposition.KEEP,)


def test_an_entry_that_works_is_canceled_on_the_way_out() -> None:
    shown = frame(symbols=(row(state=IN),), orders=(order(),))
    assert legal(shown, row(state=IN))[WATCH] == (
        Disposition.FLATTEN,
        Disposition.CANCEL,
    )
    assert "cancels 1 entry" in say(shown, WATCH, Disposition.CANCEL)


def test_the_sentence_has_the_numbers() -> None:
    entries = (order(), order("o-15"))
    busy = frame(orders=(*entries, STOP), positions=(position("0.010"),))
    assert say(busy, WATCH, Disposition.CANCEL) == (
        "BTCUSDT: stays in Watch, cancels 2 entries, keeps +0.010, "
        "stop 60,452.00 stays."
    )
    assert "keeps 2 entries" in say(busy, CLOSE, Disposition.KEEP)


def test_flattening_says_what_is_sold_and_what_ends() -> None:
    assert say(in_trade(), WATCH, Disposition.FLATTEN) == (
        "BTCUSDT: to Watch once nothing is held or working, sells 1.000 BTCUSDT at "
        "market, mark 61,685.99, open +12.30, stop 60,452.00 and target 64,770.00 end "
        "with the fill."
    )


def test_handing_over_takes_the_protection_along() -> None:
    text = say(in_trade(), WATCH, Disposition.HAND_OVER)
    assert "hands +1.000 to the operator" in text
    assert "stop 60,452.00 and target 64,770.00 go with it" in text


def test_a_stop_order_that_only_reduces_ends_where_its_owner_gives_all_away() -> None:
    exit_ = order("o-15", OrderRole.EXIT, price="60000.00")
    stop = structs.replace(
        exit_.order,
        type=OrderType.STOP,
        trigger=exit_.price,
        price=None,
        reduce_only=True,
        status=OrderStatus.HELD,
    )
    held = structs.replace(exit_, order=stop, held=True)
    shown = frame(
        orders=(STOP, held), positions=(position(),), symbols=(row(state=IN),)
    )
    text = say(shown, WATCH, Disposition.HAND_OVER)
    assert "stop 60,452.00 goes with it, stop 60,000.00 ends" in text


def test_adopting_names_whose_position() -> None:
    shown = frame(positions=(position(owner="operator"),))
    assert "adopts +1.000 BTCUSDT of operator" in say(shown, IN, Disposition.ADOPT)


def test_the_lock_and_its_end_are_said() -> None:
    text = say(frame(), WATCH, Disposition.KEEP, lock=True, until_ns=TS)
    assert text.endswith("locked in manual until 23:55 UTC.")
    text = say(frame(), WATCH, Disposition.KEEP, lock=True)
    assert text.endswith("locked in manual until handed back.")
    locked = frame(symbols=(row(manual=True),))
    assert "the manual lock ends" in say(locked, WATCH, Disposition.KEEP)


async def test_it_sends_what_was_chosen_by_keys() -> None:
    engine, fuse, dialog = dialog_on(frame(orders=(order(),)))
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        dialog.query_one("#state").focus()
        await pilot.press("right", "tab", "right", "tab", "left", "tab", "right")
        await pilot.press("tab", *"too fast")
        await pilot.pause()
        shown = text_of(dialog)
        assert "Watch to CloseWatch, cancels 1 entry" in shown
        assert "locked in manual until 00:00 UTC" in shown
        fuse.fire()
        await pilot.press("tab", "tab", "enter")
        await pilot.pause()
        assert host.answers
    assert engine.last == Override(
        strategy="ema_cross",
        instrument="BTCUSDT",
        state=CLOSE,
        disposition=Disposition.CANCEL,
        lock=True,
        expires_ns=TS + 300 * NS_PER_S,
        reason="too fast",
        seen_seq=100,
    )


async def test_a_reason_is_required() -> None:
    engine, fuse, dialog = dialog_on(frame())
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press("y")
        assert engine.commands == []
        assert not dialog.query_one("#go", Verb).ready


async def test_another_span_is_checked_as_it_is_typed() -> None:
    _, fuse, dialog = dialog_on(frame())
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        dialog.query_one("#lock", ChoiceLine).value = "yes"
        await pilot.pause()
        dialog.query_one("#expiry", ChoiceLine).value = "custom"
        await pilot.pause()
        dialog.query_one("#reason", TextField).entry.value = "x"
        custom = dialog.query_one("#custom", TextField)
        custom.entry.focus()
        await pilot.press(*"90")
        assert "a count and a unit" in text_of(dialog)
        assert not dialog.query_one("#go", Verb).ready
        await pilot.press("s")
        assert dialog.until_ns == TS + 90 * NS_PER_S
        assert dialog.query_one("#go", Verb).ready


@pytest.mark.parametrize("several", [False, True])
async def test_there_is_no_end_without_a_lock(several: bool) -> None:
    engine, key = FakeEngine(), ("ema_cross", "BTCUSDT")
    dialog: OverrideRitual = (
        OverrideAllScreen(frame(), engine.execute, [key], timer=Fuse())
        if several
        else OverrideScreen(frame(), engine.execute, *key, timer=Fuse())
    )
    async with Host(dialog).run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        dialog.query_one("#lock", ChoiceLine).value = "yes"
        await pilot.pause()
        dialog.query_one("#expiry", ChoiceLine).value = "1h"
        await pilot.pause()
        assert dialog.until_ns == TS + 3_600 * NS_PER_S
        dialog.query_one("#lock", ChoiceLine).value = "no"
        await pilot.pause()
        assert "no lock, no end" in text_of(dialog)
        assert not dialog.query_one("#expiry", ChoiceLine).can_focus
        assert dialog.until_ns is None


async def test_a_locked_row_can_be_handed_back() -> None:
    engine, fuse, dialog = dialog_on(frame(symbols=(row(manual=True),)))
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        dialog.query_one("#hand_back").focus()
        await pilot.press("enter")
    assert isinstance(engine.last, HandBack)


async def test_after_a_refusal_the_choices_are_those_that_are_legal_now() -> None:
    engine, fuse, dialog = dialog_on(frame(orders=(order(),)))
    engine.refusal = "it has filled"
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        dialog.query_one("#reason", TextField).entry.value = "x"
        await pilot.pause()
        fuse.fire()
        await pilot.press("y")
        await pilot.pause()
        dialog.refresh_from(in_trade(seq=200))
        await pilot.pause()
        assert dialog.query_one("#state", ChoiceLine).options == (IN, WATCH)
        text = text_of(dialog)
        assert "Refused: it has filled." in text
        assert "stays in Watch" not in text
        assert TARGET.symbol in text
