"""Shadow runs: the machine over closed bars, fills at the close, stops first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.engine.runs import small
from tests.strategy.fakes import BTC, MINUTE, TIMEFRAME, Books, call, write_script
from workstation.engine.runaway import ScriptGuard
from workstation.engine.shadow import Difference, Intent, ShadowRun, differences
from workstation.model.market import Bar
from workstation.strategy.python_host import PythonHost
from workstation.strategy.script import load_script
from workstation.strategy.settings import StrategySettings

ENTER = "return {'action': 'enter_long', 'quantity': 1, 'stop': market.close - 5}"
SEEN = "return {'signal': 'up'} if market.close > 100 else None"


def bars(*closes: float, low: float = 0.0) -> list[Bar]:
    return [
        Bar(
            *("BTC", (n + 1) * MINUTE, TIMEFRAME, n * MINUTE),
            *(close, close, close - low, close, 1.0),
        )
        for n, close in enumerate(closes)
    ]


def run(folder: Path, kept: Sequence[Bar], **functions: str) -> ShadowRun:
    script = load_script(write_script(folder, **functions))
    guard = ScriptGuard(10_000, seq=lambda: 0)
    shadow = ShadowRun(
        StrategySettings(name="s", script=script.name, close_watch_bars=2),
        script,
        PythonHost(script, guard),
        (BTC,),
        {"BTC": kept},
        Books().account(),
        lambda name: ("period",),
    )
    for _ in shadow.steps():
        pass
    guard.close()
    return shadow


def texts(shadow: ShadowRun) -> list[tuple[int, str]]:
    return [(each.ts // MINUTE, each.text) for each in shadow.intents]


def test_it_enters_at_the_close_and_leaves_by_the_script(tmp_path: Path) -> None:
    shadow = run(
        tmp_path,
        bars(100, 101, 102, 103, 104),
        detect=SEEN,
        filter=ENTER,
        manage="return {'action': 'exit', 'reason': 'done'}"
        " if market.entry_price == 102 else None",
    )
    assert texts(shadow) == [
        (2, "opportunity: up"),
        (3, "enter long 1.000 stop 97.00"),
        (4, "exit: done"),
        (5, "opportunity: up"),
    ]
    assert shadow.bars == 5
    assert shadow.errors == []


def test_a_stop_is_met_in_the_bar_and_is_no_intent_of_the_script(
    tmp_path: Path,
) -> None:
    shadow = run(
        tmp_path, bars(101, 102, 96, 101), detect=SEEN, filter=ENTER, manage="pass"
    )
    assert texts(shadow) == [
        (1, "opportunity: up"),
        (2, "enter long 1.000 stop 97.00"),
        (4, "opportunity: up"),
    ]


def test_a_partial_exit_keeps_the_entry_price_and_an_add_weights_it(
    tmp_path: Path,
) -> None:
    shadow = run(
        tmp_path,
        bars(101, 102, 104, 106, 110),
        detect=SEEN,
        filter="return {'action': 'enter_long', 'quantity': 2, 'stop': 90}",
        manage="return {104: {'action': 'exit', 'quantity': 1,"
        " 'reason': f'in at {market.entry_price}'},"
        " 106: {'action': 'enter_long', 'quantity': 1, 'add': True,"
        " 'reason': f'in at {market.entry_price}'},"
        " 110: {'action': 'exit', 'reason': f'in at {market.entry_price}'}"
        "}[market.close]",
    )
    assert [text for _, text in texts(shadow)][2:] == [
        "exit 1.000: in at 102.0",
        "enter long 1.000: in at 102.0",
        "exit: in at 104.0",
    ]


def test_bars_before_the_last_ones_only_fill_windows(tmp_path: Path) -> None:
    shadow = run(
        tmp_path,
        bars(*([101.0] * 300)),
        detect="return {'signal': str(market.bars())}",
        filter="return {'action': 'cancel_analysis'}",
    )
    assert shadow.bars == 200
    assert texts(shadow)[0] == (101, "opportunity: 101")


def test_indicators_are_those_of_that_time(tmp_path: Path) -> None:
    shadow = run(
        tmp_path,
        bars(1, 2, 3, 4),
        detect="return {'signal': f'{indicators.sma(2)} {indicators.sma(2, back=1)}'}",
        filter="return {'action': 'cancel_analysis'}",
    )
    assert [text for _, text in texts(shadow) if "opp" in text] == [
        "opportunity: None None",
        "opportunity: 2.5 1.5",
    ]


def test_an_error_is_told_and_the_other_bars_go_on(tmp_path: Path) -> None:
    shadow = run(
        tmp_path,
        bars(101, 102, 103),
        detect="return {'signal': 1 / (market.close - 101)}",
        filter="pass",
    )
    assert len(shadow.errors) == 1
    assert "ZeroDivisionError" in shadow.errors[0]
    assert [text.partition(":")[0] for _, text in texts(shadow)] == [
        "error",
        "opportunity",
    ]


def test_differences_are_by_bar_and_symbol() -> None:
    one = [Intent(1, "A", "x"), Intent(2, "A", "y"), Intent(2, "A", "z")]
    other = [Intent(1, "A", "x"), Intent(2, "A", "y"), Intent(3, "B", "w")]
    assert differences(one, other) == (
        Difference(2, "A", "y; z", "y"),
        Difference(3, "B", "", "w"),
    )
    assert differences(one, one) == ()


def test_the_run_it_looks_at_is_not_changed() -> None:
    session = small()
    for _ in range(1_500):
        session.driver.step()
    before = session.engine.state_hash()
    (strategy,) = session.strategies
    name = next(iter(strategy.rows))
    held, net = strategy.rows[name].held, session.executor.net(name)
    kept = tuple(session.aggregator.bars(name, strategy.timeframe))
    script = load_script(Path(strategy.script.path))
    shadow = ShadowRun(
        strategy.settings,
        script,
        PythonHost(script, call),
        (strategy.rows[name].instrument,),
        {name: kept},
        session.executor.account(),
        lambda indicator: ("period",),
    )
    for _ in shadow.steps():
        pass
    assert shadow.intents
    assert session.engine.state_hash() == before
    assert strategy.rows[name].held == held
    assert session.executor.net(name) == net
