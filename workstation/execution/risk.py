"""The one risk stage that every order passes: ordered checks, stable codes, numbers.

Asked by the Executor before an order leaves; it changes no order. What reduces risk
(reduce-only orders, protection, the operator's flatten) is never refused for a limit,
for hold or kill, or for the state of the data; cancels do not come here at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from workstation.execution.controls import Controls
from workstation.execution.denials import Denial, DenialCode, Joining
from workstation.execution.entry_limits import EntryLimits
from workstation.execution.ledger import Ledger
from workstation.execution.limits import Limits
from workstation.execution.orders import Orders
from workstation.execution.rates import RateBudgets
from workstation.execution.settings import RiskSettings
from workstation.execution.shape import misshapen
from workstation.execution.triggers import meeting_price
from workstation.model.instruments import Instrument, Side
from workstation.model.orders import Order, OrderRole, OrderStatus
from workstation.model.owners import OPERATOR
from workstation.model.ports import MarketView
from workstation.model.rates import RequestKind
from workstation.model.states import BookTrust

__all__ = ["Denial", "DenialCode", "Joining", "RiskStage"]

ZERO = Decimal(0)
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_BUY, _UNKNOWN, _REVERSE = Side.BUY, OrderStatus.UNKNOWN, Joining.REVERSE
_SAFETY = (OrderRole.STOP, OrderRole.TARGET, OrderRole.FLATTEN)


class RiskStage:
    """Judges one order at a time against limits, switches, data and positions."""

    def __init__(
        self,
        limits: Limits,
        instruments: Mapping[str, Instrument],
        market: MarketView,
        ledger: Ledger,
        orders: Orders,
        controls: Controls,
        rates: RateBudgets | None = None,
        *,
        keeps_stops: bool = False,
    ) -> None:
        """``keeps_stops``: the venue keeps stop orders; else they are held here."""
        self.limits = limits
        self.instruments = instruments
        self.market = market
        self.ledger = ledger
        self.orders = orders
        self.controls = controls
        self.rates = rates or RateBudgets()
        self.keeps_stops = keeps_stops
        self.entries = EntryLimits(limits, market, ledger, orders)

    @property
    def settings(self) -> RiskSettings:
        """Return the limits in force."""
        return self.limits.settings

    @property
    def judged_at(self) -> Decimal:
        """Return the price at which the last entry was valued.

        It stays the price at which the order is pending, while the market's moves on.
        """
        return self.entries.judged_at

    def check(
        self, order: Order, now_ns: int, joining: Joining = Joining.NO
    ) -> Denial | None:
        """Return the first reason to refuse the order, or None.

        An entry is asked data, engine, task, lock, size and limits, throttle, fate:
        the order of the gates, which put the same questions. It is for a flat row
        unless ``joining`` says otherwise.
        """
        instrument = self.instruments.get(order.instrument)
        if instrument is None:
            return self.unknown(order.instrument)
        owner, role, entry = order.owner, order.role, not order.reduce_only
        denial = self.data(order.instrument, now_ns) if entry else None
        if denial is None:
            denial = self.switches(owner, order.instrument, role, entry=entry)
        if denial is not None:
            return denial
        if order.trigger is not None and (denial := self._met(order)) is not None:
            return denial
        if entry:
            return (
                self.size(order, joining, now_ns)
                or self.throttle(now_ns)
                or self.rate(now_ns)
                or self.fate(owner, order.instrument)
                or self.self_trade(order, joining)
            )
        return misshapen(order, instrument, now_ns) or self.reduces(order)

    def unknown(self, instrument: str) -> Denial | None:
        """Return that an instrument is not traded in this run, if so."""
        if instrument in self.instruments:
            return None
        known = ", ".join(self.instruments)
        text = f"{instrument} is not in this run; it has {known}"
        return Denial(DenialCode.UNKNOWN_INSTRUMENT, text)

    def check_change(
        self, order: Order, left: Decimal, price: Decimal, now_ns: int
    ) -> Denial | None:
        """Return the first reason to refuse another price and rest of a quote.

        What is left of it now does not count beside what is to be left.
        """
        denial = self.data(order.instrument, now_ns) or self.switches(
            order.owner, order.instrument, order.role, entry=True
        )
        tracked = self.orders.get(order.id)
        if denial is not None or tracked is None:
            return denial
        changed = replace(order, quantity=left, price=price, filled=ZERO)
        with self.orders.without(tracked):
            return (
                self.size(changed, Joining.QUOTE, now_ns)
                or self.entries.messages(now_ns)
                or self.self_trade(changed, Joining.QUOTE)
            )

    def switches(
        self, owner: str, instrument: str, role: OrderRole, *, entry: bool
    ) -> Denial | None:
        """Return the switch that stands in the way, if any."""
        bound, controls = role not in _SAFETY, self.controls
        if bound and controls.paused:
            return self.paused()
        # One look: nearly always none of these is on.
        if entry and (
            controls.hold
            or controls.kill_level is not None
            or controls.asked
            or controls.account_asked
            or controls.unreconciled
        ):
            denial = (
                self.hold()
                or self.kill()
                or self.reconciling()
                or self.unreconciled(instrument)
            )
            if denial is not None:
                return denial
        if not bound:
            return None
        return (self.task(owner) if entry else None) or self.lock(owner, instrument)

    def paused(self) -> Denial | None:
        """Return that the executor is paused, if so."""
        if not self.controls.paused:
            return None
        return Denial(DenialCode.TASK_PAUSED, "the executor is paused")

    def task(self, owner: str) -> Denial | None:
        """Return why the owner's strategy takes no part, if so."""
        if owner == OPERATOR:
            return None
        state = self.controls.state_of(owner)
        if state == "running":
            return None
        paused = state == "paused"
        code = DenialCode.TASK_PAUSED if paused else DenialCode.TASK_STOPPED
        return Denial(code, f"strategy {owner} is {state}")

    def lock(self, owner: str, instrument: str) -> Denial | None:
        """Return that the row is locked in manual, if so; the operator may act."""
        if owner == OPERATOR or not self.controls.row_locked(owner, instrument):
            return None
        return Denial(
            DenialCode.ROW_LOCKED,
            f"{owner} {instrument} is locked in manual; hand it back first",
        )

    def hold(self) -> Denial | None:
        """Return that new entries are on hold, if so."""
        if not self.controls.hold:
            return None
        return Denial(DenialCode.HOLD, "the operator holds new entries")

    def kill(self) -> Denial | None:
        """Return the rung of the kill ladder, if it was used."""
        controls = self.controls
        if controls.kill_level is None:
            return None
        why = f": {controls.kill_reason}" if controls.kill_reason else ""
        return Denial(
            DenialCode.KILLED,
            f"killed at {controls.kill_level.value}{why}; re-arm to trade",
        )

    def reconciling(self) -> Denial | None:
        """Return that the venue has not answered for what it is asked, if so."""
        asked = self.controls.asked
        if not asked:
            if not self.controls.account_asked:
                return None
            return Denial(
                DenialCode.RECONCILING,
                "the venue is being asked what the account holds",
            )
        return Denial(
            DenialCode.RECONCILING,
            f"the venue is being asked about {', '.join(sorted(asked))}, left open by "
            "an earlier run",
        )

    def unreconciled(self, instrument: str) -> Denial | None:
        """Return that books and venue differ about what it trades, if so."""
        differing = self.controls.unreconciled
        if not differing:
            return None
        traded = self.instruments[instrument]
        for currency in (traded.base, traded.quote):
            if currency in differing:
                return Denial(
                    DenialCode.UNRECONCILED,
                    f"{differing[currency]}; settle that in the reconciliation",
                )
        return None

    def data(self, instrument: str, now_ns: int) -> Denial | None:
        """Return why the market data must not be traded on, if so."""
        reason = self.market.distrust(instrument, now_ns)
        if reason is None:
            return None
        book = self.market.instrument(instrument).book
        # A book that is fine leaves age as the only cause.
        bad_book = book is not None and book.trust in (
            BookTrust.UNTRUSTED,
            BookTrust.SYNCING,
        )
        code = DenialCode.BOOK_UNTRUSTED if bad_book else DenialCode.DATA_STALE
        return Denial(code, reason)

    def _met(self, order: Order) -> Denial | None:
        """Return that the trigger of a new stop is met already, if so."""
        trigger = order.trigger
        if trigger is None or not order.is_untriggered:
            return None
        price = meeting_price(self.market.instrument(order.instrument), order.side)
        buys = order.side is _BUY
        if price is None or (trigger > price if buys else trigger < price):
            return None
        side, where = ("buy", "above") if buys else ("sell", "below")
        return Denial(
            DenialCode.TRIGGER_MET,
            f"the trigger of a {side} stop must be {where} {price}, {trigger} is met "
            "already",
        )

    def shape(self, order: Order, now_ns: int = 0) -> Denial | None:
        """Return what of price, quantity or end the instrument does not allow."""
        return misshapen(order, self.instruments[order.instrument], now_ns)

    def reduces(self, order: Order) -> Denial | None:
        """Return that an order would do more than close what its owner holds, if so."""
        position = self.ledger.position(order.owner, order.instrument).quantity
        closing = self.orders.closing(order.owner, order.instrument, order.side)
        room = (-position if order.side is _BUY else position) - closing
        if order.quantity > room:
            if closing and room <= 0:
                return self.closing(position, order.instrument)
            return Denial(
                DenialCode.REDUCE_ONLY_WOULD_INCREASE,
                f"{order.side.value} {order.quantity} would add: {order.owner} holds "
                f"{position}, {closing} of it is being closed",
            )
        return None

    def closing(self, position: Decimal, instrument: str) -> Denial:
        """Return the refusal of an exit while others close the whole position."""
        return Denial(
            DenialCode.CLOSING,
            f"all of {position} {instrument} is being closed already",
        )

    def size(
        self, order: Order, joining: Joining = Joining.NO, now_ns: int = 0
    ) -> Denial | None:
        """Return why an entry of this quantity and price is refused, if so."""
        instrument = self.instruments[order.instrument]
        return (
            misshapen(order, instrument, now_ns)
            or self._in_the_way(order, joining)
            or self.entries.check(order, instrument, joining)
        )

    def reference(self, order: Order) -> Decimal | None:
        """Return the price to value an order at: its own, else what it would meet."""
        return self.entries.reference(order)

    def throttle(self, now_ns: int) -> Denial | None:
        """Return that there are too many orders or messages for one more, if so."""
        return self.entries.throttle(now_ns)

    def losses(self) -> Denial | None:
        """Return that too much was lost for any entry, if so."""
        return self.entries.lost(self.ledger.value().equity)

    def sized(self, owner: str, instrument: str, quantity: Decimal, ts: int) -> Decimal:
        """Return how much of an entry is made; less for a while after a trip."""
        if owner == OPERATOR or instrument not in self.instruments:
            return quantity
        share = self.entries.ramp(self.controls.ramp_from_ns, ts)
        if share >= 1:
            return quantity
        return self.instruments[instrument].round_quantity(quantity * share)

    def rate(self, now_ns: int) -> Denial | None:
        """Return that the broker's rate leaves no room for a new order, if so."""
        refusal = self.rates.refusal(RequestKind.PLACE, now_ns)
        if refusal is None:
            return None
        return Denial(DenialCode.RATE_LIMITED, refusal)

    def fate(self, owner: str, instrument: str) -> Denial | None:
        """Return the orders of a strategy's row that nobody knows the fate of."""
        if owner == OPERATOR or not self.orders.unknown:
            return None
        row = self.orders.row(owner, instrument)
        lost = [t.order.id for t in row if t.order.status is _UNKNOWN]
        if not lost:
            return None
        return Denial(DenialCode.FATE_UNKNOWN, f"fate of {', '.join(lost)} is unknown")

    def meets(self, order: Order) -> list[Order]:
        """Return the own orders at the venue that this one would trade with.

        A market order is taken to reach the best price shown, a stop that the venue
        keeps its own price or trigger.
        """
        if not self.orders.resting.best:
            return []
        if order.trigger is not None and order.is_untriggered and not self.keeps_stops:
            # What is held here meets nothing; it is looked at again when it leaves.
            return []
        reach = self.reference(order)
        if reach is None:
            return []
        orders = self.orders
        met = orders.resting.met_by(order.instrument, order.side, reach)
        found = (orders.get(order_id) for order_id in met)
        return [tracked.order for tracked in found if tracked is not None]

    def self_trade(self, order: Order, joining: Joining = Joining.NO) -> Denial | None:
        """Return that an entry would trade with an own order, if so.

        A reversal cancels what its own row has at work first.
        """
        for met in self.meets(order):
            if joining is not _REVERSE or met.owner != order.owner:
                return Denial(
                    DenialCode.SELF_TRADE,
                    f"{order.side.value} {order.quantity} would trade with own order "
                    f"{met.id} of {met.owner}: {met.side.value} {met.remaining} at "
                    f"{met.price}",
                )
        return None

    def _in_the_way(self, order: Order, joining: Joining) -> Denial | None:
        """Return that the row is in a state this entry was not meant for, if so."""
        owner, instrument = order.owner, order.instrument
        if joining is Joining.QUOTE:
            return None
        if joining is Joining.NO:
            return self.occupied(owner, instrument)
        position = self.ledger.position(owner, instrument).quantity
        same_side = (position > 0) is (order.side is _BUY)
        if joining is Joining.REVERSE:
            # What works is canceled first; flat by now is as good as closed.
            if not position or not same_side:
                return None
            return Denial(
                DenialCode.ALREADY_IN_POSITION,
                f"{owner} holds {position} {instrument}, which is that side already",
            )
        if not position:
            return Denial(
                DenialCode.NO_POSITION, f"{owner} holds no {instrument} to add to"
            )
        if not same_side:
            return Denial(
                DenialCode.ALREADY_IN_POSITION,
                f"{owner} holds {position} {instrument}; add to that side, or reverse",
            )
        return self._entering(owner, instrument)

    def occupied(self, owner: str, instrument: str) -> Denial | None:
        """Return why a strategy's row may not enter: it is in, or on its way in."""
        if owner == OPERATOR:
            return None
        position = self.ledger.position(owner, instrument).quantity
        if position:
            return Denial(
                DenialCode.ALREADY_IN_POSITION,
                f"{owner} holds {position} {instrument}; exit first",
            )
        return self._entering(owner, instrument)

    def _entering(self, owner: str, instrument: str) -> Denial | None:
        entry = self.orders.has_entry(owner, instrument)
        if entry is not None:
            return Denial(
                DenialCode.ALREADY_IN_POSITION,
                f"{owner} has entry {entry} working in {instrument}",
            )
        return None
