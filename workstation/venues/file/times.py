"""Times of recordings as ns since the epoch, whatever they are written in.

Called once per row. Times without a zone are UTC; nothing here asks for "now".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from workstation.model.timeframes import NS_PER_MS, NS_PER_S, NS_PER_US
from workstation.venues.file.damage import Damaged

__all__ = [
    "any_time",
    "binance_time",
    "is_time_format",
    "nanoseconds",
    "raw_time",
    "tardis_time",
    "time_reader",
]

_SAY_FORMAT = "mend the row, or say how times are written with time_format"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# 2001-09-09 in ns, written with 19 digits: a shorter one has lost some.
_LEAST_NS = 10**18
_MOST_NS = 2**63 - 1

# Most digits of an epoch in each unit; seconds of the year 5138 would have 11.
_EPOCH_UNITS = ((11, NS_PER_S), (14, NS_PER_MS), (17, NS_PER_US), (19, 1))
_UNITS = {"s": NS_PER_S, "ms": NS_PER_MS, "us": NS_PER_US, "ns": 1}
# An ISO time with microseconds; what is longer has a zone or nanoseconds.
_ISO_LENGTH = 26


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


def tardis_time(text: bytes) -> int:
    """Return ns of a time of Tardis: µs (16 digits)."""
    if len(text) == 16 and text.isdigit():
        return int(text) * NS_PER_US
    raise Damaged(f"time {_shown(text)} is not µs since 1970")


def time_reader(form: str) -> Callable[[bytes], int]:
    """Return what reads times of a form: ``auto``, an epoch's unit, or strptime's."""
    if form == "auto":
        return any_time
    unit = _UNITS.get(form)
    if unit is not None:
        return lambda text: _epoch(text, unit)
    return lambda text: _patterned(text, form)


def is_time_format(form: str) -> bool:
    """Tell whether ``time_reader`` knows the form, and a day can be written in it."""
    if form == "auto" or form in _UNITS:
        return True
    day = datetime(2024, 11, 28, tzinfo=UTC)
    try:
        read = datetime.strptime(day.strftime(form), form)
    except ValueError:
        return False
    return read.date() == day.date()


def any_time(text: bytes) -> int:
    """Return ns of an ISO 8601 time, or of an epoch in s, ms, µs or ns.

    The unit of an epoch follows from its magnitude; it may have a fraction.
    """
    whole = text.partition(b".")[0]
    if whole.isdigit() and len(text) != 8:  # eight digits are a date: 20240808
        unit = next((ns for most, ns in _EPOCH_UNITS if len(whole) <= most), None)
        if unit is None:
            raise Damaged(f"time {_shown(text)} is too long")
        return _epoch(text, unit)
    try:
        moment = datetime.fromisoformat(text.decode())
    except ValueError as error:
        raise Damaged(f"time {_shown(text)} cannot be read", _SAY_FORMAT) from error
    ts = _since_1970(moment, text)
    return ts + _beyond_microseconds(text) if len(text) > _ISO_LENGTH else ts


def nanoseconds(moment: datetime) -> int:
    """Return ns since 1970 of an aware datetime, without rounding."""
    return (moment - _EPOCH) // _MICROSECOND * NS_PER_US


def _patterned(text: bytes, form: str) -> int:
    try:
        moment = datetime.strptime(text.decode(), form)
    except ValueError as error:
        raise Damaged(f"time {_shown(text)} is not of the form {form}") from error
    return _since_1970(moment, text)


def _since_1970(moment: datetime, text: bytes) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    ts = nanoseconds(moment)
    if not 0 <= ts <= _MOST_NS:
        raise Damaged(f"time {_shown(text)} is not of the years 1970 to 2261")
    return ts


def _beyond_microseconds(text: bytes) -> int:
    """Return the ns that ``datetime`` has no room for."""
    fraction = text.partition(b".")[2]
    digits = fraction[: len(fraction) - len(fraction.lstrip(b"0123456789"))]
    return int(digits[6:9].ljust(3, b"0"))


def _epoch(text: bytes, unit: int) -> int:
    whole, _, fraction = text.partition(b".")
    # Twenty digits are beyond 63 bits in any unit, and far longer ones are slow.
    if not whole.isdigit() or len(whole) > 20 or (fraction and not fraction.isdigit()):
        raise Damaged(f"time {_shown(text)} cannot be read", _SAY_FORMAT)
    ts = int(whole) * unit
    if fraction:
        ts += int(fraction[:18]) * unit // 10 ** min(18, len(fraction))
    if ts > _MOST_NS:
        raise Damaged(f"time {_shown(text)} is too far off")
    return ts


def _shown(text: bytes) -> str:
    return repr(text[:40].decode(errors="replace"))
