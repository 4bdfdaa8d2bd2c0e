"""True range: how far price went in a bar, the gap from the last close included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.indicators.definition import Indicator, Pane
from workstation.indicators.stream import Bar, State, Stream, check_state, is_sound

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats


class TrueRange(Stream):
    """Stream the true range."""

    __slots__ = ("_previous", "_started")

    def __init__(self) -> None:
        self.rejected = 0
        self._started = False
        self._previous = 0.0

    def update(self, bar: Bar) -> tuple[float] | None:
        """Take one bar and return its range; None for the first."""
        if not is_sound(bar):
            self.rejected += 1
            return None
        previous, started = self._previous, self._started
        self._previous, self._started = bar.close, True
        return (span(bar.high, bar.low, previous),) if started else None

    def state(self) -> State:
        """Return (started, last close)."""
        return (int(self._started), self._previous)

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        check_state(self, state, lambda s: s[0] in (0, 1))
        self._started, self._previous = bool(state[0]), float(state[1])


def span(high: float, low: float, previous: float) -> float:
    """Return the true range of a bar after a close at ``previous``."""
    widest = high - low
    rise, fall = high - previous, previous - low
    if rise > widest:
        widest = rise
    return fall if fall > widest else widest


def _batch(high: Floats, low: Floats, close: Floats) -> tuple[Floats]:
    from workstation.indicators.arrays import ranges

    return (ranges.true_range(high, low, close),)


INDICATOR = Indicator(
    name="true_range",
    title="True range",
    rule="the greatest of high − low, high − last close and last close − low",
    params=(),
    inputs=("high", "low", "close"),
    outputs=("true_range",),
    pane=Pane.OWN,
    first=lambda: 1,
    kernel=_batch,
    twin=TrueRange,
)
