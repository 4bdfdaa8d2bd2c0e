"""What a ticket says of its stop and target is what the position will have."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.ui.screens.scenes import BTC, D, frame, order, position
from workstation.engine.frames import OrderRow
from workstation.model.commands import PlaceOrder
from workstation.model.instruments import Side
from workstation.model.orders import OrderRole
from workstation.ui.screens.bracket_words import bracket_words
from workstation.ui.screens.scene import Scene


def leg(role: OrderRole, trigger: str) -> OrderRow:
    made = order(f"o-{role}", role, owner="operator", price=trigger)
    return structs.replace(made, order=structs.replace(made.order, trigger=D(trigger)))


LEGS = (leg(OrderRole.STOP, "61000"), leg(OrderRole.TARGET, "63000"))


def words(
    held: str = "0",
    legs: tuple[OrderRow, ...] = (),
    side: Side = Side.BUY,
    stop: str | None = None,
    target: str | None = None,
) -> str:
    positions = (position(held, owner="operator"),) if held != "0" else ()
    scene = Scene.of(frame(orders=legs, positions=positions))
    command = PlaceOrder(
        instrument="BTCUSDT",
        side=side,
        quantity=D("0.5"),
        stop=None if stop is None else D(stop),
        target=None if target is None else D(target),
    )
    return bracket_words(command, scene, BTC)


@pytest.mark.parametrize(
    ("held", "legs", "side", "stop", "target", "said"),
    [
        ("0", (), Side.BUY, None, None, ""),
        (
            *("0", (), Side.BUY, "60000", "64000"),
            "stop 60,000.00 and target 64,000.00 protect what it fills, held here",
        ),
        (
            *("1", (), Side.BUY, "60000", None),
            "stop 60,000.00 protects all of +1.500, held here",
        ),
        (
            *("1", LEGS, Side.BUY, "60000", "64000"),
            "stop 61,000.00 stays (60,000.00 is looser) and target 64,000.00 instead "
            "of 63,000.00, for all of +1.500, held here",
        ),
        (
            *("1", LEGS, Side.BUY, "61500", None),
            "stop 61,500.00 instead of 61,000.00, for all of +1.500, held here",
        ),
        (
            *("-1", LEGS, Side.SELL, "60500", None),
            "stop 60,500.00 instead of 61,000.00, for all of −1.500, held here",
        ),
        (
            *("-1", LEGS, Side.SELL, "61500", None),
            "stop 61,000.00 stays (61,500.00 is looser), for all of −1.500, held here",
        ),
        (
            *("-1", LEGS, Side.BUY, "60000", "64000"),
            "it only reduces, so its stop and target are not used",
        ),
        (
            *("-0.2", LEGS, Side.BUY, "60000", None),
            "stop 60,000.00 protects what is left over, held here",
        ),
    ],
)
def test_the_words_are_those_of_the_position(
    held: str,
    legs: tuple[OrderRow, ...],
    side: Side,
    stop: str | None,
    target: str | None,
    said: str,
) -> None:
    assert words(held, legs, side, stop, target) == said
