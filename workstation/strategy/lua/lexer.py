"""The texts of a Lua source: its string literals and identifiers.

Only these, and what the core names at the load, may cross the border afterwards. Both
sides read the source with this, so neither has to believe the other.
"""

from __future__ import annotations

import re

from workstation.strategy.lua.wire import API_STRINGS, LONGEST_STRING, Load

__all__ = ["strings_of", "texts"]

# Nothing that is taken is given back (++, *+): the source is a stranger's, and the
# core reads it too. For that a literal counts that nothing closes: it will not compile,
# and from each quote within it the rest would be read once more.
_TOKEN = re.compile(
    rb"""
    --\[(?P<remark>=*)\[            # a long comment begins
  | --[^\r\n]*                      # a comment
  | \[(?P<level>=*)\[             # a long string begins, without its first newline
    (?:\r\n|\n\r|\r|\n)?
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | "(?P<double>(?:[^"\\\r\n]++|\\z\s*+|\\(?:\r\n|\n\r|.))*+)"?
  | '(?P<single>(?:[^'\\\r\n]++|\\z\s*+|\\(?:\r\n|\n\r|.))*+)'?
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(
    rb"\\(?:z[\x20\t\n\v\f\r]*|x([0-9a-fA-F]{2})|([0-9]{1,3})|u\{([0-9a-fA-F]+)\}"
    rb"|(\r\n|\n\r|\r|\n)|(.))",
    re.DOTALL,
)
_LETTERS = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
}


def texts(source: str) -> tuple[str, ...]:
    """Return the identifiers and string literals, each once, in order of appearance.

    Literals that are longer than what may cross, no UTF-8 or not printable are left
    out. What is no Lua gives some texts or others: it will not compile.
    """
    found: dict[str, None] = {}
    data = source.encode("utf-8", "surrogatepass")
    position = 0
    while (token := _TOKEN.search(data, position)) is not None:
        position = token.end()
        kind = token.lastgroup
        if kind is None:
            continue
        text = token[kind]
        if kind in ("remark", "level"):
            end = data.find(b"]" + text + b"]", position)
            if end < 0:
                break
            body = data[position:end]
            position = end + len(text) + 2
            if kind == "remark":
                continue
            # One with a newline is not printable, however Lua reads that newline.
            text = body
        elif kind != "name" and b"\\" in text:
            text = _ESCAPE.sub(_meant, text)
        if len(text) > LONGEST_STRING * 4:
            continue
        try:
            word = text.decode()
        except UnicodeDecodeError:
            continue
        if len(word) <= LONGEST_STRING and word.isprintable():
            found[word] = None
    return tuple(found)


def strings_of(load: Load) -> tuple[str, ...]:
    """Return every text that may cross after a load, in the same order everywhere."""
    return tuple(
        dict.fromkeys(
            (
                *API_STRINGS,
                *load.indicators,
                *load.figures,
                *load.strings,
                *texts(load.source),
            )
        )
    )


def _meant(escape: re.Match[bytes]) -> bytes:
    two_digits, decimal, code, newline, letter = escape.groups()
    if two_digits is not None:
        return bytes((int(two_digits, 16),))
    if decimal is not None:
        # More than 255 does not compile.
        return bytes((int(decimal) & 0xFF,))
    if code is not None:
        number = int(code, 16) if len(code) <= 8 else 0x110000
        # No text has such a character: the literal will be left out.
        if number > 0x10FFFF:
            return b"\xff"
        return chr(number).encode("utf-8", "surrogatepass")
    if newline is not None:
        return b"\n"
    if letter is not None:
        return _LETTERS.get(letter, letter)
    return b""
