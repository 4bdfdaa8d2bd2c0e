"""Checks one value against the type of a setting, and says what would be right.

``msgspec`` converts and decides; its words are replaced by ours, because it stops at
the first error and does not list the choices of a closed set.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import inspect

from workstation.config.problems import Key, Problems, did_you_mean

__all__ = ["INVALID", "check_value", "describe", "show"]

INVALID: Any = object()
"""Stands for a value that was wrong; the problem is already noted."""

# A pattern is for the machine; each that a setting has is said in words here.
_PATTERNS = {
    "^[A-Za-z0-9_.-]+$": "letters, digits, _ . and -",
    "^[A-Z0-9]{2,10}$": "2 to 10 capital letters and digits",
    r"^([01]\d|2[0-3]):[0-5]\d$": "HH:MM, 00:00 … 23:59",
}
_LEAST_INT64 = -(2**63)
_LONGEST_SHOWN = 60


def check_value(value: Any, hint: Any, key: Key, problems: Problems) -> Any:
    """Return ``value`` as the type ``hint`` wants it, or INVALID.

    Arrays and tables are checked element by element, so that each wrong one is named.
    """
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    arguments = get_args(plain)
    if get_origin(plain) is tuple and isinstance(value, list):
        items = [
            check_value(item, arguments[0], (*key, index), problems)
            for index, item in enumerate(value)
        ]
        return INVALID if any(item is INVALID for item in items) else tuple(items)
    if get_origin(plain) is dict and isinstance(value, dict):
        pairs = {
            name: check_value(item, arguments[1], (*key, name), problems)
            for name, item in value.items()
        }
        return INVALID if any(item is INVALID for item in pairs.values()) else pairs
    if value == "none" and type(None) in arguments and str not in arguments:
        # TOML has no null; a limit with a default could not be taken away.
        return None
    try:
        converted = msgspec.convert(value, hint)
    except msgspec.ValidationError:
        problems.add(key, _refusal(value, inspect.type_info(hint)))
        return INVALID
    if isinstance(converted, float | Decimal) and not math.isfinite(converted):
        problems.add(key, f"found {show(value)}; allowed: a finite number")
        return INVALID
    return converted


def _refusal(value: Any, kind: inspect.Type) -> str:
    message = f"found {show(value)}; allowed: {describe(kind)}"
    if isinstance(kind, inspect.LiteralType) and isinstance(value, str):
        message += did_you_mean(value, (x for x in kind.values if isinstance(x, str)))
    if isinstance(value, dt.date | dt.time) and isinstance(kind, inspect.StrType):
        message += "; put it in quotes"
    return message


def describe(kind: inspect.Type) -> str:
    """Return in words what a type allows: range, choices, shape."""
    if isinstance(kind, inspect.UnionType):
        # TOML has no null: none is said by leaving the key out.
        wanted = [part for part in kind.types if not isinstance(part, inspect.NoneType)]
        *most, last = [describe(part) for part in wanted]
        return f"{', '.join(most)} or {last}" if most else last
    if isinstance(kind, inspect.LiteralType):
        return "one of " + ", ".join(sorted(map(show, kind.values)))
    for shape, words in _WORDS:
        if isinstance(kind, shape):
            return words(kind)
    return "another kind of value"


def _text(kind: Any) -> str:
    words = _PATTERNS.get(kind.pattern, "text")
    return f"{words}, at most {kind.max_length}" if kind.max_length else words


def _number(word: str) -> Callable[[Any], str]:
    def words(kind: Any) -> str:
        low = kind.ge if kind.ge is not None else kind.gt
        high = kind.le if kind.le is not None else kind.lt
        if low is None:
            return word
        if low == _LEAST_INT64:
            return f"{word} of at most 63 bits"
        above = "more than " if kind.gt is not None else ""
        if high is None:
            return f"{word}, {above or 'at least '}{low:g}"
        if above:
            return f"{word}, more than {_plain(low)}, at most {_plain(high)}"
        return f"{word}, {_plain(low)} … {_plain(high)}"

    return words


def _plain(number: float) -> str:
    return f"{int(number)}" if number == int(number) else f"{number}"


_WORDS: tuple[tuple[type[inspect.Type], Callable[[Any], str]], ...] = (
    (inspect.BoolType, lambda kind: "true or false"),
    (inspect.IntType, _number("a whole number")),
    (inspect.FloatType, _number("a number")),
    (inspect.DecimalType, lambda kind: 'a number, best in quotes: "0.01"'),
    (inspect.StrType, _text),
    (inspect.VarTupleType, lambda kind: f"a list [ ] of {describe(kind.item_type)}"),
    (inspect.DictType, lambda kind: f"a table {{ }} of {describe(kind.value_type)}"),
)


def show(value: Any) -> str:
    """Return a value as TOML writes it, with its kind where that is the mistake."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
        return f'"{text}"'
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, dt.date | dt.time):
        return f"the date or time {value.isoformat()}"
    return str(value)
