"""The Executor: signals become orders, reports become positions, held stops fire.

The engine's dispatcher calls its handlers; it owns ledger, orders, protection and
switches, and tells of every change through the core. It never looks at a clock and
never sends an order that the risk stage has not passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from workstation.execution.accounting import Accounting
from workstation.execution.breakers import Breakers
from workstation.execution.controls import Controls
from workstation.execution.desk import OrderDesk
from workstation.execution.gates import entry_gates, inner_gates, outer_gates
from workstation.execution.intents import Intents
from workstation.execution.ledger import Ledger
from workstation.execution.limits import Limits
from workstation.execution.operations import Operations
from workstation.execution.orders import Tracked
from workstation.execution.protection import Plan, Protection
from workstation.execution.quoting_desk import QuotingDesk
from workstation.execution.rates import RateBudgets
from workstation.execution.reports import Reports
from workstation.execution.risk import RiskStage
from workstation.execution.sender import Sender
from workstation.execution.settings import (
    OrderSettings,
    QuotingSettings,
    RiskSettings,
)
from workstation.execution.steps import Step
from workstation.execution.tickets import Judged, Tickets
from workstation.model.commands import (
    AmendOrder,
    CancelOrders,
    Flatten,
    Hold,
    Kill,
    KillLevel,
    PlaceOrder,
    Rearm,
    Recover,
    SetLimit,
)
from workstation.model.events import OrderFilled
from workstation.model.instruments import Instrument, Side
from workstation.model.market import Bar, BookDelta, BookSnapshot, Quote, Trade
from workstation.model.orders import (
    Fill,
    Order,
    OrderHistory,
    OrderRole,
    OrderStatus,
    OrderStatusReport,
)
from workstation.model.ports import Core, FollowedMarketView
from workstation.model.positions import AccountView, Position
from workstation.model.rates import BrokerAbilities, RateLimit
from workstation.model.records import FillRecord, TradeRecord
from workstation.model.signals import Signal
from workstation.model.states import BookTrust, Gate, PositionBand
from workstation.model.timeframes import NS_PER_MS

__all__ = ["Executor"]

# Bound once: looking a member up in its enum costs ten times a global (3.11).
_BUY, _SELL = Side.BUY, Side.SELL
_KILL_FLATTEN = KillLevel.FLATTEN


class Executor:
    """One per broker: the desk, the ledger, the risk stage and the held protection.

    It is a ``Part``, a ``PositionView`` and an ``OrdersView``. ``cash`` is in
    ``currency``; the day's profit starts at ``day_starts_minutes`` UTC. ``rates`` are
    the broker's limits, of which ``cancel_share`` is kept for cancels, ``abilities``
    what it can do.
    """

    def __init__(
        self,
        risk: RiskSettings,
        orders: OrderSettings,
        instruments: Sequence[Instrument],
        market: FollowedMarketView,
        *,
        currency: str,
        cash: Decimal,
        day_starts_minutes: int = 0,
        name: str = "executor",
        quoting: QuotingSettings | None = None,
        rates: Sequence[RateLimit] = (),
        cancel_share: float = 0.2,
        abilities: BrokerAbilities | None = None,
    ) -> None:
        self.name = name
        self._core: Core
        self._market = market
        self._instruments = {i.id: i for i in instruments}
        self.controls = Controls()
        self.ledger = Ledger(currency, cash, instruments, market, day_starts_minutes)
        self.rates = RateBudgets(rates, cancel_share)
        self.desk = OrderDesk(name, orders, Sender(self.rates, abilities))
        self.reports = Reports(
            self.desk,
            self._booked,
            self._ended,
            self._stays,
            self._instruments,
            orders.absent_after_ms * NS_PER_MS,
        )
        self.limits = Limits(risk, self._instruments, self.ledger, self.desk.orders)
        self.desk.sent = self.limits.traffic.sent
        self.risk = RiskStage(
            self.limits,
            self._instruments,
            market,
            self.ledger,
            self.desk.orders,
            self.controls,
            self.rates,
        )
        self.quoting = QuotingDesk(quoting or QuotingSettings(), self.desk, self.risk)
        self.protection = Protection(
            self.desk, self.ledger, self._instruments, self._fire
        )
        self.accounting = Accounting(self.limits, self.ledger)
        self.intents = Intents(
            self.desk, self.risk, self.ledger, self.protection, market, orders
        )
        self.operations = Operations(
            self.controls,
            self.desk,
            self.ledger,
            self.protection,
            self.intents.closing,
            self.quoting.withdraw,
            self.limits,
        )
        self.breakers = Breakers(
            self.limits, self.ledger, self.controls, self.operations.kill
        )
        self.tickets = Tickets(self.desk, self.risk, self.ledger, self.protection)
        self._watched = self.protection.watched
        # Nearly always nothing waits for a close: a fill pays for one look.
        self._sequels = self.intents.closing.sequels
        self._resume = self.intents.closing.resume
        self._settle = self.reports.handlers()[OrderStatusReport]
        # When the next day starts or the breakers are due: one look at each event.
        self._day_ends_ns = self._due_ns = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            Signal: self.intents.on_signal,
            **self.quoting.handlers(),
            **self.reports.handlers(),
            OrderStatusReport: self._on_status,
            Quote: self._on_quote,
            Trade: self._on_trade,
            Bar: self._on_bar,
            BookDelta: self._on_book,
            BookSnapshot: self._on_book,
            PlaceOrder: self.tickets.place,
            AmendOrder: self.tickets.amend,
            CancelOrders: self.operations.cancel_orders,
            Flatten: self.operations.flatten,
            Hold: self.operations.hold,
            Kill: self.operations.kill,
            Rearm: self._rearm,
            SetLimit: self._set_limit,
        }
        self.subscriptions: tuple[type, ...] = tuple(self._handlers)

    def attach(self, core: Core) -> None:
        """Receive the way back into the core, once, before the first event."""
        self._core = core
        self.desk.attach(core)
        self.quoting.attach(core)
        self.reports.attach(core)
        self.intents.attach(core)
        self.accounting.attach(core)
        self.operations.attach(core)
        self.tickets.attach(core)
        self.breakers.attach(core)

    def handlers(self) -> Mapping[type, Callable[[Any], None]]:
        """Return the handler of each event type."""
        return self._handlers

    def handle_event(self, event: object) -> None:
        """Take one event of a subscribed type."""
        self._handlers[type(event)](event)

    # Fills and ends, told by the reports.

    def _booked(self, tracked: Tracked, fill: Fill) -> None:
        core = self._core
        ledger = self.ledger
        worthless, closed = len(ledger.unvalued_fees), ledger.closed
        before, after = ledger.apply(fill)
        self._due_ns = ledger.due_ns
        core.record(FillRecord(core.seq, core.ts, fill))
        self.limits.traffic.fills.add(core.ts)
        self._wake()
        filled = OrderFilled(fill, core.ts)
        core.emit(filled)
        core.publish(filled)
        if len(ledger.unvalued_fees) > worthless:
            self.desk.alarm(
                fill.instrument,
                f"fee of {fill.fee} {fill.fee_currency} on {fill.trade_id} has no "
                f"price in {ledger.currency}; equity leaves such fees out",
                "fee",
            )
        self.accounting.position_changed(before, after)
        if ledger.closed > closed:
            core.record(TradeRecord(core.seq, core.ts, ledger.trades[-1]))
        self._follow(tracked, fill, after)

    def _follow(self, tracked: Tracked, fill: Fill, after: Position) -> None:
        """Do what follows a booked fill: protection, and closing what comes late."""
        intent = tracked.intent
        if intent is not None and after.quantity:
            self._install(tracked, intent, fill, after)
        self.protection.sync(fill.owner, fill.instrument)
        if after.quantity:
            self._close_late(tracked, fill)
        if self._sequels:
            self._resume(fill.owner, fill.instrument)

    def recover(self, command: Recover, cut: Sequence[tuple[Tracked, Fill]]) -> str:
        """Go on with what earlier runs left; ``cut`` are fills without what follows."""
        for tracked, fill in cut:
            after = self.ledger.position(fill.owner, fill.instrument)
            self._follow(tracked, fill, after)
        done = self.operations.recover(command)
        self.quoting.recover()
        return done

    def _close_late(self, tracked: Tracked, fill: Fill) -> None:
        """Close what an entry filled after it was flattened, or after the kill."""
        owner, instrument = fill.owner, fill.instrument
        close = self.intents.closing.close
        if self.controls.kill_level is _KILL_FLATTEN:
            close(owner, instrument, OrderRole.FLATTEN, "killed: late fill")
        elif tracked.flattened:
            reason = f"late fill: {tracked.flattened}"
            close(owner, instrument, OrderRole.FLATTEN, reason, fill.quantity)

    def _install(
        self, tracked: Tracked, intent: Signal, fill: Fill, position: Position
    ) -> None:
        side = _SELL if position.quantity > 0 else _BUY
        if side is fill.side or (
            intent.stop is None and intent.target is None and not intent.trailing_bps
        ):
            return
        protection = self.protection
        plan = protection.plan(fill.owner, fill.instrument)
        if plan is not None and plan.side is not side:
            protection.drop(plan, "position turned")
            plan = None
        if plan is None:
            plan = protection.install(
                fill.owner, fill.instrument, side, float(fill.price)
            )
        elif not (intent.add and len(tracked.trades) == 1):
            return
        # What an addition brings along is for the whole position; a stop only tightens.
        protection.change(
            plan,
            stop=intent.stop,
            target=intent.target,
            trailing_bps=intent.trailing_bps,
        )

    def _on_status(self, report: OrderStatusReport) -> None:
        self._settle(report)
        if self.controls.asked:
            self.operations.answered(report.order_id)

    def _ended(self, tracked: Tracked) -> None:
        """See an order end; a released stop or target that failed is held again."""
        order = tracked.order
        if order.reduce_only:
            if order.remaining > 0:
                self._unclosed(tracked)
            self.protection.fire_again(order.owner, order.instrument)
        if self._sequels:
            self._resume(order.owner, order.instrument)

    def _stays(self, tracked: Tracked) -> None:
        """See an order stay open whose cancel was asked for."""
        order = tracked.order
        if not order.reduce_only:
            return
        # The price is watched again: it may be far from what was met before.
        self.protection.unfire(order.owner, order.instrument)
        if (order.owner, order.instrument) in self._sequels:
            self.desk.alarm(
                order.instrument,
                f"{order.role.value} {order.id} was not canceled: {order.reason}; "
                "what should follow it waits",
                "report",
            )

    def _unclosed(self, tracked: Tracked) -> None:
        order = tracked.order
        if order.price is not None:
            # An exit at a price may end without one; what is held stays protected.
            self.protection.sync(order.owner, order.instrument)
            self.intents.closing.taking.ended(tracked)
            return
        if order.status is not OrderStatus.CANCELED:
            self.desk.alarm(
                order.instrument,
                f"{order.role.value} {order.id} ended {order.status.value} with "
                f"{order.remaining} open: {order.reason}",
                "report",
            )
        self.protection.rearm(tracked, self._core.ts)

    def _fire(self, plan: Plan, tracked: Tracked, reason: str) -> bool:
        """Release a triggered order for what is left to close; False to wait."""
        owner, instrument = plan.owner, plan.instrument
        held = self.ledger.position(owner, instrument).quantity
        closing = self.intents.closing
        if closing.cancel_resting(owner, instrument, reason):
            # Both could fill: the stop goes once the exit is out of the way.
            plan.fired = tracked, reason
            return False
        left = abs(held) - self.desk.orders.closing(owner, instrument, plan.side)
        if left <= 0:
            return False
        order = tracked.order
        if order.quantity != left:
            order = replace(order, quantity=left)
        denial = self.risk.check(order, self._core.ts)
        if denial is not None:
            self.desk.deny(order, denial)
            return True
        closing.cancel_entries(owner, instrument, reason)
        closing.clear_way(order)
        self.desk.release(tracked, left, reason)
        return True

    # Prices: the watch over held orders. Nearly always nothing is held.

    def _on_quote(self, event: Quote) -> None:
        if event.ts_recv >= self._due_ns:
            self._fall_due(event.ts_recv)
        plans = self._watched.get(event.instrument)
        if plans is not None:
            # The view, not the event: a late quote must not trigger anything.
            view = self._market.instrument(event.instrument)
            self.protection.on_price(plans, view.bid, view.ask, event.ts_recv)

    def _on_trade(self, event: Trade) -> None:
        if event.ts_recv >= self._due_ns:
            self._fall_due(event.ts_recv)
        plans = self._watched.get(event.instrument)
        if plans is not None:
            view = self._market.instrument(event.instrument)
            if not (view.bid > 0 or view.ask > 0):
                price = event.price
                self.protection.on_price(plans, price, price, event.ts_recv)

    def _on_bar(self, event: Bar) -> None:
        if event.ts_recv >= self._due_ns:
            self._fall_due(event.ts_recv)
        name = event.instrument
        plans, lives = self._watched.get(name), self.ledger.lives.on(name)
        if not (plans or lives) or not self._market.instrument(name).bars_only:
            return
        if plans is not None:
            self.protection.on_range(plans, event.low, event.high, event.ts_recv)
        for owner, life in lives.items():
            # What a bar did after the stop or target in it was met is not the trade's.
            side = _SELL if self.ledger.position(owner, name).quantity > 0 else _BUY
            if not self.desk.orders.closing(owner, name, side):
                life.see(event.low, event.high)

    def _on_book(self, event: BookDelta | BookSnapshot) -> None:
        if event.ts_recv >= self._due_ns:
            self._fall_due(event.ts_recv)
        plans = self._watched.get(event.instrument)
        if plans is not None:
            view = self._market.instrument(event.instrument)
            book = view.book
            if book is not None and book.trust is BookTrust.TRUSTED:
                self.protection.on_price(plans, view.bid, view.ask, event.ts_recv)

    def _fall_due(self, ts: int) -> None:
        """Start the day, sample the equity, look at the breakers: whatever is due."""
        ledger, breakers = self.ledger, self.breakers
        if ts >= ledger.due_ns and ledger.wake(ts):
            breakers.wake()
        if ts >= breakers.due_ns:
            breakers.look(ts)
        self._due_ns = min(ledger.due_ns, breakers.due_ns)

    def _wake(self) -> None:
        """Have the breakers look with the next market event."""
        self.breakers.wake()
        self._due_ns = 0

    def _rearm(self, command: Rearm) -> None:
        self.operations.rearm(command)
        self.breakers.rearmed()
        self._wake()

    def _set_limit(self, command: SetLimit) -> None:
        self.operations.set_limit(command)
        self._wake()

    # Moving positions between owners.

    def handover(self, owner: str, instrument: str, to: str = "operator") -> None:
        """Give a position, its stops and targets to another owner, at average cost.

        Working entries of the giver are canceled. Raises CommandRefused when there is
        no position, it is being closed, or the taker holds the opposite side.
        """
        self.operations.transfer(owner, to, instrument)

    def adopt(self, owner: str, instrument: str, source: str = "operator") -> None:
        """Take over a position of the operator, or of ``external``."""
        self.operations.transfer(source, owner, instrument)

    # Views.

    def position(self, owner: str, instrument: str) -> Position:
        """Return an owner's position, flat if it never traded."""
        return self.ledger.position(owner, instrument)

    def net(self, instrument: str) -> Decimal:
        """Return the account's signed position."""
        return self.ledger.net(instrument)

    def account(self) -> AccountView:
        """Return the account's money, marked at the market."""
        return self.ledger.account(self.desk.orders.sent)

    def band(self, instrument: str) -> PositionBand:
        """Return the band of the position limit the account is in."""
        return self.accounting.band(instrument)

    def orders(self) -> list[Order]:
        """Return every order that is kept, the closed ones first."""
        return list(self.desk.orders.all())

    def history(self, order_id: str) -> OrderHistory | None:
        """Return an order with its last moves; None when it is no longer kept."""
        tracked = self.desk.orders.get(order_id)
        if tracked is None:
            return None
        moves = tuple(tracked.history)
        return OrderHistory(tracked.order, moves, tracked.moves - len(moves))

    def working(self, owner: str, instrument: str) -> list[Order]:
        """Return the orders of an owner that are not final, oldest first."""
        return [t.order for t in self.desk.orders.row(owner, instrument)]

    def waiting_entry(self, owner: str, instrument: str) -> Decimal:
        """Return the signed quantity that is entered once the position is closed."""
        return self.intents.closing.waiting(owner, instrument)

    def drop_waiting(self, owner: str, instrument: str | None, reason: str) -> int:
        """Give up such entries of an owner; return how many there were."""
        return self.intents.closing.drop(owner, instrument, reason)

    def withdraw_quotes(
        self, owner: str | None, instrument: str | None, reason: str
    ) -> int:
        """Cancel quotes and forget their wishes; return how many cancels that took."""
        return self.quoting.withdraw(owner, instrument, reason)

    def quoting_decision(self, owner: str, instrument: str) -> tuple[Step, ...]:
        """Return what was last decided about a row's desired orders, and why."""
        return self.quoting.decision(owner, instrument)

    def held_protection(self) -> list[Order]:
        """Return the stops and targets that only this process keeps."""
        return self.desk.orders.held()

    def gates(
        self, owner: str, instrument: str, quantity: Decimal | None = None
    ) -> tuple[Gate, ...]:
        """Return the checks an entry of this owner would meet now, in order.

        With a quantity the risk gate is that of a market buy of it.
        """
        return entry_gates(self.risk, owner, instrument, self._core.ts, quantity)

    def outer_gates(self, owner: str, instrument: str) -> Iterator[Gate]:
        """Yield those that no entry passes, whatever it is: feed to lock."""
        return outer_gates(self.risk, owner, instrument, self._core.ts)

    def inner_gates(
        self, owner: str, instrument: str, quantity: Decimal | None
    ) -> Iterator[Gate]:
        """Yield those that judge the entry: risk to broker."""
        return inner_gates(self.risk, owner, instrument, self._core.ts, quantity)

    def judge(self, command: PlaceOrder | AmendOrder) -> Judged:
        """Return what an order of the operator would be and whether it passes.

        Raises CommandRefused when there is no such order to amend.
        """
        return self.tickets.judge(command)

    def close_unknown(self, order_id: str, reason: str) -> None:
        """End an Unknown order on the operator's word; a late fill is still booked.

        A stop or target that ends so is held here again. Raises CommandRefused when
        the order is not Unknown.
        """
        self._ended(self.operations.close_unknown(order_id, reason))

    @property
    def unknown_count(self) -> int:
        """Return how many orders have a fate that is not known."""
        return self.desk.orders.unknown

    @property
    def paused(self) -> bool:
        """Tell whether new orders are denied because this task is paused."""
        return self.controls.paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        self.controls.paused = paused

    @property
    def row_locked(self) -> Callable[[str, str], bool]:
        """Return the question whether a row is locked in manual."""
        return self.controls.row_locked

    @row_locked.setter
    def row_locked(self, question: Callable[[str, str], bool]) -> None:
        self.controls.row_locked = question

    @property
    def strategy_paused(self) -> Callable[[str], bool]:
        """Return the question whether a strategy is paused."""
        return self.controls.strategy_paused

    @strategy_paused.setter
    def strategy_paused(self, question: Callable[[str], bool]) -> None:
        self.controls.strategy_paused = question

    @property
    def strategy_state(self) -> Callable[[str], str]:
        """Return the question what a strategy is: running, paused, stopped, failed."""
        return self.controls.strategy_state

    @strategy_state.setter
    def strategy_state(self, question: Callable[[str], str]) -> None:
        self.controls.strategy_state = question

    @property
    def stepped(self) -> Callable[[str], bool]:
        """Return the question whether a paused strategy is being stepped just now."""
        return self.controls.stepped

    @stepped.setter
    def stepped(self, question: Callable[[str], bool]) -> None:
        self.controls.stepped = question

    @property
    def hold(self) -> bool:
        """Tell whether the operator holds new entries."""
        return self.controls.hold

    @property
    def hold_since_ns(self) -> int | None:
        """Return since when."""
        return self.controls.hold_since_ns

    @property
    def kill_level(self) -> KillLevel | None:
        """Return the rung of the kill ladder, None when armed."""
        return self.controls.kill_level

    @property
    def kill_reason(self) -> str:
        """Return why the kill switch was used."""
        return self.controls.kill_reason

    @property
    def killed_ns(self) -> int | None:
        """Return since when."""
        return self.controls.killed_ns

    def digest(self) -> object:
        """Return the whole state in plain values, in a deterministic order."""
        orders = self.desk.orders
        controls = self.controls
        return (
            self.name,
            controls.paused,
            controls.hold,
            controls.hold_since_ns,
            None if controls.kill_level is None else controls.kill_level.value,
            self.ledger.digest(),
            orders.made,
            orders.sent,
            str(orders.pending_value),
            tuple(orders.flattened()),
            self.reports.duplicates,
            self.desk.queries.digest(),
            tuple(_plain(order) for order in orders.all()),
            self.protection.digest(),
            self.intents.closing.digest(),
            self.accounting.digest(),
            self.quoting.digest(),
            self.rates.digest(),
            self.limits.digest(self._core.ts),
            self.breakers.digest(),
            controls.cooling_until_ns,
            controls.tripped,
            controls.ramp_from_ns,
        )


def _plain(order: Order) -> tuple[object, ...]:
    return (
        order.id,
        order.owner,
        order.instrument,
        order.role.value,
        order.side.value,
        order.type.value,
        str(order.quantity),
        str(order.filled),
        None if order.price is None else str(order.price),
        None if order.trigger is None else str(order.trigger),
        order.status.value,
        None if order.prior is None else order.prior.value,
        None if order.average_price is None else str(order.average_price),
        order.post_only,
        order.expires_ns,
        order.trailing,
        order.created_ns,
        order.updated_ns,
        order.inferred,
    )
