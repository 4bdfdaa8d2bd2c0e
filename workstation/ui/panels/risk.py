"""The limits as gauges: how much of each is used, where most, and which can be set."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from workstation.model.limits import Gauge, LimitUnit
from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice
from workstation.ui.panels.cells import used_percent, used_text
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import NONE, number, percent, plain, short
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, RiskTable

__all__ = ["LIMIT_NAMES", "RiskPanel", "limit_text"]

LIMIT_NAMES = {
    "max_daily_loss": "day loss",
    "max_drawdown": "drawdown",
    "max_total_exposure": "exposure",
    "max_venue_exposure": "venue",
    "max_symbol_exposure": "symbol",
    "max_position_value": "position",
    "leverage": "carried",
    "max_open_orders": "open orders",
    "max_order_rate": "order rate",
    "max_message_ratio": "msg / fill",
    "max_order_value": "one order",
    "collar_through_bps": "beyond, bp",
    "collar_away_bps": "away, bp",
}
"""What the panel calls each limit; the key of the config is in its wide form."""

_BAR = 5
_WIDE_BAR = 20
_NARROW = (
    Column("name", "LIMIT", 11),
    Column("value", "NOW", 7, "right"),
    Column("limit", "AT MOST", 7, "right"),
    Column("bar", "", _BAR),
    Column("used", "USED", 5, "right"),
)
_WIDE = (
    Column("name", "LIMIT", 11),
    Column("subject", "WHERE", 12, gap=2),
    Column("value", "NOW", 12, "right"),
    Column("limit", "AT MOST", 12, "right"),
    Column("bar", "", _WIDE_BAR, gap=2),
    Column("used", "USED", 5, "right"),
    Column("key", "KEY", 20, gap=2),
)
_ROOMY = 100
# From here on the bars are told of; the breakers warn there, too.
_WARN_AT = Decimal("0.8")


def limit_text(unit: LimitUnit, value: Decimal | None, cells: int = 0) -> str:
    """Write a figure of a limit: money without cents, a share in percent."""
    if value is None:
        return NONE
    if unit is LimitUnit.SHARE:
        return percent(float(value) * 100, 1, sign=False, unit=True)
    decimals = 1 if unit is LimitUnit.RATIO else 0
    text = number(value, decimals)
    return text if not cells or len(text) <= cells else short(float(value), cells, 0)


class RiskPanel(TablePanel):
    """One row for each limit, in the order of the config."""

    panel_id = "risk"
    title = "Risk"
    needs = frozenset({"risk"})
    scope = Scope.LIMIT
    empty = ("No limits.", "They are in the section risk of the config.")
    forms = (Form("wide", _ROOMY, _WIDE), Form("narrow", 0, _NARROW))

    def apply(self, frame: Frame) -> None:
        """Show the limits of a frame."""
        table = frame.risk
        if table is None:
            return
        self.set_items([self._item(gauge, table) for gauge in table.gauges], frame.ts)
        full = sum(1 for gauge in table.gauges if gauge.is_exceeded)
        title: list[Part] = self.title_parts(len(table.gauges))
        if full:
            title.append((f"  {full} exceeded", "bad"))
        if table.ramp_share < 1:
            title.append((f"  sizes {table.ramp_share:.0%}", "warn"))
        self.set_title(title, "u set")

    def _item(self, gauge: Gauge, table: RiskTable) -> Item:
        wide = self.form.name == "wide"
        share = gauge.share
        ink = _ink(gauge)
        cells: dict[str, Cell] = {
            "name": LIMIT_NAMES[gauge.name],
            "subject": (gauge.subject or NONE, "dim"),
            "value": (limit_text(gauge.unit, gauge.value, 12 if wide else 7), ink),
            "limit": limit_text(gauge.unit, gauge.limit, 12 if wide else 7)
            if gauge.limit is not None
            else ("none", "dim"),
            "bar": (_bar(share, _WIDE_BAR if wide else _BAR), ink or "accent"),
            "used": (used_text(None if share is None else float(share) * 100), ink),
            "key": (gauge.name, "dim"),
        }
        values: dict[str, float | int | str | None] = {
            "name": gauge.name,
            "subject": gauge.subject,
            "value": _float(gauge.value),
            "limit": _float(gauge.limit),
            "bar": _float(share),
            "used": _float(share),
            "key": gauge.name,
        }
        exact = {
            "value": plain(gauge.value),
            "limit": plain(gauge.limit),
            "bar": "",
            "used": plain(share),
        }
        names = [column.key for column in self.columns]
        shown = [cells[name] for name in names]
        settable = gauge.name if gauge.name in table.settable else ""
        return Item(
            Row(gauge.name, hash((tuple(shown), self.form.name)), shown),
            Choice(limit=settable),
            [values[name] for name in names],
            {name: exact[name] for name in names if name in exact},
        )


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _ink(gauge: Gauge) -> str:
    share = gauge.share
    if gauge.is_exceeded:
        return "bad"
    return "warn" if share is not None and share >= _WARN_AT else ""


def _bar(share: Decimal | None, cells: int) -> str:
    """Draw how much is used; any use is seen, and only all of it fills the bar.

    As the percentage beside it says: the same number is the same bar.
    """
    if share is None:
        return ""
    filled = min(cells, used_percent(float(share) * 100) * cells // 100)
    if share > 0:
        filled = max(1, filled)
    return "━" * filled + "─" * (cells - filled)
