"""What the stop and the target of a ticket come to for the position there is.

A position has one stop and one target. Those of another order are for all of it: a stop
takes the place of the one before where it is no looser, a target always.
"""

from __future__ import annotations

from decimal import Decimal

from workstation.model.commands import PlaceOrder
from workstation.model.instruments import Instrument
from workstation.model.orders import OrderRole
from workstation.model.owners import OPERATOR
from workstation.ui.screens.scene import Scene
from workstation.ui.typeset import price, quantity

__all__ = ["bracket_words"]


def bracket_words(order: PlaceOrder, scene: Scene, instrument: Instrument) -> str:
    """Return a clause without a full stop; "" for an order that brings neither."""
    if order.stop is None and order.target is None:
        return ""
    held = sum(
        (row.position.quantity for row in scene.held(OPERATOR, instrument.id)),
        Decimal(0),
    )
    change = order.side.sign * order.quantity
    if held * change < 0 and abs(change) <= abs(held):
        return "it only reduces, so its stop and target are not used"
    there = {}
    if held * change > 0:
        there = {
            row.order.role: row.order.trigger
            for row in scene.protection(OPERATOR, instrument.id)
            if row.order.role is not OrderRole.EXIT
        }
    parts = [
        _stop(order, there.get(OrderRole.STOP), instrument),
        _target(order, there.get(OrderRole.TARGET), instrument),
    ]
    found = " and ".join(part for part in parts if part)
    if not there:
        both = order.stop is not None and order.target is not None
        verb = "protect" if both else "protects"
        what = "what is left over" if held else "what it fills"
        if held * change > 0:
            what = _all(held + change, instrument)
        return f"{found} {verb} {what}, held here"
    return f"{found}, for {_all(held + change, instrument)}, held here"


def _all(total: Decimal, instrument: Instrument) -> str:
    return f"all of {quantity(total, instrument.quantity_decimals, sign=True)}"


def _stop(order: PlaceOrder, before: Decimal | None, instrument: Instrument) -> str:
    after, digits = order.stop, instrument.price_decimals
    if after is None:
        return ""
    if before is None:
        return f"stop {price(after, digits)}"
    if (after - before) * order.side.sign < 0:
        return f"stop {price(before, digits)} stays ({price(after, digits)} is looser)"
    return f"stop {price(after, digits)} instead of {price(before, digits)}"


def _target(order: PlaceOrder, before: Decimal | None, instrument: Instrument) -> str:
    after, digits = order.target, instrument.price_decimals
    if after is None:
        return ""
    text = f"target {price(after, digits)}"
    return text if before is None else f"{text} instead of {price(before, digits)}"
