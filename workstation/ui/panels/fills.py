"""The fills of the run, the newest on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.model.orders import order_number
from workstation.ui.panels.base import Choice
from workstation.ui.panels.table import Form, Item, Key, TablePanel
from workstation.ui.typeset import money, number, price, quantity, utc_time
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.line_table import Column, Row

if TYPE_CHECKING:
    from workstation.engine.frames import FillRow, FillTable, Frame
    from workstation.ui.log_parts import Scales

__all__ = ["FillsPanel"]

_WIDE = (
    Column("time", "TIME", 8),
    Column("symbol", "SYMBOL", 8),
    Column("side", "SIDE", 4),
    Column("quantity", "QTY", 8, "right"),
    Column("price", "PRICE", 9, "right"),
    Column("fee", "FEE", 6, "right", priority=1),
    Column("role", "ROLE", 7, priority=2),
)
_FULL = (
    *_WIDE,
    Column("currency", "IN", 5),
    Column("maker", "LIQ", 5),
    Column("owner", "OWNER", 10),
    Column("order", "ORDER", 5, "right"),
    Column("why", "REASON", 8, gap=2, flex=True),
)


class FillsPanel(TablePanel):
    """Executions of all owners."""

    panel_id = "fills"
    title = "Fills"
    needs = frozenset({"fills"})
    empty = ("No fills yet.", "An order that the market meets makes one.")
    newest_first = True
    forms = (Form("full", 100, _FULL), Form("wide", 0, _WIDE))

    def __init__(self, scales: Scales, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)
        self._shown: FillTable | None = None
        self._state: tuple[object, ...] = ()

    def apply(self, frame: Frame) -> None:
        """Show the fills of a frame, if any came."""
        shown = frame.fills
        state = (self.sort_spec, self.filter_text, self.form.name)
        if shown is None or (shown is self._shown and state == self._state):
            return
        self._shown, self._state = shown, state
        self.set_items([self._item(row) for row in shown.rows], frame.ts)
        self.set_title(self.title_parts(number(shown.total, 0)), "")

    def _item(self, row: FillRow) -> Item:
        fill = row.fill
        side = "up" if fill.side.sign > 0 else "down"
        cells: dict[str, str | Part] = {
            "time": (utc_time(fill.ts), "dim"),
            "symbol": fill.instrument,
            "side": (fill.side.value.upper(), side),
            "quantity": quantity(fill.quantity, row.quantity_decimals),
            "price": price(fill.price, row.decimals),
            "fee": (money(fill.fee), "dim"),
            "role": (fill.role.value, "dim"),
            "currency": (fill.fee_currency, "dim"),
            "maker": ("maker" if fill.maker else "taker", "dim"),
            "owner": fill.owner,
            "order": order_number(fill.order_id),
            "why": (fill.reason, "dim"),
        }
        values: dict[str, Key] = {
            "time": row.number,
            "quantity": float(fill.quantity),
            "price": float(fill.price),
            "fee": float(fill.fee),
            "order": row.number,
        }
        names = [column.key for column in self.columns]
        plain = {name: c if isinstance(c, str) else c[0] for name, c in cells.items()}
        return Item(
            Row(
                str(row.number),
                hash((row.number, self.form.name)),
                [cells[name] for name in names],
            ),
            Choice(fill.instrument, fill.owner, fill=row.number),
            [values.get(name, plain[name]) for name in names],
        )

    def export_rows(self) -> list[list[str]]:
        """Return the fills that pass the filter with all their columns, exact."""
        from workstation.engine.ledger_tables import FILLS, fill_row

        rows = () if self._shown is None else self._shown.rows
        known = {str(row.number): row.fill for row in rows}
        return self.exact_rows(
            FILLS, {key: fill_row(fill) for key, fill in known.items()}
        )
