"""The paper account: balances by currency, fees by venue, and what orders reserve.

Where balances bound orders, they hold because of this: a new order is refused unless
what is free covers it, an order with a limit never costs more than it reserved, and a
market order is cut where what is free ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from workstation.model.fees import VenueFees
from workstation.model.instruments import Instrument, Side
from workstation.model.money import minus, plus, ratio, times
from workstation.venues.matching import Terms, Working

__all__ = ["Account"]

ZERO = Decimal(0)


class Account:
    """Balances that every execution changes on both sides: base and quote."""

    def __init__(
        self,
        cash: Mapping[str, Decimal],
        instruments: Mapping[str, Instrument],
        fees: Mapping[str, VenueFees],
        price: Callable[[str, Side], Decimal],
    ) -> None:
        """``fees`` are by instrument; ``price`` is a market order's of now."""
        self.balances: dict[str, Decimal] = dict(cash)
        self._instruments = instruments
        self._fees = fees
        self._price = price

    def settle(
        self, name: str, side: Side, quantity: Decimal, price: Decimal, *, maker: bool
    ) -> Decimal:
        """Book one execution; return its fee, in the quote currency."""
        instrument = self._instruments[name]
        fees = self._fees[name]
        notional = times(quantity, price)
        fee = times(notional, fees.maker if maker else fees.taker)
        buys = side is Side.BUY
        quote, base = instrument.quote, instrument.base
        self._add(quote, minus(notional.copy_negate() if buys else notional, fee))
        self._add(base, quantity if buys else quantity.copy_negate())
        return fee

    def _add(self, currency: str, amount: Decimal) -> None:
        self.balances[currency] = plus(self.balances.get(currency, ZERO), amount)

    # What orders may cost.

    def lacks(
        self,
        terms: Terms,
        supply: Iterable[tuple[Decimal, Decimal]],
        working: Iterable[Working],
    ) -> str | None:
        """Return what a new or changed order needs beyond what is free, or None.

        ``supply`` is what it could take at once, by price and quantity; a market order
        is reckoned by it. ``working`` are the account's orders, also this one.
        """
        currency = self._currency(terms)
        if terms.side is Side.BUY and terms.price is None and terms.trigger is None:
            cost = self._cost(terms, supply)
            needed = times(cost, self._most_per_notional(terms))
        else:
            needed = self._reserve(terms, terms.quantity)
        free = self.free(currency, working, besides=terms.id)
        if needed <= free:
            return None
        return (
            f"insufficient balance: needs {needed:f} {currency}, "
            f"free {max(ZERO, free):f}"
        )

    def affords(
        self,
        order: Working,
        price: Decimal,
        spent: Decimal,
        working: Iterable[Working],
    ) -> Decimal:
        """Return how much of a market order can be paid at a price, on the lot.

        ``spent`` is the notional of what it takes before. One that sells has reserved
        what it sells.
        """
        terms = order.terms
        if terms.side is Side.SELL:
            return order.left
        factor = self._most_per_notional(terms)
        free = self.free(self._currency(terms), working, besides=terms.id)
        money, each = minus(free, times(spent, factor)), times(price, factor)
        if times(order.left, each) <= money:
            return order.left
        if money <= 0:
            return ZERO
        instrument = self._instruments[terms.instrument]
        most = instrument.round_quantity(ratio(money, each))
        # A quotient is rounded, which may be up.
        return most if times(most, each) <= money else most - instrument.lot_size

    def free(
        self, currency: str, working: Iterable[Working], *, besides: str = ""
    ) -> Decimal:
        """Return what of a balance no working order reserves, but the one ``besides``.

        Less than 0 where the market went away from market orders that wait.
        """
        free = self.balances.get(currency, ZERO)
        for order in working:
            terms = order.terms
            if terms.id != besides and self._currency(terms) == currency:
                free = minus(free, self._reserve(terms, order.left))
        return free

    def _currency(self, terms: Terms) -> str:
        """Return the currency in which an order pays."""
        instrument = self._instruments[terms.instrument]
        return instrument.base if terms.side is Side.SELL else instrument.quote

    def _reserve(self, terms: Terms, left: Decimal) -> Decimal:
        """Return what an order reserves that has so much left.

        A buyer reserves by its limit; without one, by the price of now, or by its
        trigger where that is more.
        """
        if terms.side is Side.SELL:
            return left
        price = terms.price
        if price is None:
            now = self._price(terms.instrument, terms.side)
            price = max(now, terms.trigger or ZERO)
        return times(times(left, price), self._most_per_notional(terms))

    def _cost(self, terms: Terms, supply: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
        """Return the notional of a market order, at once and of what has to wait.

        What waits is reckoned at the worst price shown: what comes next is no better.
        """
        left, cost, worst = terms.quantity, ZERO, None
        for worst, most in supply:
            amount = min(most, left)
            cost = plus(cost, times(amount, worst))
            left = minus(left, amount)
            if left <= 0:
                return cost
        if worst is None:
            worst = self._price(terms.instrument, terms.side)
        return plus(cost, times(left, worst))

    def _most_per_notional(self, terms: Terms) -> Decimal:
        """Return what a buyer pays per notional at most, its fee included."""
        fees = self._fees[terms.instrument]
        # One with a limit may come to rest, and then pays the other fee.
        maker = ZERO if terms.price is None else fees.maker
        return 1 + max(ZERO, fees.taker, maker)

    def digest(self) -> object:
        """Return the balances in plain values."""
        return tuple((name, str(amount)) for name, amount in self.balances.items())
