"""Commands: what applies is done and said, what does not is refused and said why."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.engine.runs import finish, kept, settings, small, with_script
from tests.strategy.fakes import write_script
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.session import Session
from workstation.kernel import TaskState
from workstation.model.commands import (
    CancelOrders,
    Command,
    Disposition,
    Flatten,
    HandBack,
    Hold,
    Inject,
    Kill,
    KillLevel,
    Override,
    PauseTask,
    Rearm,
    RestartTask,
    ResumeTask,
    StepTask,
    StopTask,
)
from workstation.model.market import Bar, BookDelta, BookSnapshot, Quote, Trade
from workstation.model.orders import OrderRole, OrderStatus
from workstation.model.records import CommandRecord, DenyRecord, StateRecord
from workstation.model.signals import Signal, SignalAction
from workstation.model.states import BookTrust, SymbolState

S = 1_000_000_000
W, C, T = SymbolState
NAN, INF = float("nan"), float("inf")

# Enters BTCUSDT at once and holds; asks for nothing else.
ENTER = "return {'action': 'enter_long', 'stop': market.close * 0.6, 'reason': 'go'}"
RESTING = (
    "return {'action': 'enter_long', 'price': market.close * 0.9, "
    "'stop': market.close * 0.6}"
)
SEEN = "return {'signal': 'x'} if market.symbol == 'BTCUSDT' else None"


def _holder(tmp_path: Path, filter_: str = ENTER, *overrides: str) -> Session:
    """Return a run in which ``ema_cross`` wants to hold BTCUSDT for good."""
    script = write_script(tmp_path, detect=SEEN, filter=filter_)
    return small(*with_script(script), *overrides)


def _holding(tmp_path: Path) -> Session:
    session = _holder(tmp_path)
    run_backtest(session.engine, Until(events=200))
    assert not _position(session).is_flat
    assert _row(session).state is T
    return session


def _working(tmp_path: Path) -> tuple[Session, str]:
    """Return a run in which an entry of ``ema_cross`` rests at the venue."""
    session = _holder(tmp_path, RESTING)
    run_backtest(session.engine, Until(events=200))
    (order,) = session.executor.working("ema_cross", "BTCUSDT")
    assert order.status is OrderStatus.ACCEPTED
    return session, order.id


def _row(session: Session, instrument: str = "BTCUSDT"):  # type: ignore[no-untyped-def]
    return session.strategies[0].rows[instrument]


def _position(session: Session, owner: str = "ema_cross"):  # type: ignore[no-untyped-def]
    return session.executor.position(owner, "BTCUSDT")


def _do(session: Session, command: Command) -> str:
    outcome = session.execute(command)
    assert outcome.accepted, outcome.detail
    return outcome.detail


def _refused(session: Session, command: Command) -> str:
    """Return the sentence; a refusal is on record and changes nothing else."""
    records = kept(session)
    before = session.engine.digest()
    outcome = session.execute(command)
    assert not outcome.accepted, outcome.detail
    assert session.engine.digest() == before
    (record,) = records
    assert isinstance(record, CommandRecord)
    assert (record.accepted, record.detail) == (False, outcome.detail)
    session.engine.core.sinks.pop()
    return outcome.detail


def _override(state: SymbolState, **rest: object) -> Override:
    given = {"strategy": "ema_cross", "instrument": "BTCUSDT", "reason": "mine"} | rest
    return Override(state=state, **given)  # type: ignore[arg-type]


def _more(session: Session, events: int = 200) -> None:
    run_backtest(session.engine, Until(events=session.engine.delivered + events))


# Tasks.


def test_a_command_is_an_input_of_its_own_and_on_record() -> None:
    session = small()
    run_backtest(session.engine, Until(events=100))
    records = kept(session)
    seq = session.engine.core.seq
    outcome = session.execute(PauseTask(task="ema_cross", reason="look"))
    assert outcome.seq == session.engine.core.seq == seq + 1
    record = records[-1]
    assert isinstance(record, CommandRecord)
    assert (record.command, record.subject, record.who) == (
        "PauseTask",
        "ema_cross",
        "operator",
    )
    assert record.accepted


def test_a_paused_strategy_makes_no_calls_and_a_step_is_exactly_one() -> None:
    session = small()
    run_backtest(session.engine, Until(events=100))
    strategy = session.strategies[0]
    calls = strategy.calls
    said = _do(session, PauseTask(task="ema_cross"))
    assert said == "ema_cross is paused: no script calls; stops and fills go on"
    _more(session)
    assert strategy.calls == calls
    assert _do(session, StepTask(task="ema_cross")).startswith(
        "ema_cross was asked once, on "
    )
    assert strategy.calls == calls + 1
    assert _do(session, ResumeTask(task="ema_cross")) == "ema_cross runs"
    assert list(strategy.withheld) == []
    _more(session)
    assert strategy.calls > calls + 1


def test_a_step_with_nothing_withheld_is_refused() -> None:
    session = small()
    run_backtest(session.engine, Until(events=100))
    _do(session, PauseTask(task="ema_cross"))
    assert _refused(session, StepTask(task="ema_cross")) == (
        "ema_cross has no withheld call; it is asked at the close of each 1s bar"
    )


def test_while_a_strategy_is_paused_its_stops_and_fills_go_on(tmp_path: Path) -> None:
    near = ENTER.replace("0.6", "0.99995")
    session = _holder(tmp_path, near, "feeds.0.volatility_bps=20")
    engine = session.engine
    engine.start()
    while _row(session).state is not T or not _row(session).stop:
        assert engine.step()
    _do(session, PauseTask(task="ema_cross"))
    records = kept(session)
    while _row(session).state is T:
        assert engine.step()
    moves = [r for r in records if isinstance(r, StateRecord)]
    assert [(r.after, r.trigger) for r in moves] == [(W, "flat")]


def test_a_paused_executor_denies_orders_and_lets_cancels_pass(tmp_path: Path) -> None:
    session, order_id = _working(tmp_path)
    assert _do(session, PauseTask(task="executor")) == (
        "new orders are denied (TASK_PAUSED); cancels and reports pass"
    )
    records = kept(session)
    entry = Signal(
        strategy="ema_cross",
        instrument="ETHUSDT",
        action=SignalAction.ENTER_LONG,
        quantity=Decimal("0.1"),
    )
    _do(session, Inject(event=entry))
    (denied,) = [r for r in records if isinstance(r, DenyRecord)]
    assert (denied.instrument, denied.code) == ("ETHUSDT", "TASK_PAUSED")
    _do(session, CancelOrders(order_ids=(order_id,)))
    _more(session)
    canceled = session.engine.store.snapshot().orders[order_id]
    assert canceled.status is OrderStatus.CANCELED
    assert _refused(session, StepTask(task="executor")) == (
        "executor denies while paused and withholds nothing to step through"
    )
    _do(session, ResumeTask(task="executor"))
    before = len([r for r in records if isinstance(r, DenyRecord)])
    _do(session, Inject(event=entry))
    assert len([r for r in records if isinstance(r, DenyRecord)]) == before


def test_a_paused_feed_sheds_and_its_books_are_untrusted() -> None:
    session = small()
    run_backtest(session.engine, Until(events=500))
    feed = session.engine.sources.feeds[0]
    assert _do(session, PauseTask(task="market")) == (
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
    assert "next event through when the clock moves" in _do(
        session, StepTask(task="market")
    )
    for _ in range(5):
        session.engine.step()
    assert session.engine.delivered == delivered + 1
    _do(session, ResumeTask(task="market"))
    _more(session, 500)
    book = session.aggregator.book("BTCUSDT")
    assert book is not None
    assert book.trust is BookTrust.TRUSTED


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (PauseTask(task="aggregator"), "aggregator aggregator cannot be paused"),
        (PauseTask(task="paper"), "broker paper cannot be paused"),
        (PauseTask(task="nobody"), "nobody"),
        (ResumeTask(task="ema_cross"), "running"),
        (StepTask(task="ema_cross"), "is running; pause it before stepping it"),
        (RestartTask(task="market"), "feed market cannot be restarted"),
        (RestartTask(task="executor"), "executor executor cannot be restarted"),
        (StopTask(task="executor"), "executor executor cannot be stopped alone"),
        (StopTask(task="paper"), "broker paper cannot be stopped alone"),
        (Hold(on=False), "there is no hold to lift"),
        (Rearm(), "nothing is killed"),
        (CancelOrders(order_ids=()), "nothing to cancel: no order was named"),
        (CancelOrders(order_ids=("x",)), "nothing to cancel: x is not known"),
        (Flatten(instrument="BTCUSDT"), "nobody holds BTCUSDT"),
        (
            HandBack(strategy="ema_cross", instrument="BTCUSDT"),
            "ema_cross BTCUSDT is not locked",
        ),
        (HandBack(strategy="who", instrument="BTCUSDT"), "no strategy who"),
        (_override(C, strategy="who"), "no strategy who; known: ema_cross"),
        (_override(C, instrument="XYZ"), "ema_cross has no row XYZ"),
        (_override(C, reason="  "), "an override needs a reason"),
        (_override(T), "into InTrade only by adopting"),
        (
            _override(T, disposition=Disposition.ADOPT),
            "operator holds no BTCUSDT to give to ema_cross",
        ),
        (
            _override(C, disposition=Disposition.ADOPT),
            "BTCUSDT adopts a position only on its way to InTrade",
        ),
        (
            _override(T, disposition=Disposition.FLATTEN),
            "flatten leads out of InTrade",
        ),
        (
            _override(T, disposition=Disposition.HAND_OVER),
            "hand_over leads out of InTrade",
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_what_does_not_apply_is_refused_with_why(command: Command, said: str) -> None:
    session = small()
    run_backtest(session.engine, Until(events=50))
    assert said in _refused(session, command)


def test_a_task_is_paused_once() -> None:
    session = small()
    _do(session, PauseTask(task="ema_cross"))
    assert "paused" in _refused(session, PauseTask(task="ema_cross"))


def test_a_stopped_strategy_cancels_its_entries_and_starts_again_empty(
    tmp_path: Path,
) -> None:
    session, order_id = _working(tmp_path)
    strategy = session.strategies[0]
    assert _do(session, StopTask(task="ema_cross")) == (
        "ema_cross is stopped; 1 entries canceled, protection stays held"
    )
    calls = strategy.calls
    _more(session)
    assert session.engine.store.snapshot().orders[order_id].status is (
        OrderStatus.CANCELED
    )
    assert _row(session).state is W
    assert strategy.calls == calls
    assert session.engine.registry.get("ema_cross").state is TaskState.STOPPED
    _refused(session, StopTask(task="ema_cross"))
    assert _do(session, RestartTask(task="ema_cross")) == (
        "ema_cross runs again with an empty context"
    )
    _more(session)
    assert strategy.calls > calls
    assert session.engine.registry.get("ema_cross").stats().restarts == 1


def test_a_strategy_stops_though_its_entries_are_being_canceled(tmp_path: Path) -> None:
    session, order_id = _working(tmp_path)
    _do(session, CancelOrders(order_ids=(order_id,)))
    assert "0 entries canceled" in _do(session, StopTask(task="ema_cross"))
    assert session.engine.registry.get("ema_cross").state is TaskState.STOPPED


def test_a_strategy_that_fails_leaves_no_entry_working(tmp_path: Path) -> None:
    detect = (
        "if market.symbol == 'ETHUSDT' and market.bars() > 20: raise ValueError('no')"
        f"\n    {SEEN}"
    )
    script = write_script(tmp_path, detect=detect, filter=RESTING)
    session = small(*with_script(script), "strategies.0.max_errors=1")
    run_backtest(session.engine, Until(events=200))
    assert len(session.executor.working("ema_cross", "BTCUSDT")) == 1
    run_backtest(session.engine, Until(events=900))
    assert session.engine.registry.get("ema_cross").state is TaskState.FAILED
    assert session.executor.working("ema_cross", "BTCUSDT") == []
    assert _row(session).state is W


def test_a_position_keeps_its_stop_when_its_strategy_is_stopped(tmp_path: Path) -> None:
    session = _holding(tmp_path)
    _do(session, StopTask(task="ema_cross"))
    _more(session)
    assert [o.role for o in session.executor.held_protection()] == [OrderRole.STOP]


@pytest.mark.parametrize("end", ["stopped", "failed"])
def test_a_row_follows_its_position_though_nobody_asks_its_script(
    tmp_path: Path, end: str
) -> None:
    fails = "raise ValueError('no')"
    script = write_script(
        tmp_path, detect=SEEN, filter=ENTER, manage=fails if end == "failed" else "pass"
    )
    session = small(*with_script(script), "strategies.0.max_errors=1")
    run_backtest(session.engine, Until(events=200))
    if end == "stopped":
        _do(session, StopTask(task="ema_cross"))
    assert session.engine.registry.get("ema_cross").state.value == end
    assert not _position(session).is_flat
    assert _row(session).stop is not None
    _do(session, Flatten(instrument="BTCUSDT"))
    _more(session)
    assert _position(session).is_flat
    assert _row(session).state is W
    assert _row(session).stop is None
    _do(session, RestartTask(task="ema_cross"))
    _more(session)
    assert _row(session).calls > 3


def test_a_stopped_feed_ends_and_is_not_trusted() -> None:
    session = small()
    run_backtest(session.engine, Until(events=500))
    assert _do(session, StopTask(task="market")) == (
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
    _do(session, RestartTask(task="ema_cross"))
    assert {row.state for row in session.strategies[0].rows.values()} <= {W, T}
    finish(session)
    assert engine.registry.get("ema_cross").state is TaskState.RUNNING


# Override.


def test_an_override_to_close_watch_is_answered_by_the_script() -> None:
    session = small()
    run_backtest(session.engine, Until(events=50))
    assert _do(session, _override(C)) == "BTCUSDT to CloseWatch: mine"
    records = kept(session)
    _more(session)
    moves = [r for r in records if isinstance(r, StateRecord)]
    assert moves[0].reason == "override: long only"
    assert session.engine.registry.get("ema_cross").stats().errors == 0


def test_a_held_position_must_be_flattened_or_handed_over(tmp_path: Path) -> None:
    session = _holding(tmp_path)
    for disposition in (Disposition.KEEP, Disposition.CANCEL):
        said = _refused(session, _override(W, disposition=disposition))
        assert "is held: flatten it or hand it over to the operator" in said
    assert "it can go to: Watch" in _refused(session, _override(C))


def test_an_override_that_flattens_leaves_by_the_fill(tmp_path: Path) -> None:
    session = _holding(tmp_path)
    _do(session, _override(W, disposition=Disposition.FLATTEN))
    assert _row(session).state is T
    row = _row(session)
    engine = session.engine
    while row.state is T:
        assert engine.step()
    assert _position(session).is_flat
    assert row.transitions[-1].reason == "override: mine"
    assert session.executor.held_protection() == []


def test_a_position_is_handed_over_with_its_stop_and_adopted_again(
    tmp_path: Path,
) -> None:
    session = _holding(tmp_path)
    held = _position(session)
    (stop,) = session.executor.held_protection()
    _do(session, _override(W, disposition=Disposition.HAND_OVER, lock=True))
    assert _row(session).state is W
    assert _position(session).is_flat
    given = _position(session, "operator")
    assert (given.quantity, given.average_price) == (held.quantity, held.average_price)
    (moved,) = session.executor.held_protection()
    assert (moved.owner, moved.trigger) == ("operator", stop.trigger)
    _more(session)
    assert _row(session).state is W
    _do(session, _override(T, disposition=Disposition.ADOPT))
    assert _row(session).state is T
    assert _position(session).quantity == held.quantity
    assert _position(session, "operator").is_flat
    assert not _row(session).locked


def test_a_handover_that_is_refused_leaves_the_entries(tmp_path: Path) -> None:
    session, order_id = _working(tmp_path)
    said = _refused(session, _override(W, disposition=Disposition.HAND_OVER))
    assert "ema_cross holds no BTCUSDT to give to operator" in said
    assert session.engine.store.snapshot().orders[order_id].status is (
        OrderStatus.ACCEPTED
    )


def test_an_override_out_of_an_entry_cancels_it(tmp_path: Path) -> None:
    session, order_id = _working(tmp_path)
    _do(session, _override(W, lock=True))
    _more(session)
    assert session.engine.store.snapshot().orders[order_id].status is (
        OrderStatus.CANCELED
    )
    assert _row(session).state is W
    assert _row(session).transitions[-1].reason == "override: mine"


def test_a_lock_ends_at_its_time_and_not_before() -> None:
    session = small()
    run_backtest(session.engine, Until(events=50))
    end = session.engine.core.ts + 5 * S
    said = _do(session, _override(W, lock=True, expires_ns=end))
    assert said == "BTCUSDT to Watch, locked in manual: mine"
    while session.engine.sources.peek_ts() < end:  # type: ignore[operator]
        session.engine.step()
        assert _row(session).locked
    calls = _row(session).calls
    session.engine.step()
    assert not _row(session).locked
    _more(session)
    assert _row(session).calls > calls


def test_a_lock_is_handed_back() -> None:
    session = small()
    _do(session, _override(W, lock=True))
    assert _do(session, HandBack(strategy="ema_cross", instrument="BTCUSDT")) == (
        "BTCUSDT is back with ema_cross"
    )
    assert not _row(session).locked


def test_a_dialog_that_is_out_of_date_is_refused(tmp_path: Path) -> None:
    session = _holder(tmp_path)
    run_backtest(session.engine, Until(events=20))
    shown = session.engine.core.seq
    run_backtest(session.engine, Until(events=200))
    flatten = Flatten(instrument="BTCUSDT", seen_seq=shown)
    said = _refused(session, flatten)
    assert said.startswith("orders or position of BTCUSDT changed at seq ")
    assert f"(seq {shown}); look again and repeat" in said
    out = _override(W, disposition=Disposition.FLATTEN, seen_seq=shown)
    assert "look again and repeat" in _refused(session, out)
    now = session.engine.core.seq
    _do(session, Flatten(instrument="BTCUSDT", seen_seq=now))


# Orders.


def test_flatten_closes_what_is_held_and_says_so(tmp_path: Path) -> None:
    session = _holding(tmp_path)
    said = _do(session, Flatten(instrument="BTCUSDT", reason="enough"))
    assert said == "BTCUSDT of everybody is being closed: enough"
    _do(session, PauseTask(task="ema_cross"))
    _more(session)
    assert _position(session).is_flat


def test_protection_is_canceled_only_by_name(tmp_path: Path) -> None:
    session = _holding(tmp_path)
    (stop,) = session.executor.held_protection()
    _do(session, Kill(level=KillLevel.CANCEL))
    assert len(session.executor.held_protection()) == 1
    said = _do(session, CancelOrders(order_ids=(stop.id,)))
    assert said == "cancel of 1 order asked for"
    assert session.executor.held_protection() == []
    assert "nothing to cancel" in _refused(session, CancelOrders(order_ids=(stop.id,)))


def test_hold_denies_entries_until_it_is_lifted(tmp_path: Path) -> None:
    session = _holder(tmp_path)
    assert "on hold" in _do(session, Hold(on=True, reason="lunch"))
    assert "already" in _refused(session, Hold(on=True))
    records = kept(session)
    run_backtest(session.engine, Until(events=200))
    codes = {r.code for r in records if isinstance(r, DenyRecord)}
    assert len(codes) == 1
    assert _position(session).is_flat
    assert _do(session, Hold(on=False)) == "the hold is lifted"
    _more(session)
    assert not _position(session).is_flat


def test_the_kill_ladder_goes_up_only_and_a_rearm_ends_it(tmp_path: Path) -> None:
    session = _holding(tmp_path)
    _do(session, Kill(level=KillLevel.CANCEL, reason="smoke"))
    assert session.executor.kill_reason == "smoke"
    assert "killed at cancel already" in _refused(session, Kill(level=KillLevel.HOLD))
    assert "killed at cancel already" in _refused(session, Kill(level=KillLevel.CANCEL))
    _do(session, Kill(level=KillLevel.FLATTEN))
    _more(session)
    assert _position(session).is_flat
    # Nothing is opened while killed.
    _more(session)
    assert _position(session).is_flat
    assert _do(session, Rearm()) == "orders are allowed again"
    assert session.executor.kill_level is None
    _more(session)
    assert not _position(session).is_flat


# Inject.


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Quote("BTCUSDT", 0, 2.0, 1.0, 1.0, 1.0), "0 < bid < ask"),
        (Quote("BTCUSDT", 0, 1.0, 0.0, 2.0, 1.0), "sizes above 0"),
        (Quote("BTCUSDT", 0, NAN, 1.0, 2.0, 1.0), "finite figures"),
        (Quote("BTCUSDT", 0, 1.0, 1.0, INF, 1.0), "finite figures"),
        (Trade("BTCUSDT", 0, 0.0, 1.0), "price and size above 0"),
        (Trade("BTCUSDT", 0, 1.0, INF), "finite figures"),
        (Bar("BTCUSDT", 0, S, 0, 2.0, 1.0, 1.0, 2.0, 1.0), "low ≤ open"),
        (Bar("BTCUSDT", 0, S, 0, 2.0, 3.0, 1.0, NAN, 1.0), "finite figures"),
        (Bar("BTCUSDT", 0, S, 0, 2.0, 3.0, 1.0, 2.0, -1.0), "no negative volume"),
        (BookDelta("BTCUSDT", 0, 1, 2, ((-1.0, 1.0),), ()), "prices above 0"),
        (BookSnapshot("BTCUSDT", 0, 1, (), ((1.0, NAN),)), "finite figures"),
        (Quote("XYZ", 0, 1.0, 1.0, 2.0, 1.0), "no instrument XYZ; known: BTCUSDT"),
        (
            Signal(strategy="who", instrument="BTCUSDT", action=SignalAction.EXIT),
            "no row who BTCUSDT; strategies: ema_cross",
        ),
        (
            Signal(strategy="ema_cross", instrument="X", action=SignalAction.EXIT),
            "no row ema_cross X",
        ),
    ],
)
def test_an_event_that_no_market_could_send_is_refused(
    event: Quote | Trade | Bar | BookDelta | BookSnapshot | Signal, said: str
) -> None:
    session = small()
    run_backtest(session.engine, Until(events=50))
    assert said in _refused(session, Inject(event=event))


def test_an_injected_event_is_seen_by_all_at_the_run_s_time(tmp_path: Path) -> None:
    session, order_id = _working(tmp_path)
    (order,) = session.executor.working("ema_cross", "BTCUSDT")
    ts = session.engine.core.ts
    price = float(order.price or 0) * 0.99
    said = _do(session, Inject(event=Quote("BTCUSDT", 1, price, 9.0, price + 1, 9.0)))
    assert said == "Quote for BTCUSDT"
    live = session.aggregator.instrument("BTCUSDT")
    assert live.ts_recv == ts
    _more(session, 50)
    # The venue saw it too, and filled what rested above.
    assert session.engine.store.snapshot().orders[order_id].status is OrderStatus.FILLED


def test_an_injection_is_known_as_such() -> None:
    session = small()
    run_backtest(session.engine, Until(events=50))
    outcome = session.execute(Inject(event=Trade("BTCUSDT", 0, 61_000.0, 1.0)))
    assert session.frame(0, frozenset()).injected == {outcome.seq}


def test_nothing_is_injected_into_an_account_that_is_not_simulated() -> None:
    session = small()
    session.engine.start()
    session.control._may_inject = False
    assert _refused(session, Inject(event=Trade("BTCUSDT", 0, 1.0, 1.0))) == (
        "inject works in simulation and recording only"
    )


def test_two_strategies_on_the_same_symbols_are_kept_apart(tmp_path: Path) -> None:
    holder = write_script(tmp_path, detect=SEEN, filter=ENTER, name="holder.py")
    loser = write_script(tmp_path, detect="raise ValueError('no')", name="loser.py")
    run = settings(
        'feeds.0.symbols=["BTCUSDT","ETHUSDT"]',
        'feeds.0.duration="1m"',
        f'strategies=[{{name="a",script="{holder}",timeframe="1s"}},'
        f'{{name="b",script="{loser}",timeframe="1s"}},'
        f'{{name="c",script="{holder}",timeframe="2s"}}]',
    )
    session = assemble_session(run)
    finish(session)
    states = [h.state.value for h in session.engine.registry if h.name in "abc"]
    assert states == ["running", "failed", "running"]
    a, c = (session.executor.position(name, "BTCUSDT") for name in "ac")
    assert a.quantity > 0
    assert c.quantity > 0
    assert session.executor.position("b", "BTCUSDT").is_flat
    assert session.executor.net("BTCUSDT") == a.quantity + c.quantity
    assert session.strategies[0].rows["BTCUSDT"].context is not (
        session.strategies[2].rows["BTCUSDT"].context
    )
