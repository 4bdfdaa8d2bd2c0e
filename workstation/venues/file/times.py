"""Times of recordings as ns since the epoch, whatever they are written in.

Called once per row. Times without a zone are UTC; nothing here asks for "now".
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from workstation.model.timeframes import NS_PER_MS, NS_PER_S, NS_PER_US
from workstation.venues.file.damage import Damaged

__all__ = ["any_time", "binance_time", "nanoseconds", "raw_time"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# 2001-09-09 in ns, written with 19 digits: a shorter one has lost some.
_LEAST_NS = 10**18
_MOST_NS = 2**63 - 1

# Most digits of an epoch in each unit; seconds of the year 5138 would have 11.
_EPOCH_UNITS = ((11, NS_PER_S), (14, NS_PER_MS), (17, NS_PER_US), (19, 1))


def raw_time(text: bytes) -> int:
    """Return a receive time in ns; it must have all its 19 digits."""
    if not text.isdigit():
        raise Damaged(f"receive time {_shown(text)} is not a number")
    ts = int(text[:20])
    if len(text) != 19 or not _LEAST_NS <= ts <= _MOST_NS:
        raise Damaged(f"receive time {_shown(text)} is not ns since 1970")
    return ts


def binance_time(text: bytes) -> int:
    """Return ns of a dump's time: ms (13 digits) or, since 2025, µs (16 digits)."""
    if text.isdigit():
        if len(text) == 13:
            return int(text) * NS_PER_MS
        if len(text) == 16:
            return int(text) * NS_PER_US
    raise Damaged(f"time {_shown(text)} is neither ms nor µs since 1970")


def any_time(text: bytes) -> int:
    """Return ns of an ISO 8601 time, or of an epoch in s, ms, µs or ns.

    The unit of an epoch follows from its magnitude; it may have a fraction.
    """
    whole, _, fraction = text.partition(b".")
    if whole.isdigit() and len(text) != 8:  # eight digits are a date: 20240808
        return _epoch(text, whole, fraction)
    try:
        moment = datetime.fromisoformat(text.decode())
    except ValueError as error:
        raise Damaged(f"time {_shown(text)} cannot be read") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    ts = nanoseconds(moment)
    if ts < 0:
        raise Damaged(f"time {_shown(text)} is before 1970")
    return ts


def nanoseconds(moment: datetime) -> int:
    """Return ns since 1970 of an aware datetime, without rounding."""
    return (moment - _EPOCH) // _MICROSECOND * NS_PER_US


def _epoch(text: bytes, whole: bytes, fraction: bytes) -> int:
    unit = next((ns for most, ns in _EPOCH_UNITS if len(whole) <= most), None)
    if unit is None:
        raise Damaged(f"time {_shown(text)} is too long")
    ts = int(whole) * unit
    if fraction:
        if not fraction.isdigit():
            raise Damaged(f"time {_shown(text)} cannot be read")
        ts += int(fraction[:18]) * unit // 10 ** min(18, len(fraction))
    if ts > _MOST_NS:
        raise Damaged(f"time {_shown(text)} is too far off")
    return ts


def _shown(text: bytes) -> str:
    return repr(text[:40].decode(errors="replace"))
