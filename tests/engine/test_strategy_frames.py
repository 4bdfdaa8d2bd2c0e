"""Strategies as a frame shows them: script, rows by state, calls, parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.commands import do
from tests.engine.runs import FOCUS, frame_of, running, small, with_script
from tests.strategy.fakes import write_script
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.frames import Focus, StrategyRow
from workstation.engine.session import Session
from workstation.model.commands import Override, PauseTask, SetParams
from workstation.model.states import SymbolState
from workstation.paths import shipped_folder


def strategy_of(session: Session) -> StrategyRow:
    rows = session.frame(0, frozenset({"strategies"})).strategies
    assert rows is not None
    return rows[0]


def test_a_strategy_is_named_with_its_script_and_version() -> None:
    session = running()
    row = strategy_of(session)
    script = session.strategies[0].script
    assert (row.name, row.language, row.script) == ("ema_cross", "Python", script.name)
    assert row.version == script.hash[:8]
    assert (row.timeframe, row.symbols, row.state) == ("1s", 2, "running")
    assert row.calls == session.strategies[0].calls
    assert row.p99_ns is not None
    assert row.memory_bytes is None


def test_a_script_in_a_process_of_its_own_says_what_that_holds() -> None:
    session = small(*with_script(shipped_folder("strategies") / "ema_cross.lua"))
    row = strategy_of(session)
    assert (row.language, row.script) == ("Lua", "ema_cross.lua")
    # An interpreter and a VM: some megabytes, and not a hundred.
    assert row.memory_bytes is not None
    assert 5_000_000 < row.memory_bytes < 100_000_000
    assert row.confinement.startswith("process")
    session.close()
    assert strategy_of(session).memory_bytes is None


def test_rows_are_counted_once_a_locked_one_as_manual() -> None:
    session = running(100)
    row = session.strategies[0].rows["ETHUSDT"]
    do(
        session,
        Override(
            strategy="ema_cross",
            instrument="ETHUSDT",
            state=row.state,
            lock=True,
            reason="mine",
        ),
    )
    shown = strategy_of(session)
    assert shown.manual == 1
    assert shown.watch + shown.close_watch + shown.in_trade == 1
    do(session, PauseTask(task="ema_cross"))
    assert strategy_of(session).state == "paused"


def test_the_rate_is_of_the_last_minute_of_the_runs_time() -> None:
    session = running(500)
    assert strategy_of(session).rate is None
    before, since = session.strategies[0].calls, session.engine.core.ts
    run_backtest(session.engine, Until(events=1_500))
    calls, now = session.strategies[0].calls - before, session.engine.core.ts - since
    rate = strategy_of(session).rate
    assert rate == calls * 1e9 / now
    # One call a second on each of two symbols, but for bars that were in trade.
    assert rate is not None
    assert 1.0 < rate <= 2.1


@pytest.mark.parametrize(
    ("frames", "since"), [((100, 300, 1_200, 2_400, 2_500), 3), ((100, 1_800), 0)]
)
def test_the_rate_forgets_frames_of_more_than_a_minute_ago_but_the_last_one(
    frames: tuple[int, ...], since: int
) -> None:
    session = small()
    seen: list[tuple[int, int]] = []
    for events in frames:
        run_backtest(session.engine, Until(events=events))
        rate = strategy_of(session).rate
        seen.append((session.engine.core.ts, session.strategies[0].calls))
    now, calls = seen[-1]
    before, made = seen[since]
    assert rate == (calls - made) * 1e9 / (now - before)
    ages = [now - ts for ts, _ in seen]
    assert all(age > 60 * 10**9 for age in ages[:since])
    assert (ages[since] <= 60 * 10**9) == bool(since)


def test_parameters_have_what_the_script_declares_and_the_rows_value() -> None:
    session = running(100)
    do(
        session,
        SetParams(strategy="ema_cross", instrument="BTCUSDT", values={"fast": 7}),
    )
    table = frame_of(session, 0, "params").params
    assert table is not None
    assert (table.strategy, table.instrument) == ("ema_cross", "BTCUSDT")
    assert table.instruments == ("BTCUSDT", "ETHUSDT")
    fast = next(row for row in table.params if row.name == "fast")
    assert (fast.kind, fast.value, fast.default) == ("int", 7, 10)
    assert (fast.minimum, fast.maximum) == (2, 500)
    assert fast.differs
    slow = next(row for row in table.params if row.name == "slow")
    assert not slow.differs


def test_a_script_without_parameters_has_none(tmp_path: Path) -> None:
    session = small(*with_script(write_script(tmp_path)))
    table = frame_of(session, 0, "params").params
    assert table is not None
    assert table.params == ()


def test_a_focus_on_what_is_not_there_shows_neither_parameters_nor_log() -> None:
    session = running(100)
    wanted = frozenset({"params", "script_log"})
    for focus in (Focus("nobody", "BTCUSDT"), Focus("ema_cross", "NONE")):
        frame = session.frame(0, wanted, focus)
        assert frame.params is None
    assert frame.script_log is not None
    assert session.frame(0, wanted, Focus("nobody", "BTCUSDT")).script_log is None


def test_the_machine_shows_the_ways_out_of_its_state() -> None:
    session = running(30)
    machine = session.frame(0, frozenset({"machine"}), FOCUS).machine
    assert machine is not None
    state = machine.row.state
    ways = {(way.trigger, way.after) for way in machine.ways}
    assert state is SymbolState.WATCH
    assert ("opportunity", SymbolState.CLOSE_WATCH) in ways
    assert ("override_in_trade", SymbolState.IN_TRADE) in ways
    assert not [way for way in machine.ways if way.trigger == "flat"]
