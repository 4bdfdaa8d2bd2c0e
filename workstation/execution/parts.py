"""Parts: how what closes a position is split where one order may not be so large.

A maximum of the venue must not keep anybody in a position, so ``Closing`` and released
stops send several orders, all at once: each is judged and followed for itself.
"""

from __future__ import annotations

from decimal import Decimal

from workstation.model.instruments import Instrument

__all__ = ["AT_ONCE", "parts"]

AT_ONCE = 50
"""Orders that one close sends at most: a maximum that is far too small must not flood
the venue. Each is as large as any that made the position, so it is rarely more than a
few."""


def parts(
    instrument: Instrument, quantity: Decimal, price: Decimal | None
) -> list[Decimal]:
    """Return the quantities to close one by one; without a price, at market.

    Each is as large as may be, the last what is left. Where that would be less than
    the instrument's minimum, the one before it gives some up. What is beyond AT_ONCE
    orders is not in the list.
    """
    most = instrument.most(price)
    if most is None or quantity <= most:
        return [quantity]
    most = instrument.round_quantity(most)
    if most <= 0:
        # No order is small enough: the risk stage says so with the numbers.
        return [quantity]
    whole = int(quantity // most)
    if whole >= AT_ONCE:
        return [most] * AT_ONCE
    found = [most] * whole
    rest = quantity - whole * most
    if not rest:
        return found
    least = instrument.min_quantity
    short = instrument.ceil_quantity(least - rest) if rest < least else Decimal(0)
    if short and most - short >= least:
        found[-1] -= short
        rest += short
    return [*found, rest]
