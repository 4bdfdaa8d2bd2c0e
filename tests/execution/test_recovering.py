"""What is taken up of a run's records is what the run had come to."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from tests.engine.runs import small, with_script
from tests.execution.fakes import BTC, FakeCore, FakeMarket, Hand
from tests.execution.fakes import executor as fresh_executor
from tests.strategy.fakes import write_script
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.recovery import read_runs
from workstation.engine.session import Session
from workstation.execution.executor import Executor
from workstation.execution.recovering import Recovering
from workstation.model.commands import (
    Disposition,
    Hold,
    Kill,
    KillLevel,
    Override,
    PlaceOrder,
    Rearm,
)
from workstation.model.errors import JournalError
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus, OrderType
from workstation.model.rates import BrokerAbilities
from workstation.model.reconciliation import Subject, Verdict
from workstation.model.records import (
    BalanceRecord,
    CommandRecord,
    ControlRecord,
    DifferenceRecord,
    OrderRecord,
    Record,
)
from workstation.model.states import SymbolState

TRAILING = "return {'action': 'enter_long', 'quantity': 0.02, 'trailing_bps': 50}"


def taken_up(session: Session, path: Path) -> Executor:
    """Return an Executor that has been given the records of a run."""
    run = session.run
    executor = Executor(
        run.risk,
        run.orders,
        run.instruments,
        session.aggregator,
        currency=run.account.currency,
        cash=run.brokers[0].cash[run.account.currency],
    )
    read_runs([path], Recovering(executor))
    return executor


def assert_same(found: Executor, session: Session) -> None:
    """Compare what recovery must bring back."""
    run, ts = session.executor, session.engine.core.ts
    there, here = run.ledger, found.ledger
    # The equity curve and marks follow from the market, and no record says them.
    assert here.booked() == there.booked()
    assert here.day_start == there.day_start
    assert here.statements.days == there.statements.days
    assert there.curve.peak / Decimal("1.001") < here.curve.peak <= there.curve.peak
    assert found.breakers.states() == run.breakers.states()
    limits = run.limits
    assert found.limits.settings == limits.settings
    assert found.limits.traffic.digest(ts) == limits.traffic.digest(ts)
    assert here.trades == there.trades
    assert found.desk.orders.made == run.desk.orders.made
    assert {t.order.id: t.order for t in found.desk.orders.open()} == {
        t.order.id: t.order for t in run.desk.orders.open()
    }
    for tracked in run.desk.orders.open():
        mine = found.desk.orders.get(tracked.order.id)
        assert mine is not None
        assert mine.trades == tracked.trades
        assert mine.intent == tracked.intent
    plans = {(p.owner, p.instrument): p for p in run.protection.plans()}
    assert plans.keys() == {(p.owner, p.instrument) for p in found.protection.plans()}
    for plan in found.protection.plans():
        true = plans[plan.owner, plan.instrument]
        assert (plan.stop, plan.target) == (true.stop, true.target)
        assert plan.trailing_bps == true.trailing_bps
    assert found.controls.hold == run.controls.hold
    assert found.controls.kill_level == run.controls.kill_level
    assert found.controls.kill_reason == run.controls.kill_reason


@pytest.mark.parametrize("events", [400, 900, 1_400, 2_000, 2_600, 3_300])
def test_a_run_left_at_any_event_is_taken_up_as_it_was(
    tmp_path: Path, events: int
) -> None:
    path = tmp_path / "000001.sqlite"
    session = small(journal=path)
    run_backtest(session.engine, Until(events=events))
    session.close()
    assert_same(taken_up(session, path), session)


def test_tickets_are_taken_up_each_with_its_own_protection(tmp_path: Path) -> None:
    path = tmp_path / "000001.sqlite"
    session = small(journal=path)
    run_backtest(session.engine, Until(events=400))
    bid = session.aggregator.instrument("BTCUSDT").bid
    instrument = session.instruments["BTCUSDT"]
    for away, stop in ((0.98, instrument.nearest_price(bid * 0.9)), (0.97, None)):
        ticket = PlaceOrder(
            instrument="BTCUSDT",
            side=Side.BUY,
            quantity=Decimal("0.010"),
            order_type=OrderType.LIMIT,
            price=instrument.nearest_price(bid * away),
            stop=stop,
        )
        outcome = session.execute(ticket)
        assert outcome.accepted, outcome.detail
    run_backtest(session.engine, Until(events=500))
    session.close()
    open_ = session.executor.desk.orders.row("operator", "BTCUSDT")
    stops = [t.intent.stop is None for t in open_ if t.intent is not None]
    assert stops == [False, True]
    assert_same(taken_up(session, path), session)


def test_a_trailing_stop_goes_on_from_where_it_was(tmp_path: Path) -> None:
    script = write_script(tmp_path, detect='return {"signal": "now"}', filter=TRAILING)
    path = tmp_path / "000001.sqlite"
    session = small(*with_script(script), journal=path)
    run_backtest(session.engine, Until(events=900))
    session.close()
    plans = session.executor.protection.plans()
    assert any(plan.trailed for plan in plans)
    found = taken_up(session, path)
    assert_same(found, session)
    true = {(p.owner, p.instrument): p for p in plans}
    for plan in found.protection.plans():
        best = true[plan.owner, plan.instrument].best
        assert plan.best == pytest.approx(best, rel=1e-5)


def test_switches_and_hand_overs_are_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "000001.sqlite"
    session = small(journal=path)
    run_backtest(session.engine, Until(fills=1))
    for strategy in session.strategies:
        for instrument, row in strategy.rows.items():
            if row.held:
                outcome = session.execute(
                    Override(
                        strategy=strategy.name,
                        instrument=instrument,
                        state=SymbolState.WATCH,
                        disposition=Disposition.HAND_OVER,
                        reason="mine",
                        lock=True,
                    )
                )
                assert outcome.accepted, outcome.detail
    held = session.executor.ledger.open_positions()
    assert any(position.owner == "operator" for position in held)
    session.execute(Kill(level=KillLevel.HOLD, reason="first"))
    session.execute(Rearm(reason="again"))
    session.execute(Hold(on=True))
    session.execute(Kill(level=KillLevel.CANCEL, reason="too much"))
    session.close()
    assert_same(taken_up(session, path), session)


def test_a_breakers_kill_still_cools_after_a_restart_and_its_rearm_ramps() -> None:
    session = small("risk.cooling_s=60.0", "risk.size_ramp_s=100.0")
    executor = session.executor
    recovering = Recovering(executor)
    kill = ControlRecord(
        seq=1,
        ts=5_000_000_000,
        name="kill",
        before="armed",
        after="cancel",
        who="breaker",
        reason="MAX_DAILY_LOSS: 6000 lost",
    )
    recovering.take(kill)
    controls = executor.controls
    assert (controls.tripped, controls.cooling_until_ns) == (True, 65_000_000_000)
    climbed = structs.replace(kill, seq=2, after="flatten", who="operator")
    recovering.take(climbed)
    assert controls.cooling_until_ns == 65_000_000_000
    recovering.take(structs.replace(kill, seq=3, ts=70_000_000_000, after="armed"))
    assert not controls.tripped
    assert controls.cooling_until_ns is None
    assert controls.ramp_from_ns == 70_000_000_000


def reconciled(*records: Record) -> Executor:
    """Return an Executor at a venue that has been given these records."""
    found = account(opened=False)
    recovering = Recovering(found)
    for record in records:
        recovering.take(record)
    recovering.finish()
    return found


def account(*, opened: bool) -> Executor:
    hand = Hand(abilities=BrokerAbilities(account=True))
    hand.executor.reconciliation.opened = opened
    return hand.executor


def money(seq: int, currency: str, before: str, after: str) -> BalanceRecord:
    return BalanceRecord(
        seq=seq,
        ts=seq,
        currency=currency,
        before=Decimal(before),
        after=Decimal(after),
    )


def difference(seq: int, subject: str, kind: Subject, after: Verdict) -> Record:
    return DifferenceRecord(
        seq=seq,
        ts=seq,
        kind=kind,
        subject=subject,
        before=Verdict.DIFFERS,
        after=after,
        here="10",
        venue="7" if kind is Subject.BALANCE else "2",
        reason="known",
    )


def test_money_that_was_put_in_is_there_again() -> None:
    found = reconciled(money(1, "USDT", "100000", "1500"), money(2, "BTC", "0", "0.5"))
    assert found.ledger.balances() == {"USDT": 1_500, "BTC": Decimal("0.5")}
    assert found.reconciliation.opened


def test_a_run_that_ended_before_the_venue_spoke_has_opened_nothing() -> None:
    control = ControlRecord(seq=1, ts=1, name="recovery", before="none", after="asking")
    assert not reconciled(control).reconciliation.opened


def test_what_was_ignored_is_ignored_after_a_restart() -> None:
    ignored = Verdict.IGNORED
    found = reconciled(
        money(1, "USDT", "100000", "100000"),
        difference(2, "USDT", Subject.BALANCE, ignored),
        difference(3, "BTC", Subject.BALANCE, ignored),
        difference(4, "BTC", Subject.BALANCE, Verdict.AGREES),
        difference(5, "web_1", Subject.ORDER, ignored),
        difference(6, "BTC", Subject.POSITION, ignored),
    )
    (state,) = found.reconciliation.balances.states.values()
    assert state.ignored == -3
    assert state.reason == "known"
    assert found.reconciliation.ignored == {
        (Subject.ORDER, "web_1"): ("2", "known"),
        (Subject.POSITION, "BTC"): ("2", "known"),
    }


@pytest.mark.parametrize("filled", [True, False])
def test_an_account_is_not_taken_up_without_an_instrument_it_trades(
    filled: bool,
) -> None:
    hand = Hand()
    hand.quote(100.0, 100.2, "ETH")
    order_id = hand.enter(
        instrument="ETH", order_type="limit", limit_price="90", strategy="t"
    )
    if filled:
        hand.fill(order_id, "1", price="90")
    without = fresh_executor(FakeCore(), FakeMarket((BTC,)), instruments=(BTC,))
    recovering = Recovering(without)

    def take_up() -> None:
        for record in hand.core.records:
            recovering.take(record)
        recovering.finish()

    with pytest.raises(JournalError, match="ETH, which is not in this run"):
        take_up()


@pytest.mark.parametrize("followed", [False, True])
def test_what_follows_a_fill_follows_it_over_a_run_that_was_killed_at_once(
    followed: bool,
) -> None:
    hand = Hand()
    order_id = hand.enter(stop="90")
    hand.fill(order_id, "1")
    records = hand.core.records
    held = [r.order.status is OrderStatus.HELD for r in hand.core.kept(OrderRecord)]
    assert held.count(True) == 1
    # The engine was killed after the fill was on disk, and before its stop was.
    stop = next(
        index
        for index, record in enumerate(records)
        if isinstance(record, OrderRecord) and record.order.status is OrderStatus.HELD
    )
    recovering = Recovering(Hand().executor)
    recovering.begins({})
    for record in records[:stop]:
        recovering.take(record)
    recovering.begins({})
    ts = hand.core.ts
    recovering.take(
        ControlRecord(seq=1, ts=ts, name="recovery", before="none", after="asking")
    )
    if followed:
        taken = CommandRecord(
            seq=1, ts=ts, command="Recover", subject="", who="engine", accepted=True
        )
        recovering.take(taken)
    recovering.begins({})
    recovering.finish()
    assert [fill.quantity for _, fill in recovering.cut] == ([] if followed else [1])
