"""The blotter: round trips from flat to flat, the newest on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.model.instruments import Side
from workstation.ui.panels.base import Choice
from workstation.ui.panels.cells import short_age, signed
from workstation.ui.panels.table import Form, Item, Key, TablePanel
from workstation.ui.typeset import money, number, price, quantity, utc_time
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.line_table import Column, Row

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, TradeTable, TripRow
    from workstation.ui.log_parts import Scales

__all__ = ["TradesPanel"]

_WIDE = (
    Column("symbol", "SYMBOL", 8),
    Column("side", "SIDE", 5),
    Column("entry", "ENTRY", 9, "right", priority=2),
    Column("exit", "EXIT", 9, "right", priority=2),
    Column("net", "NET", 8, "right"),
    Column("mae", "MAE", 7, "right", priority=1),
    Column("mfe", "MFE", 7, "right", priority=1),
    Column("held", "HELD", 4, "right"),
    Column("why", "EXIT BY", 7, priority=3, flex=True),
)
_FULL = (
    Column("time", "CLOSED", 8),
    *_WIDE[:2],
    Column("quantity", "QTY", 9, "right"),
    *_WIDE[2:5],
    Column("fees", "FEES", 7, "right"),
    *_WIDE[5:8],
    Column("fills", "FILLS", 5, "right"),
    Column("owner", "OWNER", 10),
    Column("in", "ENTRY BY", 12, priority=1),
    Column("why", "EXIT BY", 10, flex=True),
)


class TradesPanel(TablePanel):
    """Closed trades of all owners; money is in the account's currency."""

    panel_id = "trades"
    title = "Trades"
    needs = frozenset({"trades"})
    empty = ("No closed trades.", "A position that comes back to flat makes one.")
    newest_first = True
    forms = (Form("full", 130, _FULL), Form("wide", 0, _WIDE))

    def __init__(self, scales: Scales, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)
        self._shown: TradeTable | None = None
        self._state: tuple[object, ...] = ()

    def apply(self, frame: Frame) -> None:
        """Show the trades of a frame, if any was closed."""
        shown = frame.trades
        state = (self.sort_spec, self.filter_text, self.form.name)
        if shown is None or (shown is self._shown and state == self._state):
            return
        self._shown, self._state = shown, state
        self.set_items([self._item(row) for row in shown.rows], frame.ts)
        keys = "enter detail" if shown.rows else ""
        self.set_title(self.title_parts(number(shown.total, 0)), keys)

    def _item(self, row: TripRow) -> Item:
        trade = row.trade
        long = trade.side is Side.BUY
        cells: dict[str, str | Part] = {
            "time": (utc_time(trade.closed_ns), "dim"),
            "symbol": trade.instrument,
            "side": ("long" if long else "short", "up" if long else "down"),
            "quantity": quantity(trade.quantity, row.quantity_decimals),
            "entry": price(trade.entry, row.decimals),
            "exit": price(trade.exit, row.decimals),
            "net": (money(trade.net, sign=True), signed(trade.net)),
            "fees": (money(trade.fees), "dim"),
            "mae": (money(trade.mae, sign=True), "dim"),
            "mfe": (money(trade.mfe, sign=True), "dim"),
            "held": short_age(trade.held_ns),
            "fills": str(trade.fills),
            "owner": trade.owner,
            "in": (trade.entry_reason, "dim"),
            "why": (trade.exit_reason, "dim"),
        }
        values: dict[str, Key] = {
            "time": trade.number,
            "quantity": float(trade.quantity),
            "entry": float(trade.entry),
            "exit": float(trade.exit),
            "net": float(trade.net),
            "fees": float(trade.fees),
            "mae": float(trade.mae),
            "mfe": float(trade.mfe),
            "held": trade.held_ns,
            "fills": trade.fills,
        }
        names = [column.key for column in self.columns]
        plain = {name: c if isinstance(c, str) else c[0] for name, c in cells.items()}
        return Item(
            Row(
                str(trade.number),
                hash((trade.number, self.form.name)),
                [cells[name] for name in names],
            ),
            Choice(trade.instrument, trade.owner, trade=trade.number),
            [values.get(name, plain[name]) for name in names],
        )

    def export_rows(self) -> list[list[str]]:
        """Return the trades that pass the filter with all their columns, exact."""
        from workstation.engine.ledger_tables import TRADES, trade_row

        rows = () if self._shown is None else self._shown.rows
        return self.exact_rows(
            TRADES, {str(row.trade.number): trade_row(row.trade) for row in rows}
        )
