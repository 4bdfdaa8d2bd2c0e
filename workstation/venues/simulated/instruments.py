"""Instruments of the simulated venue: the shared table under its venue name.

The builder asks here for every simulated symbol that the config does not describe.
"""

from __future__ import annotations

from workstation.model.instruments import Instrument
from workstation.venues import instruments
from workstation.venues.instruments import start_price
from workstation.venues.simulated.settings import VENUE

__all__ = ["VENUE", "default_instrument", "start_price"]


def default_instrument(symbol: str, venue: str = VENUE) -> Instrument:
    """Return the instrument of a symbol; unknown symbols get a made-up stable one."""
    return instruments.default_instrument(symbol, venue)
