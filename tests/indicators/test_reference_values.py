"""The values others computed: the reference table and a few golden vectors."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.indicators.series import (
    Bar,
    as_columns,
    bar,
    close_stream,
    columns_of,
    feed,
    feed_bars,
    in_session,
)
from tests.reference import reference
from workstation import indicators

Params = dict[str, int | float | str]

TRADINGVIEW: Params = {"compat": "tradingview"}

COLUMNS: list[tuple[str, Params, dict[str, str]]] = [
    ("sma", {}, {"sma": "sma_20"}),
    ("ema", {}, {"ema": "ema_20"}),
    ("ema", TRADINGVIEW, {"ema": "tv_ema_20_first"}),
    ("rma", {}, {"rma": "rma_14"}),
    ("rsi", {}, {"rsi": "rsi_14"}),
    ("rsi", TRADINGVIEW, {"rsi": "rsi_14"}),
    (
        "macd",
        {},
        {
            "macd": "macd_12_26_9",
            "signal": "macd_signal_9",
            "histogram": "macd_hist",
        },
    ),
    (
        "macd",
        TRADINGVIEW,
        {"macd": "tv_macd_sma_seed", "signal": "tv_macd_signal_sma_seed"},
    ),
    (
        "bollinger",
        {},
        {"upper": "bb_upper_20_2", "middle": "bb_middle_20", "lower": "bb_lower_20_2"},
    ),
    ("true_range", {}, {"true_range": "trange"}),
    ("atr", {}, {"atr": "atr_14"}),
    ("atr", TRADINGVIEW, {"atr": "tv_atr_14"}),
    ("vwap", {}, {"vwap": "vwap_session"}),
    ("vwap", {"anchor": "none"}, {"vwap": "vwap_cum"}),
    ("stochastic", {}, {"k": "stoch_k_14_3", "d": "stoch_d_3"}),
    ("stochastic", {"smooth_k": 1, "smooth_d": 1}, {"k": "stoch_fastk_14"}),
    (
        "adx",
        {},
        {
            "plus_di": "plus_di_14",
            "minus_di": "minus_di_14",
            "dx": "dx_14",
            "adx": "adx_14",
        },
    ),
    (
        "adx",
        TRADINGVIEW,
        {
            "plus_di": "tv_plus_di_14",
            "minus_di": "tv_minus_di_14",
            "adx": "tv_adx_14_14",
        },
    ),
    (
        "donchian",
        {},
        {
            "upper": "donchian_upper_20",
            "middle": "donchian_middle_20",
            "lower": "donchian_lower_20",
        },
    ),
    (
        "keltner",
        {},
        {
            "upper": "kc_upper_20_10_2",
            "middle": "kc_middle_20",
            "lower": "kc_lower_20_10_2",
        },
    ),
    (
        "keltner",
        TRADINGVIEW,
        {"upper": "tv_kc_upper", "middle": "tv_kc_middle", "lower": "tv_kc_lower"},
    ),
    ("obv", {}, {"obv": "obv"}),
    ("obv", TRADINGVIEW, {"obv": "tv_obv"}),
    (
        "supertrend",
        {},
        {"supertrend": "supertrend_10_3", "direction": "supertrend_dir"},
    ),
    (
        "supertrend",
        TRADINGVIEW,
        {"supertrend": "tv_supertrend", "direction": "tv_supertrend_dir"},
    ),
]

CLOSES = [10.0, 11.0, 12.0, 11.0, 13.0, 14.0, 13.0, 15.0, 16.0, 15.0]


def column(rows: list[dict[str, str]], name: str) -> NDArray[np.float64]:
    return np.array([float(row[name]) if row[name] else math.nan for row in rows])


def test_the_table_covers_every_indicator() -> None:
    assert {name for name, *_ in COLUMNS} == set(indicators.names())


@pytest.mark.reference
@pytest.mark.parametrize("way", ["batch", "stream"])
@pytest.mark.parametrize(
    ("name", "params", "labels"),
    COLUMNS,
    ids=[next(iter(c[2].values())) for c in COLUMNS],
)
def test_the_reference_table_is_reproduced(
    name: str, params: Params, labels: dict[str, str], way: str
) -> None:
    with reference("models", "indicators.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    fields = ("open", "high", "low", "close", "volume", "session")
    columns = {field: column(rows, field) for field in fields}
    assert len(rows) == 300
    indicator = indicators.get(name)
    if way == "batch":
        found = indicator.batch(columns, **params)
    else:
        bars = [
            in_session(Bar(*prices), session)
            for *prices, session in zip(
                *(c.tolist() for c in columns.values()), strict=True
            )
        ]
        outputs = feed_bars(indicator.stream(**params), bars)
        found = as_columns(outputs, indicator.outputs)
    firsts = []
    for output, label in labels.items():
        expected = column(rows, label)
        there = ~np.isnan(expected)
        firsts.append(int(np.flatnonzero(there)[0]))
        np.testing.assert_array_equal(np.isnan(found[output]), ~there)
        scale = 1.0 if name == "macd" else np.maximum(1.0, np.abs(expected[there]))
        error = np.abs(found[output][there] - expected[there])
        assert np.all(error <= 1e-9 * scale)
    assert max(firsts) == indicator.warmup(**params)


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
    last = feed(close_stream(name, **params), CLOSES)[-1]
    assert last is not None
    assert last[0] == pytest.approx(expected[-1], abs=digits)


def test_the_golden_bands_of_earlier_systems_hold() -> None:
    stream = close_stream("bollinger", period=3, deviations=2.0)
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
    assert feed(close_stream("rsi"), closes)[14:] == [(expected,)] * 26
    batch = indicator.batch({"close": np.array(closes)})["rsi"]
    assert batch[14:].tolist() == [expected] * 26


def test_the_bands_of_a_flat_series_have_no_width() -> None:
    indicator = indicators.get("bollinger")
    closes = [7.0] * 5 + [0.1] * 95
    for upper, middle, lower in feed(close_stream("bollinger"), closes)[30:]:  # type: ignore[misc]
        assert upper == middle == lower == 0.1
    batch = indicator.batch({"close": np.array(closes)})
    assert set(batch["upper"][30:]) == set(batch["lower"][30:]) == {0.1}


def test_the_rsi_survives_a_market_that_stands_still_for_a_very_long_time() -> None:
    closes = [10.0, 11.0, 10.5, 11.5] + [11.5] * 3000
    indicator = indicators.get("rsi")
    values = [row[0] for row in feed(close_stream("rsi", period=2), closes) if row]
    frozen = values[2]
    # The quotient stays while both averages shrink; then there is no movement left.
    assert values[900] == pytest.approx(frozen, rel=1e-12)
    assert values[-1] == 0.0
    assert set(values[2:]) - {0.0} == {
        value for value in values[2:] if value == pytest.approx(frozen, rel=1e-12)
    }
    batch = indicator.batch({"close": np.array(closes)}, period=2)["rsi"]
    np.testing.assert_allclose(batch[2:], values, rtol=1e-12)


FLAT = [bar(100.1, volume=3.0)] * 60


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        ("rsi", {}, (0.0,)),
        ("rsi", TRADINGVIEW, (100.0,)),
        ("true_range", {}, (0.0,)),
        ("atr", {}, (0.0,)),
        ("vwap", {}, (pytest.approx(100.1, rel=1e-15),)),
        ("stochastic", {}, (0.0, 0.0)),
        ("adx", {}, (0.0, 0.0, 0.0, 0.0)),
        ("donchian", {}, (100.1, 100.1, 100.1)),
        ("obv", {}, (3.0,)),
        ("obv", TRADINGVIEW, (0.0,)),
        ("supertrend", {}, (100.1, 1.0)),
        ("supertrend", TRADINGVIEW, (100.1, 1.0)),
    ],
)
def test_a_market_that_never_moved_has_exact_values(
    name: str, params: Params, expected: tuple[float, ...]
) -> None:
    indicator = indicators.get(name)
    assert feed_bars(indicator.stream(**params), FLAT)[-1] == expected
    batch = indicator.batch(columns_of(FLAT), **params)
    assert tuple(batch[output][-1] for output in indicator.outputs) == expected


def test_tradingview_has_no_stochastic_where_a_window_has_no_range() -> None:
    bars = [bar(x) for x in (1, 1, 1, 1, 2, 3, 3, 3, 3, 3, 2, 1)]
    params: Params = {"period": 3, "smooth_k": 1, "smooth_d": 2, **TRADINGVIEW}
    indicator = indicators.get("stochastic")
    expected = (
        [None] * 5 + [(100.0, 100.0)] * 2 + [None] * 3 + [(0.0, 50.0), (0.0, 0.0)]
    )
    assert feed_bars(indicator.stream(**params), bars) == expected
    batch = indicator.batch(columns_of(bars), **params)
    for at, output in enumerate(indicator.outputs):
        values = [math.nan if row is None else row[at] for row in expected]
        np.testing.assert_array_equal(batch[output], values)


def test_the_average_stays_where_nothing_moves_any_more() -> None:
    moving = [Bar(i, i + 1.0, i - 1.0, i, 1.0) for i in map(float, range(10, 30))]
    still = [bar(29.0)] * 4000
    outputs = feed_bars(indicators.get("adx").stream(period=3), moving + still)
    plus, minus, dx, adx = outputs[-1] or ()
    # Both sums have shrunk to nothing; what they said of direction last remains.
    assert (plus, minus) == (0.0, 0.0)
    assert dx == pytest.approx(100.0)
    assert adx == pytest.approx(100.0)
    batch = indicators.get("adx").batch(columns_of(moving + still), period=3)
    assert batch["adx"][-1] == pytest.approx(100.0)
    assert batch["dx"][-1] == pytest.approx(100.0)
    assert batch["plus_di"][-1] == 0.0
