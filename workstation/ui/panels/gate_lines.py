"""How gates become lines: one each where there is room, else passed ones side by side.

Shared by the panels that show them. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from workstation.model.states import Gate
from workstation.ui.glyphs import UNICODE
from workstation.ui.typeset import width
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.text_panel import Line

__all__ = ["gate_line", "gate_lines"]

# A gate beside a number begins at such a step: it stays while the number changes.
_STEP = 4


def gate_line(gate: Gate, cells: int) -> list[Part]:
    """Return a gate: verdict, name in ``cells``, and the number that decides."""
    glyph = UNICODE.passed if gate.passed else UNICODE.failed
    ink = "good" if gate.passed else "bad"
    return [
        (glyph, ink),
        (f" {gate.name:<{cells}} ", "dim" if gate.passed else "strong"),
        (gate.detail, "" if gate.passed else "warn"),
    ]


def gate_lines(gates: Sequence[Gate], cells: int, rows: int) -> list[Line]:
    """Lay the gates out in their order: a failed one alone, passed ones side by side.

    Where there is no room, what passed loses its words first, then its number.
    """
    if len(gates) <= rows:
        longest = max((len(gate.name) for gate in gates), default=0)
        return [gate_line(gate, longest) for gate in gates]
    for is_terse in (_never, _wordy, _passed):
        texts = [
            _terse_line(gate) if is_terse(gate) else gate_line(gate, 0)
            for gate in gates
        ]
        lines = _flow(texts, gates, cells)
        if len(lines) <= rows:
            break
    return list(lines)


def _terse_line(gate: Gate) -> list[Part]:
    verdict, _, _ = gate_line(gate, 0)
    return [verdict, (f" {gate.name}", "dim")]


def _never(gate: Gate) -> bool:
    return False


def _wordy(gate: Gate) -> bool:
    return gate.passed and not _has_number(gate.detail)


def _has_number(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def _passed(gate: Gate) -> bool:
    return gate.passed


def _flow(
    texts: Sequence[list[Part]], gates: Sequence[Gate], cells: int
) -> list[list[Part]]:
    lines: list[list[Part]] = []
    room = 0
    for parts, gate in zip(texts, gates, strict=True):
        taken = sum(width(text) for text, _ in parts)
        if gate.passed and taken + 2 <= room:
            before, _ = lines[-1][-1]
            loose = (room - cells) % _STEP if _has_number(before) else 0
            gap = min(2 + loose, room - taken)
            lines[-1] += [(" " * gap, ""), *parts]
            room -= taken + gap
        else:
            lines.append(parts)
            room = cells - taken if gate.passed else 0
    return lines
