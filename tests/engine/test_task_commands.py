"""Commands to tasks: paused, stepped, stopped and started again."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.engine.commands import (
    ENTER,
    C,
    T,
    W,
    do,
    holder,
    holding,
    more,
    refused,
    row_of,
    working,
)
from tests.engine.runs import finish, kept, small
from workstation.engine.drivers import Until, run_backtest
from workstation.kernel import TaskState
from workstation.model.commands import (
    CancelOrders,
    Inject,
    PauseTask,
    RestartTask,
    ResumeTask,
    StepTask,
    StopTask,
)
from workstation.model.orders import OrderRole, OrderStatus
from workstation.model.records import DenyRecord, StateRecord
from workstation.model.signals import Signal, SignalAction
from workstation.model.states import BookTrust
from workstation.strategy.question import Function, Question


def test_a_paused_strategy_makes_no_calls_and_a_step_is_exactly_one() -> None:
    session = small()
    run_backtest(session.engine, Until(events=100))
    strategy = session.strategies[0]
    calls = strategy.calls
    said = do(session, PauseTask(task="ema_cross"))
    assert said == "ema_cross is paused: no script calls; stops and fills go on"
    more(session)
    assert strategy.calls == calls
    assert do(session, StepTask(task="ema_cross")).startswith(
        "ema_cross was asked once, on "
    )
    assert strategy.calls == calls + 1
    assert do(session, ResumeTask(task="ema_cross")) == "ema_cross runs"
    assert list(strategy.withheld) == []
    more(session)
    assert strategy.calls > calls + 1


def test_a_step_with_nothing_withheld_is_refused() -> None:
    session = small()
    run_backtest(session.engine, Until(events=100))
    do(session, PauseTask(task="ema_cross"))
    assert refused(session, StepTask(task="ema_cross")) == (
        "ema_cross has no withheld call; it is asked at the close of each 1s bar"
    )


def test_while_a_strategy_is_paused_its_stops_and_fills_go_on(tmp_path: Path) -> None:
    near = ENTER.replace("0.6", "0.99995")
    session = holder(tmp_path, near, "feeds.0.volatility_bps=20")
    engine = session.engine
    engine.start()
    while row_of(session).state is not T or not row_of(session).stop:
        assert engine.step()
    do(session, PauseTask(task="ema_cross"))
    records = kept(session)
    while row_of(session).state is T:
        assert engine.step()
    moves = [r for r in records if isinstance(r, StateRecord)]
    assert [(r.after, r.trigger) for r in moves] == [(T, "stop"), (W, "flat")]


def test_a_paused_executor_denies_orders_and_lets_cancels_pass(tmp_path: Path) -> None:
    session, order_id = working(tmp_path)
    assert do(session, PauseTask(task="executor")) == (
        "new orders are denied (TASK_PAUSED); cancels and reports pass"
    )
    records = kept(session)
    entry = Signal(
        strategy="ema_cross",
        instrument="ETHUSDT",
        action=SignalAction.ENTER_LONG,
        quantity=Decimal("0.1"),
    )
    do(session, Inject(event=entry))
    (denied,) = [r for r in records if isinstance(r, DenyRecord)]
    assert (denied.instrument, denied.code) == ("ETHUSDT", "TASK_PAUSED")
    do(session, CancelOrders(order_ids=(order_id,)))
    more(session)
    canceled = session.engine.store.snapshot().orders[order_id]
    assert canceled.status is OrderStatus.CANCELED
    assert refused(session, StepTask(task="executor")) == (
        "executor denies while paused and withholds nothing to step through"
    )
    do(session, ResumeTask(task="executor"))
    before = len([r for r in records if isinstance(r, DenyRecord)])
    do(session, Inject(event=entry))
    assert len([r for r in records if isinstance(r, DenyRecord)]) == before


def test_a_paused_feed_sheds_and_its_books_are_untrusted() -> None:
    session = small()
    run_backtest(session.engine, Until(events=500))
    feed = session.engine.sources.feeds[0]
    assert do(session, PauseTask(task="market")) == (
        "market is paused: its events are shed and counted"
    )
    for instrument in session.instruments:
        book = session.aggregator.book(instrument)
        assert book is not None
        assert book.trust is BookTrust.UNTRUSTED
        distrust = session.aggregator.distrust(instrument, session.engine.core.ts)
        assert distrust is not None
        assert "feed market paused" in distrust
    delivered = session.engine.delivered
    for _ in range(50):
        session.engine.step()
    assert session.engine.delivered == delivered
    assert feed.shed == 50
    assert "next event through when the clock moves" in do(
        session, StepTask(task="market")
    )
    for _ in range(5):
        session.engine.step()
    assert session.engine.delivered == delivered + 1
    do(session, ResumeTask(task="market"))
    more(session, 500)
    book = session.aggregator.book("BTCUSDT")
    assert book is not None
    assert book.trust is BookTrust.TRUSTED


def test_a_task_is_paused_once() -> None:
    session = small()
    do(session, PauseTask(task="ema_cross"))
    assert "paused" in refused(session, PauseTask(task="ema_cross"))


def test_a_stopped_strategy_cancels_its_entries_and_starts_again_empty(
    tmp_path: Path,
) -> None:
    session, order_id = working(tmp_path)
    strategy = session.strategies[0]
    assert do(session, StopTask(task="ema_cross")) == (
        "ema_cross is stopped; 1 entries canceled, protection stays held"
    )
    calls = strategy.calls
    more(session)
    assert session.engine.store.snapshot().orders[order_id].status is (
        OrderStatus.CANCELED
    )
    assert row_of(session).state is W
    assert strategy.calls == calls
    assert session.engine.registry.get("ema_cross").state is TaskState.STOPPED
    refused(session, StopTask(task="ema_cross"))
    assert do(session, RestartTask(task="ema_cross")) == (
        "ema_cross runs again with an empty context"
    )
    more(session)
    assert strategy.calls > calls
    assert session.engine.registry.get("ema_cross").stats().restarts == 1


def test_a_strategy_stops_though_its_entries_are_being_canceled(tmp_path: Path) -> None:
    session, order_id = working(tmp_path)
    do(session, CancelOrders(order_ids=(order_id,)))
    assert "0 entries canceled" in do(session, StopTask(task="ema_cross"))
    assert session.engine.registry.get("ema_cross").state is TaskState.STOPPED


def test_a_position_keeps_its_stop_when_its_strategy_is_stopped(tmp_path: Path) -> None:
    session = holding(tmp_path)
    do(session, StopTask(task="ema_cross"))
    more(session)
    assert [o.role for o in session.executor.held_protection()] == [OrderRole.STOP]


def test_a_stopped_feed_ends_and_is_not_trusted() -> None:
    session = small()
    run_backtest(session.engine, Until(events=500))
    assert do(session, StopTask(task="market")) == (
        "market is stopped; what it had left is not delivered"
    )
    assert not session.engine.step()
    assert session.engine.ended
    distrust = session.aggregator.distrust("BTCUSDT", session.engine.core.ts)
    assert distrust is not None
    assert "feed market stopped" in distrust


def test_a_restart_from_close_watch_begins_in_watch() -> None:
    session = small()
    engine = session.engine
    engine.start()
    while C not in [row.state for row in session.strategies[0].rows.values()]:
        assert engine.step()
    do(session, RestartTask(task="ema_cross"))
    assert {row.state for row in session.strategies[0].rows.values()} <= {W, T}
    finish(session)
    assert engine.registry.get("ema_cross").state is TaskState.RUNNING


def test_a_restart_waits_for_the_answer_that_would_bring_the_old_context() -> None:
    session = small()
    run_backtest(session.engine, Until(events=100))
    strategy = session.strategies[0]
    row = next(iter(strategy.rows.values()))
    row.asked = Question(
        function=Function.DETECT, state=W, moves=0, position=Decimal(0), at_bar=True
    )
    assert refused(session, RestartTask(task="ema_cross")) == (
        "ema_cross waits for an answer of its script; try again"
    )
    assert session.engine.registry.get("ema_cross").state is TaskState.RUNNING
    row.asked = None
    do(session, RestartTask(task="ema_cross"))


def test_an_entry_that_a_step_asked_for_is_made_and_no_other(tmp_path: Path) -> None:
    session = holder(tmp_path)
    engine = session.engine
    while row_of(session).state is W:
        assert engine.step()
    assert row_of(session).state is C
    do(session, PauseTask(task="ema_cross"))
    strategy = session.strategies[0]
    while "BTCUSDT" not in strategy.withheld:
        assert engine.step()
    while strategy.withheld[0] != "BTCUSDT":
        do(session, StepTask(task="ema_cross"))
    do(session, StepTask(task="ema_cross"))
    assert row_of(session).state is T
    more(session)
    assert not session.executor.position("ema_cross", "BTCUSDT").is_flat
    assert not strategy.stepping


def test_a_stopped_strategy_is_called_stopped_where_it_is_refused(
    tmp_path: Path,
) -> None:
    session = holding(tmp_path)
    do(session, StopTask(task="ema_cross"))
    gates = session.executor.gates("ema_cross", "ETHUSDT")
    (task,) = [gate for gate in gates if gate.name == "task"]
    assert not task.passed
    assert "stopped" in task.detail
    assert "paused" not in task.detail
