"""What was earned by strategy, by symbol, by day: sums of the same bookings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.execution.statements import Grouping
from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice
from workstation.ui.panels.cells import signed
from workstation.ui.panels.table import Form, Item, Key, TablePanel
from workstation.ui.typeset import money, number, plain
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.line_table import Column, Row

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, SumRow, SumTable
    from workstation.ui.log_parts import Scales

__all__ = ["SumsPanel"]

_WIDE = (
    Column("name", "STRATEGY", 12),
    Column("net", "NET", 9, "right"),
    Column("open", "OPEN", 9, "right", priority=1),
    Column("realized", "REALIZED", 9, "right", priority=3),
    Column("fees", "FEES", 8, "right", priority=2),
    Column("trades", "TRADES", 6, "right", priority=2),
    Column("won", "WON%", 4, "right", priority=4),
    Column("fills", "FILLS", 6, "right", priority=5),
    Column("turnover", "TURNOVER", 13, "right", priority=6),
)
_ORDER = tuple(Grouping)


class SumsPanel(TablePanel):
    """One line for each strategy, symbol or day; NET is realized less fees.

    OPEN is the unrealized profit of what is held; of a day CHANGE stands there, what
    became of the equity in it.
    """

    panel_id = "sums"
    title = "Sums"
    needs = frozenset({"sums"})
    scope = Scope.SUMS
    empty = ("Nothing is booked yet.", "Fills are; k sums them in another way.")
    forms = (Form("wide", 0, _WIDE),)

    def __init__(self, scales: Scales, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)
        self.grouping = Grouping.STRATEGY
        self._shown: SumTable | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, the first two named by what is summed."""
        day = self.grouping is Grouping.DAY
        named = {"name": self.grouping.value.upper(), "open": "CHANGE" if day else ""}
        return tuple(
            Column(
                column.key,
                named.get(column.key) or column.title,
                column.width,
                column.align,
                column.priority,
            )
            for column in self.form.columns
        )

    def next_grouping(self) -> Grouping:
        """Sum in the next way, and return which."""
        at = _ORDER.index(self.grouping)
        self.grouping = _ORDER[(at + 1) % len(_ORDER)]
        self.refit()
        self.again()
        return self.grouping

    def apply(self, frame: Frame) -> None:
        """Show the sums of a frame."""
        shown = frame.sums
        if shown is None:
            return
        self._shown = shown
        rows = shown.rows.get(self.grouping, ())
        total = self._item(shown.total)
        tail = [Row("total", total.row.version, total.row.cells)] if rows else []
        self.set_items([self._item(row) for row in rows], frame.ts, tail)
        title: list[Part] = [
            (self.title, "title"),
            (f" by {self.grouping.value}", "strong"),
            *self.title_parts(len(rows))[1:],
        ]
        self.set_title(title, f"{shown.currency}  k strategy symbol day")

    def _item(self, row: SumRow) -> Item:
        sums, day = row.sums, self.grouping is Grouping.DAY
        open_ = row.change if day else row.unrealized
        rate = 100 * sums.won / sums.trades if sums.trades else None
        cells: dict[str, str | Part] = {
            "name": row.name,
            "net": (money(sums.net, sign=True), signed(sums.net)),
            "open": (money(open_, sign=True), signed(open_)),
            "realized": (money(sums.realized, sign=True), "dim"),
            "fees": (money(sums.fees), "dim"),
            "trades": number(sums.trades, 0),
            "won": (number(rate, 0), "dim"),
            "fills": (number(sums.fills, 0), "dim"),
            "turnover": (money(sums.turnover), "dim"),
        }
        values: dict[str, Key] = {
            "name": row.name,
            "net": float(sums.net),
            "open": None if open_ is None else float(open_),
            "realized": float(sums.realized),
            "fees": float(sums.fees),
            "trades": sums.trades,
            "won": rate,
            "fills": sums.fills,
            "turnover": float(sums.turnover),
        }
        exact = {
            "net": plain(sums.net),
            "open": plain(open_),
            "realized": plain(sums.realized),
            "fees": plain(sums.fees),
            "turnover": plain(sums.turnover),
        }
        names = [column.key for column in self.columns]
        drawn = [cells[name] for name in names]
        strategy = row.name if self.grouping is Grouping.STRATEGY else ""
        symbol = row.name if self.grouping is Grouping.SYMBOL else ""
        return Item(
            Row(f"{self.grouping.value}/{row.name}", hash(str(drawn)), drawn),
            Choice(symbol, strategy),
            [values[name] for name in names],
            exact,
        )
