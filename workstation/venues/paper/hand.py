"""The hand at the paper venue: transfers, and orders that were not made here.

The run hears of them as it would of a real account's: of a transfer not at all, of an
order as one made at the venue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from workstation.model.errors import CommandRefused
from workstation.model.instruments import Instrument
from workstation.model.money import plain, plus
from workstation.model.orders import Order, OrderRole, OrderType
from workstation.model.rehearsal import HandOrder, Happening, Transfer
from workstation.model.reports import ExternalOrder
from workstation.venues.matching import MatchingEngine
from workstation.venues.paper.account import Account
from workstation.venues.paper.desk import Desk

__all__ = ["Hand"]

ZERO = Decimal(0)
# Nobody's of this run: at the venue orders have an account, and no owner.
NOBODY = ""


class Hand:
    """Does at the venue what nobody here has asked for."""

    def __init__(
        self,
        name: str,
        instruments: Mapping[str, Instrument],
        account: Account,
        desk: Desk,
        matching: MatchingEngine,
        problem: Callable[[Order], str | None],
        submit: Callable[[Order], None],
        free: Callable[[str], Decimal],
    ) -> None:
        """Take what the venue can do.

        ``problem`` says why an order would be refused, ``submit`` takes one; ``free``
        is what may go out of a balance.
        """
        self._name = name
        self._instruments = instruments
        self._account = account
        self._desk = desk
        self._matching = matching
        self._problem = problem
        self._submit = submit
        self._free = free

    def happen(self, event: Happening) -> str:
        """Let it happen now; return what did. Raises CommandRefused."""
        if isinstance(event, Transfer):
            return self._transfer(event)
        return self._order(event)

    def _transfer(self, event: Transfer) -> str:
        name, amount = event.currency, event.amount
        known = dict.fromkeys(
            each for i in self._instruments.values() for each in (i.quote, i.base)
        )
        if name not in known and name not in self._account.balances:
            raise CommandRefused(f"no currency {name}; known: {', '.join(known)}")
        if not amount.is_finite() or not amount:
            raise CommandRefused("an amount must be a number other than 0")
        has = self._account.balances.get(name, ZERO)
        if amount < 0 and has + amount < 0:
            raise CommandRefused(
                f"the account has {plain(has)} {name} at the venue, less than "
                f"{plain(-amount)}"
            )
        if amount < 0 and (free := self._free(name)) + amount < 0:
            raise CommandRefused(
                f"{plain(max(ZERO, free))} {name} are free at the venue, less than "
                f"{plain(-amount)}: the rest of {plain(has)} is reserved by orders"
            )
        self._account.balances[name] = plus(has, amount)
        went = "was put in" if amount > 0 else "went out"
        return f"{plain(abs(amount))} {name} {went} at the venue"

    def _order(self, event: HandOrder) -> str:
        number = self._matching.accepted + 1
        order = Order(
            id=f"web_{number}",
            instrument=event.instrument,
            owner=NOBODY,
            role=OrderRole.MANUAL,
            side=event.side,
            type=OrderType.MARKET if event.price is None else OrderType.LIMIT,
            quantity=event.quantity,
            price=event.price,
        )
        if event.instrument not in self._instruments:
            raise CommandRefused(f"no instrument {event.instrument}")
        figures = (event.quantity, ZERO if event.price is None else event.price)
        if not all(figure.is_finite() for figure in figures):
            raise CommandRefused("an order must have finite figures")
        problem = self._problem(order)
        if problem is not None:
            raise CommandRefused(f"the venue refuses it: {problem}")
        self._desk.report(
            order.id,
            ExternalOrder(
                order_id=order.id,
                instrument=order.instrument,
                side=order.side,
                order_type=order.type,
                quantity=order.quantity,
                price=order.price,
                venue_id=f"{self._name}-{number}",
            ),
            order.instrument,
        )
        self._submit(order)
        at = "market" if order.price is None else plain(order.price)
        return (
            f"order {order.id} was made at the venue: {order.side} "
            f"{plain(order.quantity)} {order.instrument} at {at}"
        )
