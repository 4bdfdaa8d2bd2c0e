"""Every attack of a hostile script, as a strategy of a run beside an honest one.

The run goes to its end, the honest strategy decides as if there were no other, the
fault is on record with the name of the strategy and why, and no process stays behind.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.engine.runs import kept, settings
from tests.engine.test_reloading import children
from tests.engine.test_script_calls import decisions
from tests.strategy.lua.test_attacks import (
    ABSENT,
    BOMBS,
    HARMLESS,
    HEAVY,
    LEAKS,
    LONG_TEXT,
    LOOPS,
    REFUSED,
    UNLOADABLE,
)
from tests.strategy.lua.workers import script
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import run_backtest
from workstation.engine.lua_edge import LuaEdge
from workstation.kernel import TaskState
from workstation.model.records import FaultRecord, TaskRecord

Decisions = list[tuple[object, ...]]

QUIET = script(filter_="return nil")
NEIGHBOUR = """
def detect_opportunity(market, context, indicators):
    return {"signal": "up"} if market.bars() > 2 else None

def filter_commitment(market, context, indicators):
    return {"action": "enter_long"}

def manage_position(market, context, indicators):
    return {"action": "exit"}
"""
NAME = "hostile"
LEAK = re.compile(LEAKS.pattern.replace("|Python", ""))
"""As in the attacks, but the word: an error of the core may say of which language."""


class Outcome:
    """What has become of a run with a hostile script in it."""

    def __init__(self, folder: Path, source: str, deadline_s: float = 20.0) -> None:
        before = children()
        hostile, honest = folder / f"{NAME}.lua", folder / "honest.py"
        hostile.write_bytes(source.encode("utf-8", "surrogatepass"))
        honest.write_text(NEIGHBOUR)
        strategies = ", ".join(
            f'{{name="{path.stem}", script="{path}", symbols=["*"], '
            'timeframe="1s", max_errors=1}'
            for path in (hostile, honest)
        )
        run = settings(
            'feeds.0.symbols=["BTCUSDT"]',
            'feeds.0.duration="12s"',
            f"strategies=[{strategies}]",
        )
        session = assemble_session(run, journal=False, tolerant=True)
        try:
            edge = session.engine.core.scripts.edge
            assert isinstance(edge, LuaEdge)
            for station in edge._stations.values():
                station.deadline_s = deadline_s
            records = kept(session)
            run_backtest(session.engine)
            task = session.engine.registry.get(NAME)
            self.state, self.reason = task.state, task.last_error
            self.ended = session.engine.sources.peek_ts() is None
        finally:
            session.close()
        self.left = [each for each in children() if each not in before]
        self.faults = [each for each in records if isinstance(each, FaultRecord)]
        self.told = [
            each.reason
            for each in records
            if isinstance(each, TaskRecord) and each.task == NAME
        ]
        self.honest = decisions(
            [each for each in records if getattr(each, "strategy", "") != NAME]
        )

    def is_contained(self, honest: Decisions) -> None:
        """Check what must hold whatever the script did."""
        assert self.ended
        assert self.honest == honest
        assert {fault.task for fault in self.faults} <= {NAME}
        assert self.left == []
        assert not LEAK.search("".join(fault.error for fault in self.faults))

    def is_told(self, cause: str) -> None:
        """Check that the one fault names the script and the cause, and the task too."""
        (fault,) = self.faults
        assert fault.task == NAME
        assert re.match(rf"ScriptError: {NAME}\.lua:? ?{cause}", fault.error), fault
        assert self.state is TaskState.FAILED
        said = fault.error.removeprefix("ScriptError: ")
        assert said in self.reason
        assert any(said in reason for reason in self.told)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Decisions:
    """Return what the honest strategy decides beside a script that does nothing."""
    alone = Outcome(tmp_path_factory.mktemp("quiet"), QUIET)
    assert alone.faults == []
    assert alone.state is TaskState.RUNNING
    assert len(alone.honest) > 10
    return alone.honest


@pytest.mark.parametrize("body", ABSENT)
def test_what_is_not_there_is_a_fault_of_its_line(
    tmp_path: Path, honest: Decisions, body: str
) -> None:
    outcome = Outcome(tmp_path, script(f"\n{body}"))
    outcome.is_contained(honest)
    outcome.is_told("3: ")


@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS)
def test_a_loop_is_a_fault_that_says_how_much_it_used(
    tmp_path: Path, honest: Decisions, body: str
) -> None:
    outcome = Outcome(tmp_path, script(body))
    outcome.is_contained(honest)
    outcome.is_told(r"\d: used more than 20,000,000 instructions in one call")


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_a_fault_that_says_how_much_it_used(
    tmp_path: Path, honest: Decisions, body: str
) -> None:
    outcome = Outcome(tmp_path, script(body))
    outcome.is_contained(honest)
    outcome.is_told(r"(\d: )?used more than (16 MB of memory|20,000,000 instructions)")


@pytest.mark.parametrize("body", HEAVY.values(), ids=HEAVY)
def test_work_that_no_count_shows_is_a_fault_of_a_worker_that_was_killed(
    tmp_path: Path, honest: Decisions, body: str
) -> None:
    outcome = Outcome(tmp_path, script(LONG_TEXT + body), deadline_s=0.5)
    outcome.is_contained(honest)
    outcome.is_told("the worker did not answer within 0.5 s and ended by SIGKILL")


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_a_fault_of_its_line(
    tmp_path: Path, honest: Decisions, body: str
) -> None:
    outcome = Outcome(tmp_path, script(body))
    outcome.is_contained(honest)
    outcome.is_told("[12]: ")


@pytest.mark.parametrize("body", [body for body, _ in HARMLESS.values()], ids=HARMLESS)
def test_what_does_no_harm_is_no_fault(
    tmp_path: Path, honest: Decisions, body: str
) -> None:
    outcome = Outcome(tmp_path, script(f"local b, c\n{body}", filter_="return nil"))
    outcome.is_contained(honest)
    assert outcome.faults == []
    assert outcome.state is TaskState.RUNNING


def test_a_flood_of_needs_is_a_fault_that_says_so(
    tmp_path: Path, honest: Decisions
) -> None:
    outcome = Outcome(tmp_path, script("for i = 2, 5000 do indicators.ema(i) end"))
    outcome.is_contained(honest)
    outcome.is_told("2: asks for more than 64 different values")


@pytest.mark.parametrize(
    "source", [source for source, _ in UNLOADABLE.values()], ids=UNLOADABLE
)
def test_what_cannot_be_loaded_fails_its_strategy_alone(
    tmp_path: Path, honest: Decisions, source: str
) -> None:
    outcome = Outcome(tmp_path, source)
    outcome.is_contained(honest)
    assert outcome.state is TaskState.FAILED
    assert outcome.told[-1].startswith(f"{NAME}.lua")
