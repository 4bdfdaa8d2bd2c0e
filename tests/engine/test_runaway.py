"""Scripts that fail or never return: stopped with records, and the engine goes on."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest

from tests.engine.runs import SMALL, finish, kept, settings, small, with_script
from tests.strategy.fakes import write_script
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.replay import replay_journal
from workstation.engine.runaway import ScriptGuard
from workstation.kernel import TaskState
from workstation.model.commands import PauseTask, RestartTask, StepTask
from workstation.model.errors import ScriptTimeout
from workstation.model.records import FaultRecord, TaskRecord
from workstation.signals import Interrupted, orderly_end
from workstation.strategy.script import load_text

BUDGET = "engine.script_budget_ms=40"
# A machine under load may take its time; the timeout of the tests is the limit.
SOON_S = 30.0

LOOPS = {
    "bare": "while True:\n        pass",
    "swallows exceptions": (
        "while True:\n        try:\n            x = 1\n"
        "        except Exception:\n            pass"
    ),
    "swallows all": (
        "while True:\n        try:\n            x = 1\n        except:\n"
        "            pass"
    ),
    "asks first": "indicators.ema(7, 'tradingview'); indicators.sma(period=5)\n"
    "    while True:\n        context['n'] = 1",
    "sleeps": "import time; time.sleep(3600)",
    "recurses": "def f():\n        while True:\n            g()\n"
    "    def g():\n        sum(range(50))\n    f()",
}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_script_that_never_returns_is_interrupted_and_the_run_goes_on(
    tmp_path: Path, loop: str
) -> None:
    early = "if market.bars() < 20 or market.symbol != 'ETHUSDT': return"
    detect = f"{early}\n    {LOOPS[loop]}"
    script = write_script(tmp_path, detect=detect)
    journal = tmp_path / "j.sqlite"
    session = small(BUDGET, *with_script(script), journal=journal)
    engine = session.engine
    records = kept(session)
    engine.start()
    handle = engine.registry.get("ema_cross")
    longest = 0.0
    while handle.state is TaskState.RUNNING:
        before = time.monotonic()
        assert engine.step()
        longest = max(longest, time.monotonic() - before)
    assert 0.04 <= longest < SOON_S
    (fault,) = [r for r in records if isinstance(r, FaultRecord)]
    assert fault.task == "ema_cross"
    assert fault.instrument == "ETHUSDT"
    assert fault.error.endswith(": did not return within 40 ms on ETHUSDT")
    failed = records[-1]
    assert isinstance(failed, TaskRecord)
    assert failed.after == "failed"
    at = engine.delivered
    state_hash = finish(session)
    assert engine.delivered > at
    assert session.strategies[0].rows["ETHUSDT"].context == {}
    result = replay_journal(journal)
    assert result.matches, result.first_difference
    assert result.state_hash == state_hash


def test_a_script_that_is_only_slow_now_and_then_is_left_alone(tmp_path: Path) -> None:
    script = write_script(tmp_path, detect="sum(range(2000)); return None")
    session = small("engine.script_budget_ms=200", *with_script(script))
    records = kept(session)
    finish(session)
    assert [r for r in records if isinstance(r, FaultRecord)] == []


@pytest.mark.parametrize(
    "raises",
    [
        "raise ValueError('no')",
        "return 1 / 0",
        "return {'x': object()}",
        "import sys; sys.exit(1)",
        "raise GeneratorExit",
        "import asyncio; raise asyncio.CancelledError",
        "raise Exception('\\ud800' * 1000)",
        "raise ValueError(object())",
        "raise KeyboardInterrupt",
        "raise type('B', (BaseException,), {})",
        "raise type('B', (Exception,), {'__str__': lambda self: exit()})",
        "raise type('B', (Exception,), "
        "{'__str__': lambda self: any(0 for _ in iter(int, 1))})",
        "return type('D', (dict,), {'items': lambda self: exit()})(x=1)",
    ],
)
def test_a_script_that_raises_stops_after_so_many_errors_with_records(
    tmp_path: Path, raises: str
) -> None:
    script = write_script(tmp_path, detect=raises)
    overrides = (*with_script(script), "strategies.0.max_errors=3")
    hashes = set()
    for _ in range(2):
        session = small(*overrides)
        records = kept(session)
        hashes.add(finish(session))
        faults = [r for r in records if isinstance(r, FaultRecord)]
        assert len(faults) == 3
        assert all("script.py" in r.error for r in faults)
        (failed,) = [
            r for r in records if isinstance(r, TaskRecord) and r.after == "failed"
        ]
        assert failed.reason.startswith("3 errors in 10 minutes, the last: script.py")
        assert session.strategies[0].calls == 3
        assert session.engine.ended
    assert len(hashes) == 1


def test_errors_that_are_far_apart_do_not_stop_a_strategy(tmp_path: Path) -> None:
    script = write_script(tmp_path, detect="raise ValueError('now and then')")
    session = small(
        *with_script(script),
        "strategies.0.max_errors=3",
        'strategies.0.timeframe="6m"',
        'feeds.0.duration="40m"',
        'feeds.0.symbols=["BTCUSDT"]',
    )
    finish(session)
    assert session.strategies[0].calls >= 5
    assert session.engine.registry.get("ema_cross").state is TaskState.RUNNING


def test_a_withheld_call_that_never_returns_fails_its_strategy_when_stepped(
    tmp_path: Path,
) -> None:
    script = write_script(tmp_path, detect="while True: pass")
    journal = tmp_path / "j.sqlite"
    session = small(BUDGET, *with_script(script), journal=journal)
    records = kept(session)
    session.execute(PauseTask(task="ema_cross"))
    run_backtest(session.engine, Until(events=300))
    outcome = session.execute(StepTask(task="ema_cross"))
    assert outcome.accepted
    assert "did not return within 40 ms" in outcome.detail
    (fault,) = [r for r in records if isinstance(r, FaultRecord)]
    assert fault.task == "ema_cross"
    assert session.engine.registry.get("ema_cross").state is TaskState.FAILED
    state_hash = finish(session)
    result = replay_journal(journal)
    assert result.matches, result.first_difference
    assert result.state_hash == state_hash


def test_a_strategy_that_was_restarted_and_hangs_again_replays(tmp_path: Path) -> None:
    script = write_script(tmp_path, detect="indicators.ema(3)\n    while True: pass")
    journal = tmp_path / "j.sqlite"
    session = small(BUDGET, *with_script(script), journal=journal)
    for events in (300, 600):
        run_backtest(session.engine, Until(events=events))
        assert session.execute(RestartTask(task="ema_cross")).accepted
    finish(session)
    result = replay_journal(journal)
    assert result.matches, result.first_difference


def test_the_line_of_an_endless_load_is_that_of_its_text_not_of_the_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.py"
    guard = ScriptGuard(20, seq=lambda: 0, load_budgets=1)
    for become in ("x = 1\n" * 9, "def broken(", None):
        if become is None:
            path.unlink()
        else:
            path.write_text(become)
        with pytest.raises(ScriptTimeout) as caught:
            load_text(path, b"\n\nwhile True: pass\n", guard.load)
        assert caught.value.line == 3
    guard.close()


MODULES = {
    "bare": "while True:\n    pass\n",
    "swallows all": (
        "while True:\n    try:\n        x = 1\n    except:\n        pass\n"
    ),
    "sleeps": "import time\ntime.sleep(3600)\n",
}


@pytest.mark.parametrize("module", MODULES)
def test_a_script_that_never_finishes_loading_fails_and_the_rest_runs(
    tmp_path: Path, module: str
) -> None:
    head = f"# first\n{MODULES[module]}"
    script = write_script(tmp_path, head=head)
    overrides = (BUDGET, *with_script(script))
    line = 3 if module == "sleeps" else 2
    said = f"script.py:{line}: did not finish loading within 320 ms"
    before = time.monotonic()
    with pytest.raises(ScriptTimeout, match=said):
        small(*overrides)
    assert time.monotonic() - before < SOON_S
    journal = tmp_path / "j.sqlite"
    place = f'journal.path="{journal}"'
    session = assemble_session(settings(*SMALL, *overrides, place), tolerant=True)
    assert session.strategies[0].script.failure == said
    state_hash = finish(session)
    assert session.engine.delivered > 0
    # Where in its loop it was caught is another line each time.
    result = replay_journal(journal)
    assert result.matches, result.first_difference
    assert result.state_hash == state_hash


def test_a_signal_to_the_process_passes_through_a_script(tmp_path: Path) -> None:
    head = "import signal\n"
    detect = "signal.raise_signal(signal.SIGTERM)"
    session = small(*with_script(write_script(tmp_path, head=head, detect=detect)))
    with orderly_end(), pytest.raises(Interrupted):
        finish(session)
    session.close()


def test_two_sessions_in_one_process_are_both_guarded(tmp_path: Path) -> None:
    script = write_script(tmp_path, detect="while True: pass")
    first = small(BUDGET, *with_script(script))
    run_backtest(first.engine, Until(events=10))
    good = small(BUDGET)
    run_backtest(good.engine, Until(events=300))
    run_backtest(first.engine, Until(events=300))
    assert first.engine.registry.get("ema_cross").state is TaskState.FAILED
    assert good.engine.registry.get("ema_cross").state is TaskState.RUNNING
    for session in (first, good):
        session.close()


def test_a_signal_that_comes_when_nothing_is_called_hurts_nobody(
    tmp_path: Path,
) -> None:
    session = small(BUDGET)
    run_backtest(session.engine, Until(events=500))
    for _ in range(5):
        signal.raise_signal(signal.SIGUSR1)
    run_backtest(session.engine, Until(events=600))
    assert session.engine.registry.get("ema_cross").state is TaskState.RUNNING
    session.close()


def test_outside_the_main_thread_calls_are_made_unguarded() -> None:
    hashes: list[str] = []
    thread = threading.Thread(target=lambda: hashes.append(finish(small())))
    thread.start()
    thread.join()
    assert hashes == [finish(small())]
