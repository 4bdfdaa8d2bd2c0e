"""Scripts that run elsewhere: their answers are inputs, and decisions stay the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.engine.runs import kept, settings, small
from workstation.engine import script_loading
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import PlayState, Until, run_backtest
from workstation.engine.replay import replay_journal
from workstation.engine.script_calls import ScriptCalls
from workstation.engine.session import Session
from workstation.model.commands import Kill, KillLevel, Override
from workstation.model.errors import ScriptError
from workstation.model.records import FaultRecord, FillRecord, Record, StateRecord
from workstation.model.states import SymbolState
from workstation.strategy.host import PENDING
from workstation.strategy.question import Function
from workstation.strategy.replies import ScriptAnswered, ScriptReply
from workstation.strategy.row import Row
from workstation.strategy.script import Script

Posted = tuple[Row, Function]
LONG = 'feeds.0.duration="8m"'


class PostingHost:
    """A host that sends each question to the edge, and takes what comes back."""

    def __init__(self, script: Script, guard: object) -> None:
        self.script = script
        self.post: Callable[[str, object], None]

    def attach(self, post: Callable[[str, object], None]) -> None:
        self.post = post

    def ask(self, row: Row, function: Function) -> object:
        # What the script will ask for, as the core knows it: the edge changes nothing.
        for name in ("fast", "slow"):
            row.indicators.ema(row.market.params[name])
        self.post(row.strategy, (row, function))
        return PENDING

    def take(self, row: Row, reply: ScriptReply) -> object:
        if reply.error:
            return ScriptError(self.script.name, reply.error, reply.line)
        if reply.context is not None:
            own = row.context.get("opportunity")
            row.context.clear()
            row.context.update(reply.context)
            if own is not None:
                row.context["opportunity"] = own
        return reply.answer


class PythonEdge:
    """An edge that calls the script's own functions, when it is collected from.

    ``late`` batches are answered only at the second look, ``dead`` ones never: their
    worker has died.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.posted: list[tuple[str, int, list[Posted]]] = []
        self.batches: list[int] = []
        self.dead: set[int] = set()
        self.late = False
        self.looks = 0
        self.closed = False

    def post(self, strategy: str, batch: int, questions: Sequence[Any]) -> None:
        self.posted.append((strategy, batch, list(questions)))
        self.batches.append(len(questions))

    def collect(self, timeout_s: float | None) -> Sequence[ScriptAnswered]:
        self.looks += 1
        if self.late and timeout_s is not None and self.looks % 3:
            return ()
        # The newest first: the order of arrival must not count.
        posted, self.posted = self.posted[::-1], []
        return [self._answer(*each) for each in posted]

    async def arrival(self) -> None:
        await asyncio.sleep(0)

    def rearm(self, strategy: str) -> None:
        raise AssertionError("nothing was restarted")

    def worker(self, strategy: str) -> None:
        return None

    def close(self) -> None:
        self.closed = True

    def _answer(
        self, strategy: str, batch: int, questions: list[Posted]
    ) -> ScriptAnswered:
        if batch in self.dead:
            return ScriptAnswered(strategy=strategy, batch=batch, fault="was killed")
        replies = tuple(self._reply(row, function) for row, function in questions)
        return ScriptAnswered(strategy=strategy, batch=batch, replies=replies)

    def _reply(self, row: Row, function: Function) -> ScriptReply:
        context = dict(row.context)
        called = self.script.functions[function]
        answer = called(row.market, context, row.indicators)
        context.pop("opportunity", None)
        return ScriptReply(
            strategy=row.strategy,
            instrument=row.instrument.id,
            function=function,
            answer=answer,
            context=context,
        )


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Session]:
    """Return a way to assemble the small run with its script behind an edge."""
    monkeypatch.setattr(script_loading, "PythonHost", PostingHost)

    def assemble(*overrides: str, journal: Path | None = None) -> Session:
        session = small(LONG, *overrides, journal=journal)
        connect(session)
        return session

    return assemble


def connect(session: Session) -> PythonEdge:
    (strategy,) = session.strategies
    edge = PythonEdge(strategy.script)
    session.engine.core.scripts.edge = edge
    return edge


def edge_of(session: Session) -> PythonEdge:
    edge = session.engine.core.scripts.edge
    assert isinstance(edge, PythonEdge)
    return edge


def decisions(records: list[Record]) -> list[tuple[object, ...]]:
    """Return what was decided and came of it, without the inputs' numbers."""
    moves: list[tuple[object, ...]] = []
    for record in records:
        if isinstance(record, StateRecord):
            moves.append(
                (record.ts, record.instrument, record.trigger, record.after.value)
            )
        elif isinstance(record, FillRecord):
            fill = record.fill
            moves.append((fill.ts, fill.instrument, fill.side, fill.quantity))
    return moves


@pytest.fixture(scope="module")
def at_home() -> list[tuple[object, ...]]:
    session = small(LONG)
    records = kept(session)
    run_backtest(session.engine)
    made = decisions(records)
    assert len(made) > 30
    return made


def test_a_script_elsewhere_decides_the_same(
    elsewhere: Callable[..., Session], at_home: list[tuple[object, ...]]
) -> None:
    session = elsewhere()
    records = kept(session)
    run_backtest(session.engine)
    assert decisions(records) == at_home
    # Both symbols close their bars in one input, so they are asked in one batch.
    assert max(edge_of(session).batches) == 2
    session.close()
    assert edge_of(session).closed


def test_answers_that_come_late_change_nothing(
    elsewhere: Callable[..., Session], at_home: list[tuple[object, ...]]
) -> None:
    session = elsewhere()
    records = kept(session)
    edge_of(session).late = True
    while session.driver.step():
        pass
    assert decisions(records) == at_home


async def test_the_play_driver_takes_answers_without_blocking(
    elsewhere: Callable[..., Session], at_home: list[tuple[object, ...]]
) -> None:
    session = elsewhere("engine.speed=100000.0")
    records = kept(session)
    edge_of(session).late = True
    driver = session.driver
    driver.play()
    ended = asyncio.Event()
    session.engine.sources.on_end = lambda feed: ended.set()
    turn = asyncio.get_running_loop().create_task(driver.run())
    await ended.wait()
    await asyncio.sleep(0)
    driver.stop()
    await turn
    assert driver.state is PlayState.ENDED
    assert decisions(records) == at_home


def test_a_journal_of_answers_replays_without_a_worker(
    elsewhere: Callable[..., Session], tmp_path: Path
) -> None:
    path = tmp_path / "j.sqlite"
    session = elsewhere(journal=path)
    run_backtest(session.engine)
    session.close()
    result = replay_journal(path)
    assert result.matches, result.first_difference
    assert result.state_hash == session.engine.state_hash()
    assert result.inputs == session.engine.core.seq


def awaiting(session: Session) -> Session:
    """Step until a script was asked and has not answered."""
    engine = session.engine
    engine.waits = False
    while not engine.awaiting:
        assert engine.step()
    return session


def test_a_command_is_taken_while_a_script_has_not_answered(
    elsewhere: Callable[..., Session], tmp_path: Path
) -> None:
    path = tmp_path / "j.sqlite"
    session = awaiting(elsewhere(journal=path))
    engine = session.engine
    before = engine.core.seq
    override = Override(
        strategy="ema_cross",
        instrument="BTCUSDT",
        state=SymbolState.CLOSE_WATCH,
        reason="by hand",
    )
    assert session.execute(override).accepted
    assert session.execute(Kill(level=KillLevel.HOLD)).accepted
    assert engine.awaiting
    assert engine.core.seq == before + 2
    pulled = engine.pulled
    engine.take_answers(edge_of(session).collect(None))
    assert not engine.awaiting
    assert engine.core.seq > before + 3
    row = session.strategies[0].rows["BTCUSDT"]
    assert row.answer.startswith(
        "detect_opportunity answered too late: the row has left"
    )
    assert engine.pulled - pulled in (0, 1)
    engine.waits = True
    run_backtest(engine, Until(events=1_000))
    session.close()
    result = replay_journal(path)
    assert result.matches, result.first_difference
    assert result.inputs == engine.core.seq


def test_a_run_left_while_a_script_has_not_answered_replays_to_there(
    elsewhere: Callable[..., Session], tmp_path: Path
) -> None:
    path = tmp_path / "j.sqlite"
    session = awaiting(elsewhere(journal=path))
    session.close()
    result = replay_journal(path)
    assert result.matches, result.first_difference
    assert result.inputs == session.engine.core.seq


def test_a_worker_that_dies_is_one_fault_and_its_rows_wait_no_more(
    elsewhere: Callable[..., Session],
) -> None:
    session = awaiting(elsewhere())
    records = kept(session)
    engine, edge = session.engine, edge_of(session)
    edge.dead = {1}
    engine.take_answers(edge.collect(None))
    faults = [record for record in records if isinstance(record, FaultRecord)]
    assert [(fault.task, fault.where) for fault in faults] == [
        ("ema_cross", "ScriptAnswered")
    ]
    assert faults[0].error.endswith("was killed")
    assert not engine.awaiting
    for row in session.strategies[0].rows.values():
        assert row.asked is None
        assert row.answer == "script error: was killed"


def test_a_quiet_night_of_bars_is_no_tower_of_calls(
    elsewhere: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = settings(
        'feeds.0.symbols=["BTCUSDT"]',
        'feeds.0.duration="1m"',
        'strategies.0.timeframe="1s"',
    )
    monkeypatch.setattr(script_loading, "PythonHost", PostingHost)
    session = assemble_session(run, paused=True)
    edge = connect(session)
    engine = session.engine
    run_backtest(engine, Until(events=50))
    asked = len(edge.batches)
    # No event for two hours: 7,200 bars are due before the next step's event.
    engine.core.run_agenda(engine.clock.now())
    engine.sources.due = engine.clock.now() + 7_200 * 1_000_000_000
    engine.step()
    assert len(edge.batches) - asked >= 7_200


def test_answers_are_taken_in_the_order_of_asking() -> None:
    calls = ScriptCalls()
    taken: list[int] = []
    calls.deliver = lambda answered: taken.append(answered.batch)
    calls.edge = PythonEdge(None)  # type: ignore[arg-type]
    for strategy in ("a", "b", "a"):
        calls.ask(strategy, object())
    calls.post()
    calls.take([ScriptAnswered(strategy="b", batch=2)])
    assert taken == []
    assert calls.awaiting
    # One that nobody waits for is nothing.
    calls.take([ScriptAnswered(strategy="x", batch=9)])
    calls.take([ScriptAnswered(strategy="a", batch=1)])
    assert taken == [1, 2]
    assert not calls.awaiting


def test_a_run_whose_scripts_are_at_home_has_nobody_to_ask() -> None:
    calls = ScriptCalls()
    calls.ask("a", object())
    with pytest.raises(Exception, match="a has no worker to ask"):
        calls.post()
    assert calls.edge.collect(None) == ()
