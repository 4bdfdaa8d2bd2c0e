"""The machine of the focused row as a picture: states, ways, time, last moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from workstation.model.records import StateRecord
from workstation.model.states import SymbolState
from workstation.ui.actions import Scope
from workstation.ui.glyphs import UNICODE
from workstation.ui.panels.base import Choice, TextBody
from workstation.ui.panels.cells import state_cell, state_ink
from workstation.ui.typeset import duration, price, quantity, utc_minute, utc_time
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.text_panel import Line, RuleLine

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, MachineFrame, Way

__all__ = ["DiagramPanel"]

_DRAWN = 64
# Cells of the picture with boxes; narrower panels have the states in one line.
_GAPS = (15, 8)
_BOXES = (11, 16, 13)
_ORDER = tuple(SymbolState)

_WHY = {
    "opportunity": "the script sees an opportunity",
    "commit": "the script answers with an entry",
    "cancel": "the script gives up, or the entry is refused",
    "expire": "no commitment in time",
    "fill": "an entry fills after all",
    "entry_ended": "the entry ends without a fill",
    "flat": "the position is closed",
}
_BY_HAND = "override_"


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


class DiagramPanel(TextBody):
    """Where a row is, what moves it from there, and how it came there."""

    panel_id = "diagram"
    title = "Machine"
    needs = frozenset({"machine"})
    scope = Scope.ROW
    follows_focus = True
    empty = ("No strategy has this symbol.", "Add it to [[strategies]] symbols.")

    def apply(self, frame: Frame) -> None:
        """Show the machine of a frame."""
        machine = frame.machine
        if machine is None:
            self.set_title([*self.pin_parts(), (self.title, "title")], "")
            self.set_lines([])
            return
        row = machine.row
        self.set_title(
            [
                *self.pin_parts(),
                (self.title, "title"),
                (f" {row.symbol} {row.strategy}", "dim"),
            ],
            f"{duration(row.since_ns)} in state" if row.since_ns is not None else "",
        )
        cells = self.size.width - 2
        drawn = cells >= _DRAWN and self.size.height > 10
        picture = _boxes(machine) if drawn else _one_line(machine)
        lines: list[Line] = [*picture, _now(machine)]
        lines.append(RuleLine("From here"))
        lines += _way_lines(machine, cells)
        lines.append(RuleLine("Last moves"))
        lines += [_move(record, cells) for record in machine.transitions]
        if not machine.transitions:
            lines.append([("It has not moved yet.", "dim")])
        self.set_lines(lines)

    @property
    def choice(self) -> Choice | None:
        """The row shown."""
        machine = None if self._frame is None else self._frame.machine
        if machine is None:
            return None
        return Choice(machine.row.instrument, machine.row.strategy)


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
    """Draw the states as boxes, with the ways between them; legal ones are lit."""
    now = machine.row.state
    legal = {(way.trigger, way.after) for way in machine.ways}

    def ink(*ways: tuple[str, SymbolState]) -> str:
        return "strong" if legal.intersection(ways) else "dim"

    watch, close, trade = _ORDER
    out = ink(("opportunity", close))
    back = ink(("cancel", watch), ("expire", watch))
    commit = ink(("commit", trade))
    flat = ink(("flat", watch), ("entry_ended", watch))
    first, second = _GAPS
    long, short = "─" * (first - 3), "─" * (second - 3)
    none = (" " * second, "")
    ways: tuple[tuple[Part, Part], ...] = (
        (("opportunity".center(first), out), ("commit".center(second), commit)),
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
    words = " flat, entry ended "
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


def _way_lines(machine: MachineFrame, cells: int) -> list[Line]:
    if cells < _DRAWN:
        return _gathered(machine.ways)
    return [_way(way, machine.row.state) for way in machine.ways]


def _gathered(ways: Sequence[Way]) -> list[Line]:
    lines: list[Line] = []
    for after in dict.fromkeys(way.after for way in ways):
        text, ink = state_cell(after, False)
        parts: list[Part] = [("→ ", "dim"), (f"{text:<13}", ink)]
        for way in ways:
            if way.after is after:
                word, mark = _named(way)
                parts += [(", ", "dim")] if len(parts) > 2 else []
                parts.append((word.removesuffix(" by hand"), mark))
        lines.append(parts)
    return lines


def _named(way: Way) -> Part:
    if way.trigger.startswith(_BY_HAND):
        return "o by hand", "key"
    return way.trigger.replace("_", " "), ""


def _why(way: Way, state: SymbolState | None) -> str:
    if way.trigger.startswith(_BY_HAND):
        return "you override it"
    if way.after is state:
        return "more of the entry fills"
    return _WHY.get(way.trigger, "")


def _way(way: Way, state: SymbolState | None) -> list[Part]:
    word, mark = _named(way)
    text, ink = state_cell(way.after, False)
    return [
        (f"{word:<12}", mark),
        ("→ ", "dim"),
        (f"{text:<13}", ink),
        (_why(way, state), "dim"),
    ]


def _move(record: StateRecord, cells: int) -> list[Part]:
    before, after = (state_cell(s, False)[0] for s in (record.before, record.after))
    wide = cells >= _DRAWN
    return [
        (f"{utc_time(record.ts)}  ", "dim"),
        (before[0], state_ink(record.before)),
        (" → ", "dim"),
        (f"{after:<14}" if wide else f"{after[0]} ", state_ink(record.after)),
        (f" {record.trigger.replace('_', ' ')}", "strong"),
        (f"  {record.reason}" if record.reason else "", "dim"),
    ]
