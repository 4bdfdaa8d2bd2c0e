"""Fees of a venue, as those who trade there or compare venues need them."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

__all__ = ["VenueFees"]


class VenueFees(Struct, frozen=True):
    """Fees in bps of the notional; a negative one is a rebate."""

    maker_bps: Decimal
    taker_bps: Decimal

    @property
    def maker(self) -> Decimal:
        """Return the fee of resting orders as a share of the notional."""
        return self.maker_bps / 10_000

    @property
    def taker(self) -> Decimal:
        """Return the fee of taking liquidity as a share of the notional."""
        return self.taker_bps / 10_000
