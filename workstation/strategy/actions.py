"""What a script may answer: nothing, or one action, checked before anything moves.

A wrong action (unknown key, wrong type, NaN, price off the market, an entry that does
not fit the position) is an error of the script, counted and shown, never sent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, get_args

from msgspec import Struct

from workstation.model.errors import ScriptError

__all__ = [
    "Action",
    "ActionKind",
    "Asked",
    "SizeMode",
    "parse_action",
    "parse_opportunity",
]

# A price this far from the market is a slip of the pen, not an intent.
_FARTHEST = 0.5
# No price or quantity is larger; a float holds it.
_LARGEST = 1e30
# A year; who wants longer leaves it out.
_LONGEST_S = 31_536_000

SizeMode = Literal["quantity", "notional", "equity", "risk"]
_SIZE_MODES = get_args(SizeMode)
_ORDER_TYPES = ("market", "limit", "post_only", "stop", "stop_limit")
_PRICED = ("limit", "post_only", "stop_limit")
_STOPS = ("stop", "stop_limit")
_TIME = "time_in_force"
_TIMES_IN_FORCE = ("GTC", "IOC", "FOK", "GTD")


class ActionKind(StrEnum):
    """The actions of a script."""

    ENTER_LONG = "enter_long"
    ENTER_SHORT = "enter_short"
    EXIT = "exit"
    UPDATE_STOP_LOSS = "update_stop_loss"
    UPDATE_TAKE_PROFIT = "update_take_profit"
    CANCEL_ENTRY = "cancel_entry"
    CANCEL_ANALYSIS = "cancel_analysis"


class Action(Struct, frozen=True, kw_only=True):
    """A checked action; prices and quantities still as the script's floats.

    ``order_type`` and ``time_in_force`` are always set for what makes an order.
    """

    kind: ActionKind
    quantity: float | None = None
    size: float | None = None
    size_mode: SizeMode | None = None
    order_type: str = "market"
    price: float | None = None
    trigger: float | None = None
    time_in_force: str = "GTC"
    good_for_s: float | None = None
    stop: float | None = None
    target: float | None = None
    trailing_bps: float | None = None
    add: bool = False
    reverse: bool = False
    loosen: bool = False
    reason: str = ""


class Asked(Struct, frozen=True, kw_only=True):
    """On what a script was asked: what its answer is judged against.

    ``market`` is the price now, ``position`` the signed quantity, ``size_mode`` what a
    size means that the action does not say.
    """

    in_trade: bool
    market: float
    position: float = 0.0
    size_mode: SizeMode = "equity"


_ORDER_KEYS = ("order_type", "price", "trigger", "time_in_force", "good_for_s")
_ENTRY_KEYS = (
    "quantity",
    "size",
    "size_mode",
    *_ORDER_KEYS,
    "stop",
    "target",
    "trailing_bps",
    "add",
    "reverse",
)
_ENTRIES = (ActionKind.ENTER_LONG, ActionKind.ENTER_SHORT)
_KEYS: dict[ActionKind, tuple[str, ...]] = {
    ActionKind.ENTER_LONG: _ENTRY_KEYS,
    ActionKind.ENTER_SHORT: _ENTRY_KEYS,
    ActionKind.EXIT: ("quantity", *_ORDER_KEYS),
    ActionKind.UPDATE_STOP_LOSS: ("stop", "trailing_bps", "loosen"),
    ActionKind.UPDATE_TAKE_PROFIT: ("target",),
    ActionKind.CANCEL_ENTRY: (),
    ActionKind.CANCEL_ANALYSIS: (),
}
_WORDS = {
    "size_mode": _SIZE_MODES,
    "order_type": _ORDER_TYPES,
    _TIME: _TIMES_IN_FORCE,
}
_FLAGS = ("add", "reverse", "loosen")
_IN_CLOSE_WATCH = (*_ENTRIES, ActionKind.CANCEL_ANALYSIS)
_IN_TRADE = (
    ActionKind.EXIT,
    ActionKind.UPDATE_STOP_LOSS,
    ActionKind.UPDATE_TAKE_PROFIT,
    ActionKind.CANCEL_ENTRY,
    *_ENTRIES,
)


def parse_opportunity(script: str, answer: object) -> dict[str, object] | None:
    """Return the table that ``detect_opportunity`` answered, or None.

    It may hold strings, numbers and bools under string keys; it becomes
    ``context["opportunity"]``. An ``action`` in it can only be ``start_analyzing``.
    """
    if answer is None:
        return None
    where = "detect_opportunity"
    if not isinstance(answer, dict):
        raise ScriptError(
            script, f"{where} must return None or a dict, not {_shown(answer)}"
        )
    for key, value in answer.items():
        if not isinstance(key, str) or not isinstance(value, str | int | float | bool):
            raise ScriptError(
                script,
                f"{where}: {_shown(key)}: {_shown(value)} is no text, number or bool",
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise ScriptError(script, f"{where}: {key} is {value}")
        if key == "action" and value != "start_analyzing":
            raise ScriptError(
                script, f"{where}: action {_shown(value)} is not start_analyzing"
            )
    # A copy: the script may go on changing its own.
    return {
        _text(key): _text(value) if isinstance(value, str) else value
        for key, value in answer.items()
    }


def parse_action(script: str, answer: object, asked: Asked) -> Action | None:
    """Return the checked action of filter_commitment or manage_position.

    Raises ScriptError with what would be right.
    """
    if answer is None:
        return None
    where = "manage_position" if asked.in_trade else "filter_commitment"
    legal = _IN_TRADE if asked.in_trade else _IN_CLOSE_WATCH
    if not isinstance(answer, dict):
        raise ScriptError(
            script,
            f"{where} must return None or a dict with action, not {_shown(answer)}",
        )
    word = answer.get("action")
    if not isinstance(word, str) or word not in legal:
        raise ScriptError(
            script,
            f"{where}: action {_shown(word)} is not one of {', '.join(legal)}",
        )
    kind = ActionKind(word)
    allowed = _KEYS[kind]
    for key in answer:
        if key not in allowed and key not in ("action", "reason"):
            names = ", ".join((*allowed, "reason"))
            raise ScriptError(
                script, f"{where}: {kind} takes {names}, not {_shown(key)}"
            )
    values = {k: _value(script, kind, k, answer[k]) for k in allowed if k in answer}
    for key in ("price", "trigger", "stop", "target"):
        value = values.get(key)
        if value is not None and abs(value / asked.market - 1) > _FARTHEST:
            raise ScriptError(
                script,
                f"{where}: {key} {value:g} is off the market at {asked.market:g}",
            )
    try:
        _check(kind, values, asked)
    except ValueError as error:
        raise ScriptError(script, f"{kind}: {error}") from error
    reason = answer.get("reason", "")
    if not isinstance(reason, str):
        raise ScriptError(script, f"{where}: reason must be text: {_shown(reason)}")
    return Action(kind=kind, reason=_text(reason)[:200], **values)


def _text(text: str) -> str:
    """Return text that can be written: Python has strings with half a character."""
    return text.encode("utf-8", "backslashreplace").decode()


def _shown(value: object) -> str:
    """Return a plain value as written, of others the kind: no address, no set order."""
    if value is None or isinstance(value, str | int | float | bool):
        return repr(value)[:80]
    return f"a {type(value).__name__}"


# Any: what it returns is of the type of the key, which Action names.
def _value(script: str, kind: ActionKind, key: str, value: object) -> Any:
    words = _WORDS.get(key)
    if words is not None:
        wanted = value.upper() if isinstance(value, str) and key == _TIME else value
        if not isinstance(wanted, str) or wanted not in words:
            raise ScriptError(
                script,
                f"{kind}: {key} {_shown(value)} is not one of {', '.join(words)}",
            )
        return words[words.index(wanted)]
    if key in _FLAGS:
        if not isinstance(value, bool):
            raise ScriptError(
                script, f"{kind}: {key} must be true or false: {_shown(value)}"
            )
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScriptError(script, f"{kind}: {key} must be a number: {_shown(value)}")
    if not 0 < value < _LARGEST:
        raise ScriptError(
            script, f"{kind}: {key} must be more than 0 and finite: {_shown(value)}"
        )
    return float(value)


def _check(kind: ActionKind, values: dict[str, Any], asked: Asked) -> None:
    """Check keys against one another; raises ValueError with what would be right."""
    if kind is ActionKind.UPDATE_STOP_LOSS:
        if "stop" not in values and "trailing_bps" not in values:
            raise ValueError("it needs stop or trailing_bps")
    elif kind is ActionKind.UPDATE_TAKE_PROFIT:
        if "target" not in values:
            raise ValueError("it needs target")
    elif kind is ActionKind.EXIT:
        _check_order(values, asked.market, -1 if asked.position > 0 else 1)
    elif kind in _ENTRIES:
        sign = 1 if kind is ActionKind.ENTER_LONG else -1
        _check_order(values, asked.market, sign)
        _check_size(values, asked.size_mode)
        _check_joining(values, asked, sign)
        _check_sides(values, asked.market, sign)


def _check_order(values: dict[str, Any], market: float, sign: int) -> None:
    """Complete and check what kind of order is wanted; ``sign`` is 1 where it buys."""
    priced, waits = "price" in values, "trigger" in values
    default = ("stop_limit" if waits else "limit") if priced else "market"
    wanted = values.setdefault(
        "order_type", "stop" if waits and not priced else default
    )
    if wanted not in _PRICED and priced:
        other = "stop_limit" if wanted == "stop" else "limit"
        raise ValueError(
            f"a {wanted} order has no price; say {other}, or leave price out"
        )
    if wanted in _PRICED and not priced:
        raise ValueError(f"a {wanted} order needs a price")
    if wanted not in _STOPS and waits:
        raise ValueError(
            f"a {wanted} order has no trigger; say stop or stop_limit, or leave "
            "trigger out"
        )
    if wanted in _STOPS:
        _check_trigger(wanted, values, market, sign)
    timed = "good_for_s" in values
    until = values.setdefault("time_in_force", "GTD" if timed else "GTC")
    if (until == "GTD") is not timed:
        raise ValueError("good_for_s and time_in_force GTD need each other")
    if timed and values["good_for_s"] > _LONGEST_S:
        raise ValueError(f"good_for_s must be at most {_LONGEST_S}, a year")
    if wanted == "market" and until == "GTD":
        raise ValueError("a market order does not wait; GTD is for limit, post_only")
    if wanted == "post_only" and until in ("IOC", "FOK"):
        raise ValueError(f"a post_only order never takes, so it cannot be {until}")
    if wanted == "stop" and until in ("IOC", "FOK"):
        raise ValueError(f"a stop order waits, so it cannot be {until}; stop_limit can")


def _check_trigger(
    wanted: str, values: Mapping[str, Any], market: float, sign: int
) -> None:
    """Check that a stop has a trigger which is not met already."""
    trigger = values.get("trigger")
    if trigger is None:
        raise ValueError(f"a {wanted} order needs a trigger")
    if (trigger - market) * sign <= 0:
        side, where = ("buys", "above") if sign > 0 else ("sells", "below")
        raise ValueError(
            f"trigger {trigger:g} is met already: a stop that {side} waits {where} "
            f"the market at {market:g}"
        )


def _check_size(values: dict[str, Any], size_mode: SizeMode) -> None:
    if "quantity" in values:
        if "size" in values or "size_mode" in values:
            raise ValueError("quantity, or size with size_mode, not both")
        return
    if "size_mode" in values and "size" not in values:
        raise ValueError("size_mode needs a size beside it")
    if values.get("size_mode", size_mode) == "risk" and "stop" not in values:
        raise ValueError("size_mode risk needs a stop: the size is what is lost there")


def _check_joining(values: dict[str, Any], asked: Asked, sign: int) -> None:
    """Check that an entry fits what is held: none of it, or as it is asked."""
    add, reverse = values.get("add", False), values.get("reverse", False)
    if not asked.in_trade:
        if add or reverse:
            raise ValueError("add and reverse are for manage_position")
        return
    held = asked.position
    word = "long" if held > 0 else "short"
    if add and reverse:
        raise ValueError("add, or reverse, not both")
    if not add and not reverse:
        raise ValueError(
            f"the row holds {held:g}; ask for add or reverse to enter while in trade"
        )
    if not held:
        raise ValueError("nothing is held to add to or reverse; cancel_entry first")
    if add and held * sign < 0:
        raise ValueError(f"the row is {word}; add to that side, or reverse")
    if reverse and held * sign > 0:
        raise ValueError(f"the row is {word} already; add to it")


def _check_sides(values: Mapping[str, Any], market: float, sign: int) -> None:
    entry = values.get("price", values.get("trigger", market))
    stop, target = values.get("stop"), values.get("target")
    if stop is not None and (entry - stop) * sign <= 0:
        side = "below" if sign > 0 else "above"
        raise ValueError(f"stop {stop:g} must be {side} {entry:g}")
    if target is not None and (target - entry) * sign <= 0:
        side = "above" if sign > 0 else "below"
        raise ValueError(f"target {target:g} must be {side} {entry:g}")
