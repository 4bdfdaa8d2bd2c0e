"""An account whose books and venue differ: lines made by hand, for tests of dialogs."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.ui.screens.scenes import BTC, ETH, TS, D, frame, in_trade
from workstation.engine.frames import Frame
from workstation.engine.order_preview import Touch
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus
from workstation.model.reconciliation import (
    BalanceLine,
    OrderLine,
    OrderSide,
    PositionLine,
    ReconciliationView,
    Verdict,
)

S = 1_000_000_000
INSTRUMENTS = {"BTCUSDT": BTC, "ETHUSDT": ETH}


def side(filled: str = "0", **changes: Any) -> OrderSide:
    """Return a limit order of 0.010 as one side has it."""
    base = OrderSide(OrderStatus.ACCEPTED, D(filled), D("0.010"), D("61000.00"))
    return msgspec.structs.replace(base, **changes)


def order_line(id: str = "web-7", **changes: Any) -> OrderLine:
    """Return an order that was made at the venue, both sides as one."""
    base = OrderLine(
        order_id=id,
        instrument="BTCUSDT",
        side=Side.BUY,
        owner="external",
        here=side(),
        venue=side(),
        verdict=Verdict.EXTERNAL,
        reason="made at the venue",
    )
    return msgspec.structs.replace(base, **changes)


def position_line(quantity: str = "0.020", **changes: Any) -> PositionLine:
    """Return a position that was made at the venue."""
    base = PositionLine(
        owner="external",
        instrument="ETHUSDT",
        quantity=D(quantity),
        average_price=D("2682.50"),
        verdict=Verdict.EXTERNAL,
        reason="made at the venue",
    )
    return msgspec.structs.replace(base, **changes)


def balance_line(
    currency: str = "USDT",
    here: str = "100000",
    difference: str = "250",
    verdict: Verdict = Verdict.DIFFERS,
    **changes: Any,
) -> BalanceLine:
    """Return a currency of which the venue has more, or less."""
    base = BalanceLine(
        currency=currency,
        here=D(here),
        venue=D(here) + D(difference),
        locked=D(0),
        difference=D(difference),
        verdict=verdict,
        since_ns=TS - 12 * S,
    )
    return msgspec.structs.replace(base, **changes)


def agreeing(currency: str = "USDT", here: str = "100000") -> BalanceLine:
    """Return a currency about which both agree."""
    return balance_line(currency, here, "0", Verdict.AGREES)


def view(**changes: Any) -> ReconciliationView:
    """Return both sides, asked three seconds ago; nothing open, nothing held."""
    base = ReconciliationView(
        answers=True,
        waiting=False,
        asked_ns=TS - 3 * S,
        answered_ns=TS - 3 * S,
        agreed_ns=TS - 33 * S,
        orders=(),
        positions=(),
        balances=(agreeing(),),
    )
    return msgspec.structs.replace(base, **changes)


DIFFERING = view(
    orders=(
        order_line(
            "o-12",
            owner="ema_cross",
            side=Side.SELL,
            verdict=Verdict.AGREES,
            reason="",
        ),
        order_line(
            "o-13",
            owner="ema_cross",
            here=side(status=OrderStatus.ACCEPTED),
            venue=side("0.004"),
            verdict=Verdict.ASKING,
            reason="the venue has it otherwise",
        ),
        order_line(),
    ),
    positions=(
        position_line("1.000", owner="ema_cross", verdict=Verdict.AGREES, reason=""),
        position_line(),
    ),
    balances=(
        agreeing("ETH", "1.020"),
        balance_line("BTC", "0.5", "-0.0125"),
        balance_line(),
    ),
)
"""One line of each verdict but ``ignored``; the balance of BTC is not on its lot."""


def scene_frame(sides: ReconciliationView = DIFFERING, **changes: Any) -> Frame:
    """Return a frame in which ema_cross trades both symbols and holds BTCUSDT."""
    return in_trade(reconciliation=sides, **changes)


def flat_frame(sides: ReconciliationView = DIFFERING, **changes: Any) -> Frame:
    """Return one in which nobody holds anything."""
    return frame(reconciliation=sides, **changes)


def touch(instrument: str) -> Touch:
    """Return the best prices of the sketches."""
    return Touch(61_685.99, 61_686.0, 61_685.99)
