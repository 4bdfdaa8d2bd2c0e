"""The tasks, as a process list: state, events, rate, lag, CPU, errors, restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice
from workstation.ui.panels.feeds import state_ink
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import NONE, number
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import Frame
    from workstation.kernel import TaskStats

__all__ = ["TasksPanel"]

_COLUMNS = (
    Column("name", "TASK", 14),
    Column("kind", "KIND", 10, priority=6),
    Column("state", "STATE", 12),
    Column("events", "EVENTS", 10, "right", priority=2),
    Column("rate", "EV/s", 6, "right"),
    Column("lag", "LAG ms", 6, "right", priority=5),
    Column("cpu", "CPU ms", 8, "right", priority=3),
    Column("errors", "ERRORS", 6, "right"),
    Column("restarts", "RESTARTS", 8, "right", priority=4),
    Column("withheld", "WITHHELD", 8, "right", priority=7),
    Column("error", "LAST ERROR", 10, gap=2, flex=True, priority=8),
)
_NS_PER_MS = 1_000_000
_RATE_NS = 1_000_000_000


class TasksPanel(TablePanel):
    """One row for each task of the run."""

    panel_id = "tasks"
    title = "Tasks"
    needs = frozenset({"tasks"})
    scope = Scope.TASK
    empty = ("No tasks yet.", "They start with the engine.")
    gutter_cells = 2
    forms = (Form("wide", 0, _COLUMNS),)

    def __init__(self, scales: object, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)  # type: ignore[arg-type]
        self._rates: dict[str, tuple[int, int, float]] = {}

    def apply(self, frame: Frame) -> None:
        """Show the tasks of a frame."""
        if frame.tasks is None:
            return
        items = [self._item(row, self._rate(row, frame.ts)) for row in frame.tasks]
        self.set_items(items, frame.ts)
        failed = sum(1 for row in frame.tasks if str(row.state.value) == "failed")
        title = self.title_parts(len(items))
        if failed:
            title.append((f"  failed {failed}", "bad"))
        self.set_title(title, "p pause  s step  r restart  x stop  i inject")

    def _rate(self, row: TaskStats, now: int) -> float:
        """Return events per second of the run's own time, over at least one second."""
        ts, events, rate = self._rates.get(row.name, (now, row.events, 0.0))
        if now - ts >= _RATE_NS:
            rate = (row.events - events) * 1e9 / (now - ts)
            ts, events = now, row.events
        elif now < ts:
            ts, events, rate = now, row.events, 0.0
        self._rates[row.name] = (ts, events, rate)
        return rate

    def _item(self, row: TaskStats, rate: float) -> Item:
        state, kind = str(row.state.value), str(row.kind.value)
        lag, cpu = row.lag_ns / _NS_PER_MS, row.cpu_ns / _NS_PER_MS
        cells: list[Cell] = [
            row.name,
            (kind, "dim"),
            (state, state_ink(state)),
            number(row.events, 0),
            number(rate, 0),
            (number(lag, 0), "warn" if lag >= 100 else "dim"),
            number(cpu, 0),
            (number(row.errors, 0), "bad" if row.errors else "dim"),
            (number(row.restarts, 0), "warn" if row.restarts else "dim"),
            (number(row.withheld, 0) if row.withheld else NONE, "dim"),
            (row.last_error or "none", "bad" if row.last_error else "dim"),
        ]
        values: list[float | int | str | None] = [
            *(row.name, kind, state, row.events, rate, row.lag_ns, row.cpu_ns),
            *(row.errors, row.restarts, row.withheld, row.last_error),
        ]
        return Item(
            Row(row.name, hash(tuple(cells)), cells), Choice(task=row.name), values
        )
