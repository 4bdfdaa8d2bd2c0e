"""What a call of a Python strategy costs beyond its own function.

The script's functions return None. Measured from the event of a closed bar to the end
of its handling, beside the bare call of the function, and part by part.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.budget import median_cpu_ns
from tests.benchmarks.test_core import CONFIG, Ticks, trades
from workstation.config import load_config
from workstation.engine.assembly import assemble_session
from workstation.engine.session import Session
from workstation.engine.sources import Sources
from workstation.model.events import BarClosed
from workstation.strategy.question import Function

CALLS = 20_000
QUIET = """
def detect_opportunity(market, context, indicators):
    return None


def filter_commitment(market, context, indicators):
    return None


def manage_position(market, context, indicators):
    return None
"""


def timings(count: int = CALLS) -> dict[str, float]:
    """Return the ns of the bare call, of the whole bar, and of the parts between."""
    built = _session()
    strategy = built.strategies[0]
    row = strategy.rows["BTCUSDT"]
    assert row.bar is not None
    event = BarClosed("BTCUSDT", row.bar.ts_recv, row.bar)
    on_bar = strategy.handlers()[BarClosed]
    questions = strategy._questions
    function = strategy.script.functions[Function.DETECT]
    market, context, indicators = row.market, row.context, row.indicators
    due = questions.due(row)
    assert due is not None

    def applied() -> None:
        row.asked = due
        questions.apply(row, Function.DETECT, None)

    works: dict[str, Callable[[], object]] = {
        "nothing": lambda: None,
        "bare": lambda: function(market, context, indicators),
        "guarded": lambda: built.guard("bench", "BTCUSDT", function, row),
        "what is due": lambda: questions.due(row),
        "the market shown": lambda: questions._show(row, at_bar=True),
        "the answer applied": applied,
        "asked": lambda: questions.ask(row),
        "bar closed": lambda: on_bar(event),
    }
    try:
        found = {name: _each_ns(work, count) for name, work in works.items()}
    finally:
        built.close()
    # The loop and the lambda are no part of what is measured.
    floor = found.pop("nothing")
    return {name: ns - floor for name, ns in found.items()}


def _each_ns(work: Callable[[], object], count: int) -> float:
    def all_of_them() -> None:
        for _ in range(count):
            work()

    return median_cpu_ns(all_of_them) / count


def _session() -> Session:
    with TemporaryDirectory() as folder:
        path = Path(folder, "bench.toml")
        path.write_text(CONFIG)
        Path(folder, "bench.py").write_text(QUIET)
        built = assemble_session(load_config(path).run)
    built.engine.sources = Sources([Ticks(trades(200))])
    built.engine.start()
    for _ in range(150):
        built.engine.step()
    return built


def test_every_part_of_a_call_is_measured_beside_the_bare_one() -> None:
    found = timings(30)
    assert {"bare", "guarded", "asked", "bar closed"} < set(found)


def test_a_closed_bar_asks_the_script_each_time() -> None:
    built = _session()
    strategy = built.strategies[0]
    bar = strategy.rows["BTCUSDT"].bar
    assert bar is not None
    before = strategy.calls
    for _ in range(3):
        strategy.handlers()[BarClosed](BarClosed("BTCUSDT", bar.ts_recv, bar))
    built.close()
    assert strategy.calls == before + 3


if __name__ == "__main__":
    for name, ns in timings().items():
        print(f"{name}: {ns:.0f} ns")
