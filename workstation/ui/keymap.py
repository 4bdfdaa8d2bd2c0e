"""The keymap of ``[ui.keymap]``: action ids to keys, checked against the action table.

Textual takes unknown ids, misspelt keys and clashes in silence, so they are found here,
all at once, before the screen opens. Knows no Textual, so that ``check`` can call it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from workstation.ui.actions import ACTIONS, PANEL_SCOPES, Action, Scope
from workstation.ui.key_names import NAMES, is_text, key_glyph, key_name

__all__ = ["KeymapError", "read_keymap"]

_RESERVED = {
    "ctrl+c": "it does nothing, on purpose",
    "ctrl+h": "terminals send it for backspace",
    "ctrl+i": "terminals send it for tab",
    "ctrl+j": "terminals send it for enter",
    "ctrl+m": "terminals send it for enter",
    "ctrl+z": "it would stop the engine",
    "up": "it moves the cursor",
    "down": "it moves the cursor",
    "left": "it moves the cursor",
    "right": "it moves the cursor",
    "home": "it moves the cursor",
    "end": "it moves the cursor",
    "pageup": "it moves the cursor",
    "pagedown": "it moves the cursor",
    "tab": "it goes to the next panel or field",
    "shift+tab": "it goes to the previous panel or field",
    "enter": "it opens the detail, or presses the focused button",
    "escape": "it goes back",
    "backspace": "it deletes in text",
    "delete": "it deletes in text",
}
"""Keys that only the actions that have them by default may use."""

_NEEDED = ("app.kill", "app.quit", "app.palette", "app.help", "view.back")


class KeymapError(ValueError):
    """A keymap that cannot be used; ``problems`` has one sentence for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_keymap(keymap: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the keys of every action, those of ``keymap`` in place of the defaults.

    Raises ``KeymapError`` with everything that is wrong.
    """
    problems: list[str] = []
    result = {entry.id: entry.keys for entry in ACTIONS}
    for id, text in keymap.items():
        entry = next((one for one in ACTIONS if one.id == id), None)
        if entry is None:
            problems.append(f"{id}: no such action{_did_you_mean(id, result)}")
        else:
            keys = _keys(entry, text, problems)
            if keys is not None:
                result[id] = keys
    problems.extend(_clashes(result, keymap))
    if problems:
        raise KeymapError(problems)
    return result


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=2, cutoff=0.5)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return "; ? lists them, and docs/keys.md"


def _keys(entry: Action, text: str, problems: list[str]) -> tuple[str, ...] | None:
    wanted = [part for part in text.split(",") if part.strip()]
    if not wanted:
        if entry.id in _NEEDED or entry.scope is Scope.DIALOG:
            problems.append(f"{entry.id}: must keep a key; give it one")
            return None
        return ()
    keys: list[str] = []
    good = True
    for part in wanted:
        name = key_name(part)
        if name is None:
            near = _did_you_mean(part.strip().lower(), NAMES)
            problems.append(f"{entry.id}: no such key {part.strip()!r}{near}")
        elif name in _RESERVED and name not in entry.keys:
            problems.append(
                f"{entry.id}: {key_glyph(name)} cannot be given away: {_RESERVED[name]}"
            )
        elif entry.scope is Scope.GLOBAL_PRIORITY and is_text(name):
            problems.append(
                f"{entry.id}: {key_glyph(name)} would be swallowed by text fields; "
                "use ctrl and a letter, or a function key"
            )
        else:
            if name not in keys:
                keys.append(name)
            continue
        good = False
    return tuple(keys) if good else None


def _meet(one: Scope, other: Scope) -> bool:
    """Tell whether keys of these scopes can be heard at the same time."""
    if one is other or Scope.GLOBAL_PRIORITY in (one, other):
        return True
    if Scope.DIALOG in (one, other):
        return False
    return not (one in PANEL_SCOPES and other in PANEL_SCOPES)


def _clashes(
    result: Mapping[str, tuple[str, ...]], keymap: Mapping[str, str]
) -> Iterable[str]:
    for place, first in enumerate(ACTIONS):
        for second in ACTIONS[place + 1 :]:
            if not _meet(first.scope, second.scope):
                continue
            if first.id not in keymap and second.id not in keymap:
                continue
            for key in result[first.id]:
                if key in result[second.id]:
                    yield _clash(key, first, second)


def _clash(key: str, first: Action, second: Action) -> str:
    where = first.scope if first.scope is second.scope else f"{first.scope} and "
    if first.scope is not second.scope:
        where += second.scope
    return (
        f"{key_glyph(key)}: both {first.id} and {second.id} want it ({where}); "
        "give one of them another key"
    )
