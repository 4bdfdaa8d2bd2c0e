"""Commands in small runs: what tests of the operator's hand have in common."""

from __future__ import annotations

from pathlib import Path

from tests.engine.runs import kept, small, with_script
from tests.strategy.fakes import write_script
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.session import Session
from workstation.model.commands import Command, Override
from workstation.model.orders import OrderStatus
from workstation.model.positions import Position
from workstation.model.records import CommandRecord
from workstation.model.states import SymbolState
from workstation.strategy.row import Row

# Enters BTCUSDT at once and holds; asks for nothing else.
ENTER = "return {'action': 'enter_long', 'stop': market.close * 0.6, 'reason': 'go'}"
RESTING = (
    "return {'action': 'enter_long', 'price': market.close * 0.9, "
    "'stop': market.close * 0.6}"
)
SEEN = "return {'signal': 'x'} if market.symbol == 'BTCUSDT' else None"
W, C, T = SymbolState


def holder(tmp_path: Path, filter_: str = ENTER, *overrides: str) -> Session:
    """Return a run in which ``ema_cross`` wants to hold BTCUSDT for good."""
    script = write_script(tmp_path, detect=SEEN, filter=filter_)
    return small(*with_script(script), *overrides)


def holding(tmp_path: Path) -> Session:
    """Return a run in which ``ema_cross`` holds BTCUSDT."""
    session = holder(tmp_path)
    run_backtest(session.engine, Until(events=200))
    assert not position_of(session).is_flat
    assert row_of(session).state is T
    return session


def working(tmp_path: Path) -> tuple[Session, str]:
    """Return a run in which an entry of ``ema_cross`` rests at the venue."""
    session = holder(tmp_path, RESTING)
    run_backtest(session.engine, Until(events=200))
    (order,) = session.executor.working("ema_cross", "BTCUSDT")
    assert order.status is OrderStatus.ACCEPTED
    return session, order.id


def row_of(session: Session, instrument: str = "BTCUSDT") -> Row:
    """Return a row of ``ema_cross``."""
    return session.strategies[0].rows[instrument]


def position_of(session: Session, owner: str = "ema_cross") -> Position:
    """Return what an owner holds in BTCUSDT."""
    return session.executor.position(owner, "BTCUSDT")


def do(session: Session, command: Command) -> str:
    """Execute a command that applies, and return what is said."""
    outcome = session.execute(command)
    assert outcome.accepted, outcome.detail
    return outcome.detail


def refused(session: Session, command: Command) -> str:
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


def override_to(state: SymbolState, **rest: object) -> Override:
    """Return an override of the row of BTCUSDT."""
    given = {"strategy": "ema_cross", "instrument": "BTCUSDT", "reason": "mine"} | rest
    return Override(state=state, **given)  # type: ignore[arg-type]


def more(session: Session, events: int = 200) -> None:
    """Run on for some events."""
    run_backtest(session.engine, Until(events=session.engine.delivered + events))
