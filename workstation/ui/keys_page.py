"""The page docs/keys.md, made from the action table.

Called by ``python -m workstation.ui.actions``; a test compares it with the file.
"""

from __future__ import annotations

from collections.abc import Iterable

from workstation.ui.actions import Danger, Scope, actions_of
from workstation.ui.key_names import key_glyph

__all__ = ["document"]

_INTRODUCTION = """\
# Keys

This page is printed by `python -m workstation.ui.actions`.

A lower-case letter looks, does one reversible thing, or acts on one row. An upper-case
letter touches trading or many rows and asks first (`A`, `H`, `L`, `N`, `R`, `S` and `W`
act at once: `R` tries the file in the shadow before it takes over, `W` only records).
Keys with `ctrl` work everywhere. A letter means the same in every panel. The footer
shows what can be done now; `?` shows everything.

`ctrl+k` works everywhere, also while typing and in dialogs. The first press holds all
new orders at once and opens the ladder; `esc` there lifts the hold again. The second
press cancels entries. Stops and targets stay. Flatten and re-arm want a typed word.

On a locked screen (`L`, `--read-only`) keys that act are absent except `ctrl+k`. Its
ladder goes up there, never down: re-arm is absent, only `esc` lifts the hold of the
press that opened it. `L` unlocks a screen that `L` has locked; what was killed on one
that is `--read-only` is re-armed on one started without it. `ctrl+q` quits and leaves
everything as it is. The keys of the clock stay: they are words to the driver and change
no decision of the run.
"""

_KEYMAP = """\
## Other keys

`[ui.keymap]` in a config gives actions other keys: the id of the table, then one or
more keys separated by commas. The keys given replace the default ones; `""` takes an
action off the keyboard (not kill, quit, palette, help, back and the keys of dialogs:
they may get other keys, but must keep one). A key is a character that is not a comma,
or a name: `space`, `comma`, `full_stop`, `less_than_sign`, `f5`, `ctrl+t`, `insert`.
Unknown ids, unknown keys and clashes are all reported at once, before the screen opens.

- The keys of the cursor, `tab`, `enter`, `esc`, `backspace` and `delete` stay where the
  table has them: no other action can have one of these.

- A key of the clock or of "outside text" may not be used by any panel.
- Two panels may use the same key.
- What is heard everywhere needs `ctrl` and a letter, or a function key: a text field
  swallows everything else.
- `ctrl+c`, `ctrl+h`, `ctrl+i`, `ctrl+j`, `ctrl+m` and `ctrl+z` are taken by terminals.

On keyboards where `<` and `>` need AltGr, or share one key, function keys do:

```toml
[ui.keymap]
"clock.slower" = "f6"
"clock.faster" = "f7"
"clock.to_bookmark" = "f8"
"find.filter" = "slash,f3"
"app.help" = "question_mark,f1"
"chart.zoom_in" = "plus"
```
"""

_DANGER = {Danger.LOOK: "", Danger.ONE: "one row", Danger.TRADING: "trading"}


def document() -> str:
    """Return docs/keys.md: all keys by scope, and how to change them."""
    parts = [_INTRODUCTION]
    for scope in Scope:
        rows = [
            f"| {_code(entry.keys)} | {entry.title} | `{entry.id}` "
            f"| {_DANGER[entry.danger]} |"
            for entry in actions_of(scope)
        ]
        parts.append(
            f"## {scope.value[0].upper()}{scope.value[1:]}\n\n"
            "| keys | what | id | touches |\n|---|---|---|---|\n"
            + "\n".join(rows)
            + "\n"
        )
    parts.append(_KEYMAP)
    return "\n".join(parts)


def _code(keys: Iterable[str]) -> str:
    return " ".join(f"`{key_glyph(key)}`" for key in keys)
