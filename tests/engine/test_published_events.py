"""The ten events of the order system are published on their real paths."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from workstation.config import load_config
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.session import Session
from workstation.model.commands import Kill, KillLevel
from workstation.model.events import (
    EmergencyLiquidation,
    MarginWarning,
    MarketDataUpdated,
    OrderCanceledEvent,
    OrderCreated,
    OrderFilled,
    OrderStuck,
    PositionChanged,
    PositionStateChanged,
    RiskMetricsUpdated,
)
from workstation.paths import shipped_folder

TEN = (
    PositionChanged,
    OrderFilled,
    OrderCanceledEvent,
    OrderCreated,
    PositionStateChanged,
    MarginWarning,
    EmergencyLiquidation,
    MarketDataUpdated,
    RiskMetricsUpdated,
    OrderStuck,
)
DEFAULT = shipped_folder("config") / "default.toml"


def _session(*overrides: str) -> tuple[Session, Counter[type]]:
    config = load_config(Path(DEFAULT), ['journal.path=""', *overrides])
    session = assemble_session(config.run)
    heard: Counter[type] = Counter()
    for event_type in TEN:
        session.engine.bus.subscribe(
            event_type, lambda event: heard.update([type(event)]), name="test"
        )
    return session, heard


def test_trading_near_its_limits_publishes_all_but_stuck_and_liquidation() -> None:
    session, heard = _session(
        "strategies.0.size=0.9",
        'risk.max_order_value="200000"',
        'risk.max_position_value="95000"',
        'strategies.0.symbols=["BTCUSDT"]',
    )
    run_backtest(session.engine, Until(fills=12))
    session.close()
    missing = [e.__name__ for e in TEN if not heard[e]]
    assert missing == ["EmergencyLiquidation", "OrderStuck"]


def test_an_order_without_an_answer_in_ten_seconds_is_stuck() -> None:
    session, heard = _session("brokers.0.latency_ms=15000")
    run_backtest(session.engine, Until(span_ns=20 * 60 * 10**9))
    session.close()
    assert heard[OrderCreated] > 0
    assert heard[OrderStuck] > 0


def test_the_last_rung_of_the_kill_ladder_liquidates() -> None:
    session, heard = _session()
    run_backtest(session.engine, Until(fills=1))
    while not session.executor.ledger.open_positions():
        session.engine.step()
    held = len(session.executor.ledger.open_positions())
    outcome = session.execute(Kill(level=KillLevel.FLATTEN, reason="test"))
    assert outcome.accepted
    assert heard[EmergencyLiquidation] == held
    for _ in range(2_000):
        session.engine.step()
    assert not session.executor.ledger.open_positions()
    session.close()
