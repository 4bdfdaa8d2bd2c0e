"""What is there for an order: the walk of ``Trading.take``, looked at and not done.

It answers before anything has happened: whether an order could be filled whole, and at
which prices. It changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from workstation.model.instruments import Side
from workstation.venues.matching.book import Half, crosses
from workstation.venues.matching.orders import Terms, Working
from workstation.venues.matching.outside import Offer

__all__ = ["Positions", "is_better", "supply"]

ZERO = Decimal(0)

# By account and instrument.
Positions = Mapping[tuple[str, str], Decimal]


def is_better(price: Decimal, than: Decimal, side: Side) -> bool:
    """Tell whether an order of this side prefers a price to another."""
    return price < than if side is Side.BUY else price > than


def supply(
    terms: Terms,
    half: Half,
    offers: Iterator[Offer],
    positions: Positions | None,
    *,
    stops_at_own: bool,
) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield price and quantity of all an order could take, in the order of taking.

    ``half`` is the other side of its book, ``offers`` are the outside's. With
    ``stops_at_own`` it ends at the first order of its own account, else those are
    passed over. ``positions`` are what reduce-only orders reduce; None: not judged.

    Each quantity supposes that all before it was taken. An offer without a known size
    is infinite, and nothing may be asked for after it.
    """
    offer = next(offers, None)
    rooms = None if positions is None else _Rooms(positions)
    for level in half.best_first():
        while offer is not None and is_better(offer.price, level.price, terms.side):
            if not crosses(terms.price, offer.price, terms.side):
                return
            yield offer.price, offer.quantity
            offer = next(offers, None)
        if not crosses(terms.price, level.price, terms.side):
            return
        here = ZERO
        if offer is not None and offer.price == level.price:
            here = offer.quantity
            offer = next(offers, None)
        taken = ZERO
        for resting in level.orders.values():
            between = min(resting.ahead - taken, here - taken)
            if between > 0:
                yield level.price, between
                taken += between
            if resting.terms.account == terms.account:
                if stops_at_own:
                    return
                continue
            amount = resting.left if rooms is None else rooms.take(resting)
            if amount > 0:
                yield level.price, amount
        if here > taken:
            yield level.price, here - taken
    while offer is not None and crosses(terms.price, offer.price, terms.side):
        yield offer.price, offer.quantity
        offer = next(offers, None)


class _Rooms:
    """What resting orders could trade, one after the other, as positions would move."""

    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self._moved: dict[tuple[str, str], Decimal] = {}

    def take(self, order: Working) -> Decimal:
        """Return how much an order could trade, and suppose that it did."""
        terms = order.terms
        key = (terms.account, terms.instrument)
        moved = self._moved.get(key, ZERO)
        amount = order.left
        if terms.reduce_only:
            held = self._positions.get(key, ZERO) + moved
            amount = min(amount, max(ZERO, -held * terms.side.sign))
        self._moved[key] = moved + amount * terms.side.sign
        return amount
