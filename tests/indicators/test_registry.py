"""Looking indicators up, and what their definitions promise."""

from __future__ import annotations

import math

import pytest

from tests.indicators.series import bar, candles, feed_bars
from workstation import indicators
from workstation.indicators import (
    BadParameter,
    Choice,
    Drawing,
    IndicatorError,
    Pane,
    Param,
    UnknownIndicator,
)

EVERY = pytest.mark.parametrize("name", indicators.names())


def test_the_names_are_listed_in_the_order_of_the_manual() -> None:
    assert indicators.names() == (
        "sma",
        "ema",
        "rma",
        "rsi",
        "macd",
        "bollinger",
        "true_range",
        "atr",
        "vwap",
        "stochastic",
        "adx",
        "donchian",
        "keltner",
        "obv",
        "supertrend",
    )


@EVERY
def test_a_definition_is_complete(name: str) -> None:
    indicator = indicators.get(name)
    assert indicator.name == name
    assert indicator.title
    assert indicator.rule
    assert set(indicator.inputs) <= {"open", "high", "low", "close", "volume"}
    assert len(set(indicator.outputs)) == len(indicator.outputs) > 0
    assert len(indicator.drawings) in {0, len(indicator.outputs)}
    for param in indicator.params:
        assert param.help
        assert param.accepts(param.default)
        if isinstance(param, Param):
            assert param.minimum <= param.default <= param.maximum
        else:
            assert param.default in param.choices
    for other in indicator.also:
        assert other not in indicators.names()
        assert indicators.get(other) is indicator
    assert indicators.get(name) is indicator


@pytest.mark.parametrize(
    ("name", "params", "first"),
    [
        ("sma", {}, 19),
        ("sma", {"period": 1}, 0),
        ("ema", {}, 19),
        ("rsi", {}, 14),
        ("macd", {}, 33),
        ("macd", {"fast": 3, "slow": 5, "signal": 1}, 4),
        ("macd", {"compat": "tradingview"}, 33),
        ("bollinger", {"period": 10, "deviations": 1.5}, 9),
        ("ema", {"compat": "tradingview"}, 0),
        ("rma", {}, 13),
        ("true_range", {}, 1),
        ("atr", {}, 14),
        ("atr", {"compat": "tradingview"}, 13),
        ("vwap", {}, 0),
        ("stochastic", {}, 17),
        ("adx", {}, 27),
        ("donchian", {}, 19),
        ("keltner", {}, 19),
        ("keltner", {"period": 5, "atr_period": 20}, 20),
        ("obv", {}, 0),
        ("supertrend", {}, 10),
        ("supertrend", {"compat": "tradingview"}, 9),
    ],
)
def test_the_warmup_is_the_index_of_the_first_value(
    name: str, params: dict[str, float | str], first: int
) -> None:
    assert indicators.get(name).warmup(**params) == first


def test_an_unknown_name_is_answered_with_the_nearest_and_all_known() -> None:
    with pytest.raises(UnknownIndicator, match="did you mean 'bollinger'") as caught:
        indicators.get("bolinger")
    assert caught.value.name == "bolinger"
    assert caught.value.known == indicators.names()
    assert "sma, ema, rma, rsi, macd, bollinger" in str(caught.value)
    with pytest.raises(UnknownIndicator) as caught:
        indicators.get("zzz")
    assert "did you mean" not in str(caught.value)
    assert isinstance(caught.value, IndicatorError)


PARAMS = [
    (name, param)
    for name in indicators.names()
    for param in indicators.get(name).params
]


@pytest.mark.parametrize(
    ("name", "param"), PARAMS, ids=[f"{name} {param.name}" for name, param in PARAMS]
)
def test_a_value_outside_the_range_is_refused_by_every_way_in(
    name: str, param: Param | Choice
) -> None:
    indicator = indicators.get(name)
    wrong: tuple[object, ...] = ("20", None, True, math.nan, 10**6, -1)
    if isinstance(param, Param):
        wrong = (param.minimum - 1, param.maximum + 1, *wrong)
    for value in wrong:
        for way in (indicator.stream, indicator.warmup, indicator.resolve):
            with pytest.raises(BadParameter) as caught:
                way(**{param.name: value})
            error = caught.value
            assert (error.indicator, error.name) == (name, param.name)
            assert error.value is value
            assert error.allowed == param.allowed
            assert f"{param.name} = {value!r} must be {param.allowed}" in str(error)
        with pytest.raises(BadParameter):
            indicator.batch({}, **{param.name: value})


def test_a_whole_number_is_required_where_one_is_meant() -> None:
    with pytest.raises(BadParameter, match="a whole number from 1 to 5000"):
        indicators.get("sma").stream(period=20.0)
    values = indicators.get("bollinger").resolve(deviations=2)
    assert values == {"period": 20, "deviations": 2.0}
    assert type(values["deviations"]) is float


def test_an_unknown_parameter_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadParameter, match=r"no parameter 'perod'; did you mean"):
        indicators.get("rsi").stream(perod=3)


@pytest.mark.parametrize("fast", [26, 27])
def test_a_fast_average_must_be_faster_than_the_slow_one(fast: int) -> None:
    with pytest.raises(BadParameter, match=r"less than slow \(26\)") as caught:
        indicators.get("macd").stream(fast=fast)
    assert (caught.value.name, caught.value.value) == ("fast", fast)


def test_resolved_parameters_do_not_depend_on_how_they_were_written() -> None:
    macd = indicators.get("macd")
    written = macd.resolve(signal=9, fast=12)
    assert list(written.items()) == list(macd.resolve().items())


def test_a_wrong_word_is_answered_with_the_words_there_are() -> None:
    with pytest.raises(BadParameter, match="must be talib or tradingview"):
        indicators.get("atr").stream(compat="metatrader")


def test_resolved_parameters_are_shown_short() -> None:
    for name, params, label in (
        ("bollinger", {}, "20 2"),
        ("atr", {}, "14"),
        ("atr", {"compat": "tradingview"}, "14 tradingview"),
        ("vwap", {"anchor": "none"}, "none 0"),
        ("true_range", {}, ""),
    ):
        indicator = indicators.get(name)
        assert indicator.label(indicator.resolve(**params)) == label


def test_a_chart_can_draw_every_indicator_from_its_definition() -> None:
    drawn = {
        (name, output): indicators.get(name).drawing(output)
        for name in indicators.names()
        for output in indicators.get(name).outputs
    }
    assert {
        key: style for key, style in drawn.items() if style is not Drawing.LINE
    } == {
        ("macd", "histogram"): Drawing.HISTOGRAM,
        ("adx", "dx"): Drawing.HIDDEN,
        ("supertrend", "supertrend"): Drawing.DOTS,
        ("supertrend", "direction"): Drawing.HIDDEN,
    }
    # Nothing that is no price may be drawn over prices.
    assert {n for n in indicators.names() if indicators.get(n).pane is Pane.PRICE} == {
        "sma",
        "ema",
        "rma",
        "bollinger",
        "vwap",
        "donchian",
        "keltner",
        "supertrend",
    }


@pytest.mark.parametrize("name", ["rsi", "stochastic", "adx"])
def test_an_indicator_stays_within_its_bounds(name: str) -> None:
    indicator = indicators.get(name)
    assert indicator.bounds == (0.0, 100.0)
    rising = [bar(float(i)) for i in range(1, 60)]
    for series in (rising, rising[::-1], candles(200, seed=13)):
        for row in feed_bars(indicator.stream(), series):
            for value in row or ():
                assert math.isnan(value) or 0.0 <= value <= 100.0
