"""Replay: the same to the last byte, or the first seq that is not."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.engine.runs import (
    BINANCE,
    SHIPPED,
    finish,
    kept,
    settings,
    small,
    with_script,
)
from tests.strategy.fakes import write_script
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.journal_reader import JournalReader
from workstation.engine.replay import replay_journal
from workstation.model.commands import Hold, Inject, PauseTask
from workstation.model.errors import JournalError
from workstation.model.market import Trade
from workstation.model.records import NoteRecord

CAPTURE = "demo-btcusdt.gz"


def _run(tmp_path: Path, *overrides: str) -> Path:
    path = tmp_path / "j.sqlite"
    finish(small(*overrides, journal=path))
    return path


def _recorded(tmp_path: Path) -> tuple[Path, Path]:
    """Return the journal of a recorded run and the capture of its own."""
    capture = tmp_path / CAPTURE
    shutil.copy(SHIPPED / CAPTURE, capture)
    journal = tmp_path / "j.sqlite"
    overrides = (
        f"feeds.0.files={json.dumps([str(capture)])}",
        'feeds.0.symbols=["BTCUSDT"]',
        f"journal.path={json.dumps(str(journal))}",
    )
    finish(assemble_session(settings(*overrides, config=BINANCE)))
    return journal, capture


def _header(path: Path, change: Any) -> None:
    reader = JournalReader(path)
    header: Any = reader.header
    reader.close()
    change(header)
    _sql(
        path,
        "update meta set value = ? where key = 'header'",
        msgspec.json.encode(header),
    )


def _sql(path: Path, sql: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql, values)
    connection.close()


def _seqs(path: Path) -> list[int]:
    reader = JournalReader(path)
    seqs = [seq for seq, _ in reader.records()]
    reader.close()
    return seqs


@pytest.mark.parametrize("which", [0, 5, -1])
def test_a_record_that_was_dropped_is_named(tmp_path: Path, which: int) -> None:
    path = _run(tmp_path)
    seqs = _seqs(path)
    place = which % len(seqs)
    _sql(path, "delete from records where id = ?", place + 1)
    result = replay_journal(path)
    assert not result.matches
    assert result.first_seq == seqs[place]
    assert f"first at seq {seqs[place]}: journal has " in (
        result.first_difference or ""
    )


def test_a_record_that_was_altered_is_named(tmp_path: Path) -> None:
    path = _run(tmp_path)
    reader = JournalReader(path)
    records = list(reader.records())
    reader.close()
    place = next(n for n, (_, blob) in enumerate(records) if b"average_price" in blob)
    seq, blob = records[place]
    position = blob.index(b"quantity") + len(b"quantity") + 2
    changed = bytearray(blob)
    changed[position] ^= 1
    _sql(path, "update records set blob = ? where id = ?", bytes(changed), place + 1)
    result = replay_journal(path)
    assert not result.matches
    assert result.first_seq == seq


def test_a_record_that_was_added_is_named(tmp_path: Path) -> None:
    path = _run(tmp_path)
    reader = JournalReader(path)
    *_, (seq, blob) = reader.records()
    reader.close()
    _sql(path, "insert into records (seq, ts, blob) values (?, 0, ?)", seq + 5, blob)
    result = replay_journal(path)
    assert result.first_seq == seq + 5
    assert "replay made no more records" in (result.first_difference or "")


@pytest.mark.parametrize(
    ("key", "value"),
    # The last changes no decision of this run, and is another run all the same.
    [("fast", 11), ("slow", 21), ("stop", 0.021), ("volume", 0.49)],
)
def test_another_parameter_is_another_run(
    tmp_path: Path, key: str, value: float
) -> None:
    path = _run(tmp_path)

    def change(header: Any) -> None:
        header["run"]["strategies"][0]["params"][key] = value

    _header(path, change)
    result = replay_journal(path)
    assert not result.matches
    assert result.state_hash != result.journal_hash
    assert result.first_seq == 0
    assert f"{key} {value}" in (result.first_difference or "")


def test_another_seed_is_another_source_and_refused(tmp_path: Path) -> None:
    path = _run(tmp_path)

    def change(header: Any) -> None:
        header["run"]["seed"] = 8

    _header(path, change)
    with pytest.raises(JournalError, match="feed market is not the same any more"):
        replay_journal(path)


def _by_a_tick(capture: Path) -> None:
    """Move one price of one trade, half way through, by a tick."""
    lines = gzip.decompress(capture.read_bytes()).decode().splitlines(keepends=True)
    trades = [n for n, line in enumerate(lines) if '"e":"trade"' in line]
    place = trades[len(trades) // 2]
    head, tail = lines[place].split('"p":"', 1)
    price, rest = tail.split('"', 1)
    whole, cents = price.split(".")
    moved = f"{whole}.{(int(cents[:2]) + 1) % 100:02}{cents[2:]}"
    lines[place] = f'{head}"p":"{moved}"{rest}'
    capture.write_bytes(gzip.compress("".join(lines).encode(), mtime=0))


def test_a_recorded_run_replays_from_its_files(tmp_path: Path) -> None:
    journal, _ = _recorded(tmp_path)
    result = replay_journal(journal)
    assert result.matches, result.first_difference
    assert result.records > 500


def test_a_changed_source_is_refused_with_the_name_of_its_feed(tmp_path: Path) -> None:
    journal, capture = _recorded(tmp_path)
    _by_a_tick(capture)
    with pytest.raises(JournalError, match="feed spot is not the same any more"):
        replay_journal(journal)


def test_a_price_that_moved_by_a_tick_is_named_by_the_next_bar(tmp_path: Path) -> None:
    journal, capture = _recorded(tmp_path)
    _by_a_tick(capture)
    found = assemble_session(
        settings(
            f"feeds.0.files={json.dumps([str(capture)])}",
            'feeds.0.symbols=["BTCUSDT"]',
            config=BINANCE,
        )
    )
    identity = dict(found.engine.sources.feeds[0].connector.identity())
    found.close()

    def change(header: Any) -> None:
        header["sources"]["spot"] = identity

    _header(journal, change)
    result = replay_journal(journal)
    assert not result.matches
    assert result.state_hash != result.journal_hash
    assert result.first_seq is not None
    assert 0 < result.first_seq < _seqs(journal)[-1]
    assert '"type":"bar"' in (result.first_difference or "")


@pytest.mark.parametrize("gone", [False, True])
def test_a_script_is_replayed_as_it_was(tmp_path: Path, gone: bool) -> None:
    script = write_script(tmp_path)
    path = _run(tmp_path, *with_script(script))
    if gone:
        script.unlink()
    else:
        script.write_text("def detect_opportunity(): raise SystemExit")
    result = replay_journal(path)
    assert result.matches, result.first_difference


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    path = _run(tmp_path)

    def change(header: Any) -> None:
        header["format"] = 99

    _header(path, change)
    with pytest.raises(JournalError, match=r"format 99, written by .* up to format 4"):
        replay_journal(path)


def test_settings_of_another_version_are_refused(tmp_path: Path) -> None:
    path = _run(tmp_path)

    def change(header: Any) -> None:
        header["run"]["engine"]["turbo"] = True

    _header(path, change)
    with pytest.raises(JournalError, match=r"not those of this version: .*turbo"):
        replay_journal(path)


def test_a_command_that_was_dropped_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    session = small(journal=path)
    run_backtest(session.engine, Until(events=500))
    outcome = session.execute(Hold(on=True))
    finish(session)
    _sql(path, "delete from inputs")
    result = replay_journal(path)
    assert not result.matches
    assert result.first_seq == outcome.seq


def test_commands_before_the_first_event_and_after_the_last_replay(
    tmp_path: Path,
) -> None:
    path = tmp_path / "j.sqlite"
    session = small(journal=path)
    assert session.execute(PauseTask(task="ema_cross")).accepted
    run_backtest(session.engine)
    assert session.execute(Hold(on=True)).accepted
    assert not session.execute(Hold(on=True)).accepted
    session.close()
    result = replay_journal(path)
    assert result.matches, result.first_difference
    assert result.state_hash == session.engine.state_hash()


def test_whole_numbers_as_prices_replay(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    session = small(journal=path)
    run_backtest(session.engine, Until(events=500))
    # A dialog that makes 61000 of "61000" gives the float field an int.
    event = Trade("BTCUSDT", 0, 61_000, 1)
    assert session.execute(Inject(event=event)).accepted
    finish(session)
    result = replay_journal(path)
    assert result.matches, result.first_difference


def test_a_run_that_was_never_started_replays(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    session = small(journal=path)
    session.close()
    result = replay_journal(path)
    assert result.matches, result.first_difference


def test_a_replay_of_a_replay_is_the_same(tmp_path: Path) -> None:
    path = _run(tmp_path)
    assert replay_journal(path).state_hash == replay_journal(path).state_hash


def test_what_scripts_log_is_replayed_and_a_call_that_raises_logs_nothing(
    tmp_path: Path,
) -> None:
    detect = (
        "market.log(f'bar {market.bars()} at {market.close}')\n"
        "    if market.bars() == 7: raise ValueError('seven')\n"
        "    return None"
    )
    script = write_script(tmp_path, detect=detect)
    path = tmp_path / "j.sqlite"
    session = small(*with_script(script), journal=path)
    records = kept(session)
    finish(session)
    notes = [record for record in records if isinstance(record, NoteRecord)]
    strategy = session.strategies[0]
    assert len(notes) == strategy.calls - 2 > 100
    assert {note.strategy for note in notes} == {"ema_cross"}
    assert {note.instrument for note in notes} == {"BTCUSDT", "ETHUSDT"}
    assert not [note for note in notes if note.text.startswith("bar 7 ")]
    result = replay_journal(path)
    assert result.matches, result.first_difference


def test_a_call_that_is_interrupted_logs_nothing_and_replays(tmp_path: Path) -> None:
    detect = "market.log('begun')\n    while market.bars() == 3: pass\n    return None"
    script = write_script(tmp_path, detect=detect)
    path = tmp_path / "j.sqlite"
    session = small(*with_script(script), "engine.script_budget_ms=50", journal=path)
    records = kept(session)
    finish(session)
    notes = [record for record in records if isinstance(record, NoteRecord)]
    assert len(notes) == session.strategies[0].calls - 1 > 0
    result = replay_journal(path)
    assert result.matches, result.first_difference
