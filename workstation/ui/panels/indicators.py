"""The running indicators: all outputs at the last bar, the change, a trail of bars.

One row for each symbol, timeframe, indicator and set of parameters. Cells are made for
rows that are seen, and only when a bar has closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING

from workstation.ui.panels.base import Choice
from workstation.ui.panels.table import Form, Item, Key, TablePanel
from workstation.ui.typeset import number, plain
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell, Lazy

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, IndicatorRow
    from workstation.ui.log_parts import Scales

__all__ = ["IndicatorsPanel"]

_TRAIL = 24
_SHORT_TRAIL = 15
_OTHERS = Column("others", "OTHER OUTPUTS", 16, gap=2, flex=True, priority=3)
_COLUMNS = (
    Column("symbol", "SYMBOL", 9),
    Column("timeframe", "TF", 4),
    Column("name", "INDICATOR", 16),
    Column("value", "VALUE", 12, "right"),
    Column("change", "CHANGE", 11, "right", priority=2),
    Column("trail", "LAST 24 BARS", _TRAIL, gap=2, priority=1),
    _OTHERS,
)
_NARROW = (
    Column("symbol", "SYMBOL", 9),
    Column("timeframe", "TF", 3),
    Column("name", "INDICATOR", 12),
    Column("value", "VALUE", 11, "right"),
    Column("way", "", 1),
    Column("trail", "LAST BARS", _SHORT_TRAIL, gap=2, priority=1),
    _OTHERS,
)
_WIDE_FROM = 100
_LONGEST_SYMBOL = 18


class IndicatorsPanel(TablePanel):
    """One row for each running indicator."""

    panel_id = "indicators"
    title = "Indicators"
    needs = frozenset({"indicators"})
    empty = (
        "No indicators are running.",
        "A script's first call starts those it asks for.",
    )
    forms = (Form("wide", _WIDE_FROM, _COLUMNS), Form("narrow", 0, _NARROW))

    def __init__(self, scales: Scales, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)
        self._shown: tuple[IndicatorRow, ...] | None = None
        self._state: tuple[object, ...] = ()
        self._form = ""
        self._made: dict[str, tuple[IndicatorRow, Item]] = {}

    @property
    def columns(self) -> tuple[Column, ...]:
        """The form's columns, with room for the longest symbol."""
        symbol, *rest = super().columns
        longest = max(map(len, self.scales), default=0)
        room = max(symbol.width, min(longest, _LONGEST_SYMBOL))
        return (Column(symbol.key, symbol.title, room), *rest)

    def apply(self, frame: Frame) -> None:
        """Show the indicators of a frame, if a bar has closed since the last."""
        shown = frame.indicators
        if shown is None:
            return
        glyphs = self.table.glyphs.name
        state = (self._sort, self.form.name, self.filter_text, glyphs)
        if shown is self._shown and state == self._state:
            return
        self._shown, self._state = shown, state
        items = self._all_items(shown)
        self.set_items(items, frame.ts)
        warming = sum(row.values is None and row.bars < row.needed for row in shown)
        info = f"{warming} warming" if warming else ""
        self.set_title(self.title_parts(len(items)), info)

    def _all_items(self, shown: Sequence[IndicatorRow]) -> list[Item]:
        wide = self.form.name == "wide"
        form = f"{self.form.name}/{self.table.glyphs.name}"
        if form != self._form:
            self._form = form
            self._made.clear()
        made = self._made
        items = []
        for row in shown:
            known = made.get(row.key)
            if known is None or known[0] is not row:
                known = made[row.key] = (row, self._item(row, wide))
            items.append(known[1])
        return items

    def _item(self, row: IndicatorRow, wide: bool) -> Item:
        return Item(
            Row(
                row.key,
                hash((row.bars, row.values, self._form)),
                Lazy(partial(self._cells, row, wide)),
            ),
            Choice(row.instrument),
            Lazy(partial(_keys, row)),
            _Exact(row),
        )

    def _cells(self, row: IndicatorRow, wide: bool) -> list[Cell]:
        digits = row.decimals
        value = _value(row, 0)
        change = _change(row)
        if change is None or change == 0:
            way: Cell = ""
        else:
            way = ("▲", "up") if change > 0 else ("▼", "down")
        if wide:
            ink = "dim" if way == "" else "up" if (change or 0) > 0 else "down"
            way = (number(change, digits, sign=True), ink)
        trail: Cell = (self._trail(row, _TRAIL if wide else _SHORT_TRAIL), "dim")
        if row.values is None and row.bars < row.needed:
            trail = (f"warming {row.bars}/{row.needed}", "warn")
        others = "  ".join(
            f"{name} {number(_value(row, place), digits)}"
            for place, name in enumerate(row.outputs)
            if place
        )
        return [
            row.instrument,
            (row.timeframe, "dim"),
            f"{row.name} {row.params}".strip(),
            number(value, digits),
            way,
            trail,
            (others, ""),
        ]

    def _trail(self, row: IndicatorRow, bars: int) -> str:
        trail = row.trail[-min(bars, row.bars) :] if row.bars else ()
        return self.table.glyphs.trail(trail)


class _Exact(Mapping[str, str]):
    """What is copied and exported of a row, worked out when it is asked for."""

    __slots__ = ("_row",)

    def __init__(self, row: IndicatorRow) -> None:
        self._row = row

    def __getitem__(self, key: str) -> str:
        row = self._row
        if key == "value":
            return plain(_value(row, 0))
        if key in ("change", "way"):
            return plain(_change(row))
        if key == "trail":
            bars = row.trail[-row.bars :] if row.bars else ()
            return " ".join(plain(each) for each in bars if isfinite(each))
        if key == "others":
            pairs = enumerate(row.outputs)
            return " ".join(f"{o}={plain(_value(row, n))}" for n, o in pairs if n)
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(("value", "change", "way", "trail", "others"))

    def __len__(self) -> int:
        return 5


def _value(row: IndicatorRow, place: int) -> float | None:
    if row.values is None or not isfinite(row.values[place]):
        return None
    return row.values[place]


def _change(row: IndicatorRow) -> float | None:
    value = _value(row, 0)
    if value is None or row.before is None or not isfinite(row.before[0]):
        return None
    return value - row.before[0]


def _keys(row: IndicatorRow) -> list[Key]:
    value, change = _value(row, 0), _change(row)
    texts: list[Key] = [row.instrument, row.timeframe, f"{row.name} {row.params}"]
    return [*texts, value, change, None, None]
