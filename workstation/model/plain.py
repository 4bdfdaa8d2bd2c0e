"""The canonical form of what a user's script keeps, for the state hash.

Whatever a script keeps must have a digest: a table that contains itself, a number no
format holds, half a character.
"""

from __future__ import annotations

from collections import deque

__all__ = ["plain"]

# Levels of a script's context that count in the digest.
_DEEPEST = 8


def plain(value: object, depth: int = 0) -> object:
    """Return the value as lists, texts and numbers; of an object only its type."""
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, dict):
        return [
            [plain(key, depth + 1), plain(item, depth + 1)]
            for key, item in value.items()
        ]
    if isinstance(value, list | tuple | deque):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else hex(value)
    if isinstance(value, float):
        return float(value)
    # An object of the script: its address must not get into the hash.
    return type(value).__name__
