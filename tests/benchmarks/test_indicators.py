"""What one step of each stream costs, and what a batch over a million values does.

``timings`` and ``ratios`` are plain functions: CPU time, median of five rounds, the
ratios against a method call that returns its argument, measured in the same run.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from functools import partial
from time import process_time_ns
from typing import Any

import numpy as np
import pytest

from workstation import indicators

STEPS = 20_000
ROUNDS = 5
ROWS = 1_000_000


class Floor:
    """The least a step can be: a bound method that returns its argument."""

    __slots__ = ()

    def step(self, x: float) -> float:
        return x


def prices(count: int = STEPS) -> list[float]:
    """Return a random walk near 100 with ticks of about 0.05."""
    rng = random.Random(7)
    price, walk = 100.0, []
    for _ in range(count):
        price += rng.gauss(0.0, 0.05)
        walk.append(price)
    return walk


def timings() -> dict[str, float]:
    """Return ns of CPU time per ``step`` of each indicator, and of ``floor``."""
    walk = prices()
    steps = {"floor": Floor().step} | {
        name: indicators.get(name).stream().step for name in indicators.names()
    }
    return {name: _cost(step, walk) for name, step in steps.items()}


def ratios() -> dict[str, float]:
    """Return the cost of each ``step`` as a multiple of the floor."""
    measured = timings()
    floor = measured.pop("floor")
    return {name: cost / floor for name, cost in measured.items()}


def batch_timings() -> dict[str, float]:
    """Return ms of CPU time per batch over a million closes."""
    columns = {"close": np.array(prices(ROWS))}
    return {
        name: statistics.median(
            _elapsed(partial(indicators.get(name).batch, columns)) / 1e6
            for _ in range(ROUNDS)
        )
        for name in indicators.names()
    }


def _cost(step: Callable[[float], object], values: list[float]) -> float:
    def run() -> None:
        for x in values:
            step(x)

    return statistics.median(_elapsed(run) / len(values) for _ in range(ROUNDS))


def _elapsed(run: Callable[[], object]) -> int:
    start = process_time_ns()
    run()
    return process_time_ns() - start


@pytest.mark.parametrize("name", indicators.names())
# The fixture's package is not typed.
def test_a_step_of_the_stream(benchmark: Any, name: str) -> None:
    walk = prices()
    step = indicators.get(name).stream().step

    def run() -> object:
        last = None
        for x in walk:
            last = step(x)
        return last

    assert benchmark(run) is not None


@pytest.mark.parametrize("name", indicators.names())
def test_a_batch_over_a_hundred_thousand_values(benchmark: Any, name: str) -> None:
    indicator = indicators.get(name)
    columns = {"close": np.array(prices(ROWS // 10))}
    outputs = benchmark(indicator.batch, columns)
    assert tuple(outputs) == indicator.outputs


def test_timings_and_ratios_cover_every_indicator() -> None:
    measured = ratios()
    assert tuple(measured) == indicators.names()
    assert all(ratio > 0.0 for ratio in measured.values())


if __name__ == "__main__":
    for label, nanoseconds in timings().items():
        print(f"{label:10} {nanoseconds:7.1f} ns a step")
    for label, milliseconds in batch_timings().items():
        print(f"{label:10} {milliseconds:7.1f} ms a million")
