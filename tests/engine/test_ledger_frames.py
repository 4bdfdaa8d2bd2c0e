"""What frames show of the ledger: newest first, and the same again while it stands."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.engine.runs import small
from workstation.config import load_config
from workstation.engine.assembly import assemble_session
from workstation.engine.session import Session
from workstation.execution.statements import Grouping
from workstation.paths import shipped_folder

PARTS = frozenset({"fills", "trades", "equity", "sums"})


@pytest.fixture(scope="module")
def session() -> Session:
    config = load_config(
        shipped_folder("config") / "recording-klines.toml", ('journal.path=""',)
    )
    session = assemble_session(config.run)
    session.engine.start()
    while session.executor.ledger.closed < 3 and session.engine.step():
        pass
    return session


def test_fills_and_trades_stand_newest_first(session: Session) -> None:
    frame = session.frame(0, PARTS)
    ledger = session.executor.ledger
    assert frame.fills is not None
    assert frame.trades is not None
    numbers = [row.number for row in frame.fills.rows]
    assert numbers == list(range(ledger.fills, 0, -1))
    assert [row.trade.number for row in frame.trades.rows] == [3, 2, 1]
    assert frame.trades.rows[0].trade is ledger.trades[-1]


def test_the_equity_and_all_sums_agree_with_the_account(session: Session) -> None:
    frame = session.frame(0, PARTS)
    account = session.executor.account()
    assert frame.equity is not None
    assert frame.sums is not None
    assert frame.equity.equity == account.equity == frame.header.equity
    for grouping in Grouping:
        rows = frame.sums.rows[grouping]
        assert sum(r.sums.realized for r in rows) == account.realized
        assert sum(r.sums.fees for r in rows) == account.fees
    for grouping in (Grouping.STRATEGY, Grouping.SYMBOL):
        opened = [row.unrealized or Decimal(0) for row in frame.sums.rows[grouping]]
        assert sum(opened) == account.unrealized
    changes = [row.change or Decimal(0) for row in frame.sums.rows[Grouping.DAY]]
    assert sum(changes) == account.equity - account.initial


def test_the_deepest_fall_is_never_less_than_that_of_now() -> None:
    session = small()
    session.engine.start()
    deeper = 0
    while session.engine.step():
        ledger = session.executor.ledger
        if not ledger.is_holding:
            continue
        frame = session.frame(0, PARTS).equity
        assert frame is not None
        assert frame.deepest.depth >= frame.now.depth
        deeper += frame.deepest.depth > ledger.curve.deepest.depth
    assert deeper > 0
    session.close()


def test_a_standing_ledger_is_handed_out_again(session: Session) -> None:
    first, second = session.frame(0, PARTS), session.frame(0, PARTS)
    assert second.fills is first.fills
    assert second.trades is first.trades
    assert second.equity is first.equity


def test_what_no_panel_shows_is_not_made(session: Session) -> None:
    frame = session.frame(0, frozenset({"orders"}))
    assert (frame.fills, frame.trades, frame.equity, frame.sums) == (None,) * 4


def test_looking_changes_nothing(session: Session) -> None:
    before = session.engine.state_hash()
    session.frame(0, PARTS)
    assert session.engine.state_hash() == before


def test_money_that_came_and_went_moves_the_peaks_of_the_curve() -> None:
    session = small()
    session.engine.start()
    for _ in range(50):
        session.engine.step()
    for amount in ("-40000", "100"):
        session.executor.reconciliation.balances.put(
            "USDT", Decimal(amount), "operator", "by hand"
        )
    session.executor.reconciliation.balances.put(
        "BTC", Decimal(1), "operator", "by hand"
    )
    equity = session.frame(0, PARTS).equity
    assert equity is not None
    ts = session.engine.core.ts
    assert equity.moves == ((ts, Decimal(-40_000)), (ts, Decimal(100)))
    assert equity.initial == Decimal(60_100)
