"""What a batch does with the columns it is given."""

from __future__ import annotations

import numpy as np
import pytest

from tests.indicators.series import NAN, Bar, as_columns, candles, columns_of, walk
from workstation import indicators
from workstation.indicators import BadColumns

EVERY = pytest.mark.parametrize("name", indicators.names())


@EVERY
def test_rows_are_rejected_by_the_same_rule_as_bars(name: str) -> None:
    indicator = indicators.get(name)
    columns = columns_of(candles(80, seed=1))
    columns["open"][40] = NAN
    columns["high"][45] = np.inf
    columns["low"][3] = -np.inf
    columns["close"][50] = 1e100
    columns["volume"][55] = -1.0
    columns["volume"][60] = 0.0
    stream = indicator.stream()
    fields = (column.tolist() for column in columns.values())
    outputs = [stream.update(Bar(*row)) for row in zip(*fields, strict=True)]
    expected = as_columns(outputs, indicator.outputs)
    found = indicator.batch(columns)
    assert stream.rejected == 5
    for output in indicator.outputs:
        values = found[output]
        assert np.isnan(values[[3, 40, 45, 50, 55]]).all()
        assert not np.isnan(values[[39, 41, 44, 46, 51, 56, 60]]).any()
        np.testing.assert_allclose(values, expected[output], rtol=1e-10, atol=1e-11)


@EVERY
@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_too_few_rows_give_nan_of_the_same_length(name: str, rows: int) -> None:
    indicator = indicators.get(name)
    first = indicator.warmup()
    for values in (np.arange(rows, dtype=np.float64), np.full(rows, NAN)):
        found = indicator.batch(dict.fromkeys(indicator.inputs, values))
        for output in indicator.outputs:
            assert len(found[output]) == rows
            assert np.isnan(found[output][: max(first, 0)]).all()


@EVERY
def test_a_view_with_gaps_between_its_rows_is_read_like_any_other(name: str) -> None:
    indicator = indicators.get(name)
    whole = columns_of(candles(300, seed=2))
    for column in whole.values():
        column.flags.writeable = False
    found = indicator.batch({field: column[::3] for field, column in whole.items()})
    expected = indicator.batch(
        {field: column[::3].copy() for field, column in whole.items()}
    )
    for output in indicator.outputs:
        np.testing.assert_array_equal(found[output], expected[output])


def test_whole_numbers_and_lists_are_read_as_floats() -> None:
    sma = indicators.get("sma")
    for closes in (np.arange(5), [0, 1, 2, 3, 4]):
        found = sma.batch({"close": closes}, period=2)["sma"]  # type: ignore[dict-item]
        np.testing.assert_array_equal(found, [NAN, 0.5, 1.5, 2.5, 3.5])


def test_columns_that_are_no_field_of_a_bar_are_not_looked_at() -> None:
    closes = np.array(walk(30, seed=3))
    extra = {"close": closes, "ts": np.zeros(3), "note": np.full(30, NAN)}
    sma = indicators.get("sma")
    np.testing.assert_array_equal(
        sma.batch(extra)["sma"], sma.batch({"close": closes})["sma"]
    )


def test_columns_that_do_not_fit_are_refused_with_the_reason() -> None:
    sma = indicators.get("sma")
    with pytest.raises(BadColumns, match=r"'close' is needed \(given: open\)"):
        sma.batch({"open": np.ones(3)})
    with pytest.raises(BadColumns, match=r"'close' is needed \(given: none\)"):
        sma.batch({})
    with pytest.raises(BadColumns, match="'volume' has 2 rows, 'close' has 3"):
        sma.batch({"close": np.ones(3), "volume": np.ones(2)})
    with pytest.raises(BadColumns, match=r"one dimension: \(3, 2\)"):
        sma.batch({"close": np.ones((3, 2))})
