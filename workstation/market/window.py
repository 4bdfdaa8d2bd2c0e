"""The window of closed bars of one instrument and timeframe.

Written by the Aggregator alone, read by strategies (scalars) and by the screen and
batch indicators (columns, from any thread). Rows are appended to numpy buffers and
never rewritten: a view handed out stays true for ever.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from math import fsum
from typing import TYPE_CHECKING, Any

from workstation.model.market import Bar
from workstation.model.timeframes import Timeframe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    # Prices are float64, times and counts int64.
    Column = NDArray[np.float64] | NDArray[np.int64]

__all__ = ["COLUMNS", "BarWindow"]

COLUMNS = (
    "ts_open",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "turnover",
    "trades",
)
"""Columns in their order; ``ts_open`` (ns) and ``trades`` are integers."""

_WHOLE = ("ts_open", "trades")

_FIRST_ROWS = 64
"""Rows of the first buffer: a thousand symbols need not pay for windows not filled."""


class BarWindow:
    """Keep the last ``size`` closed bars; implements ``model.ports.BarsView``."""

    __slots__ = (
        "_bars",
        "_cells",
        "_memo",
        "_rows",
        "size",
        "tape",
        "timeframe",
        "total",
    )

    def __init__(self, timeframe: Timeframe, size: int) -> None:
        self.timeframe = timeframe
        self.size = size
        self.total = 0
        self.tape = 0
        self._bars: deque[Bar] = deque(maxlen=size)
        # Extremes asked for since the last bar: scripts ask again on every tick.
        self._memo: dict[tuple[str, int, int], float | None] = {}
        # Buffers and rows filled, swapped as one so that readers in other threads
        # never see a new count with an old buffer. Any: numpy is imported late, and
        # a column's type depends on its name. The cells are the same memory: writing
        # a number to an array costs a third of writing it through numpy.
        self._cells, buffers = _buffers(min(_FIRST_ROWS, 2 * size))
        self._rows: tuple[dict[str, Any], int] = (buffers, 0)

    def append(self, bar: Bar) -> None:
        """Take a closed bar."""
        buffers, end = self._rows
        times, opens, highs, lows, closes, volumes, turnovers, counts = self._cells
        capacity = len(times)
        if end == capacity:
            kept = end if capacity < 2 * self.size else self.size
            self._cells, fresh = _buffers(min(2 * capacity, 2 * self.size))
            for name, column in buffers.items():
                fresh[name][:kept] = column[end - kept :]
            buffers, end = fresh, kept
            times, opens, highs, lows, closes, volumes, turnovers, counts = self._cells
        times[end] = bar.ts_open
        opens[end] = bar.open
        highs[end] = bar.high
        lows[end] = bar.low
        closes[end] = bar.close
        volumes[end] = bar.volume
        turnovers[end] = bar.turnover
        counts[end] = bar.trades
        self._rows = (buffers, end + 1)
        self._bars.append(bar)
        self._memo.clear()
        self.total += 1
        self.tape = hash(
            (
                self.tape,
                bar.ts_open,
                bar.open,
                bar.high,
                bar.low,
                bar.close,
                bar.volume,
                bar.turnover,
                bar.trades,
            )
        )

    def __len__(self) -> int:
        return len(self._bars)

    def __iter__(self) -> Iterator[Bar]:
        """Iterate over the kept bars, oldest first."""
        return iter(self._bars)

    def bar(self, back: int = 0) -> Bar:
        """Return the bar ``back`` bars ago; IndexError where it is not kept."""
        if back < 0:
            raise IndexError(f"back = {back} would be the future; it starts at 0")
        return self._bars[-1 - back]

    def close(self, back: int = 0) -> float:
        """Return the close ``back`` bars ago (0 = the last closed)."""
        return self.bar(back).close

    def high(self, back: int = 0) -> float:
        """Return the high ``back`` bars ago."""
        return self.bar(back).high

    def low(self, back: int = 0) -> float:
        """Return the low ``back`` bars ago."""
        return self.bar(back).low

    def open(self, back: int = 0) -> float:
        """Return the open ``back`` bars ago."""
        return self.bar(back).open

    def volume(self, back: int = 0) -> float:
        """Return the volume ``back`` bars ago."""
        return self.bar(back).volume

    def ts_open(self, back: int = 0) -> int:
        """Return the open time ``back`` bars ago, ns."""
        return self.bar(back).ts_open

    def highest(self, n: int, back: int = 0) -> float | None:
        """Return the highest high of n bars ending ``back`` bars ago."""
        return self._over("high", n, back, max)

    def lowest(self, n: int, back: int = 0) -> float | None:
        """Return the lowest low of n bars ending ``back`` bars ago."""
        return self._over("low", n, back, min)

    def average_volume(self, n: int, back: int = 0) -> float | None:
        """Return the mean volume of n bars ending ``back`` bars ago."""
        # fsum is exact, so the order of summation decides nothing.
        return self._over("volume", n, back, lambda values: fsum(values) / n)

    def column(self, name: str, n: int | None = None) -> Column:
        """Return a read-only view of the last ``n`` rows (all kept), oldest first.

        Costs no copy and stays as it is, whatever is appended later.
        """
        buffers, end = self._rows
        count = self.size if n is None else min(n, self.size)
        view: Column = _view(buffers[name], end, count)
        return view

    def columns(self, n: int | None = None) -> Mapping[str, Column]:
        """Return ``column`` of every name at one moment, of equal lengths."""
        buffers, end = self._rows
        count = self.size if n is None else min(n, self.size)
        return {name: _view(buffers[name], end, count) for name in COLUMNS}

    def digest(self) -> tuple[object, ...]:
        """Return the state for the state hash: a digest over every bar so far."""
        return (self.timeframe, self.total, self.tape)

    def _over(
        self,
        name: str,
        n: int,
        back: int,
        reduce: Callable[[list[float]], float],
    ) -> float | None:
        key = (name, n, back)
        try:
            return self._memo[key]
        except KeyError:
            pass
        result = None
        if n > 0 and back >= 0 and n + back <= len(self._bars):
            buffers, end = self._rows
            stop = end - back
            result = reduce(buffers[name][stop - n : stop].tolist())
        self._memo[key] = result
        return result


def _buffers(rows: int) -> tuple[tuple[array[Any], ...], dict[str, Any]]:
    """Return a buffer per column, as arrays to write to and as numpy to read."""
    # Imported here: listings and checks of a config need no numpy.
    import numpy as np

    cells = tuple(array("q" if c in _WHOLE else "d", bytes(8 * rows)) for c in COLUMNS)
    columns = {
        name: np.frombuffer(cell, np.int64 if name in _WHOLE else np.float64)
        for name, cell in zip(COLUMNS, cells, strict=True)
    }
    return cells, columns


def _view(buffer: Any, end: int, count: int) -> Any:
    view = buffer[max(0, end - count) : end]
    view.flags.writeable = False
    return view
