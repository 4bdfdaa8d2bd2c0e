"""The machine of the focused row as a picture: states, ways, time, last moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from workstation.model.records import LockRecord, StateRecord
from workstation.model.states import SymbolState
from workstation.ui.glyphs import UNICODE
from workstation.ui.panels.cells import state_cell, state_ink
from workstation.ui.panels.machine import history_rows
from workstation.ui.panels.row_body import RowBody
from workstation.ui.typeset import duration, price, quantity, utc_minute, utc_time
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.text_panel import Line, RuleLine
from workstation.ui.wording import move_words

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, MachineFrame, Way

__all__ = ["DiagramPanel"]

_DRAWN = 64
# Cells of the picture with boxes; narrower panels have the states in one line.
_GAPS = (15, 8)
_BOXES = (11, 16, 13)
_ORDER = tuple(SymbolState)

_BY_HAND = "override_"
_HERE = 15
# Cells of a target with its arrow, before the triggers that lead to it.


class _Frame(NamedTuple):
    """The signs of a box."""

    corners: tuple[str, str, str, str]
    rule: str
    side: str

    def over(self, cells: int) -> str:
        return f"{self.corners[0]}{self.rule * cells}{self.corners[1]}"

    def under(self, cells: int) -> str:
        return f"{self.corners[2]}{self.rule * cells}{self.corners[3]}"

    def around(self, text: str) -> str:
        return f"{self.side}{text}{self.side}"


_THIN = _Frame(("┌", "┐", "└", "┘"), "─", "│")
_HEAVY = _Frame(("┏", "┓", "┗", "┛"), "━", "┃")


class DiagramPanel(RowBody):
    """Where a row is, what moves it from there, and how it came there."""

    panel_id = "diagram"
    title = "Machine"

    def apply_row(self, frame: Frame, machine: MachineFrame) -> None:
        """Show the machine of the frame's row."""
        row = machine.row
        self.set_title(
            self.row_title(machine),
            f"{duration(row.since_ns)} in state" if row.since_ns is not None else "",
        )
        cells = self.size.width - 2
        drawn = cells >= _DRAWN and self.size.height > 10
        picture = _boxes(machine) if drawn else _one_line(machine)
        lines: list[Line] = [*picture, _now(machine)]
        lines.append(RuleLine("From here"))
        lines += _ways(machine, cells)
        lines.append(RuleLine("Last moves", f"{len(machine.history)} kept"))
        lines += [_move(record, cells) for record in machine.history]
        if not machine.history:
            lines.append([("It has not moved yet.", "dim")])
        self.set_lines(lines)

    def export_rows(self) -> list[list[str]]:
        """Return the row's whole history, as the machine of Monitor does."""
        return history_rows(None if self._frame is None else self._frame.machine)


def _one_line(machine: MachineFrame) -> list[Line]:
    now = machine.row.state
    parts: list[Part] = []
    for state in _ORDER:
        text = state_cell(state, False)[0]
        if parts:
            parts.append((" → ", "dim"))
        if state is now:
            parts.append((f"[{text}]", f"{state_ink(state)} bold"))
        else:
            parts.append((text, "dim"))
    return [parts]


def _boxes(machine: MachineFrame) -> list[Line]:
    """Draw the states as boxes, with the usual ways between them."""
    now = machine.row.state
    watch, close, trade = _ORDER
    # Lit are the ways out of where the row is.
    out, back, flat = ("strong" if now is state else "dim" for state in _ORDER)
    commit = back
    first, second = _GAPS
    long, short = "─" * (first - 3), "─" * (second - 3)
    none = (" " * second, "")
    ways: tuple[tuple[Part, Part], ...] = (
        (("opportunity".center(first), out), ("enter".center(second), commit)),
        ((f" {long}→ ", out), (f" {short}→ ", commit)),
        ((f" ←{long} ", back), none),
        (("cancel expire".center(first), back), none),
    )
    rows: list[Line] = [
        [
            *(_box(watch, n, now), there),
            *(_box(close, n, now), on),
            _box(trade, n, now),
        ]
        for n, (there, on) in enumerate(ways)
    ]
    left, right = _BOXES[0] // 2, _BOXES[2] // 2
    span = _BOXES[0] - left + first + _BOXES[1] + second + right - 1
    words = " flat, entry ends "
    rest = span - len(words)
    rule = f"└{'─' * (rest // 2)}{words}{'─' * (rest - rest // 2)}┘"
    indent = (" " * left, "")
    rows.append([indent, ("↑", flat), (" " * span, ""), ("│", flat)])
    rows.append([indent, (rule, flat)])
    return rows


def _box(state: SymbolState, row: int, now: SymbolState | None) -> Part:
    glyphs = _HEAVY if state is now else _THIN
    ink = f"{state_ink(state)} bold" if state is now else "dim"
    size = _BOXES[_ORDER.index(state)] - 2
    if row == 0:
        return (glyphs.over(size), ink)
    if row == 3:
        return (glyphs.under(size), ink)
    text = state_cell(state, False)[0] if row == 1 else ""
    return (glyphs.around(text.center(size)), ink)


def _now(machine: MachineFrame) -> list[Part]:
    """Say what the row is at: held, waiting to commit, or what its script said last."""
    row, held = machine.row, machine.position
    parts: list[Part] = []
    if not held.is_flat:
        size = quantity(held.quantity, row.quantity_decimals, sign=True)
        parts.append((f"{size} @ {price(held.average_price, row.decimals)}", "strong"))
    elif row.state is SymbolState.CLOSE_WATCH:
        bars = machine.bars_left
        parts.append((f"{bars} bar{'' if bars == 1 else 's'} left to commit", "strong"))
    if row.manual:
        until = row.manual_until_ns
        end = f"until {utc_minute(until)}" if until else "until handed back"
        return [*parts, *_gap(parts), (f"{UNICODE.manual} {end}", "state-manual")]
    return [*parts, *_gap(parts), ("script: ", "dim"), (machine.answer, "")]


def _gap(parts: Sequence[Part]) -> list[Part]:
    return [("  ", "")] if parts else []


def _ways(machine: MachineFrame, cells: int) -> list[Line]:
    """Gather the triggers by where they lead; what changes nothing comes last."""
    state, ways = machine.row.state, machine.ways
    targets = dict.fromkeys(way.after for way in ways if way.after is not state)
    lines: list[Line] = []
    for after in targets:
        text, ink = state_cell(after, False)
        head: list[Part] = [("→ ", "dim"), (f"{text:<{_HERE - 2}}", ink)]
        words = [_named(way) for way in ways if way.after is after]
        lines += _wrapped(head, words, cells)
    if cells < _DRAWN:
        return lines
    led = {way.trigger for way in ways if way.after is not state}
    stays = [_named(way) for way in ways if way.trigger not in led]
    if stays:
        lines += _wrapped([("stays here".ljust(_HERE), "dim")], stays, cells)
    return lines


def _wrapped(
    head: Sequence[Part], words: Sequence[Part], cells: int
) -> list[list[Part]]:
    lines: list[list[Part]] = [list(head)]
    room = cells - _HERE
    for place, (word, ink) in enumerate(words):
        text = word if place == len(words) - 1 else f"{word}, "
        if len(word) + 1 > room and room < cells - _HERE:
            lines.append([(" " * _HERE, "")])
            room = cells - _HERE
        lines[-1].append((text, ink))
        room -= len(text)
    return lines


def _named(way: Way) -> Part:
    if way.trigger.startswith(_BY_HAND):
        return "o by hand", "key"
    return way.trigger.replace("_", " "), ""


def _move(record: StateRecord | LockRecord, cells: int) -> list[Part]:
    """Say when the row moved, how, who did it, and why."""
    parts: list[Part] = [(f"{utc_time(record.ts)}  ", "dim")]
    wide = cells >= _DRAWN
    if isinstance(record, LockRecord):
        parts.append((UNICODE.manual, "state-manual"))
        parts.append((" " * (17 if wide else 5), ""))
    else:
        after = state_cell(record.after, False)[0]
        stays = record.before is record.after
        arrow = "   " if stays else " → "
        before = " " if stays else state_cell(record.before, False)[0][0]
        parts.append((before, state_ink(record.before)))
        parts.append((arrow, "dim"))
        text = f"{after:<13} " if wide else f"{after[0]} "
        parts.append((text, state_ink(record.after)))
    who = f"{record.who:<9}" if wide else ""
    return [*parts, (who, "dim"), (move_words(record), "")]
