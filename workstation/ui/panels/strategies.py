"""The strategies: script, rows by state, what the calls cost, errors, task state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.actions import Scope
from workstation.ui.glyphs import UNICODE
from workstation.ui.panels.base import Choice
from workstation.ui.panels.feeds import state_ink
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import NONE, number
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, ParamTable, StrategyRow

__all__ = ["StrategiesPanel"]

_COLUMNS = (
    Column("name", "STRATEGY", 12),
    Column("language", "LANG", 6, priority=5),
    Column("version", "VERSION", 8, priority=4),
    Column("timeframe", "BARS", 4, "right", priority=7),
    Column("symbols", "SYM", 4, "right"),
    Column("watch", f"{UNICODE.watch}", 3, "right"),
    Column("close_watch", f"{UNICODE.close_watch}", 3, "right"),
    Column("in_trade", f"{UNICODE.in_trade}", 3, "right"),
    Column("manual", f"{UNICODE.manual}", 3, "right"),
    Column("state", "TASK", 8, gap=2),
    Column("rate", "CALLS/s", 7, "right"),
    Column("p99", "p99 µs", 6, "right"),
    Column("errors", "ERR", 3, "right"),
    Column("memory", "MEM MB", 6, "right", priority=6),
    Column("error", "LAST ERROR", 10, gap=2, flex=True),
)
_NS_PER_US = 1_000
_MB = 1_000_000


class StrategiesPanel(TablePanel):
    """One row for each strategy, and which symbol of the focused one is shown."""

    panel_id = "strategies"
    title = "Strategies"
    needs = frozenset({"strategies", "params"})
    scope = Scope.TASK
    empty = ("No strategy in this run.", "Add one as [[strategies]] in the config.")
    gutter_cells = 2
    forms = (Form("wide", 0, _COLUMNS),)

    def __init__(self, scales: object, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)  # type: ignore[arg-type]
        self._focused: ParamTable | None = None

    def apply(self, frame: Frame) -> None:
        """Show the strategies of a frame, and which symbol of them has the focus."""
        if frame.strategies is None:
            return
        self._focused = frame.params
        items = [self._item(row) for row in frame.strategies]
        self.set_items(items, frame.ts)
        title = self.title_parts(len(items))
        failed = sum(row.state == "failed" for row in frame.strategies)
        if failed:
            title.append((f"  failed {failed}", "bad"))
        self.set_title(title, self._symbol_parts())

    def _symbol_parts(self) -> list[Part]:
        table = self._focused
        if table is None:
            return [("enter detail", "dim")]
        at = table.instruments.index(table.instrument) + 1
        return [
            (f"{table.instrument} {table.strategy}", "strong"),
            (f"  {at} of {len(table.instruments)}", "dim"),
        ]

    def jump_to(self, key: str) -> bool:
        """Go to a strategy, or to a symbol of the focused one."""
        table = self._focused
        if super().jump_to(key):
            return True
        if table is None or key not in table.instruments:
            return False
        self.post_message(self.Moved(self, Choice(key, table.strategy)))
        return True

    def export_rows(self) -> list[list[str]]:
        """Return head and rows, the head in plain words."""
        _, *rows = super().export_rows()
        head = [column.key.replace("_", " ").upper() for column in self.columns]
        return [head, *rows]

    def _item(self, row: StrategyRow) -> Item:
        memory = row.memory_bytes
        slow = "" if row.p99_ns is None else number(row.p99_ns / _NS_PER_US, 0)
        cells: list[Cell] = [
            row.name,
            (row.language, "dim"),
            (row.version or NONE, "dim"),
            (row.timeframe, "dim"),
            number(row.symbols, 0),
            _count(row.watch, "state-watch"),
            _count(row.close_watch, "state-close-watch"),
            _count(row.in_trade, "state-in-trade"),
            _count(row.manual, "state-manual"),
            (row.state, state_ink(row.state)),
            NONE if row.rate is None else number(row.rate, 1 if row.rate >= 10 else 2),
            slow or NONE,
            (number(row.errors, 0), "bad" if row.errors else "dim"),
            (NONE if memory is None else number(memory / _MB, 0), "dim"),
            (row.last_error or "none", "bad" if row.last_error else "dim"),
        ]
        values: list[float | int | str | None] = [
            *(row.name, row.language, row.version, row.timeframe, row.symbols),
            *(row.watch, row.close_watch, row.in_trade, row.manual, row.state),
            *(row.rate, row.p99_ns, row.errors, memory, row.last_error),
        ]
        flag: Cell = ("!", "bad") if row.state == "failed" else ""
        return Item(
            Row(row.name, hash(tuple(cells)), cells, flag=flag),
            Choice(strategy=row.name, task=row.name),
            values,
        )


def _count(count: int, ink: str) -> Cell:
    return (str(count), ink) if count else (NONE, "dim")
