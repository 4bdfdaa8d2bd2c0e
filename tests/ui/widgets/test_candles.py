from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.ui.widgets.host import Host, painted
from workstation.ui.widgets.candle_grid import HOLLOW, SOLID, Grid
from workstation.ui.widgets.candles import Candle, CandleChart, Level, Marker
from workstation.ui.widgets.price_axis import (
    PriceAxis,
    nice_step,
    price_range,
    price_ticks,
    step_decimals,
    time_step,
)

MINUTE = 60_000_000_000
START = 1_723_158_000_000_000_000


def walk(count: int, seed: int = 5) -> list[Candle]:
    rng = random.Random(seed)
    price, bars = 61_600.0, []
    for index in range(count):
        close = price + rng.gauss(0, 9)
        high = max(price, close) + abs(rng.gauss(0, 5))
        low = min(price, close) - abs(rng.gauss(0, 5))
        bars.append(Candle(START + index * MINUTE, price, high, low, close))
        price = close
    return bars


def drawn(bars: list[Candle], rows: int) -> list[str]:
    low, high = min(bar.low for bar in bars), max(bar.high for bar in bars)
    grid = Grid(PriceAxis(low, high, rows), len(bars), bars)
    grid.draw_bars(HOLLOW, SOLID)
    return ["".join(line) for line in grid.glyphs]


def test_bodies_are_heavy_wicks_light_and_halves_are_told_apart() -> None:
    # Seven half-cell steps from 7 (top) to 0; four rows.
    falling = Candle(0, 5, 7, 0, 2)
    assert drawn([falling], 4) == ["│", "┃", "┃", "│"]
    assert drawn([Candle(0, 6, 7, 0, 3)], 4) == ["╽", "┃", "╿", "│"]


def test_rising_bodies_are_hollow_when_colour_cannot_tell() -> None:
    assert drawn([Candle(0, 2, 7, 0, 5)], 4) == ["│", "║", "║", "│"]


@given(
    st.lists(
        st.tuples(*[st.floats(1, 1e6, allow_nan=False)] * 4), min_size=1, max_size=30
    ),
    st.integers(2, 40),
)
def test_every_bar_is_on_the_grid_from_its_high_to_its_low(
    prices: list[tuple[float, float, float, float]], rows: int
) -> None:
    bars = [
        Candle(i, four[0], max(four), min(four), four[1])
        for i, four in enumerate(prices)
    ]
    low, high = price_range([b.low for b in bars], [b.high for b in bars], 1.0)
    axis = PriceAxis(low, high, rows)
    grid = Grid(axis, len(bars), bars)
    grid.draw_bars(SOLID, SOLID)
    for column, bar in enumerate(bars):
        filled = [y for y in range(rows) if grid.glyphs[y][column] != " "]
        assert filled == list(range(axis.row(bar.high), axis.row(bar.low) + 1))


@given(st.floats(1e-6, 1e6), st.integers(1, 30))
def test_steps_are_nice_and_not_too_many(span: float, most: int) -> None:
    step = nice_step(span, most)
    assert span / step <= most * (1 + 1e-6)
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - nice) for nice in (1, 2, 5, 10)) < 1e-6


def test_ticks_are_round_prices_with_the_decimals_they_need() -> None:
    ticks, decimals = price_ticks(PriceAxis(61_605, 61_725, 12))
    assert ticks == [61_620, 61_640, 61_660, 61_680, 61_700, 61_720]
    assert decimals == 0
    assert step_decimals(0.05) == 2
    assert step_decimals(1.0) == 0
    assert time_step(MINUTE, 10) == 10 * MINUTE


async def test_scale_levels_and_times_are_where_the_sketch_has_them() -> None:
    chart = CandleChart()
    bars = walk(90)
    async with Host(chart).run_test(size=(61, 15)) as pilot:
        chart.set_chart(
            bars,
            levels=[
                Level("last", bars[-1].close),
                Level("stop", 60_452, "down"),
                Level("target", 64_770, "up"),
            ],
            markers=[Marker(80, bars[80].close, up=True)],
        )
        await pilot.pause()
        lines = painted(chart)
        assert all(cell_len(text) == 61 for text in lines)
        assert sum("◂last" in text for text in lines) == 1
        assert sum("▲" in text[:47] for text in lines[:-2]) == 1
        assert lines[-2].startswith(" off scale: stop 60,452 ▼  target 64,770 ▲")
        assert lines[-1].rstrip().endswith("UTC")
        assert "00:00" in lines[-1]
        times = [part for part in lines[-1].split() if ":" in part]
        assert all(part.endswith("0") for part in times)
        assert chart.draws == 2


async def test_an_unchanged_chart_repaints_no_line() -> None:
    chart = CandleChart()
    bars = walk(60)
    async with Host(chart).run_test(size=(70, 20)) as pilot:
        chart.set_chart(bars)
        await pilot.pause()
        frame = chart._frame
        chart.set_chart(list(bars))
        assert list(chart._frame) == list(frame)
        assert not chart._repaint_required


async def test_the_crosshair_reads_its_bar_and_keeps_it_as_bars_arrive() -> None:
    chart = CandleChart()
    bars = walk(200)
    async with Host(chart).run_test(size=(100, 15)) as pilot:
        chart.set_chart(bars[:150])
        chart.focus()
        await pilot.press("left", "left", "left", "up")
        assert chart.crosshair == bars[147]
        reading = painted(chart)[0]
        assert reading.startswith(" 08-09 01:27  o 6")
        assert f"c {bars[147].close:,.2f}" in reading
        assert sum("◂here" in text for text in painted(chart)) == 1
        chart.set_chart(bars)
        await pilot.pause()
        assert chart.crosshair == bars[147]
        await pilot.press("home")
        assert chart.crosshair == bars[0]
        assert not chart.following
        await pilot.press("end")
        assert chart.crosshair is None
        assert chart.following
        await pilot.click(chart, offset=(20, 5))
        assert chart.crosshair is not None


async def test_zoom_stretches_the_scale_and_stops_at_its_ends() -> None:
    chart = CandleChart()
    async with Host(chart).run_test(size=(70, 15)) as pilot:
        chart.set_chart(walk(60))
        chart.focus()
        await pilot.press("plus", "plus")
        assert chart.zoom == 1.6
        await pilot.press(*["minus"] * 5)
        assert chart.zoom == 1.0
        await pilot.press("f")
        assert not chart.following


@pytest.mark.parametrize("size", [(24, 3), (23, 2), (200, 60), (40, 6), (1, 1)])
async def test_any_size_has_lines_of_its_width(size: tuple[int, int]) -> None:
    chart = CandleChart()
    bars = walk(120)
    nan = float("nan")
    async with Host(chart).run_test(size=size) as pilot:
        chart.set_chart(
            bars,
            overlays={"a": [None] * 60 + [bar.close for bar in bars[60:]], "b": [nan]},
            levels=[Level("in", bars[-1].close, line=True)] * 5,
            markers=[Marker(999, 1.0, up=False), Marker(0, -5.0, up=False)],
            decimals=5,
        )
        await pilot.press("left", "down")
        assert {cell_len(text) for text in painted(chart)} == {size[0]}


async def test_a_flat_market_and_a_cheap_coin_have_a_scale() -> None:
    chart = CandleChart()
    async with Host(chart).run_test(size=(50, 10)) as pilot:
        chart.set_chart([Candle(START, 5.0, 5.0, 5.0, 5.0)])
        await pilot.pause()
        assert any("┤" in text for text in painted(chart))
        price = 0.00001234
        chart.set_chart(
            [
                Candle(START + i * MINUTE, price, price * 1.01, price, price)
                for i in range(9)
            ],
            decimals=8,
        )
        assert any("0.0000123" in text for text in painted(chart))


async def test_an_empty_chart_says_what_fills_it() -> None:
    chart = CandleChart(empty=("No bars yet.", "space starts the clock"))
    async with Host(chart).run_test(size=(50, 10)) as pilot:
        assert "No bars yet." in painted(chart)[1]
        await pilot.press("left", "home", "f", "plus")
        assert chart.crosshair is None
