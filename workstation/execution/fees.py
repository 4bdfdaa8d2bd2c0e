"""What fills cost: fees by currency, their value in the account's, and what they took.

The ledger books each fill's here, once. A fee in the base of what was traded comes off
what is held; one that nothing here has a price for is counted apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from workstation.model.instruments import Instrument
from workstation.model.money import minus, plus, times
from workstation.model.orders import Fill

__all__ = ["Fees"]

ZERO = Decimal(0)


class Fees:
    """The fees of one account; ``total`` is what they were worth in its currency.

    ``total`` leaves out ``unvalued``: those in a currency that is neither the account's
    nor one of the instrument's, by currency.
    """

    def __init__(self, currency: str, instruments: Mapping[str, Instrument]) -> None:
        self._currency = currency
        self._instruments = instruments
        self.total = ZERO
        self.by_currency: dict[str, Decimal] = {}
        self.unvalued: dict[str, Decimal] = {}
        # What they took from what was traded, and what that was worth, by instrument.
        self._netted: dict[str, tuple[Decimal, Decimal]] = {}

    def book(self, fill: Fill) -> Decimal:
        """Book a fill's fee in its currency; return its value in the account's."""
        currency, fee = fill.fee_currency, fill.fee
        paid = self.by_currency
        paid[currency] = plus(paid.get(currency, ZERO), fee)
        instrument = self._instruments[fill.instrument]
        if currency == instrument.base:
            fee = times(fee, fill.price)
        elif currency != self._currency and currency != instrument.quote:
            if fee:
                unvalued = self.unvalued
                unvalued[currency] = plus(unvalued.get(currency, ZERO), fee)
            return ZERO
        self.total = plus(self.total, fee)
        return fee

    def take_off(self, fill: Fill, signed: Decimal, worth: Decimal) -> Decimal:
        """Return what a fill changes of what is held, its fee in base taken off."""
        fees, value = self._netted.get(fill.instrument, (ZERO, ZERO))
        self._netted[fill.instrument] = plus(fees, fill.fee), plus(value, worth)
        return minus(signed, fill.fee)

    def paid(self) -> Iterator[tuple[str, Decimal]]:
        """Yield what each left of a currency, beside what positions and cash say.

        Positions are without what was taken off them, at the price at which it was.
        """
        for currency, fee in self.by_currency.items():
            yield currency, minus(ZERO, fee)
        for name, (fees, worth) in self._netted.items():
            instrument = self._instruments[name]
            yield instrument.base, fees
            yield instrument.quote, minus(ZERO, worth)

    def netted(self) -> list[tuple[str, str, str]]:
        """Return in plain values what was taken off; mostly there never is any."""
        return [
            (name, str(fees), str(worth))
            for name, (fees, worth) in self._netted.items()
        ]
