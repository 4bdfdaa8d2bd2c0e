"""The ledger as plain tables: fills, trades, positions, days, sums, equity.

Panels and the command line export the same columns from here. Amounts are texts with
all their digits, ASCII and without grouping; times are both ISO (UTC) and ns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from workstation.execution.curve import CurvePoint
from workstation.execution.ledger import Ledger
from workstation.model.money import minus, plain
from workstation.model.orders import Fill
from workstation.model.positions import Position
from workstation.model.timeframes import NS_PER_S
from workstation.model.trades import ClosedTrade

__all__ = [
    "DAYS",
    "EQUITY",
    "FILLS",
    "POSITIONS",
    "SUMS",
    "TRADES",
    "Cell",
    "day_rows",
    "equity_rows",
    "fill_row",
    "position_row",
    "sum_rows",
    "trade_row",
]

Cell = str | int | bool | None

FILLS = (
    *("time", "ts_ns", "order_id", "trade_id", "strategy", "instrument", "side"),
    *("quantity", "price", "fee", "fee_currency", "maker", "role", "reason"),
)
TRADES = (
    *("number", "strategy", "instrument", "side", "quantity", "entry", "exit", "pnl"),
    *("fees", "net", "fills", "mae", "mfe", "mae_price", "mfe_price", "lowest"),
    *("highest", "opened", "opened_ns", "closed", "closed_ns", "held_ns"),
    *("entry_reason", "exit_reason"),
)
POSITIONS = (
    *("strategy", "instrument", "quantity", "cost", "entry", "mark", "value"),
    *("unrealized", "realized", "fees", "fills", "opened", "opened_ns"),
)
_SUMMED = ("fills", "turnover", "realized", "fees", "net", "trades", "won", "lost")
DAYS = ("day", "day_ns", *_SUMMED, "equity_start", "equity_end", "change")
SUMS = ("day", "day_ns", "strategy", "instrument", *_SUMMED)
EQUITY = ("time", "ts_ns", "lowest", "highest", "equity")


def _iso(ts_ns: int | None) -> str | None:
    if ts_ns is None:
        return None
    moment = datetime.fromtimestamp(ts_ns // NS_PER_S, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ts_ns % NS_PER_S:09d}Z"


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def fill_row(fill: Fill) -> Sequence[Cell]:
    """Return the cells of a fill, as ``FILLS`` names them."""
    return (
        *(_iso(fill.ts), fill.ts, fill.order_id, fill.trade_id, fill.owner),
        *(fill.instrument, fill.side.value, plain(fill.quantity), plain(fill.price)),
        *(plain(fill.fee), fill.fee_currency, fill.maker, fill.role.value),
        fill.reason,
    )


def trade_row(trade: ClosedTrade) -> Sequence[Cell]:
    """Return the cells of a round trip, as ``TRADES`` names them."""
    return (
        *(trade.number, trade.owner, trade.instrument, trade.side.value),
        *(plain(trade.quantity), plain(trade.entry), plain(trade.exit)),
        *(plain(trade.pnl), plain(trade.fees), plain(trade.net), trade.fills),
        *(plain(trade.mae), plain(trade.mfe), plain(trade.worst), plain(trade.best)),
        *(plain(trade.lowest), plain(trade.highest)),
        *(_iso(trade.opened_ns), trade.opened_ns),
        *(_iso(trade.closed_ns), trade.closed_ns, trade.held_ns),
        *(trade.entry_reason, trade.exit_reason),
    )


def position_row(
    position: Position,
    mark: Decimal | None,
    value: Decimal | None,
    unrealized: Decimal | None,
) -> Sequence[Cell]:
    """Return the cells of a position, as ``POSITIONS`` names them."""
    return (
        *(position.owner, position.instrument, plain(position.quantity)),
        *(plain(position.cost), plain(position.average_price), _plain(mark)),
        *(_plain(value), _plain(unrealized), plain(position.realized)),
        *(plain(position.fees), position.fills),
        *(_iso(position.opened_ns), position.opened_ns),
    )


def day_rows(ledger: Ledger) -> Iterator[Sequence[Cell]]:
    """Yield a line for each day: what was booked, and what became of the equity."""
    for day in ledger.statements.daily(ledger.value().equity):
        sums = day.sums
        yield (
            *(_iso(day.day_ns), day.day_ns, sums.fills, plain(sums.turnover)),
            *(plain(sums.realized), plain(sums.fees), plain(sums.net)),
            *(sums.trades, sums.won, sums.lost, plain(day.start), plain(day.end)),
            plain(minus(day.end, day.start)),
        )


def sum_rows(ledger: Ledger) -> Iterator[Sequence[Cell]]:
    """Yield a line for each day, strategy and instrument that had a fill."""
    for day_ns, owner, instrument, sums in ledger.statements.bookings():
        yield (
            *(_iso(day_ns), day_ns, owner, instrument, sums.fills),
            *(plain(sums.turnover), plain(sums.realized), plain(sums.fees)),
            *(plain(sums.net), sums.trades, sums.won, sums.lost),
        )


def equity_rows(points: Iterable[CurvePoint]) -> Iterator[Sequence[Cell]]:
    """Yield the points of the equity curve."""
    for point in points:
        yield (
            *(_iso(point.ts), point.ts, plain(point.low), plain(point.high)),
            plain(point.equity),
        )
