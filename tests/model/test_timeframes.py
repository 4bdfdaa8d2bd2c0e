"""Words, alignment and divisibility of timeframes, against plain calendars."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.model.timeframes import (
    FORMS,
    NS_PER_DAY,
    NS_PER_S,
    BarKind,
    Timeframe,
    format_span,
    parse_span,
)

WORDS = (
    *("1s", "7s", "1m", "5m", "15m", "1h", "7h", "12h", "1d", "3d", "1w", "2w"),
    *("1M", "3M", "12M", "1h@13:30", "7h@09:15", "1d@22:00", "1w@22:00", "1M@22:00"),
)
TIMES = st.integers(0, 4_000_000_000 * NS_PER_S)


def utc(text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return int(moment.timestamp()) * NS_PER_S


@pytest.mark.parametrize("word", [*WORDS, "500t", "25v", "0.5v", "1000000q"])
def test_a_timeframe_is_written_as_it_was_read(word: str) -> None:
    assert str(Timeframe.parse(word)) == word


@pytest.mark.parametrize(
    "text",
    [
        *("", "5", "m", "0m", "-1m", "1.5m", "1x", "²m", "1M2", "0t", "1.5t", "0v"),
        *("1d@", "1d@25:00", "1d@13", "500t@13:30", "1m ", "1e3t", "infv", "nanq"),
    ],
)
def test_a_word_that_is_no_timeframe_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="is none of 1s, 5m") as caught:
        Timeframe.parse(text)
    assert FORMS in str(caught.value)


@given(st.sampled_from(WORDS), TIMES)
def test_every_moment_is_in_the_one_interval_that_begins_at_or_before_it(
    word: str, ts: int
) -> None:
    timeframe = Timeframe.parse(word)
    start = timeframe.start(ts)
    end = timeframe.end(start)
    assert start <= ts < end
    assert timeframe.start(start) == start
    assert timeframe.start(end - 1) == start
    assert timeframe.start(end) == end


@given(TIMES, st.sampled_from([1, 2, 3, 6, 12]))
def test_months_follow_the_calendar(ts: int, count: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ts // NS_PER_S)
    first = moment.month - (moment.month - 1) % count
    expected = datetime(moment.year, first, 1, tzinfo=UTC)
    timeframe = Timeframe(BarKind.MONTH, count)
    assert timeframe.start(ts) == int(expected.timestamp()) * NS_PER_S


def test_a_week_begins_on_monday_and_a_session_where_it_says() -> None:
    thursday = utc("2024-08-08T23:55:00")
    assert Timeframe.parse("1w").start(thursday) == utc("2024-08-05T00:00:00")
    assert Timeframe.parse("1w@22:00").start(thursday) == utc("2024-08-05T22:00:00")
    assert Timeframe.parse("1d@22:00").start(thursday) == utc("2024-08-08T22:00:00")
    assert Timeframe.parse("1M@22:00").start(utc("2024-08-01T21:00:00")) == utc(
        "2024-07-01T22:00:00"
    )


def test_intervals_are_counted_from_the_session_and_its_last_one_is_cut() -> None:
    timeframe = Timeframe.parse("7h@13:30")
    start = utc("2024-08-09T10:30:00")
    assert timeframe.start(utc("2024-08-09T12:00:00")) == start
    assert timeframe.end(start) == utc("2024-08-09T13:30:00")
    assert timeframe.end(utc("2024-08-09T13:30:00")) == utc("2024-08-09T20:30:00")


@given(st.sampled_from(WORDS), st.sampled_from(WORDS), TIMES)
def test_bars_said_to_be_made_of_others_begin_and_end_with_one_of_them(
    word: str, source_word: str, ts: int
) -> None:
    timeframe, source = Timeframe.parse(word), Timeframe.parse(source_word)
    if not timeframe.is_made_of(source):
        return
    start = timeframe.start(ts)
    end = timeframe.end(start)
    assert source.start(start) == start
    assert source.start(end) == end


@pytest.mark.parametrize(
    ("word", "source", "made"),
    [
        ("5m", "1m", True),
        ("5m", "2m", False),
        ("1h", "1h", True),
        ("1M", "1d", True),
        ("1M", "1h", True),
        ("1M", "7h", False),
        ("1M", "1w", False),
        ("3M", "1M", True),
        ("1d", "1M", False),
        ("1d@22:00", "1h", True),
        ("1d@13:30", "1h", False),
        ("1h@13:30", "30m", True),
        ("1d", "1d@22:00", False),
        ("1w", "7s", False),
        ("2w", "1w", True),
        ("1w@22:00", "7h@22:00", True),
        ("1M@22:00", "7h@22:00", True),
        ("500t", "1m", False),
        ("1m", "500t", False),
        ("500t", "500t", True),
    ],
)
def test_what_can_be_made_of_what(word: str, source: str, made: bool) -> None:
    assert Timeframe.parse(word).is_made_of(Timeframe.parse(source)) is made


def test_bars_of_the_clock_sort_by_length_before_counted_ones() -> None:
    words = ["500t", "1M", "1m", "25v", "1w", "1s"]
    ordered = sorted(map(Timeframe.parse, words), key=lambda each: each.order)
    assert [str(each) for each in ordered] == ["1s", "1m", "1w", "1M", "500t", "25v"]


@given(st.integers(1, 10_000), st.sampled_from("smhdw"))
def test_spans_are_read_and_written_in_the_shortest_word(count: int, unit: str) -> None:
    span = parse_span(f"{count}{unit}")
    assert parse_span(format_span(span)) == span
    assert len(format_span(span)) <= len(f"{count}{unit}")


def test_odd_spans_have_a_word_too() -> None:
    assert format_span(250_000_000) == "250ms"
    assert format_span(3) == "3ns"
    assert parse_span("1d") == NS_PER_DAY
    with pytest.raises(ValueError, match="'often' is not a count and a unit"):
        parse_span("often")
