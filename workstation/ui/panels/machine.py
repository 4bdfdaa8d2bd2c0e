"""The focused row: its state, position, protection, and the gates of its entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.model.records import LockRecord, StateRecord
from workstation.model.states import SymbolState
from workstation.ui.glyphs import UNICODE
from workstation.ui.panels.cells import state_cell
from workstation.ui.panels.gate_lines import gate_lines
from workstation.ui.panels.row_body import RowBody
from workstation.ui.typeset import (
    duration,
    number,
    percent,
    price,
    quantity,
    utc_minute,
    utc_time,
    width,
)
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.text_panel import Line, RuleLine

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, MachineFrame

__all__ = ["MachinePanel", "history_rows"]


class MachinePanel(RowBody):
    """What the machine of one (symbol, strategy) is in, and why it does not enter."""

    panel_id = "machine"
    title = "Machine"

    def apply_row(self, frame: Frame, machine: MachineFrame) -> None:
        """Show the machine of the frame's row."""
        row = machine.row
        title: list[Part] = [
            *self.pin_parts(),
            (row.symbol, "title"),
            (f" {row.strategy}", "dim"),
        ]
        if self.compact:
            since = f"{duration(row.since_ns)} in state" if row.since_ns else ""
            self.set_title(title, since)
            self.set_lines(_short_lines(machine, self.size.width - 1))
        else:
            self.set_title(title, "")
            self.set_lines(_lines(machine, self.size.width - 1, self.size.height - 1))

    def export_rows(self) -> list[list[str]]:
        """Return the row's whole history, oldest first: what moved it, who and why."""
        return history_rows(None if self._frame is None else self._frame.machine)


def history_rows(machine: MachineFrame | None) -> list[list[str]]:
    """Return head and rows of a row's history, oldest first."""
    if machine is None:
        return []
    head = ["time", "ts_ns", "seq", "before", "after", "trigger", "who", "reason"]
    return [head, *(_exported(record) for record in reversed(machine.history))]


def _exported(record: StateRecord | LockRecord) -> list[str]:
    if isinstance(record, StateRecord):
        moved = [record.before.value, record.after.value, record.trigger]
    else:
        moved = ["", "", "lock" if record.after else "hand_back"]
    when = [utc_time(record.ts, 3), str(record.ts), str(record.seq)]
    return [*when, *moved, record.who, record.reason]


def _states(machine: MachineFrame) -> list[Part]:
    row = machine.row
    parts: list[Part] = []
    for state in SymbolState:
        text, ink = state_cell(state, False)
        if state is row.state:
            parts.append((f"[{text}]", f"{ink} bold"))
            parts.append((" ", ""))
        else:
            parts.append((f" {text}", "dim"))
            parts.append((" ", ""))
    if parts and not parts[0][0].startswith("["):
        parts[0] = (parts[0][0][1:], parts[0][1])
    return parts[:-1]


def _since(machine: MachineFrame, cells: int) -> list[Part]:
    row, held = machine.row, machine.position
    parts: list[Part] = [(duration(row.since_ns), "strong")]
    if held.is_flat:
        parts.append((" in this state, flat", ""))
        if row.manual:
            until = row.manual_until_ns
            what = f"until {utc_minute(until)}" if until else "no end"
            parts = [*parts[:1], (f" {UNICODE.manual} manual, {what}", "state-manual")]
        return parts
    size = quantity(abs(held.quantity), row.quantity_decimals)
    size = f"short {size}" if held.quantity < 0 else size
    at = price(held.average_price, row.decimals)
    text = f" since fill {size} @ {at}"
    if width(text) + 6 > cells:
        text = f" since {size} @ {at}"
    parts.append((text, ""))
    return parts


def _percent_from(level: float, mark: float | None) -> str:
    # From the mark, as STOP% of the tables is.
    if not mark:
        return ""
    return percent((level / mark - 1) * 100, 1, unit=True)


def _protection(machine: MachineFrame, cells: int) -> list[list[Part]]:
    row = machine.row
    lines: list[list[Part]] = []
    for name, level in (("stop", machine.stop), ("target", machine.target)):
        if level is None:
            continue
        away = _percent_from(float(level), row.mark)
        # The shipped engine keeps both here until their trigger.
        there = name == "target" and not machine.stop_held
        where = "at venue" if there else "held here !"
        text = price(level, row.decimals)
        gap = "  " if 7 + width(f"{text}  {away}  {where}") <= cells else " "
        parts: list[Part] = [(f"{name:<6} ", "dim"), (text, "")]
        if away:
            parts.append((f"{gap}{away}", "dim"))
        parts.append((f"{gap}{where}", "dim" if there else "warn"))
        lines.append(parts)
    if not lines and not machine.position.is_flat:
        size = number(abs(machine.position.quantity), row.quantity_decimals)
        lines.append([(f"! {size} without a stop", "bad")])
    return lines


def _last_move(machine: MachineFrame) -> list[Part]:
    move = _newest(machine)
    if move is None:
        return [(machine.answer or "no move yet", "dim")]
    return [
        (f"{utc_time(move.ts)} ", "dim"),
        (f"{move.after.value}: ", state_cell(move.after, False)[1]),
        (move.reason or move.trigger.replace("_", " "), ""),
    ]


def _newest(machine: MachineFrame) -> StateRecord | None:
    """Return the last change of state: why the row is where it is."""
    for record in machine.history:
        if isinstance(record, StateRecord) and record.before is not record.after:
            return record
    return None


def _lines(machine: MachineFrame, cells: int, rows: int) -> list[Line]:
    lines: list[Line] = [
        _states(machine),
        _since(machine, cells),
        *_protection(machine, cells),
    ]
    if rows > 9 + len(machine.gates) // 2:
        lines.append("")
    lines.append(_last_move(machine))
    blocked = any(not gate.passed for gate in machine.gates)
    word, ink = ("entry blocked", "warn") if blocked else ("entry free", "good")
    lines.append(RuleLine("Gates", word, ink))
    lines.extend(gate_lines(machine.gates, cells, rows - len(lines)))
    if rows - len(lines) > 3 and machine.params:
        params = "  ".join(f"{name} {value}" for name, value in machine.params)
        lines.append(RuleLine("Script", machine.script))
        lines.append([(params, "dim")])
        lines.append([(machine.answer, "")])
    return lines


def _short_lines(machine: MachineFrame, cells: int) -> list[Line]:
    row, held = machine.row, machine.position
    text, ink = state_cell(row.state, row.manual)
    first: list[Part] = [(f"[{text}]", f"{ink} bold")]
    if held.is_flat:
        first.append(("  flat", "dim"))
    else:
        size = quantity(held.quantity, row.quantity_decimals, sign=True)
        first.append((f"  {size} @ {price(held.average_price, row.decimals)}", ""))
    if machine.stop is not None:
        away = _percent_from(float(machine.stop), row.mark)
        first.append((f"  stop {price(machine.stop, row.decimals)} {away}", ""))
        if machine.stop_held:
            first.append((" held here !", "warn"))
    if machine.target is not None:
        away = _percent_from(float(machine.target), row.mark)
        first.append((f"  target {away or price(machine.target, row.decimals)}", ""))
    if sum(width(text) for text, _ in first) > cells:
        first = [(text.replace("  ", " "), ink) for text, ink in first]
    failed = next((gate.detail for gate in machine.gates if not gate.passed), "ready")
    second: list[Part] = [("why not: ", "dim"), (failed, "")]
    move = _newest(machine)
    if move is not None:
        why = move.reason or move.trigger.replace("_", " ")
        second += [
            (f"    last: {utc_time(move.ts)} ", "dim"),
            (f"{move.after.value} {why}", ""),
        ]
    return [first, second]
