"""Frames of indicators: made when bars close, with what a table needs of them."""

from __future__ import annotations

from math import isnan

import pytest

from tests.engine.runs import frame_of, running, settings, small
from workstation import indicators
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.frames import IndicatorRow
from workstation.engine.session import Session
from workstation.market.running import TRAIL, RunningIndicator
from workstation.model.market import Bar
from workstation.model.timeframes import Timeframe

S = 1_000_000_000
TF = Timeframe.parse("1s")


def rows_of(session: Session) -> tuple[IndicatorRow, ...]:
    rows = frame_of(session, 0, "indicators").indicators
    assert rows is not None
    return rows


def bar(number: int, close: float) -> Bar:
    return Bar(
        "BTCUSDT", (number + 1) * S, TF, number * S, close, close, close, close, 1.0
    )


def started() -> Session:
    session = small()
    session.engine.start()
    return session


def close(session: Session, *closes: float, start: int = 0) -> None:
    for number, price in enumerate(closes, start=start):
        session.aggregator.handle_event(bar(number, price))


def test_a_row_has_all_outputs_their_last_values_and_the_trail_of_the_first() -> None:
    session = started()
    market = session.aggregator
    market.indicator("BTCUSDT", TF, "macd", fast=2, slow=3, signal=2)
    close(session, *(100.0 + n * n for n in range(30)))
    row = rows_of(session)[-1]
    assert row.name == "macd"
    assert row.outputs == ("macd", "signal", "histogram")
    view = market.indicator("BTCUSDT", TF, "macd", fast=2, slow=3, signal=2)
    assert row.values == view.value
    assert row.before == view.previous
    assert row.trail[-1] == view.value[0]  # type: ignore[index]
    assert len(row.trail) == TRAIL
    assert (row.bars, row.decimals) == (30, 4)


def test_the_trail_is_what_a_batch_over_the_window_gives() -> None:
    session = started()
    session.aggregator.indicator("BTCUSDT", TF, "ema", period=5)
    for count in (3, 7, 26, 60):
        so_far = session.aggregator.bars("BTCUSDT", TF).total
        fresh = [100.0 + (n * 7) % 11 for n in range(so_far, count)]
        close(session, *fresh, start=so_far)
        (row,) = [r for r in rows_of(session) if r.key == "BTCUSDT/1s/ema/5"]
        columns = dict(session.aggregator.bars("BTCUSDT", TF).columns())
        wanted = indicators.get("ema").batch(columns, period=5)["ema"][-TRAIL:]
        shown = row.trail[-len(wanted) :]
        for got, expected in zip(shown, wanted, strict=True):
            assert isnan(got) if isnan(expected) else got == pytest.approx(expected)


def test_a_trail_begins_with_what_is_not_there() -> None:
    running_one = RunningIndicator(("ema", (("period", 5),)), indicators.get("ema"))
    assert all(isnan(each) for each in running_one.trail)
    running_one.warm([bar(n, 1.0 + n) for n in range(5)])
    assert [isnan(each) for each in running_one.trail] == [True] * 23 + [False]


def test_a_row_says_how_many_bars_it_waits_for() -> None:
    session = started()
    session.aggregator.indicator("BTCUSDT", TF, "rsi", period=14)
    close(session, *[1.0] * 12)
    (row,) = [r for r in rows_of(session) if r.name == "rsi"]
    assert (row.values, row.bars, row.needed, row.decimals) == (None, 12, 15, 2)
    close(session, *(1.0 + n % 2 for n in range(3)), start=12)
    (row,) = [r for r in rows_of(session) if r.name == "rsi"]
    assert row.values is not None
    assert row.bars == row.needed


def test_rows_are_the_same_objects_until_a_bar_closes() -> None:
    session = running()
    first = rows_of(session)
    assert rows_of(session) is first
    events = session.engine.delivered
    while rows_of(session) is first:
        events += 1
        run_backtest(session.engine, Until(events=events))
    again = rows_of(session)
    assert [row.key for row in again] == [row.key for row in first]


def test_only_rows_of_the_symbol_whose_bar_has_closed_are_made() -> None:
    session = started()
    for name in ("BTCUSDT", "ETHUSDT"):
        session.aggregator.indicator(name, TF, "sma", period=2)
    before = {row.key: row for row in rows_of(session)}
    close(session, 1.0, 2.0, 3.0)
    after = {row.key: row for row in rows_of(session)}
    assert after["ETHUSDT/1s/sma/2"] is before["ETHUSDT/1s/sma/2"]
    assert after["BTCUSDT/1s/sma/2"].values == (2.5,)


def test_an_indicator_that_is_new_is_there_before_another_bar() -> None:
    session = started()
    close(session, 1.0, 2.0, 3.0)
    assert rows_of(session) == ()
    session.aggregator.indicator("BTCUSDT", TF, "sma", period=2)
    assert [row.values for row in rows_of(session)] == [(2.5,)]


def test_looking_changes_nothing_of_the_state() -> None:
    session = running()
    before = session.engine.state_hash()
    rows_of(session)
    assert session.engine.state_hash() == before


def test_bars_of_many_symbols_that_close_at_once_are_shared_by_frames() -> None:
    names = ", ".join(f'"S{n}USDT"' for n in range(250))
    session = assemble_session(settings(f"feeds.0.symbols=[{names}]"))
    session.engine.start()
    (frame,) = session.aggregator.timeframes("S0USDT")
    for n in range(250):
        session.aggregator.indicator(f"S{n}USDT", frame, "sma", period=1)
    counts = [len(rows_of(session)) for _ in range(4)]
    assert counts == [100, 200, 250, 250]
    ts = session.engine.core.ts
    for n in range(250):
        made = Bar(f"S{n}USDT", ts, frame, ts, *(1.0, 2.0, 0.5, 1.5, 3.0))
        session.aggregator.handle_event(made)
    done = [sum(row.values is not None for row in rows_of(session)) for _ in range(4)]
    assert done == [100, 200, 250, 250]
