"""The matching engine: takes orders of accounts and lets them trade, in price and time.

Its owner calls it with the time of each happening and hears of every change by
``tell``, in order. A venue that has an outside also tells it what that outside does:
``printed`` (a public trade), ``shows`` (a size) and ``sweep`` (what it offers changed).
An account never trades with itself.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from workstation.model.instruments import Instrument, Side
from workstation.model.orders import OrderStatus, TimeInForce
from workstation.venues.matching import events as told
from workstation.venues.matching.book import Book, crosses
from workstation.venues.matching.filters import (
    notional_problem,
    price_problem,
    quantity_problem,
    terms_problem,
)
from workstation.venues.matching.funds import Funds
from workstation.venues.matching.level import Level, Shrink
from workstation.venues.matching.orders import SelfTrade, Terms, Working
from workstation.venues.matching.outside import NOBODY, Outside
from workstation.venues.matching.trading import Trading

__all__ = ["MatchingEngine"]

ZERO = Decimal(0)


class MatchingEngine:
    """Books of orders, one per instrument, and the positions of accounts.

    ``orders`` are the working ones by id. Without ``holds_positions`` nothing is judged
    by an account's position here: reduce-only is then the business of who sends. With
    ``funds`` a market order takes no more than its account can pay.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        tell: Callable[[told.MatchingEvent], None],
        *,
        outside: Outside = NOBODY,
        self_trade: SelfTrade = SelfTrade.CANCEL_RESTING,
        shrink: Shrink = Shrink.BEHIND,
        holds_positions: bool = True,
        funds: Funds | None = None,
    ) -> None:
        self.accepted = 0
        self._instruments = {each.id: each for each in instruments}
        self._books = {each.id: Book() for each in instruments}
        self._tell = tell
        self._outside = outside
        self.trading = Trading(
            self._books,
            tell,
            outside,
            self_trade,
            holds_positions=holds_positions,
            funds=funds,
        )
        self.orders = self.trading.orders
        self.fates = self.trading.fates
        self._holds_positions = holds_positions
        self._shrink = shrink
        self._expiries: list[tuple[int, int, str]] = []

    def book(self, instrument: str) -> Book:
        """Return the book of an instrument; KeyError where it is not traded here."""
        return self._books[instrument]

    # Orders.

    def submit(self, terms: Terms, *, match: bool = True) -> bool:
        """Take an order or refuse it; tell whether it is working now.

        Unless ``match``, it rests without trading.
        """
        problem = self.problem(terms)
        if problem is not None:
            self.refuse(terms.id, problem)
            return False
        self.accepted += 1
        order = Working(terms, self.accepted)
        self.orders[terms.id] = order
        if terms.expires_ns is not None:
            expiry = (terms.expires_ns, order.number, terms.id)
            heapq.heappush(self._expiries, expiry)
        self._tell(told.Accepted(terms.id, order.number))
        book = self._books[terms.instrument]
        if terms.trigger is not None and not (match and _reached(terms, book.printed)):
            book.stops[order.number] = order
        elif not match:
            self._rest(book, order)
        else:
            if terms.trigger is not None:
                self._trigger(order)
            self._enter(book, order)
            self._settle(book)
        return terms.id in self.orders

    def refuse(self, order_id: str, reason: str) -> None:
        """Refuse an order for a reason of the venue's own."""
        if order_id not in self.orders and order_id not in self.fates:
            self.fates.keep(order_id, OrderStatus.REJECTED, ZERO)
        self._tell(told.Refused(order_id, reason))

    def cancel(self, order_id: str, reason: str = "") -> None:
        """End an order, or say that there is none."""
        order = self.orders.get(order_id)
        if order is None:
            self._tell(told.CancelRefused(order_id, self.fates.said(order_id)))
        else:
            self.trading.cancel(order, reason)

    def amend(
        self,
        order_id: str,
        quantity: Decimal,
        price: Decimal | None,
        trigger: Decimal | None = None,
        *,
        match: bool = True,
    ) -> None:
        """Change a limit order, or a stop that waits, which must be asked with trigger.

        A smaller quantity at its price keeps the place. A stop whose new trigger the
        last price has reached is woken.
        """
        order = self.orders.get(order_id)
        if order is None:
            self._tell(told.AmendRefused(order_id, self.fates.said(order_id)))
            return
        terms = order.terms
        book = self._books[terms.instrument]
        waits = order.number in book.stops
        problem = "its trigger was met" if trigger is not None and not waits else None
        problem = problem or self._amend_problem(book, order, quantity, price, trigger)
        if problem is not None:
            self._tell(told.AmendRefused(order_id, problem))
            return
        if waits:
            order.terms = replace(
                terms, quantity=quantity, price=price, trigger=trigger
            )
            order.left = quantity
            self._tell(told.Amended(order_id, quantity, price, order.number, trigger))
            if match:
                self._settle(book)
            return
        keeps = price == terms.price and quantity <= terms.quantity
        if not keeps:
            book.drop(order)
            self.accepted += 1
            order.number = self.accepted
        order.terms = replace(terms, quantity=quantity, price=price)
        order.left = quantity - order.filled
        self._tell(told.Amended(order_id, quantity, price, order.number))
        if keeps:
            return
        if match:
            self._enter(book, order)
            self._settle(book)
        else:
            self._rest(book, order)

    def expire(self, now_ns: int) -> None:
        """End the orders whose time has come."""
        while self._expiries and self._expiries[0][0] <= now_ns:
            expires_ns, _, order_id = heapq.heappop(self._expiries)
            order = self.orders.get(order_id)
            # A stop that has become a market order has lost its end.
            if order is not None and order.terms.expires_ns == expires_ns:
                self.trading.expire(order, "good till date")

    def end(self, order_id: str, reason: str) -> None:
        """Let a working order expire for a reason of the venue's own."""
        self.trading.expire(self.orders[order_id], reason)

    def fill(
        self, order_id: str, quantity: Decimal, price: Decimal, *, maker: bool
    ) -> None:
        """Trade a working order with the outside, where the venue knows it did."""
        order = self.orders[order_id]
        book = self._books[order.terms.instrument]
        self.trading.fill(book, order, quantity, price, maker=maker)

    # What the outside does.

    def sweep(self, instrument: str) -> None:
        """Let what is in the book trade with what the outside now offers.

        Market orders that wait come first; a limit order gets its own price, as the
        one who was there first.
        """
        book = self._books[instrument]
        self._settle(book)
        for order in book.in_turn():
            if order.terms.price is not None and order.terms.id in self.orders:
                self.trading.meet(book, order)
        self._settle(book)

    def printed(
        self,
        instrument: str,
        price: Decimal,
        quantity: Decimal,
        aggressor: Side | None,
        now_ns: int,
    ) -> None:
        """Let a public trade fill what it went through, and consume the queue at it.

        Orders at a better price trade first. At the price itself those of the
        aggressor's other side do, in turn; None: of both sides. All of them together
        get no more than ``quantity``.
        """
        book = self._books[instrument]
        left = quantity
        for half in (book.buys, book.sells):
            for level in half.best_first():
                if left <= 0 or not crosses(level.price, price, half.side):
                    break
                if level.price == price:
                    if aggressor is half.side:
                        break
                    turns = level.printed(left, now_ns)
                else:
                    level.pass_by()
                    turns = [(order, order.left) for order in level.orders.values()]
                for order, share in turns:
                    left -= self.trading.rested(
                        book, order, min(share, left), level.price
                    )
        book.last = book.printed = price
        self._settle(book)

    def last_was(self, instrument: str, price: Decimal) -> None:
        """Note the last price, for the trigger of a stop that comes or is changed."""
        book = self._books[instrument]
        book.last = book.printed = price

    def traded(self, instrument: str, price: Decimal) -> None:
        """Let a public trade that meets no order in the book wake up who waits."""
        book = self._books[instrument]
        book.last = book.printed = price
        self._settle(book)

    def quoted(self, instrument: str, bid: Decimal, ask: Decimal) -> None:
        """Let the best prices wake up stops, where no trade is told: 0 = not known.

        A stop that sells is woken by the bid, one that buys by the ask.
        """
        book = self._books[instrument]
        for order in [*book.stops.values()]:
            price = ask if order.terms.side is Side.BUY else bid
            if (
                price > 0
                and order.number in book.stops
                and _reached(order.terms, price)
            ):
                self._wake(book, order)
                self._enter(book, order)
        self._settle(book)

    def wake(self, order_id: str) -> None:
        """Wake up a stop without letting it trade: the venue knows what it gets."""
        order = self.orders[order_id]
        book = self._books[order.terms.instrument]
        self._wake(book, order)
        self._rest(book, order)

    def shows(self, instrument: str, level: Level, size: Decimal, now_ns: int) -> None:
        """Take the size that the outside shows at a level of ours."""
        lot = self._instruments[instrument].lot_size
        level.shows(size, now_ns, self._shrink, lot)

    # Lives of orders.

    def _enter(self, book: Book, order: Working) -> None:
        """Let a new order take what is there; the rest rests, waits or expires."""
        terms = order.terms
        if terms.time_in_force is TimeInForce.FOK and self.trading.kill(order):
            return
        self.trading.take(book, order)
        if terms.id not in self.orders:
            return
        if terms.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            word = terms.time_in_force.value
            self.trading.expire(
                order, f"{word}: {order.filled} of {terms.quantity} filled"
            )
        else:
            self._rest(book, order)

    def _rest(self, book: Book, order: Working) -> None:
        terms = order.terms
        half = book.half(terms.side)
        if terms.price is None:
            half.waiting[order.number] = order
            return
        # Of each order: what was shown to the one before may be shown no more.
        front = self._outside.ahead(terms.instrument, terms.side, terms.price)
        level = half.levels.get(terms.price) or half.open(terms.price, front.size)
        level.join(order, front)

    def _settle(self, book: Book) -> None:
        """Let waiting market orders and triggered stops go on until all is quiet."""
        while True:
            for half in (book.buys, book.sells):
                for order in [*half.waiting.values()]:
                    if order.terms.id in self.orders:
                        self.trading.take(book, order, waiting=True)
            ready = [o for o in book.stops.values() if _reached(o.terms, book.printed)]
            if not ready:
                return
            for order in ready:
                if order.number in book.stops:
                    self._wake(book, order)
                    self._enter(book, order)

    def _wake(self, book: Book, order: Working) -> None:
        """Take a stop out of those that wait; its place in time is its trigger's."""
        del book.stops[order.number]
        self.accepted += 1
        order.number = self.accepted
        self._trigger(order)

    def _trigger(self, order: Working) -> None:
        """Make a stop the market or limit order that it is from its trigger on."""
        if order.terms.price is None:
            # The end it had was that of its waiting.
            order.terms = replace(order.terms, expires_ns=None)
        self._tell(told.Triggered(order.terms.id))

    def problem(self, terms: Terms) -> str | None:
        """Return why an order would be refused now, or None; changes nothing."""
        instrument = self._instruments.get(terms.instrument)
        if instrument is None:
            return f"{terms.instrument} is not traded here"
        if terms.id in self.orders or terms.id in self.fates:
            return f"order id {terms.id} was used before"
        offer = next(self._outside.offers(terms.instrument, terms.side), None)
        last = self._books[terms.instrument].last
        problem = terms_problem(terms, instrument, offer.price if offer else last)
        if terms.post_only and (terms.price is None or terms.trigger is not None):
            return "post_only: only a limit order without a trigger can be"
        if problem is None and terms.post_only:
            problem = self._post_only_problem(terms)
        if problem is None and terms.reduce_only and self._holds_positions:
            held = self.trading.positions.get((terms.account, terms.instrument), ZERO)
            if held * terms.side.sign >= 0:
                return f"reduce_only: a position of {held} is not reduced by it"
        return problem

    def _post_only_problem(self, terms: Terms) -> str | None:
        amount = self.trading.would_take(terms)
        return None if amount is None else f"post_only: it would take {amount} at once"

    def _amend_problem(
        self,
        book: Book,
        order: Working,
        quantity: Decimal,
        price: Decimal | None,
        trigger: Decimal | None,
    ) -> str | None:
        terms = order.terms
        instrument = self._instruments[terms.instrument]
        if trigger is None and (terms.price is None or order.number in book.stops):
            return "only limit orders in the book can be changed without a trigger"
        if (price is None) is not (terms.price is None):
            return "a limit price cannot be given or taken away"
        problem = quantity_problem(quantity, instrument, price)
        for each in (price, trigger):
            if problem is None and each is not None:
                problem = price_problem(each, instrument)
        if problem is None and quantity <= order.filled:
            problem = f"{order.filled} is filled already"
        worth = price or trigger
        if problem is None and not terms.reduce_only and worth is not None:
            problem = notional_problem(quantity * worth, instrument)
        if problem is None and terms.post_only and price != terms.price:
            problem = self._post_only_problem(replace(terms, price=price))
        return problem

    def digest(self) -> tuple[object, ...]:
        """Return books and positions in plain values."""
        return (
            self.accepted,
            self.trading.executions,
            [(*key, str(held)) for key, held in self.trading.positions.items()],
            [
                (name, book.digest())
                for name, book in self._books.items()
                if not book.is_empty
            ],
        )


def _reached(terms: Terms, last: Decimal | None) -> bool:
    """Tell whether a price is at or beyond the trigger."""
    if last is None or terms.trigger is None:
        return False
    if terms.side is Side.BUY:
        return last >= terms.trigger
    return last <= terms.trigger
