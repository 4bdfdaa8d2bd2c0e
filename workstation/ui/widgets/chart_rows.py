"""How a chart's lines are shared: the price, panes of indicators, a note, the times.

Pure. The price comes first: panes that would leave it too little are not shown, and the
note says which.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ChartRows", "share_rows"]

_LEAST_PRICE = 7
# Fewer rows of candles say nothing.
_LEAST_BODY = 2
_MOST_BODY = 8


@dataclass(frozen=True, slots=True)
class ChartRows:
    """Rows of the price and of each pane's body; a pane also has a title row."""

    price: int
    panes: int
    body: int
    note: int

    def price_row(self, y: int) -> int | None:
        """Return the row of the price that line ``y`` is, None elsewhere."""
        return y if 0 <= y < self.price else None


def share_rows(rows: int, panes: int, *, note: bool) -> ChartRows:
    """Share ``rows`` lines between price, ``panes`` wanted, note and times."""
    # The last line is for the times.
    free = rows - 1
    noted = 1 if note and free > _LEAST_PRICE else 0
    fitting = _fitting(free - noted)
    if fitting < panes and free > _LEAST_PRICE:
        noted = 1
        fitting = _fitting(free - noted)
    shown = min(panes, fitting)
    left = free - noted - shown
    body = min(_MOST_BODY, max(_LEAST_BODY, left // (shown + 3)))
    return ChartRows(left - shown * body, shown, body, noted)


def _fitting(rows: int) -> int:
    return max(0, (rows - _LEAST_PRICE) // (_LEAST_BODY + 1))
