"""What a preview says: each line has its numbers, and warns where it must."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest

from tests.ui.fakes import preview
from tests.ui.screens.scenes import BTC
from workstation.model.commands import PlaceOrder
from workstation.model.instruments import Side
from workstation.model.orders import OrderType, TimeInForce
from workstation.model.states import Gate
from workstation.ui.screens.preview_words import (
    cost_fields,
    margin_fields,
    market_fields,
    position_fields,
    verdict,
)
from workstation.ui.widgets.status_lines import Field, keep_fields

D = Decimal


def said(fields: Sequence[Field]) -> str:
    texts = [(" " * f.gap, "".join(text for text, _ in f.parts)) for f in fields]
    return "".join(gap + text for gap, text in texts).removeprefix("  ")


def limit(**rest: object) -> PlaceOrder:
    given: dict[str, object] = {
        "instrument": "BTCUSDT",
        "side": Side.BUY,
        "quantity": D("0.100"),
        "order_type": OrderType.LIMIT,
        "price": D(61_680),
    }
    return PlaceOrder(**(given | rest))  # type: ignore[arg-type]


MARKET = limit(order_type=OrderType.MARKET, price=None)


def test_the_cost_names_what_applies() -> None:
    both = "value 6,168.00 USDT  fee 0.93 resting 2.78 taking"
    assert said(cost_fields(preview(), limit())) == both
    assert "fee 2.78 taking" in said(cost_fields(preview(), MARKET))
    assert "resting" not in said(cost_fields(preview(), MARKET))
    assert "taking" not in said(cost_fields(preview(), limit(post_only=True)))
    assert "resting" not in said(cost_fields(preview(), held=True))
    unknown = preview(notional=None, fee_maker=None, fee_taker=None, ties_up=None)
    assert said(cost_fields(unknown, limit())) == "value · USDT"


def test_the_margin_is_what_is_tied_up_and_left() -> None:
    line = "ties up 6,168.00 USDT  leaves 32,558.10 USDT free"
    assert said(margin_fields(preview())) == line
    assert margin_fields(preview(ties_up=None)) == ()
    assert said(margin_fields(preview(), held=True)).startswith("ties up nothing")
    _, left = margin_fields(preview(free=D(0)))
    assert left.parts[1] == ("0.00", "warn")


@pytest.mark.parametrize(
    ("takes", "order", "text"),
    [
        ("0", limit(), "takes nothing, rests in the book"),
        (
            "0",
            limit(time_in_force=TimeInForce.IOC),
            "nothing to take at that price: IOC ends at once",
        ),
        ("0", MARKET, "nothing to take: no size is shown"),
        ("0.100", MARKET, "takes all at once, at 61,686.02 on average"),
        (
            "0.040",
            limit(),
            "takes 0.040 of 0.100 at once, at 61,686.02 on average  the rest rests",
        ),
        ("0.040", MARKET, "the rest waits"),
        ("0.040", limit(time_in_force=TimeInForce.IOC), "IOC: the rest ends"),
        (
            "0.040",
            limit(time_in_force=TimeInForce.FOK),
            "FOK ends at once: 0.040 of 0.100 is there",
        ),
        (
            "0.040",
            limit(post_only=True),
            "would take 0.040 at once, which post-only may not",
        ),
        (None, limit(), "takes at once: not known, no prices shown"),
    ],
)
def test_the_market_says_what_it_takes_and_what_becomes_of_the_rest(
    takes: str | None, order: PlaceOrder, text: str
) -> None:
    size = None if takes is None else D(takes)
    found = preview(takes=size, take_price=61_686.02, crosses=bool(size))
    line = said(market_fields(found, BTC, order))
    assert line.startswith("−1.0 bp from the mid")
    assert line.endswith(text)


@pytest.mark.parametrize("cells", [80, 60, 42])
@pytest.mark.parametrize(
    ("terms", "warning"),
    [
        ({"post_only": True}, "post-only may not"),
        ({"time_in_force": TimeInForce.FOK}, "FOK ends at once"),
        ({"time_in_force": TimeInForce.IOC}, "IOC: the rest ends"),
    ],
)
def test_a_warning_outlives_the_distance_and_the_average(
    terms: dict[str, object], warning: str, cells: int
) -> None:
    wide = {"open": D("0.39000"), "takes": D("0.20600"), "take_price": 61_622.38}
    found = preview(**wide, crosses=True, away_bps=-512.3)
    fine = msgspec.structs.replace(BTC, lot_size=D("0.00001"))
    kept = said(keep_fields(market_fields(found, fine, limit(**terms)), cells))
    assert warning in kept


def test_that_a_stop_waits_here_outlives_its_distance() -> None:
    found = preview(waits=True, held=True, takes=None, away_bps=-512.3)
    kept = keep_fields(market_fields(found, BTC, limit()), 60)
    assert said(kept) == "waits here: it stops working when the engine stops"


def test_what_meets_a_side_without_sizes_does_not_rest() -> None:
    found = preview(takes=D(0), crosses=True)
    assert "no size is shown" in said(market_fields(found, BTC, limit()))
    assert "post-only may not" in said(market_fields(found, BTC, limit(post_only=True)))


def test_what_is_held_takes_nothing_now() -> None:
    line = said(market_fields(preview(away_bps=-200.0), BTC, held=True))
    assert line.endswith("held here, sent as a market order when it is met")


def test_the_positions_are_the_owners_and_the_accounts() -> None:
    assert said(position_fields(preview(), BTC)) == (
        "operator 0.000 to +0.100 BTC  account +1.000 to +1.100 BTC"
    )


def test_the_verdict_names_code_numbers_and_gates() -> None:
    text, passes = verdict(preview())
    assert passes
    assert text == "✓ risk: passes, 61 % of position limit 100,000 before it"
    text, passes = verdict(preview(code="MAX_ORDER_VALUE", denial="value 3 is more"))
    assert (text, passes) == ("✗ MAX_ORDER_VALUE: value 3 is more", False)
    crossing = preview(takes=D("0.1"), crosses=True)
    text, fine = verdict(crossing, limit(post_only=True))
    assert not fine
    assert text == "! the venue refuses it: post-only, and it would take at once"
    assert verdict(crossing, limit())[1]
    closed = preview(gates=(Gate("engine", False, "on hold"),))
    text, passes = verdict(closed)
    assert passes
    assert text == "✓ risk: passes, though engine is closed: on hold"
