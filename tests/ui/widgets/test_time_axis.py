from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.model.timeframes import Timeframe
from workstation.ui.widgets.time_axis import bar_time, time_labels

S = 1_000_000_000


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * S


def starts(word: str, first: str, count: int) -> list[int]:
    timeframe = Timeframe.parse(word)
    made = [timeframe.start(at(first))]
    while len(made) < count:
        made.append(timeframe.end(made[-1]))
    return made


def labels(word: str, first: str, count: int = 60) -> list[str]:
    made = starts(word, first, count)
    found = time_labels(made, Timeframe.parse(word).length_ns, 0)
    return [text for _, text in found]


@pytest.mark.parametrize(
    ("word", "first", "shown"),
    [
        ("1s", "2024-08-08T23:59:55", ["00:00:00", "00:00:10", "00:00:20"]),
        ("5s", "2024-08-08T23:58:30", ["23:59", "00:00", "00:01"]),
        ("25s", "2024-08-08T23:57:00", ["00:00", "00:05", "00:10"]),
        ("1m", "2024-08-08T23:55:00", ["00:00", "00:10", "00:20"]),
        ("1h", "2024-08-08T22:00:00", ["00:00", "12:00", "00:00"]),
        ("4h", "2024-08-07T00:00:00", ["08-07", "08-09", "08-11"]),
        ("1d", "2024-02-20T00:00:00", ["02-26", "03-04", "03-11"]),
        ("1w", "2024-01-20T00:00:00", ["2024-04", "2024-07", "2024-10"]),
        ("1M", "2023-10-15T00:00:00", ["2024", "2025", "2026"]),
        ("3M", "2015-02-01T00:00:00", ["2016", "2018"]),
        ("1d@13:30", "2024-02-20T15:00:00", ["02-26", "03-04", "03-11"]),
    ],
)
def test_round_times_of_every_length_of_bar(
    word: str, first: str, shown: list[str]
) -> None:
    assert labels(word, first)[: len(shown)] == shown


def test_a_month_that_is_not_thirty_days_still_gets_its_own_label() -> None:
    made = starts("1M", "2023-10-15T00:00:00", 40)
    found = time_labels(made, Timeframe.parse("1M").length_ns, 0)
    assert [made[index] for index, _ in found] == [
        at(f"{year}-01-01T00:00:00") for year in (2024, 2025, 2026, 2027)
    ]


def test_a_bar_after_a_gap_tells_its_own_time() -> None:
    made = starts("1m", "2024-08-08T10:01:00", 5)
    made += starts("1m", "2024-08-08T13:03:00", 20)
    found = time_labels(made, 60 * S, 0)
    assert found[0] == (5, "13:03")


def test_counted_bars_have_labels_at_even_places_that_move_with_them() -> None:
    base = at("2024-08-08T10:00:00")
    made = [base + index * index * S for index in range(40)]
    first = time_labels(made, 0, 100)
    assert first[0] == (8, "10:01:04")
    assert [index for index, _ in first] == [8, 20, 32]
    # A bar later the oldest has gone: the same bars have the same labels.
    assert time_labels(made[1:], 0, 101) == [(i - 1, text) for i, text in first]


def test_counted_bars_of_more_than_a_day_have_dates() -> None:
    base = at("2024-08-08T10:00:00")
    made = [base + index * 3_600 * S for index in range(40)]
    assert time_labels(made, 0, 0)[1] == (15, "08-09 01:00")


@given(
    st.lists(st.integers(0, 10**7), min_size=1, max_size=150),
    st.sampled_from(["1s", "7s", "1m", "45m", "1d", "1w", "1M", "7M", "100t"]),
    st.integers(0, 1_000),
)
def test_labels_never_touch_and_belong_to_their_bars(
    gaps: Sequence[int], word: str, number: int
) -> None:
    length = Timeframe.parse(word).length_ns
    made, ts = [], at("2024-01-31T12:00:00")
    for gap in gaps:
        ts += length + gap * S
        made.append(ts)
    found = time_labels(made, length, number)
    for (index, text), (later, _) in pairwise(found):
        assert index + len(text) < later
    assert all(0 <= index < len(made) for index, _ in found)


def test_no_bars_have_no_labels() -> None:
    assert time_labels([], 60 * S, 0) == []


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("1s", "08-08 23:55:12"),
        ("500t", "08-08 23:55:12"),
        ("1m", "08-08 23:55"),
        ("1d", "2024-08-08"),
        ("1M", "2024-08"),
    ],
)
def test_a_bar_s_own_time_is_as_fine_as_its_length(word: str, shown: str) -> None:
    moment = at("2024-08-08T23:55:12")
    assert bar_time(moment, Timeframe.parse(word).length_ns) == shown
