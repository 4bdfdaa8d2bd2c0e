"""The chain in a whole run: scripts of the user, strategies that read, replay, hash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine.runs import finish, kept, small, with_script
from tests.strategy.fakes import write_script
from workstation.config import load_config
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.processor_scripts import load_processor
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.market.pipeline.adverse_selection import AdverseSelection
from workstation.market.pipeline.script import ScriptProcessor
from workstation.model.errors import ConfigError, JournalError, ScriptError
from workstation.model.records import FaultRecord, FillRecord, NoteRecord

SPREAD = """
FIGURES = {"my_spread": "bps", "my_count": "quotes"}
NEEDS = ["imbalance"]


def on_quote(figures, quote, context):
    context["n"] = context.get("n", 0) + 1
    mid = (quote.bid + quote.ask) / 2
    figures.my_count = context["n"]
    figures.my_spread = (quote.ask - quote.bid) / mid * 10_000
"""
LISTED = '["imbalance", "volatility", "adverse_selection", "flow", "my_spread.py"]'


def load(path: Path) -> Any:
    """Load a script without a guard; Any: it may be anything until it is checked."""
    return load_processor(path, lambda path, source, load: load())


def listed(folder: Path, text: str = SPREAD, processors: str = LISTED) -> str:
    """Write the script and return the override that lists it."""
    path = folder / "my_spread.py"
    path.write_text(text, encoding="utf-8")
    return "pipeline.processors=" + processors.replace(
        '"my_spread.py"', json.dumps(str(path))
    )


def figure(session: Session, name: str, instrument: str = "BTCUSDT") -> float | None:
    return session.aggregator.figures(instrument).get(name)


def test_a_script_of_the_config_gives_its_figures(tmp_path: Path) -> None:
    session = small(listed(tmp_path))
    run_backtest(session.engine, Until(events=500))
    live = session.aggregator.instrument("BTCUSDT")
    assert figure(session, "my_count") is not None
    assert figure(session, "my_spread") == pytest.approx(live.spread_bps)
    session.close()


def test_a_strategy_reads_every_figure_by_name(tmp_path: Path) -> None:
    script = write_script(
        tmp_path,
        detect="market.log(' '.join("
        "f'{n}={getattr(market.figures, n)}' for n in market.figures.names()))",
    )
    session = small(listed(tmp_path), *with_script(script))
    records = kept(session)
    run_backtest(session.engine, Until(events=3_000))
    said = [each.text for each in records if isinstance(each, NoteRecord)]
    assert said
    assert said[-1].startswith("imbalance=")
    session.close()


def test_own_fills_reach_the_processor_through_the_core() -> None:
    session = small()
    records = kept(session)
    finish(session)
    fills = [each for each in records if isinstance(each, FillRecord)]
    marked = 0
    for name in session.aggregator.instruments:
        found = session.aggregator.figures(name).processor("adverse_selection")
        assert isinstance(found, AdverseSelection)
        for makers in (True, False):
            counts = [each.capture.count for each in found.markouts(makers=makers)[:2]]
            marked += sum(counts)
        marked += found.unmarked
    assert fills
    assert marked == len(fills)


def test_a_replay_comes_to_the_same_state_with_processors_and_scripts(
    tmp_path: Path,
) -> None:
    journal = tmp_path / "run.sqlite"
    session = small(listed(tmp_path), journal=journal)
    state_hash = finish(session)
    result = replay_journal(journal)
    assert result.matches, result.first_difference
    assert result.state_hash == state_hash
    assert finish(small(listed(tmp_path))) == state_hash


def test_a_replay_refuses_a_script_that_has_changed(tmp_path: Path) -> None:
    journal = tmp_path / "run.sqlite"
    session = small(listed(tmp_path), journal=journal)
    finish(session, Until(events=50))
    listed(tmp_path, SPREAD + "\n# changed\n")
    with pytest.raises(JournalError, match=r"my_spread.py has changed since the run"):
        replay_journal(journal)


def test_figures_and_settings_are_part_of_the_hash(tmp_path: Path) -> None:
    hashes = {
        finish(small(*overrides), Until(events=800))
        for overrides in (
            (),
            ("pipeline.processors=[]",),
            (listed(tmp_path),),
            ("pipeline.volatility.half_life_s=30",),
            ("pipeline.imbalance.levels=2",),
            ("pipeline.flow.window_s=3",),
        )
    }
    assert len(hashes) == 6


PROGRAM = """
import sys
from tests.engine.runs import finish, small
from workstation.engine.drivers import Until
print(finish(small(sys.argv[1]), Until(events=1_500)))
"""


def test_the_hash_does_not_depend_on_pythons_hash_seed(tmp_path: Path) -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, listed(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).resolve().parents[2],
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert found != {""}


RUNAWAY = """
FIGURES = {"mine": "bps"}


def on_quote(figures, quote, context):
    context["n"] = context.get("n", 0) + 1
    figures.mine = 1.0
    while context["n"] >= 5 and quote.instrument == "ETHUSDT":
        pass
"""


def test_a_runaway_script_is_off_for_its_symbol_and_a_replay_agrees(
    tmp_path: Path,
) -> None:
    journal = tmp_path / "run.sqlite"
    session = small(
        listed(tmp_path, RUNAWAY), "engine.script_budget_ms=40", journal=journal
    )
    records = kept(session)
    run_backtest(session.engine, Until(events=600))
    (fault,) = [each for each in records if isinstance(each, FaultRecord)]
    assert (fault.task, fault.instrument) == ("my_spread.py", "ETHUSDT")
    assert fault.where == "processor off"
    assert "my_spread.py:8: did not return within 40 ms on ETHUSDT" in fault.error
    assert (figure(session, "mine", "ETHUSDT"), figure(session, "mine")) == (None, 1.0)
    (alert,) = session.frame(0, frozenset(), None).alerts
    assert alert.severity == "bad"
    assert "my_spread.py" in alert.text
    assert "Mend the script" in alert.remedy
    state_hash = finish(session, Until(events=900))
    result = replay_journal(journal)
    assert result.matches, result.first_difference
    assert result.state_hash == state_hash


@pytest.mark.parametrize(
    "raises",
    [
        "raise ValueError('no')",
        "figures.my_spread = float('nan')",
        "figures.luck = 1.0",
        "figures.my_spread = figures.luck",
        "import sys; sys.exit(1)",
        "raise type('B', (BaseException,), {})",
    ],
)
def test_a_script_that_fails_is_told_with_its_line_and_switched_off(
    tmp_path: Path, raises: str
) -> None:
    text = "FIGURES = {'my_spread': 'bps'}\ndef on_trade(figures, trade, context):\n"
    session = small(listed(tmp_path, f"{text}    {raises}\n"), "pipeline.max_errors=2")
    records = kept(session)
    run_backtest(session.engine, Until(events=800))
    faults = [each for each in records if isinstance(each, FaultRecord)]
    assert [each.where for each in faults].count("processor off") == 2
    assert len(faults) == 4
    assert all("my_spread.py:3: " in each.error for each in faults)
    for name in session.aggregator.instruments:
        found = session.aggregator.figures(name).processor("my_spread.py")
        assert isinstance(found, ScriptProcessor)
        assert found.off
    session.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "must declare FIGURES"),
        ("FIGURES = {}", "must declare FIGURES"),
        ("FIGURES = {'a b': 'bps'}", "'a b' cannot be read as market.figures.name"),
        ("FIGURES = {'_a': 'bps'}", "'_a' cannot be read"),
        ("FIGURES = {'a': 1}", "FIGURES\\['a'\\] must be its unit"),
        ("FIGURES = {'a': 'bps'}", "defines one of on_quote, on_trade, on_bar"),
        (
            "FIGURES = {'a': 'bps'}\nNEEDS = 'b'\ndef on_bar(*a): pass",
            "NEEDS must be a list of figures",
        ),
        ("FIGURES = {'a': 'bps'\n", "my_spread.py:1: '{' was never closed"),
        ("FIGURES = {'a': 'bps'}\n1 / 0", "my_spread.py:2: ZeroDivisionError"),
    ],
)
def test_a_script_that_cannot_be_loaded_says_why(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "my_spread.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScriptError, match=said):
        load(path)
    with pytest.raises(ScriptError, match=said):
        small(listed(tmp_path, text))


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"gone.py: cannot be read"):
        load(tmp_path / "gone.py")


def test_a_script_before_what_it_needs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"my_spread.py needs 'imbalance'; put imbalance"
    ):
        small(listed(tmp_path, processors='["my_spread.py", "imbalance"]'))


CONFIG = """
mode = "simulation"
[pipeline]
processors = [{processors}]
[pipeline.volatility]
sampel_ms = 5
scale = 300
[pipeline.adverse_selection]
horizons_s = [5, 1]
[[feeds]]
name = "market"
type = "simulated"
symbols = ["BTCUSDT"]
[[strategies]]
name = "ema_cross"
script = "ema_cross.py"
"""


def test_the_config_names_what_is_wrong_with_the_chain(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    processors = '"imbalanse", "flow", "flow", "gone.py"'
    path.write_text(CONFIG.format(processors=processors), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    text = str(caught.value)
    for said in (
        'processors.0: found "imbalanse"; allowed: imbalance, volatility',
        'did you mean "imbalance"?',
        'processors.2: found "flow" twice; allowed: each once',
        'processors.3: found "gone.py", which is no file',
        "sampel_ms: unknown key; known: half_life_s, sample_ms",
        "scale: found 300; allowed: less than samples",
        "horizons_s: found [5.0, 1.0]; allowed: rising",
    ):
        assert said in text, said


def test_a_script_is_found_beside_the_config(tmp_path: Path) -> None:
    listed(tmp_path)
    path = tmp_path / "run.toml"
    text = CONFIG.format(processors='"imbalance", "my_spread.py"')
    path.write_text(
        "\n".join(
            line
            for line in text.splitlines()
            if not line.startswith(("sampel", "scale", "horizons"))
        ),
        encoding="utf-8",
    )
    run = load_config(path).run
    assert run.pipeline.processors == ("imbalance", str(tmp_path / "my_spread.py"))
