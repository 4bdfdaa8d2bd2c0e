"""The ledger of one account: positions by owner at average cost, fees, equity, trades.

Only the Executor books into it, one fill at a time; marks come from the market view.
All money is Decimal in the account's currency; it never sees a clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from workstation.execution.lives import ClosedTrade, Life
from workstation.model.instruments import Instrument, Side, to_decimal
from workstation.model.orders import Fill
from workstation.model.ports import MarketView
from workstation.model.positions import AccountView, Position, average_after

__all__ = ["ClosedTrade", "Ledger", "Valuation"]

ZERO = Decimal(0)
_BUY = Side.BUY
DAY_NS = 86_400 * 1_000_000_000
MINUTE_NS = 60 * 1_000_000_000
# Enough for a table and a curve on any screen; the journal has the rest.
KEEP_TRADES = 2_000
KEEP_CURVE = 10_000


class Valuation(Struct, frozen=True):
    """Equity, unrealized profit and gross exposure at the marks of one moment."""

    equity: Decimal
    unrealized: Decimal
    exposure: Decimal


class Ledger:
    """Books fills of all owners; the account is their sum.

    ``day_starts_minutes`` is the UTC time of day, in minutes, at which the day's
    profit starts again. ``fees`` and equity leave out ``unvalued_fees``: those in a
    currency that is neither the account's nor one of the instrument's, by currency.
    """

    def __init__(
        self,
        currency: str,
        initial: Decimal,
        instruments: Sequence[Instrument],
        market: MarketView,
        day_starts_minutes: int = 0,
    ) -> None:
        self.currency = currency
        self.initial = initial
        self._instruments = {i.id: i for i in instruments}
        # One decimal more than the tick holds the middle of a spread exactly.
        self._grid = {
            i.id: Decimal(1).scaleb(-i.price_decimals - 1) for i in instruments
        }
        # The last mark and its exact form: several figures ask for it after a fill.
        self._marks: dict[str, tuple[float, Decimal]] = {}
        self._market = market
        self._day_offset_ns = day_starts_minutes * MINUTE_NS
        self._positions: dict[tuple[str, str], Position] = {}
        self._open: dict[tuple[str, str], Position] = {}
        self._net: dict[str, Decimal] = {}
        self._lives: dict[tuple[str, str], Life] = {}
        self.realized = ZERO
        self.fees = ZERO
        self.fees_by_currency: dict[str, Decimal] = {}
        self.unvalued_fees: dict[str, Decimal] = {}
        self.fills = 0
        self.day_start = initial
        self.trades: deque[ClosedTrade] = deque(maxlen=KEEP_TRADES)
        self.curve: deque[tuple[int, Decimal]] = deque(maxlen=KEEP_CURVE)

    def apply(self, fill: Fill) -> tuple[Position, Position]:
        """Book one execution; return the owner's position before and after."""
        key = (fill.owner, fill.instrument)
        before = self._positions.get(key)
        if before is None:
            before = Position(owner=fill.owner, instrument=fill.instrument)
        price, quantity, held = fill.price, fill.quantity, before.quantity
        signed = quantity if fill.side is _BUY else -quantity
        total = held + signed
        fee = self._book_fee(fill)
        average = average_after(before.average_price, held, signed, price)
        gained, opened = ZERO, before.opened_ns
        life = self._lives.get(key)
        if not held or life is None:
            opened = fill.ts
            life = self._lives[key] = Life(fill.ts)
            life.enter(quantity, price, fee)
        elif (held > 0) == (signed > 0):
            life.enter(quantity, price, fee)
        else:
            closed = min(abs(held), quantity)
            gained = (price - before.average_price) * (closed if held > 0 else -closed)
            share = fee if closed == quantity else fee * closed / quantity
            life.leave(closed, price, gained, share)
            if not total or (total > 0) != (held > 0):
                self.trades.append(life.close(fill, long=held > 0))
                del self._lives[key]
                opened = fill.ts if total else None
            if total and (total > 0) != (held > 0):
                life = self._lives[key] = Life(fill.ts)
                life.enter(abs(total), price, fee - share)
        self.realized += gained
        self.fills += 1
        after = Position(
            owner=fill.owner,
            instrument=fill.instrument,
            quantity=total,
            average_price=average,
            realized=before.realized + gained,
            fees=before.fees + fee,
            opened_ns=opened,
            fills=before.fills + 1,
        )
        self._put(key, after, signed)
        return before, after

    def _book_fee(self, fill: Fill) -> Decimal:
        """Book the fee in its currency; return its value in the account's."""
        currency, fee = fill.fee_currency, fill.fee
        self.fees_by_currency[currency] = (
            self.fees_by_currency.get(currency, ZERO) + fee
        )
        if currency != self.currency:
            instrument = self._instruments[fill.instrument]
            if currency == instrument.base:
                fee = fee * fill.price
            elif currency != instrument.quote:
                if fee:
                    unvalued = self.unvalued_fees
                    unvalued[currency] = unvalued.get(currency, ZERO) + fee
                return ZERO
        self.fees += fee
        return fee

    def _put(self, key: tuple[str, str], after: Position, change: Decimal) -> None:
        self._positions[key] = after
        if after.quantity:
            self._open[key] = after
        else:
            self._open.pop(key, None)
        self._net[key[1]] = self._net.get(key[1], ZERO) + change

    def transfer(
        self, giver: str, taker: str, instrument: str, ts: int
    ) -> tuple[tuple[Position, Position], tuple[Position, Position]]:
        """Move a whole position to another owner at its average cost.

        Returns (before, after) of the giver and of the taker. The taker is flat or
        holds the same side, else ValueError: netting two owners is a trade.
        """
        source = self.position(giver, instrument)
        sink = self.position(taker, instrument)
        if source.quantity * sink.quantity < 0:
            raise ValueError(
                f"{taker} holds {sink.quantity} {instrument}, {giver} "
                f"{source.quantity}: opposite sides cannot be joined"
            )
        total = source.quantity + sink.quantity
        emptied = replace(source, quantity=ZERO, average_price=ZERO, opened_ns=None)
        average = source.average_price
        if sink.quantity and total:
            average = (
                sink.average_price * sink.quantity
                + source.average_price * source.quantity
            ) / total
        joined = replace(
            sink,
            quantity=total,
            average_price=average if total else ZERO,
            opened_ns=sink.opened_ns if sink.quantity else ts if total else None,
        )
        moved = self._lives.pop((giver, instrument), None)
        if moved is not None:
            life = self._lives.get((taker, instrument))
            self._lives[(taker, instrument)] = moved if life is None else life + moved
        self._put((giver, instrument), emptied, -source.quantity)
        self._put((taker, instrument), joined, source.quantity)
        return (source, emptied), (sink, joined)

    def position(self, owner: str, instrument: str) -> Position:
        """Return an owner's position, flat if it never traded."""
        found = self._positions.get((owner, instrument))
        if found is None:
            return Position(owner=owner, instrument=instrument)
        return found

    def positions(self) -> list[Position]:
        """Return every position that ever was, in order of first trade."""
        return list(self._positions.values())

    def open_positions(self, instrument: str | None = None) -> list[Position]:
        """Return the positions that are not flat."""
        return [
            p
            for p in self._open.values()
            if instrument is None or p.instrument == instrument
        ]

    def net(self, instrument: str) -> Decimal:
        """Return the account's signed position: the sum of its owners'."""
        return self._net.get(instrument, ZERO)

    def mark(self, instrument: str) -> Decimal | None:
        """Return the market's mark, exact to half a tick; None before any price."""
        mark = self._market.instrument(instrument).mark
        if mark is None or not mark > 0:
            return None
        seen = self._marks.get(instrument)
        if seen is not None and seen[0] == mark:
            return seen[1]
        exact = to_decimal(mark).quantize(self._grid[instrument])
        self._marks[instrument] = (mark, exact)
        return exact

    def value(self) -> Valuation:
        """Return the account at the market; without a mark a position is at cost."""
        unrealized = exposure = ZERO
        marks: dict[str, Decimal | None] = {}
        for (_, instrument), position in self._open.items():
            if instrument in marks:
                mark = marks[instrument]
            else:
                mark = marks[instrument] = self.mark(instrument)
            if mark is not None:
                unrealized += (mark - position.average_price) * position.quantity
        for instrument, mark in marks.items():
            net = self._net[instrument]
            if net:
                exposure += abs(net) * (
                    self._cost(instrument) if mark is None else mark
                )
        equity = self.initial + self.realized - self.fees + unrealized
        return Valuation(equity, unrealized, exposure)

    def _cost(self, instrument: str) -> Decimal:
        prices = [p.average_price for p in self.open_positions(instrument)]
        return max(prices, default=ZERO)

    def account(self, orders: int = 0) -> AccountView:
        """Return the account's money; ``orders`` is how many were sent so far."""
        value = self.value()
        return AccountView(
            currency=self.currency,
            initial=self.initial,
            realized=self.realized,
            unrealized=value.unrealized,
            fees=self.fees,
            equity=value.equity,
            day_start=self.day_start,
            exposure=value.exposure,
            fills=self.fills,
            orders=orders,
        )

    def sample(self, ts: int, equity: Decimal) -> None:
        """Add a point to the equity curve; of one moment only the last stays."""
        if self.curve and self.curve[-1][0] == ts:
            self.curve[-1] = (ts, equity)
        else:
            self.curve.append((ts, equity))

    def start_day(self, ts: int) -> int:
        """Base the day's profit on the equity now; return when the next day starts.

        The base has no record of its own: it follows from the run's clock and the
        equity at the first market event of the day, and a replay derives it again.
        """
        equity = self.value().equity
        self.day_start = equity
        self.sample(ts, equity)
        offset = self._day_offset_ns
        return ((ts - offset) // DAY_NS + 1) * DAY_NS + offset

    def digest(self) -> object:
        """Return the whole state in plain values, in order of booking."""
        return (
            self.currency,
            str(self.initial),
            str(self.realized),
            str(self.fees),
            _plain(self.fees_by_currency),
            _plain(self.unvalued_fees),
            self.fills,
            str(self.day_start),
            tuple(
                (
                    p.owner,
                    p.instrument,
                    str(p.quantity),
                    str(p.average_price),
                    str(p.realized),
                    str(p.fees),
                    p.opened_ns,
                    p.fills,
                )
                for p in self._positions.values()
            ),
            _plain(self._net),
            len(self.trades),
        )


def _plain(amounts: Mapping[str, Decimal]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(amount)) for name, amount in amounts.items())
