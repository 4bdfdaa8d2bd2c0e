"""Windows of closed bars: views that stay true, scalars, extremes."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.market.window import COLUMNS, BarWindow
from workstation.model.market import Bar
from workstation.model.timeframes import Timeframe

TEN = Timeframe.of_ns(10)


def bar(index: int) -> Bar:
    base = float(index)
    return Bar(
        "X",
        index,
        TEN,
        index * 10,
        base,
        base + 2 + index % 7,
        base - 1 - index % 5,
        base + 1,
        base * 3 % 11,
        base * 2,
        index % 13,
    )


def window(size: int, bars: int) -> BarWindow:
    made = BarWindow(TEN, size)
    for index in range(bars):
        made.append(bar(index))
    return made


@given(st.integers(1, 90), st.integers(0, 400), st.integers(1, 100))
def test_columns_are_the_last_bars_whatever_wrapped(
    size: int, bars: int, n: int
) -> None:
    made = window(size, bars)
    kept = [bar(index) for index in range(max(0, bars - size), bars)]
    assert len(made) == len(kept)
    assert list(made) == kept
    columns = made.columns()
    for name in COLUMNS:
        assert columns[name].tolist() == [getattr(item, name) for item in kept]
        assert made.column(name, n).tolist() == columns[name].tolist()[-n:]


@given(st.integers(1, 70), st.lists(st.integers(1, 40), max_size=12))
def test_a_view_handed_out_never_changes(size: int, steps: list[int]) -> None:
    made = BarWindow(TEN, size)
    index = 0
    held: list[tuple[Any, list[float]]] = []
    for step in steps:
        for _ in range(step):
            made.append(bar(index))
            index += 1
        view = made.column("close")
        held.append((view, view.tolist()))
    for view, then in held:
        assert view.tolist() == then


def test_a_view_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        window(5, 3).column("close")[0] = 1.0


def test_another_thread_always_sees_whole_rows_in_order() -> None:
    made = window(50, 60)
    faults: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            columns = made.columns()
            opens = columns["ts_open"]
            if not np.array_equal(columns["close"], opens / 10 + 1.0):
                faults.append("rows of different bars")
            if len(opens) != 50 or (np.diff(opens) != 10).any():
                faults.append("not fifty consecutive bars")

    reader = threading.Thread(target=read)
    reader.start()
    for index in range(60, 20_000):
        made.append(bar(index))
    done.set()
    reader.join()
    assert faults == []


@given(
    st.integers(1, 90), st.integers(0, 200), st.integers(-1, 100), st.integers(-1, 100)
)
def test_extremes_and_means_are_of_exactly_n_bars_or_none(
    size: int, bars: int, n: int, back: int
) -> None:
    made = window(size, bars)
    kept = list(made)
    for _ in range(2):
        if n < 1 or back < 0 or n + back > len(kept):
            assert made.highest(n, back) is None
            assert made.lowest(n, back) is None
            assert made.average_volume(n, back) is None
        else:
            part = kept[len(kept) - back - n : len(kept) - back]
            assert made.highest(n, back) == max(item.high for item in part)
            assert made.lowest(n, back) == min(item.low for item in part)
            mean = sum(item.volume for item in part) / n
            assert made.average_volume(n, back) == pytest.approx(mean)


def test_an_extreme_is_computed_anew_after_a_bar() -> None:
    made = window(5, 3)
    assert made.highest(3) == bar(2).high
    made.append(bar(9))
    assert made.highest(3) == bar(9).high


def test_scalars_are_python_floats_counted_back_from_the_last_bar() -> None:
    made = window(5, 8)
    last = bar(7)
    assert type(made.close()) is float
    assert (made.open(), made.high(), made.low(), made.close(), made.volume()) == (
        last.open,
        last.high,
        last.low,
        last.close,
        last.volume,
    )
    assert made.ts_open(4) == 30
    with pytest.raises(IndexError):
        made.close(5)


def test_the_future_cannot_be_asked_for() -> None:
    with pytest.raises(IndexError, match="future"):
        window(5, 8).close(-1)


def test_the_digest_differs_when_any_bar_ever_differed() -> None:
    other = BarWindow(TEN, 5)
    for index in range(20):
        other.append(bar(index if index else 99))
    assert other.digest() != window(5, 20).digest()
    assert list(other) == list(window(5, 20))
