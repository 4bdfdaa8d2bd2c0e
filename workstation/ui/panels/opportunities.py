"""The opportunities: where to buy, where to sell, and what that leaves after fees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.model.opportunities import OpportunityKind
from workstation.ui.panels.base import Choice
from workstation.ui.panels.cells import short_age
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import number, plain, price, quantity
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, OpportunityRow, OpportunityTable

__all__ = ["OpportunitiesPanel"]

_COLUMNS = (
    Column("market", "MARKET", 8),
    Column("kind", "KIND", 5, priority=6),
    Column("buy", "BUY AT", 8),
    Column("buy_price", "PAY", 10, "right"),
    Column("sell", "SELL AT", 8),
    Column("sell_price", "GET", 10, "right"),
    Column("size", "SIZE", 9, "right", priority=2),
    Column("gross", "GROSS", 6, "right", priority=5),
    Column("fees", "FEES", 6, "right", priority=4),
    Column("net", "NET bp", 6, "right"),
    Column("best", "BEST", 6, "right", priority=1),
    Column("age", "FOR", 4, "right"),
    Column("seen", "SEEN", 5, "right", priority=3),
    Column("state", "STATE", 4, gap=2, flex=True),
)
_KINDS = {OpportunityKind.ARBITRAGE: "cross", OpportunityKind.WIDE_SPREAD: "wide"}


class OpportunitiesPanel(TablePanel):
    """One row for each pair of venues that has an edge, or had one a moment ago."""

    panel_id = "opportunities"
    title = "Opportunities"
    needs = frozenset({"opportunities"})
    empty = (
        "No opportunities.",
        "Prices of two venues that cross by more than the fees are listed here.",
    )
    forms = (Form("wide", 0, _COLUMNS),)

    def apply(self, frame: Frame) -> None:
        """Show the opportunities of a frame."""
        found = frame.opportunities
        if found is None:
            return
        self.table.set_empty((self.empty[0], _why_empty(found, self.empty[1])))
        self.set_items([self._item(row) for row in found.rows], frame.ts)
        open_ = sum(1 for row in found.rows if not row.end)
        info: list[Part] = [
            (f"found {number(found.found, 0)}  ", "dim"),
            (f"open {open_}", "strong" if open_ else "dim"),
        ]
        self.set_title(self.title_parts(len(found.rows)), info)

    def _item(self, row: OpportunityRow) -> Item:
        found = row.opportunity
        cells: list[Cell] = [
            found.market,
            (_KINDS[found.kind], "dim"),
            row.buy_venue,
            price(found.buy_price, row.buy_decimals),
            row.sell_venue,
            price(found.sell_price, row.sell_decimals),
            quantity(found.size, row.quantity_decimals),
            (number(found.gross_bps, 2), "dim"),
            (number(found.fees_bps, 2), "dim"),
            (number(found.net_bps, 2, sign=True), "" if row.end else "up"),
            number(row.best_bps, 2, sign=True),
            (short_age(row.age_ns), "dim"),
            (number(row.seen, 0), "dim"),
            (row.end, "dim") if row.end else ("open", "strong"),
        ]
        values: list[float | int | str | None] = [
            *(found.market, _KINDS[found.kind], row.buy_venue, float(found.buy_price)),
            *(row.sell_venue, float(found.sell_price), float(found.size)),
            *(found.gross_bps, found.fees_bps, found.net_bps, row.best_bps),
            *(row.age_ns, row.seen, row.end or "open"),
        ]
        exact = {
            "buy_price": plain(found.buy_price),
            "sell_price": plain(found.sell_price),
            "size": plain(found.size),
            "gross": plain(found.gross_bps),
            "fees": plain(found.fees_bps),
            "net": plain(found.net_bps),
            "best": plain(row.best_bps),
            "state": f"{row.end} {row.reason}".strip() or "open",
        }
        ink = "stale" if row.end else ""
        shown = Row(
            f"{found.kind}/{found.buy}/{found.sell}",
            hash((*cells, ink)),
            cells,
            ink=ink,
        )
        return Item(shown, Choice(found.buy), values, exact)


def _why_empty(found: OpportunityTable, otherwise: str) -> str:
    """Return what would fill the table."""
    if not found.enabled:
        return "[opportunities] enabled = true in the config looks for them."
    if found.markets or found.watches_spreads:
        return otherwise
    if found.apart:
        return found.apart[0]
    return "No symbol of this run has two venues; see two-venues.toml for some."
