from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from rich.cells import cell_len

from tests.ui.widgets.host import Host, painted
from workstation.ui.widgets.candles import CandleChart
from workstation.ui.widgets.chart_data import (
    Candle,
    ChartData,
    Level,
    Marker,
    Plot,
    PlotLine,
    Style,
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
        bars.append(Candle(START + index * MINUTE, price, high, low, close, 2.5))
        price = close
    return bars


def data(candles: Sequence[Candle], **changes: Any) -> ChartData:
    return ChartData(candles=candles, subject="BTCUSDT 1m", **changes)


def rsi(values: Sequence[float | None], label: str = "RSI 14") -> Plot:
    line = PlotLine("value", values)
    return Plot(label, (line,), pane=True, bounds=(0.0, 100.0))


def macd(count: int) -> Plot:
    rising = [float(index - count / 2) for index in range(count)]
    return Plot(
        "MACD 12 26 9",
        (
            PlotLine("macd", rising),
            PlotLine("signal", [value / 2 for value in rising]),
            PlotLine("histogram", [value / 2 for value in rising], Style.HISTOGRAM),
        ),
        pane=True,
    )


# Eight bars of whole prices, so that every cell of a small chart can be foretold.
STEPS = [
    Candle(START + place * MINUTE, o, h, low, c, 1.0)
    for place, (o, h, low, c) in enumerate(
        [
            (100, 103, 99, 102),
            (102, 104, 101, 103),
            (103, 106, 103, 106),
            (106, 106, 104, 104),
            (104, 105, 100, 101),
            (101, 102, 98, 99),
            (99, 103, 99, 103),
            (103, 107, 102, 106),
        ]
    )
]


async def test_a_whole_chart_line_by_line() -> None:
    chart = CandleChart()
    async with Host(chart).run_test(size=(36, 17)) as pilot:
        chart.show(
            data(
                STEPS,
                plots=[
                    Plot("EMA 3", (PlotLine("value", [101, 102, 103, 104, 103]),)),
                    rsi([None, 20, 40, 60, 80, 50, 50, 50]),
                ],
                markers=[Marker(1, 99.0, True, "E"), Marker(4, 106.0, False, "S")],
                levels=[Level("last", 106.0), Level("stop", 90.0, "down")],
                held=[None, 102.5, 102.5, 102.5, 102.5],
                stops=[None, 98.5, 98.5, 100.0, 100.0],
                decimals=1,
            )
        )
        await pilot.pause()
        assert painted(chart) == [
            "                  S  ╷       │      ",
            "                ╻╻▼  ╽   106 ◂last  ",
            "                ┃┃╷  ┃   105 ┤      ",
            "               ╷┃⣀╽  ┃       │      ",
            "              ╷╽⣀ ⣀ ╻┃       │      ",
            "              │┃┈┈┃ ┃│       │      ",
            "              ┃⠉  ┃│┃╵       │      ",
            "              ⠉╵  ╿┃┃        │      ",
            "              ╿  ╌╵┃┃    100 ┤      ",
            "              ╵▲╌  ╿╹        │      ",
            "               E   ╵         │      ",
            "─ RSI 14 50.0 ────────       │      ",
            "                  ⠤      100 ┤      ",
            "                ⣀⠉ ⠤⠤⠤       │      ",
            "               ⠒           0 ┤      ",
            " off scale: stop 90 ▼        │      ",
            "              23:00      UTC        ",
        ]


async def test_scale_levels_and_times_stand_where_they_belong() -> None:
    chart = CandleChart()
    bars = walk(90)
    async with Host(chart).run_test(size=(61, 15)) as pilot:
        chart.show(
            data(
                bars,
                levels=[
                    Level("last", bars[-1].close),
                    Level("stop", 60_452, "down"),
                    Level("target", 64_770, "up"),
                ],
                markers=[Marker(80, bars[80].close, up=True)],
            )
        )
        await pilot.pause()
        lines = painted(chart)
        assert all(cell_len(text) == 61 for text in lines)
        assert sum("◂last" in text for text in lines) == 1
        assert sum("▲" in text[:46] for text in lines[:-2]) == 1
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
        chart.show(data(bars))
        await pilot.pause()
        frame = chart._frame
        chart.show(data(list(bars)))
        assert list(chart._frame) == list(frame)
        assert not chart._repaint_required


async def test_a_tick_inside_the_scale_moves_nothing_but_its_own_bar() -> None:
    chart = CandleChart()
    bars = walk(60)
    async with Host(chart).run_test(size=(70, 20)) as pilot:
        chart.show(data(bars))
        await pilot.pause()
        before = painted(chart)
        newest = bars[-1]
        touched = Candle(
            newest.ts_ns, newest.open, newest.high + 1, newest.low, newest.close
        )
        chart.show(data([*bars[:-1], touched]))
        column = 70 - 10 - chart.view.scale  # type: ignore[union-attr]
        after = painted(chart)
        for one, other in zip(before, after, strict=True):
            assert one[:column] == other[:column]
            assert one[column + 1 :] == other[column + 1 :]


async def test_another_symbol_or_timeframe_has_a_scale_of_its_own() -> None:
    chart = CandleChart()
    async with Host(chart).run_test(size=(70, 20)) as pilot:
        chart.show(data(walk(60)))
        await pilot.pause()
        calm = [Candle(START, 61_600, 61_601, 61_599, 61_600)] * 60
        chart.show(data(calm))
        kept = chart.kept.high - chart.kept.low
        chart.show(ChartData(candles=calm, subject="BTCUSDT 5m"))
        assert chart.kept.high - chart.kept.low <= kept
        assert chart.kept.high - chart.kept.low < 3


async def test_the_crosshair_reads_its_bar_and_keeps_it_as_bars_arrive() -> None:
    chart = CandleChart()
    bars = walk(200)
    line = [bar.close + 1 for bar in bars]
    plots = [Plot("EMA 10", (PlotLine("value", line),))]
    async with Host(chart).run_test(size=(120, 15)) as pilot:
        chart.show(data(bars[:150], plots=plots))
        chart.focus()
        await pilot.press("left", "left", "left", "up")
        assert chart.crosshair == bars[147]
        reading = painted(chart)[0]
        assert reading.startswith(" 08-09 01:27  o 6")
        assert f"c {bars[147].close:,.2f}  v 2.500  EMA 10 {line[147]:,.2f}" in reading
        assert sum("◂here" in text for text in painted(chart)) == 1
        here = chart.reading()[-1]
        chart.show(data(bars, plots=plots))
        await pilot.pause()
        assert chart.crosshair == bars[147]
        assert chart.reading()[-1] == here
        await pilot.press("home")
        assert chart.crosshair == bars[0]
        assert not chart.following
        await pilot.press("end")
        assert chart.crosshair is None
        assert chart.following
        await pilot.click(chart, offset=(20, 5))
        assert chart.crosshair is not None
        assert chart.hide_crosshair()
        assert not chart.hide_crosshair()


async def test_the_crosshair_on_the_forming_bar_does_not_follow_its_price() -> None:
    chart = CandleChart()
    bars = walk(60)
    async with Host(chart).run_test(size=(90, 15)) as pilot:
        chart.show(data(bars))
        chart.focus()
        await pilot.press("left")
        before = chart.reading()[-1]
        moved = Candle(bars[-1].ts_ns, *(61_600.0, 61_650.0, 61_550.0, 61_640.0))
        chart.show(data([*bars[:-1], moved]))
        assert chart.reading()[-1] == before
        assert ("c", "61,640.00") in chart.reading()


async def test_a_click_in_a_pane_takes_the_bar_and_one_on_the_scale_nothing() -> None:
    chart = CandleChart()
    bars = walk(60)
    async with Host(chart).run_test(size=(90, 24)) as pilot:
        chart.show(data(bars, plots=[rsi([50.0] * 60)]))
        await pilot.pause()
        view = chart.view
        assert view is not None
        await pilot.click(chart, offset=(85, 5))
        assert chart.crosshair is None
        await pilot.click(chart, offset=(view.columns - 3, view.rows.price + 2))
        assert chart.crosshair == bars[57]
        await pilot.click(chart, offset=(view.columns - 1, 23))
        assert chart.crosshair == bars[57]


async def test_a_view_that_does_not_follow_stays_with_its_bars() -> None:
    chart = CandleChart()
    bars = walk(240)
    async with Host(chart).run_test(size=(70, 15)) as pilot:
        chart.show(data(bars[:200]))
        chart.focus()
        await pilot.press("f")
        before = painted(chart)[:-1]
        chart.show(data(bars[:230]))
        assert painted(chart)[:-1] == before
        await pilot.press("f")
        assert painted(chart)[:-1] != before


async def test_panes_share_the_times_and_tell_the_value_below_the_crosshair() -> None:
    chart = CandleChart()
    bars = walk(100)
    values: list[float | None] = [float(place) for place in range(100)]
    async with Host(chart).run_test(size=(80, 30)) as pilot:
        chart.show(data(bars, plots=[rsi(values), macd(100)]))
        chart.focus()
        await pilot.pause()
        lines = painted(chart)
        titles = [text for text in lines if text.startswith("─ ")]
        assert titles[0].startswith("─ RSI 14 99.0 ─")
        assert titles[1].startswith("─ MACD 12 26 9 macd 49.0  signal 24.5  histo")
        await pilot.press("left", "left", "left")
        titles = [text for text in painted(chart) if text.startswith("─ ")]
        assert titles[0].startswith("─ RSI 14 97.0 ─")
        view = chart.view
        assert view is not None
        column = view.offset + 97 - view.first
        crossed = [text[column] for text in painted(chart)[1:-1]]
        assert crossed.count("┊") + crossed.count("┼") > 15


async def test_a_bounded_indicator_shows_its_bounds_whatever_its_values() -> None:
    chart = CandleChart()
    async with Host(chart).run_test(size=(80, 30)) as pilot:
        chart.show(data(walk(60), plots=[rsi([50.0 + n % 2 for n in range(60)])]))
        await pilot.pause()
        scale = [text[-13:].split() for text in painted(chart)[-9:-1]]
        assert ["100", "┤"] in scale
        assert ["0", "┤"] in scale


async def test_the_last_closed_value_is_told_while_a_bar_forms() -> None:
    chart = CandleChart()
    async with Host(chart).run_test(size=(80, 30)) as pilot:
        chart.show(data(walk(60), plots=[rsi([40.0] * 58 + [41.0])]))
        await pilot.pause()
        assert any(text.startswith("─ RSI 14 41.0") for text in painted(chart))


async def test_panes_that_do_not_fit_are_named() -> None:
    chart = CandleChart()
    plots = [rsi([50.0] * 60, f"RSI {n}") for n in (7, 14, 21)]
    async with Host(chart).run_test(size=(80, 13)) as pilot:
        chart.show(data(walk(60), plots=plots))
        await pilot.pause()
        assert painted(chart)[-2].startswith(
            " hidden: RSI 14, RSI 21; make the chart taller, z"
        )
        await pilot.resize_terminal(80, 40)
        await pilot.pause()
        assert "hidden" not in "".join(painted(chart))


async def test_lines_differ_by_glyphs_where_there_are_no_colours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    chart = CandleChart()
    calm = [Candle(START + n * MINUTE, 100, 101, 99, 100) for n in range(60)]
    plots = [
        Plot(f"EMA {n}", (PlotLine("value", [100 + n / 10] * 60),))
        for n in (9, -9, 5, -5)
    ]
    async with Host(chart).run_test(size=(80, 20)) as pilot:
        chart.show(data(calm, plots=plots))
        await pilot.pause()
        text = "\n".join(painted(chart))
        samples = [chart.sample(place, Style.LINE) for place in range(4)]
        assert len(set(samples)) == 4
        assert all(sample in text for sample in samples[1:])


async def test_in_colour_a_title_needs_no_sample() -> None:
    chart = CandleChart()
    async with Host(chart).run_test(size=(80, 20)):
        assert chart.sample(0, Style.LINE) == ""


async def test_zoom_stretches_the_scale_and_stops_at_its_ends() -> None:
    chart = CandleChart()
    async with Host(chart).run_test(size=(70, 15)) as pilot:
        chart.show(data(walk(60)))
        chart.focus()
        await pilot.press("plus", "plus")
        assert chart.zoom == 1.6
        await pilot.press(*["minus"] * 5)
        assert chart.zoom == 1.0
        await pilot.press("f")
        assert not chart.following


async def test_counted_bars_have_times_of_their_own() -> None:
    chart = CandleChart()
    bars = [
        Candle(START + n * n * 1_000_000_000, 100, 101 + n, 99, 100 + n)
        for n in range(50)
    ]
    async with Host(chart).run_test(size=(70, 15)) as pilot:
        chart.show(data(bars, bar_ns=0, number=12))
        await pilot.pause()
        assert painted(chart)[-1].split() == [
            *("23:00:00", "23:02:24", "23:09:36", "23:21:36"),
            "UTC",
        ]


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("size", [(24, 3), (23, 2), (200, 60), (40, 6), (1, 1)])
async def test_any_size_has_lines_of_its_width(
    size: tuple[int, int], ascii: bool
) -> None:
    chart = CandleChart()
    bars = walk(120)
    nan = float("nan")
    async with Host(chart, ascii=ascii).run_test(size=size) as pilot:
        chart.show(
            data(
                bars,
                plots=[
                    Plot(
                        "A",
                        (
                            PlotLine(
                                "a", [None] * 60 + [bar.close for bar in bars[60:]]
                            ),
                        ),
                    ),
                    Plot("B", (PlotLine("b", [nan]),)),
                    macd(119),
                    Plot("C", (PlotLine("c", []),), pane=True),
                    rsi([1e9, -1e9, nan, None]),
                ],
                levels=[Level("in", bars[-1].close)] * 5,
                markers=[Marker(999, 1.0, up=False), Marker(0, -5.0, up=False)],
                held=[None, *[bars[-1].close] * 3],
                decimals=5,
            )
        )
        await pilot.press("left", "down")
        assert {cell_len(text) for text in painted(chart)} == {size[0]}
        assert not ascii or all(text.isascii() for text in painted(chart))


async def test_a_flat_market_and_a_cheap_coin_have_a_scale() -> None:
    chart = CandleChart()
    async with Host(chart).run_test(size=(50, 10)) as pilot:
        chart.show(ChartData(candles=[Candle(START, 5.0, 5.0, 5.0, 5.0)]))
        await pilot.pause()
        assert any("┤" in text for text in painted(chart))
        price = 0.00001234
        chart.show(
            ChartData(
                candles=[
                    Candle(START + i * MINUTE, price, price * 1.01, price, price)
                    for i in range(9)
                ],
                decimals=8,
                subject="cheap",
            )
        )
        assert any("0.0000123" in text for text in painted(chart))


async def test_an_empty_chart_says_what_fills_it() -> None:
    chart = CandleChart(empty=("No bars yet.", "space starts the clock"))
    async with Host(chart).run_test(size=(50, 10)) as pilot:
        assert "No bars yet." in painted(chart)[1]
        await pilot.press("left", "home", "f", "plus")
        assert chart.crosshair is None
        assert chart.reading() == []
