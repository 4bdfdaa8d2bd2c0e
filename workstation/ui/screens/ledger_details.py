"""The lines of a fill and of a round trip, all digits shown. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from workstation.engine.frames import FillRow, TripRow
from workstation.model.instruments import Side
from workstation.ui.panels.cells import signed
from workstation.ui.typeset import (
    NONE,
    bps,
    duration,
    money,
    number,
    price,
    quantity,
    utc_clock,
    utc_time,
)
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.text_panel import Line, RuleLine

__all__ = ["fill_lines", "trade_lines"]

_LABEL = 14


def _fact(label: str, value: str, ink: str = "") -> Sequence[Part]:
    return [(label.ljust(_LABEL), "dim"), (value or NONE, ink)]


def _money(value: Decimal) -> str:
    # A detail is where one looks for the cent that a table rounds away.
    return money(value, 4, sign=True)


def fill_lines(row: FillRow | None) -> Sequence[Line]:
    """Return one execution."""
    if row is None:
        return ["The fill is no longer among those shown."]
    fill = row.fill
    return [
        _fact("number", number(row.number, 0), "strong"),
        _fact("instrument", fill.instrument, "strong"),
        _fact("owner", fill.owner),
        _fact("side", fill.side.value, "up" if fill.side is Side.BUY else "down"),
        _fact("quantity", quantity(fill.quantity, row.quantity_decimals)),
        _fact("price", price(fill.price, row.decimals)),
        _fact("fee", f"{money(fill.fee, 4)} {fill.fee_currency}"),
        _fact("liquidity", "maker" if fill.maker else "taker"),
        _fact("role", fill.role.value),
        _fact("reason", fill.reason),
        _fact("order", fill.order_id),
        _fact("trade id", fill.trade_id),
        _fact("time", f"{utc_clock(fill.ts)[:10]} {utc_time(fill.ts, 3)} UTC"),
    ]


def trade_lines(row: TripRow | None, currency: str = "") -> Sequence[Line]:
    """Return one round trip: how it went in and out, and what it stood at between."""
    if row is None:
        return ["The trade is no longer among those shown."]
    trade = row.trade
    long = trade.side is Side.BUY

    def away(value: Decimal) -> str:
        share = bps(float(value / trade.entry) * 10_000, unit=True)
        return f"{number(value, row.decimals, sign=True)}  {share} of the entry"

    return [
        _fact("instrument", trade.instrument, "strong"),
        _fact("owner", trade.owner),
        _fact("side", "long" if long else "short", "up" if long else "down"),
        _fact("quantity", quantity(trade.quantity, row.quantity_decimals)),
        _fact("fills", str(trade.fills)),
        "",
        RuleLine("Entry and exit", "mean prices"),
        _fact("entry", price(trade.entry, row.decimals)),
        _fact("  at", f"{utc_clock(trade.opened_ns)} UTC"),
        _fact("  because", trade.entry_reason),
        _fact("exit", price(trade.exit, row.decimals)),
        _fact("  at", f"{utc_clock(trade.closed_ns)} UTC"),
        _fact("  because", trade.exit_reason),
        _fact("held", duration(trade.held_ns)),
        "",
        RuleLine("Result", currency),
        _fact("profit", _money(trade.pnl), signed(trade.pnl)),
        _fact("fees", money(trade.fees, 4)),
        _fact("net", _money(trade.net), signed(trade.net)),
        "",
        RuleLine("On the way", "marks and own fills, before fees"),
        _fact("worst (MAE)", f"{_money(trade.mae)} {currency}".strip()),
        _fact("  in price", away(trade.worst)),
        _fact("best (MFE)", f"{_money(trade.mfe)} {currency}".strip()),
        _fact("  in price", away(trade.best)),
        _fact("lowest", price(trade.lowest, row.decimals)),
        _fact("highest", price(trade.highest, row.decimals)),
    ]
