"""The header: the worst word that holds, and the figures of the parts."""

from __future__ import annotations

from decimal import Decimal

from tests.engine.runs import (
    frame_of,
    running,
    small,
)
from workstation.model.commands import Hold, Kill, KillLevel, PauseTask, Rearm
from workstation.model.instruments import Side
from workstation.model.orders import Fill, OrderRole
from workstation.ui.screens.scene import Scene


def test_the_word_of_the_header_is_the_worst_that_holds() -> None:
    session = small('feeds.0.duration="20s"')

    def word() -> str:
        return frame_of(session, 0, "orders").header.word

    assert word() == "STARTING"
    session.driver.step()
    assert word() == "PAUSED"
    session.driver.play()
    assert word() == "RUN"
    session.execute(Hold(on=True))
    assert word() == "HOLD"
    session.execute(Kill(level=KillLevel.HOLD, reason="smoke"))
    assert word() == "HALTED"
    session.execute(Kill(level=KillLevel.FLATTEN, reason="smoke"))
    assert word() == "KILLED"
    header = frame_of(session, 0, "orders").header
    assert (header.kill, header.kill_reason) == ("flatten", "smoke")
    assert header.hold_since_ns is not None
    session.execute(Rearm())
    session.execute(Hold(on=False))
    while session.driver.step():
        pass
    assert word() == "END"


def test_the_header_agrees_with_the_parts() -> None:
    session = running()
    account = session.executor.account()
    header = frame_of(session).header
    assert header.equity == account.equity
    assert header.day_pnl == account.equity - account.day_start
    assert header.fees == account.fees
    assert (header.feeds_ok, header.feeds, header.books_ok, header.books) == (
        1,
        1,
        2,
        2,
    )
    assert header.positions == len(session.executor.ledger.open_positions())
    assert header.events == session.engine.delivered
    assert header.progress is None
    session.execute(PauseTask(task="market"))
    paused = frame_of(session).header
    assert (paused.feeds_ok, paused.books_ok) == (0, 0)


def test_dust_is_shown_and_is_no_position() -> None:
    session = running()
    before = frame_of(session)
    assert before.positions is not None
    session.executor.ledger.apply(
        Fill(
            order_id="o",
            trade_id="t",
            instrument="BTCUSDT",
            owner="operator",
            side=Side.BUY,
            quantity=Decimal("0.00001"),
            price=Decimal(61_500),
            fee=Decimal("0.00000001"),
            fee_currency="BTC",
            maker=False,
            ts=session.engine.core.ts,
            role=OrderRole.ENTRY,
        )
    )
    after = frame_of(session)
    assert after.positions is not None
    assert after.header.positions == before.header.positions
    (dust,) = (row for row in after.positions if row.position.owner == "dust")
    assert dust.position.quantity == Decimal("0.00000999")
    assert dust.quantity_decimals == 8
    # A venue would take no order for it.
    assert dust.closable == 0
    assert len(after.positions) == len(before.positions) + 1
    # What leaving, flatten and kill speak of is what can be closed.
    assert len(Scene.of(after).held()) == len(Scene.of(before).held())
    shown = sum((row.open_pnl or Decimal(0) for row in after.positions), Decimal(0))
    assert shown == after.header.open_pnl
