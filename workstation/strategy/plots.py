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

    __slots__ = ("_series",)

    def __init__(self) -> None:
        # Made with the first point: most rows plot nothing.
        self._series: dict[str, deque[tuple[int, float]]] | None = None

    def add(self, name: str, ts_open: int, value: float) -> None:
        """Set the value of a bar; of more names than are kept the oldest goes."""
        kept = self._series
        if kept is None:
            kept = self._series = {}
        series = kept.get(name)
        if series is None:
            if len(kept) >= _NAMES_KEPT:
                del kept[next(iter(kept))]
            series = kept[name] = deque(maxlen=_POINTS_KEPT)
        if series and series[-1][0] == ts_open:
            series[-1] = (ts_open, value)
        else:
            series.append((ts_open, value))

    def series(self) -> Mapping[str, tuple[tuple[int, float], ...]]:
        """Return every series by its name."""
        kept = self._series or {}
        return {name: tuple(points) for name, points in kept.items()}
