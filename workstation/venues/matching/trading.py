"""How orders trade: the walk through levels, what an order may still do, its end.

One ``Trading`` serves all books of an engine. It knows price-time priority, the outside
between the orders of a level, self-trades, reduce-only and what an account can pay; not
how orders come in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from workstation.model.instruments import Side
from workstation.model.money import plus, times
from workstation.model.orders import OrderStatus, TimeInForce
from workstation.venues.matching import events as told
from workstation.venues.matching.book import Book, crosses
from workstation.venues.matching.fates import Fates
from workstation.venues.matching.funds import Funds
from workstation.venues.matching.level import Level
from workstation.venues.matching.orders import SelfTrade, Terms, Working
from workstation.venues.matching.outside import Offer, Outside
from workstation.venues.matching.supply import is_better, supply

__all__ = ["Trading"]

ZERO = Decimal(0)


class Trading:
    """Working orders, positions and fates, and every way in which they change."""

    def __init__(
        self,
        books: dict[str, Book],
        tell: Callable[[told.MatchingEvent], None],
        outside: Outside,
        self_trade: SelfTrade,
        *,
        holds_positions: bool,
        funds: Funds | None,
    ) -> None:
        self.orders: dict[str, Working] = {}
        self.fates = Fates()
        self.positions: dict[tuple[str, str], Decimal] = {}
        self.executions = 0
        self._books = books
        self._tell = tell
        self._outside = outside
        self._self_trade = self_trade
        self._holds_positions = holds_positions
        self._funds = funds

    def take(self, book: Book, order: Working, *, waiting: bool = False) -> None:
        """Trade an order with what is at or within its limit, best price first.

        At one price the outside and the orders of accounts trade as they queue.
        """
        terms = order.terms
        half = book.half(terms.side.opposite)
        offers = self._outside.offers(terms.instrument, terms.side)
        offer = next(offers, None)
        for level in half.best_first():
            while offer is not None and is_better(offer.price, level.price, terms.side):
                if not self._take_outside(book, order, offer, offer.quantity):
                    return
                offer = next(offers, None)
            if not crosses(terms.price, level.price, terms.side):
                break
            here = offer if offer is not None and offer.price == level.price else None
            taken = self._take_level(book, order, level, here, waiting=waiting)
            if taken is None:
                return
            if here is not None:
                if not self._take_outside(book, order, here, here.quantity - taken):
                    return
                offer = next(offers, None)
        while offer is not None and self._take_outside(
            book, order, offer, offer.quantity
        ):
            offer = next(offers, None)

    def _take_level(
        self,
        book: Book,
        order: Working,
        level: Level,
        offer: Offer | None,
        *,
        waiting: bool,
    ) -> Decimal | None:
        """Trade with the orders of a level and the outside between them.

        Return how much of the offer was taken, or None once the order is done.
        """
        taken = ZERO
        for resting in [*level.orders.values()]:
            if offer is not None:
                between = min(resting.ahead, offer.quantity - taken)
                if between > 0:
                    if not self._take_outside(book, order, offer, between):
                        return None
                    taken += between
            if resting.terms.account == order.terms.account:
                if waiting:
                    continue
                if not self._prevent(order, resting):
                    return None
                continue
            amount = wanted = min(self.room(order), self.room(resting))
            if self._funds is not None:
                amount = self._paid(order, level.price, wanted)
            if amount > 0:
                self.execute(book, level.price, amount, order, False, resting)
            self._end_if_reduced(resting)
            if amount < wanted:
                self._end_unpaid(order)
                return None
            if not self._goes_on(order):
                return None
        return taken

    def _take_outside(
        self, book: Book, order: Working, offer: Offer, most: Decimal
    ) -> bool:
        """Take up to ``most`` of an offer; tell whether the order still wants more."""
        terms = order.terms
        if not crosses(terms.price, offer.price, terms.side):
            return False
        amount = wanted = min(self.room(order), most)
        if self._funds is not None:
            amount = self._paid(order, offer.price, wanted)
        if amount > 0:
            self._outside.take(terms.instrument, terms.side, offer, amount)
            level = book.half(terms.side.opposite).levels.get(offer.price)
            if level is not None:
                level.taken(amount)
            self.execute(book, offer.price, amount, order, False)
        if amount < wanted:
            self._end_unpaid(order)
            return False
        return self._goes_on(order)

    def fill(
        self,
        book: Book,
        order: Working,
        quantity: Decimal,
        price: Decimal,
        *,
        maker: bool,
    ) -> None:
        """Trade an order with the outside at a price that the venue knows."""
        amount = self._paid(order, price, quantity)
        if amount < quantity and order.terms.time_in_force is TimeInForce.FOK:
            amount = ZERO
        if amount > 0:
            self.execute(book, price, amount, order, maker)
        if amount < quantity:
            self._end_unpaid(order)

    def meet(self, book: Book, order: Working) -> None:
        """Let a resting order trade with an outside that crossed its price."""
        terms = order.terms
        for offer in self._outside.offers(terms.instrument, terms.side):
            if not crosses(terms.price, offer.price, terms.side):
                break
            amount = min(self.room(order), offer.quantity)
            if amount > 0:
                self._outside.take(terms.instrument, terms.side, offer, amount)
                self.rested(book, order, amount, terms.price or offer.price)
            if not self._goes_on(order):
                break

    def rested(
        self, book: Book, order: Working, quantity: Decimal, price: Decimal
    ) -> Decimal:
        """Fill a resting order from the outside; return how much it could take."""
        if order.terms.id not in self.orders:
            return ZERO
        amount = min(self.room(order), quantity)
        if amount > 0:
            self.execute(book, price, amount, order, True)
        self._end_if_reduced(order)
        return amount

    def _prevent(self, incoming: Working, resting: Working) -> bool:
        """Keep an account from trading with itself; tell if the incoming goes on."""
        policy = self._self_trade
        if policy is not SelfTrade.CANCEL_INCOMING:
            self.cancel(resting, f"self-trade with {incoming.terms.id}")
        if policy is SelfTrade.CANCEL_RESTING:
            return True
        self.cancel(incoming, f"self-trade with {resting.terms.id}")
        return False

    def execute(
        self,
        book: Book,
        price: Decimal,
        quantity: Decimal,
        order: Working,
        maker: bool,
        other: Working | None = None,
    ) -> None:
        """Trade ``order`` with ``other``, which rested, or with the outside."""
        terms = order.terms
        self.executions += 1
        buys = terms.side is Side.BUY
        for each in (order, other):
            if each is not None:
                each.left -= quantity
                each.filled += quantity
                key = (each.terms.account, terms.instrument)
                signed = quantity * each.terms.side.sign
                self.positions[key] = self.positions.get(key, ZERO) + signed
                if each.left <= 0:
                    self._finish(each, OrderStatus.FILLED)
        mine = _party(order, maker)
        theirs = told.OUTSIDE if other is None else _party(other, True)
        self._tell(
            told.Executed(
                number=self.executions,
                instrument=terms.instrument,
                price=price,
                quantity=quantity,
                buyer=mine if buys else theirs,
                seller=theirs if buys else mine,
            )
        )
        book.last = price
        if other is not None:
            # What was taken from the outside is no trade that the outside told of.
            book.printed = price

    # What an order may still do.

    def room(self, order: Working) -> Decimal:
        """Return how much an order may trade now."""
        terms = order.terms
        if not (terms.reduce_only and self._holds_positions):
            return order.left
        held = self.positions.get((terms.account, terms.instrument), ZERO)
        return min(order.left, max(ZERO, -held * terms.side.sign))

    def _goes_on(self, order: Working) -> bool:
        """Tell whether an order is still there and wants more."""
        if order.terms.id not in self.orders:
            return False
        return not self._end_if_reduced(order)

    def _end_if_reduced(self, order: Working) -> bool:
        """End a reduce-only order that has nothing left to reduce."""
        terms = order.terms
        if not (terms.reduce_only and self._holds_positions):
            return False
        if terms.id not in self.orders or self.room(order) > 0:
            return False
        self.expire(order, "reduce_only: no position left to reduce")
        return True

    def supply(self, terms: Terms) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield price and quantity of all that a new order could take, best first."""
        return supply(
            terms,
            self._books[terms.instrument].half(terms.side.opposite),
            self._outside.offers(terms.instrument, terms.side),
            self.positions if self._holds_positions else None,
            stops_at_own=self._self_trade is not SelfTrade.CANCEL_RESTING,
        )

    def kill(self, order: Working) -> bool:
        """End a fill-or-kill order that cannot be filled whole; tell whether it was."""
        wanted = order.left
        total = spent = ZERO
        room = self.room(order)
        if room < wanted:
            total = room
        else:
            for price, most in self.supply(order.terms):
                amount = min(most, wanted - total)
                if self._paid(order, price, amount, spent) < amount:
                    self._end_unpaid(order)
                    return True
                total += amount
                if total >= wanted:
                    return False
                spent = plus(spent, times(amount, price))
        self.expire(order, f"FOK: {total} of {wanted} on offer")
        return True

    def _paid(
        self, order: Working, price: Decimal, wanted: Decimal, spent: Decimal = ZERO
    ) -> Decimal:
        """Return how much of ``wanted`` the account can pay.

        An order with a limit has reserved what it may cost, a market order has not.
        """
        if self._funds is None or order.terms.price is not None:
            return wanted
        paid = self._funds.affords(order, price, spent, self.orders.values())
        return min(paid, wanted)

    def _end_unpaid(self, order: Working) -> None:
        """End an order whose account cannot pay what is left of it."""
        of = f"{order.filled} of {order.terms.quantity} filled"
        self.expire(order, f"insufficient balance: {of}")

    def would_take(self, terms: Terms) -> Decimal | None:
        """Return how much is on offer at the best price that an order would cross."""
        best = next(self._outside.offers(terms.instrument, terms.side), None)
        if best is not None and crosses(terms.price, best.price, terms.side):
            return min(best.quantity, terms.quantity)
        level = self._books[terms.instrument].half(terms.side.opposite).best()
        if level is not None and crosses(terms.price, level.price, terms.side):
            return min(level.quantity, terms.quantity)
        return None

    def cancel(self, order: Working, reason: str) -> None:
        self._finish(order, OrderStatus.CANCELED)
        self._tell(told.Canceled(order.terms.id, reason))

    def expire(self, order: Working, reason: str) -> None:
        self._finish(order, OrderStatus.EXPIRED)
        self._tell(told.Expired(order.terms.id, reason))

    def _finish(self, order: Working, status: OrderStatus) -> None:
        terms = order.terms
        del self.orders[terms.id]
        self._books[terms.instrument].drop(order)
        self.fates.keep(terms.id, status, order.filled)


def _party(order: Working, maker: bool) -> told.Party:
    return told.Party(order.terms.id, order.terms.account, maker, order.left <= 0)
