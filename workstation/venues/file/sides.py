"""The words that tables have for the aggressor of a trade."""

from __future__ import annotations

from workstation.venues.file.damage import Damaged

__all__ = ["aggressor_of"]

# An empty or unknown side is 0.
_SIDES = {
    b"buy": 1,
    b"b": 1,
    b"1": 1,
    b"+1": 1,
    b"sell": -1,
    b"s": -1,
    b"-1": -1,
    b"": 0,
    b"0": 0,
    b"unknown": 0,
}


def aggressor_of(field: bytes) -> int:
    """Return +1 for a buyer, −1 for a seller, 0 where it is not known."""
    word = field.strip().lower()
    if word not in _SIDES:
        shown = word[:40].decode(errors="replace")
        raise Damaged(f"side {shown!r} is neither buy nor sell")
    return _SIDES[word]
