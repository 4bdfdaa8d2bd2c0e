"""What the operator can do to orders and positions: cancel, flatten, hold, kill, move.

Each method applies one command or raises CommandRefused with a sentence that says
what is there instead. Protection is canceled only by name, never by the ladder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial

from workstation.execution.closing import Closing
from workstation.execution.controls import Controls, record_control
from workstation.execution.desk import OrderDesk
from workstation.execution.ledger import Ledger
from workstation.execution.limits import UNITS, Limits, loosens
from workstation.execution.protection import Protection
from workstation.execution.risk import Denial
from workstation.execution.stops import Stops
from workstation.execution.tracked import Tracked
from workstation.model.commands import (
    CancelOrders,
    Flatten,
    Hold,
    Kill,
    KillLevel,
    Rearm,
    SetLimit,
)
from workstation.model.errors import CommandRefused
from workstation.model.events import (
    EmergencyLiquidation,
    Killed,
    PositionChanged,
)
from workstation.model.instruments import Side
from workstation.model.money import figure_error
from workstation.model.orders import OrderRole, OrderStatus
from workstation.model.owners import DUST, EXTERNAL
from workstation.model.ports import Core
from workstation.model.records import (
    FlattenedRecord,
    LimitRecord,
    PositionRecord,
)

__all__ = ["Operations"]


def _after(made_ns: int, until_ns: int | None) -> bool:
    return until_ns is not None and made_ns > until_ns


def _untold(owner: str, instrument: str) -> None:
    pass


class Operations:
    """The operator's hand on an Executor's desk, ledger and switches."""

    def __init__(
        self,
        controls: Controls,
        desk: OrderDesk,
        ledger: Ledger,
        protection: Protection,
        closing: Closing,
        withdraw_quotes: Callable[[str | None, str | None, str], int],
        limits: Limits,
        stops: Stops,
    ) -> None:
        """``withdraw_quotes`` is told owner and instrument, or None for all."""
        self._limits = limits
        self._controls = controls
        self._desk = desk
        self._ledger = ledger
        self._protection = protection
        self._closing = closing
        self._stops = stops
        self._close = closing.close
        self._withdraw_quotes = withdraw_quotes
        self.given: Callable[[str, str], None] = _untold
        """Told whose position in what has another owner now."""
        self.adopted: set[tuple[str, str]] = set()
        """Who has got a position that was made by hand, by owner and instrument."""
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def cancel_orders(self, command: CancelOrders) -> None:
        """Cancel the named orders; refused only when none of them can be."""
        refused = []
        canceled = 0
        for order_id in command.order_ids:
            tracked = self._desk.orders.get(order_id)
            if tracked is None:
                refused.append(f"{order_id} is not known")
                continue
            held = tracked.order.status is OrderStatus.HELD
            if self._desk.cancel(tracked, command.reason or "by the operator"):
                canceled += 1
                if held:
                    self._protection.forget(tracked)
            else:
                refused.append(f"{order_id} is {tracked.order.status.value}")
        if not canceled:
            raise CommandRefused(
                "nothing to cancel: " + (", ".join(refused) or "no order was named")
            )

    def flatten(self, command: Flatten) -> None:
        """Cancel the entries and close the position of one owner or of all."""
        instrument = command.instrument
        owner = command.owner
        reason = command.reason or "flattened by the operator"
        if unknown := self._closing.unknown(instrument):
            raise CommandRefused(unknown)
        done = self._withdraw(instrument, owner, reason)
        positions = self._ledger.open_positions(instrument)
        if self._closing.takes_dust(instrument):
            positions.append(self._ledger.position(DUST, instrument))
        if owner is not None:
            positions = [p for p in positions if p.owner == owner]
        denied = ""
        for position in positions:
            closed = self._close(position.owner, instrument, OrderRole.FLATTEN, reason)
            if isinstance(closed, Denial):
                denied = denied or closed.text
            else:
                done += closed
        if done:
            return
        if denied:
            raise CommandRefused(f"{instrument} cannot be flattened: {denied}")
        if positions or self._working(instrument, owner):
            raise CommandRefused(
                f"{instrument} of {owner or 'everybody'} is being closed already"
            )
        raise CommandRefused(
            f"{owner} holds no {instrument} and has no entry working"
            if owner
            else f"nobody holds {instrument} or has an entry working"
        )

    def _working(self, instrument: str, owner: str | None) -> bool:
        entries = self._desk.orders.entries(owner)
        return any(t.order.instrument == instrument for t in entries)

    def _entries(
        self, instrument: str | None, owner: str | None, until_ns: int | None
    ) -> Iterator[Tracked]:
        """Yield entries, also those whose end was only concluded: one may live yet."""
        desk = self._desk
        doubtful = (
            tracked
            for tracked in desk.queries.doubtful()
            if tracked.order.may_open and owner in (None, tracked.order.owner)
        )
        for tracked in (*desk.orders.entries(owner), *doubtful):
            order = tracked.order
            by_hand = desk.orders.is_by_hand_since(order, until_ns)
            if not by_hand and instrument in (None, order.instrument):
                yield tracked

    def _cancel_entries(
        self,
        instrument: str | None,
        owner: str | None,
        reason: str,
        until_ns: int | None = None,
    ) -> int:
        canceled = self._closing.drop(owner, instrument, reason)
        canceled += self._withdraw_quotes(owner, instrument, reason)
        for tracked in self._entries(instrument, owner, until_ns):
            tracked.withdrawn = reason
            canceled += self._desk.cancel(tracked, reason)
        return canceled

    def _withdraw(
        self,
        instrument: str | None,
        owner: str | None,
        reason: str,
        until_ns: int | None = None,
    ) -> int:
        """Cancel entries and have whatever of them still fills closed at once.

        A cancel may come too late: the mark is on the order, so that an entry made
        afterwards is nobody's business. Returns how many were not marked before.
        """
        count = self._closing.drop(owner, instrument, reason)
        self._withdraw_quotes(owner, instrument, reason)
        marked = list(self._entries(instrument, owner, until_ns))
        for tracked in marked:
            canceled = self._desk.cancel(tracked, reason)
            count += canceled or not tracked.flattened
            tracked.flattened = reason
        late = [
            t.order.id for t in marked if t.order.inferred or not t.order.is_terminal
        ]
        if late:
            core = self._core
            core.record(
                FlattenedRecord(
                    seq=core.seq, ts=core.ts, order_ids=tuple(late), reason=reason
                )
            )
        return count

    def hold(self, command: Hold) -> None:
        """Start or end the hold on new entries."""
        core = self._core
        before, after = self._controls.set_hold(command, core.ts)
        record_control(core, "hold", before, after, command.origin, command.reason)
        if command.on:
            reason = f"hold: {command.reason}" if command.reason else "hold"
            self._withdraw_quotes(None, None, reason)

    def kill(self, command: Kill) -> None:
        """Climb the ladder: hold, cancel entries, flatten. Protection stays."""
        core = self._core
        before, after = self._controls.set_kill(command, core.ts)
        record_control(core, "kill", before, after, command.origin, command.reason)
        reason = f"kill: {command.reason}" if command.reason else "kill"
        level = command.level.value
        core.emit(Killed(level, command.origin, command.reason, core.ts))
        self._climb(command.level, reason)

    def _climb(
        self, level: KillLevel, reason: str, until_ns: int | None = None
    ) -> None:
        """Do what a rung means; what was made by hand after ``until_ns`` stays."""
        if level is KillLevel.HOLD:
            self._withdraw_quotes(None, None, reason)
        if level is KillLevel.CANCEL:
            self._cancel_entries(None, None, reason, until_ns)
        if level is KillLevel.FLATTEN:
            self._withdraw(None, None, reason, until_ns)
            self._liquidate(reason, until_ns)

    def _liquidate(self, reason: str, until_ns: int | None) -> None:
        core = self._core
        positions = [
            p
            for p in self._ledger.open_positions()
            if not (
                (p.owner == EXTERNAL or (p.owner, p.instrument) in self.adopted)
                and _after(p.opened_ns or 0, until_ns)
            )
        ]
        for instrument in dict.fromkeys(p.instrument for p in positions):
            net = self._ledger.net(instrument)
            core.publish(EmergencyLiquidation(instrument, net, reason, core.ts))
        for position in positions:
            row = position.owner, position.instrument
            if until_ns is None:
                self._close(*row, OrderRole.FLATTEN, reason)
            else:
                # Nothing has been heard of the market yet, which a cap is measured by.
                close = partial(self._close_killed, *row, reason)
                self._closing.taking.when_priced(position.instrument, close)

    def _close_killed(self, owner: str, instrument: str, reason: str) -> None:
        if self._controls.kill_level is KillLevel.FLATTEN:
            self._close(owner, instrument, OrderRole.FLATTEN, reason)

    def rearm(self, command: Rearm) -> None:
        """Allow orders again after a kill."""
        core = self._core
        before, after = self._controls.rearm(command, core.ts)
        record_control(core, "kill", before, after, command.origin, command.reason)

    def set_limit(self, command: SetLimit) -> None:
        """Put another limit in force; a looser one only when that was confirmed."""
        name, value, limits = command.name, command.value, self._limits
        if name not in UNITS:
            raise CommandRefused(f"{name} is no limit; limits: {', '.join(UNITS)}")
        if wrong := figure_error({name: value}):
            raise CommandRefused(wrong)
        given = getattr(limits.settings, name)
        before = None if given is None else Decimal(given)
        touched, seen = limits.changed.get(name, 0), command.seen_seq
        if seen is not None and touched > seen:
            raise CommandRefused(
                f"{name} was set to {before or 'no limit'} at seq {touched}, after "
                f"what was shown (seq {seen}); look again and repeat"
            )
        if value == before:
            raise CommandRefused(f"{name} is {before or 'no limit'} already")
        if loosens(before, value) and not command.confirmed:
            raise CommandRefused(
                f"{name} from {before} to {value or 'no limit'} lets more pass; that "
                "must be confirmed"
            )
        core = self._core
        try:
            limits.put(name, value, core.seq)
        except ValueError as error:
            raise CommandRefused(str(error)) from error
        core.record(
            LimitRecord(
                seq=core.seq,
                ts=core.ts,
                name=name,
                before=before,
                after=value,
                who=command.origin,
                reason=command.reason,
            )
        )

    def go_on(self) -> None:
        """Do again what a kill or a flatten of an earlier run was to do.

        It may have come to no more than its own record.
        """
        controls = self._controls
        level = controls.kill_level
        if level is KillLevel.CANCEL or level is KillLevel.FLATTEN:
            # Whoever trades at the venue by hand since then means to.
            self._climb(level, "kill, taken up again", controls.killed_ns)
        for tracked in self._desk.orders.entries():
            if tracked.flattened:
                self._desk.cancel(tracked, tracked.flattened)

    def close_unknown(self, order_id: str, reason: str) -> Tracked:
        """End an Unknown order and return it; refused for any other."""
        tracked = self._desk.orders.get(order_id)
        if tracked is None:
            raise CommandRefused(f"order {order_id} is not known")
        if not self._desk.close_unknown(tracked, reason or "closed by the operator"):
            raise CommandRefused(
                f"order {order_id} is {tracked.order.status.value}, not unknown"
            )
        return tracked

    def transfer(self, giver: str, taker: str, instrument: str) -> None:
        """Move a position with its protection from one owner to another."""
        held = self._ledger.position(giver, instrument).quantity
        other = self._ledger.position(taker, instrument).quantity
        if not held:
            raise CommandRefused(f"{giver} holds no {instrument} to give to {taker}")
        if giver == taker:
            raise CommandRefused(f"{giver} holds {held} {instrument} already")
        if held * other < 0:
            raise CommandRefused(
                f"{taker} holds {other} {instrument}, {giver} {held}: opposite sides; "
                "flatten one of them"
            )
        side = Side.SELL if held > 0 else Side.BUY
        closing = self._desk.orders.closing(giver, instrument, side)
        if closing:
            raise CommandRefused(
                f"{closing} of {giver}'s {held} {instrument} is being closed; wait for "
                "its fill, or cancel the exit"
            )
        reason = f"position moves to {taker}"
        if giver != EXTERNAL:
            # Orders made by hand have nothing to do with one another.
            self._cancel_entries(instrument, giver, reason)
        plan = self._protection.plan(giver, instrument)
        core = self._core
        changes = self._ledger.transfer(giver, taker, instrument, core.ts)
        self.given(giver, instrument)
        if giver == EXTERNAL:
            self.adopted.add((taker, instrument))
        if plan is not None:
            self._protection.drop(plan, reason)
        self._stops.sync(giver, instrument)
        for before, after in changes:
            core.record(PositionRecord(core.seq, core.ts, before, after))
            changed = PositionChanged(before, after, core.ts)
            core.publish(changed)
            core.emit(changed)
        if plan is not None:
            self._protection.hand_over(plan, taker)
        self._protection.sync(taker, instrument)
