"""Supervision: a strategy that fails is stopped, and nothing it holds is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.commands import ENTER, RESTING, SEEN, W, do, more, position_of, row_of
from tests.engine.runs import finish, settings, small, with_script
from tests.strategy.fakes import write_script
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.kernel import TaskState
from workstation.model.commands import Flatten, RestartTask, StopTask


def test_a_strategy_that_fails_leaves_no_entry_working(tmp_path: Path) -> None:
    detect = (
        "if market.symbol == 'ETHUSDT' and market.bars() > 20: raise ValueError('no')"
        f"\n    {SEEN}"
    )
    script = write_script(tmp_path, detect=detect, filter=RESTING)
    session = small(*with_script(script), "strategies.0.max_errors=1")
    run_backtest(session.engine, Until(events=200))
    assert len(session.executor.working("ema_cross", "BTCUSDT")) == 1
    run_backtest(session.engine, Until(events=900))
    assert session.engine.registry.get("ema_cross").state is TaskState.FAILED
    assert session.executor.working("ema_cross", "BTCUSDT") == []
    assert row_of(session).state is W


@pytest.mark.parametrize("end", ["stopped", "failed"])
def test_a_row_follows_its_position_though_nobody_asks_its_script(
    tmp_path: Path, end: str
) -> None:
    fails = "raise ValueError('no')"
    script = write_script(
        tmp_path, detect=SEEN, filter=ENTER, manage=fails if end == "failed" else "pass"
    )
    session = small(*with_script(script), "strategies.0.max_errors=1")
    run_backtest(session.engine, Until(events=200))
    if end == "stopped":
        do(session, StopTask(task="ema_cross"))
    assert session.engine.registry.get("ema_cross").state.value == end
    assert not position_of(session).is_flat
    assert row_of(session).stop is not None
    do(session, Flatten(instrument="BTCUSDT"))
    more(session)
    assert position_of(session).is_flat
    assert row_of(session).state is W
    assert row_of(session).stop is None
    do(session, RestartTask(task="ema_cross"))
    more(session)
    assert row_of(session).calls > 3


def test_two_strategies_on_the_same_symbols_are_kept_apart(tmp_path: Path) -> None:
    holder = write_script(tmp_path, detect=SEEN, filter=ENTER, name="holder.py")
    loser = write_script(tmp_path, detect="raise ValueError('no')", name="loser.py")
    run = settings(
        'feeds.0.symbols=["BTCUSDT","ETHUSDT"]',
        'feeds.0.duration="1m"',
        f'strategies=[{{name="a",script="{holder}",timeframe="1s"}},'
        f'{{name="b",script="{loser}",timeframe="1s"}},'
        f'{{name="c",script="{holder}",timeframe="2s"}}]',
    )
    session = assemble_session(run)
    finish(session)
    states = [h.state.value for h in session.engine.registry if h.name in "abc"]
    assert states == ["running", "failed", "running"]
    a, c = (session.executor.position(name, "BTCUSDT") for name in "ac")
    assert a.quantity > 0
    assert c.quantity > 0
    assert session.executor.position("b", "BTCUSDT").is_flat
    assert session.executor.net("BTCUSDT") == a.quantity + c.quantity
    assert session.strategies[0].rows["BTCUSDT"].context is not (
        session.strategies[2].rows["BTCUSDT"].context
    )
