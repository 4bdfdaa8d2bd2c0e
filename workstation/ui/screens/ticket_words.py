"""The words of an order that is not sent yet: on its button, and in one sentence.

Pure; the ticket shows both, made from the same order.
"""

from __future__ import annotations

from workstation.model.commands import PlaceOrder
from workstation.model.instruments import Instrument, Side
from workstation.model.orders import TimeInForce
from workstation.model.timeframes import NS_PER_S
from workstation.ui.screens.bracket_words import bracket_words
from workstation.ui.screens.scene import Scene
from workstation.ui.typeset import price, quantity, utc_clock, utc_time

__all__ = ["order_sentence", "short_order"]

_UNTIL = {
    TimeInForce.GTC: "until canceled",
    TimeInForce.IOC: "what is there at once, the rest ends",
    TimeInForce.FOK: "all of it at once or nothing",
}


def short_order(order: PlaceOrder, instrument: Instrument, *, better: str = "") -> str:
    """Return ``Buy 0.100 BTCUSDT at 61,680.0``."""
    digits = instrument.price_decimals
    size = quantity(order.quantity, instrument.quantity_decimals)
    at = "at market"
    if order.price is not None:
        at = f"at {price(order.price, digits)}{better}"
    if order.trigger is not None:
        at += f" once {price(order.trigger, digits)} is met"
    return f"{order.side.value.capitalize()} {size} {order.instrument} {at}"


def order_sentence(order: PlaceOrder, instrument: Instrument, scene: Scene) -> str:
    """Return what an order does, with its terms and what protects it."""
    verb = "Buys" if order.side is Side.BUY else "Sells"
    short = short_order(order, instrument, better=" or better")
    parts = [f"{verb}{short.removeprefix(verb[:-1])}"]
    waits = order.price is not None or order.trigger is not None
    if order.time_in_force is TimeInForce.GTD:
        parts.append(f"until {_until(order.expires_ns, scene.ts)} UTC")
    elif waits or order.time_in_force is not TimeInForce.GTC:
        parts.append(_UNTIL[order.time_in_force])
    if order.post_only:
        parts.append("only to rest")
    if order.reduce_only:
        parts.append("only to close what the operator holds")
    text = ", ".join(parts)
    guard = bracket_words(order, scene, instrument)
    return f"{text}; {guard}." if guard else f"{text}."


def _until(ends_ns: int | None, now_ns: int) -> str:
    """Return a moment, with its day where that is another."""
    day_ns = 86_400 * NS_PER_S
    if ends_ns is not None and ends_ns // day_ns == now_ns // day_ns:
        return utc_time(ends_ns)
    return utc_clock(ends_ns)
