"""What a journalled row costs: the same run with the journal on and off.

CPU time of the whole process, so that the writer thread is counted too.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.budget import ROUNDS, cpu_ns
from tests.benchmarks.test_core import session, trades
from workstation.engine.drivers import run_backtest
from workstation.engine.journal import Journal
from workstation.engine.session import Session
from workstation.model.market import Trade

TICKS = 60_000


def journalled(made: list[Trade], folder: Path) -> Session:
    """Return a session of the core's benchmark that keeps a journal."""
    built = session(made, trade=True)
    built.engine.journal_to(Journal(folder / "run.sqlite", {}))
    return built


def us_per_row(count: int = TICKS) -> float:
    """Return the CPU time that one row adds to a run, in µs."""
    made = trades(count)
    figures = []
    for _ in range(ROUNDS):
        plain = session(made, trade=True)
        off = cpu_ns(lambda plain=plain: run_backtest(plain.engine))  # type: ignore[misc]
        with TemporaryDirectory() as folder:
            kept = journalled(made, Path(folder))
            journal = kept.engine.journal
            assert journal is not None

            def run(kept: Session = kept, journal: Journal = journal) -> None:
                run_backtest(kept.engine)
                journal.close({})

            on = cpu_ns(run)
            assert journal.durable_rows == journal.rows
        figures.append((on - off) / journal.rows / 1e3)
    return statistics.median(figures)


def test_every_record_of_the_benchmarked_run_is_a_row(tmp_path: Path) -> None:
    built = journalled(trades(4_000), tmp_path)
    journal = built.engine.journal
    assert journal is not None
    run_backtest(built.engine)
    journal.close({})
    # The header and the summary are rows as well.
    assert journal.durable_rows == built.engine.store.number + 2
    assert journal.failure is None


if __name__ == "__main__":
    print(f"{us_per_row():.2f} us CPU per journalled row")
