"""The tape: one line for each trade, the newest on top, laid out when painted.

A tail log with columns under a head: it follows, holds, filters and finds as the log
does. Columns only ever grow, so a longer price does not make the lines dance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.strip import Strip

from workstation.ui.typeset import fit, number, price, quantity, utc_time, width
from workstation.ui.widgets.inks import TEXT_INKS, Part, component_css
from workstation.ui.widgets.log_ring import LogLine
from workstation.ui.widgets.tail_log import TailLog

__all__ = ["BIG", "TapeLine", "TradeTape", "lost_line", "trade_line"]

BIG = 5.0
"""A trade of so many mean sizes is big: two or three in a hundred where sizes are
spread as they usually are (exponentially or wider)."""

_FULL_BAR = 2 * BIG
_BAR_CELLS = 24
_WIDE, _NARROW = 64, 38
_SIDES = {1: ("buy", "up"), -1: ("sell", "down"), 0: ("·", "dim")}
_BARS = frozenset({"bid-bar", "ask-bar"})
_BAR_INKS = {1: "bid-bar", -1: "ask-bar", 0: "dim"}


@dataclass(frozen=True, slots=True)
class TapeLine(LogLine):
    """One trade; ``times`` is its size in mean sizes, None = the mean is not known."""

    ts: int = 0
    price: str = ""
    size: str = ""
    side: int = 0
    times: float | None = None
    value: str = ""
    own: bool = False

    @property
    def big(self) -> bool:
        """Whether it stands out of the window's trades."""
        return self.times is not None and self.times >= BIG


def trade_line(
    ts: int,
    at: float,
    size: float,
    side: int,
    *,
    decimals: int,
    size_decimals: int,
    mean: float | None = None,
    own: bool = False,
    key: str = "",
) -> TapeLine:
    """Return the line of a trade; ``own`` fills have no place among the big ones."""
    times = size / mean if mean and not own else None
    worth = at * (mean or size)
    big = times is not None and times >= BIG
    texts = price(at, decimals), quantity(size, size_decimals)
    words = [utc_time(ts, 3), *texts, _SIDES[side][0]]
    words += ["mine"] if own else [f"×{times:.0f} big"] if big else []
    return TapeLine(
        seq=0,
        kind="mine" if own else _SIDES[side][0],
        parts=(),
        plain=" ".join(words),
        key=key,
        ts=ts,
        price=texts[0],
        size=texts[1],
        side=side,
        times=times,
        # As the usual trade is written, so that the column keeps its point.
        value=number(at * size, 0 if worth >= 100 else 2 if worth >= 1 else 6),
        own=own,
    )


def lost_line(count: int) -> TapeLine:
    """Return the line for trades that came faster than frames could bring them."""
    text = f"{count:,} more came too fast to be shown"
    return TapeLine(seq=0, kind="lost", parts=((f" {text}", "dim"),), plain=text)


class TradeTape(TailLog):
    """Trades, the newest first."""

    HEAD_ROWS: ClassVar[int] = 1
    INKS = TEXT_INKS | _BARS
    DEFAULT_CSS = component_css("TradeTape", _BARS)

    def __init__(self, *, empty: Sequence[str] = ("No trade yet.",)) -> None:
        super().__init__(empty=empty[0])
        self._empty_lines = tuple(empty)
        self._price_cells = len("PRICE")
        self._size_cells = len("SIZE")
        self._value_cells = len("VALUE")

    def set_empty(self, lines: Sequence[str]) -> None:
        """Say what would fill it."""
        if tuple(lines) != self._empty_lines:
            self._empty_lines = tuple(lines)
            self.redraw()

    def empty_lines(self) -> Sequence[Part]:
        """Return what would fill it."""
        return [(t, "" if not n else "dim") for n, t in enumerate(self._empty_lines)]

    def extend(self, lines: Iterable[LogLine]) -> None:
        """Add trades, oldest first, widening the columns where they must."""
        lines = list(lines)
        cells = (self._price_cells, self._size_cells, self._value_cells)
        for line in lines:
            if isinstance(line, TapeLine):
                self._price_cells = max(self._price_cells, width(line.price))
                self._size_cells = max(self._size_cells, width(line.size))
                self._value_cells = max(self._value_cells, width(line.value))
        if cells != (self._price_cells, self._size_cells, self._value_cells):
            self._strips.clear()
        super().extend(lines)

    def clear(self) -> None:
        """Forget all, for another symbol."""
        self._price_cells, self._size_cells = len("PRICE"), len("SIZE")
        self._value_cells = len("VALUE")
        super().clear()

    def head(self, cells: int) -> Sequence[Strip]:
        """Draw the names of the columns."""
        time = 8 if cells < _NARROW else 12
        parts = [
            (" " + fit("TIME", time), "head"),
            ("  " + fit("PRICE", self._price_cells, "right"), "head"),
            ("  " + fit("SIZE", self._size_cells, "right"), "head"),
            (" SIDE" if cells >= _WIDE else "", "head"),
            ("  " + fit("VALUE", self._value_cells, "right"), "head")
            if cells >= _WIDE
            else ("", ""),
            ("  ×MEAN", "head") if cells >= _WIDE else ("", ""),
        ]
        return [self.strip(parts, cells)]

    def parts_of(self, line: LogLine, cells: int) -> Sequence[Part]:
        """Lay a trade out; wide ones have words, values and a bar of their size."""
        if not isinstance(line, TapeLine) or line.kind == "lost":
            return line.parts
        wide, narrow = cells >= _WIDE, cells < _NARROW
        side, ink = _SIDES[line.side]
        strong = "strong" if line.big or line.own else ""
        if strong:
            ink += " bold"
        parts: list[Part] = [
            (self.glyphs.own if line.own else " ", "strong"),
            (utc_time(line.ts, 0 if narrow else 3), "dim"),
            ("  " + fit(line.price, self._price_cells, "right"), ink),
            ("  " + fit(line.size, self._size_cells, "right"), strong),
            (" " + (fit(side, 4) if wide else side[0].upper()), ink),
        ]
        if wide:
            value = fit(line.value, self._value_cells, "right")
            parts.append(("  " + value, strong or "dim"))
        if line.own:
            parts.append(("   mine" if wide else " me", "strong"))
        elif line.big or (wide and line.times is not None):
            times = f"×{line.times:.0f}" if line.big else f"×{line.times:.1f}"
            parts.append(
                (fit(times, 7, "right") if wide else f" {times}", strong or "dim")
            )
            if wide:
                share = min(1.0, (line.times or 0.0) / _FULL_BAR)
                parts.append(
                    ("  " + self.glyphs.bar(share, _BAR_CELLS), _BAR_INKS[line.side])
                )
        return parts
