"""What the words for records are made of: numbers as instruments are written, remarks.

Pure; used by ``wording`` and ``account_words``.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from workstation.ui.typeset import number, quantity
from workstation.ui.widgets.inks import Part

__all__ = [
    "Parts",
    "Said",
    "Scale",
    "Scales",
    "price_of",
    "quantity_of",
    "remark",
]

Parts = tuple[Part, ...]

Said = tuple[str, str, str, Parts]
"""Kind, its ink, the key that ``enter`` jumps to, and the rest of the line."""


class Scale(Protocol):
    """How an instrument is written; ``model.instruments.Instrument`` is one."""

    @property
    def price_decimals(self) -> int:
        """Return the decimals of a price."""

    @property
    def quantity_decimals(self) -> int:
        """Return the decimals of a quantity."""


Scales = Mapping[str, Scale]
"""The run's instruments by id."""


def price_of(value: Decimal | float | None, instrument: str, scales: Scales) -> str:
    """Write a price with its instrument's decimals; 2 where that is not known."""
    scale = scales.get(instrument)
    return number(value, 2 if scale is None else scale.price_decimals)


def quantity_of(value: Decimal, instrument: str, scales: Scales) -> str:
    """Write a quantity with its instrument's decimals; 3 where that is not known."""
    scale = scales.get(instrument)
    return quantity(value, 3 if scale is None else scale.quantity_decimals)


def remark(text: str) -> Parts:
    """Return a remark at the end of a line, if there is one."""
    return ((f" {text}", "dim"),) if text else ()
