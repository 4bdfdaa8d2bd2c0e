"""An order of unknown fate: cancel it again, or close it with a reason."""

from __future__ import annotations

from tests.ui.screens.dialogs import BUSY, LOST
from tests.ui.screens.scenes import FakeEngine, Fuse, Host, text_of
from workstation.model.commands import CancelOrders, CloseUnknown
from workstation.ui.screens.ritual import Verb
from workstation.ui.screens.unknown import UnknownScreen


async def test_it_says_what_is_not_known_and_closes_only_with_a_reason() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = UnknownScreen(LOST, engine.execute, "o-16", timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        text = " ".join(text_of(dialog).split())
        assert "whether 1.000 ETHUSDT are still at work: no answer for 5 s" in text
        close = dialog.query_one("#close", Verb)
        assert not close.ready
        dialog.query_one("#reason Input").focus()
        await pilot.press(*"desk")
        await pilot.pause()
        assert close.ready
        close.focus()
        await pilot.press("enter")
    assert engine.last == CloseUnknown(order_id="o-16", reason="desk", seen_seq=100)


async def test_it_can_be_canceled_again_without_a_word() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = UnknownScreen(LOST, engine.execute, "o-16", timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press("y")
    assert engine.last == CancelOrders(
        order_ids=("o-16",), reason="canceled by the operator", seen_seq=100
    )


async def test_once_the_venue_has_answered_nothing_can_be_pressed() -> None:
    engine, fuse = FakeEngine(), Fuse()
    dialog = UnknownScreen(BUSY, engine.execute, "o-16", timer=fuse)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press("y")
        assert "its fate is known" in text_of(dialog)
        assert engine.commands == []
