"""Looking indicators up, and what their definitions promise."""

from __future__ import annotations

import math

import pytest

from workstation import indicators
from workstation.indicators import BadParameter, IndicatorError, UnknownIndicator

EVERY = pytest.mark.parametrize("name", indicators.names())


def test_the_names_are_listed_in_the_order_of_the_manual() -> None:
    assert indicators.names() == ("sma", "ema", "rsi", "macd", "bollinger")


@EVERY
def test_a_definition_is_complete(name: str) -> None:
    indicator = indicators.get(name)
    assert indicator.name == name
    assert indicator.title
    assert indicator.rule
    assert indicator.inputs == ("close",)
    assert len(set(indicator.outputs)) == len(indicator.outputs) > 0
    assert indicator.params
    for param in indicator.params:
        assert param.help
        assert param.minimum <= param.default <= param.maximum
        assert param.accepts(param.default)
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
        ("bollinger", {"period": 10, "deviations": 1.5}, 9),
    ],
)
def test_the_warmup_is_the_index_of_the_first_value(
    name: str, params: dict[str, float], first: int
) -> None:
    assert indicators.get(name).warmup(**params) == first


def test_an_unknown_name_is_answered_with_the_nearest_and_all_known() -> None:
    with pytest.raises(UnknownIndicator, match="did you mean 'bollinger'") as caught:
        indicators.get("bolinger")
    assert caught.value.name == "bolinger"
    assert caught.value.known == indicators.names()
    assert "sma, ema, rsi, macd, bollinger" in str(caught.value)
    with pytest.raises(UnknownIndicator) as caught:
        indicators.get("zzz")
    assert "did you mean" not in str(caught.value)
    assert isinstance(caught.value, IndicatorError)


@EVERY
def test_a_value_outside_the_range_is_refused_by_every_way_in(name: str) -> None:
    indicator = indicators.get(name)
    param = indicator.params[0]
    for value in (param.minimum - 1, param.maximum + 1, "20", None, True, math.nan):
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
