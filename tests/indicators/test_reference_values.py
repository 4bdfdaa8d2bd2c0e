"""The values others computed: the reference table and a few golden vectors."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.indicators.series import as_columns, feed
from tests.reference import reference
from workstation import indicators

COLUMNS = {
    "sma": {"sma": "sma_20"},
    "ema": {"ema": "ema_20"},
    "rsi": {"rsi": "rsi_14"},
    "macd": {
        "macd": "macd_12_26_9",
        "signal": "macd_signal_9",
        "histogram": "macd_hist",
    },
    "bollinger": {
        "upper": "bb_upper_20_2",
        "middle": "bb_middle_20",
        "lower": "bb_lower_20_2",
    },
}

CLOSES = [10.0, 11.0, 12.0, 11.0, 13.0, 14.0, 13.0, 15.0, 16.0, 15.0]


def column(rows: list[dict[str, str]], name: str) -> NDArray[np.float64]:
    return np.array([float(row[name]) if row[name] else math.nan for row in rows])


@pytest.mark.reference
@pytest.mark.parametrize("way", ["batch", "stream"])
@pytest.mark.parametrize("name", COLUMNS)
def test_the_reference_table_is_reproduced(name: str, way: str) -> None:
    with reference("models", "indicators.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    closes = column(rows, "close")
    assert len(closes) == 300
    indicator = indicators.get(name)
    if way == "batch":
        found = indicator.batch({"close": closes})
    else:
        outputs = feed(indicator.stream(), closes.tolist())
        found = as_columns(outputs, indicator.outputs)
    assert set(found) == set(COLUMNS[name])
    for output, label in COLUMNS[name].items():
        expected = column(rows, label)
        first = int(np.flatnonzero(~np.isnan(expected))[0])
        assert first == indicator.warmup()
        np.testing.assert_array_equal(np.isnan(found[output]), np.isnan(expected))
        scale = 1.0 if name == "macd" else np.maximum(1.0, np.abs(expected[first:]))
        error = np.abs(found[output][first:] - expected[first:])
        assert np.all(error <= 1e-9 * scale)


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        (
            "sma",
            {"period": 3},
            [11, 11.333333, 12, 12.666667, 13.333333, 14, 14.666667, 15.333333],
        ),
        ("ema", {"period": 3}, [11, 11, 12, 13, 13, 14, 15, 15]),
        (
            "rsi",
            {"period": 3},
            [66.6667, 83.3333, 87.8788, 62.3656, 79.8851, 85.0905, 61.2965],
        ),
    ],
)
def test_the_golden_vectors_of_earlier_systems_hold(
    name: str, params: dict[str, int], expected: list[float]
) -> None:
    indicator = indicators.get(name)
    values = indicator.batch({"close": np.array(CLOSES)}, **params)[name]
    first = len(CLOSES) - len(expected)
    assert np.all(np.isnan(values[:first]))
    digits = 1e-4 if name == "rsi" else 1e-6
    np.testing.assert_allclose(values[first:], expected, rtol=0, atol=digits)
    last = feed(indicator.stream(**params), CLOSES)[-1]
    assert last is not None
    assert last[0] == pytest.approx(expected[-1], abs=digits)


def test_the_golden_bands_of_earlier_systems_hold() -> None:
    stream = indicators.get("bollinger").stream(period=3, deviations=2.0)
    last = feed(stream, CLOSES)[-1]
    assert last == pytest.approx((16.276142, 15.333333, 14.390524), abs=1e-6)


@pytest.mark.parametrize(
    ("closes", "expected"),
    [
        ([100.1] * 40, 0.0),
        ([100.0 + i for i in range(40)], 100.0),
        ([100.0 - i for i in range(40)], 0.0),
    ],
    ids=["flat", "rising", "falling"],
)
def test_the_rsi_of_a_series_without_opposite_moves_is_exact(
    closes: list[float], expected: float
) -> None:
    indicator = indicators.get("rsi")
    assert feed(indicator.stream(), closes)[14:] == [(expected,)] * 26
    batch = indicator.batch({"close": np.array(closes)})["rsi"]
    assert batch[14:].tolist() == [expected] * 26


def test_the_bands_of_a_flat_series_have_no_width() -> None:
    indicator = indicators.get("bollinger")
    closes = [7.0] * 5 + [0.1] * 95
    for upper, middle, lower in feed(indicator.stream(), closes)[30:]:  # type: ignore[misc]
        assert upper == middle == lower == 0.1
    batch = indicator.batch({"close": np.array(closes)})
    assert set(batch["upper"][30:]) == set(batch["lower"][30:]) == {0.1}


def test_the_rsi_survives_a_market_that_stands_still_for_a_very_long_time() -> None:
    closes = [10.0, 11.0, 10.5, 11.5] + [11.5] * 3000
    indicator = indicators.get("rsi")
    values = [row[0] for row in feed(indicator.stream(period=2), closes) if row]
    frozen = values[2]
    # The quotient stays while both averages shrink; then there is no movement left.
    assert values[900] == pytest.approx(frozen, rel=1e-12)
    assert values[-1] == 0.0
    assert set(values[2:]) - {0.0} == {
        value for value in values[2:] if value == pytest.approx(frozen, rel=1e-12)
    }
    batch = indicator.batch({"close": np.array(closes)}, period=2)["rsi"]
    np.testing.assert_allclose(batch[2:], values, rtol=1e-12)
