"""What others see of an Executor: positions, orders, gates, switches, its whole state.

The screen, the strategies and the engine ask here; answers are of the moment. Only
the engine sets something: pause, and the questions of the switches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from workstation.execution.accounting import Accounting
from workstation.execution.breakers import Breakers
from workstation.execution.controls import Controls
from workstation.execution.desk import OrderDesk
from workstation.execution.gates import entry_gates, inner_gates, outer_gates
from workstation.execution.intents import Intents
from workstation.execution.ledger import Ledger
from workstation.execution.limits import Limits
from workstation.execution.operations import Operations
from workstation.execution.outcomes import Outcomes
from workstation.execution.protection import Protection
from workstation.execution.quoting_desk import QuotingDesk
from workstation.execution.rates import RateBudgets
from workstation.execution.reconciliation import Reconciliation
from workstation.execution.reports import Reports
from workstation.execution.risk import RiskStage
from workstation.execution.sides import both_sides
from workstation.execution.stops import Stops
from workstation.model.commands import KillLevel
from workstation.model.orders import Order, OrderHistory
from workstation.model.owners import DUST
from workstation.model.ports import Core
from workstation.model.positions import AccountView, Position
from workstation.model.reconciliation import ReconciliationView
from workstation.model.states import Gate, PositionBand

__all__ = ["Views"]


class Views:
    """What an Executor answers: it is a ``PositionView`` and an ``OrdersView``."""

    name: str
    accounting: Accounting
    breakers: Breakers
    controls: Controls
    desk: OrderDesk
    intents: Intents
    ledger: Ledger
    limits: Limits
    operations: Operations
    outcomes: Outcomes
    protection: Protection
    quoting: QuotingDesk
    rates: RateBudgets
    reconciliation: Reconciliation
    reports: Reports
    risk: RiskStage
    stops: Stops
    _core: Core

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
        return self.desk.orders.orders_in(owner, instrument)

    def closable(self, owner: str, instrument: str) -> Decimal:
        """Return what a flatten can close of a position: whole lots of it.

        Of dust it is nothing before a venue would take an order for it.
        """
        if owner == DUST and not self.intents.closing.takes_dust(instrument):
            return Decimal(0)
        return self.ledger.closable(owner, instrument)

    def is_flattened(self, order_id: str) -> bool:
        """Tell whether what an order fills is closed as it comes."""
        tracked = self.desk.orders.get(order_id)
        return tracked is not None and bool(tracked.flattened)

    def bracket(self, order_id: str) -> tuple[Decimal | None, Decimal | None]:
        """Return the stop and the target of what an entry will fill."""
        tracked = self.desk.orders.get(order_id)
        intent = None if tracked is None else tracked.intent
        return (None, None) if intent is None else (intent.stop, intent.target)

    def waiting_entry(self, owner: str, instrument: str) -> Decimal:
        """Return the signed quantity that is entered once the position is closed."""
        return self.intents.closing.waiting(owner, instrument)

    def reconciliation_view(self) -> ReconciliationView:
        """Return books and venue side by side, as of the venue's last answer."""
        return both_sides(self.reconciliation, self.desk.orders, self.ledger)

    @property
    def reconciling(self) -> bool:
        """Tell whether nothing is entered until the venue has answered."""
        return bool(self.controls.asked) or self.controls.account_asked

    def held_protection(self) -> list[Order]:
        """Return the orders that only this process keeps, and that only reduce."""
        return [order for order in self.desk.orders.held() if not order.may_open]

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
            self.stops.digest(),
            self.intents.closing.digest(),
            self.outcomes.digest(),
            tuple(sorted(self.operations.adopted)),
            self.accounting.digest(),
            self.quoting.digest(),
            self.rates.digest(),
            self.limits.digest(self._core.ts),
            self.breakers.digest(),
            self.reconciliation.digest(),
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
