"""What a script draws: short named series of one row, a value per bar.

``market.plot`` fills them, the chart reads them. They decide nothing and are no part of
the state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

__all__ = ["Plots"]

_NAMES_KEPT = 16
_POINTS_KEPT = 1_000


class Plots:
    """Named series of (open time of the bar in ns, value), oldest first."""

    def __init__(self) -> None:
        self._series: dict[str, deque[tuple[int, float]]] = {}

    def add(self, name: str, ts_open: int, value: float) -> None:
        """Set the value of a bar; of more names than are kept the oldest goes."""
        series = self._series.get(name)
        if series is None:
            if len(self._series) >= _NAMES_KEPT:
                del self._series[next(iter(self._series))]
            series = self._series[name] = deque(maxlen=_POINTS_KEPT)
        if series and series[-1][0] == ts_open:
            series[-1] = (ts_open, value)
        else:
            series.append((ts_open, value))

    def series(self) -> Mapping[str, tuple[tuple[int, float], ...]]:
        """Return every series by its name."""
        return {name: tuple(points) for name, points in self._series.items()}
