"""What a script may answer: nothing, or one action, checked before anything moves.

A wrong action (unknown key, wrong type, NaN, price off the market) is an error of the
script, counted and shown, never sent.
"""

from __future__ import annotations

import math
from enum import StrEnum

from msgspec import Struct

from workstation.model.errors import ScriptError

__all__ = ["Action", "ActionKind", "parse_action", "parse_opportunity"]

# A price this far from the market is a slip of the pen, not an intent.
_FARTHEST = 0.5
# No price or quantity is larger; a float holds it.
_LARGEST = 1e30


class ActionKind(StrEnum):
    """The actions of a script."""

    ENTER_LONG = "enter_long"
    ENTER_SHORT = "enter_short"
    EXIT = "exit"
    UPDATE_STOP_LOSS = "update_stop_loss"
    UPDATE_TAKE_PROFIT = "update_take_profit"
    CANCEL_ANALYSIS = "cancel_analysis"


class Action(Struct, frozen=True, kw_only=True):
    """A checked action; prices and quantities still as the script's floats."""

    kind: ActionKind
    quantity: float | None = None
    price: float | None = None
    stop: float | None = None
    target: float | None = None
    trailing_bps: float | None = None
    reason: str = ""


_ENTRY_KEYS = ("quantity", "price", "stop", "target", "trailing_bps")
_KEYS: dict[ActionKind, tuple[str, ...]] = {
    ActionKind.ENTER_LONG: _ENTRY_KEYS,
    ActionKind.ENTER_SHORT: _ENTRY_KEYS,
    ActionKind.EXIT: (),
    ActionKind.UPDATE_STOP_LOSS: ("stop",),
    ActionKind.UPDATE_TAKE_PROFIT: ("target",),
    ActionKind.CANCEL_ANALYSIS: (),
}
_IN_CLOSE_WATCH = (
    ActionKind.ENTER_LONG,
    ActionKind.ENTER_SHORT,
    ActionKind.CANCEL_ANALYSIS,
)
_IN_TRADE = (
    ActionKind.EXIT,
    ActionKind.UPDATE_STOP_LOSS,
    ActionKind.UPDATE_TAKE_PROFIT,
)


def parse_opportunity(script: str, answer: object) -> dict[str, object] | None:
    """Return the table that ``detect_opportunity`` answered, or None.

    It may hold strings, numbers and bools under string keys; it becomes
    ``context["opportunity"]``.
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
    # A copy: the script may go on changing its own.
    return {
        _text(key): _text(value) if isinstance(value, str) else value
        for key, value in answer.items()
    }


def parse_action(
    script: str, answer: object, *, in_trade: bool, market: float
) -> Action | None:
    """Return the checked action of filter_commitment or manage_position.

    ``market`` is the last close. Raises ScriptError with what would be right.
    """
    if answer is None:
        return None
    where = "manage_position" if in_trade else "filter_commitment"
    legal = _IN_TRADE if in_trade else _IN_CLOSE_WATCH
    choices = ", ".join(legal)
    if not isinstance(answer, dict):
        raise ScriptError(
            script,
            f"{where} must return None or a dict with action, not {_shown(answer)}",
        )
    word = answer.get("action")
    if not isinstance(word, str) or word not in legal:
        raise ScriptError(
            script, f"{where}: action {_shown(word)} is not one of {choices}"
        )
    kind = ActionKind(word)
    allowed = _KEYS[kind]
    for key in answer:
        if key not in allowed and key not in ("action", "reason"):
            names = ", ".join((*allowed, "reason"))
            raise ScriptError(
                script, f"{where}: {kind} takes {names}, not {_shown(key)}"
            )
    numbers = {k: _number(script, kind, k, answer[k]) for k in allowed if k in answer}
    for key in ("price", "stop", "target"):
        value = numbers.get(key)
        if value is not None and abs(value / market - 1) > _FARTHEST:
            raise ScriptError(
                script, f"{where}: {key} {value:g} is off the market at {market:g}"
            )
    if kind in (ActionKind.UPDATE_STOP_LOSS, ActionKind.UPDATE_TAKE_PROFIT) and (
        not numbers
    ):
        raise ScriptError(script, f"{where}: {kind} needs {allowed[0]}")
    _check_sides(script, kind, numbers, market)
    reason = answer.get("reason", "")
    if not isinstance(reason, str):
        raise ScriptError(script, f"{where}: reason must be text: {_shown(reason)}")
    return Action(kind=kind, reason=_text(reason)[:200], **numbers)


def _text(text: str) -> str:
    """Return text that can be written: Python has strings with half a character."""
    return text.encode("utf-8", "backslashreplace").decode()


def _shown(value: object) -> str:
    """Return a plain value as written, of others the kind: no address, no set order."""
    if value is None or isinstance(value, str | int | float | bool):
        return repr(value)[:80]
    return f"a {type(value).__name__}"


def _number(script: str, kind: ActionKind, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScriptError(script, f"{kind}: {key} must be a number: {_shown(value)}")
    if not 0 < value < _LARGEST:
        raise ScriptError(
            script, f"{kind}: {key} must be more than 0 and finite: {_shown(value)}"
        )
    return float(value)


def _check_sides(
    script: str, kind: ActionKind, numbers: dict[str, float], market: float
) -> None:
    if kind is ActionKind.ENTER_LONG:
        sign = 1
    elif kind is ActionKind.ENTER_SHORT:
        sign = -1
    else:
        return
    entry = numbers.get("price", market)
    stop, target = numbers.get("stop"), numbers.get("target")
    if stop is not None and (entry - stop) * sign <= 0:
        side = "below" if sign > 0 else "above"
        raise ScriptError(script, f"{kind}: stop {stop:g} must be {side} {entry:g}")
    if target is not None and (target - entry) * sign <= 0:
        side = "above" if sign > 0 else "below"
        raise ScriptError(script, f"{kind}: target {target:g} must be {side} {entry:g}")
