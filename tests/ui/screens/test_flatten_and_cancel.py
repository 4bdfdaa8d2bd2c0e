"""Flatten and cancel: numbers on the buttons, protection kept unless it is named."""

from __future__ import annotations

import msgspec
import pytest

from tests.ui.screens.dialogs import BUSY
from tests.ui.screens.scenes import (
    STOP,
    TARGET,
    FakeEngine,
    Fuse,
    Host,
    frame,
    in_trade,
    order,
    position,
    text_of,
)
from workstation.model.commands import CancelOrders, Flatten
from workstation.model.orders import OrderRole, OrderType
from workstation.ui.screens.cancel import CancelScreen
from workstation.ui.screens.flatten import FlattenScreen
from workstation.ui.screens.ritual import Verb
from workstation.ui.screens.scene import Scene
from workstation.ui.screens.sentences import flatten_sentence, unprotected

ALL = ["o-13", "o-14", "o-15", "o-16"]


def test_flattening_says_what_is_sold_and_what_ends() -> None:
    assert flatten_sentence(Scene.of(BUSY), "BTCUSDT", "ema_cross") == (
        "Cancels 1 entry. Sells 1.000 BTCUSDT at market, mark 61,685.99, open +12.30. "
        "Stop 60,452.00 and target 64,770.00 end with the fill."
    )


def test_a_short_is_bought_back() -> None:
    short = in_trade(seq=1)
    short = msgspec.structs.replace(short, positions=(position("-2"),))
    assert "Buys 2.000 BTCUSDT" in flatten_sentence(Scene.of(short), "BTCUSDT", None)


async def test_whose_position_can_be_chosen() -> None:
    both = msgspec.structs.replace(
        in_trade(), positions=(position(), position("0.5", owner="operator"))
    )
    engine, fuse = FakeEngine(), Fuse()
    dialog = FlattenScreen(both, engine.execute, "BTCUSDT", "operator", timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert "[ Flatten 0.500 BTCUSDT ]" in text_of(dialog)
        dialog.query_one("#owner").focus()
        await pilot.press("right")
        await pilot.pause()
        text = text_of(dialog)
        assert "[ Flatten 1.500 BTCUSDT ]" in text
        assert "for ema_cross" in text
        assert "for operator" in text
        await pilot.press("y")
    assert engine.last == Flatten(
        instrument="BTCUSDT",
        owner=None,
        reason="flattened by the operator",
        seen_seq=100,
    )


async def test_nothing_to_flatten_cannot_be_pressed() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = FlattenScreen(frame(), engine.execute, "BTCUSDT", timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press("y")
        assert "Nothing is held" in text_of(dialog)
        assert engine.commands == []


async def test_cancel_all_keeps_stops_and_targets() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = CancelScreen(BUSY, engine.execute, ALL, timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        text = text_of(dialog)
        assert "Cancels 2 orders; stop 60,452.00 and target 64,770.00 stay." in text
        assert "leaves 1.000 BTCUSDT of ema_cross without a stop" in text
        await pilot.press("y")
    assert isinstance(engine.last, CancelOrders)
    assert engine.last.order_ids == ("o-15", "o-16")


async def test_removing_protection_is_a_separate_button() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = CancelScreen(BUSY, engine.execute, ALL, timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        remove = dialog.query_one("#remove", Verb)
        assert remove.label == "Cancel 4, remove protection"
        remove.focus()
        await pilot.press("enter")
    assert isinstance(engine.last, CancelOrders)
    assert engine.last.order_ids == tuple(ALL)


async def test_one_protecting_order_names_what_stays_without_it() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = CancelScreen(BUSY, engine.execute, ["o-13"], timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        text = text_of(dialog)
        assert "leaves 1.000 BTCUSDT of ema_cross without a stop" in text
        assert "[ Remove 1 stop ]" in text
        assert not dialog.query_one("#go").display
        await pilot.press("y")
    assert isinstance(engine.last, CancelOrders)
    assert engine.last.order_ids == ("o-13",)


async def test_an_order_that_is_gone_can_not_be_canceled_twice() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = CancelScreen(BUSY, engine.execute, ["o-15"], timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        dialog.refresh_from(in_trade())
        await pilot.pause()
        assert "gone" in text_of(dialog)


@pytest.mark.parametrize(
    ("orders", "removed", "text"),
    [
        ((STOP, TARGET), (STOP,), "1.000 BTCUSDT of ema_cross"),
        ((STOP, TARGET), (TARGET,), ""),
        ((STOP, order("o-20", OrderRole.STOP)), (STOP,), ""),
        ((STOP,), (), ""),
    ],
)
def test_unprotected_is_what_loses_its_last_stop(
    orders: tuple[object, ...], removed: tuple[object, ...], text: str
) -> None:
    scene = Scene.of(frame(orders=orders, positions=(position(),)))
    assert unprotected(scene, removed) == text  # type: ignore[arg-type]


async def test_y_removes_no_protection_when_nothing_else_is_left() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = CancelScreen(BUSY, engine.execute, ["o-13", "o-14"], timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert "[ Remove 2 stops and targets ]" in text_of(dialog)
        await pilot.press("y")
        await pilot.pause()
        assert engine.commands == []
        assert "All that is left protects" in text_of(dialog)
        dialog.query_one("#remove", Verb).action_press()
    assert isinstance(engine.last, CancelOrders)
    assert engine.last.order_ids == ("o-13", "o-14")


def test_a_stop_of_one_s_own_leaves_its_position_bare_too() -> None:
    own = order("o-20", OrderRole.EXIT, owner="operator", price="61000.00")
    own = msgspec.structs.replace(
        own,
        order=msgspec.structs.replace(
            own.order, type=OrderType.STOP, reduce_only=True, trigger=own.price
        ),
    )
    scene = Scene.of(frame(orders=(own,), positions=(position(owner="operator"),)))
    assert unprotected(scene, [own]) == "1.000 BTCUSDT of operator"
