"""Settings of venues as such, whoever speaks to them: what trading there costs.

``RunSettings`` holds them; the paper broker and the opportunity detector are given the
``VenueFees`` that come of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from workstation.model.fees import VenueFees
from workstation.model.instruments import to_decimal
from workstation.model.settings import Bps, Name, Settings
from workstation.venues.paper.settings import PaperBrokerSettings

__all__ = ["VenueSettings", "fees_by_venue"]


class VenueSettings(Settings, frozen=True, kw_only=True):
    """One ``[[venues]]`` entry; a fee it leaves out is the paper broker's."""

    name: Name
    """Venue of a feed: what its ``venue`` says, else ``simulated``, ``binance`` or
    ``file``."""
    maker_fee_bps: Bps | None = None
    """Fee on fills of resting orders, bps of the notional; negative = rebate."""
    taker_fee_bps: Bps | None = None
    """Fee on fills that take liquidity, bps of the notional."""


def fees_by_venue(
    names: Iterable[str], venues: Iterable[VenueSettings], broker: PaperBrokerSettings
) -> dict[str, VenueFees]:
    """Return the fees of each venue: its own where given, else the broker's."""
    own = {venue.name: venue for venue in venues}
    fees = {}
    for name in names:
        venue = own.get(name, VenueSettings(name=name))
        maker, taker = venue.maker_fee_bps, venue.taker_fee_bps
        fees[name] = VenueFees(
            maker_bps=to_decimal(broker.maker_fee_bps if maker is None else maker),
            taker_bps=to_decimal(broker.taker_fee_bps if taker is None else taker),
        )
    return fees
