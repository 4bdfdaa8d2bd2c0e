"""Rows of a frame: what the ledger and the machines say."""

from __future__ import annotations

from decimal import Decimal

from tests.engine.runs import (
    frame_of,
    small,
)
from workstation.model.states import SymbolState


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
