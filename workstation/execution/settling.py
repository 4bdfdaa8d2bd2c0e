"""What the operator makes of what books and venue say differently, or was made there.

Takes the commands ``Reconcile`` and ``Resolve``; each is carried out, or refused with a
sentence that says what is there instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from workstation.execution.balances import BalanceState
from workstation.execution.desk import OrderDesk
from workstation.execution.ledger import Ledger
from workstation.execution.operations import Operations
from workstation.execution.outcomes import Outcomes
from workstation.execution.reconciliation import Reconciliation
from workstation.execution.tracked import Tracked
from workstation.model.commands import CancelOrders, Reconcile, Resolve
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Instrument, Side
from workstation.model.money import is_figure, plain, plus, times
from workstation.model.orders import Fill, OrderRole, OrderStatus
from workstation.model.owners import EXTERNAL, OPERATOR
from workstation.model.ports import Core
from workstation.model.reconciliation import Resolution, Subject, Verdict
from workstation.model.records import DifferenceRecord

__all__ = ["Settling"]

ZERO = Decimal(0)


class Settling:
    """The operator's hand on a reconciliation."""

    def __init__(
        self,
        reconciliation: Reconciliation,
        desk: OrderDesk,
        ledger: Ledger,
        operations: Operations,
        outcomes: Outcomes,
        instruments: Mapping[str, Instrument],
    ) -> None:
        self._reconciliation = reconciliation
        self._desk = desk
        self._ledger = ledger
        self._operations = operations
        self._outcomes = outcomes
        self._instruments = instruments
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def reconcile(self, command: Reconcile) -> str:
        """Ask the venue for the account now."""
        if not self._reconciliation.answers:
            raise CommandRefused("this broker cannot be asked for the account")
        self._reconciliation.ask()
        return "the venue is asked what the account holds"

    def resolve(self, command: Resolve) -> str:
        """Settle one line; return what was done."""
        if command.resolution is Resolution.IGNORE and not command.reason.strip():
            raise CommandRefused("to ignore something needs a reason")
        if command.kind is Subject.BALANCE:
            return self._balance(command)
        settle = self._order if command.kind is Subject.ORDER else self._position
        done = settle(command)
        # What was taken over is not let be any more.
        self._reconciliation.forget_changed()
        return done

    def _taker(self, command: Resolve) -> str:
        """Return who gets what is adopted or attributed."""
        if command.resolution is Resolution.ADOPT:
            return OPERATOR
        if not command.owner or command.owner == EXTERNAL:
            raise CommandRefused("name the owner who is to get it")
        return command.owner

    # Orders made at the venue.

    def _order(self, command: Resolve) -> str:
        tracked = self._desk.orders.get(command.subject)
        if tracked is None or tracked.order.is_terminal:
            what = "not known here" if tracked is None else tracked.order.status.value
            raise CommandRefused(f"order {command.subject} is {what}")
        order = tracked.order
        if command.resolution is Resolution.CANCEL:
            reason = command.reason or "in the reconciliation"
            self._operations.cancel_orders(
                CancelOrders(order_ids=(order.id,), reason=reason)
            )
            return f"cancel of {order.id} asked for"
        if order.owner != EXTERNAL:
            raise CommandRefused(f"order {order.id} is {order.owner}'s already")
        if order.reduce_only:
            raise CommandRefused(
                f"order {order.id} closes what was made by hand: it is nobody's to take"
            )
        if command.resolution is Resolution.IGNORE:
            self._ignore(command)
            return f"order {order.id} stays external: {command.reason}"
        taker = self._taker(command)
        role = OrderRole.MANUAL
        if taker != OPERATOR:
            self._check_entry(tracked, taker)
            role = OrderRole.ENTRY
        reason = command.reason or f"given to {taker}"
        self._desk.reassign(tracked, taker, role, command.origin, reason)
        filled = f"; what it has filled, {order.filled}, stays external's"
        return f"order {order.id} is {taker}'s now{filled if order.filled else ''}"

    def _check_entry(self, tracked: Tracked, taker: str) -> None:
        """Refuse to make an order the entry of a row that has no use for one."""
        order = tracked.order
        held = self._ledger.position(taker, order.instrument).quantity
        if held * order.side.sign < 0:
            raise CommandRefused(
                f"{taker} holds {held} {order.instrument}; a {order.side} is no entry "
                "to that: cancel it, or adopt it as the operator's"
            )
        other = self._desk.orders.has_entry(taker, order.instrument)
        if other is not None:
            raise CommandRefused(
                f"{taker} has the entry {other} in {order.instrument} already"
            )

    # Positions made at the venue.

    def _position(self, command: Resolve) -> str:
        held = self._ledger.position(EXTERNAL, command.subject).quantity
        if not held:
            raise CommandRefused(f"no {command.subject} was made at the venue")
        what = f"{plain(held)} {command.subject}"
        if command.resolution is Resolution.CANCEL:
            raise CommandRefused(f"{what} is a position: adopt it and flatten it")
        if command.resolution is Resolution.IGNORE:
            self._ignore(command)
            return f"{what} stays external: {command.reason}"
        taker = self._taker(command)
        self._operations.transfer(EXTERNAL, taker, command.subject)
        return f"{what} is {taker}'s now"

    def _ignore(self, command: Resolve) -> None:
        reconciliation, core = self._reconciliation, self._core
        key = (command.kind, command.subject)
        if reconciliation.let_be(*key) is not None:
            raise CommandRefused(f"{command.subject} is ignored already")
        reconciliation.forget_changed()
        what = reconciliation.as_it_is(*key) or ""
        reconciliation.ignored[key] = (what, command.reason)
        core.record(
            DifferenceRecord(
                seq=core.seq,
                ts=core.ts,
                kind=command.kind,
                subject=command.subject,
                before=Verdict.EXTERNAL,
                after=Verdict.IGNORED,
                venue=what,
                who=command.origin,
                reason=command.reason,
            )
        )

    # Balances that no fill explains.

    def _balance(self, command: Resolve) -> str:
        name = command.subject
        state = self._reconciliation.balances.states.get(name)
        if state is None or state.verdict not in (Verdict.DIFFERS, Verdict.IGNORED):
            what = "not compared yet" if state is None else state.verdict.value
            raise CommandRefused(f"there is no difference in {name} to settle: {what}")
        if state.fills < 0:
            raise CommandRefused(
                f"the venue has not said in this run what it has of {name}: wait for "
                "its answer, or ask (y)"
            )
        shown, now = command.difference, state.difference
        if shown is not None and shown != now:
            raise CommandRefused(
                f"the difference in {name} is {plain(now)} now, not {plain(shown)} as "
                "shown; look again and repeat"
            )
        if state.once:
            raise CommandRefused(
                f"the venue has named {plain(now)} {name} only once; it is being asked "
                "again"
            )
        self._check_fills(name, state)
        if command.resolution is Resolution.CANCEL:
            raise CommandRefused(f"{name} is a balance: there is nothing to cancel")
        if command.resolution is Resolution.IGNORE:
            state.ignored = now
            self._turn(name, state, Verdict.IGNORED, now, command)
            return f"{plain(now)} {name} is ignored: {command.reason}"
        self._check_fates(name, state)
        if command.resolution is Resolution.ATTRIBUTE:
            return self._attribute(command, state)
        reason = command.reason or "as the venue has it"
        self._reconciliation.balances.put(name, now, command.origin, reason)
        self._turn(name, state, Verdict.AGREES, ZERO, command)
        went = "was put in" if now > 0 else "went out"
        return f"{plain(abs(now))} {name} {went}; the books are as the venue has it"

    def _check_fills(self, name: str, state: BalanceState) -> None:
        """Refuse to settle what a fill may have explained by now: twice is too much."""
        what = f"{plain(state.difference)} {name}"
        since = self._ledger.fills - state.fills
        if since:
            fills = "a fill was" if since == 1 else f"{since} fills were"
            raise CommandRefused(
                f"{fills} booked since the venue answered, which may explain {what}: "
                "ask it again (y), and settle what is left"
            )
        if self._reconciliation.put_off:
            raise CommandRefused(
                f"orders are asked about whose fills may explain {what}: wait for the "
                "next answer, or ask (y)"
            )

    def _check_fates(self, name: str, state: BalanceState) -> None:
        """Refuse to book what an order may have done that nobody knows the fate of."""
        unknown = [
            tracked.order.id
            for tracked in self._desk.orders.open()
            if tracked.order.status is OrderStatus.UNKNOWN
            and name in self._money_of(tracked.order.instrument)
        ]
        if unknown:
            raise CommandRefused(
                f"{', '.join(unknown)} may have filled, which may explain "
                f"{plain(state.difference)} {name}: wait for the venue's word on it, "
                "or close it (c)"
            )

    def _money_of(self, instrument: str) -> tuple[str, ...]:
        one = self._instruments.get(instrument)
        return () if one is None else (one.base, one.quote)

    def _attribute(self, command: Resolve, state: BalanceState) -> str:
        """Book a difference as a position, paid with money put in for it."""
        taker, name, change = self._taker(command), command.subject, state.difference
        instrument = self._instruments.get(command.instrument)
        ledger = self._ledger
        if instrument is None or instrument.base != name:
            trade = [i.id for i in self._instruments.values() if i.base == name]
            known = ", ".join(trade) or f"none: {name} can only be adopted or ignored"
            raise CommandRefused(f"name an instrument of {name}: {known}")
        if instrument.quote != ledger.currency:
            raise CommandRefused(
                f"{instrument.id} is in {instrument.quote}, the account in "
                f"{ledger.currency}: adopt {name} or ignore it"
            )
        if change % instrument.lot_size:
            raise CommandRefused(
                f"{plain(change)} {name} is not on the lot, "
                f"{plain(instrument.lot_size)}: it could never be closed; adopt it"
            )
        price = command.price or ledger.mark(instrument.id)
        if price is None or not is_figure(price) or price <= 0:
            raise CommandRefused(f"{instrument.id} has no price yet: name one")
        core, fills = self._core, ledger.fills
        reason = command.reason or f"attributed to {taker}"
        self._reconciliation.balances.put(
            ledger.currency, times(change, price), command.origin, reason
        )
        self._outcomes.book(
            Fill(
                order_id=f"attributed-{core.seq}",
                trade_id=f"attributed-{core.seq}",
                instrument=instrument.id,
                owner=taker,
                side=Side.BUY if change > 0 else Side.SELL,
                quantity=abs(change),
                price=price,
                fee=ZERO,
                fee_currency=instrument.quote,
                maker=False,
                ts=core.ts,
                role=OrderRole.MANUAL,
                reason=reason,
            )
        )
        for each in self._reconciliation.balances.states.values():
            # The venue has filled nothing: what differs elsewhere is not explained.
            if each.fills == fills:
                each.fills = ledger.fills
        self._outcomes.moved(taker, instrument.id)
        self._turn(name, state, Verdict.AGREES, ZERO, command)
        return f"{plain(change)} {instrument.id} at {plain(price)} is {taker}'s now"

    def _turn(
        self,
        name: str,
        state: BalanceState,
        after: Verdict,
        difference: Decimal,
        command: Resolve,
    ) -> None:
        here = self._ledger.balances().get(name, ZERO)
        venue = here if after is Verdict.AGREES else plus(here, difference)
        self._reconciliation.balances.turn(
            name, state, after, difference, here, venue, command.origin, command.reason
        )
