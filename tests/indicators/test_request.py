from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.indicators import (
    BadParameter,
    BadRequest,
    IndicatorError,
    Request,
    UnknownIndicator,
    names,
)


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("ema(20)", "ema(20)"),
        (" rsi ", "rsi(14)"),
        ("macd ( 5, 12 , signal = 3 )", "macd(5, 12, 3)"),
        ("bollinger(deviations=2.5)", "bollinger(20, 2.5)"),
        ("bollinger(20, 2)", "bollinger(20, 2)"),
        ("sma()", "sma(20)"),
        ("ema(20, talib)", "ema(20)"),
        ("ema(20, tradingview)", "ema(20, tradingview)"),
        ("ema(compat=tradingview)", "ema(20, tradingview)"),
        ("obv", "obv"),
        ("dmi(7)", "adx(7)"),
    ],
)
def test_a_word_is_read_and_written_with_all_its_parameters(
    word: str, written: str
) -> None:
    assert str(Request.parse(word)) == written


def test_equal_requests_mean_equal_values_however_they_are_written() -> None:
    assert Request.parse("rsi") == Request.parse("rsi(period=14)")
    assert Request.parse("bollinger(20, 2.0)") == Request.parse("bollinger(20,2)")
    assert Request.parse("macd").label == "MACD 12 26 9"


@pytest.mark.parametrize("name", names())
def test_every_indicator_can_be_asked_for_by_what_is_written_of_it(name: str) -> None:
    request = Request.of(name, {})
    assert Request.parse(str(request)) == request


@pytest.mark.parametrize(
    ("word", "error", "part"),
    [
        ("emma(20)", UnknownIndicator, "did you mean 'ema'"),
        ("ema(0)", BadParameter, "a whole number from"),
        ("ema(many)", BadParameter, "'many'"),
        ("ema(lenght=3)", BadParameter, "no parameter"),
        ("sma(1, 2)", BadRequest, "takes 1: period"),
        ("ema(3, period=4)", BadRequest, "says period twice"),
        ("macd(26, 12)", BadParameter, "less than slow"),
        ("ema(20", BadRequest, "such as ema(20)"),
        ("", BadRequest, "such as ema(20)"),
        ("ema(20)(3)", BadRequest, "such as ema(20)"),
    ],
)
def test_what_is_wrong_is_said(
    word: str, error: type[IndicatorError], part: str
) -> None:
    with pytest.raises(error, match=re.escape(part)):
        Request.parse(word)


@given(st.text(max_size=24))
def test_any_text_is_a_request_or_an_error_of_the_indicators(text: str) -> None:
    try:
        request = Request.parse(text)
    except IndicatorError:
        return
    assert Request.parse(str(request)) == request
