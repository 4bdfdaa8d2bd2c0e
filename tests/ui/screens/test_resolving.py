"""What can be made of a line: only what is legal, said with its numbers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.ui.screens.scenes import BTC, D, order, position, row
from tests.ui.screens.sides import (
    INSTRUMENTS,
    agreeing,
    balance_line,
    flat_frame,
    order_line,
    position_line,
    scene_frame,
    side,
)
from workstation.model.instruments import Side
from workstation.model.orders import OrderRole
from workstation.model.reconciliation import Resolution, Verdict
from workstation.ui.screens.both_sides import Line
from workstation.ui.screens.resolving import (
    Settlement,
    attributable,
    settle_sentence,
    settle_verb,
    takers,
    ways,
)
from workstation.ui.screens.scene import Scene

R = Resolution
FLAT = Scene.of(flat_frame())
HELD = Scene.of(scene_frame())
"""ema_cross holds +1.000 BTCUSDT with stop and target."""


def words(line: Line, scene: Scene = FLAT) -> list[str]:
    return [word for _, word in ways(scene, line, INSTRUMENTS)]


def said(
    line: Line, resolution: Resolution, scene: Scene = FLAT, **rest: object
) -> str:
    chosen = Settlement(resolution=resolution, **rest)  # type: ignore[arg-type]
    return settle_sentence(scene, line, chosen, INSTRUMENTS)


# --- what is legal --------------------------------------------------------------------


def test_an_order_can_be_adopted_given_canceled_or_ignored() -> None:
    assert words(order_line()) == ["adopt", "to a strategy", "cancel", "ignore"]
    assert words(order_line(verdict=Verdict.IGNORED)) == [
        *("adopt", "to a strategy", "cancel")
    ]
    assert words(order_line(owner="ema_cross")) == []


def test_an_order_is_given_to_no_strategy_that_has_no_use_for_it() -> None:
    assert takers(HELD, order_line()) == ("ema_cross",), "it adds to what is held"
    assert takers(HELD, order_line(side=Side.SELL)) == ()
    entry = order("o-15")
    busy = Scene.of(flat_frame(orders=(entry,)))
    assert takers(busy, order_line()) == ()
    unmanaged = Scene.of(flat_frame(symbols=(row("ETHUSDT"),)))
    assert takers(unmanaged, order_line()) == ()


def test_a_position_cannot_be_canceled_and_never_meets_the_other_side() -> None:
    assert words(position_line()) == ["adopt", "to a strategy", "ignore"]
    short = position_line("-0.5", instrument="BTCUSDT")
    assert words(short, HELD) == ["adopt", "ignore"]
    his = position(owner="operator")
    mine = Scene.of(flat_frame(positions=(his,)))
    assert words(short, mine) == ["to a strategy", "ignore"]


def test_a_balance_can_be_a_position_where_one_could_be_closed() -> None:
    assert words(balance_line("BTC", "0", "0.010")) == [
        *("as put in", "as a position", "ignore")
    ]
    assert words(balance_line("BTC", "1", "-0.0005")) == ["as taken out", "ignore"]
    assert words(balance_line()) == ["as put in", "ignore"], "nothing trades cash"
    assert words(agreeing()) == []
    ignored = balance_line(verdict=Verdict.IGNORED)
    assert words(ignored) == ["as put in"]
    other = {"BTCEUR": msgspec.structs.replace(BTC, id="BTCEUR", quote="EUR")}
    assert attributable(balance_line("BTC", "0", "0.010"), other, "USDT") == ()


def test_a_balance_may_be_the_operator_s_or_a_strategy_s() -> None:
    line = balance_line("BTC", "0", "0.010")
    assert takers(FLAT, line, "BTCUSDT") == ("operator", "ema_cross")


# --- what happens ---------------------------------------------------------------------


def test_an_adopted_order_says_what_it_still_fills_and_what_stays() -> None:
    assert said(order_line(here=side("0.004"), venue=side("0.004")), R.ADOPT) == (
        "web-7, buy 0.010 BTCUSDT @ 61,000.00 becomes the operator's, and so does "
        "what it still fills, 0.006: without a stop. The 0.004 it has filled stay "
        "external's."
    )


def test_an_order_that_is_given_says_who_manages_it_and_that_it_has_no_stop() -> None:
    text = said(order_line(), R.ATTRIBUTE, owner="ema_cross")
    assert "becomes the entry of ema_cross: its row goes to InTrade" in text
    assert "0.010, is managed by its script. No stop is held for it" in text


def test_a_cancel_warns_of_what_the_order_may_have_been_for() -> None:
    text = said(order_line(), R.CANCEL)
    assert text.startswith("Cancels web-7, buy 0.010 BTCUSDT @ 61,000.00, at the venue")
    assert "unprotected" in text


def test_a_position_says_what_its_taker_holds_then() -> None:
    line = position_line("0.500", instrument="BTCUSDT", average_price=D("61000"))
    assert said(line, R.ATTRIBUTE, HELD, owner="ema_cross") == (
        "+0.500 BTCUSDT @ 61,000.00 becomes ema_cross's, at this entry price: +1.500 "
        "in all. What protects the position there protects all of it then."
    )
    assert said(line, R.ADOPT).endswith(
        "becomes the operator's, at this entry price. No stop is held for it."
    )
    made = order("web-7", OrderRole.MANUAL, owner="external")
    busy = Scene.of(flat_frame(orders=(made,)))
    assert "1 order made at the venue in it stays external's" in said(
        line, R.ADOPT, busy
    )


def test_money_that_came_or_went_is_no_profit_and_says_what_equity_does() -> None:
    assert said(balance_line(), R.ADOPT) == (
        "Books 250.00 USDT as put in: 100,000.00 becomes 100,250.00. Equity rises by "
        "250.00; it is no profit or loss of the day."
    )
    assert said(balance_line(difference="-250"), R.ADOPT).startswith(
        "Takes 250.00 USDT off the books, as taken out: 100,000.00 to 99,750.00. "
        "Equity falls by 250.00"
    )
    assert "equity counts USDT alone" in said(balance_line("BTC", "0", "0.01"), R.ADOPT)


def test_a_balance_as_a_position_says_what_it_costs_and_adds() -> None:
    line = balance_line("BTC", "0", "0.010")
    rest: dict[str, Any] = {"instrument": "BTCUSDT", "price": D("61000")}
    assert said(line, R.ATTRIBUTE, owner="operator", **rest) == (
        "Books that the operator buys 0.010 BTCUSDT @ 61,000.00, with 610.00 USDT put "
        "in for it; the operator then holds +0.010. It adds 610.00 USDT of exposure, "
        "and no stop is held for it."
    )
    less = balance_line("BTC", "1", "-1")
    assert said(less, R.ATTRIBUTE, HELD, owner="ema_cross", **rest) == (
        "Books that ema_cross sells 1.000 BTCUSDT @ 61,000.00, with 61,000.00 USDT "
        "taken out with it; ema_cross then holds nothing. That closes 1.000 at this "
        "price; nothing is sent."
    )
    assert said(
        line, R.ATTRIBUTE, owner="operator", instrument="BTCUSDT", price=None
    ).startswith("Changes nothing yet")


@pytest.mark.parametrize(
    "line",
    [order_line(), position_line(), balance_line()],
    ids=["order", "position", "balance"],
)
def test_to_ignore_something_needs_a_reason(line: Line) -> None:
    assert "needs a reason" in said(line, R.IGNORE)
    assert "to settle" in said(line, R.IGNORE, reason="a gift")


def test_what_is_settled_already_says_so() -> None:
    assert "nothing to settle" in said(agreeing(), R.ADOPT)


@pytest.mark.parametrize(
    ("line", "resolution", "verb"),
    [
        (order_line(), R.ADOPT, ("Adopt 1 order", False)),
        (order_line(), R.ATTRIBUTE, ("Give 1 order to ema_cross", True)),
        (order_line(), R.CANCEL, ("Cancel 1 order", True)),
        (order_line(), R.IGNORE, ("Ignore 1 order", False)),
        (position_line(), R.ADOPT, ("Adopt +0.020 ETHUSDT", False)),
        (position_line(), R.ATTRIBUTE, ("Give +0.020 ETHUSDT to ema_cross", True)),
        (balance_line(), R.ADOPT, ("Book +250.00 USDT", False)),
        (
            balance_line(difference="-250"),
            R.ADOPT,
            ("Take 250.00 USDT off the books", True),
        ),
        (balance_line(), R.IGNORE, ("Ignore +250.00 USDT", False)),
        (
            balance_line("BTC", "0", "0.010"),
            R.ATTRIBUTE,
            ("Give +0.010 BTC to ema_cross", True),
        ),
    ],
)
def test_a_verb_has_its_number_and_says_whether_it_takes_risk(
    line: Line, resolution: Resolution, verb: tuple[str, bool]
) -> None:
    chosen = Settlement(resolution=resolution, owner="ema_cross", price=D(1))
    assert settle_verb(line, chosen, INSTRUMENTS) == verb
