"""Price rules of the paper venue: what an order would get from this book or bar.

Pure functions of market figures; whatever has to be rounded is rounded against us.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from workstation.model.instruments import Instrument, Side, to_decimal
from workstation.model.market import Bar
from workstation.model.orders import Order, OrderRole
from workstation.model.ports import InstrumentView
from workstation.model.states import BookTrust

__all__ = [
    "against_us",
    "crosses",
    "gaps_beyond_trigger",
    "limit_at_open",
    "limit_in_bar",
    "reaches_trigger",
    "released_in_bar",
    "stop_in_bar",
    "visible_levels",
    "with_spread",
]

# Deeper than any order of an account this program is for; bounds the walk.
DEPTH = 200


def against_us(instrument: Instrument, price: float | Decimal, side: Side) -> Decimal:
    """Return the price on the tick: a buyer pays up, a seller gets less."""
    # Instrument rounds an *order's* price passively; a fill rounds the other way.
    return instrument.round_price(price, side.opposite)


def with_spread(
    instrument: Instrument, price: float | Decimal, side: Side, spread_bps: float
) -> Decimal:
    """Return the price half an assumed spread away from a mid, against us."""
    half = to_decimal(spread_bps) / 20_000
    return against_us(instrument, to_decimal(price) * (1 + half * side.sign), side)


def crosses(limit: Decimal, price: Decimal, side: Side) -> bool:
    """Tell whether an order with this limit may trade at ``price``."""
    return price <= limit if side is Side.BUY else price >= limit


def visible_levels(view: InstrumentView, side: Side) -> Iterator[tuple[float, float]]:
    """Yield price and size an order of this side can take, best first.

    The top is the quote's; deeper levels come from the book while it is trusted, and
    nothing does from a book that is not. A size of 0 is not known and bounds nothing.
    """
    if not view.is_top_proven:
        return
    buying = side is Side.BUY
    top = view.ask if buying else view.bid
    if not top > 0:
        return
    size = view.ask_size if buying else view.bid_size
    yield top, size
    book = view.book
    if size <= 0 or book is None or book.trust is not BookTrust.TRUSTED:
        return
    for price, amount in book.asks(DEPTH) if buying else book.bids(DEPTH):
        if amount > 0 and (price > top if buying else price < top):
            yield price, amount


def limit_at_open(instrument: Instrument, order: Order, bar: Bar) -> Decimal | None:
    """Return what a resting limit order gets at a bar's open, None for nothing."""
    limit = order.price
    opened = against_us(instrument, bar.open, order.side)
    crossed = limit is not None and crosses(limit, opened, order.side)
    return opened if crossed else None


def limit_in_bar(instrument: Instrument, order: Order, bar: Bar) -> Decimal | None:
    """Return where a resting limit order trades in a bar's range, or None.

    An open beyond the limit is a better price, and is what it gets.
    """
    limit = order.price
    if limit is None:
        return None
    opened = limit_at_open(instrument, order, bar)
    if opened is not None:
        return opened
    reached = to_decimal(bar.low if order.side is Side.BUY else bar.high)
    return limit if crosses(limit, reached, order.side) else None


def released_in_bar(
    instrument: Instrument, order: Order, bar: Bar, spread_bps: float
) -> Decimal:
    """Return what a stop or target that this bar released gets in it.

    A stop gets its trigger, or the open where the bar gapped beyond it, less half a
    spread; a target its trigger, or an open that is better.
    """
    opened = to_decimal(bar.open)
    trigger = order.trigger if order.trigger is not None else opened
    selling = order.side is Side.SELL
    if order.role is OrderRole.TARGET:
        best = max(opened, trigger) if selling else min(opened, trigger)
        return against_us(instrument, best, order.side)
    worst = min(opened, trigger) if selling else max(opened, trigger)
    return with_spread(instrument, worst, order.side, spread_bps)


def reaches_trigger(order: Order, bar: Bar) -> bool:
    """Tell whether a bar's range reaches the trigger of a stop."""
    if order.trigger is None:
        return False
    if order.side is Side.BUY:
        return to_decimal(bar.high) >= order.trigger
    return to_decimal(bar.low) <= order.trigger


def gaps_beyond_trigger(order: Order, bar: Bar) -> bool:
    """Tell whether a bar opens at or beyond the trigger of a stop."""
    if order.trigger is None:
        return False
    opened = to_decimal(bar.open)
    return (
        opened >= order.trigger if order.side is Side.BUY else opened <= order.trigger
    )


def stop_in_bar(
    instrument: Instrument, order: Order, bar: Bar, spread_bps: float
) -> tuple[Decimal, bool] | None:
    """Return price and whether it rested there: what a stop gets in its trigger's bar.

    None where a stop-limit gets nothing. What the bar did after the trigger is known
    only if it opened beyond it: then the rest of its range may come back to the limit.
    """
    taken = released_in_bar(instrument, order, bar, spread_bps)
    limit = order.price
    if limit is None or crosses(limit, taken, order.side):
        return taken, False
    back = to_decimal(bar.low if order.side is Side.BUY else bar.high)
    gapped = gaps_beyond_trigger(order, bar)
    return (limit, True) if gapped and crosses(limit, back, order.side) else None
