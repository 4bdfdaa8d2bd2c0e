"""The life of a position from flat to flat, and the closed trade it leaves.

The ledger owns them; a hand-over lets the life go on under its new owner. The marks
that a life sees are followed only while it lasts: a symbol nobody holds pays nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from workstation.model.instruments import Side, to_decimal
from workstation.model.money import plus, ratio, times
from workstation.model.orders import Fill
from workstation.model.ports import FollowedMarketView, InstrumentView
from workstation.model.positions import Position
from workstation.model.trades import ClosedTrade

__all__ = ["Life", "Lives"]

ZERO = Decimal(0)
_UNSEEN = float("inf")
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_BUY, _SELL = Side.BUY, Side.SELL


class Life:
    """Sums of a position since it was last flat; ``grid`` is what marks are rounded to.

    ``low`` and ``high`` are the marks since its last fill. Between two fills quantity
    and cost stand still, so the extremes in money are at those in price: a tick costs
    two comparisons, and money is reckoned once a fill.
    """

    __slots__ = (
        *("bought", "entered", "exited", "fees", "fills", "grid", "high", "highest"),
        *("low", "sold"),
        *("lowest", "mae", "mfe", "opened_ns", "paid", "pnl", "reason", "received"),
    )

    def __init__(
        self, fill: Fill, quantity: Decimal, fee: Decimal, grid: Decimal
    ) -> None:
        self.grid = grid
        self.opened_ns = fill.ts
        self.reason = fill.reason or fill.role.value
        self.entered, self.fees = quantity, fee
        self.paid = times(quantity, fill.price)
        self.exited = self.received = self.pnl = self.mae = self.mfe = ZERO
        self.fills = 1
        # The price of the only entry, and of the only exit: nothing to divide then.
        self.bought: Decimal | None = fill.price
        self.sold: Decimal | None = None
        self.lowest = self.highest = fill.price
        self.low, self.high = _UNSEEN, -_UNSEEN

    def see(self, low: float, high: float) -> None:
        """Take the marks of one moment, or the range of a bar."""
        if low < self.low:
            self.low = low
        if high > self.high:
            self.high = high

    def settle(self, held: Position, price: Decimal | None = None) -> None:
        """Value what was held at the extremes since the last fill, and at ``price``."""
        low = high = price
        if self.low <= self.high:
            bottom = to_decimal(self.low).quantize(self.grid)
            top = to_decimal(self.high).quantize(self.grid)
            low = bottom if low is None or bottom < low else low
            high = top if high is None or top > high else high
            self.low, self.high = _UNSEEN, -_UNSEEN
        if low is None or high is None:
            return
        self.lowest = min(self.lowest, low)
        self.highest = max(self.highest, high)
        for at in (low, high) if low != high else (low,):
            stood = plus(self.pnl, held.open_pnl(at))
            self.mae = min(self.mae, stood)
            self.mfe = max(self.mfe, stood)

    def enter(self, quantity: Decimal, price: Decimal, fee: Decimal) -> None:
        """Add to the position."""
        self.bought = None
        self.entered = plus(self.entered, quantity)
        self.paid = plus(self.paid, times(quantity, price))
        self.fees = plus(self.fees, fee)
        self.fills += 1

    def leave(
        self, quantity: Decimal, price: Decimal, gained: Decimal, fee: Decimal
    ) -> None:
        """Take from the position; ``gained`` is what that realized."""
        received = times(quantity, price)
        if self.exited:
            self.sold = None
            self.exited = plus(self.exited, quantity)
            self.received = plus(self.received, received)
            self.pnl = plus(self.pnl, gained)
        else:
            self.sold, self.exited = price, quantity
            self.received, self.pnl = received, gained
        self.fees = plus(self.fees, fee)
        self.fills += 1

    def close(self, number: int, fill: Fill, *, long: bool) -> ClosedTrade:
        """Return the trade that this last fill completed."""
        entry, exit_ = self.bought, self.sold
        # Six by place: a call with more than fifteen names makes a dict first (3.11).
        return ClosedTrade(
            number,
            fill.owner,
            fill.instrument,
            _BUY if long else _SELL,
            self.exited,
            ratio(self.paid, self.entered) if entry is None else entry,
            exit=ratio(self.received, self.exited) if exit_ is None else exit_,
            pnl=self.pnl,
            fees=self.fees,
            fills=self.fills,
            lowest=self.lowest,
            highest=self.highest,
            mae=self.mae,
            mfe=self.mfe,
            entry_reason=self.reason,
            exit_reason=fill.reason or fill.role.value,
            opened_ns=self.opened_ns,
            closed_ns=fill.ts,
        )

    def join(self, other: Life) -> None:
        """Take in a life of the same instrument; both have been settled.

        The joined one stood no worse than both at their worst: a bound, for when each
        did is not kept.
        """
        self.bought = self.sold = None
        if other.opened_ns < self.opened_ns:
            self.opened_ns, self.reason = other.opened_ns, other.reason
        for name in (
            *("entered", "paid", "exited", "received", "pnl", "fees", "mae", "mfe"),
        ):
            setattr(self, name, plus(getattr(self, name), getattr(other, name)))
        self.fills += other.fills
        self.lowest = min(self.lowest, other.lowest)
        self.highest = max(self.highest, other.highest)

    def booked(self) -> tuple[object, ...]:
        """Return in plain values what follows from the fills."""
        sums = (self.entered, self.paid, self.exited, self.received, self.pnl)
        return (
            *(self.opened_ns, self.reason, self.fills),
            *(str(each) for each in (*sums, self.fees)),
        )

    def seen(self) -> tuple[object, ...]:
        """Return in plain values what follows from the marks."""
        extremes = (self.lowest, self.highest, self.mae, self.mfe)
        return (repr(self.low), repr(self.high), *(str(each) for each in extremes))


class Lives:
    """The lives of the positions held, by owner and instrument, and what they see."""

    def __init__(self, market: FollowedMarketView) -> None:
        self._market = market
        self.by_key: dict[tuple[str, str], Life] = {}
        """Them all by (owner, instrument), in order of opening; to be read only."""
        self._on: dict[str, dict[str, Life]] = {}
        self._stops: dict[str, Callable[[], None]] = {}

    def get(self, owner: str, instrument: str) -> Life | None:
        """Return the life of a position, None where nothing is held."""
        return self.by_key.get((owner, instrument))

    def begin(self, owner: str, instrument: str, life: Life) -> None:
        """Keep a life; the marks of its instrument are followed from now on."""
        self.by_key[owner, instrument] = life
        together = self._on.get(instrument)
        if together is None:
            together = self._on[instrument] = {}
            self._stops[instrument] = self._follow(instrument, together)
        together[owner] = life

    def end(self, owner: str, instrument: str) -> Life | None:
        """Forget a life and return it; with the last one the marks, too."""
        life = self.by_key.pop((owner, instrument), None)
        together = self._on.get(instrument)
        if together is not None:
            together.pop(owner, None)
            if not together:
                del self._on[instrument]
                self._stops.pop(instrument)()
        return life

    def _follow(self, instrument: str, together: dict[str, Life]) -> Callable[[], None]:
        def tick(view: InstrumentView, _: object) -> None:
            mark = view.mark
            if mark is not None and mark > 0:
                for life in together.values():
                    if mark < life.low:
                        life.low = mark
                    if mark > life.high:
                        life.high = mark

        return self._market.follow(instrument, tick)

    def on(self, instrument: str) -> dict[str, Life]:
        """Return the lives on an instrument by owner; empty where none is."""
        return self._on.get(instrument, {})

    def booked(self) -> object:
        """Return in plain values what follows from the fills, in order of opening."""
        return tuple((*key, life.booked()) for key, life in self.by_key.items())

    def seen(self) -> object:
        """Return in plain values what follows from the marks, in the same order."""
        return tuple(life.seen() for life in self.by_key.values())
