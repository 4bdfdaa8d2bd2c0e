"""Stop entries in whole runs: in both languages, held or kept, replayed, taken up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.runs import kept, small, with_script
from tests.engine.test_script_calls import decisions
from tests.execution.test_recovering import assert_same, taken_up
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.model.orders import OrderEvent, OrderRole, OrderStatus
from workstation.model.records import FaultRecord, OrderRecord, Record

# Breaks out of the last bar for five seconds at a time, by a stop or a stop-limit.
PYTHON = """\
def detect_opportunity(market, context, indicators):
    return {"signal": "range"}


def filter_commitment(market, context, indicators):
    trigger = max(market.ask, market.close) * 1.00005
    if market.bars() % 2 == 0:
        return {"action": "enter_long", "trigger": trigger, "good_for_s": 5,
                "stop": market.close * 0.998}
    return {"action": "enter_long", "trigger": trigger, "price": trigger * 1.0002,
            "good_for_s": 5, "stop": market.close * 0.998}


def manage_position(market, context, indicators):
    if market.position > 0 and market.bars() % 7 == 0:
        return {"action": "exit", "trigger": min(market.bid, market.close) * 0.99995}
    return None
"""
LUA = """\
function detect_opportunity(market, context, indicators)
    return {signal = "range"}
end

function filter_commitment(market, context, indicators)
    local trigger = math.max(market.ask, market.close) * 1.00005
    if market.bars() % 2 == 0 then
        return {action = "enter_long", trigger = trigger, good_for_s = 5,
                stop = market.close * 0.998}
    end
    return {action = "enter_long", trigger = trigger, price = trigger * 1.0002,
            good_for_s = 5, stop = market.close * 0.998}
end

function manage_position(market, context, indicators)
    if market.position > 0 and market.bars() % 7 == 0 then
        return {action = "exit", trigger = math.min(market.bid, market.close) * 0.99995}
    end
end
"""
NATIVE = "brokers.0.native_stops=true"


def script(folder: Path, text: str = PYTHON) -> tuple[str, str]:
    path = folder / f"breaks.{'py' if text is PYTHON else 'lua'}"
    path.write_text(text)
    return with_script(path)


def moves(records: list[Record], role: OrderRole) -> set[OrderEvent]:
    orders = [each for each in records if isinstance(each, OrderRecord)]
    return {each.event for each in orders if each.order.role is role}


def run_of(session: Session) -> list[Record]:
    records = kept(session)
    run_backtest(session.engine)
    session.close()
    assert [each for each in records if isinstance(each, FaultRecord)] == []
    return records


def test_both_languages_enter_and_exit_at_stops_alike(tmp_path: Path) -> None:
    python, lua = (run_of(small(*script(tmp_path, text))) for text in (PYTHON, LUA))
    assert decisions(python) == decisions(lua)
    entries = moves(python, OrderRole.ENTRY)
    assert {OrderEvent.HOLD, OrderEvent.SUBMIT, OrderEvent.FILL} <= entries
    assert OrderEvent.EXPIRE in entries
    exits = moves(python, OrderRole.EXIT)
    assert {OrderEvent.HOLD, OrderEvent.SUBMIT, OrderEvent.FILL} <= exits


def test_where_the_venue_keeps_them_none_is_held_but_the_stop_of_a_position(
    tmp_path: Path,
) -> None:
    records = run_of(small(*script(tmp_path), NATIVE))
    entries = moves(records, OrderRole.ENTRY)
    assert {OrderEvent.ACCEPT, OrderEvent.TRIGGER, OrderEvent.EXPIRE} <= entries
    assert OrderEvent.HOLD not in entries | moves(records, OrderRole.EXIT)
    assert OrderEvent.HOLD in moves(records, OrderRole.STOP)


@pytest.mark.parametrize("overrides", [(), (NATIVE,)], ids=["held", "kept"])
def test_a_run_with_stops_replays(tmp_path: Path, overrides: tuple[str, ...]) -> None:
    path = tmp_path / "j.sqlite"
    session = small(*script(tmp_path), *overrides, journal=path)
    run_backtest(session.engine)
    session.close()
    result = replay_journal(path)
    assert result.matches, result.first_difference


@pytest.mark.parametrize("overrides", [(), (NATIVE,)], ids=["held", "kept"])
@pytest.mark.parametrize("events", [450, 1_100, 2_300])
def test_a_run_left_while_stops_wait_is_taken_up_as_it_was(
    tmp_path: Path, events: int, overrides: tuple[str, ...]
) -> None:
    path = tmp_path / "000001.sqlite"
    session = small(*script(tmp_path), *overrides, journal=path)
    orders = session.executor.desk.orders
    for later in range(events, events + 500):
        run_backtest(session.engine, Until(events=later))
        if any(t.order.is_untriggered and t.intent for t in orders.open()):
            break
    else:
        raise AssertionError("no entry waits for its trigger")
    session.close()
    found = taken_up(session, path)
    assert_same(found, session)
    held = [t.order.id for t in orders.open() if t.order.status is OrderStatus.HELD]
    triggers = found.triggers.waiting
    assert sum(map(len, triggers.values())) == sum(
        map(len, session.executor.triggers.waiting.values())
    )
    assert bool(held) or overrides
    for side in ("BTCUSDT", "ETHUSDT"):
        assert found.limits.gross(side) == session.executor.limits.gross(side)
