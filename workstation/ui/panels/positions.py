"""The positions, one row for each owner, and their sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workstation.model.owners import DUST
from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice
from workstation.ui.panels.cells import short_age, signed, stop_cell
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import money, plain, price, quantity
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import fit_columns

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, PositionRow

__all__ = ["PositionsPanel"]

_WIDE = (
    Column("symbol", "SYMBOL", 8),
    Column("owner", "OWNER", 9),
    Column("quantity", "QTY", 8, "right"),
    Column("entry", "ENTRY", 9, "right", priority=1),
    Column("mark", "MARK", 9, "right", priority=2),
    Column("open", "OPEN", 8, "right"),
    Column("stop", "STOP%", 6, "right", priority=3),
    Column("age", "AGE", 4, "right", priority=4),
)
_FULL = (
    *_WIDE,
    Column("value", "VALUE", 12, "right"),
    Column("realized", "REALIZED", 10, "right"),
    Column("fills", "FILLS", 6, "right"),
)


class PositionsPanel(TablePanel):
    """What is held, by whom, and what it is worth now.

    OPEN, VALUE and STOP% follow from MARK, the middle of the quote.
    """

    panel_id = "positions"
    title = "Positions"
    needs = frozenset({"positions"})
    scope = Scope.ROW
    empty = ("No positions.", "A fill opens one; the log says why there is none yet.")
    meets_focus = True
    forms = (Form("full", 100, _FULL), Form("wide", 0, _WIDE))

    def apply(self, frame: Frame) -> None:
        """Show the positions of a frame and their sum."""
        rows = frame.positions
        if rows is None:
            return
        items = [self._item(row) for row in rows]
        tail = [*self._nets(rows), self._total(frame)] if rows else []
        self._say_empty(frame)
        self.set_items(items, frame.ts, tail)
        held = [row for row in rows if row.position.owner != DUST]
        self.set_title(self.title_parts(len(held)), "")

    def _say_empty(self, frame: Frame) -> None:
        """Say what would open a position; while that is denied, that it is."""
        header = frame.header
        why = self.empty[1]
        if header.kill is not None:
            why = "Nothing opens while killed; ctrl+k shows the way back."
        elif header.hold_since_ns is not None:
            why = "Nothing opens while held; H lifts the hold."
        for table in self.tables:
            table.set_empty((self.empty[0], why))

    def _nets(self, rows: Sequence[PositionRow]) -> list[Row]:
        """Return what the account holds where several owners do."""
        owners = Counter(row.position.instrument for row in rows)
        last = {row.position.instrument: row for row in rows}
        nets: list[Row] = []
        for name, row in last.items():
            if owners[name] < 2 or row.net is None:
                continue
            # Owners may have other fractions of a lot each.
            digits = max(
                each.quantity_decimals
                for each in rows
                if each.position.instrument == name
            )
            text = quantity(row.net, digits, sign=True)
            cells: dict[str, str | Part] = {
                "symbol": (row.symbol, "dim"),
                "owner": ("net", "dim"),
                "quantity": (text, signed(row.net) or "strong"),
            }
            drawn = [cells.get(column.key, "") for column in self.columns]
            nets.append(Row(f"net/{name}", hash(text), drawn))
        return nets

    def export_rows(self) -> list[list[str]]:
        """Return the positions that pass the filter with all their columns, exact."""
        # Late: the tables are not needed for the first paint.
        from workstation.engine.ledger_tables import POSITIONS, position_row
        from workstation.model.money import ratio

        frame = self._frame
        known = {
            f"{row.position.instrument}/{row.position.owner}": position_row(
                row.position,
                # The mark as the ledger has it, not the float of the screen.
                None if row.value is None else ratio(row.value, row.position.quantity),
                row.value,
                row.open_pnl,
            )
            for row in (None if frame is None else frame.positions) or ()
        }
        return self.exact_rows(POSITIONS, known)

    def _total(self, frame: Frame) -> Row:
        known = [r.open_pnl for r in frame.positions or () if r.open_pnl is not None]
        # The ledger's own sum, the one in the header: nothing is added up here.
        amount = frame.header.open_pnl if known else None
        fitted = fit_columns(self.columns, max(0, self.size.width - self.gutter_cells))
        at = 0
        for place, (_, column, cells) in enumerate(fitted):
            at += (column.gap if place else 0) + cells
            if column.key == "open":
                break
        text = money(amount, sign=True)
        room = max(1, at - len("total"))
        parts: list[Part] = [
            ("total", "dim"),
            (text.rjust(room), signed(amount) or "strong"),
        ]
        missing = len(frame.positions or ()) - len(known)
        if missing:
            parts.append((f"  {missing} unpriced", "warn"))
        return Row("total", hash((text, missing, at)), note=parts)

    def _item(self, row: PositionRow) -> Item:
        held = row.position
        digits, dust = row.quantity_decimals, held.owner == DUST
        cells: dict[str, str | Part] = {
            "symbol": row.symbol,
            "owner": (held.owner, "dim") if dust else held.owner,
            "quantity": (
                quantity(held.quantity, digits, sign=True),
                "dim" if dust else signed(held.quantity),
            ),
            "entry": price(held.average_price, row.decimals),
            "mark": price(row.mark, row.decimals),
            "open": (money(row.open_pnl, sign=True), signed(row.open_pnl)),
            # Nobody can sell dust, and nothing protects it.
            "stop": stop_cell(
                row.stop_percent, has_stop=row.has_stop or dust, held=True
            ),
            "age": (short_age(row.age_ns), "dim"),
            "value": money(row.value),
            "realized": (money(held.realized, sign=True), signed(held.realized)),
            "fills": str(held.fills),
        }
        values: dict[str, float | int | str | None] = {
            "symbol": row.symbol,
            "owner": held.owner,
            "quantity": float(held.quantity),
            "entry": float(held.average_price),
            "mark": row.mark,
            "open": None if row.open_pnl is None else float(row.open_pnl),
            "stop": row.stop_percent,
            "age": row.age_ns,
            "value": None if row.value is None else float(row.value),
            "realized": float(held.realized),
            "fills": held.fills,
        }
        exact = {
            "quantity": plain(held.quantity),
            "entry": plain(held.average_price),
            "mark": plain(row.mark),
            "open": plain(row.open_pnl),
            "stop": plain(row.stop_percent),
            "value": plain(row.value),
            "realized": plain(held.realized),
        }
        names = [column.key for column in self.columns]
        return Item(
            Row(
                f"{held.instrument}/{held.owner}",
                hash((row.version, self.form.name)),
                [cells[name] for name in names],
            ),
            Choice(held.instrument, held.owner),
            [values[name] for name in names],
            {name: exact[name] for name in names if name in exact},
        )
