"""Lua strategies in whole runs: they decide as their Python twins do, and replay."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.runs import KLINES, SMALL, finish, kept, settings, small, with_script
from tests.engine.test_reloading import children
from tests.engine.test_script_calls import decisions
from tests.reference import reference
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.lua_edge import LuaEdge
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.engine.settings import RunSettings
from workstation.engine.sources import Feed
from workstation.kernel import SimClock, TaskState
from workstation.model.commands import Override, RestartTask, SetParams
from workstation.model.errors import JournalError, ScriptError
from workstation.model.records import FaultRecord, FillRecord, NoteRecord, Record
from workstation.model.states import SymbolState
from workstation.paths import shipped_folder
from workstation.strategy.lua.host import LuaWorker, Reply, WorkerFault
from workstation.strategy.lua.restarts import Restarts

SHIPPED = ("ema_cross", "rsi_reversion", "range_breakout")
QUIET = """
function detect_opportunity(market, context, indicators) {detect} end
function filter_commitment(market, context, indicators) end
function manage_position(market, context, indicators) end
"""


@pytest.fixture
def closing() -> Iterator[list[Session]]:
    sessions: list[Session] = []
    yield sessions
    for session in sessions:
        session.close()


def lua_script(folder: Path, detect: str, name: str = "mine.lua") -> Path:
    path = folder / name
    path.write_text(QUIET.replace("{detect}", detect))
    return path


def edge_of(session: Session) -> LuaEdge:
    edge = session.engine.core.scripts.edge
    assert isinstance(edge, LuaEdge)
    return edge


def worker_pid(session: Session) -> int:
    worker = edge_of(session)._stations["ema_cross"].worker
    assert worker is not None
    assert worker.pid is not None
    return worker.pid


def run_of(run: RunSettings) -> tuple[list[tuple[object, ...]], int]:
    session = assemble_session(run, journal=False)
    records = kept(session)
    run_backtest(session.engine)
    session.close()
    fills = sum(isinstance(record, FillRecord) for record in records)
    faults = [record for record in records if isinstance(record, FaultRecord)]
    assert faults == []
    return decisions(records), fills


def shipped_run(name: str, *overrides: str, config: Path | None = None) -> RunSettings:
    script = shipped_folder("strategies") / name
    given = (*with_script(script), *overrides)
    return settings(*given) if config is None else settings(*given, config=config)


@pytest.mark.parametrize("name", SHIPPED)
def test_both_languages_trade_the_simulated_default_alike(name: str) -> None:
    runs = [
        run_of(shipped_run(f"{name}.{suffix}", 'feeds.0.duration="20m"'))
        for suffix in ("py", "lua")
    ]
    assert runs[0] == runs[1]
    assert runs[0][1] > 0


@pytest.mark.reference
@pytest.mark.parametrize("name", SHIPPED)
def test_both_languages_trade_the_hourly_files_alike(name: str) -> None:
    months = ("2024-11", "2024-12", "2025-01", "2025-02")
    files = [
        str(reference("data", "binance", "klines", f"BTCUSDT-1h-{month}.csv"))
        for month in months
    ]
    given = (f"feeds.0.files={json.dumps(files)}", 'feeds.0.symbols=["BTCUSDT"]')
    runs = [
        run_of(shipped_run(f"{name}.{suffix}", *given, config=KLINES))
        for suffix in ("py", "lua")
    ]
    assert runs[0] == runs[1]
    assert runs[0][1] > 0


EMA = shipped_folder("strategies") / "ema_cross.lua"


def test_a_lua_run_is_the_same_however_it_is_driven() -> None:
    first = finish(small(*with_script(EMA)))
    session = small(*with_script(EMA))
    while session.driver.step():
        pass
    session.close()
    assert session.engine.state_hash() == first


async def test_a_lua_run_is_the_same_when_it_is_played(
    closing: list[Session],
) -> None:
    expected = finish(small(*with_script(EMA)))
    session = small(*with_script(EMA), "engine.speed=100000.0")
    closing.append(session)
    ended = asyncio.Event()
    end = session.engine.sources.on_end

    def on_end(feed: Feed) -> None:
        end(feed)
        ended.set()

    session.engine.sources.on_end = on_end
    session.driver.play()
    turn = asyncio.get_running_loop().create_task(session.driver.run())
    await ended.wait()
    session.driver.stop()
    await turn
    # What was left when it was told to stop is as due as it was.
    run_backtest(session.engine)
    assert session.engine.state_hash() == expected


def test_a_journal_replays_without_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j.sqlite"
    session = small(*with_script(EMA), journal=path)
    run_backtest(session.engine)
    session.close()

    def refuse(*_: object) -> None:
        raise AssertionError("a replay starts no process")

    monkeypatch.setattr("subprocess.Popen", refuse)
    result = replay_journal(path)
    assert result.matches, result.first_difference
    assert result.inputs == session.engine.core.seq


def test_a_worker_killed_in_the_middle_costs_one_fault_and_comes_again(
    closing: list[Session], tmp_path: Path
) -> None:
    path = tmp_path / "j.sqlite"
    session = small(*with_script(EMA), journal=path)
    closing.append(session)
    records = kept(session)
    run_backtest(session.engine, Until(events=800))
    first = worker_pid(session)
    os.kill(first, signal.SIGKILL)
    run_backtest(session.engine)
    faults = [record for record in records if isinstance(record, FaultRecord)]
    assert [fault.task for fault in faults] == ["ema_cross"]
    assert "the worker ended by SIGKILL" in faults[0].error
    assert worker_pid(session) != first
    state = edge_of(session).worker("ema_cross")
    assert state is not None
    assert (state.deaths, state.running) == (1, True)
    assert session.engine.registry.get("ema_cross").state is TaskState.RUNNING
    session.close()
    result = replay_journal(path)
    assert result.matches, result.first_difference


def test_a_worker_that_dies_again_and_again_fails_its_strategy_alone(
    closing: list[Session],
) -> None:
    session = small(*with_script(EMA))
    closing.append(session)
    engine = session.engine
    run_backtest(engine, Until(events=300))
    station = edge_of(session)._stations["ema_cross"]
    station.restarts = Restarts(first_ns=1, longest_ns=1)
    handle = engine.registry.get("ema_cross")
    while handle.state is TaskState.RUNNING:
        if station.worker is not None and station.worker.pid is not None:
            os.kill(station.worker.pid, signal.SIGKILL)
        run_backtest(engine, Until(events=engine.delivered + 30))
        assert engine.delivered < 3_000
    assert handle.state is TaskState.FAILED
    assert "ended by SIGKILL" in handle.last_error
    delivered = engine.delivered
    run_backtest(engine)
    assert engine.delivered > delivered
    # The operator's restart lets it begin anew.
    assert session.execute(RestartTask(task="ema_cross")).accepted
    assert not station.restarts.gave_up
    assert station.restarts.recent == 0


async def test_a_hung_worker_leaves_the_loop_free_and_is_killed_at_its_time(
    closing: list[Session],
) -> None:
    session = small(*with_script(EMA), "engine.speed=100000.0")
    closing.append(session)
    records = kept(session)
    engine, edge = session.engine, edge_of(session)
    run_backtest(engine, Until(events=300))
    first = worker_pid(session)
    edge._stations["ema_cross"].deadline_s = 0.3
    os.kill(first, signal.SIGSTOP)
    session.driver.play()
    turn = asyncio.get_running_loop().create_task(session.driver.run())
    beats = 0
    while not any(isinstance(record, FaultRecord) for record in records):
        await asyncio.sleep(0)
        beats += 1
    session.driver.stop()
    await turn
    (fault,) = [record for record in records if isinstance(record, FaultRecord)]
    assert "did not answer within 0.3 s and ended by SIGKILL" in fault.error
    # A loop that had waited for the worker would have come round a few times.
    assert beats > 200
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


@pytest.mark.parametrize(
    ("driven", "cpu_s", "deadline_s", "load_s"),
    [
        (False, 0.01, 1.0, 10.0),
        (False, 0.25, 1.0, 10.0),
        (False, 2.0, 8.0, 10.0),
        (False, 60.0, 240.0, 240.0),
        (True, 60.0, 10.0, 10.0),
    ],
)
def test_no_deadline_is_shorter_than_what_the_cpu_time_allows(
    driven: bool, cpu_s: float, deadline_s: float, load_s: float
) -> None:
    waited: list[float] = []

    class Patient(LuaWorker):
        def receive(self, timeout_s: float) -> Reply | WorkerFault:
            waited.append(timeout_s)
            return super().receive(timeout_s)

    edge = LuaEdge(
        driven=driven,
        indicators=(),
        figures=(),
        cpu_s=cpu_s,
        wall=SimClock(),
        worker=Patient,
    )
    source = QUIET.replace("{detect}", "").encode()
    prepared = edge.prepare(Path("mine.lua"), source, 1)
    prepared.wait()
    edge.use("mine", prepared)
    assert edge._stations["mine"].deadline_s == deadline_s
    assert waited == [load_s]
    edge.close()


def test_a_loop_without_end_is_a_fault_with_its_line(
    tmp_path: Path, closing: list[Session]
) -> None:
    script = lua_script(tmp_path, "\n  while true do end\n")
    session = small(*with_script(script), 'feeds.0.symbols=["BTCUSDT"]')
    closing.append(session)
    records = kept(session)
    run_backtest(session.engine, Until(events=300))
    faults = [record for record in records if isinstance(record, FaultRecord)]
    assert len(faults) == 5
    assert faults[0].error.startswith("ScriptError: mine.lua:3: used more than")
    assert session.engine.registry.get("ema_cross").state is TaskState.FAILED


def test_what_a_script_logs_keeps_and_plots_comes_back(
    tmp_path: Path, closing: list[Session]
) -> None:
    script = lua_script(
        tmp_path,
        """
  context.n = (context.n or 0) + 1
  market.log("seen", context.n, indicators.sma(3))
  market.plot("middle", market.mid_price)
""",
    )
    session = small(*with_script(script), 'feeds.0.symbols=["BTCUSDT"]')
    closing.append(session)
    records: list[Record] = kept(session)
    run_backtest(session.engine, Until(events=300))
    notes = [record.text for record in records if isinstance(record, NoteRecord)]
    assert notes[:2] == ["seen 1 nil", "seen 2 nil"]
    assert notes[3].startswith("seen 4 61")
    row = session.strategies[0].rows["BTCUSDT"]
    assert row.context["n"] == len(notes)
    assert row.plots.series()


def test_a_text_parameter_may_be_set_to_a_word_the_script_lacks(
    tmp_path: Path, closing: list[Session]
) -> None:
    path = tmp_path / "mine.lua"
    path.write_text(
        'PARAMS = {word = {default = "one", help = "what to say"}}\n'
        + QUIET.replace("{detect}", "market.log(market.params.word)")
    )
    session = small(*with_script(path), 'feeds.0.symbols=["BTCUSDT"]')
    closing.append(session)
    records = kept(session)
    run_backtest(session.engine, Until(events=100))
    done = session.execute(SetParams(strategy="ema_cross", values={"word": "zebra"}))
    assert done.accepted
    run_backtest(session.engine, Until(events=200))
    notes = {record.text for record in records if isinstance(record, NoteRecord)}
    assert notes == {"one", "zebra"}
    assert not [record for record in records if isinstance(record, FaultRecord)]


def test_an_override_is_told_to_the_script_that_runs_and_costs_no_worker(
    tmp_path: Path, closing: list[Session]
) -> None:
    path = tmp_path / "mine.lua"
    filter_ = """ function filter_commitment(market, context, indicators)
      local found = context.opportunity
      kept.calls = kept.calls + 1
      market.log(found.signal, found.reason, kept.calls)
    end"""
    script = QUIET.replace("{detect}", "kept.calls = kept.calls + 1")
    script = script.replace(
        "function filter_commitment(market, context, indicators) end", filter_
    )
    path.write_text("kept = {calls = 0}\n" + script)
    session = small(*with_script(path), 'feeds.0.symbols=["BTCUSDT"]')
    closing.append(session)
    records = kept(session)
    run_backtest(session.engine, Until(events=100))
    calls = session.strategies[0].calls
    done = session.execute(
        Override(
            strategy="ema_cross",
            instrument="BTCUSDT",
            state=SymbolState.CLOSE_WATCH,
            reason="I saw it \u2028" + "coming, " * 30,
        )
    )
    assert done.accepted
    run_backtest(session.engine, Until(events=200))
    assert not [record for record in records if isinstance(record, FaultRecord)]
    notes = [record.text for record in records if isinstance(record, NoteRecord)]
    # What the script kept is still there: it was not loaded anew for a word.
    assert notes[0] == f"override override {calls + 1}"


def test_a_question_that_no_message_can_hold_is_a_fault_and_no_end_of_the_run(
    tmp_path: Path, closing: list[Session]
) -> None:
    path = tmp_path / "mine.lua"
    path.write_text(
        "PARAMS = {n = {default = 1}}\n"
        + QUIET.replace("{detect}", "market.log(market.params.n)")
    )
    session = small(*with_script(path), 'feeds.0.symbols=["BTCUSDT"]')
    closing.append(session)
    records = kept(session)
    run_backtest(session.engine, Until(events=100))
    row = session.strategies[0].rows["BTCUSDT"]
    row.market.params = {"n": 2**64}
    asked = session.strategies[0].calls
    while session.strategies[0].calls == asked:
        run_backtest(session.engine, Until(events=session.engine.delivered + 1))
    (fault,) = [record for record in records if isinstance(record, FaultRecord)]
    assert "it cannot be asked: " in fault.error
    row.market.params = {"n": 3}
    run_backtest(session.engine, Until(events=200))
    notes = [record.text for record in records if isinstance(record, NoteRecord)]
    assert (notes[0], notes[-1]) == ("1", "3")
    state = edge_of(session).worker("ema_cross")
    assert state is not None
    assert state.deaths == 0


def test_a_text_that_no_script_may_be_told_costs_one_worker_and_no_more(
    tmp_path: Path, closing: list[Session]
) -> None:
    path = tmp_path / "mine.lua"
    path.write_text(
        'PARAMS = {word = {default = "one"}}\n'
        + QUIET.replace("{detect}", "market.log(market.params.word)")
    )
    session = small(*with_script(path), 'feeds.0.symbols=["BTCUSDT"]')
    closing.append(session)
    records = kept(session)
    run_backtest(session.engine, Until(events=100))
    edge_of(session)._stations["ema_cross"].restarts = Restarts(first_ns=0)
    row = session.strategies[0].rows["BTCUSDT"]
    row.market.params = {"word": "a\nb"}
    while not any(isinstance(record, FaultRecord) for record in records):
        run_backtest(session.engine, Until(events=session.engine.delivered + 1))
    row.market.params = {"word": "two"}
    run_backtest(session.engine, Until(events=300))
    (fault,) = [record for record in records if isinstance(record, FaultRecord)]
    assert "all of them printable" in fault.error
    notes = [record.text for record in records if isinstance(record, NoteRecord)]
    assert (notes[0], notes[-1]) == ("one", "two")
    state = edge_of(session).worker("ema_cross")
    assert state is not None
    assert state.deaths == 1


@pytest.mark.parametrize("word", ["z" * 65, "a\nb", "\x00"])
def test_a_text_that_cannot_cross_is_refused_and_costs_no_worker(
    tmp_path: Path, closing: list[Session], word: str
) -> None:
    path = tmp_path / "mine.lua"
    path.write_text(
        'PARAMS = {word = {default = "one"}}\n'
        + QUIET.replace("{detect}", "market.log(market.params.word)")
    )
    session = small(*with_script(path), 'feeds.0.symbols=["BTCUSDT"]')
    closing.append(session)
    records = kept(session)
    run_backtest(session.engine, Until(events=100))
    done = session.execute(SetParams(strategy="ema_cross", values={"word": word}))
    assert not done.accepted
    assert "at most 64 characters, all of them printable" in done.detail
    run_backtest(session.engine, Until(events=200))
    assert not [record for record in records if isinstance(record, FaultRecord)]
    given = f"strategies.0.params={{word={json.dumps(word)}}}"
    with pytest.raises(ScriptError, match="all of them printable"):
        small(*with_script(path), given)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("function detect_opportunity(", "mine.lua:1: "),
        ("x = 1", "mine.lua: misses detect_opportunity"),
        ("os.exit()", "mine.lua:1: "),
        (b"\xff\xfe", "mine.lua: is no UTF-8 text"),
    ],
)
def test_a_script_that_does_not_load_is_named_with_its_line(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    script = tmp_path / "mine.lua"
    script.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ScriptError) as caught:
        small(*with_script(script))
    assert str(caught.value).startswith(said)
    run = settings(*SMALL, *with_script(script))
    session = assemble_session(run, tolerant=True, journal=False)
    run_backtest(session.engine, Until(events=100))
    assert session.engine.registry.get("ema_cross").state is TaskState.FAILED
    session.close()


def test_a_script_whose_parameters_are_refused_leaves_no_worker(
    closing: list[Session], tmp_path: Path
) -> None:
    script = tmp_path / "mine.lua"
    script.write_text("PARAMS = {n = 1}\n" + QUIET.replace("{detect}", ""))
    given = (*SMALL, *with_script(script), 'strategies.0.params={n="one"}')
    with pytest.raises(ScriptError, match="must be int") as caught:
        assemble_session(settings(*given), journal=False)
    assert children() == [], caught
    session = assemble_session(settings(*given), tolerant=True, journal=False)
    closing.append(session)
    assert children() == []
    assert edge_of(session).worker("ema_cross") is None
    run_backtest(session.engine, Until(events=100))
    assert session.engine.registry.get("ema_cross").state is TaskState.FAILED


def test_a_run_that_cannot_be_assembled_leaves_no_worker(tmp_path: Path) -> None:
    taken = tmp_path / "j.sqlite"
    small(*with_script(EMA), journal=taken).close()
    with pytest.raises(JournalError, match="holds a run already") as caught:
        small(*with_script(EMA), journal=taken)
    assert children() == [], caught
