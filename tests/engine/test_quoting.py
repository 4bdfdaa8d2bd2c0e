"""Desired orders in a whole run: injected, journalled, withdrawn, and replayed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.engine.commands import do, refused, row_of
from tests.engine.runs import finish, kept, small, with_script
from tests.strategy.fakes import write_script
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.model.commands import (
    Command,
    Hold,
    Inject,
    Kill,
    KillLevel,
    Override,
    PauseTask,
    StopTask,
)
from workstation.model.desired import DesiredLevel, DesiredOrders
from workstation.model.orders import Order, OrderRole, OrderStatus
from workstation.model.records import RequoteRecord
from workstation.model.states import SymbolState

D = Decimal
RATES = "brokers.0.rates=[{window_s=60,weight=20,batch=2}]"


def idle(tmp_path: Path, *overrides: str, journal: Path | None = None) -> Session:
    """Return a run whose strategy never wants anything by itself."""
    script = write_script(tmp_path, detect="return None")
    return small(*with_script(script), *overrides, journal=journal)


def wish(session: Session, apart: str = "0.01") -> DesiredOrders:
    """Return a wish for one order a side around the market, this far from it."""
    mid = D(str(row_of(session).market.close))
    away = mid * D(apart)
    size = D("0.01")
    return DesiredOrders(
        strategy="ema_cross",
        instrument="BTCUSDT",
        bids=(DesiredLevel(mid - away, size), DesiredLevel(mid - 2 * away, size)),
        asks=(DesiredLevel(mid + away, size),),
        reason="test",
    )


def quotes(session: Session) -> list[Order]:
    """Return the quotes that rest."""
    return [
        order
        for order in session.executor.working("ema_cross", "BTCUSDT")
        if order.role is OrderRole.QUOTE
    ]


def quoting(tmp_path: Path, *overrides: str, journal: Path | None = None) -> Session:
    """Return a run in which three quotes rest."""
    session = idle(tmp_path, *overrides, journal=journal)
    run_backtest(session.engine, Until(events=200))
    do(session, Inject(event=wish(session)))
    run_backtest(session.engine, Until(events=220))
    assert [order.status for order in quotes(session)] == [OrderStatus.ACCEPTED] * 3
    return session


def test_a_wish_rests_at_the_paper_broker_and_moves_no_row(tmp_path: Path) -> None:
    session = quoting(tmp_path)
    assert row_of(session).state is SymbolState.WATCH
    records = kept(session)
    do(session, Inject(event=wish(session, "0.015")))
    run_backtest(session.engine, Until(events=260))
    (first, *_) = [each for each in records if isinstance(each, RequoteRecord)]
    assert (first.modified, first.placed, first.canceled) == (3, 0, 0)
    assert len(quotes(session)) == 3


def test_a_wish_of_a_row_that_is_not_there_is_refused(tmp_path: Path) -> None:
    session = idle(tmp_path)
    run_backtest(session.engine, Until(events=10))
    event = DesiredOrders(strategy="who", instrument="BTCUSDT")
    assert "no row who BTCUSDT" in refused(session, Inject(event=event))


@pytest.mark.parametrize(
    "command",
    [
        Hold(on=True),
        Kill(level=KillLevel.HOLD),
        Kill(level=KillLevel.CANCEL),
        PauseTask(task="ema_cross"),
        PauseTask(task="executor"),
        StopTask(task="ema_cross"),
        PauseTask(task="market"),
        Override(
            strategy="ema_cross",
            instrument="BTCUSDT",
            state=SymbolState.WATCH,
            lock=True,
            reason="mine",
        ),
    ],
    ids=lambda command: f"{type(command).__name__} {getattr(command, 'task', '')}",
)
def test_whatever_stops_a_row_takes_its_quotes_back(
    tmp_path: Path, command: Command
) -> None:
    session = quoting(tmp_path)
    do(session, command)
    assert {order.status for order in quotes(session)} == {OrderStatus.PENDING_CANCEL}
    run_backtest(session.engine, Until(events=700))
    assert quotes(session) == []


def test_a_run_with_quotes_replays_to_the_same_hash(tmp_path: Path) -> None:
    journal = tmp_path / "j.sqlite"
    session = quoting(tmp_path, RATES, journal=journal)
    do(session, Inject(event=wish(session, "0.0001")))
    run_backtest(session.engine, Until(events=900))
    do(session, Inject(event=wish(session, "0.0003")))
    do(session, Hold(on=True))
    session_hash = finish(session)
    assert any(order.filled for order in session.executor.orders())
    outcome = replay_journal(journal)
    assert outcome.matches, outcome
    assert outcome.state_hash == session_hash


def test_the_gates_say_how_much_of_the_rate_is_used(tmp_path: Path) -> None:
    session = quoting(tmp_path, RATES)
    gates = {g.name: g for g in session.executor.gates("ema_cross", "ETHUSDT")}
    # Two batches of the three orders, of a weight of 20.
    assert gates["broker"].detail == "10 % of rate"
    for _ in range(14):
        session.executor.desk.query(quotes(session)[0])
    gates = {g.name: g for g in session.executor.gates("ema_cross", "ETHUSDT")}
    assert not gates["throttle"].passed
    assert gates["throttle"].detail.startswith("16 of 16 used in 60 s")
