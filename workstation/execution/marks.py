"""Marks as exact money: the market's, rounded to half a tick.

The ledger values what is held at them, limits what may be; they cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from workstation.model.instruments import Instrument
from workstation.model.ports import MarketView

__all__ = ["Marks"]


class Marks:
    """The marks of a run's instruments; ``grid`` is what each is rounded to."""

    def __init__(
        self, market: MarketView, instruments: Mapping[str, Instrument]
    ) -> None:
        self._market = market
        # One decimal more than the tick holds the middle of a spread exactly.
        self.grid = {
            name: Decimal(1).scaleb(-instrument.price_decimals - 1)
            for name, instrument in instruments.items()
        }
        # The last mark and its exact form: several figures ask for it after a fill.
        self._last: dict[str, tuple[float, Decimal]] = {}

    def of(self, instrument: str) -> Decimal | None:
        """Return the market's mark, exact to half a tick; None before any price."""
        mark = self._market.instrument(instrument).mark
        if mark is None or not mark > 0:
            return None
        seen = self._last.get(instrument)
        if seen is not None and seen[0] == mark:
            return seen[1]
        exact = Decimal(repr(mark)).quantize(self.grid[instrument])
        self._last[instrument] = (mark, exact)
        return exact
