"""Series of prices and bars for the tests of this folder, and helpers to feed them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import astuple

from workstation import indicators
from workstation.indicators import Choice, CloseStream, Stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAN = math.nan

SMALL: dict[str, dict[str, int | float]] = {
    "sma": {"period": 7},
    "ema": {"period": 7},
    "rma": {"period": 7},
    "rsi": {"period": 7},
    "macd": {"fast": 4, "slow": 9, "signal": 5},
    "bollinger": {"period": 7, "deviations": 2.5},
    "true_range": {},
    "atr": {"period": 7},
    "vwap": {},
    "stochastic": {"period": 7, "smooth_k": 3, "smooth_d": 2},
    "adx": {"period": 5},
    "donchian": {"period": 7},
    "keltner": {"period": 7, "atr_period": 4, "multiplier": 1.5},
    "obv": {},
    "supertrend": {"period": 5, "multiplier": 1.0},
}
"""Parameters of every indicator with which short series have values."""

VARIANTS: list[tuple[str, dict[str, int | float | str]]] = [
    (name, {**params, **word})
    for name, params in SMALL.items()
    for word in (
        {},
        *(
            {param.name: other}
            for param in indicators.get(name).params
            if isinstance(param, Choice)
            for other in param.choices[1:]
        ),
    )
]
"""Every indicator with small parameters, under each rule it can follow."""

OF_CLOSES = tuple(
    name for name in indicators.names() if indicators.get(name).inputs == ("close",)
)
"""The indicators that take bare closes as well."""


class Bar(Struct, frozen=True):
    """A bar as the indicators see it; without arguments, a sound one at 1."""

    open: float = 1.0
    high: float = 1.0
    low: float = 1.0
    close: float = 1.0
    volume: float = 1.0


class SessionBar(Bar, frozen=True):
    """A bar that says of which session it is."""

    session: float = 0.0


def in_session(bar: Bar, session: float) -> SessionBar:
    """Return ``bar`` as one of a session."""
    return SessionBar(
        bar.open, bar.high, bar.low, bar.close, bar.volume, session=session
    )


def bar(close: float, volume: float = 1.0) -> Bar:
    """Return a bar without range."""
    return Bar(close, close, close, close, volume)


def candle(close: float) -> Bar:
    """Return a bar that rose to ``close`` and has both wicks."""
    reach = abs(close) * 0.004
    return Bar(close - reach / 2, close + reach, close - reach, close, reach * 900.0)


def candles(count: int, seed: int, start: float = 100.0) -> list[Bar]:
    """Return the bars of a random walk, each open at the last close."""
    rng = random.Random(seed)
    close, bars = start, []
    for _ in range(count):
        opened = close
        close += rng.gauss(0.0, 0.3)
        top = max(opened, close) + rng.uniform(0.0, 0.2)
        bottom = min(opened, close) - rng.uniform(0.0, 0.2)
        bars.append(Bar(opened, top, bottom, close, rng.uniform(1.0, 1000.0)))
    return bars


def walk(
    count: int, seed: int, start: float = 100.0, step: float = 0.05
) -> list[float]:
    """Return a Gaussian random walk."""
    rng = random.Random(seed)
    price, prices = start, []
    for _ in range(count):
        price += rng.gauss(0.0, step)
        prices.append(price)
    return prices


def build(moves: Iterable[tuple[str, float]], exponent: int) -> list[float]:
    """Return prices between 1e-8 and 1e9 that walk, rest, gap and spike."""
    price, prices = 10.0**exponent, []
    for kind, amount in moves:
        shown = price
        if kind == "walk":
            shown = price = price * (1.0 + 0.01 * amount)
        elif kind == "gap":
            shown = price = price * math.exp(2.0 * amount)
        elif kind == "spike":
            shown = price * 10.0 ** (3.0 * amount)
        price = min(max(price, 1e-8), 1e9)
        prices.append(min(max(shown, 1e-8), 1e9))
    return prices


_MOVES = st.tuples(
    st.sampled_from(("walk", "walk", "flat", "gap", "spike")), st.floats(-1.0, 1.0)
)

prices = st.builds(
    build, st.lists(_MOVES, min_size=1, max_size=150), st.integers(-8, 9)
)
"""Series with walks, flat stretches, changes of level and single spikes."""


def build_bars(
    moves: Iterable[tuple[tuple[str, float], float, float, float]], exponent: int
) -> list[Bar]:
    """Return bars over ``build``'s prices, with wicks and some without volume."""
    listed = list(moves)
    closes = build((move for move, *_ in listed), exponent)
    bars, opened = [], closes[0]
    for close, (_, above, below, volume) in zip(closes, listed, strict=True):
        top = max(opened, close) * (1.0 + 0.02 * above)
        bottom = min(opened, close) * (1.0 - 0.02 * below)
        bars.append(Bar(opened, top, bottom, close, volume))
        opened = close
    return bars


_WICKS = st.sampled_from((0.0, 0.0, 0.25, 1.0)) | st.floats(0.0, 1.0)
_VOLUMES = st.sampled_from((0.0, 1.0)) | st.floats(1e-3, 1e6)

bars = st.builds(
    build_bars,
    st.lists(st.tuples(_MOVES, _WICKS, _WICKS, _VOLUMES), min_size=1, max_size=120),
    st.integers(-8, 9),
)
"""Bars over such prices; flat ones may have no range and no volume."""


def close_stream(name: str, **params: int | float | str) -> CloseStream:
    """Return a stream that has ``step``."""
    stream = indicators.get(name).stream(**params)
    assert isinstance(stream, CloseStream)
    return stream


def feed(
    stream: CloseStream, values: Iterable[float]
) -> list[tuple[float, ...] | None]:
    """Step through ``values`` and return every output as a tuple or None."""
    outputs: list[tuple[float, ...] | None] = []
    for x in values:
        value = stream.step(x)
        outputs.append((value,) if isinstance(value, float) else value)
    return outputs


def feed_bars(stream: Stream, bars: Iterable[Bar]) -> list[tuple[float, ...] | None]:
    """Update with ``bars`` and return every output."""
    return [stream.update(bar) for bar in bars]


def columns_of(bars: Sequence[Bar]) -> dict[str, NDArray[np.float64]]:
    """Return the bars as columns."""
    table = np.array([astuple(bar) for bar in bars], dtype=np.float64)
    table = table.reshape(len(bars), 5)
    names = ("open", "high", "low", "close", "volume")
    return {name: table[:, i].copy() for i, name in enumerate(names)}


def as_columns(
    outputs: Sequence[tuple[float, ...] | None], names: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Return what ``feed`` gave in the form of a batch."""
    rows = [(NAN,) * len(names) if row is None else row for row in outputs]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    return {name: table[:, i].copy() for i, name in enumerate(names)}
