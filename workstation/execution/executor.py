"""The Executor: signals become orders, reports become positions, held stops fire.

It puts its parts together and says which of them handles what; the engine's dispatcher
calls those handlers. It never looks at a clock and never sends an order that the risk
stage has not passed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from workstation.execution.accounting import Accounting
from workstation.execution.breakers import Breakers
from workstation.execution.controls import Controls
from workstation.execution.desk import OrderDesk
from workstation.execution.intents import Intents
from workstation.execution.ledger import Ledger
from workstation.execution.limits import Limits
from workstation.execution.operations import Operations
from workstation.execution.outcomes import Outcomes
from workstation.execution.price_watch import PriceWatch
from workstation.execution.protection import Protection
from workstation.execution.quoting_desk import QuotingDesk
from workstation.execution.rates import RateBudgets
from workstation.execution.reconciliation import Reconciliation
from workstation.execution.reports import Reports
from workstation.execution.resuming import Resuming
from workstation.execution.risk import RiskStage
from workstation.execution.sender import Sender
from workstation.execution.settings import (
    OrderSettings,
    QuotingSettings,
    ReconciliationSettings,
    RiskSettings,
)
from workstation.execution.settling import Settling
from workstation.execution.tickets import Judged, Tickets
from workstation.execution.tracked import Tracked
from workstation.execution.triggers import Triggers
from workstation.execution.views import Views
from workstation.model.commands import (
    AmendOrder,
    CancelOrders,
    Flatten,
    Hold,
    Kill,
    PlaceOrder,
    Rearm,
    Reconcile,
    Recover,
    Resolve,
    SetLimit,
)
from workstation.model.instruments import Instrument
from workstation.model.orders import Fill
from workstation.model.owners import OPERATOR
from workstation.model.ports import Core, FollowedMarketView
from workstation.model.rates import BrokerAbilities, RateLimit
from workstation.model.reports import AccountReport, ExternalOrder, OrderStatusReport
from workstation.model.signals import Signal
from workstation.model.timeframes import NS_PER_MS

__all__ = ["Executor"]


class Executor(Views):
    """One per broker: the desk, the ledger, the risk stage and the held protection.

    It is a ``Part``; what it answers is in ``Views``. ``cash`` is in ``currency``; the
    day's profit starts at ``day_starts_minutes`` UTC. ``rates`` are the broker's
    limits, of which ``cancel_share`` is kept for cancels, ``abilities`` what it can do.
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
        reconciliation: ReconciliationSettings | None = None,
        rates: Sequence[RateLimit] = (),
        cancel_share: float = 0.2,
        abilities: BrokerAbilities | None = None,
    ) -> None:
        self.name = name
        by_id = {i.id: i for i in instruments}
        self.controls = Controls()
        self.ledger = Ledger(currency, cash, instruments, market, day_starts_minutes)
        self.rates = RateBudgets(rates, cancel_share)
        self.desk = OrderDesk(name, orders, Sender(self.rates, abilities))
        self.limits = Limits(risk, by_id, self.ledger, self.desk.orders)
        self.desk.sent = self.limits.traffic.sent
        self.risk = RiskStage(
            self.limits,
            by_id,
            market,
            self.ledger,
            self.desk.orders,
            self.controls,
            self.rates,
            keeps_stops=self.desk.sender.abilities.stops,
        )
        self.quoting = QuotingDesk(quoting or QuotingSettings(), self.desk, self.risk)
        self.triggers = triggers = Triggers()
        self.protection = Protection(self.desk, self.ledger, by_id, triggers)
        self.accounting = Accounting(self.limits, self.ledger)
        self.intents = Intents(
            self.desk, self.risk, self.ledger, self.protection, market, orders, triggers
        )
        self.stops = self.intents.stops
        self.operations = Operations(
            self.controls,
            self.desk,
            self.ledger,
            self.protection,
            self.intents.closing,
            self.quoting.withdraw,
            self.limits,
            self.stops,
        )
        self.resuming = Resuming(
            self.controls,
            self.desk,
            self.ledger,
            self.protection,
            self.stops,
            self.limits,
            self.operations.go_on,
        )
        self.breakers = Breakers(
            self.limits, self.ledger, self.controls, self.operations.kill
        )
        self.tickets = Tickets(
            self.desk, self.risk, self.protection, self.stops, self.intents.closing
        )
        self.watch = PriceWatch(
            market, triggers, self.ledger, self.desk.orders, self.breakers
        )
        self.outcomes = Outcomes(
            self.desk,
            self.ledger,
            self.risk,
            self.controls,
            self.accounting,
            self.protection,
            self.intents.closing,
            self.stops,
            self.watch,
        )
        self.protection.fire = self.outcomes.fire
        self.operations.given = self.outcomes.given
        self.reports = Reports(
            self.desk,
            self.outcomes.booked,
            self._ended,
            self.outcomes.works,
            by_id,
            orders.absent_after_ms * NS_PER_MS,
        )
        self.reconciliation = Reconciliation(
            name,
            reconciliation or ReconciliationSettings(),
            self.desk,
            self.ledger,
            self.controls,
            by_id,
            self.reports.handlers()[ExternalOrder],
            self.resuming.settled,
        )
        self.desk.active = self.reconciliation.watch
        self.settling = Settling(
            self.reconciliation,
            self.desk,
            self.ledger,
            self.operations,
            self.outcomes,
            by_id,
        )
        self._settle = self.reports.handlers()[OrderStatusReport]
        self._handlers: dict[type, Callable[[Any], None]] = {
            Signal: self.intents.on_signal,
            **self.quoting.handlers(),
            **self.reports.handlers(),
            OrderStatusReport: self._on_status,
            AccountReport: self.reconciliation.on_report,
            **self.watch.handlers(),
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
        self.protection.attach(core)
        self.accounting.attach(core)
        self.operations.attach(core)
        self.resuming.attach(core)
        self.tickets.attach(core)
        self.breakers.attach(core)
        self.outcomes.attach(core)
        self.reconciliation.attach(core)
        self.settling.attach(core)

    def handlers(self) -> Mapping[type, Callable[[Any], None]]:
        """Return the handler of each event type."""
        return self._handlers

    def handle_event(self, event: object) -> None:
        """Take one event of a subscribed type."""
        self._handlers[type(event)](event)

    def recover(self, command: Recover, cut: Sequence[tuple[Tracked, Fill]]) -> str:
        """Go on with what earlier runs left; ``cut`` are fills without what follows."""
        for tracked, fill in cut:
            after = self.ledger.position(fill.owner, fill.instrument)
            self.outcomes.follow(tracked, fill, after)
        done = self.resuming.recover(command, account=self.reconciliation.begin)
        self.quoting.recover()
        self.intents.closing.taking.recover()
        return done

    def reconcile(self, command: Reconcile) -> str:
        """Ask the venue for the account now; raises CommandRefused."""
        return self.settling.reconcile(command)

    def resolve(self, command: Resolve) -> str:
        """Settle what books and venue say of one subject; raises CommandRefused."""
        return self.settling.resolve(command)

    def _on_status(self, report: OrderStatusReport) -> None:
        self._settle(report)
        if self.controls.asked:
            self.resuming.answered(report.order_id)

    def _ended(self, tracked: Tracked) -> None:
        self.outcomes.ended(tracked)
        if self.controls.asked:
            # How it ended is known: nobody asks about it any more.
            self.resuming.answered(tracked.order.id)

    def _rearm(self, command: Rearm) -> None:
        self.operations.rearm(command)
        self.breakers.rearmed()
        self.watch.wake()

    def _set_limit(self, command: SetLimit) -> None:
        self.operations.set_limit(command)
        self.accounting.judge_bands()
        self.watch.wake()

    # Moving positions between owners.

    def handover(self, owner: str, instrument: str, to: str = OPERATOR) -> None:
        """Give a position, its stops and targets to another owner, at average cost.

        Working entries of the giver are canceled. Raises CommandRefused when there is
        no position, it is being closed, or the taker holds the opposite side.
        """
        self.operations.transfer(owner, to, instrument)

    def adopt(self, owner: str, instrument: str, source: str = OPERATOR) -> None:
        """Take over a position of the operator, or of ``external``."""
        self.operations.transfer(source, owner, instrument)

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

    # What is given up.

    def drop_waiting(self, owner: str, instrument: str | None, reason: str) -> int:
        """Give up entries that wait for a close; return how many there were."""
        return self.intents.closing.drop(owner, instrument, reason)

    def withdraw_quotes(
        self, owner: str | None, instrument: str | None, reason: str
    ) -> int:
        """Cancel quotes and forget their wishes; return how many cancels that took."""
        return self.quoting.withdraw(owner, instrument, reason)
