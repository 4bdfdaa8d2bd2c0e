"""Names of keys: Textual's, how users may write them, and how they are shown.

Shared by the action table and the keymap; knows no Textual (a test compares the two).
"""

from __future__ import annotations

__all__ = ["NAMES", "is_text", "key_glyph", "key_name"]

_CHARACTERS = {
    "!": "exclamation_mark",
    '"': "quotation_mark",
    "#": "number_sign",
    "$": "dollar_sign",
    "%": "percent_sign",
    "&": "ampersand",
    "'": "apostrophe",
    "(": "left_parenthesis",
    ")": "right_parenthesis",
    "*": "asterisk",
    "+": "plus",
    "-": "minus",
    ".": "full_stop",
    "/": "slash",
    ":": "colon",
    ";": "semicolon",
    "<": "less_than_sign",
    "=": "equals_sign",
    ">": "greater_than_sign",
    "?": "question_mark",
    "@": "at",
    "[": "left_square_bracket",
    "\\": "backslash",
    "]": "right_square_bracket",
    "^": "circumflex_accent",
    "_": "underscore",
    "`": "grave_accent",
    "{": "left_curly_bracket",
    "|": "vertical_line",
    "}": "right_curly_bracket",
    "~": "tilde",
    " ": "space",
}
_PRINTABLE = frozenset(_CHARACTERS.values()) | {"comma"}
_FUNCTION = frozenset(f"f{number}" for number in range(1, 25))
_MOTION = frozenset(
    ("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert")
)
_EDITING = frozenset(("tab", "enter", "escape", "backspace", "delete"))
NAMES = _PRINTABLE | _FUNCTION | _MOTION | _EDITING
"""Every key name without its modifiers, letters and digits apart."""

_MODIFIERS = ("ctrl", "alt", "shift")

_GLYPHS = {name: character for character, name in _CHARACTERS.items()} | {
    "comma": ",",
    "space": "space",
    "escape": "esc",
    "pageup": "page up",
    "pagedown": "page down",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
}


def key_glyph(key: str) -> str:
    """Return how a Textual key name is shown: ``full_stop`` as ``.``, ``f9`` as F9."""
    *modifiers, name = key.split("+")
    name = name.upper() if name in _FUNCTION else _GLYPHS.get(name, name)
    return "+".join([*modifiers, name])


def is_text(name: str) -> bool:
    """Tell whether a text field keeps this key to itself."""
    return len(name) == 1 or name in _PRINTABLE or name in _MOTION | _EDITING


def key_name(text: str) -> str | None:
    """Return the Textual name of a key as a user may write it; None when unknown.

    ``.`` is ``full_stop``, ``Ctrl+T`` is ``ctrl+t``, ``shift+n`` is ``N``.
    """
    text = text.strip() if text != " " else text
    if text in _CHARACTERS:
        return _CHARACTERS[text]
    *modifiers, name = text.split("+")
    modifiers = [modifier.strip().lower() for modifier in modifiers]
    name = name.strip()
    if any(modifier not in _MODIFIERS for modifier in modifiers):
        return None
    if len(set(modifiers)) < len(modifiers):
        return None
    if len(name) == 1 and name.isascii() and name.isalnum():
        if "ctrl" in modifiers:
            name = name.lower()
        elif modifiers == ["shift"]:
            return name.upper() if name.isalpha() else None
    elif name in _CHARACTERS:
        name = _CHARACTERS[name]
    else:
        name = name.lower()
        if name not in NAMES:
            return None
    ordered = [modifier for modifier in _MODIFIERS if modifier in modifiers]
    return "+".join([*ordered, name])
