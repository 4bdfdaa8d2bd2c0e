"""Answers of scripts: what is legal is taken as it is, the rest named."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.model.errors import ScriptError
from workstation.strategy.actions import (
    Action,
    ActionKind,
    parse_action,
    parse_opportunity,
)

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sets(st.text(max_size=2), max_size=3)
    | st.builds(object),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["action", "stop", "target", "price", "quantity", "reason"])
            | st.text(max_size=3),
            inner | st.sampled_from(list(ActionKind)),
            max_size=4,
        )
    ),
    max_leaves=8,
)


def test_nothing_is_an_answer() -> None:
    assert parse_opportunity("s.py", None) is None
    assert parse_action("s.py", None, in_trade=False, market=100.0) is None


def test_an_entry_is_taken_with_its_figures() -> None:
    answer = {
        "action": "enter_long",
        "quantity": 2,
        "price": 99.5,
        "stop": 98,
        "target": 105.0,
        "trailing_bps": 50,
        "reason": "why",
    }
    assert parse_action("s.py", answer, in_trade=False, market=100.0) == Action(
        kind=ActionKind.ENTER_LONG,
        quantity=2.0,
        price=99.5,
        stop=98.0,
        target=105.0,
        trailing_bps=50.0,
        reason="why",
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (5, "filter_commitment must return None or a dict with action, not 5"),
        ({"b", "a"}, "not a set"),
        (object(), "not a object"),
        ({}, "action None is not one of enter_long, enter_short, cancel_analysis"),
        ({"action": "exit"}, "action 'exit' is not one of"),
        ({"action": ["exit"]}, "action a list is not one of"),
        ({"action": "enter_long", "stopp": 1}, "takes quantity, price, stop, target"),
        ({"action": "cancel_analysis", "stop": 1}, "cancel_analysis takes reason"),
        ({"action": "enter_long", "stop": "99"}, "stop must be a number: '99'"),
        ({"action": "enter_long", "stop": True}, "stop must be a number: True"),
        ({"action": "enter_long", "stop": None}, "stop must be a number: None"),
        ({"action": "enter_long", "stop": math.nan}, "must be more than 0 and finite"),
        ({"action": "enter_long", "stop": math.inf}, "must be more than 0 and finite"),
        ({"action": "enter_long", "quantity": 10**400}, "more than 0 and finite"),
        ({"action": "enter_long", "quantity": -1}, "more than 0 and finite: -1"),
        ({"action": "enter_long", "quantity": 0}, "more than 0 and finite: 0"),
        ({"action": "enter_long", "price": 151}, "price 151 is off the market at 100"),
        ({"action": "enter_long", "price": 49}, "price 49 is off the market at 100"),
        ({"action": "enter_long", "stop": 0.9}, "stop 0.9 is off the market"),
        ({"action": "enter_long", "stop": 101}, "stop 101 must be below 100"),
        ({"action": "enter_long", "target": 99}, "target 99 must be above 100"),
        ({"action": "enter_short", "stop": 99}, "stop 99 must be above 100"),
        ({"action": "enter_short", "target": 101}, "target 101 must be below 100"),
        (
            {"action": "enter_long", "price": 98, "stop": 99},
            "stop 99 must be below 98",
        ),
        ({"action": "enter_long", "reason": 5}, "reason must be text: 5"),
    ],
)
def test_a_wrong_answer_in_close_watch_is_named(answer: object, said: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_action("s.py", answer, in_trade=False, market=100.0)
    assert str(caught.value).startswith("s.py: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"action": "enter_long"}, "manage_position: action 'enter_long' is not one"),
        ({"action": "update_stop_loss"}, "update_stop_loss needs stop"),
        ({"action": "update_take_profit"}, "update_take_profit needs target"),
        (
            {"action": "update_stop_loss", "target": 1},
            "takes stop, reason, not 'target'",
        ),
        ({"action": "update_stop_loss", "stop": 500}, "off the market"),
        ({"action": "exit", "quantity": 1}, "exit takes reason, not 'quantity'"),
    ],
)
def test_a_wrong_answer_in_trade_is_named(answer: object, said: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_action("s.py", answer, in_trade=True, market=100.0)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (True, "detect_opportunity must return None or a dict, not True"),
        ({"x": [1]}, "'x': a list is no text, number or bool"),
        ({1: 1}, "1: 1 is no text"),
        ({"x": None}, "'x': None is no text"),
        ({"x": math.nan}, "x is nan"),
        ({"x": -math.inf}, "x is -inf"),
    ],
)
def test_a_wrong_opportunity_is_named(answer: object, said: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_opportunity("s.py", answer)
    assert said in str(caught.value)


def test_the_opportunity_is_a_copy() -> None:
    answer: dict[str, object] = {"signal": "cross"}
    taken = parse_opportunity("s.py", answer)
    answer["signal"] = "changed"
    assert taken == {"signal": "cross"}


def test_text_that_cannot_be_written_is_made_so() -> None:
    answer = {"action": "cancel_analysis", "reason": "a\ud800"}
    action = parse_action("s.py", answer, in_trade=False, market=100.0)
    assert action is not None
    assert action.reason == "a\\ud800"
    assert parse_opportunity("s.py", {"k\ud800": "\udfff"}) == {"k\\ud800": "\\udfff"}


@given(ANYTHING, st.booleans(), st.floats(0.01, 1e6))
def test_any_answer_is_either_an_action_or_a_script_error(
    answer: object, in_trade: bool, market: float
) -> None:
    said = ""
    try:
        action = parse_action("s.py", answer, in_trade=in_trade, market=market)
    except ScriptError as error:
        said = str(error)
    assert " at 0x" not in said
    if said:
        return
    if action is None:
        assert answer is None
        return
    for value in (action.price, action.stop, action.target):
        assert value is None or abs(value / market - 1) <= 0.5
    assert action.quantity is None or 0 < action.quantity < math.inf


@given(ANYTHING)
def test_any_opportunity_is_either_plain_or_a_script_error(answer: object) -> None:
    said = ""
    taken = None
    try:
        taken = parse_opportunity("s.py", answer)
    except ScriptError as error:
        said = str(error)
    assert " at 0x" not in said
    if taken is not None:
        assert all(isinstance(v, str | int | float | bool) for v in taken.values())
        assert all(math.isfinite(v) for v in taken.values() if isinstance(v, float))
