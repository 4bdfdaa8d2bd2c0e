"""The lines of the help: keys by scope from the action table, files, themes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workstation.ui.actions import Danger, Scope, action, actions_of
from workstation.ui.key_names import key_glyph
from workstation.ui.typeset import width
from workstation.ui.widgets.text_panel import Line, RuleLine

__all__ = ["help_lines", "merged"]

_KEY_CELLS = 16

_ORDER = (
    Scope.GLOBAL_PRIORITY,
    Scope.GLOBAL,
    Scope.CLOCK,
    Scope.ROW,
    Scope.ORDER,
    Scope.TASK,
    Scope.CHART,
    Scope.BOOK,
    Scope.LIMIT,
    Scope.LOG,
    Scope.SUMS,
    Scope.DIALOG,
)


def merged(
    scope: Scope, keymap: Mapping[str, tuple[str, ...]] | None = None
) -> list[tuple[str, str, Danger]]:
    """Return (keys, title, danger) of a scope; without a key: left out."""
    keys = keymap or {}
    rows = []
    for entry in actions_of(scope):
        own = keys.get(entry.id, entry.keys)
        if own:
            shown = " ".join(key_glyph(key) for key in own)
            rows.append((shown, entry.title, entry.danger))
    return rows


def help_lines(
    focused: Scope | None,
    cells: int,
    *,
    keymap: Mapping[str, tuple[str, ...]] | None = None,
    log_path: str = "",
    journal: str = "",
    themes: Sequence[str] = (),
    theme: str = "",
) -> list[Line]:
    """Return the help for a panel of this scope, its own keys first."""
    scopes = list(_ORDER)
    if focused in scopes:
        scopes.remove(focused)
        scopes.insert(0, focused)
    lines: list[Line] = []
    for place, scope in enumerate(scopes):
        if place:
            lines.append("")
        info = "this panel" if place == 0 and scope is focused else ""
        lines.append(RuleLine(scope.value[0].upper() + scope.value[1:], info))
        lines.extend(_rows(merged(scope, keymap), cells))
    lines += ["", RuleLine("Files and looks")]
    palette = key_glyph(action("app.palette").keys[0])
    if log_path:
        lines += _fact("log", log_path, cells)
    if journal:
        lines += _fact("journal", journal, cells)
    names = ", ".join(f"{name} (now)" if name == theme else name for name in themes)
    if names:
        lines += _fact("themes", names, cells)
        lines.append([("".ljust(_KEY_CELLS), ""), (f"{palette} switches them", "dim")])
    return lines


def _fact(label: str, text: str, cells: int) -> list[Line]:
    """Return a labelled text on as many lines as it needs: a path is never cut."""
    room = max(20, cells - _KEY_CELLS - 4)
    lines: list[Line] = []
    head = label
    for piece in _wrap(text, room):
        lines.append([(head.ljust(_KEY_CELLS), "dim"), (piece, "")])
        head = ""
    return lines


def _wrap(text: str, room: int) -> list[str]:
    pieces: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer) <= room:
            line = longer
            continue
        if line:
            pieces.append(line)
        while width(word) > room:
            pieces.append(word[:room])
            word = word[room:]
        line = word
    return [*pieces, line]


def _rows(rows: Sequence[tuple[str, str, Danger]], cells: int) -> list[Line]:
    lines: list[Line] = []
    for keys, title, danger in rows:
        ink = "warn" if danger is Danger.TRADING else ""
        head = keys
        for piece in _wrap(title, max(20, cells - _KEY_CELLS - 4)):
            lines.append([(head.ljust(_KEY_CELLS), "key"), (piece, ink)])
            head = ""
    return lines
