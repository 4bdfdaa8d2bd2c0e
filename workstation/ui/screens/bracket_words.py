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
from workstation.ui.typeset import money, number, price, quantity

__all__ = ["HELD", "UNUSED", "bracket_words", "stakes"]

HELD = "held here once it fills"
"""What is said of a stop or target as long as no more is known."""
UNUSED = "not used: the order only reduces"
"""What is said of them where it opens nothing."""


def bracket_words(order: PlaceOrder, scene: Scene, instrument: Instrument) -> str:
    """Return a clause without a full stop; "" for an order that brings neither."""
    if order.stop is None and order.target is None:
        return ""
    held, change = _held(scene, instrument), order.side.sign * order.quantity
    if _only_reduces(held, change):
        return "it only reduces, so its stop and target are not used"
    there = _there(scene, instrument) if held * change > 0 else {}
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


def stakes(
    order: PlaceOrder, at: Decimal, scene: Scene, instrument: Instrument
) -> tuple[str, str]:
    """Return what its stop would cost and its target bring, each beside its field.

    ``at`` is what it is expected to trade at; the money is that of this order alone and
    before fees. Beside a target that has a stop stands how often it brings its cost.
    """
    held, change = _held(scene, instrument), order.side.sign * order.quantity
    if _only_reduces(held, change):
        return UNUSED, UNUSED
    stop = order.stop
    before = _there(scene, instrument).get(OrderRole.STOP)
    if held * change > 0 and stop is not None and before is not None:
        # The one that is there stays where it is the tighter one.
        stop = max(stop, before) if change > 0 else min(stop, before)
    loss = None if stop is None else (stop - at) * change
    gain = None if order.target is None else (order.target - at) * change
    remark = HELD
    if gain is not None and gain > 0 and loss is not None and loss < 0:
        remark = f"{number(gain / -loss, 1)} × the risk"
    return _worth(loss, HELD, instrument), _worth(gain, remark, instrument)


def _worth(amount: Decimal | None, remark: str, instrument: Instrument) -> str:
    if amount is None:
        return ""
    return f"{money(amount, sign=True)} {instrument.quote}, {remark}"


def _held(scene: Scene, instrument: Instrument) -> Decimal:
    """Return what the operator holds."""
    rows = scene.held(OPERATOR, instrument.id)
    return sum((row.position.quantity for row in rows), Decimal(0))


def _only_reduces(held: Decimal, change: Decimal) -> bool:
    return held * change < 0 and abs(change) <= abs(held)


def _there(scene: Scene, instrument: Instrument) -> dict[OrderRole, Decimal | None]:
    """Return the triggers of the stop and target that the operator has."""
    return {
        row.order.role: row.order.trigger
        for row in scene.protection(OPERATOR, instrument.id)
        if row.order.role is not OrderRole.EXIT
    }


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
