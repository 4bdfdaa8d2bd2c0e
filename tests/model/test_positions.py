"""Positions: what becomes of the entry price when one changes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from workstation.model.positions import average_after


@pytest.mark.parametrize(
    ("held", "change", "after"),
    [
        (0, 2, 110),
        (0, -2, 110),
        (1, 1, 105),
        (-1, -3, Decimal("107.5")),
        (4, -1, 100),
        (-4, 1, 100),
        (4, -4, 0),
        (4, -5, 110),
        (-4, 5, 110),
    ],
)
def test_adding_weights_reducing_keeps_and_crossing_zero_starts_again(
    held: int, change: int, after: Decimal
) -> None:
    before = Decimal(100) if held else Decimal(0)
    found = average_after(before, Decimal(held), Decimal(change), Decimal(110))
    assert found == after
