"""What every stream promises: its batch's values, peek, copies, states, rejects."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.indicators.series import (
    NAN,
    OF_CLOSES,
    SMALL,
    VARIANTS,
    Bar,
    as_columns,
    bar,
    bars,
    candle,
    candles,
    close_stream,
    columns_of,
    feed,
    feed_bars,
    prices,
    walk,
)
from workstation import indicators
from workstation.indicators import BadState

Params = dict[str, int | float | str]

EVERY = pytest.mark.parametrize("name", indicators.names())
EVERY_OF_CLOSES = pytest.mark.parametrize("name", OF_CLOSES)
EVERY_VARIANT = pytest.mark.parametrize(
    ("name", "params"),
    VARIANTS,
    ids=[
        " ".join([name, *(v for v in p.values() if isinstance(v, str))])
        for name, p in VARIANTS
    ],
)

BAD = (math.nan, math.inf, -math.inf, 1e100, -1e300)

WRONG = (
    Bar(open=math.nan),
    Bar(high=math.inf),
    Bar(low=-math.inf),
    Bar(close=math.nan),
    Bar(volume=math.nan),
    Bar(volume=-1.0),
    Bar(volume=math.inf),
)

EXACT = {
    "sma",
    "bollinger",
    "true_range",
    "stochastic",
    "donchian",
    "supertrend",
}
"""Batch and stream do the same arithmetic in the same order."""


def test_every_indicator_has_small_parameters_here() -> None:
    assert tuple(SMALL) == indicators.names()


def agree(
    name: str, found: NDArray[np.float64], expected: NDArray[np.float64], scale: float
) -> None:
    """Compare to 1e-12; ``scale`` is the size of what differences are made of."""
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    if name in EXACT:
        np.testing.assert_array_equal(found, expected)
        return
    # Differences (of averages, of sums, of volumes) are exact relative to their parts.
    noise = {
        "macd": 1e-14 * scale,
        "keltner": 1e-14 * scale,
        "adx": 1e-12 * 100.0,
        "obv": 1e-15 * scale,
    }
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=noise.get(name, 0.0))


def scale_of(name: str, series: list[Bar]) -> float:
    """Return the size of the numbers whose differences are the outputs."""
    if name == "obv":
        return sum(each.volume for each in series)
    return max(each.high for each in series)


@EVERY_VARIANT
@settings(max_examples=60, deadline=None)
@given(
    series=bars, bad=st.lists(st.tuples(st.integers(0, 150), st.sampled_from(WRONG)))
)
def test_streaming_equals_batch_also_around_rejected_bars(
    name: str, params: Params, series: list[Bar], bad: list[tuple[int, Bar]]
) -> None:
    scale = scale_of(name, series)
    for at, wrong in bad:
        series.insert(at % (len(series) + 1), wrong)
    indicator = indicators.get(name)
    stream = indicator.stream(**params)
    streamed = as_columns(feed_bars(stream, series), indicator.outputs)
    batch = indicator.batch(columns_of(series), **params)
    assert stream.rejected == len(bad)
    assert tuple(batch) == indicator.outputs
    for output in indicator.outputs:
        agree(name, batch[output], streamed[output], scale)


@EVERY_OF_CLOSES
@settings(max_examples=60, deadline=None)
@given(
    closes=prices, bad=st.lists(st.tuples(st.integers(0, 150), st.sampled_from(BAD)))
)
def test_streaming_equals_batch_also_around_rejected_values(
    name: str, closes: list[float], bad: list[tuple[int, float]]
) -> None:
    scale = max(closes)
    for at, value in bad:
        closes.insert(at % (len(closes) + 1), value)
    indicator = indicators.get(name)
    stream = close_stream(name, **SMALL[name])
    streamed = as_columns(feed(stream, closes), indicator.outputs)
    batch = indicator.batch({"close": np.array(closes)}, **SMALL[name])
    assert stream.rejected == len(bad)
    for output in indicator.outputs:
        agree(name, batch[output], streamed[output], scale)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("sma", {"period": 1}),
        ("sma", {"period": 200}),
        ("ema", {"period": 2}),
        ("ema", {"period": 500}),
        ("rma", {"period": 1}),
        ("rma", {"period": 500}),
        ("rsi", {"period": 2}),
        ("rsi", {"period": 300}),
        ("macd", {"fast": 2, "slow": 3, "signal": 1}),
        ("macd", {"fast": 100, "slow": 200, "signal": 50}),
        ("bollinger", {"period": 2}),
        ("bollinger", {"period": 250, "deviations": 1}),
        ("true_range", {}),
        ("atr", {"period": 1}),
        ("atr", {"period": 400}),
        ("vwap", {}),
        ("stochastic", {"period": 1, "smooth_k": 1, "smooth_d": 1}),
        ("stochastic", {"period": 300, "smooth_k": 20, "smooth_d": 50}),
        ("adx", {"period": 2}),
        ("adx", {"period": 300}),
        ("donchian", {"period": 1}),
        ("donchian", {"period": 700}),
        ("keltner", {"period": 2, "atr_period": 1}),
        ("keltner", {"period": 10, "atr_period": 300}),
        ("keltner", {"period": 300, "atr_period": 10}),
        ("obv", {}),
        ("supertrend", {"period": 1, "multiplier": 0.05}),
        ("supertrend", {"period": 300, "multiplier": 2}),
    ],
)
@pytest.mark.parametrize("compat", ["talib", "tradingview"])
def test_streaming_equals_batch_for_the_longest_and_shortest(
    name: str, params: Params, compat: str
) -> None:
    series = candles(5000, seed=3)
    indicator = indicators.get(name)
    if any(param.name == "compat" for param in indicator.params):
        params = {**params, "compat": compat}
    outputs = feed_bars(indicator.stream(**params), series)
    streamed = as_columns(outputs, indicator.outputs)
    batch = indicator.batch(columns_of(series), **params)
    complete = ~np.isnan(np.array(list(streamed.values()))).any(axis=0)
    assert int(np.flatnonzero(complete)[0]) == indicator.warmup(**params)
    for output in indicator.outputs:
        agree(name, batch[output], streamed[output], scale_of(name, series))


def test_long_bands_are_right_while_a_collapse_of_the_level_passes_through() -> None:
    closes = [*walk(3000, seed=4, start=64_000.0, step=1.0), *walk(4000, seed=5)]
    indicator = indicators.get("bollinger")
    outputs = feed(close_stream("bollinger", period=1500), closes)
    streamed = as_columns(outputs, indicator.outputs)
    batch = indicator.batch({"close": np.array(closes)}, period=1500)
    for output in indicator.outputs:
        np.testing.assert_array_equal(batch[output], streamed[output])
    width = (streamed["upper"] - streamed["lower"]) / 4.0
    for i in (2999, 3000, 3001, 3500, 4497, 4498, 4499, 6999):
        window = [Fraction(x) for x in closes[i - 1499 : i + 1]]
        mean = sum(window) / 1500
        deviation = math.sqrt(sum((x - mean) ** 2 for x in window) / 1500)
        assert width[i] == pytest.approx(deviation, rel=1e-10)


@EVERY_VARIANT
def test_no_output_is_complete_before_the_warmup_and_none_is_missing_after(
    name: str, params: Params
) -> None:
    indicator = indicators.get(name)
    outputs = feed_bars(indicator.stream(**params), candles(60, seed=1))
    first = indicator.warmup(**params)
    assert all(row is None or math.isnan(sum(row)) for row in outputs[:first])
    assert not any(row is None or math.isnan(sum(row)) for row in outputs[first:])


def test_only_two_kinds_have_outputs_that_begin_earlier_than_others() -> None:
    early = {
        name
        for name, params in VARIANTS
        if any(
            row is not None and math.isnan(sum(row))
            for row in feed_bars(
                indicators.get(name).stream(**params), candles(60, seed=1)
            )
        )
    }
    assert early == {"adx", "macd"}
    directional = feed_bars(indicators.get("adx").stream(), candles(60, seed=1))
    assert directional[13] is None
    plus, minus, dx, adx = directional[14] or ()
    assert plus > 0.0 < minus
    assert 0.0 <= dx <= 100.0
    assert math.isnan(adx)


@EVERY_OF_CLOSES
def test_update_takes_the_close_and_returns_a_tuple_of_all_outputs(name: str) -> None:
    indicator = indicators.get(name)
    closes = walk(60, seed=2)
    stream = indicator.stream()
    updated = [stream.update(Bar(1.0, 2.0, 0.5, close, 3.0)) for close in closes]
    assert updated == feed(close_stream(name), closes)
    assert len(updated[-1] or ()) == len(indicator.outputs)


@EVERY_VARIANT
def test_peek_gives_what_update_will_and_changes_nothing(
    name: str, params: Params
) -> None:
    stream = indicators.get(name).stream(**params)
    for close in walk(50, seed=3):
        before = stream.state()
        for forming in (candle(close * 2.0), bar(math.nan), candle(close)):
            peeked = stream.peek(forming)
        assert stream.state() == before
        assert stream.rejected == 0
        np.testing.assert_equal(stream.update(candle(close)), peeked)


@EVERY_OF_CLOSES
@pytest.mark.parametrize("value", BAD)
def test_a_bad_value_is_counted_and_leaves_the_state(name: str, value: float) -> None:
    stream = close_stream(name, **SMALL[name])
    for count, close in enumerate(walk(40, seed=4), start=1):
        before = stream.state()
        assert stream.step(value) is None
        assert stream.state() == before
        assert stream.rejected == count
        stream.step(close)


@EVERY_VARIANT
@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_bad_bar_is_counted_once_and_leaves_the_state(
    name: str, params: Params, wrong: Bar
) -> None:
    stream = indicators.get(name).stream(**params)
    for count, good in enumerate(candles(40, seed=5), start=1):
        before = stream.state()
        assert stream.peek(wrong) is None
        assert stream.rejected == count - 1
        assert stream.update(wrong) is None
        assert stream.state() == before
        assert stream.rejected == count
        stream.update(good)


@EVERY_VARIANT
def test_a_copy_goes_its_own_way(name: str, params: Params) -> None:
    stream = indicators.get(name).stream(**params)
    series = candles(100, seed=6)
    stream.update(bar(math.nan))
    feed_bars(stream, series[:50])
    twin = stream.copy()
    before = stream.state()
    assert twin.state() == before
    assert twin.rejected == 1
    ahead = feed_bars(twin, series[50:])
    assert stream.state() == before
    assert feed_bars(stream, series[50:]) == ahead
    assert stream.state() == twin.state()


LONG: dict[str, Params] = {
    "macd": {"slow": 1100},
    "keltner": {"period": 1100, "atr_period": 900},
    "stochastic": {"period": 1100, "smooth_k": 90, "smooth_d": 30},
}


@EVERY_VARIANT
@pytest.mark.parametrize("size", ["small", "long"])
def test_a_restored_stream_continues_bit_for_bit_from_any_point(
    name: str, params: Params, size: str
) -> None:
    points = range(45)
    if size == "long":
        longer: Params = LONG.get(name, {"period": 1100} if SMALL[name] else {})
        params = {**params, **longer}
        points = range(500, 2900, 400)
    indicator = indicators.get(name)
    series = candles(points[-1] + 30, seed=7)
    for point in points:
        stream = indicator.stream(**params)
        feed_bars(stream, series[:point])
        saved = stream.state()
        assert all(type(number) in (int, float) for number in saved)
        twin = indicator.stream(**params)
        feed_bars(twin, candles(5, seed=8))
        twin.restore(tuple(json.loads(json.dumps(saved))))
        assert twin.state() == saved
        np.testing.assert_equal(
            feed_bars(twin, series[point:]), feed_bars(stream, series[point:])
        )


@EVERY_VARIANT
def test_equal_inputs_give_equal_states_and_outputs(name: str, params: Params) -> None:
    indicator = indicators.get(name)
    series = candles(100, seed=9)
    first, second = indicator.stream(**params), indicator.stream(**params)
    np.testing.assert_equal(feed_bars(first, series), feed_bars(second, series))
    assert first.state() == second.state()
    assert hash(first.state()) == hash(second.state())


@EVERY_VARIANT
def test_a_batch_keeps_nothing_and_writes_to_nothing_it_was_given(
    name: str, params: Params
) -> None:
    indicator = indicators.get(name)
    columns = columns_of(candles(100, seed=9))
    columns["session"] = np.floor(np.arange(100) / 30)
    before = {name: column.copy() for name, column in columns.items()}
    for column in columns.values():
        column.flags.writeable = False
    once = indicator.batch(columns, **params)
    # Another series in between: what is kept of it would show in the second.
    indicator.batch(columns_of(candles(70, seed=12)), **params)
    again = indicator.batch(columns, **params)
    for label, column in columns.items():
        np.testing.assert_array_equal(column, before[label])
    for output in indicator.outputs:
        np.testing.assert_array_equal(once[output], again[output])
        assert once[output].flags.writeable
        for column in columns.values():
            assert not np.shares_memory(once[output], column)
    for output in indicator.outputs:
        once[output][:] = NAN
        np.testing.assert_array_equal(
            indicator.batch(columns, **params)[output], again[output]
        )


@EVERY
def test_a_state_of_other_parameters_or_nonsense_is_refused(name: str) -> None:
    stream = indicators.get(name).stream(**SMALL[name])
    feed_bars(stream, candles(40, seed=10))
    good = stream.state()
    text: Any = "1"  # what a damaged file may hold
    wrong: list[tuple[Any, ...]] = [
        (),
        good[:-1],
        (*good, 0.0),
        (*good[:-1], math.nan),
        (*good[:-1], text),
    ]
    if name != "vwap":  # whose first number is any session
        wrong += [(-1, *good[1:]), (10_000, *good[1:]), (0.5, *good[1:])]
    for state in wrong:
        with pytest.raises(BadState, match="same parameters"):
            stream.restore(state)
        assert stream.state() == good


@pytest.mark.parametrize("name", ["stochastic", "keltner", "supertrend"])
def test_a_refused_part_leaves_the_whole_as_it_was(name: str) -> None:
    stream = indicators.get(name).stream(**SMALL[name])
    feed_bars(stream, candles(40, seed=10))
    good = stream.state()
    refused = 0
    for at in range(len(good)):
        try:
            stream.restore((*good[:at], -7.5, *good[at + 1 :]))
        except BadState:
            refused += 1
            assert stream.state() == good
        else:
            stream.restore(good)
    assert refused >= 2
