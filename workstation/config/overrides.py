"""``--set KEY=VALUE``: one value of the config replaced from the command line.

KEY is a dotted path with indexes for arrays, VALUE is written as in TOML. A wrong one
joins the other problems of the config. Options of their own, such as ``--seed``, are
overrides that bear their own name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from workstation.config.problems import Key, Place, Problems

__all__ = ["Override", "apply_overrides", "parse_override"]

_SHAPE = 'allowed: KEY=VALUE with a TOML value, such as engine.speed=4 or name="x"'
_LONGEST_LABEL = 60


class Override(Struct, frozen=True):
    """One replacement and what the user typed for it."""

    text: str
    key: Key
    value: Any  # whatever TOML can hold
    option: str = "--set"

    @property
    def place(self) -> Place:
        """Return where errors about this value point to."""
        return _place(self.text, self.option)


def parse_override(text: str) -> Override:
    """Read one ``KEY=VALUE``; raise ValueError that says what is allowed."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(f'found "{text}"; {_SHAPE}')
    try:
        # A key of TOML: quotes guard dots, and an index is a bare key of digits.
        nested: Any = tomllib.loads(f"{name.strip()} = 0")
    except tomllib.TOMLDecodeError:
        raise ValueError(f'found "{name}" for a key; {_SHAPE}') from None
    parts: list[str | int] = []
    while isinstance(nested, dict):
        ((part, nested),) = nested.items()
        parts.append(int(part) if part.isdecimal() else part)
    try:
        parsed = tomllib.loads(f"value = {value.strip()}")
    except tomllib.TOMLDecodeError:
        parsed = {}
    if list(parsed) != ["value"]:
        raise ValueError(
            f"found {value.strip()} for a value; allowed: TOML, where text has "
            f"""quotes: {name.strip()}='"{value.strip()}"'"""
        )
    return Override(text, tuple(parts), parsed["value"])


def apply_overrides(
    data: dict[str, Any], given: Iterable[str | Override], problems: Problems
) -> list[Override]:
    """Write each override into ``data`` in turn and return those that fitted."""
    applied: list[Override] = []
    for each in given:
        place = _place(each) if isinstance(each, str) else each.place
        try:
            override = parse_override(each) if isinstance(each, str) else each
            _put(data, override)
        except ValueError as error:
            problems.add_at(place, "", str(error))
        else:
            applied.append(override)
    return applied


def _put(data: dict[str, Any], override: Override) -> None:
    node: Any = data
    key = override.key
    for depth, part in enumerate(key):
        here = ".".join(map(str, key[: depth + 1]))
        last = depth == len(key) - 1
        if isinstance(node, dict):
            name = str(part)
            if last:
                node[name] = override.value
            else:
                # What follows an index that is not there yet begins an array.
                fresh: Any = [] if isinstance(key[depth + 1], int) else {}
                node = node.setdefault(name, fresh)
        elif isinstance(node, list):
            if not isinstance(part, int) or part > len(node):
                highest = len(node)
                raise ValueError(
                    f"{here}: found {part} for an index; allowed: 0 … {highest}"
                )
            if part == len(node):
                node.append({})
            if last:
                node[part] = override.value
            else:
                node = node[part]
        else:
            above = ".".join(map(str, key[:depth]))
            raise ValueError(f"{here}: {above} is one value and has no {part}")


def _place(text: str, option: str = "--set") -> Place:
    shown = text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"
    return Place(1, f"{option} {shown}".rstrip())
