"""What can be asked of the market that is not there.

WorkstationError
└── MarketError
    ├── MissingFees         venues are to be compared and nobody says what one costs
    ├── UnknownInstrument   no instrument of that id in this run
    └── UnknownTimeframe    bars of that length are not built, or too late to begin
"""

from __future__ import annotations

from collections.abc import Iterable

from workstation.model.errors import WorkstationError
from workstation.model.timeframes import Timeframe

__all__ = ["MarketError", "MissingFees", "UnknownInstrument", "UnknownTimeframe"]


class MarketError(WorkstationError):
    """Be the root of the errors of this package."""


class MissingFees(MarketError):
    """Say which venue has no fees and which have."""

    def __init__(self, venue: str, known: Iterable[str]) -> None:
        super().__init__(
            f"no fees of venue {venue!r}, whose prices are to be compared; there are "
            f"those of: {', '.join(known) or 'none'}"
        )
        self.venue = venue


class UnknownInstrument(MarketError):
    """Say which instrument was asked for and which there are."""

    def __init__(self, instrument: str, known: Iterable[str]) -> None:
        names = list(known)
        shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
        super().__init__(
            f"no instrument {instrument!r} in this run; there are: {shown or 'none'}"
        )
        self.instrument = instrument


class UnknownTimeframe(MarketError):
    """Say which bars were asked for and which are built."""

    def __init__(
        self, instrument: str, timeframe: Timeframe, known: Iterable[Timeframe]
    ) -> None:
        built = ", ".join(map(str, known)) or "none"
        super().__init__(
            f"{instrument} has no {timeframe} bars; built are: "
            f"{built}. Others must be watched before the first event"
        )
        self.instrument = instrument
        self.timeframe = timeframe
