"""The chart's frames: timeframes, indicators of observers, what was traded."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.engine.runs import DEFAULT, SMALL, finish, settings, small, with_script
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.frames import ChartFrame, Focus
from workstation.engine.session import Session
from workstation.indicators import Drawing, Pane, Request
from workstation.model.commands import PlaceOrder
from workstation.model.instruments import Side
from workstation.model.orders import OrderRole
from workstation.model.records import OrderRecord, PositionRecord
from workstation.model.timeframes import Timeframe

FIVE = Timeframe.parse("5s")
ADDED = tuple(map(Request.parse, ("rsi(7)", "macd", "bollinger(20, 2)", "ema(10)")))


def run(events: int = 2_000, *overrides: str) -> Session:
    session = small(*overrides)
    run_backtest(session.engine, Until(events=events))
    return session


def chart(
    session: Session,
    timeframe: Timeframe | None = None,
    plots: tuple[Request, ...] = (),
    *,
    bars: int = 100,
    factor: int = 1,
    instrument: str = "BTCUSDT",
) -> ChartFrame:
    focus = Focus(
        "ema_cross", instrument, timeframe, bars=bars, factor=factor, plots=plots
    )
    found = session.frame(0, frozenset({"chart"}), focus).chart
    assert found is not None
    return found


def watched(*words: str) -> Session:
    session = small()
    for word in words:
        session.aggregator.watch("BTCUSDT", Timeframe.parse(word))
    run_backtest(session.engine, Until(events=2_000))
    return session


def test_choices_are_what_is_built_and_multiples_of_the_row_s_own() -> None:
    shown = chart(watched("2s", "10t", "5s"))
    words = [str(each) for each in shown.choices]
    assert words == ["1s", "2s", "5s", "15s", "1m", "10t"]
    assert str(shown.timeframe) == str(shown.own) == "1s"


@pytest.mark.parametrize("word", ["2s", "5s", "15s", "1m", "10t"])
def test_every_choice_is_shown_and_its_bars_conserve_volume(word: str) -> None:
    session = watched("2s", "10t", "5s")
    shown = chart(session, Timeframe.parse(word), bars=10_000)
    assert str(shown.timeframe) == word
    own = chart(session, bars=10_000)
    assert _volume(shown) == pytest.approx(_volume(own))


def _volume(shown: ChartFrame) -> float:
    forming = () if shown.forming is None else (shown.forming,)
    return sum((bar[5] for bar in (*shown.bars, *forming)), 0.0)


def test_a_timeframe_that_is_not_built_gives_way_to_the_row_s_own() -> None:
    session = run()
    assert chart(session, Timeframe.parse("7m")).timeframe == Timeframe.parse("1s")
    assert chart(session, factor=5).timeframe == FIVE
    assert chart(session, factor=7).timeframe == Timeframe.parse("1s")


def test_a_symbol_without_a_strategy_shows_what_is_built_or_says_nothing() -> None:
    session = run(2_000, 'strategies.0.symbols=["BTCUSDT"]')
    assert str(chart(session, instrument="ETHUSDT").own) == "1s"
    session.aggregator.instrument("ETHUSDT").windows = {}
    bare = chart(session, instrument="ETHUSDT")
    assert bare.bars == ()
    assert bare.timeframe is None
    assert bare.levels[0][0] == "last"


def test_script_s_indicators_come_first_and_equal_their_running_values() -> None:
    session = run()
    shown = chart(session, plots=ADDED)
    assert [plot.key for plot in shown.plots] == [
        "ema(10)",
        "ema(20)",
        "rsi(7)",
        "macd(12, 26, 9)",
        "bollinger(20, 2)",
    ]
    assert [plot.added for plot in shown.plots] == [False, False, True, True, True]
    running = session.aggregator.indicators("BTCUSDT", Timeframe.parse("1s"))
    for plot, twin in zip(shown.plots, running, strict=False):
        assert twin.value is not None
        assert plot.lines[0].values[-1] == pytest.approx(twin.value[0])
    assert shown.plots[2].pane is Pane.OWN
    assert shown.plots[2].bounds == (0.0, 100.0)
    assert [line.drawing for line in shown.plots[3].lines] == [
        Drawing.LINE,
        Drawing.LINE,
        Drawing.HISTOGRAM,
    ]
    for plot in shown.plots:
        assert {len(line.values) for line in plot.lines} == {len(shown.bars)}


def test_added_indicators_follow_every_timeframe_and_the_script_s_only_its_own() -> (
    None
):
    shown = chart(run(), FIVE, ADDED[:1])
    assert [plot.key for plot in shown.plots] == ["rsi(7)"]
    values = shown.plots[0].lines[0].values
    assert len(values) == len(shown.bars)
    assert values[6] is None
    assert values[7] is not None


def test_indicators_are_computed_once_per_closed_bar() -> None:
    session = run()
    plots = session.frames._charts.plots
    chart(session, plots=ADDED)
    computed = plots.computed
    for _ in range(5):
        chart(session, plots=ADDED)
    assert plots.computed == computed
    closed = session.aggregator.bars("BTCUSDT", Timeframe.parse("1s")).total
    while session.aggregator.bars("BTCUSDT", Timeframe.parse("1s")).total == closed:
        session.engine.step()
    chart(session, plots=ADDED)
    assert plots.computed == computed + 5


def test_looking_at_indicators_and_timeframes_changes_no_hash() -> None:
    expected = finish(assemble_session(settings(*SMALL, config=DEFAULT)))
    session = small()
    session.engine.start()
    while session.engine.step():
        if session.engine.delivered % 40 == 0:
            for timeframe in (None, FIVE, Timeframe.parse("1m")):
                chart(session, timeframe, ADDED)
    session.close()
    assert session.engine.state_hash() == expected


def test_fills_say_what_they_were_for_and_are_those_of_the_store() -> None:
    session = run(2_700)
    shown = chart(session, bars=1_000)
    fills = [f for f in session.engine.store.fills if f.instrument == "BTCUSDT"]
    assert [(m.ts, m.price, m.side) for m in shown.markers] == [
        (f.ts, float(f.price), f.side.sign) for f in fills
    ]
    roles = {marker.role for marker in shown.markers}
    assert OrderRole.ENTRY in roles
    assert roles & {OrderRole.EXIT, OrderRole.STOP, OrderRole.TARGET}
    recent = chart(session, bars=5)
    assert all(marker.ts >= recent.bars[0][0] for marker in recent.markers)


def test_what_the_operator_ordered_is_drawn_as_by_hand() -> None:
    session = run(300)
    ticket = PlaceOrder(instrument="BTCUSDT", side=Side.BUY, quantity=Decimal("0.010"))
    assert session.execute(ticket).accepted
    run_backtest(session.engine, Until(events=400))
    (fill,) = [f for f in session.engine.store.fills if f.owner == "operator"]
    assert fill.role is OrderRole.ENTRY
    drawn = {m.ts: m.role for m in chart(session).markers}
    assert drawn[fill.ts] is OrderRole.MANUAL


def test_entry_price_and_stop_through_time_are_those_of_the_records() -> None:
    session = small()
    held: list[tuple[int, float | None]] = []
    stops: list[tuple[int, float | None]] = []

    def note(record: object, encoded: bytes) -> None:
        if isinstance(record, PositionRecord) and record.after.instrument == "BTCUSDT":
            after = record.after
            price = None if after.is_flat else float(after.average_price)
            if not held or held[-1][1] != price:
                held.append((record.ts, price))
        if isinstance(record, OrderRecord) and record.order.role is OrderRole.STOP:
            order = record.order
            trigger = None if order.is_terminal else order.trigger
            price = None if trigger is None else float(trigger)
            mine = order.instrument == "BTCUSDT"
            if mine and (not stops or stops[-1][1] != price):
                stops.append((record.ts, price))

    session.engine.core.sinks.append(note)
    run_backtest(session.engine, Until(events=2_700))
    shown = chart(session, bars=1_000)
    assert [(move.ts, move.price) for move in shown.held] == held
    assert [(move.ts, move.price) for move in shown.stops] == stops
    assert len(stops) > 2
    late = chart(session, bars=20)
    first = late.bars[0][0]
    assert sum(move.ts <= first for move in late.stops) <= 1


def test_levels_name_last_entry_stop_and_target() -> None:
    session = small()
    while not session.executor.held_protection():
        assert session.engine.step()
    name = session.executor.held_protection()[0].instrument
    row = session.strategies[0].rows[name]
    levels = dict(chart(session, instrument=name).levels)
    assert row.stop is not None
    assert levels["stop"] == float(row.stop)
    assert set(levels) >= {"last", "in", "stop"}


RESTING = """
def detect_opportunity(market, context, indicators):
    return {"signal": "cheap", "confidence": 1.0}


def filter_commitment(market, context, indicators):
    price = market.close * 0.99
    return {"action": "enter_long", "price": price, "reason": "rests"}


def manage_position(market, context, indicators):
    return None
"""


def test_own_limit_orders_that_work_are_levels(tmp_path: Path) -> None:
    script = tmp_path / "resting.py"
    script.write_text(RESTING)
    session = small(*with_script(script))
    while not any(order.price for order in session.executor.orders()):
        assert session.engine.step()
    order = next(order for order in session.executor.orders() if order.price)
    shown = chart(session, instrument=order.instrument)
    assert order.price is not None
    assert ("buy", float(order.price)) in shown.levels
