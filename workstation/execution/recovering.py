"""Taking an account up where its journal left it, before an Executor's first event.

Records are applied in order, to the ledger and the orders as they are applied while
running; nothing is recorded, published or sent. Then ``finish`` installs what follows
from them: protection, and how far the ids have come.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from workstation.execution.balances import BalanceState
from workstation.execution.executor import Executor
from workstation.execution.limits import LOSSES
from workstation.execution.live_limits import LiveLimits, SetLive
from workstation.execution.tracked import Tracked
from workstation.execution.wanted_protection import WantedProtection
from workstation.model.commands import (
    KillLevel,
    PauseTask,
    Recover,
    RestartTask,
    ResumeTask,
    StopTask,
)
from workstation.model.errors import JournalError
from workstation.model.limits import BreakerState
from workstation.model.money import minus
from workstation.model.orders import Fill, OrderEvent, OrderRole, OrderStatus
from workstation.model.owners import DUST, EXTERNAL
from workstation.model.rates import RequestKind
from workstation.model.reconciliation import Subject, Verdict
from workstation.model.records import (
    BalanceRecord,
    BreakerRecord,
    CommandRecord,
    ControlRecord,
    DenyRecord,
    DifferenceRecord,
    FaultRecord,
    FillRecord,
    FlattenedRecord,
    LimitRecord,
    LockRecord,
    LossBaseRecord,
    OrderRecord,
    OwedRecord,
    OwnerRecord,
    PositionRecord,
    ProtectionRecord,
    Record,
    SignalRecord,
    TradeRecord,
)
from workstation.model.signals import Signal, SignalAction
from workstation.model.timeframes import NS_PER_S

__all__ = ["Recovering"]

ZERO = Decimal(0)
# How an order that was made here begins.
_OURS = (OrderEvent.SUBMIT, OrderEvent.HOLD)
_MESSAGES = {
    OrderEvent.SUBMIT: RequestKind.PLACE,
    OrderEvent.REQUEST_REPLACE: RequestKind.MODIFY,
    OrderEvent.REQUEST_CANCEL: RequestKind.CANCEL,
}
# So much of what was traded by hand before the engine ended is looked for: a run of
# months may have sent more orders than a venue lists in reasonable time.
_MOST_BACK_NS = 86_400 * NS_PER_S
_HALTS = (PauseTask.__name__, StopTask.__name__)
_GOES_ON = (ResumeTask.__name__, RestartTask.__name__)
_ENTRY = OrderRole.ENTRY
_ENTERS = (SignalAction.ENTER_LONG, SignalAction.ENTER_SHORT)
Row = tuple[str, str]


class Recovering:
    """Feeds the records of earlier runs to an Executor that has not begun."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._entries: dict[Row, Signal] = {}
        # The row whose entry the last signal of this input has replaced, and by what.
        self._replaced: tuple[Row, Signal | None] | None = None
        self._wanted = WantedProtection(executor)
        self._filled: tuple[int, str, str] | None = None
        self._given: PositionRecord | None = None
        self._live = LiveLimits()
        self.limits: dict[str, SetLive] = {}
        """The limits in force that are not the config's."""
        self.locked: dict[Row, LockRecord] = {}
        """Rows that were locked in manual, by the record that says so."""
        self.halted: dict[str, str] = {}
        """The command that last paused or stopped each task which did not go on."""
        self.records = 0
        self._seq = self._ts = 0
        self.at_work = True
        """Whether the run that is read has taken the account up, or done nothing."""
        # When the account was last settled at a start; it may have been silent since.
        self._settled = 0
        self._opened = False
        self.cut: list[tuple[Tracked, Fill]] = []
        """Fills of the last input, where nothing that follows from them is on record.

        Versions before this one could be cut off within an input.
        """
        self._unfollowed = False
        """Whether a run is read that has not followed those of the run before yet."""

    def begins(self, risk: Mapping[str, object], mark: str = "") -> None:
        """Note that another run began, with these values of ``[risk]``.

        ``mark`` is what the ids of its orders have.
        """
        self._live.begins(risk)
        self._executor.desk.orders.gave(mark)
        # Each run counts its inputs from the first.
        self._seq, self._filled, self._given = 0, None, None
        self._unfollowed = bool(self.cut)
        self.at_work = not self.records

    def take(self, record: Record) -> None:
        """Apply one record."""
        if not self.records:
            self._settled = record.ts
        self.records += 1
        if self.at_work:
            self._ts = record.ts
        if record.seq != self._seq:
            self._seq = record.seq
            self._wanted.over()
            self._replaced = None
            if not self._unfollowed:
                self.cut.clear()
        elif self.cut and not self._unfollowed and _follows(record):
            self.cut.clear()
        match record:
            case OrderRecord():
                self._order(record)
            case FillRecord():
                self._fill(record)
            case PositionRecord():
                self._position(record)
            case TradeRecord(trade=trade):
                # What it stood at on the way does not follow from its fills. Versions
                # that kept fees in base apart ended trades which these books do not.
                trades = self._executor.ledger.trades
                if trades and trades[-1].number == trade.number:
                    trades[-1] = trade
            case SignalRecord(signal=signal):
                if signal.action in _ENTERS:
                    row = (signal.strategy, signal.instrument)
                    self._replaced = (row, self._entries.get(row))
                    self._entries[row] = signal
                self._wanted.signal(signal)
            case DenyRecord():
                self._refused(record)
                self._wanted.denied(record)
            case ProtectionRecord():
                self._wanted.take(record)
            case FlattenedRecord(order_ids=ids, reason=reason):
                for order_id in ids:
                    tracked = self._executor.desk.orders.get(order_id)
                    if tracked is not None:
                        tracked.flattened = reason
            case OwedRecord():
                self._owed(record)
            case ControlRecord():
                self._control(record)
            case CommandRecord(command=Recover.__name__, accepted=True):
                self.at_work = True
                self._follow()
            case CommandRecord(command=name, subject=task, accepted=True):
                if name in _HALTS:
                    self.halted[task] = name
                elif name in _GOES_ON:
                    self.halted.pop(task, None)
            case LockRecord():
                self._lock(record)
            case LimitRecord():
                self._live.take(record)
            case LossBaseRecord():
                self._executor.ledger.resume(
                    record.ts,
                    record.day_ns,
                    record.day_start,
                    record.peak,
                    record.initial,
                )
            case BreakerRecord(name=name):
                if name in LOSSES:
                    self._executor.breakers.resume(name, record.after)
                    if record.after is BreakerState.TRIPPED:
                        self._cool(record.ts)
            case OwnerRecord():
                tracked = self._executor.desk.orders.get(record.order_id)
                if tracked is not None and not tracked.order.is_terminal:
                    owner, role = record.after, record.role
                    self._executor.desk.orders.reassign(tracked, owner, role)
            case BalanceRecord():
                self._balance(record)
            case DifferenceRecord():
                self._difference(record)

    def finish(self) -> None:
        """Open again what was cut off, and install the protection of what is held.

        A kill may come between two records of one input: an order is filled then, and
        its fill not booked. The venue has to tell of it once more.
        """
        executor = self._executor
        orders = executor.desk.orders
        # What is lost is compared with the first market event, position or not.
        executor.breakers.wake()
        self.limits |= self._live.holding(executor.limits.settings)
        for name, limit in self.limits.items():
            executor.limits.put(name, limit.value, seq=0)
        reconciliation = executor.reconciliation
        reconciliation.opened |= self._opened
        if self.records:
            reconciliation.recovered(max(self._settled, self._ts - _MOST_BACK_NS))
        for order in list(orders.all()):
            found = orders.get(order.id)
            if found is not None and order.filled != sum(found.trades.values(), ZERO):
                orders.reopen(found)
        for tracked in orders.open():
            order = tracked.order
            self._check(order.instrument, f"left order {order.id} open in")
            executor.intents.closing.taking.take_up(tracked)
            waits = order.trigger is not None and order.is_untriggered
            if waits and not order.is_leg:
                executor.stops.take_up(tracked)
        self._wanted.install()
        executor.intents.closing.taking.resume(self._ts)

    def _order(self, record: OrderRecord) -> None:
        orders = self._executor.desk.orders
        order = record.order
        tracked = orders.get(order.id)
        if tracked is None:
            if record.before is not OrderStatus.INITIALIZED:
                # One so old that it is no longer kept.
                return
            row = (order.owner, order.instrument)
            intent = self._entries.get(row) if order.role is _ENTRY else None
            tracked = Tracked(
                replace(order, status=record.before, filled=ZERO),
                intent,
                order.price or order.trigger or ZERO,
            )
            if record.event not in _OURS:
                # It was made at the venue, which has had it.
                tracked.seen = True
                orders.adopt(tracked)
            else:
                orders.take_up(tracked)
        # No entry is sent before the venue's first word, which old runs did not record.
        self._opened |= record.event is OrderEvent.SUBMIT and not order.reduce_only
        tracked.worth = record.worth or tracked.worth
        orders.update(tracked, order)
        self._wanted.moved(order)
        tracked.moves += 1
        self._message(tracked, record)

    def _refused(self, record: DenyRecord) -> None:
        """Forget an entry that was refused: one before it may still be to come."""
        replaced = self._replaced
        row = (record.owner, record.instrument)
        if replaced is None or replaced[0] != row or record.role is not _ENTRY:
            return
        self._replaced = None
        if replaced[1] is None:
            self._entries.pop(row, None)
        else:
            self._entries[row] = replaced[1]

    def _message(self, tracked: Tracked, record: OrderRecord) -> None:
        """Note what left for the venue: it counts in windows, too."""
        kind = _MESSAGES.get(record.event)
        if kind is not None:
            executor, ts = self._executor, record.ts
            tracked.spoken_ns = ts
            if kind is RequestKind.PLACE:
                tracked.sent_ns = tracked.heard_ns = ts
            executor.limits.traffic.sent(ts, kind is RequestKind.PLACE)
            executor.rates.spend(kind, ts)

    def _follow(self) -> None:
        if self._unfollowed:
            self._unfollowed = False
            self.cut.clear()

    def _fill(self, record: FillRecord) -> None:
        fill = record.fill
        self._follow()
        self._check(fill.instrument, "traded")
        self._wanted.held(*self._executor.ledger.apply(fill))
        self._executor.limits.traffic.fills.add(record.ts)
        self._filled = (record.seq, fill.owner, fill.instrument)
        tracked = self._executor.desk.orders.get(fill.order_id)
        if tracked is not None:
            tracked.trades[fill.trade_id] = fill.quantity
            tracked.brought = True
            self.cut.append((tracked, fill))

    def _check(self, instrument: str, what: str) -> None:
        """Refuse what this run could neither book nor ask about."""
        known = self._executor.risk.instruments
        if instrument not in known:
            raise JournalError(
                f"the account {what} {instrument}, which is not in this run (it has "
                f"{', '.join(known)}); put it back into the config"
            )

    def _position(self, record: PositionRecord) -> None:
        after = record.after
        if self._filled == (record.seq, after.owner, after.instrument):
            self._filled = None
            return
        if after.owner == DUST:
            # It follows from the fill before it.
            return
        # No fill: a hand-over, told of the giver and then of the taker.
        given, self._given = self._given, record
        if given is not None and given.seq == record.seq:
            self._given = None
            gave, _ = self._executor.ledger.transfer(
                given.after.owner, after.owner, after.instrument, record.ts
            )
            self._wanted.held(*gave)
            if given.after.owner == EXTERNAL:
                self._executor.operations.adopted.add((after.owner, after.instrument))

    def _owed(self, record: OwedRecord) -> None:
        row = (record.owner, record.instrument)
        self._executor.outcomes.owes(row, record.after)

    def _control(self, record: ControlRecord) -> None:
        controls = self._executor.controls
        if record.name == "recovery" and record.after == "done":
            self._settled = record.ts
        if record.name == "hold":
            controls.hold = record.after == "on"
            controls.hold_since_ns = record.ts if controls.hold else None
        elif record.name == "kill":
            armed = record.after == "armed"
            controls.kill_level = None if armed else KillLevel(record.after)
            controls.kill_reason = "" if armed else record.reason
            controls.killed_ns = None if armed else record.ts
            if armed and controls.tripped:
                controls.ramp_from_ns = record.ts
            if armed:
                controls.tripped, controls.cooling_until_ns = False, None
            elif record.who == "breaker":
                self._cool(record.ts)

    def _cool(self, ts: int) -> None:
        cooling_s = self._executor.limits.settings.cooling_s
        self._executor.controls.cool(ts + round(cooling_s * NS_PER_S))

    def _lock(self, record: LockRecord) -> None:
        row = (record.strategy, record.instrument)
        if record.after:
            self.locked[row] = record
        else:
            self.locked.pop(row, None)

    def _balance(self, record: BalanceRecord) -> None:
        ledger, currency = self._executor.ledger, record.currency
        own = currency == ledger.currency
        # What it came to: the config may say other cash by now.
        has = ledger.initial if own else ledger.put_in.get(currency, ZERO)
        ledger.put(currency, minus(record.after, has))
        if own and not self._opened:
            # What was traded before is in the first balances already.
            self._opened, self._settled = True, record.ts

    def _difference(self, record: DifferenceRecord) -> None:
        reconciliation = self._executor.reconciliation
        ignored = record.after is Verdict.IGNORED
        if record.kind is not Subject.BALANCE:
            key = (record.kind, record.subject)
            if ignored:
                reconciliation.ignored[key] = (record.venue, record.reason)
            else:
                reconciliation.ignored.pop(key, None)
            return
        state = reconciliation.balances.states.get(record.subject)
        if record.after is Verdict.AGREES:
            reconciliation.balances.states.pop(record.subject, None)
            return
        if not ignored:
            if state is not None:
                # Another figure for a while; what was said of the first still holds.
                state.verdict, state.difference = Verdict.ASKING, ZERO
            return
        difference = minus(Decimal(record.venue), Decimal(record.here))
        reconciliation.balances.states[record.subject] = BalanceState(
            Verdict.IGNORED,
            difference,
            since_ns=record.ts,
            ignored=difference,
            reason=record.reason,
        )


def _follows(record: Record) -> bool:
    """Tell whether a record says that a fill was followed by what is done only once.

    Protection may be made to agree again; closing again would close another's share.
    """
    if isinstance(record, OrderRecord):
        return record.event is OrderEvent.SUBMIT
    return isinstance(record, DenyRecord | OwedRecord | FaultRecord)
