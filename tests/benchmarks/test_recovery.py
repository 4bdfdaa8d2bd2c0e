"""Taking an account up, by the rows of its journal; and the wait for a durable row.

The journal is that of the core's benchmark, its rows repeated with new ids until there
are enough. The wait is wall time, beside a bare ``fdatasync`` of as many bytes.
"""

from __future__ import annotations

import os
import statistics
import threading
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.benchmarks.budget import ROUNDS, cpu_ns
from tests.benchmarks.test_core import session, trades
from workstation.engine.formats import FORMAT
from workstation.engine.hashing import encode
from workstation.engine.journal import Journal
from workstation.engine.recovery import read_runs
from workstation.execution.executor import Executor
from workstation.execution.recovering import Recovering
from workstation.kernel import RealClock
from workstation.model.records import FillRecord, NoteRecord, OrderRecord, Record

SIZES = (10, 1_000, 100_000)


def written(path: Path, rows: int) -> int:
    """Write a journal of this many records; return how many of them are fills."""
    built = session(trades(4_000), trade=True)
    made: list[Record] = []
    built.engine.core.sinks.append(lambda record, encoded: made.append(record))
    while built.engine.step():
        pass
    built.close()
    journal = Journal(path, {"format": FORMAT})
    fills = 0
    for number in range(rows):
        record = _again(made[number % len(made)], number // len(made))
        fills += isinstance(record, FillRecord)
        journal.record(record, encode(record))
    journal.close({})
    return fills


def _again(record: Record, turn: int) -> Record:
    """Return the record with the ids of another turn: no order comes twice."""
    if isinstance(record, OrderRecord):
        order = msgspec.structs.replace(record.order, id=f"{turn}-{record.order.id}")
        return msgspec.structs.replace(record, order=order)
    if isinstance(record, FillRecord):
        order_id = f"{turn}-{record.fill.order_id}"
        fill = msgspec.structs.replace(record.fill, order_id=order_id)
        return msgspec.structs.replace(record, fill=fill)
    return record


def taken_up(path: Path) -> Executor:
    """Return an Executor that has taken the journal up."""
    built = session([], trade=True)
    run = built.run
    executor = Executor(
        run.risk,
        run.orders,
        run.instruments,
        built.aggregator,
        currency=run.account.currency,
        cash=Decimal(100_000),
    )
    read_runs([path], Recovering(executor))
    built.close()
    return executor


def recovery_ms(rows: int) -> float:
    """Return the CPU time of taking up a journal of so many rows, in ms."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "000001.sqlite")
        written(path, rows)
        rounds = [cpu_ns(lambda: taken_up(path)) for _ in range(ROUNDS)]
        return statistics.median(rounds) / 1e6


def waits_ms(count: int = 200) -> tuple[float, float]:
    """Return the median wait for a durable row, and of a bare fdatasync, in ms."""
    clock = RealClock()
    note = NoteRecord(seq=1, ts=1, strategy="s", instrument="i", text="x" * 200)
    durable = threading.Event()
    ours, bare = [], []
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder, "j.sqlite"), {"format": FORMAT}, synced=True)
        journal.on_durable = durable.set
        file = os.open(Path(folder, "bare"), os.O_RDWR | os.O_CREAT)
        for _ in range(count):
            durable.clear()
            begun = clock.now()
            journal.record(note, encode(note))
            journal.whole()
            durable.wait()
            ours.append(clock.now() - begun)
            begun = clock.now()
            os.write(file, b"x" * 4096)
            os.fdatasync(file)
            bare.append(clock.now() - begun)
        journal.close({})
        os.close(file)
    return statistics.median(ours) / 1e6, statistics.median(bare) / 1e6


def test_all_fills_of_the_written_journal_are_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "000001.sqlite"
    fills = written(path, 1_500)
    assert fills > 10
    assert taken_up(path).ledger.fills == fills


def test_both_waits_are_measured() -> None:
    ours, bare = waits_ms(3)
    assert ours > 0
    assert bare > 0


if __name__ == "__main__":
    for rows in SIZES:
        print(f"{rows:>7} rows: {recovery_ms(rows):.1f} ms")
    print("durable row {:.2f} ms, bare fdatasync {:.2f} ms".format(*waits_ms()))
