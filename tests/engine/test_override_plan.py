"""Overrides: what the plan says is what the command does, in every combination."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.strategy.bench import Bench, S
from workstation.engine.override_plan import (
    Holdings,
    OverridePlan,
    choices,
    holdings_of,
    plan_override,
)
from workstation.model.commands import Disposition, Override
from workstation.model.errors import CommandRefused
from workstation.model.orders import OrderStatus
from workstation.model.reports import OrderCanceled, OrderFilledReport
from workstation.model.signals import Signal, SignalAction
from workstation.model.states import SymbolState
from workstation.strategy.machine import TABLE

W, C, T = SymbolState
D = Decimal
SEEN = {"signal": "cross"}
ENTER = {"action": "enter_long", "stop": 90.0}


def fill(bench: Bench, order_id: str, quantity: str) -> None:
    trade_id = f"t-{len(bench.core.records)}"
    bench.report(
        OrderFilledReport(order_id, trade_id, D(quantity), D(100), D(0), "USDT", False)
    )


def last(bench: Bench) -> str:
    return bench.submitted()[-1].id


def give_operator(bench: Bench, action: SignalAction) -> None:
    """Let the operator hold one unit, or owe it."""
    signal = Signal(strategy="operator", instrument="BTC", action=action, quantity=D(1))
    bench.report(signal)
    fill(bench, last(bench), "1")


# What a row may be when the operator comes; each builds it by real inputs.


def watching(bench: Bench) -> None:
    bench.bar()


def close_watching(bench: Bench) -> None:
    bench.bar(SEEN)


def entering(bench: Bench) -> None:
    close_watching(bench)
    bench.bar(ENTER)


def entering_canceled(bench: Bench) -> None:
    entering(bench)
    bench.report(
        Signal(strategy="s", instrument="BTC", action=SignalAction.CANCEL_ENTRY)
    )


def entered_in_part(bench: Bench) -> None:
    entering(bench)
    fill(bench, last(bench), "0.5")


def holding(bench: Bench) -> None:
    entering(bench)
    fill(bench, last(bench), "1")


def adding(bench: Bench) -> None:
    holding(bench)
    bench.bar({"action": "enter_long", "add": True, "price": 95.0})


def exiting(bench: Bench) -> None:
    holding(bench)
    bench.bar({"action": "exit"})


def exiting_in_part(bench: Bench) -> None:
    holding(bench)
    bench.bar({"action": "exit", "quantity": 0.25})


def exiting_at_a_price(bench: Bench) -> None:
    holding(bench)
    bench.bar({"action": "exit", "price": 110.0})


def reversing(bench: Bench) -> None:
    holding(bench)
    bench.bar({"action": "enter_short", "reverse": True})


def stopped_out(bench: Bench) -> None:
    holding(bench)
    bench.quote(85.0)


ROWS: list[Callable[[Bench], None]] = [
    watching,
    close_watching,
    entering,
    entering_canceled,
    entered_in_part,
    holding,
    adding,
    exiting,
    exiting_in_part,
    exiting_at_a_price,
    reversing,
    stopped_out,
]
OPERATORS = {
    "operator flat": None,
    "operator long": SignalAction.ENTER_LONG,
    "operator short": SignalAction.ENTER_SHORT,
}
CASES = list(itertools.product(ROWS, OPERATORS, SymbolState, Disposition))


def bench_of(row: Callable[[Bench], None], operator: str) -> Bench:
    bench = Bench()
    row(bench)
    action = OPERATORS[operator]
    if action is not None:
        give_operator(bench, action)
    return bench


def see(bench: Bench) -> Holdings:
    """Return what a dialog is shown, made of all orders as a frame has them."""
    return holdings_of(
        "s",
        "BTC",
        bench.row.state,
        locked=bench.row.locked,
        position=bench.position(),
        operators=bench.position("operator"),
        orders=bench.executor.orders(),
        waiting=bench.executor.waiting_entry("s", "BTC"),
    )


def command(state: SymbolState, disposition: Disposition, **rest: object) -> Override:
    return Override(
        strategy="s",
        instrument="BTC",
        state=state,
        disposition=disposition,
        reason="mine",
        **rest,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("row", "operator", "state", "disposition"),
    CASES,
    ids=lambda part: getattr(part, "__name__", str(part)),
)
def test_what_the_plan_says_is_what_happens(
    row: Callable[[Bench], None],
    operator: str,
    state: SymbolState,
    disposition: Disposition,
) -> None:
    bench = bench_of(row, operator)
    wanted = command(state, disposition)
    before = see(bench)
    plan = plan_override(before, wanted, bench.core.ts)
    canceled = len(bench.canceled())
    sent = len(bench.submitted())
    records = len(bench.core.records)
    if plan.refusal:
        with pytest.raises(CommandRefused) as caught:
            bench.do(wanted)
        assert str(caught.value) == plan.refusal
        assert len(bench.core.records) == records
        assert see(bench) == before
        return
    bench.do(wanted)
    after = see(bench)
    assert after.state is plan.after
    operators = plan.cancels_operators
    asked = (*plan.cancels, *plan.cancels_exits, *operators)
    assert sorted(bench.canceled()[canceled:]) == sorted(asked)
    assert after.entries == plan.keeps_entries
    assert bool(after.waiting) is (bool(before.waiting) and not plan.gives_up)
    assert before.waiting == plan.gives_up or not plan.gives_up
    assert after.operators == before.operators + plan.hands_over - plan.adopts
    if plan.hands_over:
        assert plan.hands_over == before.position
        assert after.position == 0
    else:
        assert after.position == before.position + plan.adopts
    closing = bench.submitted()[sent:]
    if plan.cancels_exits:
        # The close follows once the exit is out of its way.
        assert closing == []
        for exit_id in plan.cancels_exits:
            bench.report(OrderCanceled(exit_id))
        closing = bench.submitted()[sent:]
    assert sum((o.quantity * -o.side.sign for o in closing), D(0)) == plan.closes
    if plan.keeps:
        assert after.position == plan.keeps
    _check_protection(bench, before, plan)
    _check_how_it_ends(bench, plan, state)


def _check_protection(bench: Bench, before: Holdings, plan: OverridePlan) -> None:
    """A stop stays beside what stays, and goes where the position goes."""
    held = {o.owner for o in bench.executor.held_protection()}
    if plan.hands_over:
        assert held == {"operator"}
    elif plan.keeps and before.position and not before.closing:
        assert "s" in held


def _check_how_it_ends(bench: Bench, plan: OverridePlan, target: SymbolState) -> None:
    """Let the venue do all that is asked of it: the row is then where it was to go."""
    if plan.later is None:
        return
    assert bench.row.override is not None
    for _ in range(4):
        for order in bench.working():
            if order.status is OrderStatus.HELD:
                continue
            if order.status is OrderStatus.PENDING_CANCEL:
                bench.report(OrderCanceled(order.id))
            else:
                fill(bench, order.id, str(order.remaining))
    assert bench.row.state is plan.later is target
    assert bench.position() == 0
    end = bench.moves()[-1]
    assert (end.who, end.reason) == ("operator", "override: mine")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
@pytest.mark.parametrize("operator", OPERATORS)
def test_what_is_offered_is_legal_and_nothing_legal_is_left_out(
    row: Callable[[Bench], None], operator: str
) -> None:
    bench = bench_of(row, operator)
    holdings = see(bench)
    offered = choices(holdings, bench.core.ts)
    assert next(iter(offered)) is holdings.state
    for state in SymbolState:
        plans = {
            disposition: plan_override(
                holdings, command(state, disposition), bench.core.ts
            )
            for disposition in Disposition
        }
        legal = {d for d, plan in plans.items() if not plan.refusal}
        assert set(offered.get(state, ())) <= legal
        assert bool(legal) is (state in offered)
        # What is not offered does what something offered does.
        for disposition in legal:
            assert plans[disposition] in [plans[d] for d in offered[state]]


def test_the_table_is_the_last_word_on_states() -> None:
    overrides = {W: "override_watch", C: "override_close_watch", T: "override_in_trade"}
    legal = {(state, trigger.value) for state, trigger in TABLE}
    for now, target in itertools.product(SymbolState, SymbolState):
        holdings = Holdings(strategy="s", instrument="BTC", state=now, operators=D(1))
        plans = [plan_override(holdings, command(target, d), 0) for d in Disposition]
        possible = any(not plan.refusal for plan in plans)
        assert possible is (now is target or (now, overrides[target]) in legal)


def test_a_forbidden_move_is_refused_with_those_there_are() -> None:
    holdings = Holdings(strategy="s", instrument="BTC", state=T, position=D(1))
    plan = plan_override(holdings, command(C, Disposition.FLATTEN), 0)
    assert plan.refusal == (
        "s BTC is in InTrade and cannot go to CloseWatch; it can go to: Watch"
    )


@pytest.mark.parametrize(
    ("lock", "ends_in_ns", "said"),
    [
        (False, 99, "s BTC: an end is for a lock; lock the row, or name no end"),
        (True, 0, "s BTC: the lock would have ended 0.0 s ago; name a later time"),
        (True, -1_500_000_000, "s BTC: the lock would have ended 1.5 s ago"),
    ],
)
def test_an_end_that_is_past_or_without_a_lock_is_refused(
    lock: bool, ends_in_ns: int, said: str
) -> None:
    bench = Bench()
    kept = len(bench.core.records)
    with pytest.raises(CommandRefused, match=said):
        bench.override(W, lock=lock, expires_ns=bench.core.ts + ends_in_ns)
    assert len(bench.core.records) == kept


def test_a_lock_is_set_with_its_end_and_ended_by_an_override_without() -> None:
    bench = Bench()
    until = bench.core.ts + 60 * S
    bench.override(C, lock=True, expires_ns=until)
    assert (bench.row.locked, bench.row.lock_until_ns) == (True, until)
    plan = plan_override(see(bench), command(C, Disposition.KEEP), bench.core.ts)
    assert plan.unlocks
    bench.override(C)
    assert not bench.row.locked
    # Who did what stands in the row's history, the lock beside the moves.
    assert [(type(r).__name__, r.who) for r in bench.row.history] == [
        ("LockRecord", "operator"),
        ("StateRecord", "operator"),
        ("LockRecord", "operator"),
    ]
