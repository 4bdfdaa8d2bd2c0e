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
    Asked,
    parse_action,
    parse_opportunity,
)

CLOSE_WATCH = Asked(in_trade=False, market=100.0)
LONG = Asked(in_trade=True, market=100.0, position=2.0)
SHORT = Asked(in_trade=True, market=100.0, position=-2.0)

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
            st.sampled_from(
                ["action", "stop", "target", "price", "trigger", "quantity", "reason"]
            )
            | st.text(max_size=3),
            inner | st.sampled_from(list(ActionKind)),
            max_size=4,
        )
    ),
    max_leaves=8,
)


def test_nothing_is_an_answer() -> None:
    assert parse_opportunity("s.py", None) is None
    assert parse_action("s.py", None, CLOSE_WATCH) is None


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
    assert parse_action("s.py", answer, CLOSE_WATCH) == Action(
        kind=ActionKind.ENTER_LONG,
        quantity=2.0,
        order_type="limit",
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
        (
            {"action": "enter_long", "stopp": 1},
            "takes quantity, size, size_mode, order_type",
        ),
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
        ({"action": "enter_long", "add": True}, "are for manage_position"),
        ({"action": "enter_long", "reverse": "yes"}, "must be true or false: 'yes'"),
        ({"action": "enter_long", "size_mode": "all"}, "size_mode 'all' is not one of"),
        ({"action": "enter_long", "size_mode": ["risk"]}, "size_mode a list is not"),
        ({"action": "enter_long", "size_mode": "risk"}, "size_mode needs a size"),
        (
            {"action": "enter_long", "size": 0.01, "size_mode": "risk"},
            "size_mode risk needs a stop",
        ),
        ({"action": "enter_long", "size": 1, "quantity": 1}, "not both"),
        ({"action": "enter_long", "order_type": "touch"}, "is not one of market, limi"),
        (
            {"action": "enter_long", "order_type": "stop"},
            "a stop order needs a trigger",
        ),
        (
            {"action": "enter_long", "order_type": "stop_limit", "trigger": 105},
            "a stop_limit order needs a price",
        ),
        (
            {"action": "enter_long", "order_type": "stop", "trigger": 9, "price": 9},
            "off the market",
        ),
        (
            {
                "action": "enter_long",
                "order_type": "stop",
                "trigger": 105,
                "price": 105,
            },
            "a stop order has no price; say stop_limit, or leave price out",
        ),
        (
            {
                "action": "enter_long",
                "order_type": "limit",
                "trigger": 105,
                "price": 105,
            },
            "a limit order has no trigger; say stop or stop_limit, or leave trigger",
        ),
        (
            {"action": "enter_long", "trigger": 100},
            "trigger 100 is met already: a stop that buys waits above the market",
        ),
        (
            {"action": "enter_short", "trigger": 101},
            "trigger 101 is met already: a stop that sells waits below the market",
        ),
        (
            {"action": "enter_long", "trigger": 105, "time_in_force": "IOC"},
            "a stop order waits, so it cannot be IOC; stop_limit can",
        ),
        (
            {"action": "enter_long", "trigger": 105, "stop": 106},
            "stop 106 must be below 105",
        ),
        ({"action": "enter_long", "order_type": "post_only"}, "post_only order needs"),
        (
            {"action": "enter_long", "order_type": "market", "price": 99},
            "a market order has no price",
        ),
        ({"action": "enter_long", "time_in_force": "day"}, "'day' is not one of GTC"),
        ({"action": "enter_long", "price": 99, "time_in_force": "GTD"}, "need each ot"),
        (
            {
                "action": "enter_long",
                "price": 99,
                "time_in_force": "IOC",
                "good_for_s": 9,
            },
            "good_for_s and time_in_force GTD need each other",
        ),
        ({"action": "enter_long", "good_for_s": 9}, "a market order does not wait"),
        ({"action": "enter_long", "price": 99, "good_for_s": 1e9}, "at most 31536000"),
        (
            {
                "action": "enter_long",
                "price": 99,
                "order_type": "post_only",
                "time_in_force": "fok",
            },
            "a post_only order never takes, so it cannot be FOK",
        ),
    ],
)
def test_a_wrong_answer_in_close_watch_is_named(answer: object, said: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_action("s.py", answer, CLOSE_WATCH)
    assert str(caught.value).startswith("s.py: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"action": "cancel_analysis"}, "action 'cancel_analysis' is not one of exit"),
        ({"action": "start_analyzing"}, "action 'start_analyzing' is not one of exit"),
        ({"action": "update_stop_loss"}, "it needs stop or trailing_bps"),
        ({"action": "update_stop_loss", "loosen": True}, "it needs stop or trailing"),
        ({"action": "update_stop_loss", "stop": 99, "loosen": 1}, "true or false: 1"),
        ({"action": "update_take_profit"}, "update_take_profit: it needs target"),
        (
            {"action": "update_stop_loss", "target": 1},
            "takes stop, trailing_bps, loosen, reason, not 'target'",
        ),
        ({"action": "exit", "order_type": "limit"}, "exit: a limit order needs a pric"),
        ({"action": "exit", "stop": 99}, "exit takes quantity, order_type, price"),
        ({"action": "cancel_entry", "price": 99}, "cancel_entry takes reason, not 'pr"),
        ({"action": "enter_long"}, "the row holds 2; ask for add or reverse to enter"),
        ({"action": "enter_short", "add": True}, "the row is long; add to that side"),
        ({"action": "enter_long", "reverse": True}, "the row is long already; add to"),
        (
            {"action": "enter_long", "add": True, "reverse": True},
            "add, or reverse, not both",
        ),
        ({"action": "update_stop_loss", "stop": 500}, "off the market"),
    ],
)
def test_a_wrong_answer_in_trade_is_named(answer: object, said: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_action("s.py", answer, LONG)
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
        ({"action": "enter_long"}, "action 'enter_long' is not start_analyzing"),
    ],
)
def test_a_wrong_opportunity_is_named(answer: object, said: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_opportunity("s.py", answer)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "answer", "expected"),
    [
        (
            LONG,
            {"action": "enter_long", "add": True, "size": 0.5, "stop": 90},
            {"add": True, "size": 0.5, "stop": 90.0},
        ),
        (
            SHORT,
            {"action": "enter_long", "reverse": True, "price": 99, "good_for_s": 30},
            {
                "reverse": True,
                "price": 99.0,
                "order_type": "limit",
                "time_in_force": "GTD",
                "good_for_s": 30.0,
            },
        ),
        (
            CLOSE_WATCH,
            {"action": "enter_long", "price": 99, "order_type": "post_only"},
            {"price": 99.0, "order_type": "post_only"},
        ),
        (
            CLOSE_WATCH,
            {"action": "enter_long", "trigger": 105, "stop": 101, "good_for_s": 60},
            {
                "trigger": 105.0,
                "order_type": "stop",
                "stop": 101.0,
                "time_in_force": "GTD",
                "good_for_s": 60.0,
            },
        ),
        (
            CLOSE_WATCH,
            {"action": "enter_long", "trigger": 105, "price": 106},
            {"trigger": 105.0, "order_type": "stop_limit", "price": 106.0},
        ),
        (
            CLOSE_WATCH,
            {"action": "enter_long", "time_in_force": "ioc"},
            {"time_in_force": "IOC"},
        ),
    ],
)
def test_an_entry_may_add_reverse_wait_or_rest(
    asked: Asked, answer: object, expected: dict[str, object]
) -> None:
    action = parse_action("s.py", answer, asked)
    assert action == Action(kind=ActionKind.ENTER_LONG, **expected)  # type: ignore[arg-type]


def test_an_exit_may_be_a_part_at_a_price() -> None:
    answer = {"action": "exit", "quantity": 1, "price": 101, "reason": "half"}
    assert parse_action("s.py", answer, LONG) == Action(
        kind=ActionKind.EXIT,
        quantity=1.0,
        price=101.0,
        order_type="limit",
        reason="half",
    )


def test_nothing_can_be_added_before_anything_is_held() -> None:
    asked = Asked(in_trade=True, market=100.0)
    with pytest.raises(ScriptError, match="nothing is held to add to or reverse"):
        parse_action("s.py", {"action": "enter_long", "add": True}, asked)


def test_a_size_by_risk_of_the_settings_needs_a_stop_too() -> None:
    asked = Asked(in_trade=False, market=100.0, size_mode="risk")
    with pytest.raises(ScriptError, match="size_mode risk needs a stop"):
        parse_action("s.py", {"action": "enter_long"}, asked)
    answer = {"action": "enter_long", "quantity": 1}
    assert parse_action("s.py", answer, asked) is not None


def test_start_analyzing_is_an_opportunity() -> None:
    answer = {"action": "start_analyzing", "reason": "cross"}
    assert parse_opportunity("s.py", answer) == answer


def test_the_opportunity_is_a_copy() -> None:
    answer: dict[str, object] = {"signal": "cross"}
    taken = parse_opportunity("s.py", answer)
    answer["signal"] = "changed"
    assert taken == {"signal": "cross"}


def test_text_that_cannot_be_written_is_made_so() -> None:
    answer = {"action": "cancel_analysis", "reason": "a\ud800"}
    action = parse_action("s.py", answer, CLOSE_WATCH)
    assert action is not None
    assert action.reason == "a\\ud800"
    assert parse_opportunity("s.py", {"k\ud800": "\udfff"}) == {"k\\ud800": "\\udfff"}


@pytest.mark.parametrize(
    ("asked", "trigger", "met"), [(LONG, 95, 105), (SHORT, 105, 95)]
)
def test_an_exit_may_wait_for_a_trigger_on_the_losing_side(
    asked: Asked, trigger: float, met: float
) -> None:
    action = parse_action("s.py", {"action": "exit", "trigger": trigger}, asked)
    assert action == Action(
        kind=ActionKind.EXIT, order_type="stop", trigger=float(trigger)
    )
    with pytest.raises(ScriptError, match="is met already"):
        parse_action("s.py", {"action": "exit", "trigger": met}, asked)


@given(ANYTHING, st.booleans(), st.floats(0.01, 1e6))
def test_any_answer_is_either_an_action_or_a_script_error(
    answer: object, in_trade: bool, market: float
) -> None:
    said = ""
    try:
        asked = Asked(in_trade=in_trade, market=market, position=1.0)
        action = parse_action("s.py", answer, asked)
    except ScriptError as error:
        said = str(error)
    assert " at 0x" not in said
    if said:
        return
    if action is None:
        assert answer is None
        return
    for value in (action.price, action.trigger, action.stop, action.target):
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
