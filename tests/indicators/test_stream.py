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

from tests.indicators.series import Bar, as_columns, bar, feed, prices, walk
from workstation import indicators
from workstation.indicators import BadState

SMALL: dict[str, dict[str, int | float]] = {
    "sma": {"period": 7},
    "ema": {"period": 7},
    "rsi": {"period": 7},
    "macd": {"fast": 4, "slow": 9, "signal": 5},
    "bollinger": {"period": 7, "deviations": 2.5},
}

EVERY = pytest.mark.parametrize("name", indicators.names())

BAD = (math.nan, math.inf, -math.inf, 1e100, -1e300)


def test_every_indicator_has_small_parameters_here() -> None:
    assert tuple(SMALL) == indicators.names()


def agree(
    name: str, found: NDArray[np.float64], expected: NDArray[np.float64], scale: float
) -> None:
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    if name in {"sma", "bollinger"}:
        np.testing.assert_array_equal(found, expected)
    elif name == "macd":
        # Differences of averages: exact relative to the averages, not to zero.
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14 * scale)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)


@EVERY
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
    stream = indicator.stream(**SMALL[name])
    streamed = as_columns(feed(stream, closes), indicator.outputs)
    batch = indicator.batch({"close": np.array(closes)}, **SMALL[name])
    assert stream.rejected == len(bad)
    assert tuple(batch) == indicator.outputs
    for output in indicator.outputs:
        agree(name, batch[output], streamed[output], scale)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("sma", {"period": 1}),
        ("sma", {"period": 200}),
        ("ema", {"period": 2}),
        ("ema", {"period": 500}),
        ("rsi", {"period": 2}),
        ("rsi", {"period": 300}),
        ("macd", {"fast": 2, "slow": 3, "signal": 1}),
        ("macd", {"fast": 100, "slow": 200, "signal": 50}),
        ("bollinger", {"period": 2}),
        ("bollinger", {"period": 250, "deviations": 1}),
    ],
)
def test_streaming_equals_batch_for_the_longest_and_shortest(
    name: str, params: dict[str, int]
) -> None:
    closes = walk(5000, seed=3)
    indicator = indicators.get(name)
    outputs = feed(indicator.stream(**params), closes)
    streamed = as_columns(outputs, indicator.outputs)
    batch = indicator.batch({"close": np.array(closes)}, **params)
    first = indicator.warmup(**params)
    assert outputs.index(next(row for row in outputs if row is not None)) == first
    for output in indicator.outputs:
        agree(name, batch[output], streamed[output], 100.0)


def test_long_bands_are_right_while_a_collapse_of_the_level_passes_through() -> None:
    closes = [*walk(3000, seed=4, start=64_000.0, step=1.0), *walk(4000, seed=5)]
    indicator = indicators.get("bollinger")
    outputs = feed(indicator.stream(period=1500), closes)
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


@EVERY
def test_there_is_no_value_before_the_warmup(name: str) -> None:
    indicator = indicators.get(name)
    outputs = feed(indicator.stream(), walk(60, seed=1))
    first = indicator.warmup()
    assert outputs[:first] == [None] * first
    assert None not in outputs[first:]


@EVERY
def test_update_takes_the_close_and_returns_a_tuple_of_all_outputs(name: str) -> None:
    indicator = indicators.get(name)
    closes = walk(60, seed=2)
    stream = indicator.stream()
    updated = [stream.update(Bar(1.0, 2.0, 0.5, close, 3.0)) for close in closes]
    assert updated == feed(indicator.stream(), closes)
    assert len(updated[-1] or ()) == len(indicator.outputs)


@EVERY
def test_peek_gives_what_update_will_and_changes_nothing(name: str) -> None:
    stream = indicators.get(name).stream(**SMALL[name])
    for close in walk(50, seed=3):
        before = stream.state()
        for forming in (close * 2.0, math.nan, close):
            peeked = stream.peek(bar(forming))
        assert stream.state() == before
        assert stream.rejected == 0
        assert stream.update(bar(close)) == peeked


@EVERY
@pytest.mark.parametrize("value", BAD)
def test_a_bad_value_is_counted_and_leaves_the_state(name: str, value: float) -> None:
    stream = indicators.get(name).stream(**SMALL[name])
    for count, close in enumerate(walk(40, seed=4), start=1):
        before = stream.state()
        assert stream.step(value) is None
        assert stream.state() == before
        assert stream.rejected == count
        stream.step(close)


@EVERY
@pytest.mark.parametrize(
    "wrong",
    [
        Bar(open=math.nan),
        Bar(high=math.inf),
        Bar(low=-math.inf),
        Bar(close=math.nan),
        Bar(volume=math.nan),
        Bar(volume=-1.0),
        Bar(volume=math.inf),
    ],
    ids=str,
)
def test_a_bad_bar_is_counted_once_and_leaves_the_state(name: str, wrong: Bar) -> None:
    stream = indicators.get(name).stream(**SMALL[name])
    feed(stream, walk(40, seed=5))
    before = stream.state()
    assert stream.peek(wrong) is None
    assert stream.rejected == 0
    assert stream.update(wrong) is None
    assert stream.state() == before
    assert stream.rejected == 1


@EVERY
def test_a_copy_goes_its_own_way(name: str) -> None:
    stream = indicators.get(name).stream(**SMALL[name])
    closes = walk(100, seed=6)
    stream.step(math.nan)
    feed(stream, closes[:50])
    twin = stream.copy()
    before = stream.state()
    assert twin.state() == before
    assert twin.rejected == 1
    ahead = feed(twin, closes[50:])
    assert stream.state() == before
    assert feed(stream, closes[50:]) == ahead
    assert stream.state() == twin.state()


@EVERY
@pytest.mark.parametrize("size", ["small", "long"])
def test_a_restored_stream_continues_bit_for_bit_from_any_point(
    name: str, size: str
) -> None:
    params = SMALL[name]
    points = range(45)
    if size == "long":
        params = {"slow": 1100} if name == "macd" else {"period": 1100}
        points = range(500, 2900, 400)
    indicator = indicators.get(name)
    closes = walk(points[-1] + 30, seed=7)
    for point in points:
        stream = indicator.stream(**params)
        feed(stream, closes[:point])
        saved = stream.state()
        assert all(type(number) in (int, float) for number in saved)
        twin = indicator.stream(**params)
        feed(twin, walk(5, seed=8))
        twin.restore(tuple(json.loads(json.dumps(saved))))
        assert twin.state() == saved
        assert feed(twin, closes[point:]) == feed(stream, closes[point:])


@EVERY
def test_equal_inputs_give_equal_states_and_outputs(name: str) -> None:
    indicator = indicators.get(name)
    closes = walk(100, seed=9)
    first, second = indicator.stream(), indicator.stream()
    assert feed(first, closes) == feed(second, closes)
    assert first.state() == second.state()
    assert hash(first.state()) == hash(second.state())
    columns = {"close": np.array(closes)}
    once, again = indicator.batch(columns), indicator.batch(columns)
    assert columns["close"].tolist() == closes
    for output in indicator.outputs:
        np.testing.assert_array_equal(once[output], again[output])
        assert not np.shares_memory(once[output], columns["close"])


@EVERY
def test_a_state_of_other_parameters_or_nonsense_is_refused(name: str) -> None:
    stream = indicators.get(name).stream(**SMALL[name])
    feed(stream, walk(40, seed=10))
    good = stream.state()
    text: Any = "1"  # what a damaged file may hold
    for state in (
        (),
        good[:-1],
        (*good, 0.0),
        (-1, *good[1:]),
        (10_000, *good[1:]),
        (0.5, *good[1:]),
        (*good[:-1], math.nan),
        (*good[:-1], text),
    ):
        with pytest.raises(BadState, match="same parameters"):
            stream.restore(state)
        assert stream.state() == good
