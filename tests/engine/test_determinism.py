"""Same inputs, same decisions: however a run is driven, watched, cut or hashed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from tests.engine.runs import (
    BINANCE,
    KLINES,
    PANELS,
    SMALL,
    TWO_VENUES,
    Wall,
    settings,
    small,
)
from tests.reference import reference
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import PlayState, Until, run_backtest
from workstation.engine.frames import Focus
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.engine.settings import RunSettings
from workstation.kernel import Clock
from workstation.model.commands import (
    CancelOrders,
    Command,
    Disposition,
    Flatten,
    HandBack,
    Hold,
    Inject,
    Kill,
    KillLevel,
    Override,
    PauseTask,
    Rearm,
    RestartTask,
    ResumeTask,
    StepTask,
    StopTask,
)
from workstation.model.market import Bar, BookDelta, Quote, Trade
from workstation.model.signals import Signal, SignalAction
from workstation.model.states import SymbolState
from workstation.model.timeframes import Timeframe

S = 1_000_000_000
MINUTE = Timeframe.parse("1m")
EVENTS = 2_500


def _simulated() -> RunSettings:
    return settings(*SMALL)


def _shipped() -> RunSettings:
    return settings(config=BINANCE)


def _capture() -> RunSettings:
    files = [
        str(reference("data", "binance", "spot-ws", f"{name}_20240808.gz"))
        for name in ("btcusdt", "ethusdt")
    ]
    return settings(f"feeds.0.files={json.dumps(files)}", config=BINANCE)


def _klines() -> RunSettings:
    return settings(config=KLINES)


def _two_venues() -> RunSettings:
    return settings(config=TWO_VENUES)


RUNS = {
    "simulated": _simulated,
    "shipped recording": _shipped,
    "capture": pytest.param(_capture, marks=pytest.mark.reference),
    "klines": _klines,
    "two venues": _two_venues,
}
runs = pytest.mark.parametrize("run", RUNS.values(), ids=list(RUNS))


def _session(run: RunSettings, wall: Clock | None = None) -> Session:
    return assemble_session(run, journal=False, paused=False, wall=wall)


def _backtest(run: RunSettings) -> str:
    session = _session(run)
    run_backtest(session.engine, Until(events=EVENTS))
    session.close()
    return session.engine.state_hash()


def _stepped(session: Session, watch: Callable[[], object], every: int) -> str:
    for step in range(EVENTS):
        session.driver.step()
        if step % every == 0:
            watch()
    session.close()
    return session.engine.state_hash()


def _played(session: Session, speeds: tuple[float, ...]) -> str:
    driver = session.driver
    session.engine.start()
    driver.until = Until(events=EVENTS)
    driver.play()
    for turn in range(10**6):
        if driver.state is not PlayState.PLAYING:
            break
        driver.set_speed(speeds[turn % len(speeds)])
        # Slices of a driver, without the loop that would wait between them.
        for _ in range(3):
            if driver.state is PlayState.PLAYING:
                driver._slice()
    assert driver.state is not PlayState.PLAYING
    assert session.engine.delivered == EVENTS or session.engine.ended
    session.close()
    return session.engine.state_hash()


@runs
def test_stepping_all_is_a_backtest(run: Callable[[], RunSettings]) -> None:
    expected = _backtest(run())
    assert _stepped(_session(run()), lambda: None, 1_000) == expected


@runs
@pytest.mark.parametrize("every", [1, 7, 100])
def test_watching_every_panel_changes_nothing(
    run: Callable[[], RunSettings], every: int
) -> None:
    expected = _backtest(run())
    session = _session(run())
    cursor = 0

    def watch() -> None:
        nonlocal cursor
        for instrument in list(session.instruments)[:2]:
            focus = Focus("ema_cross", instrument, bars=40)
            frame = session.frame(cursor, PANELS, focus)
            assert frame.machine is not None
            assert frame.chart is not None
        cursor = frame.cursor
        session.engine.store.snapshot()

    # Each look costs as much as a hundred steps: fewer of them for the rare sort.
    if every == 1:
        looks = iter(range(150))
        assert (
            _stepped(
                session, lambda: watch() if next(looks, None) is not None else None, 1
            )
            == expected
        )
    else:
        assert _stepped(session, watch, every * 10) == expected


@runs
@pytest.mark.parametrize(
    ("tick_ns", "speeds"),
    [
        (1_000, (100_000.0,)),
        (400_000, (1.0, 1_000.0)),
        (3_000_000, (0.1, 30.0, 300.0)),
        (S, (4.0,)),
    ],
)
def test_play_at_any_speed_and_slice_is_a_backtest(
    run: Callable[[], RunSettings], tick_ns: int, speeds: tuple[float, ...]
) -> None:
    chosen = run()
    if chosen.feeds[0].name == "candles":
        speeds = tuple(speed * 3_600_000 for speed in speeds)
    if tick_ns < 10**6:
        # Some hundred thousand looks at the wall would be minutes of this test.
        speeds = tuple(speed * 1_000 for speed in speeds)
    assert _played(_session(chosen, Wall(tick_ns)), speeds) == _backtest(chosen)


_SUBPROCESS = """
import sys
from tests.engine.test_determinism import RUNS, _backtest
for name in ("simulated", "shipped recording", "klines", "two venues"):
    print(_backtest(RUNS[name]()))
"""


def test_the_hash_is_the_same_in_every_process(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    seen = set()
    for seed in ("0", "1", "random"):
        done = subprocess.run(
            [sys.executable, "-c", _SUBPROCESS],
            cwd=root,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        seen.add(done.stdout)
    assert len(seen) == 1
    mine = [_backtest(make()) for make in (_simulated, _shipped, _klines, _two_venues)]
    assert seen.pop().split() == mine
    assert len(set(mine)) == 4


def test_another_seed_is_another_run() -> None:
    assert _backtest(settings(*SMALL, "seed=8")) != _backtest(settings(*SMALL))


# An operator's hand, replayed.


def _override(state: SymbolState, disposition: Disposition, **rest: object) -> Override:
    return Override(
        strategy="ema_cross",
        instrument="BTCUSDT",
        state=state,
        disposition=disposition,
        reason="hand",
        **rest,  # type: ignore[arg-type]
    )


def _hands(session: Session) -> list[Command]:
    ts = session.engine.core.ts
    working = [o.id for o in session.executor.orders() if not o.is_terminal]
    W, C, T = SymbolState
    return [
        PauseTask(task="ema_cross"),
        StepTask(task="ema_cross"),
        ResumeTask(task="ema_cross"),
        PauseTask(task="market"),
        StepTask(task="market"),
        ResumeTask(task="market"),
        PauseTask(task="executor"),
        ResumeTask(task="executor"),
        RestartTask(task="ema_cross"),
        StopTask(task="ema_cross"),
        RestartTask(task="ema_cross"),
        Inject(event=Quote("BTCUSDT", 5, 61_000.0, 2.0, 61_001.0, 2.0)),
        Inject(event=Trade("ETHUSDT", 5, 2_680.0, 1.0)),
        Inject(event=BookDelta("BTCUSDT", 5, 1, 2, ((61_000.0, 1.0),), ())),
        Inject(event=Bar("BTCUSDT", 5, MINUTE, 0, 2.0, 3.0, 1.0, 2.0, 5.0)),
        Inject(
            event=Signal(
                strategy="ema_cross",
                instrument="BTCUSDT",
                action=SignalAction.EXIT,
            )
        ),
        _override(W, Disposition.HAND_OVER, lock=True, expires_ns=ts + 3 * S),
        _override(W, Disposition.FLATTEN),
        _override(C, Disposition.KEEP),
        _override(T, Disposition.ADOPT),
        _override(W, Disposition.CANCEL, lock=True),
        HandBack(strategy="ema_cross", instrument="BTCUSDT"),
        Flatten(instrument="BTCUSDT"),
        Flatten(instrument="ETHUSDT", owner="ema_cross"),
        CancelOrders(order_ids=tuple(working) or ("none",)),
        CancelOrders(order_ids=tuple(working[-1:])),
        Hold(on=True),
        Hold(on=False),
        Kill(level=KillLevel.HOLD),
        Kill(level=KillLevel.CANCEL),
        Kill(level=KillLevel.FLATTEN, reason="enough"),
        Rearm(),
        Rearm(),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_an_operator_did_replays_to_the_same_hash(
    tmp_path: Path, seed: int
) -> None:
    path = tmp_path / "j.sqlite"
    session = small("strategies.0.size=0.2", journal=path)
    chance = random.Random(seed)
    engine = session.engine
    accepted = set()
    session.driver.step()
    while not engine.ended and engine.pulled < 3_000:
        for _ in range(chance.randrange(1, 120)):
            session.driver.step()
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            outcome = session.execute(chance.choice(_hands(session)))
            if outcome.accepted:
                accepted.add(outcome.detail.split()[0])
            else:
                assert outcome.detail
    # All who were stopped come back, so that the end is a run's end.
    session.execute(Rearm())
    run_backtest(engine)
    session.close()
    assert len(accepted) > 5
    result = replay_journal(path)
    assert result.matches, result.first_difference
    assert result.state_hash == engine.state_hash()
    assert result.inputs == engine.core.seq


def test_a_day_at_the_desk_replays(tmp_path: Path) -> None:
    """Pause, step, inject, override, flatten, cancel, kill, re-arm: each accepted."""
    path = tmp_path / "j.sqlite"
    session = small('feeds.0.duration="6m"', journal=path)
    engine = session.engine
    engine.start()
    W = SymbolState.WATCH

    def do(command: Command) -> None:
        outcome = session.execute(command)
        assert outcome.accepted, f"{command}: {outcome.detail}"

    def held() -> str | None:
        for name, row in session.strategies[0].rows.items():
            working = session.executor.working("ema_cross", name)
            busy = any(not o.is_protection for o in working)
            if row.state is SymbolState.IN_TRADE and not busy:
                return name
        return None

    def go_until_held() -> str:
        while (name := held()) is None:
            assert engine.step(), "the run ended first: choose another seed"
        return name

    go_until_held()
    do(PauseTask(task="ema_cross"))
    for _ in range(60):
        engine.step()
    do(StepTask(task="ema_cross"))
    do(ResumeTask(task="ema_cross"))
    do(Inject(event=Trade("BTCUSDT", 0, 61_500.0, 0.5)))
    name = go_until_held()
    protection = session.executor.held_protection()
    do(CancelOrders(order_ids=(protection[0].id,)))
    handed = _override(W, Disposition.HAND_OVER, lock=True)
    do(structs.replace(handed, instrument=name))
    do(
        structs.replace(
            _override(SymbolState.IN_TRADE, Disposition.ADOPT), instrument=name
        )
    )
    do(structs.replace(_override(W, Disposition.FLATTEN), instrument=name))
    for _ in range(100):
        engine.step()
    name = go_until_held()
    do(Flatten(instrument=name))
    for _ in range(100):
        engine.step()
    go_until_held()
    do(Kill(level=KillLevel.FLATTEN, reason="drill"))
    for _ in range(200):
        engine.step()
    do(Rearm())
    run_backtest(engine)
    session.close()
    result = replay_journal(path)
    assert result.matches, result.first_difference
    assert result.state_hash == engine.state_hash()
