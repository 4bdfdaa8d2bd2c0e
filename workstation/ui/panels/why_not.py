"""Why the focused row does not enter: its gates now, and what blocked most so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workstation.ui.panels.gate_lines import gate_lines
from workstation.ui.panels.row_body import RowBody
from workstation.ui.typeset import number, width
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.text_panel import Line, RuleLine, TextLine

if TYPE_CHECKING:
    from workstation.engine.frames import BlockTable, Frame, MachineFrame

__all__ = ["WhyNotPanel"]

_COUNT = 8
_SHARE = 5
_FIGURES = _COUNT + _SHARE
_WIDE = 48
# Cells from which on there is room for the figures of all rows, too.


class WhyNotPanel(RowBody):
    """The ordered gates with their numbers; below, a ranked list of what stopped it."""

    panel_id = "why_not"
    title = "Why not"
    needs = frozenset({"machine", "blocks"})

    def apply_row(self, frame: Frame, machine: MachineFrame) -> None:
        """Show gates and counts of the frame's row."""
        blocks = frame.blocks
        if blocks is None:
            return
        failed = next((gate for gate in machine.gates if not gate.passed), None)
        info: Part = ("entry free", "good")
        if failed is not None:
            info = (f"stopped at {failed.name}", "warn")
        self.set_title(self.row_title(machine), [info])
        cells, rows = self.size.width - 2, self.size.height - 1
        self.set_lines(_lines(machine, blocks, cells, rows))


def _lines(
    machine: MachineFrame, blocks: BlockTable, cells: int, rows: int
) -> list[Line]:
    wide = cells >= _WIDE
    # Beside each other where they would push the list out; it has a rule and a line.
    lines = gate_lines(machine.gates, cells, max(9, rows - 5))
    total = sum(row.count for row in blocks.row)
    info = f"of {number(total, 0)}" if total else ""
    lines.append(RuleLine("Blocked most", info))
    if not blocks.all:
        lines.append([("Nothing yet: it counts closed bars.", "dim")])
        return lines
    if wide:
        head = f"{machine.row.symbol:>{_FIGURES}}{'all rows':>{_FIGURES}}"
        lines.append(TextLine((("STOPPED AT", "head"),), ((f"{head} ", "head"),)))
    lines += _ranked(blocks, cells, wide)
    return lines


def _ranked(blocks: BlockTable, cells: int, wide: bool) -> list[Line]:
    own = {(row.gate, row.cause): row.count for row in blocks.row}
    everywhere = {(row.gate, row.cause): row.count for row in blocks.all}
    totals = sum(own.values()), sum(everywhere.values())
    keys = [*own, *(key for key in everywhere if wide and key not in own)]
    lines: list[Line] = []
    for gate, cause in keys:
        counts = own.get((gate, cause), 0), everywhere.get((gate, cause), 0)
        shown = list(map(_figures, counts, totals))[: 2 if wide else 1]
        left = _left(gate, cause)
        figures: Part = (f"{''.join(shown)} ", "")
        lines.append(TextLine(_cut(left, cells - width(figures[0])), (figures,)))
    return lines


def _left(gate: str, cause: str) -> list[Part]:
    if not gate:
        return [("entered", "good")]
    return [(f"{gate:<8} ", "strong"), (cause, "")]


def _cut(parts: Sequence[Part], cells: int) -> tuple[Part, ...]:
    kept: list[Part] = []
    for text, ink in parts:
        kept.append((text[: max(0, cells)], ink))
        cells -= len(text)
    return tuple(kept)


def _figures(count: int, total: int) -> str:
    if not count:
        return f"{'·':>{_COUNT}}{'':>{_SHARE}}"
    share = f"{count / total * 100:.0f}%" if total else ""
    return f"{number(count, 0):>{_COUNT}}{share:>{_SHARE}}"
