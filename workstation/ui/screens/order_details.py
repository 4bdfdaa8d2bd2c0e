"""The lines of an order's detail: what it is, and its timeline. Pure.

The same moves go to a file as rows of plain values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from workstation.engine.frames import OrderRow
from workstation.model.orders import (
    Order,
    OrderEvent,
    OrderHistory,
    OrderMove,
    OrderStatus,
)
from workstation.ui.screens.details import fact
from workstation.ui.typeset import (
    age,
    percent,
    plain,
    price,
    quantity,
    utc_clock,
    utc_time,
)
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.text_panel import Line, RuleLine

__all__ = ["order_lines", "timeline_rows"]

_FILLS = (OrderEvent.FILL, OrderEvent.PARTIAL_FILL)
_STOPS = "held here: it stops {what} when the engine ends"
_HEAD = ("time", "since_ns", "before", "event", "after", "quantity", "price", "reason")


def order_lines(
    row: OrderRow | None, history: OrderHistory | None = None
) -> Sequence[Line]:
    """Return an order with its timeline; ``row`` None once it has ended."""
    if history is not None:
        order = history.order
    elif row is not None:
        order = row.order
    else:
        return ["The order is no longer kept here; the journal has its records."]
    places = 0 if row is None else row.decimals
    lots = 0 if row is None else row.quantity_decimals

    def at(value: Decimal | None) -> str:
        return plain(value) if row is None else price(value, places)

    def size(value: Decimal) -> str:
        return plain(value) if row is None else quantity(value, lots)

    made = f"{utc_clock(order.created_ns)} UTC"
    if row is not None:
        made += f", {age(row.age_ns)} ago"
    lines: list[Line] = [
        fact("id", order.id, "strong"),
        fact("instrument", order.instrument, "strong"),
        fact("owner", order.owner),
        fact("what", _what(order)),
        *_end(order),
        fact("status", _status(order)),
        fact("filled", f"{size(order.filled)} of {size(order.quantity)}"),
        fact("price", at(order.price)),
        fact("trigger", at(order.trigger)),
        fact("average", at(order.average_price)),
        fact("away", percent(None if row is None else row.away_percent, unit=True)),
        fact("reduces only", "yes" if order.reduce_only else "no"),
        fact("at the venue", order.venue_id or "not there"),
        *_bracket(row),
        *_queue(row),
        fact("made", made),
        fact("reason", order.reason),
    ]
    if row is not None and row.held:
        what = "protecting" if order.is_protection else "working"
        lines.append([(_STOPS.format(what=what), "warn")])
    moves = () if history is None else history.moves
    dropped = 0 if history is None else history.dropped
    older = f", {dropped} older in the journal" if dropped else ""
    many = "" if len(moves) == 1 else "s"
    lines += ["", RuleLine("Timeline", f"{len(moves)} move{many}{older}")]
    lines += [_line(move, order.created_ns, at, size) for move in moves]
    return lines


def _what(order: Order) -> str:
    """Return ``buy entry limit GTC post-only``; what role and type share, once."""
    kind = order.type.value.replace("_", "-")
    words = [order.side, order.role, kind, order.time_in_force]
    if order.post_only:
        words.append("post-only")
    return " ".join(dict.fromkeys(str(word) for word in words))


def _end(order: Order) -> Sequence[Line]:
    """Return when an order ends by itself."""
    if order.expires_ns is None:
        return []
    return [fact("ends", f"{utc_clock(order.expires_ns)} UTC")]


def _bracket(row: OrderRow | None) -> Sequence[Line]:
    """Return the stop and target that an entry brings, which are held once it fills."""
    if row is None:
        return []
    return [
        fact(name, f"{price(at, row.decimals)}, held here once it fills")
        for name, at in zip(("stop", "target"), row.bracket, strict=True)
        if at is not None
    ]


def _queue(row: OrderRow | None) -> Sequence[Line]:
    """Return the place in the queue of a paper order that has one."""
    if row is None or row.queue is None:
        return []
    ahead, shown = (quantity(size, row.quantity_decimals) for size in row.queue)
    return [fact("queue", f"{ahead} ahead of {shown} shown, on paper")]


def _status(order: Order) -> str:
    said = " (concluded; the venue did not say so)" if order.inferred else ""
    return f"{_word(order.status)}{said}"


def _line(
    move: OrderMove,
    start: int,
    at: Callable[[Decimal | None], str],
    size: Callable[[Decimal], str],
) -> Sequence[Part]:
    fill = move.event in _FILLS
    event = "fill" if fill else _word(move.event)
    parts: list[Part] = [
        (f"{utc_time(move.ts, 3)} ", "dim"),
        (f"+{age(move.ts - start)}".rjust(6) + "  ", ""),
        (event, "strong" if fill else ""),
    ]
    if move.quantity is not None:
        parts.append((f" {size(move.quantity)}", "strong" if fill else ""))
    if move.price is not None:
        parts.append((f" @ {at(move.price)}", "strong" if fill else ""))
    if move.after is not move.before:
        ink = "bad" if move.after.value in ("unknown", "rejected") else "strong"
        parts += [(f"  {_word(move.before)} → ", "dim"), (_word(move.after), ink)]
    if move.reason:
        parts.append((f"  {move.reason}", "dim"))
    return parts


def _word(name: OrderStatus | OrderEvent) -> str:
    return name.value.replace("_", " ")


def timeline_rows(history: OrderHistory) -> list[list[str]]:
    """Return the moves for a file: a head, then plain values, times in ns too."""
    start = history.order.created_ns
    return [
        list(_HEAD),
        *(
            [
                utc_clock(move.ts),
                str(move.ts - start),
                move.before.value,
                move.event.value,
                move.after.value,
                "" if move.quantity is None else plain(move.quantity),
                "" if move.price is None else plain(move.price),
                move.reason,
            ]
            for move in history.moves
        ),
    ]
