"""What the focused strategy's script wrote, and where it failed; the newest on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import NONE, utc_time
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, ScriptLine

__all__ = ["ScriptLogPanel"]

_COLUMNS = (
    Column("time", "TIME", 8),
    Column("symbol", "SYMBOL", 8),
    Column("line", "LINE", 4, "right", priority=1),
    Column("text", "WHAT", 12, gap=2, flex=True),
)


class ScriptLogPanel(TablePanel):
    """One row for each line of the script's log or error of the script."""

    panel_id = "script_log"
    title = "Script log"
    needs = frozenset({"script_log", "strategies"})
    # The strategies tell whether it is paused, also while this panel is alone.
    scope = Scope.TASK
    follows_focus = True
    empty = (
        "The script has said nothing yet.",
        "market.log writes here; so do its errors.",
    )
    gutter_cells = 2
    forms = (Form("wide", 0, _COLUMNS),)

    def apply(self, frame: Frame) -> None:
        """Show the script's lines of a frame."""
        log = frame.script_log
        lines = () if log is None else log.lines
        strategy = "" if log is None else log.strategy
        table = self.table
        newest = table.cursor_row is None or table.cursor_row is table.rows[0]
        self.set_items([_item(line, strategy) for line in reversed(lines)], frame.ts)
        if newest and table.rows:
            # Whoever has not moved from the top means the newest line.
            table.cursor_key = table.rows[0].key
        errors = sum(line.is_error for line in lines)
        title: list[Part] = self.title_parts(len(lines))
        if log is not None:
            title.append((f"  {log.script}", "dim"))
        if errors:
            title.append((f"  errors {errors}", "bad"))
        self.set_title(title, "enter detail" if lines else "")


def _item(line: ScriptLine, strategy: str) -> Item:
    cells: list[Cell] = [
        (utc_time(line.ts) if line.ts else "start", "dim"),
        line.instrument or NONE,
        (NONE if line.line is None else str(line.line), "dim"),
        (line.text, "bad" if line.is_error else ""),
    ]
    flag: Cell = ("!", "bad") if line.is_error else ""
    return Item(
        Row(str(line.number), hash(tuple(cells)), cells, flag=flag),
        Choice(
            strategy=strategy,
            task=strategy,
            script_line=line.number,
        ),
        [line.ts, line.instrument, line.line, line.text],
    )
