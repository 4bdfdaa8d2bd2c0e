"""Rows of a frame: what the ledger and the machines say."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.engine.commands import do, holding, more
from tests.engine.runs import frame_of, running, small
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.frames import Focus
from workstation.engine.gating import RowGates
from workstation.model.commands import CancelOrders, PauseTask, PlaceOrder
from workstation.model.instruments import Side
from workstation.model.orders import OrderType
from workstation.model.signals import Signal, SignalAction
from workstation.model.states import Gate, SymbolState
from workstation.strategy.row import Row
from workstation.strategy.scripted import ScriptedStrategy


def test_positions_and_states_of_the_rows_are_those_of_the_ledger() -> None:
    session = small()
    seen = set()
    engine = session.engine
    engine.start()
    while engine.step():
        if engine.pulled % 20:
            continue
        frame = frame_of(session, 0, "symbols", "positions")
        assert frame.symbols is not None
        assert frame.positions is not None
        for row in frame.symbols:
            held = session.executor.position(row.strategy, row.instrument)
            assert row.position == held.quantity
            assert row.state is not None
            seen.add(row.state)
            if row.state is not SymbolState.IN_TRADE:
                assert row.position == 0
                assert row.open_pnl is None
        worth = sum((row.open_pnl or Decimal(0) for row in frame.positions), Decimal(0))
        account = session.executor.account()
        assert abs(worth - account.unrealized) < Decimal("0.000001")
    assert seen == set(SymbolState)


def test_a_held_stop_is_shown_whoever_owns_it_and_from_the_mark(
    tmp_path: Path,
) -> None:
    session = holding(tmp_path)
    (stop,) = session.executor.held_protection()
    session.executor.handover("ema_cross", "BTCUSDT")
    session.engine.step()
    frame = frame_of(session, 0, "symbols", "positions")
    assert frame.positions is not None
    assert frame.symbols is not None
    (held,) = frame.positions
    assert held.position.owner == "operator"
    assert held.mark is not None
    assert stop.trigger is not None
    away = (float(stop.trigger) / held.mark - 1) * 100
    assert held.stop_percent == pytest.approx(away)
    row = next(r for r in frame.symbols if r.strategy == "operator")
    assert row.stop_percent == held.stop_percent
    assert row.open_pnl == held.open_pnl


def test_a_stop_of_ones_own_is_a_stop_and_a_position_without_one_says_so(
    tmp_path: Path,
) -> None:
    session = holding(tmp_path)
    (stop,) = session.executor.held_protection()
    do(session, CancelOrders(order_ids=(stop.id,)))
    session.executor.handover("ema_cross", "BTCUSDT")
    session.engine.step()
    (bare,) = frame_of(session, 0, "positions").positions or ()
    assert (bare.has_stop, bare.stop_percent) == (False, None)
    row = next(
        r
        for r in frame_of(session, 0, "symbols").symbols or ()
        if r.strategy == "operator"
    )
    assert not row.has_stop
    mark = session.aggregator.instrument("BTCUSDT").mark
    assert mark is not None
    for away in ("0.90", "0.95"):
        trigger = session.instruments["BTCUSDT"].nearest_price(mark * float(away))
        do(
            session,
            PlaceOrder(
                instrument="BTCUSDT",
                side=Side.SELL,
                quantity=bare.position.quantity,
                order_type=OrderType.STOP,
                trigger=trigger,
                reduce_only=True,
            ),
        )
    session.engine.step()
    (own,) = frame_of(session, 0, "positions").positions or ()
    assert own.has_stop
    assert own.mark is not None
    away_now = (float(trigger) / own.mark - 1) * 100
    assert own.stop_percent == pytest.approx(away_now), "the one that is met first"


def test_the_machine_alone_makes_no_other_row(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    first_closed = RowGates.first_closed

    def noting(gates: RowGates, strategy: ScriptedStrategy, row: Row) -> Gate | None:
        asked.append(row.instrument.id)
        return first_closed(gates, strategy, row)

    monkeypatch.setattr(RowGates, "first_closed", noting)
    session = running(30)
    machine = frame_of(session, 0, "machine").machine
    assert machine is not None
    assert asked == ["BTCUSDT"]
    both = frame_of(session, 0, "symbols", "machine")
    assert both.symbols is not None
    assert both.machine is not None
    assert both.machine.row == machine.row == both.symbols[0]
    nobodys = session.frame(0, frozenset({"machine"}), Focus("nobody", "BTCUSDT"))
    assert nobodys.machine is None


def test_the_tasks_of_a_frame_count_what_they_did_and_withheld(
    tmp_path: Path,
) -> None:
    session = holding(tmp_path)
    session.execute(PauseTask(task="ema_cross"))
    more(session)
    frame = frame_of(session, 0, "tasks", "feeds")
    assert frame.tasks is not None
    assert frame.feeds is not None
    by_name = {task.name: task for task in frame.tasks}
    (feed,) = frame.feeds
    assert by_name[feed.name].events == feed.events > 0
    assert by_name["paper"].events > 0
    withheld = len(session.strategies[0].withheld)
    assert by_name["ema_cross"].withheld == withheld > 0


def test_a_feed_shows_its_books_as_the_aggregator_proves_them() -> None:
    session = small()
    run_backtest(session.engine, Until(events=300))
    frame = frame_of(session, 0, "feeds", "feed_books")
    assert frame.feeds is not None
    (feed,) = frame.feeds
    assert len(feed.books) == feed.book_count == feed.books_ok == 2
    assert feed.distrusted == ""
    for shown, instrument in zip(feed.books, session.run.instruments, strict=False):
        book = session.aggregator.book(instrument.id)
        assert book is not None
        assert (shown.applied, shown.dropped) == (book.applied, book.dropped)
        assert (shown.bid, shown.ask) == (book.best_bid(), book.best_ask())


def test_an_order_that_rests_on_paper_has_its_place_in_the_queue() -> None:
    session = small()
    engine = session.engine
    while not session.aggregator.instrument("BTCUSDT").bid:
        engine.step()
    view = session.aggregator.instrument("BTCUSDT")
    engine.core.take(
        Signal(
            strategy="ema_cross",
            instrument="BTCUSDT",
            action=SignalAction.ENTER_LONG,
            quantity=Decimal("0.01"),
            order_type=OrderType.LIMIT,
            limit_price=session.instruments["BTCUSDT"].nearest_price(view.bid),
        )
    )
    places = []
    for _ in range(40):
        engine.step()
        frame = frame_of(session, 0, "orders")
        assert frame.orders is not None
        places += [row.queue for row in frame.orders if row.queue is not None]
    assert places
    assert all(0 <= ahead <= size for ahead, size in places)
