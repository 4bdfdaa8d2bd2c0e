from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.engine.frames import CandleRow
from workstation.engine.series import grouping, series_of
from workstation.market.window import COLUMNS, BarWindow
from workstation.model.market import Bar
from workstation.model.timeframes import NS_PER_DAY, NS_PER_S, Timeframe

START = 1_723_158_000 * NS_PER_S
"""2024-08-08 23:00 UTC."""


def bar(timeframe: Timeframe, ts: int, price: float, volume: float = 1.0) -> Bar:
    figures = (price, price + 2, price - 3, price + 1)
    turnover = price * volume
    return Bar("BTCUSDT", ts, timeframe, ts, *figures, volume, turnover, 1)


def bars(word: str, count: int, start: int = START) -> list[Bar]:
    timeframe = Timeframe.parse(word)
    made, ts = [], timeframe.start(start) if timeframe.is_clocked else start
    for place in range(count):
        made.append(bar(timeframe, ts, 100.0 + (place * 7) % 11, 1.0 + place % 3))
        ts = timeframe.end(ts) if timeframe.is_clocked else ts + 1_700_000_000
    return made


def window_of(made: Iterable[Bar], word: str, size: int = 1_000) -> BarWindow:
    window = BarWindow(Timeframe.parse(word), size)
    for each in made:
        window.append(each)
    return window


def oracle(made: list[Bar], timeframe: Timeframe, factor: int) -> list[CandleRow]:
    """Group by the start of the interval, or by the place of a counted bar."""
    groups: dict[int, list[Bar]] = {}
    for place, each in enumerate(made):
        clocked = timeframe.is_clocked
        key = timeframe.start(each.ts_open) if clocked else place // factor
        groups.setdefault(key, []).append(each)
    return [
        (
            key if timeframe.is_clocked else parts[0].ts_open,
            parts[0].open,
            max(part.high for part in parts),
            min(part.low for part in parts),
            parts[-1].close,
            sum(part.volume for part in parts),
        )
        for key, parts in groups.items()
    ]


@pytest.mark.parametrize("word", ["1s", "1m", "1h@13:30", "1d", "1w", "1M", "500t"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_groups_are_those_of_a_plain_group_by(word: str, place: int) -> None:
    own = Timeframe.parse(word)
    longer = grouping(own)[place]
    factor = (5, 15, 60)[place]
    start = 0 if own.length_ns >= NS_PER_DAY else START
    made = bars(word, 173, start)
    series = series_of(window_of(made, word), longer)
    series.refresh()
    expected = oracle(made, longer, factor)
    shown = [*series.candles(1_000)]
    open_group = series.forming(None)
    if open_group is not None:
        shown.append(open_group)
    assert shown == expected
    assert series.total == len(series.candles(1_000))


def test_a_group_is_whole_when_its_last_bar_has_closed_not_when_the_next_begins() -> (
    None
):
    made = bars("1m", 10)
    series = series_of(window_of(made, "1m"), Timeframe.parse("5m"))
    series.refresh()
    assert series.total == 2
    assert series.forming(None) is None


def test_the_open_bar_is_part_of_the_open_group() -> None:
    made = bars("1m", 8)
    series = series_of(window_of(made[:7], "1m"), Timeframe.parse("5m"))
    series.refresh()
    expected = oracle(made, Timeframe.parse("5m"), 5)[-1]
    assert series.forming(made[7]) == expected
    fresh = series_of(window_of(made[:5], "1m"), Timeframe.parse("5m"))
    fresh.refresh()
    alone = fresh.forming(made[5])
    assert alone is not None
    assert alone[0] == START + 300 * NS_PER_S


@given(st.lists(st.integers(0, 40), max_size=12), st.sampled_from(["1m", "3t"]))
def test_looking_often_or_once_shows_the_same_groups(
    looks: list[int], word: str
) -> None:
    own = Timeframe.parse(word)
    longer = own.times(5)
    made = bars(word, sum(looks))
    window = BarWindow(own, 1_000)
    watched = series_of(window, longer)
    place = 0
    for count in looks:
        for each in made[place : place + count]:
            window.append(each)
        place += count
        watched.refresh()
    once = series_of(window, longer)
    once.refresh()
    assert watched.candles(1_000) == once.candles(1_000)
    assert watched.forming(None) == once.forming(None)
    assert watched.total == once.total


@pytest.mark.parametrize("word", ["1m", "3t"])
def test_a_group_whose_beginning_has_left_the_window_is_not_shown(word: str) -> None:
    own = Timeframe.parse(word)
    longer = own.times(5)
    made = bars(word, 93)
    series = series_of(window_of(made, word, size=50), longer)
    series.refresh()
    whole = oracle(made, longer, 5)
    assert len(series.candles(1_000)) == 9
    assert series.candles(1_000) == tuple(whole[9:18])


def test_bars_that_came_and_went_unseen_leave_no_false_group() -> None:
    made = bars("1m", 200)
    window = window_of(made[:7], "1m", size=50)
    series = series_of(window, Timeframe.parse("5m"))
    series.refresh()
    for each in made[7:]:
        window.append(each)
    series.refresh()
    whole = oracle(made, Timeframe.parse("5m"), 5)
    assert series.candles(1_000) == tuple(whole[30:])


def test_columns_have_the_names_and_values_of_a_window() -> None:
    made = bars("1m", 60)
    window = window_of(made, "1m")
    own = series_of(window, Timeframe.parse("1m"))
    longer = series_of(window, Timeframe.parse("5m"))
    for series in (own, longer):
        series.refresh()
        columns = series.columns(4)
        assert tuple(columns) == COLUMNS
        rows = zip(*(columns[name].tolist() for name in COLUMNS[:6]), strict=True)
        assert tuple(rows) == series.candles(4)
    assert longer.columns(4)["trades"].tolist() == [5, 5, 5, 5]
    assert longer.columns(4) is longer.columns(4)
    assert longer.candles(4) is longer.candles(4)


def test_volume_and_value_bars_are_not_grouped() -> None:
    assert grouping(Timeframe.parse("25v")) == ()
    assert grouping(Timeframe.parse("1000q")) == ()
