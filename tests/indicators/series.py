"""Price series for the tests of this folder, and helpers to feed them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st
from msgspec import Struct

from workstation.indicators import Stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAN = math.nan


class Bar(Struct, frozen=True):
    """A bar as the indicators see it; without arguments, a sound one at 1."""

    open: float = 1.0
    high: float = 1.0
    low: float = 1.0
    close: float = 1.0
    volume: float = 1.0


def bar(close: float, volume: float = 1.0) -> Bar:
    """Return a bar without range."""
    return Bar(close, close, close, close, volume)


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


def feed(stream: Stream, values: Iterable[float]) -> list[tuple[float, ...] | None]:
    """Step through ``values`` and return every output as a tuple or None."""
    outputs: list[tuple[float, ...] | None] = []
    for x in values:
        value = stream.step(x)
        outputs.append((value,) if isinstance(value, float) else value)
    return outputs


def as_columns(
    outputs: Sequence[tuple[float, ...] | None], names: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Return what ``feed`` gave in the form of a batch."""
    rows = [(NAN,) * len(names) if row is None else row for row in outputs]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    return {name: table[:, i].copy() for i, name in enumerate(names)}
