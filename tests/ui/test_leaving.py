"""Leaving a real run: what is asked for, what is waited for, what is never done."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from tests.engine.runs import SMALL
from tests.ui import fakes
from tests.ui.screens.scenes import text_of
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import PlayState
from workstation.engine.session import Session
from workstation.model.orders import OrderRole
from workstation.ui.app import WorkstationApp
from workstation.ui.screens.kill import KillScreen
from workstation.ui.screens.quit import QuitScreen


@asynccontextmanager
async def exposed(
    *overrides: str, read_only: bool = False, entry: bool = False
) -> AsyncIterator[tuple[WorkstationApp, Pilot[int], Session]]:
    """Open the screen on a paused run that holds a position, or has an entry out."""
    config = fakes.config(*SMALL, *overrides)
    session = assemble_session(config.run, journal=False, paused=True)
    while not (working(session) if entry else held(session)):
        assert session.driver.step()
    app = WorkstationApp(
        config,
        session=session,
        themes=fakes.THEMES,
        environ={"TERM": "xterm"},
        read_only=read_only,
    )
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        await pilot.pause()
        yield app, pilot, session


def held(session: Session) -> int:
    return len(session.executor.ledger.open_positions())


def working(session: Session) -> int:
    return sum(
        order.role is OrderRole.ENTRY and not order.is_terminal
        for order in session.executor.orders()
    )


async def closed(app: WorkstationApp, pilot: Pilot[int]) -> None:
    """Wait until the app has asked to end."""
    for _ in range(200):
        await pilot.pause()
        if not app.is_running or app.return_value is not None:
            return
    raise AssertionError("it did not leave")


async def press_verb(screen: QuitScreen, pilot: Pilot[int], id: str) -> None:
    screen.arm()
    await pilot.pause()
    screen.query_one(id).focus()
    await pilot.press("enter")


@pytest.mark.parametrize("read_only", [True, False])
async def test_a_locked_screen_quits_and_trades_nothing(read_only: bool) -> None:
    async with exposed(read_only=read_only) as (app, pilot, session):
        if not read_only:
            await pilot.press("L")
        before, seq = held(session), session.engine.core.seq
        await pilot.press("ctrl+q")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, QuitScreen)
        screen.arm()
        await pilot.pause()
        assert "Flatten" not in text_of(screen)
        assert "Cancel" not in text_of(screen)
        await pilot.press("y")
        await closed(app, pilot)
    assert session.engine.core.seq == seq
    assert held(session) == before
    assert session.engine.closed


async def test_a_locked_screen_kills_but_does_not_rearm() -> None:
    async with exposed(read_only=True) as (app, pilot, session):
        await pilot.press("ctrl+k", "ctrl+k")
        await pilot.pause()
        assert session.executor.kill_level == "cancel"
        assert isinstance(app.screen, KillScreen)
        app.screen.arm()
        app.screen.query_one("#word Input").focus()
        await pilot.press(*"REARM", "enter", "escape", "ctrl+k")
        await pilot.pause()
        assert "Re-arm" not in text_of(app.screen)
        assert session.executor.kill_level == "cancel"


async def test_clock_keys_stay_on_a_locked_screen() -> None:
    async with exposed(read_only=True) as (_, pilot, session):
        before = session.engine.delivered
        await pilot.press("full_stop")
        assert session.engine.delivered == before + 1


async def test_flatten_and_quit_leaves_flat() -> None:
    async with exposed() as (app, pilot, session):
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert isinstance(app.screen, QuitScreen)
        await press_verb(app.screen, pilot, "#flatten")
        await closed(app, pilot)
    assert held(session) == 0
    assert working(session) == 0
    assert session.driver.state is PlayState.PAUSED
    assert session.engine.closed


async def test_cancel_and_quit_waits_for_the_answer() -> None:
    async with exposed(entry=True) as (app, pilot, session):
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert isinstance(app.screen, QuitScreen)
        await press_verb(app.screen, pilot, "#cancel")
        await closed(app, pilot)
    assert working(session) == 0


@pytest.mark.parametrize(
    ("name", "override"),
    [
        ("SIGTERM", 'engine.on_exit="flatten"'),
        ("SIGHUP", 'engine.on_hangup="flatten-and-stop"'),
    ],
)
async def test_a_signal_that_flattens_leaves_flat(name: str, override: str) -> None:
    async with exposed(override) as (app, pilot, session):
        os.kill(os.getpid(), getattr(signal, name))
        await closed(app, pilot)
    assert held(session) == 0
    assert working(session) == 0
    assert app.return_value == 0


async def test_a_signal_that_cancels_waits_for_the_answers() -> None:
    async with exposed('engine.on_exit="cancel-entries"', entry=True) as it:
        app, pilot, session = it
        os.kill(os.getpid(), signal.SIGTERM)
        await closed(app, pilot)
    assert working(session) == 0


async def test_what_is_left_open_stands_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, logger="workstation.ui")
    async with exposed('engine.on_exit="keep"') as (app, pilot, _):
        os.kill(os.getpid(), signal.SIGTERM)
        await closed(app, pilot)
    assert "left open: " in caplog.text
    assert "of ema_cross" in caplog.text


async def test_at_the_end_of_a_run_the_way_out_is_plain() -> None:
    async with exposed('feeds.0.duration="90s"') as (app, pilot, session):
        while session.driver.step():
            pass
        assert held(session), "this run ends in trade"
        await pilot.press("ctrl+q")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, QuitScreen)
        assert "The run has ended" in text_of(screen)
        assert "Flatten" not in text_of(screen)
        screen.arm()
        await pilot.press("y")
        await closed(app, pilot)
    assert session.engine.closed


class Broken(Exception):
    """What a widget failed of."""


@pytest.mark.parametrize("policy", ["keep", "cancel-entries", "flatten"])
@pytest.mark.parametrize("entry", [False, True])
async def test_a_screen_that_fails_is_left_as_on_exit_says(
    policy: str, entry: bool, caplog: pytest.LogCaptureFixture
) -> None:
    sessions: list[Session] = []
    before = 0, 0

    def fail() -> None:
        raise Broken("a widget")

    async def run() -> None:
        nonlocal before
        async with exposed(f'engine.on_exit="{policy}"', entry=entry) as found:
            app, pilot, session = found
            sessions.append(session)
            before = held(session), working(session)
            app.call_next(fail)
            await pilot.pause()

    with pytest.raises(Broken):
        await run()
    (session,) = sessions
    assert "the screen failed" in caplog.text
    assert session.engine.closed
    if policy == "keep":
        assert (held(session), working(session)) == before
    else:
        assert working(session) == 0
    if policy == "flatten":
        assert held(session) == 0
    elif before[0]:
        assert "left open" in caplog.text
