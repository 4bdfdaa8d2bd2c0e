"""Commands to rows: every way in and out of a state, and the lock."""

from __future__ import annotations

from pathlib import Path

from tests.engine.commands import (
    C,
    T,
    W,
    do,
    holder,
    holding,
    more,
    override_to,
    position_of,
    refused,
    row_of,
    working,
)
from tests.engine.runs import kept, small
from workstation.engine.drivers import Until, run_backtest
from workstation.model.commands import Disposition, Flatten, HandBack
from workstation.model.orders import OrderStatus
from workstation.model.records import StateRecord

S = 1_000_000_000


def test_an_override_to_close_watch_is_answered_by_the_script() -> None:
    session = small()
    run_backtest(session.engine, Until(events=50))
    assert do(session, override_to(C)) == "BTCUSDT to CloseWatch: mine"
    records = kept(session)
    more(session)
    moves = [r for r in records if isinstance(r, StateRecord)]
    assert moves[0].reason == "override: long only"
    assert session.engine.registry.get("ema_cross").stats().errors == 0


def test_a_held_position_must_be_flattened_or_handed_over(tmp_path: Path) -> None:
    session = holding(tmp_path)
    for disposition in (Disposition.KEEP, Disposition.CANCEL):
        said = refused(session, override_to(W, disposition=disposition))
        assert "is held: flatten it or hand it over to the operator" in said
    assert "it can go to: Watch" in refused(session, override_to(C))


def test_an_override_that_flattens_leaves_by_the_fill(tmp_path: Path) -> None:
    session = holding(tmp_path)
    do(session, override_to(W, disposition=Disposition.FLATTEN))
    assert row_of(session).state is T
    row = row_of(session)
    engine = session.engine
    while row.state is T:
        assert engine.step()
    assert position_of(session).is_flat
    assert row.history[-1].reason == "override: mine"
    assert session.executor.held_protection() == []


def test_a_position_is_handed_over_with_its_stop_and_adopted_again(
    tmp_path: Path,
) -> None:
    session = holding(tmp_path)
    held = position_of(session)
    (stop,) = session.executor.held_protection()
    do(session, override_to(W, disposition=Disposition.HAND_OVER, lock=True))
    assert row_of(session).state is W
    assert position_of(session).is_flat
    given = position_of(session, "operator")
    assert (given.quantity, given.average_price) == (held.quantity, held.average_price)
    (moved,) = session.executor.held_protection()
    assert (moved.owner, moved.trigger) == ("operator", stop.trigger)
    more(session)
    assert row_of(session).state is W
    do(session, override_to(T, disposition=Disposition.ADOPT))
    assert row_of(session).state is T
    assert position_of(session).quantity == held.quantity
    assert position_of(session, "operator").is_flat
    assert not row_of(session).locked


def test_a_handover_that_is_refused_leaves_the_entries(tmp_path: Path) -> None:
    session, order_id = working(tmp_path)
    said = refused(session, override_to(W, disposition=Disposition.HAND_OVER))
    assert "ema_cross holds no BTCUSDT to give to operator" in said
    assert session.engine.store.snapshot().orders[order_id].status is (
        OrderStatus.ACCEPTED
    )


def test_an_override_out_of_an_entry_cancels_it(tmp_path: Path) -> None:
    session, order_id = working(tmp_path)
    do(session, override_to(W, lock=True))
    more(session)
    assert session.engine.store.snapshot().orders[order_id].status is (
        OrderStatus.CANCELED
    )
    assert row_of(session).state is W
    assert row_of(session).history[-1].reason == "override: mine"


def test_a_lock_ends_at_its_time_and_not_before() -> None:
    session = small()
    run_backtest(session.engine, Until(events=50))
    end = session.engine.core.ts + 5 * S
    said = do(session, override_to(W, lock=True, expires_ns=end))
    assert said == "BTCUSDT to Watch, locked in manual: mine"
    while session.engine.sources.peek_ts() < end:  # type: ignore[operator]
        session.engine.step()
        assert row_of(session).locked
    calls = row_of(session).calls
    session.engine.step()
    assert not row_of(session).locked
    more(session)
    assert row_of(session).calls > calls


def test_a_lock_is_handed_back() -> None:
    session = small()
    do(session, override_to(W, lock=True))
    assert do(session, HandBack(strategy="ema_cross", instrument="BTCUSDT")) == (
        "BTCUSDT is back with ema_cross"
    )
    assert not row_of(session).locked


def test_a_dialog_that_is_out_of_date_is_refused(tmp_path: Path) -> None:
    session = holder(tmp_path)
    run_backtest(session.engine, Until(events=20))
    shown = session.engine.core.seq
    run_backtest(session.engine, Until(events=200))
    flatten = Flatten(instrument="BTCUSDT", seen_seq=shown)
    said = refused(session, flatten)
    assert said.startswith("orders or position of BTCUSDT changed at seq ")
    assert f"(seq {shown}); look again and repeat" in said
    out = override_to(W, disposition=Disposition.FLATTEN, seen_seq=shown)
    assert "look again and repeat" in refused(session, out)
    now = session.engine.core.seq
    do(session, Flatten(instrument="BTCUSDT", seen_seq=now))
