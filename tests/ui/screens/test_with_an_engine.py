"""Dialogs on a real simulated run: what a sentence promises is what the engine does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal as D
from typing import Any

import pytest

from tests.engine.runs import PANELS, small
from tests.ui.screens.scenes import Fuse, Host, text_of
from workstation.engine.frames import Frame
from workstation.engine.session import Session
from workstation.model.commands import (
    Disposition,
    Flatten,
    Kill,
    KillLevel,
    PlaceOrder,
)
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus, OrderType
from workstation.model.states import SymbolState
from workstation.ui import goals
from workstation.ui.screens.cancel import CancelScreen
from workstation.ui.screens.fields import ChoiceLine, TextField
from workstation.ui.screens.flatten import FlattenScreen
from workstation.ui.screens.flatten_plan import may_flatten
from workstation.ui.screens.inject import InjectScreen
from workstation.ui.screens.kill import KillScreen
from workstation.ui.screens.override import OverrideScreen
from workstation.ui.screens.scene import Scene
from workstation.ui.screens.sentences import flatten_sentence


def look(session: Session) -> Frame:
    return session.frame(0, PANELS)


@pytest.fixture
def session() -> Iterator[Session]:
    made = small()
    made.engine.start()
    yield made
    made.close()


@pytest.fixture
def held(session: Session) -> Session:
    """Return a run at the first moment with a protected position."""
    for _ in range(5_000):
        scene = Scene.of(look(session)) if session.engine.store.fills else None
        if scene is not None and scene.held() and scene.protection():
            return session
        assert session.engine.step(), "the run ended without a protected position"
    raise AssertionError("no protected position in 5,000 steps")


async def press(dialog: Any, *keys: str) -> Host:
    """Open a dialog, arm it, press keys."""
    fuse = Fuse()
    dialog._timer = fuse
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
    return host


def test_a_goal_stops_the_real_run_at_its_record(session: Session) -> None:
    engine = session.engine
    goal = goals.on_fill(engine)
    fills = 0
    while not goal.reached(engine):
        fills = len(engine.store.fills)
        assert engine.step()
    assert len(engine.store.fills) > fills
    assert not goal.reached(engine)


async def test_flatten_closes_what_it_named(held: Session) -> None:
    row = Scene.of(look(held)).held()[0]
    owner, instrument = row.position.owner, row.position.instrument
    await press(FlattenScreen(look(held), held.execute, instrument, owner), "y")
    for _ in range(200):
        if not Scene.of(look(held)).held(owner, instrument):
            break
        held.engine.step()
    scene = Scene.of(look(held))
    assert not scene.held(owner, instrument)
    assert not scene.protection(owner, instrument), "it ends with the fill"


async def test_a_second_flatten_promises_no_sale_that_is_refused(
    session: Session,
) -> None:
    def step_until(reached: Callable[[Scene], object]) -> Scene:
        for _ in range(500):
            if reached(scene := Scene.of(look(session))):
                return scene
            assert session.engine.step()
        raise AssertionError("it was not reached in 500 steps")

    one = "BTCUSDT"
    step_until(lambda scene: (row := scene.market(one)) and row.last)
    buy = PlaceOrder(
        instrument=one,
        side=Side.BUY,
        quantity=D("0.01"),
        order_type=OrderType.MARKET,
    )
    assert session.execute(buy).accepted
    step_until(lambda scene: scene.held("operator", one))
    touch = session.touch(one)
    assert touch.ask is not None
    sell = PlaceOrder(
        instrument=one,
        side=Side.SELL,
        quantity=D("0.01"),
        order_type=OrderType.LIMIT,
        price=D(round(touch.ask * 1.01)),
        reduce_only=True,
    )
    assert session.execute(sell).accepted
    exit = step_until(
        lambda scene: [
            row
            for row in scene.working("operator", one)
            if row.order.status is OrderStatus.ACCEPTED
        ]
    ).working("operator", one)[0]

    dialog = FlattenScreen(look(session), session.execute, one, "operator")
    host = await press(dialog, "y")
    assert host.answers
    assert "Cancels the exit at" in flatten_sentence(dialog.basis, one, "operator")
    assert "once it is canceled" in flatten_sentence(dialog.basis, one, "operator")

    for _ in range(500):
        frame = look(session)
        scene = Scene.of(frame)
        if not scene.held("operator", one):
            break
        again = flatten_sentence(scene, one, "operator")
        offered = may_flatten(scene, one, "operator")
        assert offered is ("is being sold already" not in again)
        answer = session.execute(Flatten(instrument=one, owner="operator"))
        assert answer.accepted is offered, (again, answer.detail)
        assert session.engine.step()
    assert not Scene.of(look(session)).held("operator", one)
    history = session.order_history(exit.order.id)
    assert history is not None
    assert history.order.status is OrderStatus.CANCELED


async def test_a_change_behind_the_dialog_is_refused_by_the_engine(
    held: Session,
) -> None:
    row = Scene.of(look(held)).held()[0]
    owner, instrument = row.position.owner, row.position.instrument
    dialog = FlattenScreen(look(held), held.execute, instrument, owner)
    fuse = Fuse()
    dialog._timer = fuse
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        held.execute(Flatten(instrument=instrument, owner=owner))
        await pilot.press("y")
        await pilot.pause()
        assert host.answers == []
        assert "Refused:" in text_of(dialog)
        dialog.refresh_from(look(held))
        await pilot.pause()
        assert dialog.seen_seq == look(held).seq


async def test_removing_a_stop_removes_only_that_stop(held: Session) -> None:
    guard = Scene.of(look(held)).protection()
    stop = next(row for row in guard if row.order.role == "stop")
    await press(CancelScreen(look(held), held.execute, [stop.order.id]), "y")
    left = {row.order.id for row in Scene.of(look(held)).protection()}
    assert left == {row.order.id for row in guard} - {stop.order.id}


async def test_escape_in_the_ladder_lifts_the_hold(session: Session) -> None:
    session.execute(Kill(level=KillLevel.HOLD))
    assert look(session).header.kill == "hold"
    await press(KillScreen(look(session), session.execute, lifts=True), "escape")
    assert look(session).header.kill is None


async def test_the_ladder_keeps_protection_when_it_cancels(held: Session) -> None:
    guard = {row.order.id for row in Scene.of(look(held)).protection()}
    held.execute(Kill(level=KillLevel.HOLD))
    dialog = KillScreen(look(held), held.execute, lifts=True)
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        # With no entry its button is not lit; ctrl+k climbs even so.
        dialog.second()
        await pilot.pause()
    scene = Scene.of(look(held))
    assert scene.header.kill == "cancel"
    assert {row.order.id for row in scene.protection()} == guard
    assert scene.entries() == ()


async def test_a_position_is_handed_over_and_adopted_back(held: Session) -> None:
    row = Scene.of(look(held)).held()[0]
    owner, instrument = row.position.owner, row.position.instrument
    dialog = OverrideScreen(look(held), held.execute, owner, instrument)
    fuse = Fuse()
    dialog._timer = fuse
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        dialog.query_one("#state", ChoiceLine).value = SymbolState.WATCH
        await pilot.pause()
        assert dialog.disposition is Disposition.HAND_OVER
        dialog.query_one("#lock", ChoiceLine).value = "yes"
        dialog.query_one("#reason", TextField).entry.value = "mine now"
        await pilot.pause()
        fuse.fire()
        await pilot.press("y")
        await pilot.pause()
        assert host.answers, text_of(dialog)
    scene = Scene.of(look(held))
    assert scene.held("operator", instrument)
    assert not scene.held(owner, instrument)
    after = scene.row(owner, instrument)
    assert after is not None
    assert after.state is SymbolState.WATCH
    assert after.manual

    back = OverrideScreen(look(held), held.execute, owner, instrument)
    host = Host(back)
    fuse = Fuse()
    back._timer = fuse
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        back.query_one("#state", ChoiceLine).value = SymbolState.IN_TRADE
        back.query_one("#reason", TextField).entry.value = "take it back"
        await pilot.pause()
        assert back.disposition is Disposition.ADOPT
        fuse.fire()
        await pilot.press("y")
        await pilot.pause()
        assert host.answers, text_of(back)
    assert Scene.of(look(held)).held(owner, instrument)


async def test_an_injected_quote_is_an_input_of_the_run(held: Session) -> None:
    before = look(held).seq
    dialog = InjectScreen(
        look(held), held.execute, held.instruments, "BTCUSDT", "ema_cross"
    )
    host = await press(dialog, "y")
    assert host.answers, "the form starts as a good event"
    frame = look(held)
    assert frame.seq > before
    assert frame.injected
