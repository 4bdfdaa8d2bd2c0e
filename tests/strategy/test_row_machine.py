"""The whole machine against a model of its own: any order of anything that can happen.

The venue is played by hypothesis: fills that are late, partial, doubled, too large or
never come, rejections, expiries, cancels that cross fills, answers that time out. The
model books fills and ends by itself and knows nothing of the code's tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.strategy.bench import Bench
from workstation.execution.settings import OrderSettings
from workstation.model.commands import (
    CancelOrders,
    Disposition,
    Flatten,
    Hold,
    Kill,
    KillLevel,
    Rearm,
)
from workstation.model.errors import CommandRefused, ScriptError
from workstation.model.orders import OrderRole, OrderStatus
from workstation.model.records import FaultRecord, FillRecord
from workstation.model.reports import (
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
)
from workstation.model.states import SymbolState
from workstation.strategy.machine import TABLE

W, C, T = SymbolState
D = Decimal
ENTRIES = ("enter_long", "enter_short")
LEGAL = {
    (state, trigger.value, way.after)
    for (state, trigger), ways in TABLE.items()
    for way in ways
}
EXTRAS = st.fixed_dictionaries(
    {},
    optional={
        "stop": st.sampled_from([0.9, 0.97]),
        "target": st.sampled_from([1.03, 1.1]),
        "trailing_bps": st.sampled_from([50, 500]),
        "price": st.sampled_from([0.99, 1.0]),
        "quantity": st.sampled_from([0.5, 1.0, 2.0]),
    },
)


@dataclass
class VenueOrder:
    """An order as the venue knows it: what was asked, filled and ended."""

    id: str
    entry: bool
    owner: str
    sign: int
    quantity: Decimal
    filled: Decimal = field(default_factory=Decimal)
    ended: bool = False
    trades: list[str] = field(default_factory=list)


class RowMachine(RuleBasedStateMachine):
    """One row, its script, its operator and its venue."""

    trades = Bundle("trades")

    @initialize(keeps=st.booleans(), seconds=st.sampled_from([None, 150.0]))
    def begin(self, keeps: bool, seconds: float | None) -> None:
        self.bench = Bench(
            orders=OrderSettings(create_timeout_ms=90_000, cancel_timeout_ms=90_000),
            close_watch_bars=4,
            close_watch_s=seconds,
            untrusted="keep" if keeps else "watch",
        )
        self.keeps = keeps
        self.orders: dict[str, VenueOrder] = {}
        self.seen = 0
        self.checked = 0
        self.count = 0
        # The model's own books: what each owner holds, and whether the row is in
        # CloseWatch when it is not in trade.
        self.held = {"s": D(0), "operator": D(0)}
        self.close_watch = False

    # --- the model --------------------------------------------------------------------

    def _see_requests(self) -> None:
        for order in self.bench.submitted()[self.seen :]:
            self.seen += 1
            self.orders[order.id] = VenueOrder(
                id=order.id,
                entry=order.role is OrderRole.ENTRY,
                owner=order.owner,
                sign=order.side.sign,
                quantity=order.quantity,
            )

    def _in_trade(self) -> bool:
        working = any(o.entry and not o.ended for o in self.orders.values())
        return bool(self.held["s"]) or working

    def _settle(self) -> None:
        self._see_requests()
        if self._in_trade():
            self.close_watch = False

    def _open(self) -> list[str]:
        return [o.id for o in self.orders.values() if not o.ended]

    def _has_expired(self, was: SymbolState) -> bool:
        """Tell whether CloseWatch ended by its time; the model has no clock."""
        if was is not C or self.bench.row.state is not W:
            return False
        assert self.bench.moves()[-1].trigger == "expire"
        self.close_watch = False
        return True

    # --- the script -------------------------------------------------------------------

    @precondition(lambda self: self.bench.row.state is W)
    @rule(answer=st.sampled_from([None, {"signal": "cross"}, {"bad": object()}]))
    def watch(self, answer: object) -> None:
        self.bench.wait_for_bar()
        calls = len(self.bench.says.asked)
        wrong = isinstance(answer, dict) and "bad" in answer
        self._bar(answer, wrong=wrong)
        asked = len(self.bench.says.asked) > calls
        if asked and answer is not None and not wrong:
            self.close_watch = True
        self._settle()

    @precondition(lambda self: self.bench.row.state is C)
    @rule(
        word=st.sampled_from([None, "cancel_analysis", *ENTRIES, "exit"]),
        extras=EXTRAS,
    )
    def commit(self, word: str | None, extras: dict[str, float]) -> None:
        row = self.bench.row
        self.bench.wait_for_bar()
        if self._has_expired(C):
            return
        calls, left = len(self.bench.says.asked), row.bars_left
        self._bar(self._answer(word, extras), wrong=word == "exit")
        if len(self.bench.says.asked) > calls:
            gone = word in ("cancel_analysis", *ENTRIES) or (word is None and left == 1)
            if gone:
                self.close_watch = False
        self._settle()

    @precondition(lambda self: self.bench.row.state is T)
    @rule(
        word=st.sampled_from(
            [
                None,
                "exit",
                "part",
                "exit_at",
                "update_stop_loss",
                "update_take_profit",
                "cancel_entry",
                "add",
                "reverse",
            ]
        ),
        factor=st.sampled_from([0.9, 0.97, 1.03, 1.1]),
        loosen=st.booleans(),
        extras=EXTRAS,
    )
    def manage(
        self, word: str | None, factor: float, loosen: bool, extras: dict[str, float]
    ) -> None:
        price = self.bench.price
        answer: dict[str, object] | None
        if word is None:
            answer = None
        elif word in ("add", "reverse"):
            long = (self.bench.position() > 0) is (word == "add")
            answer = self._answer(ENTRIES[0 if long else 1], extras)
            assert answer is not None
            answer[word] = True
        elif word == "part":
            answer = {"action": "exit", "quantity": 0.25}
        elif word == "exit_at":
            answer = {"action": "exit", "price": price * factor}
        elif word == "update_stop_loss":
            answer = {"action": word, "stop": price * factor, "loosen": loosen}
        elif word == "update_take_profit":
            answer = {"action": word, "target": price * factor}
        else:
            answer = {"action": word}
        # To add to nothing is a mistake of the script, which changes nothing.
        wrong = word in ("add", "reverse") and not self.bench.position()
        self._bar(answer, wrong=wrong)
        self._settle()

    def _answer(
        self, word: str | None, extras: dict[str, float]
    ) -> dict[str, object] | None:
        if word is None:
            return None
        answer: dict[str, object] = {"action": word}
        if word not in ENTRIES:
            return answer
        price = self.bench.price
        long = word == ENTRIES[0]
        entry = price
        if "price" in extras:
            away = 1 - extras["price"]
            entry = price * (1 - away if long else 1 + away)
            answer["price"] = entry
        for key in ("stop", "target"):
            if key in extras:
                away = extras[key] - 1
                answer[key] = entry * (1 + away if long else 1 - away)
        for key in ("trailing_bps", "quantity"):
            if key in extras:
                answer[key] = extras[key]
        return answer

    def _bar(self, answer: object, *, wrong: bool) -> None:
        calls = len(self.bench.says.asked)
        try:
            self.bench.bar(answer)
        except ScriptError:
            assert wrong
        else:
            assert not wrong or len(self.bench.says.asked) == calls

    # --- the venue --------------------------------------------------------------------

    @precondition(lambda self: self._open())
    @rule(data=st.data())
    def accept(self, data: st.DataObject) -> None:
        order_id = data.draw(st.sampled_from(self._open()))
        self.bench.report(OrderAccepted(order_id, f"v-{order_id}"))
        self._settle()

    @precondition(lambda self: self.orders)
    @rule(
        target=trades,
        data=st.data(),
        share=st.sampled_from(["0.25", "0.5", "1", "1", "1.5"]),
    )
    def fill(self, data: st.DataObject, share: str) -> tuple[str, str, Decimal]:
        """Fill any order that was ever sent: partly, wholly, too much, or late."""
        order = self.orders[data.draw(st.sampled_from(sorted(self.orders)))]
        left = order.quantity - order.filled
        quantity = max(left, D("0.5")) * D(share)
        self.count += 1
        trade = (order.id, f"t-{self.count}", quantity)
        self._fill(*trade)
        return trade

    @rule(trade=trades)
    def fill_again(self, trade: tuple[str, str, Decimal]) -> None:
        self._fill(*trade)

    def _fill(self, order_id: str, trade_id: str, quantity: Decimal) -> None:
        order = self.orders[order_id]
        price = D(str(self.bench.price))
        before = len([r for r in self.bench.core.records if type(r) is FillRecord])
        self.bench.report(
            OrderFilledReport(order_id, trade_id, quantity, price, D(0), "USDT", False)
        )
        after = len([r for r in self.bench.core.records if type(r) is FillRecord])
        if trade_id in order.trades:
            assert after == before
        else:
            assert after == before + 1
            order.trades.append(trade_id)
            order.filled += quantity
            order.ended |= order.filled >= order.quantity
            self.held[order.owner] += quantity * order.sign
        self._settle()

    @precondition(lambda self: self._open())
    @rule(
        data=st.data(),
        kind=st.sampled_from([OrderRejected, OrderExpired, OrderCanceled]),
    )
    def end(self, data: st.DataObject, kind: type) -> None:
        order_id = data.draw(st.sampled_from(self._open()))
        self.bench.report(kind(order_id, "venue"))
        self.orders[order_id].ended = True
        self._settle()

    @precondition(lambda self: self._open())
    @rule(data=st.data())
    def refuse_cancel(self, data: st.DataObject) -> None:
        asked = [i for i in self._open() if i in self.bench.canceled()]
        if asked:
            order_id = data.draw(st.sampled_from(asked))
            self.bench.report(CancelRejected(order_id, "too late"))
            self._settle()

    @rule(factor=st.sampled_from([0.9, 0.96, 1.0, 1.04, 1.1]))
    def move_price(self, factor: float) -> None:
        price = round(min(max(self.bench.price * factor, 20.0), 500.0), 1)
        self.bench.quote(price)
        self._settle()

    @rule(seconds=st.sampled_from([1, 40, 100]))
    def wait(self, seconds: int) -> None:
        state = self.bench.row.state
        self.bench.wait_until(self.bench.core.ts + seconds * 1_000_000_000)
        self._has_expired(state)
        self._settle()

    @rule()
    def break_data(self) -> None:
        self.bench.broke()
        self.close_watch &= self.keeps
        self._settle()

    # --- the operator -----------------------------------------------------------------

    @rule(
        state=st.sampled_from(SymbolState),
        disposition=st.sampled_from(Disposition),
        lock=st.booleans(),
    )
    def override(
        self, state: SymbolState, disposition: Disposition, lock: bool
    ) -> None:
        before = len(self.bench.moves())
        was = self.bench.row.state
        try:
            self.bench.override(state, disposition=disposition, lock=lock)
        except CommandRefused:
            assert len(self.bench.moves()) == before
            self._settle()
            return
        if disposition is Disposition.ADOPT:
            self.held["s"] += self.held["operator"]
            self.held["operator"] = D(0)
        elif disposition is Disposition.HAND_OVER:
            self.held["operator"] += self.held["s"]
            self.held["s"] = D(0)
        if was is not T:
            self.close_watch = state is C
        self._settle()

    @precondition(lambda self: self.bench.row.locked)
    @rule()
    def hand_back(self) -> None:
        self.bench.hand_back()

    @rule(
        command=st.sampled_from(
            [
                Hold(on=True),
                Hold(on=False),
                Kill(level=KillLevel.HOLD),
                Kill(level=KillLevel.CANCEL),
                Kill(level=KillLevel.FLATTEN),
                Rearm(),
                Rearm(),
                Flatten(instrument="BTC", owner="s"),
                Flatten(instrument="BTC"),
            ]
        )
    )
    def command(self, command: Hold | Kill | Rearm | Flatten) -> None:
        try:
            self.bench.do(command)
        except CommandRefused:
            pass
        else:
            if isinstance(command, Kill):
                self.close_watch = False
        self._settle()

    @precondition(lambda self: self.bench.working())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.bench.working()))
        try:
            self.bench.do(CancelOrders(order_ids=(order.id,)))
        except CommandRefused:
            pass
        self._settle()

    # --- what must always be so -------------------------------------------------------

    @invariant()
    def the_state_agrees_with_position_and_orders(self) -> None:
        if self._in_trade():
            expected = T
        else:
            expected = C if self.close_watch else W
        assert self.bench.row.state is expected

    @invariant()
    def the_ledger_agrees_with_the_fills(self) -> None:
        for owner, quantity in self.held.items():
            assert self.bench.position(owner) == quantity
        assert self.bench.executor.net("BTC") == sum(self.held.values(), D(0))

    @invariant()
    def every_order_is_accounted_for(self) -> None:
        known = {o.id: o for o in self.bench.executor.orders()}
        for mine in self.orders.values():
            theirs = known[mine.id]
            assert theirs.filled == mine.filled
            assert theirs.is_terminal is mine.ended
        never_sent = set(known) - set(self.orders)
        for order_id in never_sent:
            order = known[order_id]
            assert order.is_protection
            assert order.status in (
                OrderStatus.HELD,
                OrderStatus.CANCELED,
                OrderStatus.DENIED,
            )

    @invariant()
    def held_orders_only_protect_what_is_held(self) -> None:
        for order in self.bench.executor.held_protection():
            position = self.bench.position(order.owner)
            assert order.quantity <= abs(position)
            assert order.side.sign * position < 0

    @invariant()
    def nothing_waits_for_nothing(self) -> None:
        if self.bench.executor.waiting_entry("s", "BTC"):
            at_work = [
                o for o in self.bench.working() if o.status is not OrderStatus.HELD
            ]
            assert at_work
            assert self.bench.row.committing or self.bench.row.state is T

    @invariant()
    def the_history_is_one_chain_of_legal_moves(self) -> None:
        moves = self.bench.moves()
        for earlier, later in pairwise(moves[max(self.checked - 1, 0) :]):
            assert later.before is earlier.after
            assert later.seq >= earlier.seq
            assert later.ts >= earlier.ts
        for move in moves[self.checked :]:
            assert (move.before, move.trigger, move.after) in LEGAL
            assert move.who in ("script", "engine", "operator")
        self.checked = len(moves)
        if moves:
            assert moves[-1].after is self.bench.row.state

    @invariant()
    def no_handler_failed(self) -> None:
        for record in self.bench.core.records:
            if isinstance(record, FaultRecord):
                # What the venue does wrong is an alarm of the Executor's.
                assert record.where in ("report", "status", "")


RowMachine.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestARowFollowsItsFillsWhateverHappens = RowMachine.TestCase
