"""Drivers: play, pause, step, speed and go-until move time and change nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.engine.runs import Wall, finish, small
from workstation.engine.drivers import PlayDriver, PlayState, Until, run_backtest
from workstation.engine.session import Session
from workstation.kernel import SimClock

S = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("events=5", Until(events=5)),
        ("fills=2", Until(fills=2)),
        ("time=10m", Until(span_ns=600 * S)),
        ("2024-08-08T00:00:01Z", Until(ts=1_723_075_201 * S)),
        ("2024-08-08T02:00:01.5+02:00", Until(ts=1_723_075_201 * S + S // 2)),
        ("2024-08-08", Until(ts=1_723_075_200 * S)),
    ],
)
def test_until_is_understood(text: str, until: Until) -> None:
    assert Until.parse(text) == until


@pytest.mark.parametrize(
    "text", ["", "events=0", "events=-1", "events=x", "time=10", "time=", "soon", "=3"]
)
def test_what_until_cannot_mean_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match=r"until .*(events=N|1s, 5m)"):
        Until.parse(text)


def test_a_backtest_stops_before_the_next_step() -> None:
    session = small()
    run_backtest(session.engine, Until(events=100))
    assert session.engine.delivered == 100
    run_backtest(session.engine, Until(fills=3))
    assert session.engine.store.filled >= 3
    first = session.engine.first_ts
    assert first is not None
    run_backtest(session.engine, Until(span_ns=120 * S))
    due = session.engine.sources.peek_ts()
    assert due is not None
    assert session.engine.core.ts <= first + 120 * S < due


async def _drive(session: Session, done: Callable[[], bool]) -> None:
    task = asyncio.ensure_future(session.driver.run())
    for _ in range(2_000_000):
        if done():
            break
        await asyncio.sleep(0)
    session.driver.stop()
    await task


async def test_play_goes_to_the_end_and_says_so() -> None:
    session = small('feeds.0.duration="20s"', paused=False, wall=Wall(S))
    driver = session.driver
    await _drive(session, lambda: driver.state is PlayState.ENDED)
    assert session.engine.ended
    driver.play()
    driver.pause()
    assert driver.state is PlayState.ENDED
    assert driver.step() is False


async def test_the_clock_stands_while_paused() -> None:
    session = small(paused=True, wall=Wall(S))
    driver = session.driver
    task = asyncio.ensure_future(driver.run())
    for _ in range(50):
        await asyncio.sleep(0)
    assert session.engine.delivered == 0
    assert driver.step()
    assert session.engine.delivered == 1
    driver.toggle()
    assert driver.state is PlayState.PLAYING
    for _ in range(10_000):
        if session.engine.delivered >= 100:
            break
        await asyncio.sleep(0)
    driver.toggle()
    assert driver.state is PlayState.PAUSED  # type: ignore[comparison-overlap]
    stood = session.engine.delivered
    for _ in range(50):
        await asyncio.sleep(0)
    assert session.engine.delivered == stood
    driver.stop()
    await task


def _slice(driver: PlayDriver) -> float:
    return driver._slice()


def test_no_more_time_passes_than_on_the_wall_times_the_speed() -> None:
    wall = SimClock(5 * S)
    session = small(paused=False, wall=wall)
    driver, engine = session.driver, session.engine
    engine.start()
    driver.set_speed(4.0)
    first = engine.clock.now()
    wall.advance_to(wall.now() + S)
    for _ in range(1_000):
        if _slice(driver) > 0:
            break
    due = engine.sources.peek_ts()
    assert due is not None
    assert engine.core.ts <= first + 4 * S < due
    # The same moment of the wall again: nothing more is due.
    delivered = engine.delivered
    assert 0 < _slice(driver) <= 0.05
    assert engine.delivered == delivered


def test_a_slice_ends_when_its_time_is_up() -> None:
    session = small(paused=False, wall=Wall(S))
    session.engine.start()
    session.driver.set_speed(1_000.0)
    assert _slice(session.driver) == 0.0
    assert session.engine.delivered == 8


def test_go_until_pauses_where_it_is_reached() -> None:
    session = small(paused=False, wall=Wall(10 * S))
    driver, engine = session.driver, session.engine
    engine.start()
    driver.go_until(lambda e: e.store.filled > 0, "a fill")
    assert driver.goal_text == "a fill"
    for _ in range(10_000):
        _slice(driver)
        if driver.state is PlayState.PAUSED:
            break
    assert engine.store.filled > 0
    assert driver.goal is None
    assert driver.goal_text == ""


def test_until_pauses_a_run_that_is_played() -> None:
    session = small(paused=False, wall=Wall(10 * S))
    session.engine.start()
    session.driver.play()
    session.driver.until = Until(events=50)
    for _ in range(100):
        _slice(session.driver)
        if session.driver.state is PlayState.PAUSED:
            break
    assert session.engine.delivered == 50


def test_speeds_go_up_and_down_and_stop_at_the_ends() -> None:
    driver = small(paused=True).driver
    driver.set_speed(3.0)
    assert driver.change_speed(1) == 4.0
    assert driver.change_speed(-1) == 2.0
    for _ in range(20):
        driver.change_speed(1)
    assert driver.speed == 100_000.0
    for _ in range(20):
        driver.change_speed(-1)
    assert driver.speed == 0.1


def test_running_on_in_parts_is_running_at_once() -> None:
    parts = small()
    for events in (1, 7, 500, 501, 2_000):
        run_backtest(parts.engine, Until(events=events))
    assert finish(parts) == finish(small())
