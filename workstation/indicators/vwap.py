"""Volume-weighted average price: Σ TP·V / Σ V since the session began.

A bar says which session it is of: by its ``session`` (any number that changes when a
session does), else by ``ts_open`` (ns) and the minute of the UTC day at which sessions
begin; a bar with neither is of the same session as the one before. Both sums keep the
rounding they lose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.indicators.definition import Indicator, Pane
from workstation.indicators.parameters import Choice, Param
from workstation.indicators.stream import Bar, State, Stream, check_state, is_sound

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats, Row

SESSION = "session"
NONE = "none"

MINUTE_NS = 60_000_000_000
DAY_NS = 1440 * MINUTE_NS


class Vwap(Stream):
    """Stream the average price by volume."""

    # _worth is Σ TP·V and _volume Σ V; the lost parts are what rounding took of them.
    __slots__ = (
        "_anchored",
        "_session",
        "_start_ns",
        "_volume",
        "_volume_lost",
        "_worth",
        "_worth_lost",
    )

    def __init__(self, anchor: str = SESSION, session_start: int = 0) -> None:
        self.rejected = 0
        self._anchored = anchor == SESSION
        self._start_ns = session_start * MINUTE_NS
        self._session: float = 0
        self._begin()

    def _begin(self) -> None:
        self._worth = self._worth_lost = 0.0
        self._volume = self._volume_lost = 0.0

    def update(self, bar: Bar) -> tuple[float] | None:
        """Take one bar and return the average, or None before any volume."""
        session = self._session_of(bar)
        if not (is_sound(bar) and -1e100 < session < 1e100):
            self.rejected += 1
            return None
        if session != self._session and self._anchored:
            self._begin()
        self._session = session
        volume = bar.volume
        if volume:
            worth = (bar.high + bar.low + bar.close) / 3.0 * volume
            before = self._worth
            self._worth = total = before + worth
            added = total - before
            self._worth_lost += (before - (total - added)) + (worth - added)
            before = self._volume
            self._volume = total = before + volume
            added = total - before
            self._volume_lost += (before - (total - added)) + (volume - added)
        traded = self._volume + self._volume_lost
        return ((self._worth + self._worth_lost) / traded,) if traded > 0.0 else None

    def _session_of(self, bar: Bar) -> float:
        session: float | None = getattr(bar, "session", None)
        if session is not None:
            return session
        opened: int | None = getattr(bar, "ts_open", None)
        if opened is None:
            return self._session
        return (opened - self._start_ns) // DAY_NS

    def state(self) -> State:
        """Return (session, Σ TP·V, what it lost, Σ V, what it lost)."""
        return (
            self._session,
            self._worth,
            self._worth_lost,
            self._volume,
            self._volume_lost,
        )

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        check_state(self, state, lambda s: s[3] >= 0.0)
        self._session = state[0]
        self._worth, self._worth_lost = float(state[1]), float(state[2])
        self._volume, self._volume_lost = float(state[3]), float(state[4])


def _batch(
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
    session: Row | None,
    ts_open: Row | None,
    *,
    anchor: str,
    session_start: int,
) -> tuple[Floats]:
    import numpy as np

    from workstation.indicators.arrays import ranges, totals

    starts = None
    if session is None and ts_open is not None:
        session = (ts_open - session_start * MINUTE_NS) // DAY_NS
    if session is not None and anchor == SESSION:
        starts = np.zeros(len(close), dtype=np.bool_)
        starts[1:] = session[1:] != session[:-1]
    return (totals.vwap(ranges.typical_price(high, low, close), volume, starts),)


INDICATOR = Indicator(
    name="vwap",
    title="Volume-weighted average price",
    rule="Σ of (high + low + close)/3 · volume over Σ of volume since the session"
    " began; a column or field `session` tells which it is, else the UTC day of"
    " `ts_open`; no value before there is volume",
    params=(
        Choice(
            "anchor",
            SESSION,
            (SESSION, NONE),
            f"where the sums begin: with each session, or with the first bar ({NONE})",
        ),
        Param(
            "session_start",
            0,
            0,
            1439,
            "minute of the UTC day at which a session begins, where `ts_open` tells it",
        ),
    ),
    inputs=("high", "low", "close", "volume"),
    optional=("session", "ts_open"),
    outputs=("vwap",),
    pane=Pane.PRICE,
    first=lambda anchor, session_start: 0,
    kernel=_batch,
    twin=Vwap,
)
