"""How numbers, times and text become cells of a fixed width.

Pure functions, used by every panel and by copy and export. ``·`` stands for "none",
``−`` is the real minus. What they return is for eyes; ``plain`` is for machines.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from rich.cells import cell_len, set_cell_size

NONE = "·"
MINUS = "−"
ELLIPSIS = "…"
OVERFLOW = "#"
# What a number too wide for its column turns into: cut digits would be read as a
# smaller number.

Number = Decimal | float | int
Align = Literal["left", "right"]

_NS_PER_MS = 1_000_000
_NS_PER_S = 1_000_000_000
_THOUSANDS = ((1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T"))
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def number(
    value: Number | None,
    decimals: int,
    *,
    sign: bool = False,
    group: bool = True,
) -> str:
    """Write ``value`` with exactly ``decimals`` digits after the point.

    ``sign`` adds ``+`` to positive values; zero never has a sign, also when it only
    rounds to zero. ``None`` and NaN give ``·``.
    """
    if value is None:
        return NONE
    if not isinstance(value, Decimal):
        if math.isnan(value):
            return NONE
        if math.isinf(value):
            return f"{MINUS}∞" if value < 0 else ("+∞" if sign else "∞")
    elif not value.is_finite():
        return NONE
    text = format(abs(value), f",.{decimals}f" if group else f".{decimals}f")
    if value < 0:
        return MINUS + text if any(c in "123456789" for c in text) else text
    if sign and any(c in "123456789" for c in text):
        return "+" + text
    return text


def short(value: float, cells: int, decimals: int) -> str:
    """Write ``value`` in at most ``cells``: fewer decimals first, then ``1.2M``.

    What does not fit even so is ``###``, as in a column.
    """
    for digits in range(decimals, -1, -1):
        text = number(value, digits)
        if width(text) <= cells:
            return text
    for power, unit in _THOUSANDS:
        for digits in (1, 0):
            text = number(value / power, digits) + unit
            if abs(value) < 1_000 * power and width(text) <= cells:
                return text
    return OVERFLOW * cells


def price(value: Number | None, decimals: int) -> str:
    """Write a price with its instrument's decimals: ``61,685.99``."""
    return number(value, decimals)


def quantity(value: Number | None, decimals: int, *, sign: bool = False) -> str:
    """Write a size with its lot's decimals; positions ask for a sign: ``+1.000``."""
    return number(value, decimals, sign=sign)


def money(value: Number | None, decimals: int = 2, *, sign: bool = False) -> str:
    """Write an amount of the base currency, without its name: ``+412.10``."""
    return number(value, decimals, sign=sign)


def percent(
    value: Number | None, decimals: int = 2, *, sign: bool = True, unit: bool = False
) -> str:
    """Write ``value``, already in percent, as ``+0.41`` or with its unit ``+0.41%``."""
    text = number(value, decimals, sign=sign)
    return f"{text}%" if unit and text != NONE else text


def bps(value: Number | None, decimals: int = 1, *, unit: bool = False) -> str:
    """Write ``value``, already in basis points, as ``3.1`` or ``3.1 bp``."""
    text = number(value, decimals)
    return f"{text} bp" if unit and text != NONE else text


def age(ns: int | None) -> str:
    """Write how old something is, in at most five cells: ``40ms 1.2s 32s 2:14 3h05``.

    Rounds down, so nothing looks older than it is; a negative age keeps its sign.
    """
    if ns is None:
        return NONE
    if ns < 0:
        return MINUS + age(-ns)
    if ns < _NS_PER_S:
        return f"{ns // _NS_PER_MS}ms"
    if ns < 10 * _NS_PER_S:
        tenths = ns // (_NS_PER_S // 10)
        return f"{tenths // 10}.{tenths % 10}s"
    if ns < 60 * _NS_PER_S:
        return f"{ns // _NS_PER_S}s"
    return duration(ns)


def duration(ns: int | None) -> str:
    """Write how long something has lasted: ``0:09 9:51 3h05 2d04``."""
    if ns is None:
        return NONE
    if ns < 0:
        return MINUS + duration(-ns)
    seconds = ns // _NS_PER_S
    if seconds < 3_600:
        return f"{seconds // 60}:{seconds % 60:02d}"
    hours = seconds // 3_600
    if hours < 24:
        return f"{hours}h{seconds % 3_600 // 60:02d}"
    return f"{hours // 24}d{hours % 24:02d}"


def _utc(ts_ns: int) -> datetime:
    return datetime.fromtimestamp(ts_ns // _NS_PER_S, UTC)


def utc_clock(ts_ns: int | None) -> str:
    """Write a moment as ``2024-08-08 23:55:12`` (UTC, unnamed)."""
    return NONE if ts_ns is None else _utc(ts_ns).strftime("%Y-%m-%d %H:%M:%S")


def utc_compact(ts_ns: int | None) -> str:
    """Write a moment as ``23:55:12Z``."""
    return NONE if ts_ns is None else _utc(ts_ns).strftime("%H:%M:%SZ")


def utc_time(ts_ns: int | None, digits: int = 0) -> str:
    """Write a moment as ``23:55:12``, with ``digits`` of the second (cut)."""
    if ts_ns is None:
        return NONE
    text = _utc(ts_ns).strftime("%H:%M:%S")
    return f"{text}.{ts_ns % _NS_PER_S:09d}"[: 9 + digits] if digits else text


def utc_minute(ts_ns: int | None) -> str:
    """Write a moment as ``23:55``."""
    return NONE if ts_ns is None else _utc(ts_ns).strftime("%H:%M")


def plain(value: Number | str | None) -> str:
    """Write ``value`` for copy and export: ASCII, no grouping, nothing rounded."""
    if value is None:
        return ""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else ""
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return format(Decimal(repr(value)), "f")
    return str(value)


def plain_text(text: str) -> str:
    """Undo the typesetting of a displayed text: ASCII minus, no grouping, no ``·``."""
    if text.strip() == NONE:
        return ""
    return _GROUPED.sub("", clean(text).replace(MINUS, "-")).strip()


def clean(text: str) -> str:
    """Return ``text`` without control characters, so none can reach the terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def width(text: str) -> int:
    """Return how many terminal cells ``text`` takes."""
    return len(text) if text.isascii() else cell_len(text)


def truncate(text: str, cells: int) -> str:
    """Shorten ``text`` to at most ``cells``, ending in ``…`` when something is lost."""
    if width(text) <= cells:
        return text
    if cells <= 0:
        return ""
    return set_cell_size(text, cells - 1).rstrip() + ELLIPSIS


def fit(text: str, cells: int, align: Align = "left") -> str:
    """Pad or shorten ``text`` to exactly ``cells``."""
    text = truncate(clean(text), cells)
    padding = " " * (cells - width(text))
    return text + padding if align == "left" else padding + text


def fit_number(text: str, cells: int) -> str:
    """Right-align a number in exactly ``cells``: first without commas, then ``###``."""
    text = clean(text)
    if width(text) > cells:
        text = _GROUPED.sub("", text)
        if width(text) > cells:
            return OVERFLOW * cells
    return " " * (cells - width(text)) + text


def align_point(texts: Iterable[str]) -> list[str]:
    """Pad numbers on both sides so that their points stand in one column."""
    parts = [(text, text.partition(".")) for text in texts]
    left = max((width(head) for _, (head, _, _) in parts), default=0)
    right = max((width(dot + tail) for _, (_, dot, tail) in parts), default=0)
    return [
        " " * (left - width(head)) + text + " " * (right - width(dot + tail))
        for text, (head, dot, tail) in parts
    ]


def round_to(value: Decimal, tick: Decimal) -> Decimal:
    """Return ``value`` on the nearest multiple of ``tick``, for display only."""
    return (value / tick).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * tick
