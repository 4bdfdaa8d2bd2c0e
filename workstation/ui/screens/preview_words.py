"""What the preview of an order says in a dialog: cost, market, position, verdict.

Pure; lines of fields that a narrow terminal drops whole, and one text that wraps.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from workstation.engine.order_preview import Preview
from workstation.model.commands import PlaceOrder
from workstation.model.instruments import Instrument
from workstation.model.orders import TimeInForce
from workstation.ui.typeset import bps, money, price, quantity
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.status_lines import Field, field

__all__ = [
    "cost_fields",
    "margin_fields",
    "market_fields",
    "position_fields",
    "verdict",
]


def cost_fields(
    preview: Preview, order: PlaceOrder | None = None, *, held: bool = False
) -> Sequence[Field]:
    """Return value, and fees as far as they apply."""
    fields = [_money("value", preview.notional, preview.currency, "strong")]
    takes_only = held or (order is not None and order.price is None)
    rests_only = order is not None and order.post_only
    parts: list[Part] = []
    if preview.fee_maker is not None and not takes_only:
        parts += [(money(preview.fee_maker), ""), (" resting ", "dim")]
    if preview.fee_taker is not None and not rests_only:
        parts += [(money(preview.fee_taker), ""), (" taking", "dim")]
    if parts:
        fields.append(Field((("fee ", "dim"), *parts), priority=1))
    return fields


def margin_fields(preview: Preview, *, held: bool = False) -> Sequence[Field]:
    """Return the margin that is tied up, and what is free then."""
    if held:
        return (field("ties up nothing: it closes what is held", "dim"),)
    if preview.ties_up is None or preview.free is None:
        return ()
    ink = "" if preview.free else "warn"
    return (
        _money("ties up", preview.ties_up, preview.currency, ""),
        _money("leaves", preview.free, f"{preview.currency} free", ink, 1),
    )


def _money(
    label: str, value: Decimal | None, unit: str, ink: str, priority: int = 0
) -> Field:
    parts: list[Part] = [(f"{label} ", "dim"), (money(value), ink)]
    if unit:
        parts.append((f" {unit}", "dim"))
    return Field(tuple(parts), priority=priority)


def market_fields(
    preview: Preview,
    instrument: Instrument,
    order: PlaceOrder | None = None,
    *,
    held: bool = False,
) -> Sequence[Field]:
    """Return how far it is from the market, and what it would take at once."""
    away = preview.away_bps
    fields = []
    if away is not None:
        text = f"{bps(away, unit=True)} from the mid"
        fields.append(field(text, "warn" if abs(away) >= 100 else ""))
    takes, whole = preview.takes, preview.open
    if held:
        return [*fields, field("held here, sent as a market order when it is met")]
    if preview.waits:
        if preview.held:
            text = "waits here: it stops working when the engine stops"
            return [*fields, field(text, "warn")]
        return [*fields, field("waits at the venue until its trigger is met")]
    if takes is None:
        return [*fields, field("takes at once: not known, no prices shown", "dim")]
    digits = instrument.quantity_decimals
    if not takes:
        return [*fields, field(*_resting(order))]
    mean = price(preview.take_price, instrument.price_decimals)
    some = quantity(takes, digits)
    what = "all" if takes == whole else f"{some} of {quantity(whole, digits)}"
    fields.append(field(f"takes {what} at once, at {mean} on average", "strong"))
    text, ink = _rest(order, takes, whole)
    if text:
        fields.append(field(text, ink, 1))
    return fields


def _resting(order: PlaceOrder | None) -> tuple[str, str]:
    """Say what becomes of an order that finds nobody."""
    now = TimeInForce.GTC if order is None else order.time_in_force
    if now in (TimeInForce.IOC, TimeInForce.FOK):
        return f"nothing to take at that price: {now} ends at once", "warn"
    if order is not None and order.price is None:
        return "nothing to take: no size is shown", "warn"
    return "takes nothing, rests in the book", ""


def _rest(order: PlaceOrder | None, takes: Decimal, whole: Decimal) -> tuple[str, str]:
    """Say what becomes of the rest, or that it may not take at all."""
    if order is None:
        return "", ""
    if order.post_only:
        return "post-only: the venue refuses it", "warn"
    if takes >= whole:
        return "", ""
    if order.time_in_force is TimeInForce.FOK:
        return "FOK: not all is there, so it ends", "warn"
    if order.time_in_force is TimeInForce.IOC:
        return "the rest ends", ""
    return "the rest waits" if order.price is None else "the rest rests", ""


def position_fields(preview: Preview, instrument: Instrument) -> Sequence[Field]:
    """Return the owner's position and the account's, now and after."""
    digits = instrument.quantity_decimals
    rows = [
        (preview.owner, preview.position, preview.position_after),
        ("account", preview.net, preview.net_after),
    ]
    return [
        Field(
            (
                (f"{name} ", "dim"),
                (quantity(before, digits, sign=bool(before)), ""),
                (" to ", "dim"),
                (quantity(after, digits, sign=bool(after)), "strong"),
                (f" {instrument.base}", "dim"),
            ),
            priority=place,
        )
        for place, (name, before, after) in enumerate(rows)
    ]


def verdict(preview: Preview) -> tuple[str, bool]:
    """Return what the risk stage says, and whether it lets the order pass.

    A gate that is closed only for new entries is named where the order passes it.
    """
    if not preview.passes:
        return f"✗ {preview.code}: {preview.denial}", False
    closed = [gate for gate in preview.gates if not gate.passed]
    if closed:
        gate = closed[0]
        return f"✓ risk: passes, though {gate.name} is closed: {gate.detail}", True
    used = next((g.detail for g in preview.gates if g.name == "risk"), "")
    return f"✓ risk: passes{f', {used} before it' if used else ''}", True
