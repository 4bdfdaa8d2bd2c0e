"""Commands to orders: flatten, cancel, hold and the kill ladder."""

from __future__ import annotations

from pathlib import Path

from tests.engine.commands import (
    do,
    holder,
    holding,
    more,
    position_of,
    refused,
    working,
)
from tests.engine.runs import kept
from workstation.engine.drivers import Until, run_backtest
from workstation.model.commands import (
    CancelOrders,
    CloseUnknown,
    Flatten,
    Hold,
    Kill,
    KillLevel,
    PauseTask,
    Rearm,
)
from workstation.model.records import DenyRecord


def test_flatten_closes_what_is_held_and_says_so(tmp_path: Path) -> None:
    session = holding(tmp_path)
    said = do(session, Flatten(instrument="BTCUSDT", reason="enough"))
    assert said == "BTCUSDT of everybody is being closed: enough"
    do(session, PauseTask(task="ema_cross"))
    more(session)
    assert position_of(session).is_flat


def test_protection_is_canceled_only_by_name(tmp_path: Path) -> None:
    session = holding(tmp_path)
    (stop,) = session.executor.held_protection()
    do(session, Kill(level=KillLevel.CANCEL))
    assert len(session.executor.held_protection()) == 1
    said = do(session, CancelOrders(order_ids=(stop.id,)))
    assert said == "cancel of 1 order asked for"
    assert session.executor.held_protection() == []
    assert "nothing to cancel" in refused(session, CancelOrders(order_ids=(stop.id,)))


def test_hold_denies_entries_until_it_is_lifted(tmp_path: Path) -> None:
    session = holder(tmp_path)
    assert "on hold" in do(session, Hold(on=True, reason="lunch"))
    assert "already" in refused(session, Hold(on=True))
    records = kept(session)
    run_backtest(session.engine, Until(events=200))
    codes = {r.code for r in records if isinstance(r, DenyRecord)}
    assert len(codes) == 1
    assert position_of(session).is_flat
    assert do(session, Hold(on=False)) == "the hold is lifted"
    more(session)
    assert not position_of(session).is_flat


def test_the_kill_ladder_goes_up_only_and_a_rearm_ends_it(tmp_path: Path) -> None:
    session = holding(tmp_path)
    do(session, Kill(level=KillLevel.CANCEL, reason="smoke"))
    assert session.executor.kill_reason == "smoke"
    assert "killed at cancel already" in refused(session, Kill(level=KillLevel.HOLD))
    assert "killed at cancel already" in refused(session, Kill(level=KillLevel.CANCEL))
    do(session, Kill(level=KillLevel.FLATTEN))
    more(session)
    assert position_of(session).is_flat
    # Nothing is opened while killed.
    more(session)
    assert position_of(session).is_flat
    assert do(session, Rearm()) == "orders are allowed again"
    assert session.executor.kill_level is None
    more(session)
    assert not position_of(session).is_flat


def test_a_cancel_made_on_an_old_picture_is_refused(tmp_path: Path) -> None:
    session = holding(tmp_path)
    (stop,) = session.executor.held_protection()
    said = refused(session, CancelOrders(order_ids=(stop.id,), seen_seq=0))
    assert "changed at seq" in said
    assert session.executor.held_protection() == [stop]


def test_flatten_is_refused_after_the_end_of_the_run(tmp_path: Path) -> None:
    session = holding(tmp_path)
    while session.engine.step():
        if session.engine.delivered == 300:
            session.engine.sources.stop("market")
    assert "has ended" in refused(session, Flatten(instrument="BTCUSDT"))
    assert not position_of(session).is_flat


def test_only_an_unknown_order_can_be_closed_on_the_operators_word(
    tmp_path: Path,
) -> None:
    session, order_id = working(tmp_path)
    close = CloseUnknown(order_id=order_id, reason="asked the venue by phone")
    assert "not unknown" in refused(session, close).lower()
    assert "reason" in refused(session, CloseUnknown(order_id=order_id))
