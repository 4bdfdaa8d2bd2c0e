"""Figures of a frame: running indicators, processors' figures, opportunities."""

from __future__ import annotations

from msgspec import Struct

from workstation.model.opportunities import Opportunity

__all__ = [
    "FigureHead",
    "FigureRow",
    "FigureTable",
    "IndicatorRow",
    "OpportunityRow",
    "OpportunityTable",
]


class OpportunityRow(Struct, frozen=True, kw_only=True):
    """One ordered pair of venues: what is open, or has just ended (``end`` says why).

    ``age_ns`` is how long it has lived, or did; ``seen`` how often the pair had one.
    """

    opportunity: Opportunity
    buy_venue: str
    sell_venue: str
    buy_decimals: int
    sell_decimals: int
    quantity_decimals: int
    age_ns: int
    best_bps: float
    seen: int
    end: str
    reason: str


class OpportunityTable(Struct, frozen=True, kw_only=True):
    """What the detector sees, and what it is able to see.

    ``markets`` counts those with two venues or more, ``found`` all opportunities of
    the run; ``apart`` says why instruments of one market are not compared.
    """

    enabled: bool
    markets: int = 0
    watches_spreads: bool = False
    found: int = 0
    apart: tuple[str, ...] = ()
    rows: tuple[OpportunityRow, ...] = ()


class IndicatorRow(Struct, frozen=True, kw_only=True):
    """One running indicator at the last closed bar; a NaN or None is no value.

    ``before`` are its values a bar earlier, ``trail`` those of the first output at the
    last bars. It has values from ``needed`` bars on; ``bars`` have closed.
    """

    key: str
    instrument: str
    timeframe: str
    name: str
    params: str
    outputs: tuple[str, ...]
    values: tuple[float, ...] | None
    before: tuple[float, ...] | None
    trail: tuple[float, ...]
    bars: int
    needed: int
    decimals: int


class FigureHead(Struct, frozen=True, kw_only=True):
    """What a figure is, and which processor gives it."""

    name: str
    unit: str
    processor: str
    text: str
    none_when: str


class FigureRow(Struct, frozen=True, kw_only=True):
    """The figures of one instrument, in the order of the heads; None = not known."""

    instrument: str
    decimals: int
    values: tuple[float | None, ...]


class FigureTable(Struct, frozen=True, kw_only=True):
    """The processors' figures of all instruments."""

    heads: tuple[FigureHead, ...]
    rows: tuple[FigureRow, ...]
