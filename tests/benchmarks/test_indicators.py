"""What a bar costs each stream, and what a batch over a million rows does.

``timings``, ``update_timings`` and ``batch_timings`` are plain functions: CPU time,
median of five rounds, beside a method call that returns its argument, or TA-Lib over
the same columns, in the same run.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
import talib
from msgspec import Struct
from numpy.typing import NDArray

from tests.benchmarks.budget import ROUNDS, cpu_ns
from workstation import indicators
from workstation.indicators import CloseStream

STEPS = 20_000
ROWS = 1_000_000

Columns = Mapping[str, NDArray[np.float64]]


class Candle(Struct, frozen=True, gc=False):
    """The fields of a bar, in the kind of struct the product's bars are."""

    open: float
    high: float
    low: float
    close: float
    volume: float


class Floor:
    """The least a bar can cost: a bound method that returns its argument."""

    __slots__ = ()

    def step(self, x: float) -> float:
        return x

    def update(self, bar: Candle) -> Candle:
        return bar


def columns(count: int) -> dict[str, NDArray[np.float64]]:
    """Return the bars of a random walk near 100 that moves by about 0.05 a bar."""
    rng = np.random.default_rng(7)
    closes = 100.0 + np.cumsum(rng.normal(0.0, 0.05, count))
    opens = np.concatenate((closes[:1], closes[:-1]))
    return {
        "open": opens,
        "high": np.maximum(opens, closes) + np.abs(rng.normal(0.0, 0.02, count)),
        "low": np.minimum(opens, closes) - np.abs(rng.normal(0.0, 0.02, count)),
        "close": closes,
        "volume": rng.uniform(0.0, 1000.0, count),
    }


def candles(count: int = STEPS) -> list[Candle]:
    """Return the same bars one by one."""
    rows = zip(*(column.tolist() for column in columns(count).values()), strict=True)
    return [Candle(*row) for row in rows]


def steps() -> dict[str, Callable[[float], object]]:
    """Return a fresh ``step`` of each indicator that takes bare closes."""
    streams = {name: indicators.get(name).stream() for name in indicators.names()}
    return {
        name: stream.step
        for name, stream in streams.items()
        if isinstance(stream, CloseStream)
    }


def timings() -> dict[str, float]:
    """Return ns per ``step`` of each indicator that has it, and of ``floor``."""
    closes = [candle.close for candle in candles()]
    return {
        name: _cost(step, closes)
        for name, step in {"floor": Floor().step, **steps()}.items()
    }


def update_timings() -> dict[str, float]:
    """Return ns per ``update`` of each indicator, and of ``floor``."""
    bars = candles()
    updates = {"floor": Floor().update} | {
        name: indicators.get(name).stream().update for name in indicators.names()
    }
    return {name: _cost(update, bars) for name, update in updates.items()}


def ratios() -> dict[str, float]:
    """Return the cost of each ``update`` as a multiple of the floor."""
    measured = update_timings()
    floor = measured.pop("floor")
    return {name: cost / floor for name, cost in measured.items()}


def batch_timings() -> dict[str, tuple[float, float]]:
    """Return ms per batch over a million rows, ours and TA-Lib's."""
    table = columns(ROWS)
    return {
        name: (
            _ms(partial(indicators.get(name).batch, table)),
            _ms(partial(oracle, table)),
        )
        for name, oracle in ORACLES.items()
    }


def _directions(x: Columns) -> object:
    bar = (x["high"], x["low"], x["close"])
    return [
        function(*bar, 14)
        for function in (talib.PLUS_DI, talib.MINUS_DI, talib.DX, talib.ADX)
    ]


# What gives the same outputs with the same parameters; four calls for adx.
ORACLES: Mapping[str, Callable[[Columns], object]] = {
    "sma": lambda x: talib.SMA(x["close"], 20),
    "ema": lambda x: talib.EMA(x["close"], 20),
    "rma": lambda x: talib.RMA(x["close"], 14),
    "rsi": lambda x: talib.RSI(x["close"], 14),
    "macd": lambda x: talib.MACD(x["close"], 12, 26, 9),
    "bollinger": lambda x: talib.BBANDS(x["close"], 20, 2.0, 2.0),
    "true_range": lambda x: talib.TRANGE(x["high"], x["low"], x["close"]),
    "atr": lambda x: talib.ATR(x["high"], x["low"], x["close"], 14),
    "vwap": lambda x: talib.VWAP(x["high"], x["low"], x["close"], x["volume"]),
    "stochastic": lambda x: talib.STOCH(
        x["high"], x["low"], x["close"], 14, slowk_period=3, slowd_period=3
    ),
    "adx": _directions,
    "donchian": lambda x: talib.DONCHIAN(x["high"], x["low"], 20),
    "keltner": lambda x: talib.KC(x["high"], x["low"], x["close"], 20, 10, 2.0),
    "obv": lambda x: talib.OBV(x["close"], x["volume"]),
    "supertrend": lambda x: talib.SUPERTREND(x["high"], x["low"], x["close"], 10, 3.0),
}


def _cost(take: Callable[[Any], object], values: Sequence[object]) -> float:
    def run() -> None:
        for x in values:
            take(x)

    return statistics.median(cpu_ns(run) / len(values) for _ in range(ROUNDS))


def _ms(work: Callable[[], object]) -> float:
    return statistics.median(cpu_ns(work) / 1e6 for _ in range(ROUNDS))


@pytest.mark.parametrize("name", tuple(steps()))
# The fixture's package is not typed.
def test_a_step_of_the_stream(benchmark: Any, name: str) -> None:
    closes = [candle.close for candle in candles()]
    step = steps()[name]

    def run() -> object:
        last = None
        for x in closes:
            last = step(x)
        return last

    assert benchmark(run) is not None


@pytest.mark.parametrize("name", indicators.names())
def test_an_update_of_the_stream(benchmark: Any, name: str) -> None:
    bars = candles()
    update = indicators.get(name).stream().update

    def run() -> object:
        last = None
        for bar in bars:
            last = update(bar)
        return last

    assert benchmark(run) is not None


@pytest.mark.parametrize("name", indicators.names())
def test_a_batch_over_a_hundred_thousand_rows(benchmark: Any, name: str) -> None:
    indicator = indicators.get(name)
    outputs = benchmark(indicator.batch, columns(ROWS // 10))
    assert tuple(outputs) == indicator.outputs


def test_timings_and_ratios_cover_every_indicator() -> None:
    measured = ratios()
    assert tuple(measured) == indicators.names() == tuple(ORACLES)
    assert all(ratio > 0.0 for ratio in measured.values())


if __name__ == "__main__":
    for label, nanoseconds in timings().items():
        print(f"{label:10} {nanoseconds:7.1f} ns a step")
    for label, nanoseconds in update_timings().items():
        print(f"{label:10} {nanoseconds:7.1f} ns an update")
    for label, (ours, theirs) in batch_timings().items():
        print(f"{label:10} {ours:7.1f} ms a million, TA-Lib {theirs:.1f}")
