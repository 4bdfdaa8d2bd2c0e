"""A transition of the symbol machine: the table's step, and the row's whole move.

The move is measured with a core that drops the record, and with the run's own, which
encodes, hashes and stores it. An empty call is the floor of the same run.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from tests.benchmarks.budget import median_cpu_ns
from tests.benchmarks.effort import effort
from tests.benchmarks.test_core import session, trades
from workstation.kernel import SimClock, Timer
from workstation.model.records import Record
from workstation.model.states import SymbolState
from workstation.strategy.machine import Facts, Trigger, step
from workstation.strategy.row import SCRIPT, Row

MOVES = 40_000
_TURN = ((SymbolState.WATCH, Trigger.OPPORTUNITY),
         (SymbolState.CLOSE_WATCH, Trigger.CANCEL))  # fmt: skip


class Bare:
    """A ``model.Core`` that drops all it is given."""

    def __init__(self) -> None:
        self.seq = self.ts = 1
        self._clock = SimClock()

    def emit(self, event: object) -> None:
        """Drop it."""

    def publish(self, event: object) -> None:
        """Drop it."""

    def record(self, record: Record) -> None:
        """Drop it."""

    def request(self, request: object) -> None:
        """Drop it."""

    def call_at(self, due_ns: int, name: str, callback: Callable[[], None]) -> Timer:
        """Return a timer that never fires."""
        return self._clock.call_at(due_ns, callback)


def timings(count: int = MOVES) -> dict[str, float]:
    """Return the ns of an empty call, of a table step, and of the two moves."""
    built = session(trades(100), trade=False)
    engine = built.engine
    engine.start()
    for _ in range(50):
        engine.step()
    row = built.strategies[0].rows["BTCUSDT"]
    try:
        return {
            "call": median_cpu_ns(lambda: _calls(count)) / count,
            "step": median_cpu_ns(lambda: _steps(count)) / count,
            "move, record dropped": _move_ns(row, Bare(), count),
            "move": _move_ns(row, engine.core, count),
        }
    finally:
        built.close()


def _move_ns(row: Row, core: object, count: int) -> float:
    return median_cpu_ns(lambda: _moves(row, core, count)) / count


def _nothing(row: str, state: SymbolState, trigger: Trigger, facts: Facts) -> None:
    pass


def _calls(count: int) -> None:
    facts = Facts(held=False, entering=False)
    for state, trigger in itertools.islice(itertools.cycle(_TURN), count):
        _nothing("row", state, trigger, facts)


def _steps(count: int) -> None:
    facts = Facts(held=False, entering=False)
    for state, trigger in itertools.islice(itertools.cycle(_TURN), count):
        step(("row", ""), state, trigger, facts)


def _moves(row: Row, core: object, count: int) -> None:
    for _, trigger in itertools.islice(itertools.cycle(_TURN), count):
        row.move(core, trigger, "measured", SCRIPT)  # type: ignore[arg-type]


def test_a_step_and_a_move_are_measured_beside_an_empty_call() -> None:
    found = timings(400)
    assert list(found) == ["call", "step", "move, record dropped", "move"]
    assert effort(lambda: _calls(400)) < effort(lambda: _steps(400))


if __name__ == "__main__":
    for name, ns in timings().items():
        print(f"{name}: {ns:.0f} ns, {1e9 / ns:,.0f}/s")
