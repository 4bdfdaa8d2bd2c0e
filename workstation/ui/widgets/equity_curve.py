"""The equity curve over time, with the drawdown below it, both with their axes.

One column for each span of time, as wide as it takes to show the whole run. Lines are
drawn in quarters of a cell, as the chart's indicators are; where equity moved further
within a span a bar joins its lowest and its highest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip

from workstation.ui.typeset import number, utc_clock, utc_time, width
from workstation.ui.widgets.candle_grid import FINE
from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.inks import CHART_INKS, Part, component_css
from workstation.ui.widgets.price_axis import KeptRange, PriceAxis, price_ticks

__all__ = ["CurveColumn", "EquityCurveChart", "columns_of"]

_DAY_NS = 86_400 * 1_000_000_000
_LEAST_ROWS = 3
"""A lane of fewer rows says nothing; the drawdown goes first."""
_LEAST_CELLS = 12

Point = tuple[int, float, float, float]
"""When, lowest, highest and last equity of a span."""
Move = tuple[int, float]
"""When money came in or went out by no fill, and how much."""


@dataclass(frozen=True, slots=True)
class CurveColumn:
    """Equity of one column, and how far below its peak it went, ≤ 0."""

    low: float
    high: float
    last: float
    below: float


def columns_of(
    points: Sequence[Point],
    now_ns: int,
    initial: float,
    cells: int,
    moves: Sequence[Move] = (),
) -> list[CurveColumn]:
    """Return one column for each cell from the first point to now.

    Where nothing was sampled the line goes on level: nothing was held then. Peaks go
    along with ``moves``, all of which ``initial`` has in: what is put in or taken out
    is neither profit nor loss.
    """
    if not points or cells < 1:
        return []
    first = points[0][0]
    span = max(1, now_ns - first + 1)
    found: list[CurveColumn] = []
    at, last = 0, points[0][3]
    # The money put in is the first peak.
    peak, moved = initial - sum(amount for _, amount in moves), 0
    for cell in range(cells):
        end = first + span * (cell + 1) // cells
        low = high = last
        below = min(0.0, last - peak) if at else 0.0
        while at < len(points) and points[at][0] < end:
            ts, lowest, highest, last = points[at]
            low, high = min(low, lowest), max(high, highest)
            before = moved
            while moved < len(moves) and moves[moved][0] <= ts:
                peak += moves[moved][1]
                moved += 1
            if moved != before:
                # Its extremes may be of either side of the move; its end is not.
                lowest = highest = last
            # The lowest may have come before the highest: the old peak counts for it.
            below = min(below, lowest - peak)
            peak = max(peak, highest)
            at += 1
        found.append(CurveColumn(low, high, last, below))
    return found


class EquityCurveChart(Canvas, can_focus=True):
    """The curve in its upper lane, the drawdown in the lower one, times below."""

    ALLOW_MAXIMIZE = True
    INKS = CHART_INKS
    DEFAULT_CSS = f"""
    EquityCurveChart {{ width: 1fr; height: 1fr; }}
    {component_css("EquityCurveChart", CHART_INKS)}
    """

    def __init__(self, *, empty: Sequence[str] = (), id: str | None = None) -> None:
        super().__init__(id=id)
        self._empty = tuple(empty)
        self._points: Sequence[Point] = ()
        self._now_ns = 0
        self._initial = 0.0
        self._note: tuple[Part, ...] = ()
        self._moves: Sequence[Move] = ()
        self._range = KeptRange()

    def set_curve(
        self,
        points: Sequence[Point],
        now_ns: int,
        initial: float,
        note: Sequence[Part] = (),
        moves: Sequence[Move] = (),
    ) -> None:
        """Show this curve up to now; ``note`` stands above it.

        ``moves`` are what came in or went out by no fill, in their order.
        """
        self._points, self._now_ns, self._initial = points, now_ns, initial
        self._note = tuple(note)
        self._moves = moves
        self.redraw()

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw note, curve, drawdown and times."""
        if not self._points:
            lines = [
                [(text, "dim" if at else "")] for at, text in enumerate(self._empty)
            ]
            strips = [self.strip([(" ", ""), *line], cells) for line in lines[:rows]]
            return [*strips, *[self.strip([], cells)] * (rows - len(strips))]
        strips = [self.strip([(" ", ""), *self._note], cells)]
        left = rows - 2
        below = left // 3 if left // 3 >= _LEAST_ROWS - 1 and left >= 6 else 0
        above = left - below
        if above < 1 or cells < _LEAST_CELLS:
            return [*strips, *[self.strip([], cells)] * max(0, rows - 1)][:rows]
        # Labels are drawn first to learn how wide they are.
        rough = self._columns(cells)
        low, high = min(c.low for c in rough), max(c.high for c in rough)
        axis = PriceAxis(*self._range.fit(low, high), above)
        worst = min(c.below for c in rough)
        depth = PriceAxis(worst * 1.05 if worst < 0 else -1.0, 0.0, below)
        labels = _labels(axis) | {above + row: t for row, t in _labels(depth).items()}
        room = max((width(text) for text in labels.values()), default=0)
        plot = max(1, cells - room - 3)
        columns = self._columns(plot)
        lanes = [
            *_lane(axis, [(c.low, c.high, c.last) for c in columns], "accent"),
            *(
                _lane(depth, [(c.below, c.below, c.below) for c in columns], "down")
                if below
                else ()
            ),
        ]
        for row, lane in enumerate(lanes):
            text = labels.get(row, "")
            tick: Part = ("┤" if text else "│", "rule")
            strips.append(
                self.strip(
                    [(" ", ""), *lane, tick, (f" {text.rjust(room)}", "dim")], cells
                )
            )
        strips.append(self.strip([(" ", ""), *self._times(plot)], cells))
        return strips[:rows]

    def _columns(self, cells: int) -> list[CurveColumn]:
        return columns_of(self._points, self._now_ns, self._initial, cells, self._moves)

    def _times(self, cells: int) -> list[Part]:
        first = self._points[0][0]
        whole = self._now_ns - first >= _DAY_NS
        write = utc_clock if whole else utc_time
        begin, end = write(first), f"{write(self._now_ns)} UTC"
        gap = cells - width(begin) - width(end)
        if gap < 1:
            return [(end.rjust(cells), "dim")]
        return [(f"{begin}{' ' * gap}{end}", "dim")]

    def plain(self) -> list[list[str]]:
        """Return the points as rows of texts, after a head."""
        head = ["TIME", "LOWEST", "HIGHEST", "EQUITY"]
        return [
            head,
            *[
                [utc_clock(ts), *(repr(value) for value in values)]
                for ts, *values in self._points
            ],
        ]


def _labels(axis: PriceAxis) -> dict[int, str]:
    if axis.rows < 1:
        return {}
    ticks, decimals = price_ticks(axis)
    found: dict[int, str] = {}
    for tick in ticks:
        row = axis.row(tick)
        if 0 <= row < axis.rows:
            found[row] = number(tick, decimals)
    return found


def _lane(
    axis: PriceAxis, columns: Sequence[tuple[float, float, float]], ink: str
) -> list[list[Part]]:
    glyphs = [[" "] * len(columns) for _ in range(axis.rows)]
    before: int | None = None
    for column, (low, high, last) in enumerate(columns):
        quarter = min(max(axis.quarter(last), 0), 4 * axis.rows - 1)
        row = quarter // 4
        top = min(row, max(0, axis.row(high)))
        bottom = max(row, min(axis.rows - 1, axis.row(low)))
        if before is not None:
            # What jumped since the column before is joined to it.
            top, bottom = min(top, before + 1), max(bottom, before - 1)
        for between in range(top, bottom + 1):
            glyphs[between][column] = "│"
        glyphs[row][column] = FINE[quarter % 4]
        before = row
    return [[("".join(line), ink)] for line in glyphs]
