"""Where times stand below the bars: bars that begin a round interval, with their time.

Pure. A label belongs to its bar and always tells that bar's own time, so it moves with
the bar and is true where bars are not regular.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

__all__ = ["bar_time", "time_labels"]

_S = 1_000_000_000
_DAY = 86_400 * _S
_WEEK = 7 * _DAY
# The epoch was a Thursday.
_MONDAY = 4 * _DAY
_GAP = 2
"""Cells between two labels."""

_SECOND = "%H:%M:%S"
_MINUTE = "%H:%M"
_DATE = "%m-%d"
_MONTH = "%Y-%m"
_YEAR = "%Y"

_STEPS: tuple[tuple[int, str], ...] = (
    *((count * _S, _SECOND) for count in (1, 2, 5, 10, 15, 30)),
    *((count * 60 * _S, _MINUTE) for count in (1, 2, 5, 10, 15, 30)),
    *((count * 3_600 * _S, _MINUTE) for count in (1, 2, 3, 4, 6, 12)),
    *((count * _DAY, _DATE) for count in (1, 2)),
    (_WEEK, _DATE),
    (2 * _WEEK, _DATE),
)
_MONTH_STEPS = (
    *((months, _MONTH) for months in (1, 3, 6)),
    *((12 * years, _YEAR) for years in (1, 2, 5, 10, 25)),
)
_ABOUT_A_MONTH = 30 * _DAY
_CELLS = {_SECOND: 8, _MINUTE: 5, _DATE: 5, _MONTH: 7, _YEAR: 4}

Bucket = Callable[[int], int]


def time_labels(
    starts: Sequence[int], bar_ns: int, number: int
) -> list[tuple[int, str]]:
    """Return (index of the bar, its time) for labels that do not touch.

    ``bar_ns`` 0 are bars that trading ends: every so many get a label, by their
    ``number`` in the run, so that labels keep their bars as new ones come.
    """
    if not starts:
        return []
    if bar_ns <= 0:
        return _counted(starts, number)
    bucket, form = _interval(bar_ns)
    cells = _CELLS[form]
    labels: list[tuple[int, str]] = []
    free = 0
    before = bucket(starts[0] - bar_ns)
    for index, start in enumerate(starts):
        now = bucket(start)
        if now != before and index >= free:
            labels.append((index, _utc(start, form)))
            free = index + cells + _GAP
        before = now
    return labels


def bar_time(ts_ns: int, bar_ns: int) -> str:
    """Return a bar's time in full, as finely as its length asks for."""
    if bar_ns >= 28 * _DAY:
        return _utc(ts_ns, _MONTH)
    if bar_ns >= _DAY:
        return _utc(ts_ns, "%Y-%m-%d")
    return _utc(ts_ns, "%m-%d %H:%M:%S" if bar_ns < 60 * _S else "%m-%d %H:%M")


def _interval(bar_ns: int) -> tuple[Bucket, str]:
    """Return what numbers the intervals between labels, and how a label is written."""
    for step, form in _STEPS:
        if step >= bar_ns * (_CELLS[form] + _GAP):
            return partial(_since_epoch, step), form
    months, form = _MONTH_STEPS[-1]
    for months, form in _MONTH_STEPS:
        if months * _ABOUT_A_MONTH >= bar_ns * (_CELLS[form] + _GAP):
            break
    return lambda ts: _month(ts) // months, form


def _since_epoch(step: int, ts_ns: int) -> int:
    return (ts_ns - (_MONDAY if step % _WEEK == 0 else 0)) // step


def _counted(starts: Sequence[int], number: int) -> list[tuple[int, str]]:
    form = _SECOND if starts[-1] - starts[0] < _DAY else "%m-%d %H:%M"
    every = 12 if form == _SECOND else 15
    return [
        (index, _utc(start, form))
        for index, start in enumerate(starts)
        if (number + index) % every == 0
    ]


def _utc(ts_ns: int, form: str) -> str:
    return datetime.fromtimestamp(ts_ns // _S, UTC).strftime(form)


def _month(ts_ns: int) -> int:
    moment = datetime.fromtimestamp(ts_ns // _S, UTC)
    return (moment.year - 1970) * 12 + moment.month - 1
