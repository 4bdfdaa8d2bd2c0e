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

from workstation.execution.curve import EquityCurve
from workstation.execution.fees import Fees
from workstation.execution.holdings import Holdings
from workstation.execution.lives import Life, Lives
from workstation.execution.marks import Marks
from workstation.execution.statements import DAY_NS, DayStart, Statements
from workstation.kernel.clock import as_of
from workstation.model.instruments import Instrument, Side
from workstation.model.money import minus, plus, ratio, share, times
from workstation.model.orders import Fill
from workstation.model.owners import DUST
from workstation.model.ports import FollowedMarketView
from workstation.model.positions import AccountView, Position, refill
from workstation.model.timeframes import NS_PER_S
from workstation.model.trades import ClosedTrade

__all__ = ["DAY_NS", "ClosedTrade", "Ledger", "Valuation"]

ZERO = Decimal(0)
_BUY = Side.BUY
MINUTE_NS = 60 * NS_PER_S
# Enough for a table on any screen; the journal has the rest.
KEEP_TRADES = 2_000


class Valuation(Struct, frozen=True):
    """Equity, unrealized profit and gross exposure at the marks of one moment."""

    equity: Decimal
    unrealized: Decimal
    exposure: Decimal


class Ledger(Holdings):
    """Books fills of all owners; the account is their sum.

    Sums are exact to the last digit: what was put in + realized − fees + unrealized is
    always the cash that the fills left, plus what is held at its mark.
    ``day_starts_minutes`` is the UTC time of day, in minutes, after which the day's
    profit starts again, with the equity that was last seen before. Equity leaves out
    ``fees.unvalued``. ``mark`` is the market's, exact to half a tick. ``due_ns`` is
    when ``wake`` wants to be called.

    An owner is flat or holds a lot at least: what a fill leaves below that, and what
    its fee takes beyond zero, is ``dust``'s, at the price of the fill. It is in money
    and ``net``, and no position that anybody has open.
    """

    def __init__(
        self,
        currency: str,
        initial: Decimal,
        instruments: Sequence[Instrument],
        market: FollowedMarketView,
        day_starts_minutes: int = 0,
    ) -> None:
        self.currency = currency
        self.initial = initial
        super().__init__({i.id: i for i in instruments})
        self._marks = Marks(market, self._instruments)
        self.mark = self._marks.of
        self.swept: tuple[Position, Position] | None = None
        """Dust before and after, where the last fill left some."""
        self.lives = Lives(market)
        self.realized = ZERO
        self.fees = Fees(currency, self._instruments)
        # Realized − fees: looked at more often than it changes.
        self._earned = ZERO
        self.fills = 0
        self.put_in: dict[str, Decimal] = {}
        """What was put in of other currencies, or taken out, beside all fills."""
        self.day_start = initial
        self.day_lost: Decimal | None = None
        """What the day before had lost in all, until the breakers have judged it."""
        self.trades: deque[ClosedTrade] = deque(maxlen=KEEP_TRADES)
        self.closed = 0
        self.curve = EquityCurve(initial)
        self.statements = Statements(day_starts_minutes * MINUTE_NS)
        self.due_ns, self._day_ends_ns = 0, -1
        # The equity last seen in this run while all that is held had a price.
        self._seen: Decimal | None = None

    def apply(self, fill: Fill) -> tuple[Position, Position]:
        """Book one execution; return the owner's position before and after.

        Where it ends a round trip, ``closed`` is one more and the trade is the last of
        ``trades``. Where it leaves dust, ``swept`` says so.
        """
        if fill.ts > self._day_ends_ns and self._seen is not None:
            self.start_day(fill.ts)
        owner, name = fill.owner, fill.instrument
        key = (owner, name)
        before = self.by_key.get(key) or Position(owner=owner, instrument=name)
        price, quantity, held = fill.price, fill.quantity, before.quantity
        signed = quantity if fill.side is _BUY else -quantity
        fee = self.fees.book(fill)
        instrument = self._instruments[name]
        self.swept, all_fee = None, False
        if fill.fee_currency == instrument.base and fill.fee:
            # It was taken from what is held: that much less is there to sell.
            traded = plus(held, signed)
            signed = self.fees.take_off(fill, signed, fee)
            quantity = signed.copy_abs()
            # What goes beyond zero was paid with what else there was, not traded.
            all_fee = held * traded >= 0 > held * plus(held, signed)
        change, left = signed, refill(before, signed, price)
        rest = left.quantity
        if (
            rest
            and (all_fee or rest.copy_abs() < instrument.lot_size)
            and (not held or (held > 0) != (signed > 0))
            and owner != DUST
        ):
            self._sweep(fill, rest)
            # As if all of it were sold: the rest has another owner at that price.
            signed, quantity = held.copy_negate(), held.copy_abs()
            left = refill(before, signed, price)
        total, gained = left.quantity, left.gained
        self.statements.book(fill, gained, fee)
        opened = before.opened_ns
        life = self.lives.by_key.get(key)
        if life is not None:
            life.settle(before, price)
        if owner == DUST or not (held or total):
            opened = before.opened_ns if total else None
        elif not held or life is None:
            opened = fill.ts
            self._begin(fill, quantity, fee)
        elif not signed or (held > 0) == (signed > 0):
            life.enter(quantity, price, fee)
        else:
            closed = min(held.copy_abs(), quantity)
            part = share(fee, closed, quantity)
            life.leave(closed, price, gained, part)
            if not total or (total > 0) != (held > 0):
                self._close(life, fill, long=held > 0)
                opened = None
            if total and opened is None:
                opened = fill.ts
                self._begin(fill, total.copy_abs(), minus(fee, part))
        realized = before.realized
        if gained:
            self.realized = plus(self.realized, gained)
            realized = plus(realized, gained)
        self.fills += 1
        after = Position(
            owner=owner,
            instrument=name,
            quantity=total,
            cost=left.cost,
            average_price=left.average_price,
            realized=realized,
            fees=plus(before.fees, fee) if fee else before.fees,
            opened_ns=opened,
            fills=before.fills + 1,
        )
        self._earned = minus(self.realized, self.fees.total)
        self.hold(key, after, change)
        return before, after

    def _sweep(self, fill: Fill, rest: Decimal) -> None:
        """Let dust have what a fill has left, at its price."""
        name = fill.instrument
        before = self.position(DUST, name)
        left = refill(before, rest, fill.price)
        turned = before.quantity * left.quantity <= 0
        after = replace(
            before,
            quantity=left.quantity,
            cost=left.cost,
            average_price=left.average_price,
            realized=plus(before.realized, left.gained),
            opened_ns=(fill.ts if left.quantity else None)
            if turned
            else before.opened_ns,
        )
        if left.gained:
            self.realized = plus(self.realized, left.gained)
            self.statements.gain(fill.ts, DUST, name, left.gained)
        self.swept = before, after
        self.hold((DUST, name), after, ZERO)

    def _begin(self, fill: Fill, quantity: Decimal, fee: Decimal) -> None:
        life = Life(fill, quantity, fee, self._marks.grid[fill.instrument])
        self.lives.begin(fill.owner, fill.instrument, life)
        if self.due_ns >= self._day_ends_ns:
            self._set_due(fill.ts)

    def _close(self, life: Life, fill: Fill, *, long: bool) -> None:
        self.closed += 1
        trade = life.close(self.closed, fill, long=long)
        self.trades.append(trade)
        self.statements.close(trade)
        self.lives.end(fill.owner, fill.instrument)

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
        total = plus(source.quantity, sink.quantity)
        cost = plus(source.cost, sink.cost)
        emptied = replace(
            source, quantity=ZERO, cost=ZERO, average_price=ZERO, opened_ns=None
        )
        if not sink.quantity:
            average, opened = source.average_price, ts if total else None
        else:
            average, opened = ratio(cost, total), sink.opened_ns
        joined = replace(
            sink, quantity=total, cost=cost, average_price=average, opened_ns=opened
        )
        self._move_life(source, sink)
        self.hold((giver, instrument), emptied, source.quantity.copy_negate())
        self.hold((taker, instrument), joined, source.quantity)
        return (source, emptied), (sink, joined)

    def _move_life(self, source: Position, sink: Position) -> None:
        instrument = source.instrument
        moved = self.lives.end(source.owner, instrument)
        if moved is None:
            return
        life = self.lives.get(sink.owner, instrument)
        if life is not None:
            life.settle(sink)
            moved.settle(source)
            life.join(moved)
            moved = life
        self.lives.begin(sink.owner, instrument, moved)

    def open_pnl(self, position: Position) -> Decimal | None:
        """Return what a position would bring at the mark, before fees.

        None where nothing is held or there is no mark.
        """
        mark = self.mark(position.instrument) if position.quantity else None
        return None if mark is None else position.open_pnl(mark)

    def worth(self, position: Position) -> Decimal | None:
        """Return what a position is worth at the mark, negative when short."""
        mark = self.mark(position.instrument)
        return None if mark is None else times(mark, position.quantity)

    def value(self) -> Valuation:
        """Return the account at the market; without a mark a position is at cost."""
        cash = plus(self.initial, self._earned)
        held = self.held()
        if not held:
            return Valuation(cash, ZERO, ZERO)
        unrealized = exposure = ZERO
        marks: dict[str, Decimal | None] = {}
        for position in held:
            instrument = position.instrument
            if instrument in marks:
                mark = marks[instrument]
            else:
                mark = marks[instrument] = self.mark(instrument)
            if mark is not None:
                unrealized = plus(unrealized, position.open_pnl(mark))
        for instrument, mark in marks.items():
            net = self.exposed(instrument)
            if net:
                price = self._cost(instrument) if mark is None else mark
                exposure = plus(exposure, times(abs(net), price))
        return Valuation(plus(cash, unrealized), unrealized, exposure)

    def _cost(self, instrument: str) -> Decimal:
        held = (*self.open_positions(instrument), self.position(DUST, instrument))
        return max(position.average_price for position in held)

    def balances(self) -> dict[str, Decimal]:
        """Return what the account has of each currency: cash, what is held, less fees.

        Exact, and by currency, none counted as another: what a spot account that began
        with the cash put in shows after these fills. Borrowed money is negative.
        """
        found = {self.currency: self.initial, **self.put_in}

        def add(currency: str, amount: Decimal) -> None:
            found[currency] = plus(found.get(currency, ZERO), amount)

        for position in self.by_key.values():
            instrument = self._instruments[position.instrument]
            # Realized less cost is what was paid and received, to the last digit.
            add(instrument.quote, minus(position.realized, position.cost))
            add(instrument.base, position.quantity)
        for currency, amount in self.fees.paid():
            add(currency, amount)
        return found

    def put(self, currency: str, amount: Decimal) -> tuple[Decimal, Decimal]:
        """Book money that came in (or, negative, went out) by no fill.

        It is no profit: in the account's currency it moves the bases of the day's
        profit and of drawdowns along. Returns what had been put in of the currency
        before and after.
        """
        if currency != self.currency:
            before = self.put_in.get(currency, ZERO)
            after = self.put_in[currency] = plus(before, amount)
            return before, after
        before = self.initial
        self.initial = plus(before, amount)
        self.day_start = plus(self.day_start, amount)
        if self._seen is not None:
            self._seen = plus(self._seen, amount)
        self.curve.put(amount)
        return before, self.initial

    def account(self, orders: int = 0) -> AccountView:
        """Return the account's money; ``orders`` is how many were sent so far."""
        value = self.value()
        return AccountView(
            currency=self.currency,
            initial=self.initial,
            realized=self.realized,
            unrealized=value.unrealized,
            fees=self.fees.total,
            equity=value.equity,
            day_start=self.day_start,
            exposure=value.exposure,
            fills=self.fills,
            orders=orders,
        )

    # What is due by the run's clock.

    def wake(self, ts: int) -> tuple[bool, Decimal | None]:
        """Start the day and sample the equity, where that is due at ``ts``.

        Returns whether losses are to be looked at at once, because a day has begun or
        comes to its end, and the equity where it was sampled. No day begins while
        something is held that has no mark yet, as right after a restart: nobody knows
        what it begins with.
        Neither has a record of its own: both follow from the clock and the market
        events of the run, and a replay derives them again.
        """
        equity = None
        turns = ts >= self._day_ends_ns and self._is_marked()
        if turns and ts > self._day_ends_ns:
            self.start_day(ts)
        if turns or (self.lives.by_key and ts >= self.due_ns):
            equity = self.sample(ts)
        self._set_due(ts)
        return turns, equity

    def sample(self, ts: int) -> Decimal:
        """Take the equity of now into the curve, and return it."""
        equity = self.value().equity
        self.see(ts, equity)
        return equity

    def see(self, ts: int, equity: Decimal) -> None:
        """Take the equity of now, as it was valued, into the curve."""
        self.curve.sample(ts, equity)
        self._seen = equity if self._is_marked() else None

    def _is_marked(self) -> bool:
        return all(self.mark(instrument) is not None for _, instrument in self.open)

    @property
    def day_ns(self) -> int | None:
        """Return when the day started that the day's profit is of; None before any."""
        days = self.statements.days
        return days[-1].day_ns if days else None

    def resume(
        self, ts: int, day_ns: int, day_start: Decimal, peak: Decimal, initial: Decimal
    ) -> None:
        """Go on with what an earlier run measured losses from, at ``ts``.

        What is put in by now may be another sum than ``initial``, which it was then:
        that is no profit.
        """
        more = minus(self.initial, initial)
        self.day_start = plus(day_start, more)
        if day_ns != self.day_ns:
            self.statements.days.append(DayStart(day_ns, ts, self.day_start))
        self._day_ends_ns = day_ns + DAY_NS
        self.curve.begin_anew(plus(peak, more))

    def settle(self, ts: int, killed_ns: int | None = None) -> int:
        """Let what earlier runs put later than ``ts`` be of ``ts``: positions, the day.

        Their clock was ahead of this one. A day that has not begun is the one of
        ``ts``, and its loss is measured on until this one ends; what was opened after
        the kill goes on to be later than it. Returns how much later the latest was.
        """
        later_ns = 0
        for key, held in list(self.open.items()):
            opened_ns = held.opened_ns
            if opened_ns is None or opened_ns <= ts:
                continue
            later_ns = max(later_ns, opened_ns - ts)
            now_ns = as_of(opened_ns, ts, killed_ns)
            self.hold(key, replace(held, opened_ns=now_ns), ZERO)
            life = self.lives.get(*key)
            if life is not None:
                life.opened_ns = min(life.opened_ns, ts)
        return max(later_ns, self._settle_day(ts))

    def _settle_day(self, ts: int) -> int:
        day_ns, day = self.day_ns, self.statements.day_of(ts)
        if day_ns is None or day_ns <= ts:
            return 0
        days = self.statements.days
        days[:] = [each for each in days if each.day_ns < day]
        days.append(DayStart(day, ts, self.day_start))
        self._day_ends_ns = day + DAY_NS
        return day_ns - ts

    def _set_due(self, ts: int) -> None:
        due = self._day_ends_ns
        if self.lives.by_key:
            wait = self.curve.wait_ns
            due = min(due, (ts // wait + 1) * wait)
        self.due_ns = due

    def start_day(self, ts: int) -> int:
        """Base the day's profit on the equity last seen; return its last moment.

        All that was seen since is of the new day. Where this run saw nothing of the one
        before, the new one begins with the equity of now, less what was booked in it.
        """
        equity = self._seen
        if equity is None:
            booked = self.statements.net_of(self.statements.day_of(ts))
            equity = minus(self.value().equity, booked)
        if self.statements.days:
            self.day_lost = minus(self.day_start, equity)
        self.day_start = equity
        self._day_ends_ns = self.statements.begin_day(ts, equity)
        return self._day_ends_ns

    def digest(self) -> object:
        """Return the whole state in plain values, in order of booking."""
        days = [(d.day_ns, d.ts, str(d.equity)) for d in self.statements.days]
        return (
            self.booked(),
            str(self.day_start),
            self.lives.seen(),
            days,
            self.curve.digest(),
            (self.due_ns, self._day_ends_ns),
            (str(self._seen), str(self.day_lost)),
        )

    def booked(self) -> object:
        """Return in plain values what follows from fills and hand-overs alone.

        Days, the curve and what trades stood at follow from the market, too.
        """
        netted = self.fees.netted()
        return (
            self.currency,
            str(self.initial),
            str(self.realized),
            str(self.fees.total),
            _plain(self.fees.by_currency),
            _plain(self.fees.unvalued),
            _plain(self.put_in),
            self.fills,
            tuple(
                (
                    p.owner,
                    p.instrument,
                    str(p.quantity),
                    str(p.cost),
                    str(p.average_price),
                    str(p.realized),
                    str(p.fees),
                    p.opened_ns,
                    p.fills,
                )
                for p in self.by_key.values()
            ),
            _plain(self.nets),
            self.closed,
            self.lives.booked(),
            self.statements.booked(),
            # Only where there is any, as in most runs there never is.
            *((netted,) if netted else ()),
        )


def _plain(amounts: Mapping[str, Decimal]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(amount)) for name, amount in amounts.items())
