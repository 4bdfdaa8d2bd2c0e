"""What a ticket says of its stop and target is what the position will have."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.ui.screens.scenes import BTC, D, frame, order, position
from workstation.engine.frames import OrderRow
from workstation.model.commands import PlaceOrder
from workstation.model.instruments import Side
from workstation.model.orders import OrderRole
from workstation.ui.screens.bracket_words import HELD, UNUSED, bracket_words, stakes
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
    return bracket_words(command(side, stop, target), scene_of(held, legs), BTC)


def scene_of(held: str, legs: tuple[OrderRow, ...]) -> Scene:
    positions = (position(held, owner="operator"),) if held != "0" else ()
    return Scene.of(frame(orders=legs, positions=positions))


def command(side: Side, stop: str | None, target: str | None) -> PlaceOrder:
    return PlaceOrder(
        instrument="BTCUSDT",
        side=side,
        quantity=D("0.5"),
        stop=None if stop is None else D(stop),
        target=None if target is None else D(target),
    )


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


@pytest.mark.parametrize(
    ("held", "side", "stop", "target", "said"),
    [
        (
            *("0", Side.BUY, "61000", "64000"),
            (f"−500.00 USDT, {HELD}", "+1,000.00 USDT, 2.0 × the risk"),
        ),
        (
            *("0", Side.SELL, "62500", "61500"),
            (f"−250.00 USDT, {HELD}", "+250.00 USDT, 1.0 × the risk"),
        ),
        ("0", Side.BUY, None, "64000", ("", f"+1,000.00 USDT, {HELD}")),
        # A stop above what is bought costs nothing: there is no ratio to tell.
        (
            *("0", Side.BUY, "62100", "64000"),
            (f"+50.00 USDT, {HELD}", f"+1,000.00 USDT, {HELD}"),
        ),
        # The stop at 61,000 that is there stays, being the tighter one.
        ("1", Side.BUY, "60000", None, (f"−500.00 USDT, {HELD}", "")),
        ("-1", Side.BUY, "60000", "64000", (UNUSED, UNUSED)),
    ],
)
def test_beside_a_stop_and_a_target_stands_what_they_are_worth(
    held: str, side: Side, stop: str | None, target: str | None, said: tuple[str, str]
) -> None:
    scene = scene_of(held, LEGS if held != "0" else ())
    assert stakes(command(side, stop, target), D(62_000), scene, BTC) == said
