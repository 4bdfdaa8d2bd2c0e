"""Closing of positions: exits, flattening, and what has to wait until it is done.

``Intents`` and the operator's operations call it. What is more than one order may be at
the venue is closed by several, sent at once. A row has at most one thing waiting:
an exit or a flatten behind an exit at a price that is being canceled, or the entry on
the other side behind the close of a position. Nothing waits without an order at work.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from workstation.execution.desk import OrderDesk
from workstation.execution.ledger import Ledger
from workstation.execution.parts import parts
from workstation.execution.risk import Denial, DenialCode, RiskStage
from workstation.execution.settings import OrderSettings
from workstation.execution.taking import Taking
from workstation.execution.tracked import Tracked
from workstation.model.instruments import Side
from workstation.model.money import plain
from workstation.model.orders import Order, OrderRole, OrderStatus, OrderType
from workstation.model.owners import DUST
from workstation.model.ports import Core
from workstation.model.signals import Signal, SignalAction

__all__ = ["Closing", "expiry", "limit_of", "trigger_of"]

ZERO = Decimal(0)
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_BUY, _SELL = Side.BUY, Side.SELL
_EXIT, _FLATTEN = OrderRole.EXIT, OrderRole.FLATTEN
_HELD = OrderStatus.HELD
_LIMIT, _STOP, _STOP_LIMIT = OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
_SIDES = {SignalAction.ENTER_LONG: _BUY, SignalAction.ENTER_SHORT: _SELL}


class _Sequel(Struct, frozen=True):
    """What follows; without a signal it is a flatten for ``reason``.

    ``closes`` are the orders that close the position before an entry on the other
    side; none while an exit at a price is still in its way.
    """

    signal: Signal | None
    reason: str
    closes: tuple[str, ...] = ()


class Closing:
    """Closes what rows hold; ``enter`` sends an entry through the risk stage."""

    def __init__(
        self,
        desk: OrderDesk,
        risk: RiskStage,
        ledger: Ledger,
        settings: OrderSettings,
        enter: Callable[[Side, Signal], None],
    ) -> None:
        self._desk = desk
        self._risk = risk
        self._ledger = ledger
        self._enter = enter
        self.taking = Taking(settings, desk, risk.market, self._close_rest)
        self.sequels: dict[tuple[str, str], _Sequel] = {}
        """What waits, by owner and instrument; others only look whether any does."""
        self.unsent: set[tuple[str, str]] = set()
        """Rows of which more is to close than as many orders at once do."""
        self.place: Callable[[Order], None]
        """Sends an order or holds it; set before the first event."""
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core
        self.taking.attach(core)

    # What is wanted.

    def exit(self, signal: Signal) -> None:
        """Close a position, or a part of it, as the signal says.

        What is refused changes nothing: exits that another one takes the place of are
        canceled once it has passed as if they were not there.
        """
        owner, instrument = signal.strategy, signal.instrument
        denial = self._risk.unknown(instrument) or self._risk.switches(
            owner, instrument, _EXIT, entry=False
        )
        held = self._ledger.position(owner, instrument).quantity
        side = _SELL if held > 0 else _BUY
        reason = signal.reason or "exit"
        if denial is None and not held:
            if self.cancel_entries(owner, instrument, reason):
                return
            denial = Denial(
                DenialCode.NO_POSITION, f"{owner} holds no {instrument} to close"
            )

        def draft(quantity: Decimal) -> Order:
            return self._desk.draft(
                owner,
                instrument,
                _EXIT,
                side,
                quantity,
                order_type=signal.order_type,
                price=limit_of(signal),
                trigger=trigger_of(signal),
                time_in_force=signal.time_in_force,
                post_only=signal.post_only,
                expires_ns=expiry(signal, self._core.ts),
                reduce_only=True,
                reason=signal.reason,
            )

        # Who wants out wants no entry on the other side after the close either.
        dropped = denial is None and self.drop(owner, instrument, reason)
        there = self._desk.orders.row(owner, instrument)
        with ExitStack() as without:
            for tracked in there:
                if tracked.order.blocks_close:
                    without.enter_context(self._desk.orders.without(tracked))
            wanted = signal.quantity
            if wanted is None:
                wanted = self._left(owner, instrument, side) if held else ZERO
            found = [wanted]
            if denial is None and wanted <= 0 and signal.quantity is None:
                if dropped:
                    return
                denial = self._risk.closing(held, instrument)
            if denial is None:
                found = self.parts(instrument, wanted, limit_of(signal))
            if denial is None and there:
                denial = self._risk.check(draft(found[0]), self._core.ts)
            if denial is None and len(found) > 1:
                # Too much in all: the first parts would pass.
                denial = self._risk.reduces(draft(wanted))
        if denial is None:
            self.cancel_entries(owner, instrument, reason)
            self._cancel_held(owner, instrument, reason)
            if self.cancel_resting(owner, instrument, reason):
                denial = self._wait(owner, instrument, _Sequel(signal, reason), held)
                if denial is None:
                    return
        if denial is not None:
            self._desk.deny(draft(wanted), denial)
            return
        for part in found:
            if self._submit(draft(part)) is not None:
                return

    def close(
        self,
        owner: str,
        instrument: str,
        role: OrderRole,
        reason: str,
        most: Decimal | None = None,
        tried: int = 0,
    ) -> Denial | bool:
        """Close what is left of a position now; False when nothing is.

        ``most`` bounds the quantity, ``tried`` counts the tries before this one. An
        exit that waits for its price is canceled and the close follows it. Returns the
        denial, which everybody was told of, where the risk stage refuses.
        """
        held = self._ledger.position(owner, instrument).quantity
        if held and most is None and self.cancel_resting(owner, instrument, reason):
            self.sequels[owner, instrument] = _Sequel(None, reason)
            return True
        side = _SELL if held > 0 else _BUY
        left = self._left(owner, instrument, side)
        if most is not None:
            left = min(left, most)
        if left <= 0:
            return False
        one = self._risk.instruments[instrument]
        price = self.taking.worst(one, side)
        found = self.parts(instrument, left, price)
        if sum(found, ZERO) < left:
            self.unsent.add((owner, instrument))
        else:
            self.unsent.discard((owner, instrument))
        for part in found:
            order = self.taking.draft(owner, one, role, side, part, price, reason)
            if price is not None:
                # Before it is sent: an answer may be here at once.
                self.taking.note(order.id, tried + 1)
            denial = self._submit(order)
            if denial is not None:
                self.taking.forget(order.id)
                return denial
        return True

    def _left(self, owner: str, instrument: str, side: Side) -> Decimal:
        """Return what can be closed of a position and no order closes yet."""
        closing = self._desk.orders.closing(owner, instrument, side)
        return self._ledger.closable(owner, instrument) - closing

    def unknown(self, instrument: str) -> str:
        """Return that an instrument is not traded in this run; "" when it is."""
        denial = self._risk.unknown(instrument)
        return "" if denial is None else denial.text

    def takes_dust(self, instrument: str) -> bool:
        """Tell whether dust has come to what a venue takes an order to sell for."""
        quantity = self._ledger.closable(DUST, instrument)
        if not quantity or self._ledger.position(DUST, instrument).quantity < 0:
            return False
        one, mark = self._risk.instruments[instrument], self._ledger.mark(instrument)
        worth = ZERO if mark is None else quantity * mark
        return quantity >= one.min_quantity and worth >= one.min_notional

    def _close_rest(self, tracked: Tracked, tried: int) -> None:
        """Close what an order left open, unless that is closed, or another position."""
        order = tracked.order
        held = self._ledger.position(order.owner, order.instrument)
        same = held.opened_ns is not None and held.opened_ns <= order.created_ns
        if same and held.quantity * order.side.sign < 0:
            self.close(
                order.owner,
                order.instrument,
                order.role,
                tracked.reason,
                order.remaining,
                tried,
            )

    def reverse(self, signal: Signal) -> None:
        """Close a position and enter the other side once nothing of it is left.

        The risk stage has passed the entry as it would be now; it is asked again then.
        """
        owner, instrument = signal.strategy, signal.instrument
        reason = signal.reason or "reverse"
        self.cancel_entries(owner, instrument, reason)
        held = self._ledger.position(owner, instrument).quantity
        denial = self._wait(owner, instrument, _Sequel(signal, reason), held)
        if denial is not None:
            self._refuse(signal, denial)
        elif held and not self.cancel_resting(owner, instrument, reason):
            self._close_first(signal, reason)
        else:
            self.resume(owner, instrument)

    def _close_first(self, signal: Signal, reason: str) -> None:
        owner, instrument = signal.strategy, signal.instrument
        held = self._ledger.position(owner, instrument).quantity
        side = _SELL if held > 0 else _BUY
        left = self._left(owner, instrument, side)
        if left <= 0:
            # A stop is closing it already; the entry follows that.
            return
        closes: tuple[str, ...] = ()
        for part in self.parts(instrument, left, None):
            order = self._desk.draft(
                owner, instrument, _EXIT, side, part, reduce_only=True, reason=reason
            )
            closes = (*closes, order.id)
            # Before it is sent: an answer may be here at once.
            self.sequels[owner, instrument] = _Sequel(signal, reason, closes)
            if self._submit(order) is not None:
                # The denial of the exit is the answer; nothing follows it.
                self.sequels.pop((owner, instrument), None)
                return

    # What waits.

    def _wait(
        self, owner: str, instrument: str, sequel: _Sequel, held: Decimal
    ) -> Denial | None:
        """Let something follow what is under way, unless a flatten does already."""
        waiting = self.sequels.get((owner, instrument))
        if waiting is not None and waiting.signal is None:
            return self._risk.closing(held, instrument)
        self.sequels[owner, instrument] = sequel
        return None

    def resume(self, owner: str, instrument: str) -> None:
        """Do what waits, once no order stands in its way; told of fills and ends."""
        sequel = self.sequels.get((owner, instrument))
        if sequel is None:
            return
        signal = sequel.signal
        reverses = signal is not None and signal.action in _SIDES
        for tracked in self._desk.orders.row(owner, instrument):
            if tracked.order.status is not _HELD and self.is_held_up(tracked.order):
                return
        held = self._ledger.position(owner, instrument).quantity
        del self.sequels[owner, instrument]
        if signal is None:
            self.close(owner, instrument, _FLATTEN, sequel.reason)
        elif not reverses:
            if held:
                self.exit(signal)
        elif not held:
            self._enter(_SIDES[signal.action], replace(signal, reverse=False))
        elif self._may_close_on(sequel):
            self._close_first(signal, sequel.reason)
        else:
            text = f"{held} {instrument} is still held: it could not be closed"
            self._refuse(signal, Denial(DenialCode.NOT_CLOSED, text))

    def is_held_up(self, order: Order) -> bool:
        """Tell whether something waits for the end of this order."""
        sequel = self.sequels.get((order.owner, order.instrument))
        if sequel is None:
            return False
        signal = sequel.signal
        reverses = signal is not None and signal.action in _SIDES
        return reverses or order.reduce_only

    def _may_close_on(self, sequel: _Sequel) -> bool:
        """Tell whether what is left came after the close, which was filled, or before.

        A close that was refused is not tried again: the row goes on as it is.
        """
        closes = [self._desk.orders.get(each) for each in sequel.closes]
        return all(
            tracked is None or tracked.order.status is OrderStatus.FILLED
            for tracked in closes
        )

    def drop(self, owner: str | None, instrument: str | None, reason: str) -> int:
        """Give up entries that wait for a close; return how many did."""
        dropped = 0
        for key, sequel in list(self.sequels.items()):
            signal = sequel.signal
            if signal is None or signal.action not in _SIDES:
                continue
            if owner in (None, key[0]) and instrument in (None, key[1]):
                del self.sequels[key]
                self._refuse(signal, Denial(DenialCode.REVERSE_DROPPED, reason))
                dropped += 1
        return dropped

    def waiting(self, owner: str, instrument: str) -> Decimal:
        """Return the signed quantity of the entry that waits for a close, or 0."""
        sequel = self.sequels.get((owner, instrument))
        signal = None if sequel is None else sequel.signal
        if signal is None or signal.action not in _SIDES:
            return ZERO
        return (signal.quantity or ZERO) * _SIDES[signal.action].sign

    # How.

    def cancel_entries(self, owner: str, instrument: str, reason: str) -> int:
        """Cancel a row's working entries; return how many."""
        count = 0
        for tracked in self._desk.orders.row(owner, instrument):
            if not tracked.order.reduce_only and self._desk.cancel(tracked, reason):
                count += 1
        return count

    def cancel_resting(self, owner: str, instrument: str, reason: str) -> bool:
        """Cancel exits that wait for a price; tell whether any is not final yet."""
        row = self._desk.orders.row(owner, instrument)
        resting = [tracked for tracked in row if tracked.order.blocks_close]
        for tracked in resting:
            self._desk.cancel(tracked, reason)
        return bool(resting)

    def _cancel_held(self, owner: str, instrument: str, reason: str) -> None:
        """Cancel exits that are held until a trigger: another takes their place."""
        for tracked in self._desk.orders.row(owner, instrument):
            order = tracked.order
            if order.role is _EXIT and order.status is _HELD:
                self._desk.cancel(tracked, reason)

    def parts(
        self, instrument: str, quantity: Decimal, price: Decimal | None
    ) -> list[Decimal]:
        """Return the quantities of the orders that close so much.

        What is too much even for as many as are sent at once is an alarm.
        """
        found = parts(self._risk.instruments[instrument], quantity, price)
        left = quantity - sum(found)
        if left > 0:
            self._desk.alarm(
                instrument,
                f"{plain(left)} of {plain(quantity)} is not closed: {len(found)} "
                f"orders of {plain(found[0])}, the most of one, are sent at once; "
                "close again when they are filled",
                "flatten",
            )
        return found

    def release_also(self, first: Order, others: list[Decimal]) -> None:
        """Send the other parts of what a released stop or target closes."""
        for quantity in others:
            order = self._desk.draft(
                first.owner,
                first.instrument,
                first.role,
                first.side,
                quantity,
                trigger=first.trigger,
                trailing=first.trailing,
                reduce_only=True,
                reason=first.reason,
            )
            if self._submit(order) is not None:
                return

    def _submit(self, order: Order) -> Denial | None:
        denial = self._risk.check(order, self._core.ts)
        if denial is not None:
            self._desk.deny(order, denial)
        else:
            if not order.is_untriggered:
                self.clear_way(order)
            self.place(order)
        return denial

    def clear_way(self, order: Order) -> None:
        """Cancel own orders that a closing order would trade with, before it leaves.

        What reduces a position is never refused for them; it leaves after them.
        """
        self._desk.clear_way(order, self._risk.meets(order))

    def _refuse(self, signal: Signal, denial: Denial) -> None:
        order = self._desk.draft(
            signal.strategy,
            signal.instrument,
            OrderRole.ENTRY,
            _SIDES[signal.action],
            signal.quantity if signal.quantity is not None else ZERO,
            reason=signal.reason,
        )
        self._desk.deny(order, denial)

    def digest(self) -> object:
        """Return what is being taken and is not sent, and what waits, oldest first."""
        return (
            self.taking.digest(),
            sorted(self.unsent),
            tuple(
                (
                    *key,
                    "flatten" if each.signal is None else each.signal.action.value,
                    each.reason,
                    " ".join(each.closes),
                )
                for key, each in self.sequels.items()
            ),
        )


def limit_of(signal: Signal) -> Decimal | None:
    """Return the limit price that the order of a signal has."""
    kind = signal.order_type
    return signal.limit_price if kind is _LIMIT or kind is _STOP_LIMIT else None


def trigger_of(signal: Signal) -> Decimal | None:
    """Return the trigger that the order of a signal has."""
    kind = signal.order_type
    return signal.trigger if kind is _STOP or kind is _STOP_LIMIT else None


def expiry(signal: Signal, ts: int) -> int | None:
    """Return when an order of this signal ends by itself, or None."""
    return None if signal.good_for_ns is None else ts + signal.good_for_ns
