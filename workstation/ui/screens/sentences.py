"""What a dialog says will happen: one sentence with numbers, made from a scene.

Pure; a sentence never promises more than the command behind it does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from workstation.engine.frames import OrderRow, PositionRow, SymbolRow
from workstation.engine.override_plan import OverridePlan
from workstation.model.orders import Order, OrderRole
from workstation.model.owners import OPERATOR
from workstation.model.states import SymbolState
from workstation.ui.screens.flatten_plan import (
    FlattenedEntries,
    FlattenPart,
    flatten_parts,
    flattened_entries,
    given_up,
)
from workstation.ui.screens.scene import Scene
from workstation.ui.typeset import (
    NONE,
    age,
    duration,
    money,
    percent,
    price,
    quantity,
    utc_minute,
)
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.status_lines import Field, field

__all__ = [
    "bare",
    "cancel_sentence",
    "count",
    "flatten_sentence",
    "guard_words",
    "listed",
    "order_fields",
    "override_sentence",
    "owned_text",
    "position_text",
    "protection_words",
    "row_fields",
    "size",
    "unprotected",
]

STATE_INKS = {
    SymbolState.WATCH: ("○", "state-watch"),
    SymbolState.CLOSE_WATCH: ("◐", "state-close-watch"),
    SymbolState.IN_TRADE: ("●", "state-in-trade"),
}


def count(number: int, one: str, many: str | None = None) -> str:
    """Return ``2 orders``, ``1 order``, ``no orders``."""
    if number == 1:
        return f"1 {one}"
    return f"{number or 'no'} {many or one + 's'}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def size(row: PositionRow) -> str:
    """Return how much a position holds, without sign."""
    return quantity(abs(row.position.quantity), row.quantity_decimals)


def position_text(row: PositionRow) -> str:
    """Return ``+1.000 BTCUSDT``."""
    return f"{_signed(row)} {row.symbol}"


def _signed(row: PositionRow) -> str:
    return quantity(row.position.quantity, row.quantity_decimals, sign=True)


def protection_words(rows: Iterable[OrderRow]) -> str:
    """Return ``stop 60,452.0 and target 64,770.0``."""
    return listed(
        [f"{_guard(row.order)} {price(row.price, row.decimals)}" for row in rows]
    )


def guard_words(rows: Sequence[OrderRow], most: int = 3) -> str:
    """Return ``BTCUSDT stop 60,452.0 and target 64,770.0; BNBUSDT stop 490.00``.

    Orders of all symbols; owners are named where a symbol has several. More than
    ``most`` of symbols and owners are counted.
    """
    groups: dict[tuple[str, str], list[OrderRow]] = {}
    for row in rows:
        groups.setdefault((row.symbol, row.order.owner), []).append(row)
    symbols = Counter(symbol for symbol, _ in groups)
    names = [
        f"{symbol}{f' of {owner}' if symbols[symbol] > 1 else ''} "
        f"{protection_words(group)}"
        for (symbol, owner), group in groups.items()
    ]
    left = sum(len(group) for group in list(groups.values())[most:])
    return "; ".join(names[:most]) + (f" and {left} more" if left else "")


def owned_text(row: PositionRow) -> str:
    """Return ``+1.000 BTCUSDT of ema_cross``."""
    return f"{position_text(row)} of {row.position.owner}"


def bare(scene: Scene, rows: Iterable[PositionRow]) -> tuple[PositionRow, ...]:
    """Return the positions for which no stop works, whoever's it would be."""
    return tuple(
        row
        for row in rows
        if not any(
            _stops(guard.order)
            for guard in scene.protection(row.position.owner, row.position.instrument)
        )
    )


def _guard(order: Order) -> str:
    """Return what protects: a position's stop or target, or a stop of one's own."""
    return "stop" if order.role is OrderRole.EXIT else order.role.value


def _closing(row: PositionRow, closes: str = "") -> str:
    """Say what is sold or bought to close a position, or so much of it."""
    verb = "sells" if row.position.quantity > 0 else "buys"
    about = "" if row.mark is None else f", mark {price(row.mark, row.decimals)}"
    profit = row.open_pnl
    money_text = "" if profit is None else f", open {money(profit, sign=True)}"
    return f"{verb} {closes or size(row)} {row.symbol} at market{about}{money_text}"


# --- override -------------------------------------------------------------------------


def override_sentence(scene: Scene, row: SymbolRow, plan: OverridePlan) -> str:
    """Return what an override will do to state, orders, position and lock."""
    if plan.refusal:
        return f"{row.symbol}: not possible: {plan.refusal}."
    if plan.later is not None:
        parts = [f"to {plan.later} once nothing is held or working"]
    elif plan.after is row.state:
        parts = [f"stays in {plan.after}"]
    else:
        parts = [f"{row.state} to {plan.after}"]
    orders = [
        *_adopted(scene, row, plan),
        *_entry_words(row, plan),
        *_position_words(scene, row, plan),
    ]
    parts.extend(orders or ["no orders, nothing held"])
    if plan.lock and plan.lock_until_ns is not None:
        parts.append(f"locked in manual until {utc_minute(plan.lock_until_ns)} UTC")
    elif plan.lock:
        parts.append("locked in manual until handed back")
    elif plan.unlocks:
        parts.append("the manual lock ends")
    return f"{row.symbol}: {', '.join(parts)}."


def _adopted(scene: Scene, row: SymbolRow, plan: OverridePlan) -> list[str]:
    if not plan.adopts:
        return []
    given = scene.held(OPERATOR, row.instrument)
    parts = ["adopts " + listed([owned_text(one) for one in given])]
    if plan.cancels_operators:
        parts.append(f"cancels {count(len(plan.cancels_operators), 'order')} of it")
    legs, own = _apart(scene.protection(OPERATOR, row.instrument))
    if legs:
        parts.append(f"{protection_words(legs)} {_come(legs)} with it")
    if own:
        parts.append(f"{protection_words(own)} {_end(own)}")
    return parts


def _apart(guard: Sequence[OrderRow]) -> tuple[list[OrderRow], list[OrderRow]]:
    """Return the stops and targets of a position, and orders that only reduce it.

    The first move with it; the second are their owner's, and end where he has nothing.
    """
    legs = [row for row in guard if row.order.role is not OrderRole.EXIT]
    return legs, [row for row in guard if row.order.role is OrderRole.EXIT]


def _entry_words(row: SymbolRow, plan: OverridePlan) -> list[str]:
    parts = []
    if plan.cancels:
        parts.append(f"cancels {count(len(plan.cancels), 'entry', 'entries')}")
    if plan.keeps_entries:
        parts.append(f"keeps {count(len(plan.keeps_entries), 'entry', 'entries')}")
    if plan.gives_up:
        given_up = quantity(plan.gives_up, row.quantity_decimals, sign=True)
        parts.append(f"gives up the entry of {given_up} that was to follow the close")
    if plan.closes_late_fills:
        parts.append("closes what they still fill")
    if plan.cancels_exits:
        parts.append(f"cancels {count(len(plan.cancels_exits), 'exit')} at a price")
    return parts


def _position_words(scene: Scene, row: SymbolRow, plan: OverridePlan) -> list[str]:
    held = scene.held(row.strategy, row.instrument)
    guard = scene.protection(row.strategy, row.instrument)
    parts: list[str] = []
    if plan.hands_over:
        parts.extend(f"hands {_signed(one)} to the operator" for one in held)
        legs, own = _apart(guard)
        if legs:
            parts.append(f"{protection_words(legs)} {_go(legs)} with it")
        if own:
            parts.append(f"{protection_words(own)} {_end(own)}")
    elif plan.closes:
        closes = quantity(abs(plan.closes), row.quantity_decimals)
        parts.extend(_closing(one, closes) for one in held)
        if guard:
            parts.append(f"{protection_words(guard)} {_end(guard)} with the fill")
    elif plan.keeps and not plan.adopts:
        parts.extend(f"keeps {_signed(one)}" for one in held)
        if guard:
            parts.append(f"{protection_words(guard)} {_stay(guard)}")
    return parts


def _come(rows: Sequence[OrderRow]) -> str:
    return "comes" if len(rows) == 1 else "come"


def _stay(rows: Sequence[OrderRow]) -> str:
    return "stays" if len(rows) == 1 else "stay"


def _go(rows: Sequence[OrderRow]) -> str:
    return "goes" if len(rows) == 1 else "go"


def _end(rows: Sequence[OrderRow]) -> str:
    return "ends" if len(rows) == 1 else "end"


# --- flatten, cancel ------------------------------------------------------------------


def flatten_sentence(scene: Scene, instrument: str, owner: str | None) -> str:
    """Return what closing a position does; ``owner`` None = everybody's."""
    parts = _flattened_words(flattened_entries(scene, instrument, owner))
    parts.extend(
        f"gives up the entry of {_waiting(row)} that was to follow the close"
        for row in given_up(scene, instrument, owner)
    )
    guard: list[OrderRow] = []
    for part in flatten_parts(scene, instrument, owner):
        whose = "" if owner is not None else f" for {part.row.position.owner}"
        parts.extend(f"{text}{whose}" for text in _flatten_words(part))
        guard.extend(part.guard)
    if not parts:
        return "Nothing is held and no entry works here."
    if guard:
        parts.append(f"{protection_words(guard)} {_end(guard)} with the fill")
    return ". ".join(f"{text[0].upper()}{text[1:]}" for text in parts) + "."


def _waiting(row: SymbolRow) -> str:
    return quantity(row.waiting, row.quantity_decimals, sign=True)


def _flattened_words(entries: FlattenedEntries) -> list[str]:
    """Say what becomes of the entries."""
    words = []
    if entries.cancels:
        words.append(f"cancels {count(len(entries.cancels), 'entry', 'entries')}")
    if entries.ending:
        words.append(f"closes {_still(entries.ending)} while being canceled")
    if entries.closing:
        words.append(f"{_still(entries.closing)} is closed as it comes already")
    return words


def _still(rows: Sequence[OrderRow]) -> str:
    fill = "fills" if len(rows) == 1 else "fill"
    return f"what {count(len(rows), 'entry', 'entries')} still {fill}"


def _flatten_words(part: FlattenPart) -> list[str]:
    """Say what becomes of one position, and of the exits in the way of its close."""
    row, words = part.row, []
    if part.exits:
        words.append(f"cancels {_exits(part.exits)}")
    if part.closing:
        verb = "sold" if row.position.quantity > 0 else "bought"
        closing = quantity(part.closing, row.quantity_decimals)
        words.append(f"{closing} {row.symbol} is being {verb} already")
    if part.left:
        closes = _closing(row, quantity(part.left, row.quantity_decimals))
        first = (*part.exits, *part.ending)
        after = "it is" if len(first) == 1 else "they are"
        if part.ending and not part.exits:
            after = f"{_exits(part.ending)} {'is' if len(first) == 1 else 'are'}"
        words.append(f"{closes}, once {after} canceled" if first else closes)
    return words


def _exits(rows: Sequence[OrderRow]) -> str:
    """Return ``the exit at 64,770.0``: orders that wait for their price, or end."""
    prices = [price(row.price, row.decimals) for row in rows if row.price is not None]
    words = [f"the {row.order.role.value}" for row in rows if row.price is None]
    if prices:
        words.append(f"the exit{'' if len(prices) == 1 else 's'} at {listed(prices)}")
    return listed(words)


def unprotected(scene: Scene, rows: Iterable[OrderRow]) -> str:
    """Name what would be held without its stop: ``1.000 BTCUSDT of ema_cross``.

    "" when none of the orders is a stop, or each position keeps another one. A stop of
    one's own that only reduces is one, too.
    """
    stops = {row.order.id: row for row in rows if _stops(row.order)}
    names: list[str] = []
    for key in dict.fromkeys(
        (r.order.owner, r.order.instrument) for r in stops.values()
    ):
        left = [
            row
            for row in scene.protection(*key)
            if _stops(row.order) and row.order.id not in stops
        ]
        if not left:
            names.extend(
                f"{size(row)} {row.symbol} of {row.position.owner}"
                for row in scene.held(*key)
            )
    return listed(names)


def _stops(order: Order) -> bool:
    return order.is_protection and order.role is not OrderRole.TARGET


def cancel_sentence(
    scene: Scene, rows: Sequence[OrderRow], *, with_protection: bool
) -> str:
    """Return what canceling these orders does and what stays."""
    guard = [row for row in rows if row.order.is_protection]
    plain = [row for row in rows if not row.order.is_protection]
    parts: list[str] = []
    if plain:
        parts.append(f"cancels {count(len(plain), 'order')}: {_order_words(plain)}")
    if guard and not with_protection:
        parts.append(f"{guard_words(guard)} {_stay(guard)}")
    elif guard:
        parts.append(f"removes {guard_words(guard)}")
        left = unprotected(scene, guard)
        if left:
            parts.append(f"leaves {left} without a stop")
    if not parts:
        return "No working order is shown."
    return ". ".join(f"{text[0].upper()}{text[1:]}" for text in parts) + "."


def _order_words(rows: Sequence[OrderRow]) -> str:
    """Return ``buy 1.000 BTCUSDT at 61,600.00``; more than three are counted."""
    words = [_order_text(row) for row in rows[:3]]
    if len(rows) > 3:
        words.append(f"{len(rows) - 3} more")
    return listed(words)


def _order_text(row: OrderRow) -> str:
    order = row.order
    left = quantity(order.remaining, row.quantity_decimals)
    at = "at market" if row.price is None else f"at {price(row.price, row.decimals)}"
    return f"{order.side} {left} {row.symbol} {at}"


# --- live lines -----------------------------------------------------------------------


def row_fields(scene: Scene, strategy: str, instrument: str) -> tuple[Field, ...]:
    """Return the live line of a row: state, last, position, open, stop, age."""
    row = scene.row(strategy, instrument) or scene.market(instrument)
    if row is None:
        return (field(f"{instrument} is not shown by any feed", "warn"),)
    parts: list[Field] = [_state(row)]
    last: list[Part] = [("last ", "dim"), (price(row.last, row.decimals), "strong")]
    if row.change_percent is not None:
        ink = (
            "up" if row.change_percent > 0 else "down" if row.change_percent < 0 else ""
        )
        last.append((f" {percent(row.change_percent, unit=True)}", ink))
    parts.append(Field(tuple(last)))
    if row.distrust:
        parts.append(field(f"! {row.distrust}", "warn"))
    held = quantity(row.position, row.quantity_decimals, sign=True)
    if row.position:
        parts.append(Field((("pos ", "dim"), (held, "strong"))))
        profit = row.open_pnl or Decimal(0)
        ink = "up" if profit > 0 else "down" if profit < 0 else ""
        parts.append(
            Field((("open ", "dim"), (money(row.open_pnl, sign=True), ink)), priority=2)
        )
    else:
        parts.append(Field((("pos ", "dim"), (NONE, ""))))
    parts.append(Field((("age ", "dim"), (age(row.age_ns), "")), priority=3))
    return tuple(parts)


def _state(row: SymbolRow) -> Field:
    if row.state is None:
        return field(row.strategy or "nobody's", "dim")
    glyph, ink = STATE_INKS[row.state]
    parts: list[Part] = [(f"{glyph} {row.state}", ink)]
    if row.manual:
        parts.append((" ⊘ manual", "state-manual"))
    if row.since_ns is not None:
        parts.append((f" {duration(row.since_ns)}", "dim"))
    return Field(tuple(parts))


def order_fields(row: OrderRow) -> tuple[Field, ...]:
    """Return the live line of an order."""
    order = row.order
    filled = quantity(order.filled, row.quantity_decimals)
    whole = quantity(order.quantity, row.quantity_decimals)
    state: list[Part] = [(order.status.value.replace("_", " "), "strong")]
    if row.held:
        state.append((" here !", "warn"))
    fields = [
        field(f"{row.symbol} {order.side} {order.role}", "strong"),
        Field((("filled ", "dim"), (f"{filled}/{whole}", ""))),
        Field(
            (
                (f"{order.type.value.replace('_', '-')} ", "dim"),
                (price(row.price, row.decimals), ""),
            )
        ),
        Field(tuple(state)),
        field(percent(row.away_percent, unit=True), "", 2),
        Field((("age ", "dim"), (age(row.age_ns), "")), priority=3),
    ]
    return tuple(fields)
