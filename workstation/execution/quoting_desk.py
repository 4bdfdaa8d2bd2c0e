"""The quoting desk: carries out what requoting decides, and looks again in time.

The Executor registers its handlers. Every new order and every change passes the risk
stage and the rate budgets; cancels pass always. A look follows each new wish, and
each report that changes what can be done; reports of one moment share one look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from msgspec.structs import replace

from workstation.execution.desk import OrderDesk
from workstation.execution.levels import Touch
from workstation.execution.quoting_row import Quote, QuotingRow
from workstation.execution.requoting import requote
from workstation.execution.risk import Denial, DenialCode, Joining, RiskStage
from workstation.execution.settings import QuotingSettings
from workstation.execution.steps import Step, StepKind, Why
from workstation.model.desired import DesiredOrders
from workstation.model.events import DataBroke, OrderUpdated
from workstation.model.instruments import Side, to_decimal
from workstation.model.orders import Order, OrderRole, OrderStatus, OrderType
from workstation.model.ports import Core
from workstation.model.rates import RequestKind
from workstation.model.records import RequoteRecord
from workstation.model.timeframes import NS_PER_MS

__all__ = ["QuotingDesk"]

ZERO = Decimal(0)
K = StepKind
_QUOTE, _LIMIT = OrderRole.QUOTE, OrderType.LIMIT
# The age of data is looked at no more often, however short its limit is.
_LOOK_AT_DATA_NS = 100 * NS_PER_MS
# Decisions a record spells out; it counts them all.
_TOLD = 8
_SENT = {
    K.CANCEL: RequestKind.CANCEL,
    K.MODIFY: RequestKind.MODIFY,
    K.PLACE: RequestKind.PLACE,
}


class QuotingDesk:
    """Keeps the resting orders of rows as they are desired."""

    def __init__(
        self, settings: QuotingSettings, desk: OrderDesk, risk: RiskStage
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._risk = risk
        self._rows: dict[tuple[str, str], QuotingRow] = {}
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def handlers(self) -> Mapping[type, Callable[[Any], None]]:
        """Return the handler of each event type."""
        return {
            DesiredOrders: self.on_desired,
            OrderUpdated: self._on_order,
            DataBroke: self._on_broke,
        }

    # What is wanted.

    def on_desired(self, wish: DesiredOrders) -> None:
        """Make the row's orders what is wished, as far as that may be."""
        key = wish.strategy, wish.instrument
        if wish.instrument not in self._risk.instruments:
            known = ", ".join(self._risk.instruments)
            text = f"{wish.instrument} is not in this run; it has {known}"
            draft = self._desk.draft(*key, _QUOTE, Side.BUY, ZERO)
            self._desk.deny(draft, Denial(DenialCode.UNKNOWN_INSTRUMENT, text))
            return
        row = self._row(*key)
        is_new = row.take(wish)
        self._look(row, "wish", always=is_new)

    def _row(self, owner: str, instrument: str) -> QuotingRow:
        row = self._rows.get((owner, instrument))
        if row is None:
            wish = DesiredOrders(strategy=owner, instrument=instrument)
            row = QuotingRow(wish, self._settings)
            self._rows[owner, instrument] = row
        return row

    def withdraw(self, owner: str | None, instrument: str | None, reason: str) -> int:
        """Cancel the quotes of all rows that fit and forget their wishes.

        Returns how many cancels were asked for. Nothing comes back by itself: it takes
        another wish.
        """
        canceled = 0
        for (name, what), row in self._rows.items():
            if owner not in (None, name) or instrument not in (None, what):
                continue
            if row.wants_any or row.works_any:
                canceled += self._withdraw(row, reason)
        return canceled

    def _withdraw(self, row: QuotingRow, reason: str) -> int:
        row.take(replace(row.wish, bids=(), asks=(), reason=reason))
        steps = []
        with self._desk.sender.gather():
            for quote in list(row.quotes.values()):
                order = quote.tracked.order
                if self._cancel(quote, reason):
                    steps.append(_cancel_step(order, Why.NOT_WANTED))
        self._decided(row, "withdrawn", steps)
        return len(steps)

    def recover(self) -> None:
        """Withdraw what an earlier run left at rest: nobody wishes it any more."""
        for tracked in self._desk.orders.open():
            order = tracked.order
            if order.role is _QUOTE:
                self._row(order.owner, order.instrument).adopt(tracked)
        self.withdraw(None, None, "left by an earlier run")

    def decision(self, owner: str, instrument: str) -> tuple[Step, ...]:
        """Return the last decision about a row, empty where there was none."""
        row = self._rows.get((owner, instrument))
        return () if row is None else row.steps

    # A look: compare, carry out, record.

    def _look(self, row: QuotingRow, cause: str, *, always: bool = False) -> None:
        core, wish = self._core, row.wish
        now = core.ts
        barred = self._barred(row) if row.wants_any else None
        # A strategy that goes on wishing in vain is told once, not each time.
        always = always and barred is None
        if barred is not None:
            draft = self._desk.draft(
                wish.strategy, wish.instrument, _QUOTE, Side.BUY, ZERO
            )
            self._tell(row, None, draft, barred)
            row.take(replace(wish, bids=(), asks=(), reason=barred.text))
        else:
            row.told.pop(None, None)
        self._cancel_lost(row)
        view = self._risk.market.instrument(wish.instrument)
        seen = [quote.working() for quote in row.quotes.values()]
        steps = requote(
            row.desired(),
            [each for each in seen if each is not None],
            self._settings,
            self._risk.instruments[wish.instrument],
            Touch(
                to_decimal(view.bid) if view.bid > 0 else None,
                to_decimal(view.ask) if view.ask > 0 else None,
            ),
            can_modify=self._desk.sender.abilities.modify,
            now_ns=now,
        )
        self._tie(row, steps)
        done = self._carry_out(row, steps)
        if always or any(step.kind in _SENT or step.why is Why.DENIED for step in done):
            self._decided(row, cause, done)
        else:
            row.steps = tuple(done)
        dues = [step.not_before_ns for step in done if step.not_before_ns is not None]
        if dues:
            self._due(row, min(dues))
        self._watch_data(row)

    def _barred(self, row: QuotingRow) -> Denial | None:
        """Return why the row may have no quotes at all now, if so."""
        owner, instrument = row.wish.strategy, row.wish.instrument
        return self._risk.data(instrument, self._core.ts) or self._risk.switches(
            owner, instrument, _QUOTE, entry=True
        )

    def _cancel_lost(self, row: QuotingRow) -> None:
        """Cancel quotes that work at a price that nobody can be sure of."""
        for quote in row.quotes.values():
            if quote.lost and quote.tracked.order.status in _OPEN:
                self._cancel(quote, "it is not known whether its change was made")

    def _tie(self, row: QuotingRow, steps: Sequence[Step]) -> None:
        for quote in row.quotes.values():
            quote.level = None
        for step in steps:
            if step.order_id and step.level is not None:
                quote = row.quotes[step.order_id]
                quote.level = row.levels[step.side][step.level]

    def _carry_out(self, row: QuotingRow, steps: Sequence[Step]) -> list[Step]:
        """Send what may go; return the steps as they have become."""
        done = []
        sender, now = self._desk.sender, self._core.ts
        for kind, request in _SENT.items():
            room = sender.rates.room(request, now, sender.abilities.batch)
            with sender.gather():
                for step in steps:
                    if step.kind is not kind:
                        continue
                    if kind is not K.CANCEL:
                        waiting = self._waiting(row, step, request, room)
                        if waiting is not None:
                            done.append(waiting)
                            continue
                    made = self._do(row, step)
                    room -= made.kind is kind
                    done.append(made)
        return [*done, *(step for step in steps if step.kind not in _SENT)]

    def _waiting(
        self, row: QuotingRow, step: Step, request: RequestKind, room: int
    ) -> Step | None:
        now = self._core.ts
        paused_ns = row.paused_ns[step.side]
        if paused_ns > now:
            times = f"{row.refusals[step.side]} times"
            return replace(
                step, kind=K.WAIT, why=Why.REFUSED, note=times, not_before_ns=paused_ns
            )
        if room > 0:
            return None
        rates = self._desk.sender.rates
        free_ns = max(rates.free_at(request, now), now + NS_PER_MS)
        note = rates.refusal(request, now) or "this batch took the rest of it"
        return replace(
            step, kind=K.WAIT, why=Why.RATE_LIMITED, note=note, not_before_ns=free_ns
        )

    def _do(self, row: QuotingRow, step: Step) -> Step:
        if step.kind is K.PLACE:
            return self._place(row, step)
        quote = row.quotes[step.order_id]
        if step.kind is K.CANCEL:
            self._cancel(quote, step.text)
            return step
        order = quote.tracked.order
        now = self._core.ts
        denial = self._risk.check_change(order, step.quantity, step.price, now)
        if denial is not None:
            # It must not stay where nobody wants it either.
            self._tell(row, step.side, order, denial)
            self._cancel(quote, denial.text)
            return replace(step, kind=K.CANCEL, why=Why.DENIED, note=denial.text)
        whole = order.filled + step.quantity
        quote.asked = step.price, whole
        self._desk.replace(quote.tracked, whole, step.price)
        return step

    def _place(self, row: QuotingRow, step: Step) -> Step:
        wish, now = row.wish, self._core.ts
        order = self._desk.draft(
            wish.strategy,
            wish.instrument,
            _QUOTE,
            step.side,
            step.quantity,
            order_type=_LIMIT,
            price=step.price,
            post_only=wish.post_only,
            reason=wish.reason,
        )
        denial = self._risk.check(order, now, Joining.QUOTE)
        if denial is not None:
            self._tell(row, step.side, order, denial)
            return replace(step, kind=K.WAIT, why=Why.DENIED, note=denial.text)
        row.told.pop(step.side, None)
        level = None if step.level is None else row.levels[step.side][step.level]
        tracked = self._desk.send(order, None, self._risk.judged_at)
        row.quotes[order.id] = Quote(tracked, level, now)
        return replace(step, order_id=order.id)

    def _cancel(self, quote: Quote, reason: str) -> bool:
        """Ask for a cancel of our own; False where one is under way."""
        before, quote.leaving = quote.leaving, True
        if self._desk.cancel(quote.tracked, reason):
            return True
        quote.leaving = before
        return False

    def _tell(
        self, row: QuotingRow, side: Side | None, order: Order, denial: Denial
    ) -> None:
        """Tell of a denial once, until another reason or a success comes between."""
        if row.told.get(side) != denial.code:
            row.told[side] = denial.code
            self._desk.deny(order, denial)

    def _decided(self, row: QuotingRow, cause: str, steps: Sequence[Step]) -> None:
        core, wish = self._core, row.wish
        row.steps = tuple(steps)
        counts = dict.fromkeys(K, 0)
        for step in steps:
            counts[step.kind] += 1
        why = [step.text for step in steps if step.kind is not K.KEEP]
        if len(why) > _TOLD:
            why = [*why[:_TOLD], f"and {len(why) - _TOLD} more"]
        core.record(
            RequoteRecord(
                seq=core.seq,
                ts=core.ts,
                strategy=wish.strategy,
                instrument=wish.instrument,
                cause=cause,
                bids=len(row.levels[Side.BUY]),
                asks=len(row.levels[Side.SELL]),
                kept=counts[K.KEEP],
                modified=counts[K.MODIFY],
                canceled=counts[K.CANCEL],
                placed=counts[K.PLACE],
                waiting=counts[K.WAIT],
                dropped=counts[K.DROP],
                denied=sum(step.why is Why.DENIED for step in steps),
                why=tuple(why),
                reason=wish.reason,
            )
        )

    # What becomes of the orders.

    def _on_order(self, event: OrderUpdated) -> None:
        order = event.order
        if order.role is not _QUOTE:
            return
        row = self._rows.get((order.owner, order.instrument))
        if row is not None:
            due_ns = row.follow(event, self._core.ts)
            if due_ns is not None:
                self._due(row, due_ns)

    # When to look again.

    def _due(self, row: QuotingRow, at_ns: int) -> None:
        """Look again at this time, or earlier where that is planned already."""
        if row.timer is not None:
            if row.due_ns <= at_ns:
                return
            row.timer.cancel()
        row.due_ns = at_ns
        row.timer = self._at(row, at_ns, "look", self._look_again)

    def _at(
        self, row: QuotingRow, at_ns: int, what: str, then: Callable[[QuotingRow], None]
    ) -> Any:
        row.timers += 1
        wish = row.wish
        return self._core.call_at(
            at_ns,
            f"{self._desk.name}.{what}.{wish.strategy}.{wish.instrument}.{row.timers}",
            partial(then, row),
        )

    def _look_again(self, row: QuotingRow) -> None:
        row.timer = None
        self._look(row, "reports")

    def _watch_data(self, row: QuotingRow) -> None:
        """See to it that nothing rests on data that has become too old."""
        if row.watch is not None or not row.works_any:
            return
        market, instrument = self._risk.market, row.wish.instrument
        old_ns = market.instrument(instrument).ts_recv + market.age_limit(instrument)
        at_ns = max(old_ns + 1, self._core.ts + _LOOK_AT_DATA_NS)
        row.watch = self._at(row, at_ns, "data", self._check_data)

    def _check_data(self, row: QuotingRow) -> None:
        row.watch = None
        denial = self._risk.data(row.wish.instrument, self._core.ts)
        if denial is not None and (row.wants_any or row.works_any):
            self._withdraw(row, denial.text)
        self._watch_data(row)

    def _on_broke(self, event: DataBroke) -> None:
        self.withdraw(None, event.instrument, event.reason)

    def digest(self) -> object:
        """Return wishes and quotes in plain values, rows in order of first wish."""
        return tuple((*key, row.digest()) for key, row in self._rows.items())


_OPEN = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)


def _cancel_step(order: Order, why: Why) -> Step:
    return Step(
        kind=K.CANCEL,
        side=order.side,
        why=why,
        order_id=order.id,
        price=order.price or ZERO,
        quantity=order.remaining,
    )
