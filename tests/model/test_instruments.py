"""Instruments: the grid of prices and quantities."""

from __future__ import annotations

from decimal import Decimal

import pytest

from workstation.model.instruments import decimals_of


@pytest.mark.parametrize(
    ("step", "digits"), [("0.010", 2), ("10", 0), ("1E+2", 0), ("1E-8", 8)]
)
def test_decimals_are_those_that_an_amount_needs(step: str, digits: int) -> None:
    assert decimals_of(Decimal(step)) == digits
