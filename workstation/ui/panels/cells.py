"""How figures of frames become cells: short ages, states with their glyphs, tints."""

from __future__ import annotations

import math
from decimal import Decimal

from workstation.model.orders import OrderStatus
from workstation.model.states import SymbolState
from workstation.ui.glyphs import UNICODE
from workstation.ui.typeset import MINUS, NONE, age, percent, quantity
from workstation.ui.widgets.inks import Part

__all__ = [
    "order_state",
    "short_age",
    "short_size",
    "short_why",
    "signed",
    "spaced_age",
    "state_cell",
    "state_ink",
    "stop_cell",
    "used_percent",
    "used_text",
]

_S = 1_000_000_000
_STATES: dict[SymbolState, tuple[str, str]] = {
    SymbolState.WATCH: (UNICODE.watch, "state-watch"),
    SymbolState.CLOSE_WATCH: (UNICODE.close_watch, "state-close-watch"),
    SymbolState.IN_TRADE: (UNICODE.in_trade, "state-in-trade"),
}
_ORDER_STATES = {
    OrderStatus.ACCEPTED: "open",
    OrderStatus.PARTIALLY_FILLED: "part",
    OrderStatus.PENDING_CANCEL: "cancel…",
    OrderStatus.PENDING_REPLACE: "amend…",
    OrderStatus.SUBMITTED: "sent",
    OrderStatus.INITIALIZED: "new",
}


def order_state(status: OrderStatus) -> str:
    """Return the word of an order's status, in at most eight cells."""
    return _ORDER_STATES.get(status, status.value)


def state_cell(state: SymbolState | None, manual: bool) -> Part:
    """Return glyph and word of a row's state; Manual hides the state below it."""
    if manual:
        return (f"{UNICODE.manual} Manual", "state-manual")
    if state is None:
        return (NONE, "dim")
    glyph, ink = _STATES[state]
    return (f"{glyph} {state.value}", ink)


def state_ink(state: SymbolState) -> str:
    """Return the ink of a state."""
    return _STATES[state][1]


def short_age(ns: int | None) -> str:
    """Write an age in at most four cells: ``40ms 0.4s 9.1s 32s 2:14 12m 3h05 99h``."""
    if ns is None:
        return NONE
    if ns < 0:
        return f"{MINUS}0s" if ns > -_S else f"{MINUS}{min(99, -ns // _S)}s"
    if 100_000_000 <= ns < _S:
        return f"0.{ns // 100_000_000}s"
    if ns < 600 * _S:
        return age(ns)
    minutes = ns // (60 * _S)
    if minutes < 60:
        return f"{minutes}m"
    if minutes < 600:
        return f"{minutes // 60}h{minutes % 60:02d}"
    return f"{minutes // 60}h" if minutes < 6_000 else f"{minutes // 1440}d"


def short_size(value: Decimal | None, decimals: int, cells: int) -> str:
    """Write a signed quantity in ``cells``, with as many decimals as there is room for.

    Zeros at the end go first; the detail and copies have all digits.
    """
    if not value:
        return NONE
    for digits in range(decimals, -1, -1):
        text = quantity(value, digits, sign=True)
        if len(text) <= cells:
            return text
    return quantity(value, 0, sign=True)


def spaced_age(ns: int | None) -> str:
    """Write an age with its unit set off, for lines of prose: ``40 ms``, ``32 s``."""
    text = short_age(ns)
    for unit in ("ms", "s", "m", "h", "d"):
        if text.endswith(unit):
            return f"{text.removesuffix(unit)} {unit}"
    return text


def signed(value: Decimal | float | None) -> str:
    """Return the ink of a profit or change."""
    if value is None or value == 0:
        return "dim" if value is None else ""
    return "up" if value > 0 else "down"


def used_percent(value: float) -> int:
    """Round down what is used of a limit, in percent; only all of it is 100.

    Gauges, bars and the header draw this one number.
    """
    # A share of 0.57 comes as 56.99999999999999.
    whole = math.floor(round(value, 6))
    if value < 100:
        return min(99, whole)
    return max(101, whole) if value > 100 else 100


def used_text(value: float | None) -> str:
    """Write what is used of a limit: ``99%``."""
    rounded = None if value is None else used_percent(value)
    return percent(rounded, 0, sign=False, unit=True)


def stop_cell(stop_percent: float | None, *, has_stop: bool, held: bool) -> Part:
    """Return how far the stop of a position is; ``none !`` where none works for it."""
    if held and not has_stop:
        return ("none !", "warn")
    return (percent(stop_percent if held else None), "dim")


_SQUEEZED = (
    *((" > ", ">"), (" < ", "<"), (" bp", "")),
    *(("already ", ""), ("locked until ", "locked "), ("locked in ", "")),
)


def short_why(text: str) -> str:
    """Squeeze a gate's reason for narrow columns: ``spread 3.1>2.0``."""
    for wide, narrow in _SQUEEZED:
        text = text.replace(wide, narrow)
    return text
