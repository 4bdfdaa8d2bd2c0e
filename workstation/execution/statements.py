"""Statements: what was booked, summed by symbol, by strategy, by day.

The ledger books every fill and every closed trade here once, under its day, owner and
instrument; all statements are sums of those same bookings, so they cannot disagree.

A day ends with its last moment, and the next begins after it: a bar that ends when the
day does, and the fills in it, are of that day.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from workstation.model.money import minus, plus, times
from workstation.model.orders import Fill
from workstation.model.trades import ClosedTrade

__all__ = ["Day", "DayStart", "Grouping", "Statement", "Statements"]

ZERO = Decimal(0)
DAY_NS = 86_400 * 1_000_000_000


class Grouping(StrEnum):
    """What the lines of a statement stand for."""

    STRATEGY = "strategy"
    SYMBOL = "symbol"
    DAY = "day"


class Statement(Struct, frozen=True, kw_only=True):
    """Sums of one line, in the account's currency.

    ``key`` is the owner, the instrument, or the start of the day in ns as text.
    ``realized`` is before ``fees``; ``turnover`` is price × quantity of all fills;
    ``won`` and ``lost`` count trades by their net, those at zero are neither.
    """

    key: str
    fills: int = 0
    turnover: Decimal = ZERO
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    trades: int = 0
    won: int = 0
    lost: int = 0

    @property
    def net(self) -> Decimal:
        """Return what was realized, after fees."""
        return minus(self.realized, self.fees)


class DayStart(Struct, frozen=True):
    """When a day's trading began, and with which equity."""

    day_ns: int
    ts: int
    equity: Decimal


class Day(Struct, frozen=True, kw_only=True):
    """One day: what was booked in it, and the equity it began and ended with."""

    day_ns: int
    sums: Statement
    start: Decimal
    end: Decimal


class Sums:
    """What was booked under one day, owner and instrument."""

    __slots__ = ("fees", "fills", "lost", "realized", "trades", "turnover", "won")

    def __init__(self) -> None:
        self.fills = self.trades = self.won = self.lost = 0
        self.turnover = self.realized = self.fees = ZERO

    def add(self, other: Sums) -> None:
        """Add what was booked elsewhere."""
        self.fills += other.fills
        self.trades += other.trades
        self.won += other.won
        self.lost += other.lost
        self.turnover = plus(self.turnover, other.turnover)
        self.realized = plus(self.realized, other.realized)
        self.fees = plus(self.fees, other.fees)

    def of(self, key: str) -> Statement:
        """Return them as a line."""
        return Statement(
            key=key,
            fills=self.fills,
            turnover=self.turnover,
            realized=self.realized,
            fees=self.fees,
            trades=self.trades,
            won=self.won,
            lost=self.lost,
        )


class Statements:
    """The bookings of one account; a day ends ``offset_ns`` after midnight UTC."""

    def __init__(self, offset_ns: int = 0) -> None:
        self._offset_ns = offset_ns
        self._sums: dict[tuple[int, str, str], Sums] = {}
        self.days: list[DayStart] = []
        # The day of the last booking: mostly that of the next, too.
        self._day = self._day_ends = 0

    def day_of(self, ts: int) -> int:
        """Return when the day of a time started, ns: its first moment is the next."""
        return (ts - 1 - self._offset_ns) // DAY_NS * DAY_NS + self._offset_ns

    def begin_day(self, ts: int, equity: Decimal) -> int:
        """Keep the equity a day begins with; return its last moment."""
        day = self.day_of(ts)
        self.days.append(DayStart(day, ts, equity))
        return day + DAY_NS

    def _at(self, ts: int, owner: str, instrument: str) -> Sums:
        if not self._day < ts <= self._day_ends:
            self._day = self.day_of(ts)
            self._day_ends = self._day + DAY_NS
        key = (self._day, owner, instrument)
        sums = self._sums.get(key)
        if sums is None:
            sums = self._sums[key] = Sums()
        return sums

    def book(self, fill: Fill, gained: Decimal, fee: Decimal) -> None:
        """Book a fill: what it realized, and its fee in the account's currency."""
        sums = self._at(fill.ts, fill.owner, fill.instrument)
        sums.fills += 1
        sums.turnover = plus(sums.turnover, times(fill.price, fill.quantity))
        if gained:
            sums.realized = plus(sums.realized, gained)
        if fee:
            sums.fees = plus(sums.fees, fee)

    def gain(self, ts: int, owner: str, instrument: str, gained: Decimal) -> None:
        """Book what was realized without a fill of that owner."""
        sums = self._at(ts, owner, instrument)
        sums.realized = plus(sums.realized, gained)

    def close(self, trade: ClosedTrade) -> None:
        """Count a closed trade."""
        sums = self._at(trade.closed_ns, trade.owner, trade.instrument)
        net = trade.net
        sums.trades += 1
        sums.won += net > 0
        sums.lost += net < 0

    def by(self, grouping: Grouping) -> list[Statement]:
        """Return a line for each strategy, symbol or day, in order of first booking."""
        found: dict[str, Sums] = {}
        for (day, owner, instrument), sums in self._sums.items():
            key = {
                Grouping.STRATEGY: owner,
                Grouping.SYMBOL: instrument,
                Grouping.DAY: str(day),
            }[grouping]
            found.setdefault(key, Sums()).add(sums)
        return [sums.of(key) for key, sums in found.items()]

    def daily(self, equity: Decimal) -> list[Day]:
        """Return the days in order; ``equity`` is what the last one ends with for now.

        The change of each is what was realized in it, less fees, and what became of
        open positions. A day that has not begun yet, for lack of a price, begins with
        what it has come to, less what was booked in it.
        """
        sums = {int(line.key): line for line in self.by(Grouping.DAY)}
        starts = {each.day_ns: each.equity for each in self.days}
        found: list[Day] = []
        end = equity
        for day_ns in sorted(sums.keys() | starts.keys(), reverse=True):
            line = sums.get(day_ns) or Statement(key=str(day_ns))
            start = starts[day_ns] if day_ns in starts else minus(end, line.net)
            found.append(Day(day_ns=day_ns, sums=line, start=start, end=end))
            end = start
        return found[::-1]

    def net_of(self, day_ns: int) -> Decimal:
        """Return what was realized in a day so far, after fees."""
        net = ZERO
        for (day, _, _), sums in self._sums.items():
            if day == day_ns:
                net = plus(net, minus(sums.realized, sums.fees))
        return net

    def total(self) -> Statement:
        """Return the sums of everything."""
        all_ = Sums()
        for sums in self._sums.values():
            all_.add(sums)
        return all_.of("total")

    def bookings(self) -> Iterator[tuple[int, str, str, Statement]]:
        """Yield day, owner, instrument and sums, in order of first booking."""
        for (day, owner, instrument), sums in self._sums.items():
            yield day, owner, instrument, sums.of("")

    def booked(self) -> object:
        """Return all sums in plain values; when days began is not among them."""
        return [
            (
                *(*key, s.fills, s.trades, s.won, s.lost),
                *(str(s.turnover), str(s.realized), str(s.fees)),
            )
            for key, s in self._sums.items()
        ]
