"""Which lines of a detail pass a filter: whole entries, with their rules. Pure.

An entry is a line and those below it that begin with a blank.
"""

from __future__ import annotations

from collections.abc import Sequence

from workstation.ui.widgets.rows import matches
from workstation.ui.widgets.text_panel import Line, RuleLine, TextLine

__all__ = ["sifted"]


def _text(line: Line) -> str:
    if isinstance(line, str):
        return line
    if isinstance(line, RuleLine):
        return f"{line.title} {line.info}"
    parts = line.parts + line.right if isinstance(line, TextLine) else line
    return "".join(text for text, _ in parts)


def sifted(lines: Sequence[Line], wanted: str) -> list[Line]:
    """Return the entries that have all words of a filter; rules stay above theirs."""
    if not wanted.strip():
        return list(lines)
    kept: list[Line] = []
    entry: list[Line] = []

    def close() -> None:
        text = " ".join(_text(line) for line in entry).lower()
        if entry and matches(text, wanted):
            kept.extend(entry)
        entry.clear()

    for line in lines:
        text = _text(line)
        if isinstance(line, RuleLine) or not text.strip():
            close()
            kept.append(line)
        else:
            if not text.startswith(" "):
                close()
            entry.append(line)
    close()
    return kept
