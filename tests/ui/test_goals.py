"""Goals of go-until: each is reached by its own record and by no other."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.engine.store import Numbered
from workstation.model.instruments import Side
from workstation.model.orders import (
    Fill,
    Order,
    OrderEvent,
    OrderRole,
    OrderStatus,
    OrderType,
)
from workstation.model.records import (
    FaultRecord,
    FeedRecord,
    FillRecord,
    NoteRecord,
    OrderRecord,
    Record,
    SignalRecord,
    StateRecord,
    TaskRecord,
)
from workstation.model.signals import Signal, SignalAction
from workstation.model.states import SymbolState
from workstation.model.timeframes import NS_PER_S
from workstation.ui.goals import (
    Goal,
    crosses,
    moment_of,
    on_error,
    on_fill,
    on_signal,
    on_state,
    on_text,
    on_time,
)

D = Decimal
NOON = 1_723_118_400 * NS_PER_S


class Store:
    """A store that only counts and keeps."""

    def __init__(self) -> None:
        self.kept: list[Numbered] = []
        self.number = 0

    def add(self, record: Record) -> None:
        self.number += 1
        self.kept.append(Numbered(self.number, record))

    def since(self, number: int) -> list[Numbered]:
        return [one for one in self.kept if one.number > number]


class Clock:
    """A clock that stands where it is put."""

    ts = NOON

    def now(self) -> int:
        return self.ts


class Run:
    """As much of an engine as goals read."""

    def __init__(self) -> None:
        self.store = Store()
        self.clock = Clock()


@pytest.fixture
def run() -> Run:
    return Run()


def signal(instrument: str = "BTCUSDT") -> SignalRecord:
    return SignalRecord(
        1,
        NOON,
        Signal(
            strategy="ema_cross",
            instrument=instrument,
            action=SignalAction.ENTER_LONG,
            quantity=D(1),
        ),
    )


def fill(instrument: str = "BTCUSDT") -> FillRecord:
    return FillRecord(
        1,
        NOON,
        Fill(
            order_id="o-1",
            trade_id="t-1",
            instrument=instrument,
            owner="ema_cross",
            side=Side.BUY,
            quantity=D(1),
            price=D(100),
            fee=D(0),
            fee_currency="USDT",
            maker=False,
            ts=NOON,
            role=OrderRole.ENTRY,
        ),
    )


def state(instrument: str = "BTCUSDT", strategy: str = "ema_cross") -> StateRecord:
    return StateRecord(
        seq=1,
        ts=NOON,
        strategy=strategy,
        instrument=instrument,
        before=SymbolState.WATCH,
        after=SymbolState.CLOSE_WATCH,
        trigger="opportunity",
        who="script",
    )


def order(status: OrderStatus) -> OrderRecord:
    made = Order(
        id="o-1",
        instrument="BTCUSDT",
        owner="ema_cross",
        role=OrderRole.ENTRY,
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=D(1),
        status=status,
    )
    return OrderRecord(1, NOON, made, OrderStatus.SUBMITTED, OrderEvent.REJECT)


FAULT = FaultRecord(seq=1, ts=NOON, task="ema_cross", instrument="", error="ValueError")
NOTE = NoteRecord(
    seq=1, ts=NOON, strategy="ema_cross", instrument="BTCUSDT", text="Crossed [up]"
)


def task(after: str) -> TaskRecord:
    return TaskRecord(seq=1, ts=NOON, task="ema_cross", before="running", after=after)


def reached_by(run: Run, goal: Goal, record: Record) -> bool:
    run.store.add(record)
    return goal.reached(run)


def test_what_was_recorded_before_does_not_count(run: Run) -> None:
    run.store.add(signal())
    goal = on_signal(run)
    assert not goal.reached(run)
    assert reached_by(run, goal, signal())


def test_a_record_counts_once(run: Run) -> None:
    goal = on_fill(run)
    assert reached_by(run, goal, fill())
    assert not goal.reached(run)


def test_a_signal_of_one_symbol(run: Run) -> None:
    goal = on_signal(run, "BTCUSDT")
    assert not reached_by(run, goal, signal("ETHUSDT"))
    assert not reached_by(run, goal, fill())
    assert reached_by(run, goal, signal())
    assert goal.text == "next signal of BTCUSDT"


def test_a_fill_of_any_symbol(run: Run) -> None:
    goal = on_fill(run)
    assert not reached_by(run, goal, signal())
    assert reached_by(run, goal, fill("ETHUSDT"))


def test_a_state_change_of_this_row(run: Run) -> None:
    goal = on_state(run, "BTCUSDT", "ema_cross")
    assert not reached_by(run, goal, state("ETHUSDT"))
    assert not reached_by(run, goal, state(strategy="other"))
    assert reached_by(run, goal, state())


def test_a_record_among_many_of_one_step_counts(run: Run) -> None:
    goal = on_state(run, "BTCUSDT")
    run.store.add(fill())
    run.store.add(state())
    run.store.add(signal())
    assert goal.reached(run)


@pytest.mark.parametrize(
    "record",
    [
        FAULT,
        task("failed"),
        FeedRecord(seq=1, ts=NOON, feed="spot", what="failed"),
        order(OrderStatus.REJECTED),
        order(OrderStatus.UNKNOWN),
    ],
)
def test_errors(run: Run, record: Record) -> None:
    assert reached_by(run, on_error(run), record)


@pytest.mark.parametrize(
    "record",
    [
        task("paused"),
        FeedRecord(seq=1, ts=NOON, feed="spot", what="ended"),
        order(OrderStatus.FILLED),
        signal(),
    ],
)
def test_no_errors(run: Run, record: Record) -> None:
    assert not reached_by(run, on_error(run), record)


def test_text_is_looked_for_in_the_lines_of_the_log(run: Run) -> None:
    goal = on_text(run, "crossed [UP]")
    assert not reached_by(run, goal, signal())
    assert reached_by(run, goal, NOTE)


def test_a_time(run: Run) -> None:
    goal = on_time(NOON + 5)
    assert not goal.reached(run)
    run.clock.ts = NOON + 5
    assert goal.reached(run)


def test_a_price_is_crossed_from_either_side(run: Run) -> None:
    prices: dict[str, float | None] = {"BTCUSDT": 99.0}
    goal = crosses(prices.get, "BTCUSDT", D(100))
    prices["BTCUSDT"] = 99.9
    assert not goal.reached(run)
    prices["BTCUSDT"] = 100.0
    assert goal.reached(run)
    prices["BTCUSDT"] = 101.0
    down = crosses(prices.get, "BTCUSDT", D(100))
    assert not down.reached(run)
    prices["BTCUSDT"] = 98.0
    assert down.reached(run)


def test_a_price_that_is_not_known_yet_takes_its_side_later(run: Run) -> None:
    prices: dict[str, float | None] = {}
    goal = crosses(prices.get, "BTCUSDT", D(100))
    assert not goal.reached(run)
    prices["BTCUSDT"] = 101.0
    assert not goal.reached(run)
    prices["BTCUSDT"] = 99.0
    assert goal.reached(run)


@given(
    st.lists(st.floats(min_value=1, max_value=199), min_size=2, max_size=30),
)
def test_a_crossing_is_where_the_side_changes(path: list[float]) -> None:
    level = D(100)
    now = path[0]
    run = Run()
    goal = crosses(lambda instrument: now, "X", level)
    side = (now > 100) - (now < 100)
    for price in path[1:]:
        now = price
        sign = (price > 100) - (price < 100)
        expected = side != 0 and sign != side
        assert goal.reached(run) is expected
        if expected:
            return
        side = side or sign


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12:30", 1_800),
        ("12:30:05", 1_805),
        ("12:30Z", 1_800),
        ("11:00", 82_800),
        ("2024-08-08T13:00:00", 3_600),
        ("2024-08-08T13:00:00Z", 3_600),
        ("2024-08-08T15:00:00+02:00", 3_600),
    ],
)
def test_moments(text: str, seconds: int) -> None:
    assert moment_of(text, NOON) == NOON + seconds * NS_PER_S


@pytest.mark.parametrize("text", ["", "25:00", "noon", "12:61", "2024-13-01"])
def test_what_is_no_moment_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="use 23:55"):
        moment_of(text, NOON)


def test_a_moment_that_has_passed_is_told() -> None:
    with pytest.raises(ValueError, match="already"):
        moment_of("2024-08-08T11:00:00", NOON)
