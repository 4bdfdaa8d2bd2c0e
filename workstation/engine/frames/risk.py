"""The risk of a frame: the gauges, what was denied last, and what the breakers do."""

from __future__ import annotations

from msgspec import Struct

from workstation.model.limits import Gauge

__all__ = ["DenialRow", "RiskTable"]


class DenialRow(Struct, frozen=True, kw_only=True):
    """An order that the risk stage refused; ``number`` counts them from 1.

    ``role`` is why there was to be one.
    """

    number: int
    ts: int
    owner: str
    instrument: str
    code: str
    text: str
    role: str = ""


class RiskTable(Struct, frozen=True, kw_only=True):
    """All limits in the order of the panel, and the last denials, newest first.

    ``settable`` are the names that a command may change, ``ramp_share`` the share of
    its size that a strategy's entry has now.
    """

    gauges: tuple[Gauge, ...]
    denials: tuple[DenialRow, ...]
    denied: int
    on_breach: str
    cooling_until_ns: int | None
    ramp_share: float
    settable: frozenset[str]
