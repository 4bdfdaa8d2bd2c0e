"""Where "go until" stops: goals that look at what the last steps have recorded.

Made at the moment the clock is let go; the play driver asks ``reached`` after each step
and pauses. Pure: reads the engine, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from workstation.model.orders import OrderStatus
from workstation.model.records import (
    FaultRecord,
    FeedRecord,
    FillRecord,
    OrderRecord,
    Record,
    SignalRecord,
    StateRecord,
    TaskRecord,
)
from workstation.model.timeframes import NS_PER_S
from workstation.ui.log_parts import Scales
from workstation.ui.typeset import utc_clock
from workstation.ui.wording import log_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workstation.engine.store import Numbered

__all__ = [
    "Goal",
    "Run",
    "crosses",
    "moment_of",
    "on_error",
    "on_fill",
    "on_signal",
    "on_state",
    "on_text",
    "on_time",
]


class History(Protocol):
    """The part of the state store that goals read."""

    number: int

    def since(self, number: int) -> Sequence[Numbered]:
        """Return the kept records after ``number``."""


class Clock(Protocol):
    """The run's clock."""

    def now(self) -> int:
        """Return the run's time in ns."""


class Run(Protocol):
    """The part of the engine that goals read; ``engine.engine.Engine`` is one."""

    @property
    def store(self) -> History:
        """Return the store of records."""

    @property
    def clock(self) -> Clock:
        """Return the run's clock."""


class Goal(Struct, frozen=True):
    """A goal: ``text`` for the transport line, ``reached`` for the driver."""

    text: str
    reached: Callable[[Run], bool]


def _when(engine: Run, matches: Callable[[Record], bool]) -> Callable[[Run], bool]:
    """Return a predicate that is true once a record after now matches."""
    seen = engine.store.number

    def reached(run: Run) -> bool:
        nonlocal seen
        store = run.store
        if store.number == seen:
            return False
        new = store.since(seen)
        seen = store.number
        return any(matches(numbered.record) for numbered in new)

    return reached


def _of(instrument: str | None, found: str) -> bool:
    return instrument is None or instrument == found


def _named(what: str, instrument: str | None) -> str:
    return f"{what} of {instrument}" if instrument else what


def on_signal(engine: Run, instrument: str | None = None) -> Goal:
    """Go until a strategy asks for something, on one instrument if named."""
    return Goal(
        _named("next signal", instrument),
        _when(
            engine,
            lambda r: (
                isinstance(r, SignalRecord) and _of(instrument, r.signal.instrument)
            ),
        ),
    )


def on_fill(engine: Run, instrument: str | None = None) -> Goal:
    """Go until an order fills, wholly or in part."""
    return Goal(
        _named("next fill", instrument),
        _when(
            engine,
            lambda r: isinstance(r, FillRecord) and _of(instrument, r.fill.instrument),
        ),
    )


def on_state(engine: Run, instrument: str, strategy: str | None = None) -> Goal:
    """Go until a row of this instrument moves in its machine."""
    return Goal(
        f"state of {instrument}",
        _when(
            engine,
            lambda r: (
                isinstance(r, StateRecord)
                and r.before is not r.after
                and r.instrument == instrument
                and strategy in (None, r.strategy)
            ),
        ),
    )


def on_error(engine: Run) -> Goal:
    """Go until a script fails, a task or feed fails, or an order is refused."""
    return Goal("next error", _when(engine, _is_error))


def _is_error(record: Record) -> bool:
    if isinstance(record, FaultRecord):
        return True
    if isinstance(record, TaskRecord):
        return record.after == "failed"
    if isinstance(record, FeedRecord):
        return record.what == "failed"
    if isinstance(record, OrderRecord):
        return record.order.status in (OrderStatus.REJECTED, OrderStatus.UNKNOWN)
    return False


def on_text(engine: Run, text: str, scales: Scales | None = None) -> Goal:
    """Go until a line of the log contains ``text``, whatever its case."""
    wanted = text.lower()
    known = scales or {}
    return Goal(
        f"“{text}” in the log",
        _when(engine, lambda r: wanted in log_line(r, known).plain.lower()),
    )


def on_time(ts: int) -> Goal:
    """Go until the run's clock is at ``ts`` or later."""
    return Goal(f"{utc_clock(ts)} UTC", lambda run: run.clock.now() >= ts)


def crosses(
    price_of: Callable[[str], float | None],
    instrument: str,
    level: Decimal,
) -> Goal:
    """Go until the price is on the other side of ``level``, or exactly on it.

    While the price is not known, or where it starts on the level, the first price off
    the level decides which side it comes from.
    """
    bound = float(level)
    side = 0

    def reached(run: Run) -> bool:
        nonlocal side
        price = price_of(instrument)
        if price is None:
            return False
        now = (price > bound) - (price < bound)
        if side == 0:
            side = now
            return False
        return now != side

    reached_at = Goal(f"{instrument} at {level}", reached)
    start = price_of(instrument)
    if start is not None:
        side = (start > bound) - (start < bound)
    return reached_at


def moment_of(text: str, now_ns: int) -> int:
    """Return the moment of ``23:55``, ``23:55:10``, or an ISO time, after now.

    A time of day that has passed today means tomorrow. Raises ValueError that lists
    the allowed forms.
    """
    text = text.strip().removesuffix("Z").strip()
    today = datetime.fromtimestamp(now_ns // NS_PER_S, UTC)
    parts = text.split(":")
    try:
        if len(parts) in (2, 3) and all(part.isdecimal() for part in parts):
            hour, minute, second = (*(int(part) for part in parts), 0)[:3]
            moment = today.replace(hour=hour, minute=minute, second=second)
            if moment <= today:
                moment += timedelta(days=1)
        else:
            moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("use 23:55, 23:55:10 or 2024-08-08T23:55:10") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    ts = int(moment.timestamp()) * NS_PER_S
    if ts <= now_ns:
        raise ValueError(f"it is {utc_clock(now_ns)} UTC already")
    return ts
