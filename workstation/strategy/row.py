"""One row: a (strategy, instrument) pair with its machine, lock and context.

Owned and changed by its strategy's parts only; the screen reads it between inputs.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Any

from workstation.model.instruments import Instrument
from workstation.model.market import Bar
from workstation.model.orders import OrderRole, OrderStatus
from workstation.model.plain import plain
from workstation.model.ports import Core, OrdersView
from workstation.model.records import StateRecord
from workstation.model.states import SymbolState
from workstation.strategy.inputs import Indicators, Market
from workstation.strategy.lock import Lock
from workstation.strategy.machine import Trigger, step
from workstation.strategy.question import Question
from workstation.strategy.tally import Tally

__all__ = ["Row"]

_TRANSITIONS_KEPT = 100


class Row:
    """State of one strategy in one instrument."""

    __slots__ = (
        "answer",
        "asked",
        "bar",
        "bars_left",
        "calls",
        "committing",
        "context",
        "indicators",
        "instrument",
        "lock",
        "market",
        "moves",
        "override_reason",
        "since_ns",
        "state",
        "stop",
        "strategy",
        "tally",
        "target",
        "transitions",
        "willing",
    )

    def __init__(
        self,
        strategy: str,
        instrument: Instrument,
        market: Market,
        indicators: Indicators,
    ) -> None:
        self.strategy = strategy
        self.instrument = instrument
        self.market = market
        self.indicators = indicators
        self.state = SymbolState.WATCH
        self.since_ns = 0
        self.lock = Lock(strategy, instrument.id)
        self.context: dict[str, Any] = {}
        self.bar: Bar | None = None
        self.bars_left = 0
        self.committing = False
        self.stop: Decimal | None = None
        self.target: Decimal | None = None
        self.answer = "no bar yet"
        self.asked: Question | None = None
        self.calls = 0
        self.moves = 0
        self.override_reason = ""
        self.tally = Tally()
        self.willing = False
        """Whether the script's last answer leads towards an entry."""
        self.transitions: deque[StateRecord] = deque(maxlen=_TRANSITIONS_KEPT)

    @property
    def locked(self) -> bool:
        """Tell whether the row is locked in manual."""
        return self.lock.on

    @property
    def lock_until_ns(self) -> int | None:
        """Return when the lock ends by itself, or None."""
        return self.lock.until_ns

    def move(self, core: Core, trigger: Trigger, reason: str) -> None:
        """Move by the table and record it; raises IllegalTransition."""
        before = self.state
        instrument = self.instrument.id
        self.state = step(f"{self.strategy} {instrument}", before, trigger)
        self.since_ns = core.ts
        self.moves += 1
        self.committing = False
        self.willing = self.state is SymbolState.CLOSE_WATCH
        self.override_reason = ""
        record = StateRecord(
            seq=core.seq,
            ts=core.ts,
            strategy=self.strategy,
            instrument=instrument,
            before=before,
            after=self.state,
            trigger=trigger.value,
            reason=reason,
        )
        self.transitions.append(record)
        core.record(record)

    def has_working(self, orders: OrdersView, role: OrderRole) -> bool:
        """Tell whether an order of a role works for the row."""
        working = orders.working(self.strategy, self.instrument.id)
        return any(order.role is role for order in working)

    def is_closing(self, orders: OrdersView) -> bool:
        """Tell whether an order that reduces the position is at the venue."""
        working = orders.working(self.strategy, self.instrument.id)
        return any(
            order.reduce_only and order.status is not OrderStatus.HELD
            for order in working
        )

    def digest(self) -> object:
        """Return the canonical state of the row."""
        return [
            self.instrument.id,
            self.state.value,
            self.locked,
            self.lock_until_ns,
            self.bars_left,
            self.committing,
            str(self.stop),
            str(self.target),
            None if self.asked is None else self.asked.function.value,
            plain(self.context),
        ]
