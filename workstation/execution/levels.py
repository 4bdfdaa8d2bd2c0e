"""What of a wish can be placed: on the grid, not crossed, above the minimum, passive.

Called by ``requoting``; it knows nothing of the orders that work already.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from workstation.execution.steps import Step, StepKind, Why
from workstation.model.desired import DesiredLevel, DesiredOrders
from workstation.model.instruments import Instrument, Side

__all__ = ["Touch", "Want", "crosses", "wanted"]

_BUY, _SELL = Side.BUY, Side.SELL


class Touch(NamedTuple):
    """The market's best prices; None where that side is not known."""

    bid: Decimal | None = None
    ask: Decimal | None = None

    def against(self, side: Side) -> Decimal | None:
        """Return the price at which an order of this side would take."""
        return self.ask if side is _BUY else self.bid


class Want(NamedTuple):
    """One level on the grid; ``level`` is its place in the wish.

    ``small`` says that it is below the venue's minimum: what rests may stay, nothing
    is placed. ``moved_from`` is the price that would have taken.
    """

    side: Side
    level: int
    price: Decimal
    quantity: Decimal
    small: bool = False
    moved_from: Decimal | None = None


def crosses(price: Decimal, other: Decimal | None, side: Side) -> bool:
    """Tell whether an order of this side at ``price`` would trade at ``other``."""
    if other is None:
        return False
    return price >= other if side is _BUY else price <= other


def wanted(
    desired: DesiredOrders, instrument: Instrument, touch: Touch, would_take: str
) -> tuple[dict[Side, list[Want]], list[Step]]:
    """Return the wants of each side, best first, and what was left out, with reasons.

    ``would_take`` is what becomes of a post-only level that would take: ``passive``
    moves it a tick behind the other side's best price, ``drop`` leaves it out.
    """
    dropped: list[Step] = []
    wants = {
        side: _on_grid(side, levels, instrument, dropped)
        for side, levels in ((_BUY, desired.bids), (_SELL, desired.asks))
    }
    _uncross(wants, dropped)
    if desired.post_only:
        for side, own in wants.items():
            at = touch.against(side)
            if at is not None:
                wants[side] = _passive(own, at, instrument, would_take, dropped)
    return wants, dropped


def _on_grid(
    side: Side,
    levels: Sequence[DesiredLevel],
    instrument: Instrument,
    dropped: list[Step],
) -> list[Want]:
    wants = []
    for index, level in enumerate(levels):
        price = instrument.round_price(level.price, side)
        quantity = instrument.round_quantity(level.quantity)
        if price <= 0 or quantity <= 0:
            dropped.append(_drop(side, index, Why.BELOW_MINIMUM, price, quantity, None))
            continue
        refused = _out_of_bounds(instrument, price, quantity)
        if refused is not None:
            dropped.append(_drop(side, index, refused[0], price, quantity, refused[1]))
            continue
        small = _is_small(instrument, price, quantity)
        wants.append(Want(side, index, price, quantity, small))
    wants.sort(key=lambda want: want.price, reverse=side is _BUY)
    return wants


def _is_small(instrument: Instrument, price: Decimal, quantity: Decimal) -> bool:
    return (
        quantity < instrument.min_quantity or price * quantity < instrument.min_notional
    )


def _out_of_bounds(
    instrument: Instrument, price: Decimal, quantity: Decimal
) -> tuple[Why, Decimal] | None:
    """Return why no order can be so, and the bound it is beyond."""
    bound = instrument.within_prices(price)
    if bound != price:
        return Why.PRICE_RANGE, bound
    most = instrument.most(price)
    if most is not None and quantity > most:
        return Why.ABOVE_MAXIMUM, most
    return None


def _uncross(wants: dict[Side, list[Want]], dropped: list[Step]) -> None:
    """Leave out the levels of both sides that would trade with each other."""
    if not (wants[_BUY] and wants[_SELL]):
        return
    best = {side: own[0].price for side, own in wants.items()}
    for side, own in wants.items():
        other = best[side.opposite]
        kept = [want for want in own if not crosses(want.price, other, side)]
        dropped += [
            _drop(side, want.level, Why.MEETS_OWN, want.price, want.quantity, other)
            for want in own
            if crosses(want.price, other, side)
        ]
        wants[side] = kept


def _passive(
    own: list[Want],
    at: Decimal,
    instrument: Instrument,
    would_take: str,
    dropped: list[Step],
) -> list[Want]:
    passive = []
    for want in own:
        side = want.side
        if not crosses(want.price, at, side):
            passive.append(want)
            continue
        behind = instrument.round_price(at, side)
        if crosses(behind, at, side):
            behind -= side.sign * instrument.tick_size
        if would_take == "drop" or behind <= 0:
            dropped.append(
                _drop(side, want.level, Why.TAKES, want.price, want.quantity, at)
            )
        elif refused := _out_of_bounds(instrument, behind, want.quantity):
            why, bound = refused
            dropped.append(_drop(side, want.level, why, behind, want.quantity, bound))
        else:
            small = _is_small(instrument, behind, want.quantity)
            passive.append(
                want._replace(price=behind, small=small, moved_from=want.price)
            )
    passive.sort(key=lambda want: want.price, reverse=bool(own) and own[0].side is _BUY)
    return passive


def _drop(
    side: Side,
    level: int,
    why: Why,
    price: Decimal,
    quantity: Decimal,
    limit: Decimal | None,
) -> Step:
    return Step(
        kind=StepKind.DROP,
        side=side,
        why=why,
        level=level,
        price=price,
        quantity=quantity,
        limit=limit,
    )
