"""The processors' figures: one row for each symbol, one column for each figure.

The columns are whatever the run's chain of processors gives, also a user's own. What
there is no room for is in the detail of a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.panels.base import Choice
from workstation.ui.panels.table import Form, Item, Key, TablePanel
from workstation.ui.typeset import number, plain, width
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import FigureHead, FigureRow, FigureTable, Frame
    from workstation.ui.log_parts import Scales

__all__ = ["FiguresPanel", "figure_text"]

_HEADS = {
    "imbalance": "IMBALANCE",
    "volatility_bps": "VOL bp/√s",
    "vol_uncertainty_bps": "± VOL",
    "adverse_selection": "ADVERSE bp",
    "ofi": "FLOW",
    "weighted_imbalance": "WEIGHTED",
    "realised_volatility_bps": "REALISED",
    "adverse_bid": "ADV BID bp",
    "adverse_ask": "ADV ASK bp",
    "jump_z": "JUMP z",
    "noise_bps": "NOISE bp",
    "adverse_fills": "ADV FILLS",
}
"""Short heads of the shipped figures, the first ones first."""
_LONGEST_HEAD = 14
_SIGNED = frozenset({"imbalance", "weighted_imbalance", "ofi"})
_SYMBOL = Column("symbol", "SYMBOL", 9)


class FiguresPanel(TablePanel):
    """One row for each symbol."""

    panel_id = "figures"
    title = "Figures"
    needs = frozenset({"figures"})
    empty = (
        "No figures.",
        "processors in [pipeline] of the config give some.",
    )
    forms = (Form("all", 0, (_SYMBOL,)),)

    def __init__(self, scales: Scales, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)
        self._shown: FigureTable | None = None
        self._state: tuple[object, ...] = ()
        self._places: tuple[int, ...] = ()
        self._columns: tuple[Column, ...] = (_SYMBOL,)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The symbol and the figures of the run."""
        return self._columns

    def apply(self, frame: Frame) -> None:
        """Show the figures of a frame, if any has changed."""
        shown = frame.figures
        if shown is None:
            return
        state = (self._sort, self.filter_text)
        if shown is self._shown and state == self._state:
            return
        before, self._shown, self._state = self._shown, shown, state
        if before is None or before.heads != shown.heads:
            self._take_heads(shown.heads)
        rows = shown.rows if shown.heads else ()
        self.set_items([self._item(row, shown.heads) for row in rows], frame.ts)
        self.set_title(self.title_parts(len(rows)), "enter all of a symbol")

    def _take_heads(self, heads: tuple[FigureHead, ...]) -> None:
        """Make a column for each figure; those least looked at go first."""
        known = list(_HEADS)
        names = [head.name for head in heads]

        def rank(place: int) -> tuple[int, int]:
            name = names[place]
            return (known.index(name) if name in known else len(known), place)

        self._places = tuple(sorted(range(len(names)), key=rank))
        longest = max([_SYMBOL.width, *map(len, self.scales)])
        made = [Column("symbol", "SYMBOL", min(longest, 18))]
        for order, place in enumerate(self._places):
            head = heads[place]
            title = _HEADS.get(head.name, head.name.upper())[:_LONGEST_HEAD]
            room = max(width(title), 12 if head.unit == "price" else 7)
            made.append(Column(head.name, title, room, "right", priority=order))
        self._columns = tuple(made)
        self.refit()

    def export_rows(self) -> list[list[str]]:
        """Return the figures by their own names, at full precision."""
        head, *rows = super().export_rows()
        return [[head[0], *[column.key for column in self.columns[1:]]], *rows]

    def _item(self, row: FigureRow, heads: tuple[FigureHead, ...]) -> Item:
        cells: list[Cell] = [row.instrument]
        keys: list[Key] = [row.instrument]
        exact: dict[str, str] = {}
        for place in self._places:
            value = row.values[place]
            cells.append(figure_text(heads[place], value, row.decimals))
            keys.append(value)
            exact[heads[place].name] = plain(value)
        return Item(
            Row(row.instrument, hash((row.values, len(heads))), cells),
            Choice(row.instrument, figures=True),
            keys,
            exact,
        )


def figure_text(head: FigureHead, value: float | None, decimals: int) -> str:
    """Write a figure with the digits its unit deserves, a sign where that tells."""
    if head.unit == "price":
        return number(value, decimals + 2)
    digits = 0 if head.unit == "fills" else 2
    return number(value, digits, sign=head.name in _SIGNED)
