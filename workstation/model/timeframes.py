"""Timeframes: the words for bar lengths and their nanoseconds."""

from __future__ import annotations

__all__ = ["NS_PER_MS", "NS_PER_S", "NS_PER_US", "format_timeframe", "parse_timeframe"]

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

_UNITS = {
    "w": 7 * 86_400 * NS_PER_S,
    "d": 86_400 * NS_PER_S,
    "h": 3_600 * NS_PER_S,
    "m": 60 * NS_PER_S,
    "s": NS_PER_S,
}


def parse_timeframe(text: str) -> int:
    """Return the nanoseconds of ``1s``, ``5m``, ``1h``, ``1d``, ``1w``.

    Raises ValueError that names the allowed form.
    """
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isdecimal() or int(number) < 1:
        raise ValueError(
            f"timeframe {text!r} is not a count and a unit: 1s, 5m, 1h, 1d or 1w"
        )
    return int(number) * _UNITS[unit]


def format_timeframe(timeframe_ns: int) -> str:
    """Return the shortest word for a bar length, such as ``5m``."""
    for unit, length in _UNITS.items():
        if timeframe_ns % length == 0:
            return f"{timeframe_ns // length}{unit}"
    return f"{timeframe_ns}ns"
