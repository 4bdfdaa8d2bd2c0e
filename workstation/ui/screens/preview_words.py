"""What the preview of an order says in a dialog: cost, market, position, verdict.

Pure; lines of fields that a narrow terminal drops whole, and one text that wraps. What
warns stays for longest: a distance is given up for it, and what would be taken, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from workstation.engine.order_preview import Preview
from workstation.model.commands import PlaceOrder
from workstation.model.instruments import Instrument
from workstation.model.orders import Order, TimeInForce
from workstation.ui.typeset import bps, money, price, quantity
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.status_lines import Field, field

__all__ = [
    "cost_fields",
    "margin_fields",
    "market_fields",
    "position_fields",
    "refusal",
    "verdict",
]

_AWAY, _AVERAGE, _TAKEN = 3, 2, 1
"""What goes first where the line of the market has no room: the distance."""
_FAR_BPS = 100
"""A price this far from the middle is worth a look: 1 %."""
Terms = PlaceOrder | Order
"""What an order may do: its price, how long it works, whether it only rests."""


def cost_fields(
    preview: Preview, order: Terms | None = None, *, held: bool = False
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
    order: Terms | None = None,
    *,
    held: bool = False,
) -> Sequence[Field]:
    """Return how far it is from the market, and what it would take at once."""
    away = preview.away_bps
    fields = []
    if away is not None:
        text = f"{bps(away, unit=True)} from the mid"
        fields.append(field(text, "warn" if abs(away) >= _FAR_BPS else "", _AWAY))
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
    some, all_of = quantity(takes, digits), quantity(whole, digits)
    if refusal(preview, order):
        text = f"would take {some} at once" if takes else "meets the other side"
        return [*fields, field(f"{text}, which post-only may not", "warn")]
    if not takes:
        return [*fields, field(*_resting(preview, order))]
    force = None if order is None else order.time_in_force
    if takes < whole and force is TimeInForce.FOK:
        text = f"FOK ends at once: {some} of {all_of} is there"
        return [*fields, field(text, "warn")]
    what = "all" if takes == whole else f"{some} of {all_of}"
    mean = price(preview.take_price, instrument.price_decimals)
    fields += [
        field(f"takes {what} at once", "strong", _TAKEN),
        field(f", at {mean} on average", "strong", _AVERAGE, gap=0),
    ]
    if takes < whole and order is not None:
        fields.append(field(*_rest(order)))
    return fields


def refusal(preview: Preview, order: Terms | None) -> str:
    """Return why the venue will refuse what the risk stage passes; "" if it may not."""
    if order is None or not order.post_only or not preview.crosses:
        return ""
    return "the venue refuses it: post-only, and it would take at once"


def _resting(preview: Preview, order: Terms | None) -> tuple[str, str]:
    """Say what becomes of an order that finds nobody."""
    now = TimeInForce.GTC if order is None else order.time_in_force
    if preview.crosses and order is not None and order.price is not None:
        return "takes what is there at once: no size is shown", "warn"
    if now in (TimeInForce.IOC, TimeInForce.FOK):
        return f"nothing to take at that price: {now} ends at once", "warn"
    if order is not None and order.price is None:
        return "nothing to take: no size is shown", "warn"
    return "takes nothing, rests in the book", ""


def _rest(order: Terms) -> tuple[str, str]:
    """Say what becomes of what is not taken at once."""
    if order.time_in_force is TimeInForce.IOC:
        return "IOC: the rest ends", "warn"
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


def verdict(preview: Preview, order: Terms | None = None) -> tuple[str, bool]:
    """Return what the risk stage says, and whether nothing stands against the order.

    A gate that is closed only for new entries is named where the order passes it, and
    what the venue will refuse is no pass, though the risk stage lets it through.
    """
    if not preview.passes:
        return f"✗ {preview.code}: {preview.denial}", False
    refused = refusal(preview, order)
    if refused:
        return f"! {refused}", False
    closed = [gate for gate in preview.gates if not gate.passed]
    if closed:
        gate = closed[0]
        return f"✓ risk: passes, though {gate.name} is closed: {gate.detail}", True
    used = next((g.detail for g in preview.gates if g.name == "risk"), "")
    return f"✓ risk: passes{f', {used} before it' if used else ''}", True
