"""The paper account: balances by currency, fees by venue, and what orders reserve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from workstation.model.fees import VenueFees
from workstation.model.instruments import Instrument, Side
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
    ) -> None:
        """``fees`` are by instrument."""
        self.balances: dict[str, Decimal] = dict(cash)
        self._instruments = instruments
        self._fees = fees

    def settle(
        self, name: str, side: Side, quantity: Decimal, price: Decimal, *, maker: bool
    ) -> Decimal:
        """Book one execution; return its fee, in the quote currency."""
        instrument = self._instruments[name]
        fee = quantity * price * self._rate(name, maker=maker)
        signed = quantity * side.sign
        balances = self.balances
        quote, base = instrument.quote, instrument.base
        balances[quote] = balances.get(quote, ZERO) - signed * price - fee
        balances[base] = balances.get(base, ZERO) + signed
        return fee

    def lacks(
        self, terms: Terms, price: Decimal, working: Iterable[Working]
    ) -> str | None:
        """Return what an order at ``price`` needs beyond what is free, or None.

        ``working`` are the account's other orders; each reserves what it would pay, at
        the taker's fee. A market order that waits reserves nothing it has no price for.
        """
        currency, needed = self._needs(terms, terms.quantity, price)
        free = self.balances.get(currency, ZERO)
        for other in working:
            if other.terms.id != terms.id:
                paid = other.terms.price or other.terms.trigger or ZERO
                its, reserved = self._needs(other.terms, other.left, paid)
                free -= reserved if its == currency else ZERO
        if needed <= free:
            return None
        return f"insufficient balance: needs {needed:f} {currency}, free {free:f}"

    def _needs(
        self, terms: Terms, quantity: Decimal, price: Decimal
    ) -> tuple[str, Decimal]:
        instrument = self._instruments[terms.instrument]
        if terms.side is Side.SELL:
            return instrument.base, quantity
        rate = max(ZERO, self._rate(terms.instrument, maker=False))
        return instrument.quote, quantity * price * (1 + rate)

    def _rate(self, name: str, *, maker: bool) -> Decimal:
        fees = self._fees[name]
        return fees.maker if maker else fees.taker

    def digest(self) -> object:
        """Return the balances in plain values."""
        return tuple((name, str(amount)) for name, amount in self.balances.items())
