"""Frames: immutable, made between inputs, for the panels that are shown."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import msgspec
import pytest

from tests.engine.runs import (
    BINANCE,
    KLINES,
    PANELS,
    finish,
    frame_of,
    running,
    settings,
    small,
    with_script,
)
from tests.strategy.fakes import write_script
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.frames import Focus
from workstation.indicators import Pane
from workstation.model.states import BookTrust
from workstation.model.timeframes import Timeframe


def test_all_panels_of_a_running_run_are_there() -> None:
    session = running()
    frame = frame_of(session)
    assert [p for p in sorted(PANELS) if getattr(frame, p) is None] == []
    assert frame.symbols is not None
    assert [row.symbol for row in frame.symbols] == ["BTCUSDT", "ETHUSDT"]
    assert frame.tasks is not None
    assert [task.name for task in frame.tasks] == [
        "market",
        "aggregator",
        "executor",
        "ema_cross",
        "paper",
    ]
    assert frame.feeds is not None
    assert frame.feeds[0].events == session.engine.delivered
    assert frame.indicators is not None
    # Two EMAs on each of two symbols.
    assert len(frame.indicators) == 4
    assert frame.chart is not None
    assert 0 < len(frame.chart.bars) <= 50
    assert all(
        high >= max(o, c) >= min(o, c) >= low > 0
        for _, o, high, low, c, _ in frame.chart.bars
    )
    assert frame.book is not None
    assert frame.book.trust is BookTrust.TRUSTED
    assert len(frame.book.bids) == len(frame.book.asks) == 10
    assert frame.book.bids[0][0] < frame.book.asks[0][0]
    assert frame.machine is not None
    assert frame.machine.gates
    assert frame.machine.calls == session.strategies[0].rows["BTCUSDT"].calls
    assert frame.seq == session.engine.core.seq


def test_of_many_outputs_a_chart_shows_those_that_can_be_drawn(tmp_path: Path) -> None:
    detect = (
        "indicators.supertrend(3); indicators.adx(90); "
        "indicators.ema(5, compat='tradingview'); return None"
    )
    session = small(*with_script(write_script(tmp_path, detect=detect)))
    run_backtest(session.engine, Until(events=2_000))
    frame = frame_of(session)
    assert frame.chart is not None
    assert [
        (plot.label, plot.pane, [line.name for line in plot.lines])
        for plot in frame.chart.plots
    ] == [
        ("SUPERTREND 3 3", Pane.PRICE, ["supertrend"]),
        ("ADX 90", Pane.OWN, ["plus_di", "minus_di", "adx"]),
        ("EMA 5 tradingview", Pane.PRICE, ["ema"]),
    ]
    assert frame.indicators is not None
    directional = next(row for row in frame.indicators if row.name == "adx")
    assert directional.params == "90"
    assert directional.values is not None
    values = dict(zip(directional.outputs, directional.values, strict=True))
    # Its own average begins later: that is no number yet, and shown as none.
    assert not isnan(values["plus_di"])
    assert isnan(values["adx"])


def test_a_panel_that_is_not_shown_is_not_made() -> None:
    session = running()
    frame = session.frame(0, frozenset({"orders"}))
    shown = [name for name in PANELS if getattr(frame, name) is not None]
    assert shown == ["orders"]
    unfocused = session.frame(0, PANELS)
    for name in ("chart", "book", "tape", "machine"):
        assert getattr(unfocused, name) is None


def test_a_focus_on_what_is_not_there_shows_no_machine() -> None:
    session = running()
    frame = session.frame(0, PANELS, Focus("nobody", "BTCUSDT"))
    assert frame.machine is None
    assert frame.chart is not None


@pytest.mark.parametrize("name", ["seq", "header", "symbols"])
def test_a_frame_cannot_be_changed(name: str) -> None:
    frame = frame_of(running())
    with pytest.raises(AttributeError):
        setattr(frame, name, None)


def test_a_frame_stays_as_it_was_while_the_run_goes_on() -> None:
    session = running(1_000)
    frame = frame_of(session)
    before = msgspec.json.encode(frame)
    finish(session)
    assert msgspec.json.encode(frame) == before
    assert msgspec.json.encode(frame_of(session)) != before


def test_a_reader_gets_each_record_once_and_hears_how_many_it_missed() -> None:
    session = small("engine.history=100")
    cursor, numbers, missed = 0, [], 0
    for events in range(100, 3_000, 50):
        run_backtest(session.engine, Until(events=events))
        frame = frame_of(session, cursor, "orders")
        numbers += [each.number for each in frame.records]
        missed += frame.missed
        cursor = frame.cursor
    assert missed == 0
    assert numbers == list(range(1, session.engine.store.number + 1))
    late = frame_of(session, 0, "orders")
    assert len(late.records) == 100
    assert late.missed == session.engine.store.number - 100
    assert frame_of(session, cursor, "orders").records == ()


def test_the_chart_shows_longer_bars_made_of_the_row_s_own() -> None:
    session = running(2_400)
    second = 1_000_000_000
    plain = session.frame(0, PANELS, Focus("ema_cross", "BTCUSDT", bars=10_000))
    longer = Timeframe.of_ns(15 * second)
    fifteen = Focus("ema_cross", "BTCUSDT", timeframe=longer, bars=10_000)
    grouped = session.frame(
        0,
        PANELS,
        fifteen,
    )
    assert plain.chart is not None
    assert grouped.chart is not None
    assert grouped.chart.timeframe == longer
    for start, o, high, low, close, volume in grouped.chart.bars:
        assert start % (15 * second) == 0
        parts = [b for b in plain.chart.bars if start <= b[0] < start + 15 * second]
        assert parts
        assert (o, close) == (parts[0][1], parts[-1][4])
        assert high == max(b[2] for b in parts)
        assert low == min(b[3] for b in parts)
        assert volume == pytest.approx(sum(b[5] for b in parts))


@pytest.mark.parametrize("config", [BINANCE, KLINES], ids=["capture", "klines"])
def test_recordings_show_all_panels_and_how_far_they_are(config: object) -> None:
    session = assemble_session(settings(config=config))  # type: ignore[arg-type]
    run_backtest(session.engine, Until(events=1_000))
    frame = frame_of(session)
    assert frame.header.progress is not None
    assert 0 < frame.header.progress <= 1
    assert frame.machine is not None
    assert (frame.book is None) is (config is KLINES)
    finish(session)
    assert frame_of(session).header.progress == 1.0


def test_a_frame_before_the_first_event_is_empty_and_whole() -> None:
    session = small()
    frame = frame_of(session)
    assert frame.header.ts is None
    assert frame.header.events == 0
    assert frame.records == ()
    assert session.engine.started is False
