"""Timeframes: which bars are meant, and where an interval of the clock begins and ends.

Config, scripts and the screen write them as words (``5m``, ``1M``, ``500t``); windows,
builders and feeds use the noun. Spans of time (``10m`` as a duration) are plain ns.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Self

from msgspec import Struct

__all__ = [
    "FORMS",
    "NS_PER_DAY",
    "NS_PER_MS",
    "NS_PER_S",
    "NS_PER_US",
    "BarKind",
    "Timeframe",
    "format_span",
    "parse_span",
]

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
NS_PER_DAY = 86_400 * NS_PER_S
_WEEK_NS = 7 * NS_PER_DAY
# The epoch was a Thursday; weeks begin on Monday, as at the venues.
_MONDAY_NS = 4 * NS_PER_DAY

_UNITS = {
    "w": _WEEK_NS,
    "d": NS_PER_DAY,
    "h": 3_600 * NS_PER_S,
    "m": 60 * NS_PER_S,
    "s": NS_PER_S,
}
# Below a second only recordings have steps; nobody configures them.
_FINE = {"ms": NS_PER_MS, "us": NS_PER_US, "ns": 1}

FORMS = "1s, 5m, 1h, 1d, 1w, 1M, 500t, 25v, 1000000q or 1d@13:30"
"""Examples of every form, for messages."""


class BarKind(StrEnum):
    """What ends a bar."""

    TIME = "time"
    MONTH = "month"
    TICK = "tick"
    VOLUME = "volume"
    VALUE = "value"


_COUNTED = {"t": BarKind.TICK, "v": BarKind.VOLUME, "q": BarKind.VALUE}
_COUNTED_UNITS = {kind: unit for unit, kind in _COUNTED.items()}


class Timeframe(Struct, frozen=True, array_like=True):
    """Which bars: by the clock (TIME, MONTH) or by what was traded.

    ``size`` is ns, calendar months, trades, base units or quote units, as ``kind``
    says. ``session_ns`` (< 1 day) moves the days that intervals are aligned to:
    intervals below a day are counted from each session's start, the last one of a day
    ends with it. Without a session they are aligned to the epoch in UTC, weeks to
    Monday, months to January.
    """

    kind: BarKind
    size: int | float
    session_ns: int = 0

    @classmethod
    def of_ns(cls, length_ns: int) -> Self:
        """Return the bars of a fixed length."""
        return cls(BarKind.TIME, length_ns)

    @staticmethod
    def parse(text: str) -> Timeframe:
        """Return what ``5m``, ``1M``, ``500t`` (trades), ``25v`` (volume) … means.

        ``1000000q`` is bars of that value in the quote currency, ``1d@13:30`` aligns
        to a session that starts then (UTC). Raises ValueError that names the forms.
        """
        return _parse(text)

    def __str__(self) -> str:
        if self.kind is BarKind.TIME:
            word = format_span(int(self.size))
        elif self.kind is BarKind.MONTH:
            word = f"{self.size}M"
        else:
            return f"{self.size:.15g}{_COUNTED_UNITS[self.kind]}"
        if self.session_ns:
            minutes = self.session_ns // (60 * NS_PER_S)
            word += f"@{minutes // 60:02}:{minutes % 60:02}"
        return word

    @property
    def is_clocked(self) -> bool:
        """Tell whether the clock ends these bars."""
        return self.kind is BarKind.TIME or self.kind is BarKind.MONTH

    @property
    def length_ns(self) -> int:
        """Return about how long a bar lasts; 0 where trades decide."""
        if self.kind is BarKind.TIME:
            return int(self.size)
        if self.kind is BarKind.MONTH:
            return int(self.size) * 30 * NS_PER_DAY
        return 0

    @property
    def order(self) -> tuple[bool, int, str, float]:
        """Return a sort key: shorter bars of the clock first, counted ones last."""
        return (not self.is_clocked, self.length_ns, self.kind.value, self.size)

    def times(self, factor: int) -> Timeframe:
        """Return bars ``factor`` times as long, aligned alike."""
        return Timeframe(self.kind, self.size * factor, self.session_ns)

    def start(self, ts: int) -> int:
        """Return the start of the interval of ``ts``; clocked bars only."""
        session_ns = self.session_ns
        if self.kind is BarKind.MONTH:
            index = _month(ts - session_ns)
            return _month_start(index - index % int(self.size)) + session_ns
        size = int(self.size)
        if session_ns and size < NS_PER_DAY:
            day = ts - (ts - session_ns) % NS_PER_DAY
            return ts - (ts - day) % size
        return ts - (ts - self._offset_ns) % size

    def end(self, start: int) -> int:
        """Return the first ns after the interval that begins at ``start``."""
        session_ns = self.session_ns
        if self.kind is BarKind.MONTH:
            index = _month(start - session_ns)
            return _month_start(index + int(self.size)) + session_ns
        end = start + int(self.size)
        if session_ns and self.size < NS_PER_DAY:
            day_end = start - (start - session_ns) % NS_PER_DAY + NS_PER_DAY
            return min(end, day_end)
        return end

    def is_made_of(self, source: Timeframe) -> bool:
        """Tell whether every interval is whole intervals of ``source``."""
        if self == source:
            return True
        if not (self.is_clocked and source.is_clocked):
            return False
        if source.kind is BarKind.MONTH:
            same_day = self.session_ns == source.session_ns
            return (
                self.kind is BarKind.MONTH
                and same_day
                and int(self.size) % int(source.size) == 0
            )
        if source.session_ns not in (0, self.session_ns):
            return False
        size, step = int(self.size), int(source.size)
        is_month = self.kind is BarKind.MONTH
        if source.session_ns and step < NS_PER_DAY:
            # Those begin anew with each session's day.
            if is_month or size % NS_PER_DAY == 0:
                return True
            return size % step == 0 and (size < NS_PER_DAY or NS_PER_DAY % step == 0)
        if is_month or (self.session_ns and size < NS_PER_DAY):
            # Both have boundaries where a day begins.
            meets = (self.session_ns - source._offset_ns) % step == 0
            whole = is_month or size % step == 0
            return NS_PER_DAY % step == 0 and meets and whole
        return size % step == 0 and (self._offset_ns - source._offset_ns) % step == 0

    @property
    def _offset_ns(self) -> int:
        """Return where one interval begins, counted from the epoch."""
        return self.session_ns + (0 if int(self.size) % _WEEK_NS else _MONDAY_NS)


@lru_cache(maxsize=256)
def _parse(text: str) -> Timeframe:
    word, at, session = text.partition("@")
    number, unit = word[:-1], word[-1:]
    kind = _COUNTED.get(unit)
    if kind is not None and not at:
        size = _count(number, kind)
        if size is not None:
            return Timeframe(kind, size)
    elif number.isdecimal() and number.isascii() and int(number) >= 1:
        session_ns = _session(session) if at else 0
        if session_ns is not None:
            if unit == "M" and int(number) <= 1_200:
                return Timeframe(BarKind.MONTH, int(number), session_ns)
            if unit in _UNITS and int(number) * _UNITS[unit] < 2**62:
                return Timeframe(BarKind.TIME, int(number) * _UNITS[unit], session_ns)
    raise ValueError(f"timeframe {text!r} is none of {FORMS}")


def _count(number: str, kind: BarKind) -> int | float | None:
    """Return how much fills a bar: whole trades, or any positive amount."""
    whole, point, fraction = number.partition(".")
    digits = whole.isdecimal() and (fraction.isdecimal() if point else True)
    if not (digits and number.isascii()) or (point and kind is BarKind.TICK):
        return None
    size = float(number) if point else int(number)
    return size if 0 < size < 1e15 else None


def _session(text: str) -> int | None:
    try:
        moment = datetime.strptime(text, "%H:%M")
    except ValueError:
        return None
    return (moment.hour * 60 + moment.minute) * 60 * NS_PER_S


def parse_span(text: str) -> int:
    """Return the ns of a span of time: ``1s``, ``5m``, ``1h``, ``1d``, ``1w``.

    Raises ValueError that names the allowed form.
    """
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isdecimal() or int(number) < 1:
        raise ValueError(f"{text!r} is not a count and a unit: 1s, 5m, 1h, 1d or 1w")
    return int(number) * _UNITS[unit]


def format_span(span_ns: int) -> str:
    """Return the shortest word for a span, such as ``5m``."""
    for unit, length in (_UNITS | _FINE).items():
        if span_ns % length == 0:
            return f"{span_ns // length}{unit}"
    raise AssertionError  # every whole number is so many ns


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _month(ts: int) -> int:
    """Return the months since January 1970 of a time."""
    moment = _EPOCH + timedelta(seconds=ts // NS_PER_S)
    return (moment.year - 1970) * 12 + moment.month - 1


def _month_start(index: int) -> int:
    years, month = divmod(index, 12)
    moment = datetime(1970 + years, month + 1, 1, tzinfo=UTC)
    return (moment - _EPOCH).days * NS_PER_DAY
