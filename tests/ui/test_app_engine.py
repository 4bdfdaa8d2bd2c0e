"""Keys and what they do to a real engine: the shipped simulation, driven by hand."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from textual.pilot import Pilot

from tests.ui import fakes
from tests.ui.test_app import footer, layout_of, text_of
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import PlayState
from workstation.engine.session import Session
from workstation.kernel.tasks import TaskState
from workstation.model.commands import PlaceOrder
from workstation.model.instruments import Side
from workstation.model.orders import OrderRole, OrderType
from workstation.model.positions import Position
from workstation.model.records import DenyRecord, Record, SignalRecord
from workstation.model.states import SymbolState
from workstation.ui.app import WorkstationApp
from workstation.ui.screens.cancel import CancelScreen
from workstation.ui.screens.detail import DetailScreen
from workstation.ui.screens.flatten import FlattenScreen
from workstation.ui.screens.go_until import GoUntilScreen
from workstation.ui.screens.inject import InjectScreen
from workstation.ui.screens.layout import LayoutScreen
from workstation.ui.screens.override import OverrideScreen
from workstation.ui.screens.stop_task import StopTaskScreen


@asynccontextmanager
async def running(
    events: int = 0, *, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[WorkstationApp, Pilot[int], Session]]:
    """Open the screen on a paused run that has delivered ``events``."""
    config = fakes.config()
    session = assemble_session(config.run, journal=False, paused=True)
    for _ in range(events):
        session.driver.step()
    app = WorkstationApp(
        config, session=session, themes=fakes.THEMES, environ={"TERM": "xterm"}
    )
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.pause()
        yield app, pilot, session


def held(session: Session) -> list[Position]:
    frame = session.frame(0, frozenset({"positions"}))
    return [row.position for row in frame.positions or ()]


def trading(session: Session, most: int = 40_000) -> None:
    """Step until a position is held."""
    for _ in range(most):
        session.driver.step()
        if held(session):
            return
    raise AssertionError("nothing was bought")


async def focus_on(
    app: WorkstationApp, pilot: Pilot[int], panel: str, key: str
) -> None:
    layout = layout_of(app)
    layout.focus_panel(panel)
    await pilot.pause()
    app.bridge.pump_once()
    assert layout.panels[panel].jump_to(key)
    app.bridge.pump_once()


async def test_full_stop_delivers_one_event() -> None:
    async with running() as (_, pilot, session):
        await pilot.press("full_stop", "full_stop")
        assert session.engine.delivered == 2


async def test_comma_goes_to_the_next_bar_of_the_focused_row() -> None:
    async with running() as (app, pilot, session):
        window = session.aggregator.bars("BTCUSDT", app.focus.base)
        for bars in (1, 2):
            await pilot.press("comma")
            while app.is_stepping:
                await pilot.pause()
            assert window.total == bars
            assert session.driver.state is PlayState.PAUSED
            assert "to the next bar of BTCUSDT." in footer(app)


async def test_comma_says_when_no_bar_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workstation.ui.verbs.clock._MOST_EVENTS", 30)
    async with running() as (app, pilot, session):
        await pilot.press("comma")
        while app.is_stepping:
            await pilot.pause()
        assert footer(app) == "No bar of BTCUSDT in 30 events."
        assert session.engine.delivered == 30


async def test_space_lets_the_clock_run_and_stops_it() -> None:
    async with running() as (_, pilot, session):
        await pilot.press("space")
        assert str(session.driver.state) == "playing"
        for _ in range(200):
            await asyncio.sleep(0)
        await pilot.press("space")
        assert session.driver.state is PlayState.PAUSED
        assert session.engine.delivered > 0


async def test_speed_keys_change_the_driver_s_speed() -> None:
    async with running() as (_, pilot, session):
        await pilot.press("greater_than_sign")
        assert session.driver.speed == 10
        await pilot.press("less_than_sign", "less_than_sign")
        assert session.driver.speed == 2


async def test_h_holds_the_engine_and_lifts_it() -> None:
    async with running(50) as (app, pilot, session):
        await pilot.press("H")
        assert session.executor.hold
        await pilot.pause()
        assert " HOLD " in text_of(app).split("\n")[0]
        await pilot.press("H")
        assert not session.executor.hold


async def test_ctrl_k_kills_and_escape_lifts_it() -> None:
    async with running(50) as (_, pilot, session):
        await pilot.press("ctrl+k")
        await pilot.pause()
        assert session.executor.kill_level == "hold"
        await pilot.press("escape")
        await pilot.pause()
        assert session.executor.kill_level is None
        await pilot.press("ctrl+k", "ctrl+k")
        assert session.executor.kill_level == "cancel"


async def test_o_overrides_a_row_with_a_reason() -> None:
    async with running(50) as (app, pilot, session):
        await pilot.press("o")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, OverrideScreen)
        assert screen.instrument == "BTCUSDT"
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, LayoutScreen)
        assert session.strategies[0].rows["BTCUSDT"].state is SymbolState.WATCH


async def test_p_pauses_a_feed_whose_books_are_untrusted_then() -> None:
    async with running(500) as (app, pilot, session):
        await pilot.press("2")
        await pilot.pause()
        await focus_on(app, pilot, "feeds", "market")
        await pilot.press("p")
        assert session.engine.registry.get("market").state is TaskState.PAUSED
        await pilot.press("1")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        assert (
            "! BTCUSDT" in text_of(app)
            or "▸! BTCUSDT" in text_of(app)
            or ("▸!BTCUSDT" in text_of(app))
        )


async def test_p_s_r_x_act_on_the_strategy_below_the_cursor() -> None:
    async with running(500) as (app, pilot, session):
        await pilot.press("2")
        await pilot.pause()
        await focus_on(app, pilot, "tasks", "ema_cross")
        task = session.engine.registry.get("ema_cross")
        await pilot.press("s")
        assert "not paused" in footer(app)
        await pilot.press("p")
        assert task.state.value == "paused"
        await pilot.press("p")
        assert task.state.value == "running"
        await pilot.press("r")
        assert task.restarts == 1
        await pilot.press("x")
        await pilot.pause()
        assert isinstance(app.screen, StopTaskScreen)
        assert task.state is TaskState.RUNNING


async def test_held_stops_are_shown_and_what_they_mean() -> None:
    config = fakes.config()
    session = assemble_session(config.run, journal=False, paused=True)
    trading(session)
    app = WorkstationApp(config, session=session, themes=fakes.THEMES, environ={})
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.pause()
        text = text_of(app)
    assert "stop! held" in text
    assert "held here: they stop protecting when the engine stops" in text
    assert " total " in text


async def test_f_flattens_what_the_row_holds() -> None:
    async with running() as (app, pilot, session):
        trading(session)
        symbol = held(session)[0].instrument
        await focus_on(app, pilot, "symbols", symbol)
        await pilot.press("F")
        await pilot.pause()
        assert isinstance(app.screen, FlattenScreen)
        app.screen.arm()
        await pilot.press("y")
        await pilot.pause()
        for _ in range(2_000):
            if symbol not in [position.instrument for position in held(session)]:
                return
            session.driver.step()
        raise AssertionError(f"{symbol} is still held")


async def test_c_asks_before_it_cancels_a_stop_and_cancels_it() -> None:
    async with running() as (app, pilot, session):
        trading(session)
        frame = session.frame(0, frozenset({"orders"}))
        stop = next(r.order for r in frame.orders or () if r.order.is_protection)
        await focus_on(app, pilot, "orders", stop.id)
        await pilot.press("c")
        await pilot.pause()
        assert isinstance(app.screen, CancelScreen)
        frame = session.frame(0, frozenset({"orders"}))
        assert stop.id in [row.order.id for row in frame.orders or ()]


async def test_g_plays_until_the_goal_and_pauses() -> None:
    async with running(10) as (app, pilot, session):
        await pilot.press("g")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, GoUntilScreen)
        assert screen.kind == "signal"
        screen.arm()
        await pilot.pause()
        screen.action_go()
        await pilot.pause()
        assert session.driver.goal_text.startswith("next signal")
        session.driver.set_speed(100_000)
        for _ in range(20_000):
            await asyncio.sleep(0)
            if session.driver.state is PlayState.PAUSED:
                break
        assert session.driver.state is PlayState.PAUSED
        # The same run, stepped by hand until its first signal.
        twin = assemble_session(session.run, journal=False, paused=True)
        records: list[Record] = []
        twin.engine.core.sinks.append(lambda record, encoded: records.append(record))
        while not any(isinstance(record, SignalRecord) for record in records):
            assert twin.driver.step()
        assert session.engine.delivered == twin.engine.delivered
        assert session.engine.state_hash() == twin.engine.state_hash()


async def test_i_injects_a_quote_that_the_engine_takes() -> None:
    async with running(500) as (app, pilot, session):
        await pilot.press("2")
        await pilot.pause()
        await focus_on(app, pilot, "tasks", "ema_cross")
        before = session.engine.core.seq
        await pilot.press("i")
        await pilot.pause()
        assert isinstance(app.screen, InjectScreen)
        app.screen.arm()
        app.screen.action_go()
        await pilot.pause()
        assert session.engine.core.seq == before + 1
        assert list(session.control.injected) == [before + 1]


async def test_frames_that_are_looked_at_change_no_decision() -> None:
    config = fakes.config()
    bare = assemble_session(config.run, journal=False, paused=True)
    for _ in range(300):
        bare.driver.step()
    async with running() as (app, pilot, session):
        for step in range(300):
            if step < 20:
                await pilot.press("full_stop")
            else:
                session.driver.step()
            if step % 50 == 0:
                app.bridge.pump_once()
        assert session.engine.delivered == 300
        assert session.engine.state_hash() == bare.engine.state_hash()


async def test_sigterm_ends_the_run_in_order() -> None:
    async with running(50) as (app, pilot, session):
        os.kill(os.getpid(), signal.SIGTERM)
        await pilot.pause()
        await pilot.pause()
    assert app.return_value == 0
    assert session.engine.closed


def rejected_order(session: Session) -> str:
    """Send an order that may not take, but would, and return its id."""
    for _ in range(300):
        session.driver.step()
    ask = session.touch("BTCUSDT").ask
    assert ask is not None
    outcome = session.execute(
        PlaceOrder(
            instrument="BTCUSDT",
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            quantity=Decimal("0.01"),
            price=Decimal(round(ask + 10)),
            post_only=True,
        )
    )
    assert outcome.accepted
    return max(order.id for order in session.executor.orders())


async def test_an_order_that_is_rejected_is_said_in_footer_alert_and_detail() -> None:
    async with running(size=(80, 24)) as (app, pilot, session):
        order_id = rejected_order(session)
        app.bridge.pump_once()
        for _ in range(30):
            await pilot.press("full_stop")
            if "rejected" in footer(app):
                break
        why = "post_only: it would take 0.01 at once"
        assert footer(app) == f"One event: order 1 rejected, {why}."
        assert f"! order 1 rejected: {why}" in text_of(app)
        await pilot.press("a", "enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        assert f"Order {order_id}" in text_of(app)


async def test_enter_in_the_log_opens_the_order_that_its_line_tells_of() -> None:
    async with running(size=(80, 24)) as (app, pilot, session):
        order_id = rejected_order(session)
        for _ in range(30):
            session.driver.step()
        await pilot.press("7")
        await pilot.pause()
        app.bridge.pump_once()
        panel = layout_of(app).panels["log_all"]
        panel.set_filter("rejected")
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        assert f"Order {order_id}" in text_of(app)
        assert "rejected" in text_of(app)


async def test_enter_in_the_log_on_a_denial_tells_all_of_it() -> None:
    async with running(size=(80, 24)) as (app, pilot, session):
        core = session.engine.core
        text = " ".join(f"word{number}" for number in range(30))
        core.record(
            DenyRecord(
                seq=core.seq,
                ts=core.ts,
                owner="ema_cross",
                instrument="BTCUSDT",
                role=OrderRole.ENTRY,
                code="MAX_ORDER_VALUE",
                text=text,
            )
        )
        await pilot.press("7")
        await pilot.pause()
        app.bridge.pump_once()
        layout_of(app).panels["log_all"].set_filter("MAX_ORDER_VALUE")
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        told = " ".join(text_of(app).split())
        assert text in told
        assert "owner ema_cross" in told


async def test_a_hold_and_a_lock_are_seen_while_one_steps() -> None:
    async with running(50, size=(80, 24)) as (app, pilot, _):
        await pilot.press("full_stop", "H")
        await pilot.pause()
        assert " HOLD STEP " in text_of(app).split("\n")[0]
        await pilot.press("L")
        assert " HOLD STEP LOCKED " in text_of(app).split("\n")[0]


async def test_o_on_a_position_of_the_operators_overrides_no_other_row() -> None:
    async with running(size=(80, 24)) as (app, pilot, session):
        trading(session)
        (position,) = held(session)
        session.executor.handover(position.owner, position.instrument)
        session.driver.step()
        await pilot.press("3")
        await pilot.pause()
        await focus_on(app, pilot, "positions", position.instrument)
        await pilot.press("o")
        await pilot.pause()
        assert not isinstance(app.screen, OverrideScreen)
        assert footer(app) == (
            f"Nobody manages it: F flattens; o on {position.owner}'s row adopts."
        )
