"""Rows per second of a big CSV: first pass, pass from the cache, and ``csv.reader``.

Each pass is a process of its own, so that its peak memory is its own too. The first
pass writes the cache; the row ``uncached`` is the same pass with ``cache = false``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.venues.recordings import make_feed

ROWS = 1_000_000
ROUNDS = 3
ROOT = Path(__file__).resolve().parents[2]

_PASSES = {
    "csv.reader": """
import csv
with open(path, newline="") as file:
    rows = sum(1 for row in csv.reader(file))
""",
    "uncached": "rows = drain(make_feed('binance-trades', Path(path), cache=False))",
    "first": "rows = drain(make_feed('binance-trades', Path(path), cache=True))",
    "cached": "rows = drain(make_feed('binance-trades', Path(path), cache=True))",
}
# The imports that every pass needs, numpy's too, are not part of it.
_PROBE = """
import json, resource, sys, time
from pathlib import Path
import numpy
from tests.benchmarks.test_sources import drain
from tests.venues.recordings import make_feed
path = sys.argv[1]
idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = time.process_time_ns()
{work}
spent = time.process_time_ns() - before
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([rows, spent, peak, peak - idle]))
"""


class Pass(Struct, frozen=True):
    """What one pass over the file cost."""

    rows: int
    ns_per_row: float
    peak_mib: float
    """Of the process."""
    own_mib: float
    """Of that, what the pass added."""

    @property
    def rows_per_s(self) -> float:
        return 1e9 / self.ns_per_row


def drain(feed: Any) -> int:
    """Take all events of a feed and return how many there were."""
    pull = feed.next
    while pull() is not None:
        pass
    return int(feed.delivered)


def write_trades(path: Path, rows: int) -> None:
    """Write a trade dump; prices walk, so that rows differ as in a real one."""
    price = 6_000_000
    with path.open("w") as file:
        for i in range(rows):
            price += (i * 7_919) % 201 - 100
            size = (i * 104_729) % 99_991 + 1
            file.write(
                f"{3_735_683_259 + i},{price / 100:.2f},{size / 1e5:.5f},"
                f"{price * size / 1e7:.4f},{1_723_161_255_342 + i // 3},"
                f"{'True' if i % 3 else 'False'},True\n"
            )


def passes(rows: int = ROWS, rounds: int = ROUNDS) -> dict[str, Pass]:
    """Return the median pass of each kind over one file of ``rows`` rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "trades.csv"
        write_trades(path, rows)
        found: dict[str, list[Pass]] = {kind: [] for kind in _PASSES}
        for round_ in range(rounds):
            home = {"XDG_CACHE_HOME": str(folder / str(round_))}
            for kind, work in _PASSES.items():
                found[kind].append(_pass(path, work, home))
        return {
            kind: sorted(each, key=lambda one: one.ns_per_row)[len(each) // 2]
            for kind, each in found.items()
        }


def _pass(path: Path, work: str, home: dict[str, str]) -> Pass:
    result = subprocess.run(
        [sys.executable, "-c", _PROBE.format(work=work), str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, **home},
    )
    rows, spent, peak, own = json.loads(result.stdout)
    return Pass(rows, spent / rows, peak / 1024, own / 1024)


def test_every_pass_reads_every_row_and_the_cached_one_leaves_the_file() -> None:
    found = passes(3_000, 1)
    assert {one.rows for one in found.values()} == {3_000}


def test_a_first_pass(benchmark: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_trades(path, 20_000)
    benchmark(lambda: drain(make_feed("binance-trades", path, cache=False)))


def test_a_cached_pass(benchmark: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_trades(path, 20_000)
    drain(make_feed("binance-trades", path, cache=True))
    benchmark(lambda: drain(make_feed("binance-trades", path, cache=True)))


if __name__ == "__main__":
    for name, one in passes().items():
        print(
            f"{name:12} {one.rows_per_s:12,.0f} rows/s {one.peak_mib:7.1f} MiB, "
            f"own {one.own_mib:6.1f}"
        )
