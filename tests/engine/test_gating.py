"""Gates and counts: one computation for WHY NOT and the panel, in one order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.commands import do
from tests.engine.runs import FOCUS, PANELS, frame_of, running, small, with_script
from tests.strategy.fakes import ENTER, SEEN, write_script
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.frames import BlockRow, Focus
from workstation.engine.session import Session
from workstation.model.commands import Hold, Override, PauseTask, StopTask
from workstation.model.states import Gate, SymbolState

ORDER = [
    *("feed", "book", "engine", "task", "lock", "state", "script", "size"),
    *("risk", "throttle", "broker"),
]


def gates_of(session: Session, focus: Focus = FOCUS) -> dict[str, Gate]:
    machine = session.frame(0, PANELS, focus).machine
    assert machine is not None
    return {gate.name: gate for gate in machine.gates}


def first(session: Session) -> str:
    return next((n for n, gate in gates_of(session).items() if not gate.passed), "")


def test_the_gates_stand_in_the_order_in_which_they_stop() -> None:
    assert list(gates_of(running())) == ORDER


@pytest.mark.parametrize("events", [50, 1_000, 2_000])
def test_why_not_of_the_symbols_is_the_first_gate_that_fails(events: int) -> None:
    session = running(events)
    rows = session.frame(0, PANELS).symbols
    assert rows
    for row in rows:
        gates = gates_of(session, Focus(row.strategy, row.instrument))
        failed = [gate.detail for gate in gates.values() if not gate.passed]
        assert row.why_not == (failed[0] if failed else "ready")


def test_what_the_operator_does_fails_its_gate() -> None:
    session = running()
    do(session, Hold(on=True))
    assert first(session) == "engine"
    do(session, Hold(on=False))
    do(session, PauseTask(task="executor"))
    assert gates_of(session)["engine"].detail == "executor paused"
    do(session, StopTask(task="ema_cross"))
    assert gates_of(session)["task"].detail == "stopped"


def test_a_locked_row_fails_at_the_lock() -> None:
    session = running(40)
    state = session.strategies[0].rows["BTCUSDT"].state
    do(
        session,
        Override(
            strategy="ema_cross",
            instrument="BTCUSDT",
            state=state,
            lock=True,
            reason="mine",
        ),
    )
    assert first(session) == "lock"


def wishing(tmp_path: Path, *overrides: str) -> Session:
    """Return a run whose script wants in at every second bar."""
    path = write_script(tmp_path, detect=SEEN, filter=ENTER)
    return small(*with_script(path), *overrides)


def test_the_script_gate_passes_only_while_its_last_answer_leads_to_an_entry(
    tmp_path: Path,
) -> None:
    path = write_script(tmp_path, detect=SEEN)
    session = small(*with_script(path))
    row = session.strategies[0].rows["BTCUSDT"]
    session.engine.start()
    assert not gates_of(session)["script"].passed
    while row.state is SymbolState.WATCH:
        session.engine.step()
    assert gates_of(session)["script"] == Gate("script", True, row.answer)
    while row.calls < 2:
        session.engine.step()
    # It waits now: it has not committed at the bar that has just closed.
    assert gates_of(session)["script"] == Gate("script", False, row.answer)
    assert row.answer.startswith("waits to commit")


def test_a_size_below_a_lot_fails_with_its_numbers(tmp_path: Path) -> None:
    overrides = ('strategies.0.size_mode="quantity"', "strategies.0.size=0.0000001")
    session = small(*overrides)
    run_backtest(session.engine, Until(events=200))
    gate = gates_of(session)["size"]
    assert not gate.passed
    assert "less than a lot" in gate.detail


def test_a_size_by_risk_is_decided_by_the_stop(tmp_path: Path) -> None:
    session = small('strategies.0.size_mode="risk"', "strategies.0.size=0.01")
    run_backtest(session.engine, Until(events=200))
    gate = gates_of(session)["size"]
    assert gate == Gate("size", True, "decided by the stop of the entry")


def test_denied_entries_are_counted_at_the_gate_that_denied_them(
    tmp_path: Path,
) -> None:
    session = wishing(tmp_path)
    do(session, Hold(on=True))
    run_backtest(session.engine, Until(events=1_500))
    blocks = frame_of(session, 0, "blocks").blocks
    assert blocks is not None
    denied = [row for row in blocks.row if row.gate == "engine"]
    assert [row.cause for row in denied] == ["hold"]
    assert not [row for row in blocks.row if row.cause == "entered"]
    asked = session.strategies[0].rows["BTCUSDT"].calls
    assert sum(row.count for row in blocks.row) == asked
    assert sum(row.count for row in blocks.all) == session.strategies[0].calls


def test_counts_are_ranked_and_all_rows_hold_each(tmp_path: Path) -> None:
    session = running()
    blocks = frame_of(session, 0, "blocks").blocks
    assert blocks is not None
    numbers = [row.count for row in blocks.all]
    assert numbers == sorted(numbers, reverse=True)
    total = {(row.gate, row.cause): row.count for row in blocks.all}
    for row in blocks.row:
        assert 0 < row.count <= total[row.gate, row.cause]
    assert (
        BlockRow(gate="script", cause="no signal", count=total["script", "no signal"])
        in blocks.all
    )


def test_a_focus_on_what_is_not_there_shows_all_rows_alone() -> None:
    session = running()
    blocks = session.frame(0, frozenset({"blocks"}), Focus("x", "BTCUSDT")).blocks
    assert blocks is not None
    assert blocks.row == ()
    assert blocks.all
