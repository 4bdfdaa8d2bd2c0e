"""One line of the table of budgets, and how the table is printed.

``python -m tests.benchmarks`` fills it from the measuring modules beside it.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable

from msgspec import Struct

__all__ = ["ROUNDS", "Line", "cpu_ns", "median_cpu_ns", "table"]

ROUNDS = 5


class Line(Struct, frozen=True):
    """What was measured, beside its budget; None where there is no such figure."""

    what: str
    measured: float | None
    unit: str
    budget: float | None = None
    stretch: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Tell whether the budget holds; None where it cannot be said."""
        if self.measured is None or self.budget is None:
            return None
        return self.measured <= self.budget


def cpu_ns(work: Callable[[], object]) -> int:
    """Return the CPU time of the whole process while ``work`` ran, in ns."""
    gc.collect()
    before = time.process_time_ns()
    work()
    return time.process_time_ns() - before


def median_cpu_ns(work: Callable[[], object]) -> float:
    """Return the median CPU time of five rounds, in ns."""
    return statistics.median(cpu_ns(work) for _ in range(ROUNDS))


def table(lines: Iterable[Line]) -> str:
    """Return the lines as a table in Markdown, columns aligned for a terminal."""
    head = ("what", "measured", "budget", "stretch", "holds", "note")
    rows = [head, *(_cells(line) for line in lines)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def _cells(line: Line) -> tuple[str, ...]:
    holds = {True: "yes", False: "NO", None: "–"}[line.holds]
    return (
        line.what,
        "not yet" if line.measured is None else f"{_number(line.measured)} {line.unit}",
        "–" if line.budget is None else f"≤ {_number(line.budget)}",
        "–" if line.stretch is None else _number(line.stretch),
        holds,
        line.note,
    )


def _number(value: float) -> str:
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
