"""What a script sees of its market and its indicators."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategy.bench import Bench
from tests.strategy.fakes import Stand
from workstation.strategy.inputs import Market


def test_indicators_are_asked_by_name_and_are_none_before_their_time(
    tmp_path: Path,
) -> None:
    detect = (
        "context['v'] = [indicators.sma(2), indicators.sma(period=2, back=1)]; "
        "return None"
    )
    stand = Stand.of(tmp_path, detect=detect)
    stand.bar(1.0)
    assert stand.row.context["v"] == [None, None]
    assert stand.row.indicators.asked()[0][0] == "sma"
    with pytest.raises(TypeError, match="has 2 parameters"):
        stand.row.indicators.sma(2, 3)
    with pytest.raises(ValueError, match="back = 2"):
        stand.row.indicators.sma(2, back=2)


def _market(tmp_path: Path) -> Market:
    return Stand.of(tmp_path).row.market


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("looks high", "looks high"),
        ("two\nlines\tof  text ", "two lines of text"),
        ("\x1b[31mred\x00", "[31mred"),
        ("half \ud800 a character", "half a character"),
        ("\u202eturned", "turned"),
        ("ä" * 300, "ä" * 200),
        ("x" * 199 + " y", "x" * 199),
    ],
)
def test_a_line_of_the_log_is_plain_and_short(
    tmp_path: Path, text: str, line: str
) -> None:
    market = _market(tmp_path)
    market.log(text)
    assert market.notes() == (line,)


@given(text=st.text(st.characters(exclude_categories=()), max_size=400))
def test_any_text_makes_a_line_that_can_be_written(text: str) -> None:
    market = Market("BTC", None, None)  # type: ignore[arg-type]
    market.log(text)
    for line in market.notes():
        assert 0 < len(line) <= 200
        assert line.isprintable()
        assert line == line.strip()
        line.encode()


def test_a_call_logs_five_lines_and_blank_ones_do_not_count(tmp_path: Path) -> None:
    market = _market(tmp_path)
    for text in ("", " \n", *"abcdefg"):
        market.log(text)
    assert market.notes() == tuple("abcde")


@pytest.mark.parametrize("given_", [None, 1.5, b"text", ["text"]])
def test_what_is_no_text_is_not_logged(tmp_path: Path, given_: object) -> None:
    market = _market(tmp_path)
    with pytest.raises(TypeError, match="log takes text, not a "):
        market.log(given_)  # type: ignore[arg-type]
    assert market.notes() == ()


def test_more_than_one_value_is_logged_in_one_line(tmp_path: Path) -> None:
    market = _market(tmp_path)
    market.log("edge", 1.5, True, None, "bps")
    assert market.notes() == ("edge 1.5 True None bps",)
    with pytest.raises(TypeError, match="numbers and bools after the first text"):
        market.log("edge", [1])  # type: ignore[arg-type]


def test_the_bar_before_is_there_from_the_second_bar_on(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path)
    market = stand.row.market
    stand.bar(100.0)
    assert market.previous is None
    stand.bar(105.0)
    assert market.close == 105.0
    assert market.previous is not None
    assert (market.previous.close, market.previous.timestamp) == (100.0, 0)


def test_a_close_before_the_first_bar_is_refused_with_what_there_is(
    tmp_path: Path,
) -> None:
    stand = Stand.of(tmp_path)
    stand.bar(100.0)
    stand.bar(105.0)
    assert [stand.row.market.closes(back) for back in (0, 1)] == [105.0, 100.0]
    for back in (2, -1):
        with pytest.raises(IndexError, match=rf"closes\({back}\): the bars are 0 to 1"):
            stand.row.market.closes(back)


def test_quote_sizes_spread_and_orders_are_those_of_now() -> None:
    bench = Bench()
    bench.bar({"signal": "cross"})
    bench.bar({"action": "enter_long", "price": 99.0})
    bench.bar()
    market = bench.row.market
    assert (market.bid, market.bid_size, market.ask_size) == (100.0, 1e6, 1e6)
    assert market.spread_bps == pytest.approx(9.995, abs=1e-3)
    assert market.orders == 1


def test_without_quotes_there_is_no_spread(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path)
    stand.bar(100.0)
    market = stand.row.market
    assert (market.spread_bps, market.bid_size, market.ask_size) == (None, 0.0, 0.0)
