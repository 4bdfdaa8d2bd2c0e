"""The script log: what scripts wrote and where they failed, with the script's line."""

from __future__ import annotations

from pathlib import Path

from tests.engine.runs import FOCUS, SMALL, finish, settings, small, with_script
from tests.strategy.fakes import write_script
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.frames import ScriptLog
from workstation.engine.session import Session

FAILS = (
    "market.log(f'bar {market.bars()}')\n"
    "    if market.bars() > 3 and market.symbol == 'ETHUSDT':\n"
    "        return 1 / 0\n"
    "    return None"
)


def log_of(session: Session) -> ScriptLog:
    log = session.frame(0, frozenset({"script_log"}), FOCUS).script_log
    assert log is not None
    return log


def test_notes_and_errors_come_in_their_order_with_the_line_that_failed(
    tmp_path: Path,
) -> None:
    path = write_script(tmp_path, detect=FAILS)
    session = small(*with_script(path))
    run_backtest(session.engine, Until(events=1_000))
    lines = log_of(session).lines
    errors = [line for line in lines if line.is_error]
    notes = [line for line in lines if not line.is_error]
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert notes[0].text.startswith("bar ")
    assert errors
    failing = 1 + path.read_text().splitlines().index("        return 1 / 0")
    for error in errors:
        assert error.line == failing
        assert error.instrument == "ETHUSDT"
        assert error.text == "ZeroDivisionError: division by zero"
    row = session.frame(0, frozenset({"strategies"})).strategies
    assert row is not None
    assert row[0].errors == len(errors)
    assert row[0].last_error == f"line {failing}: {errors[-1].text}"


def test_a_wrong_answer_names_no_line_but_what_it_was(tmp_path: Path) -> None:
    session = small(*with_script(write_script(tmp_path, detect="return 5")))
    run_backtest(session.engine, Until(events=400))
    error = next(line for line in log_of(session).lines if line.is_error)
    assert error.line is None
    assert error.text


def test_only_the_newest_lines_are_kept(tmp_path: Path) -> None:
    detect = "market.log('x'); return None"
    session = small(*with_script(write_script(tmp_path, detect=detect)))
    finish(session)
    lines = log_of(session).lines
    assert len(lines) == 200
    assert lines[-1].number > 200


def test_a_script_that_cannot_be_loaded_says_where(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("PARAMS = {}\nx = 1 / 0\n")
    run = settings(*SMALL, *with_script(path))
    session = assemble_session(run, paused=True, tolerant=True)
    (line,) = log_of(session).lines
    assert (line.line, line.ts, line.is_error) == (2, 0, True)
    assert "ZeroDivisionError" in line.text
    rows = session.frame(0, frozenset({"strategies"})).strategies
    assert rows is not None
    assert "ZeroDivisionError" in rows[0].last_error
    assert rows[0].version == ""
    session.close()
