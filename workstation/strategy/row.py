"""One row: a (strategy, instrument) pair with its machine, lock, history and context.

Owned and changed by its strategy's parts only; the screen reads it between inputs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from workstation.kernel.clock import Timer
from workstation.model.instruments import Instrument
from workstation.model.market import Bar
from workstation.model.orders import OrderRole
from workstation.model.plain import plain
from workstation.model.ports import Core, OrdersView, PositionView
from workstation.model.records import LockRecord, StateRecord
from workstation.model.states import SymbolState
from workstation.model.timeframes import NS_PER_S
from workstation.strategy.inputs import Indicators, Market
from workstation.strategy.lock import Lock
from workstation.strategy.machine import Facts, Trigger, step
from workstation.strategy.plots import Plots
from workstation.strategy.question import Question
from workstation.strategy.settings import StrategySettings
from workstation.strategy.tally import Tally

__all__ = ["ENGINE", "OPERATOR", "OVERRIDE", "SCRIPT", "Row"]

SCRIPT, ENGINE, OPERATOR = "script", "engine", "operator"
OVERRIDE = "override"
"""The signal of an opportunity that is the operator's word."""
_HISTORY_KEPT = 100
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_ENTRY, _CLOSE_WATCH = OrderRole.ENTRY, SymbolState.CLOSE_WATCH


def _nobody(_: Row) -> None:
    pass


class Row:
    """State of one strategy in one instrument.

    ``moves`` counts transitions. ``override`` is who wanted the row out of InTrade, and
    why, until it is out. ``moved`` is called after each change of state. ``was_held``
    is whether a position was held when the row last heard of it.
    """

    __slots__ = (
        "_expiry",
        "_history",
        "_orders",
        "_positions",
        "adopted_seq",
        "answer",
        "asked",
        "bar",
        "bars_left",
        "bars_seen",
        "calls",
        "committing",
        "context",
        "event_due_ns",
        "indicators",
        "instrument",
        "lock",
        "market",
        "moved",
        "moves",
        "override",
        "plots",
        "settings",
        "since_ns",
        "state",
        "stop",
        "strategy",
        "tally",
        "target",
        "was_held",
        "willing",
    )

    def __init__(
        self,
        settings: StrategySettings,
        instrument: Instrument,
        market: Market,
        indicators: Indicators,
        positions: PositionView,
        orders: OrdersView,
    ) -> None:
        self.settings = settings
        self.strategy: str = settings.name
        self.instrument = instrument
        self.market = market
        market.count_orders = self.orders
        self.indicators = indicators
        self._positions = positions
        self._orders = orders
        self.state = SymbolState.WATCH
        self.since_ns = 0
        self.moves = 0
        self.moved: Callable[[Row], None] = _nobody
        # Made with its first entry: most of a thousand rows never move.
        self._history: deque[StateRecord | LockRecord] | None = None
        self.lock = Lock(strategy=self.strategy, instrument=instrument.id)
        self.lock.told = self._remember
        self.context: dict[str, Any] = {}
        self.plots = Plots()
        self.bar: Bar | None = None
        self.bars_left = 0
        self.bars_seen = 0
        self.event_due_ns = 0
        self._expiry: Timer | None = None
        self.committing = False
        self.stop: Decimal | None = None
        self.target: Decimal | None = None
        self.answer = "no bar yet"
        self.asked: Question | None = None
        self.calls = 0
        self.tally = Tally()
        self.willing = False
        """Whether the script's last answer leads towards an entry."""
        self.override: tuple[str, str] | None = None
        self.was_held = False
        # The command that gave the row its position: what it holds is no fill.
        self.adopted_seq = -1

    @property
    def history(self) -> Sequence[StateRecord | LockRecord]:
        """Return what became of state and lock, oldest first."""
        return () if self._history is None else self._history

    def _remember(self, record: StateRecord | LockRecord) -> None:
        if self._history is None:
            self._history = deque(maxlen=_HISTORY_KEPT)
        self._history.append(record)

    @property
    def locked(self) -> bool:
        """Tell whether the row is locked in manual."""
        return self.lock.on

    @property
    def lock_until_ns(self) -> int | None:
        """Return when the lock ends by itself, or None."""
        return self.lock.until_ns

    @property
    def held(self) -> Decimal:
        """Return the signed quantity that the ledger holds of the row."""
        return self._positions.position(self.strategy, self.instrument.id).quantity

    @property
    def is_in(self) -> bool:
        """Tell whether the row holds a position, or an entry works."""
        return bool(self.held) or self.has_working(_ENTRY)

    def facts(self) -> Facts:
        """Return what the table's guards look at, as it is now."""
        return Facts(
            bool(self.held),
            self.has_working(_ENTRY),
            self.settings.untrusted == "keep",
        )

    def move(self, core: Core, trigger: Trigger, reason: str, who: str) -> None:
        """Move by the table and record it; raises IllegalTransition."""
        before = self.state
        instrument = self.instrument.id
        row = (self.strategy, instrument)
        after = step(row, before, trigger, self.facts())
        self.state = after
        self.moves += 1
        if after is not before:
            self.since_ns = core.ts
            self.committing = False
            self.willing = after is _CLOSE_WATCH
            self.override = None
            self._begin(core)
        record = StateRecord(
            seq=core.seq,
            ts=core.ts,
            strategy=self.strategy,
            instrument=instrument,
            before=before,
            after=after,
            trigger=trigger.value,
            who=who,
            reason=reason,
        )
        self._remember(record)
        core.record(record)
        if after is not before:
            self.moved(self)

    def _begin(self, core: Core) -> None:
        """Count anew what ends the new state by itself."""
        self.bars_seen = 0
        self.event_due_ns = 0
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if self.state is not _CLOSE_WATCH:
            self.bars_left = 0
            return
        settings = self.settings
        self.bars_left = settings.close_watch_bars
        seconds = settings.close_watch_s
        if seconds is not None:
            self._expiry = core.call_at(
                core.ts + round(seconds * NS_PER_S),
                f"expire:{self.strategy}/{self.instrument.id}",
                lambda: self._expire(core, f"no commitment within {seconds:g} s"),
            )

    def count_bar(self, core: Core) -> None:
        """Count a bar without a commitment; the last one ends CloseWatch."""
        self.bars_left -= 1
        if self.bars_left <= 0:
            self._expire(core, "no commitment in time")

    def _expire(self, core: Core, reason: str) -> None:
        self._expiry = None
        self.move(core, Trigger.EXPIRE, reason, ENGINE)

    def has_working(self, role: OrderRole) -> bool:
        """Tell whether an order of a role works for the row."""
        for order in self._orders.working(self.strategy, self.instrument.id):
            if order.role is role:
                return True
        return False

    def has_resting_entry(self) -> bool:
        """Tell whether an entry waits for its price or its trigger."""
        for order in self._orders.working(self.strategy, self.instrument.id):
            if order.role is _ENTRY and (
                order.price is not None or order.is_untriggered
            ):
                return True
        return False

    def is_closing(self) -> bool:
        """Tell whether an order takes the position by now, whatever the script says."""
        for order in self._orders.working(self.strategy, self.instrument.id):
            if order.closes_now:
                return True
        return False

    def orders(self) -> int:
        """Return how many orders of the row are not final."""
        return len(self._orders.working(self.strategy, self.instrument.id))

    def digest(self) -> object:
        """Return the canonical state of the row."""
        return [
            self.instrument.id,
            self.state.value,
            self.moves,
            self.locked,
            self.lock_until_ns,
            self.bars_left,
            self.bars_seen,
            self.event_due_ns,
            self.committing,
            str(self.stop),
            str(self.target),
            None if self.asked is None else self.asked.function.value,
            list(self.market.params.items()),
            plain(self.context),
        ]
