"""Positions: what becomes of cost and entry price when one is filled."""

from __future__ import annotations

from decimal import Decimal

import pytest

from workstation.model.positions import Position, refill

D = Decimal


@pytest.mark.parametrize(
    ("held", "change", "average", "gained"),
    [
        (0, 2, 110, 0),
        (0, -2, 110, 0),
        (1, 1, 105, 0),
        (-1, -3, D("107.5"), 0),
        (4, -1, 100, 10),
        (-4, 1, 100, -10),
        (4, -4, 0, 40),
        (4, -5, 110, 40),
        (-4, 5, 110, -40),
    ],
)
def test_adding_weights_reducing_keeps_and_crossing_zero_starts_again(
    held: int, change: int, average: int | Decimal, gained: int
) -> None:
    before = Position(
        owner="s",
        instrument="BTC",
        quantity=D(held),
        cost=D(held * 100),
        average_price=D(100 if held else 0),
    )
    after = refill(before, D(change), D(110))
    assert after.quantity == held + change
    assert after.average_price == average
    assert after.gained == gained
    assert after.cost == after.quantity * after.average_price


def test_reducing_an_uneven_cost_leaves_the_entry_to_its_digit() -> None:
    held = Position(
        owner="s",
        instrument="BTC",
        quantity=D(3),
        cost=D(5),
        average_price=D("1.666666666666666667"),
    )
    after = refill(held, D(-2), D(2))
    assert after.average_price == held.average_price
    assert after.cost == D("1.666666666666666667")
    assert after.gained == D(2) * D(2) - (D(5) - after.cost)
