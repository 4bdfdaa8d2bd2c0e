"""Sizes of entries: on the lot, rounded down, in each of the three modes."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategy.fakes import BTC
from workstation.strategy.sizing import Size, entry_quantity, refusal

Mode = Literal["quantity", "notional", "equity", "risk"]


def _quantity(
    mode: Mode,
    size: float,
    price: float = 100.0,
    equity: str = "10000",
    stop: float | None = None,
) -> Decimal:
    return entry_quantity(Size(mode, size), BTC, price, Decimal(equity), stop)


@pytest.mark.parametrize(
    ("mode", "size", "expected"),
    [
        ("quantity", 1.2345, "1.234"),
        ("notional", 123.4, "1.234"),
        ("notional", 0.09, "0.000"),
        ("equity", 0.1, "10.000"),
        ("equity", 1.0, "100.000"),
    ],
)
def test_each_mode_gives_a_quantity_on_the_lot(
    mode: Mode, size: float, expected: str
) -> None:
    assert str(_quantity(mode, size)) == expected


@pytest.mark.parametrize("stop", [95.0, 105.0])
def test_a_size_by_risk_loses_its_fraction_of_equity_at_the_stop(stop: float) -> None:
    # 1 % of 10 000 at a distance of 5 a unit.
    assert _quantity("risk", 0.01, stop=stop) == Decimal("20.000")


@pytest.mark.parametrize("stop", [None, 100.0])
def test_a_size_by_risk_without_a_distance_is_no_size(stop: float | None) -> None:
    with pytest.raises(ValueError, match="needs a stop away from the price"):
        _quantity("risk", 0.01, stop=stop)


def test_what_is_too_small_is_refused_with_its_numbers() -> None:
    size = Size("equity", 0.00000001)
    refused = refusal(size, BTC, Decimal(0), 100.0)
    assert refused is not None
    assert refused.code == "QUANTITY_ZERO"
    assert refused.text == "size is less than a lot of 0.001: equity 1e-08 at 100"
    dear = msgspec.structs.replace(BTC, min_notional=Decimal(10))
    refused = refusal(Size("quantity", 0.05), dear, Decimal("0.05"), 100.0)
    assert refused is not None
    assert refused.code == "BELOW_MIN_NOTIONAL"
    assert "value 5" in refused.text
    assert "below min_notional 10: quantity 0.05 at 100 is 0.05" in refused.text
    assert refusal(Size("quantity", 0.1), dear, Decimal("0.1"), 100.0) is None


@given(
    st.floats(1e-4, 1.0),
    st.floats(1.0, 1e6),
    st.floats(0.001, 0.5),
    st.decimals(0, 10**7, places=2),
)
def test_no_entry_by_risk_loses_more_than_its_fraction(
    size: float, price: float, away: float, equity: Decimal
) -> None:
    stop = price * (1 - away)
    quantity = _quantity("risk", size, price, str(equity), stop)
    lost = quantity * (Decimal(repr(price)) - Decimal(repr(stop)))
    assert lost <= equity * Decimal(repr(size))


def test_an_account_that_is_in_debt_buys_nothing() -> None:
    assert _quantity("equity", 0.5, equity="-1") == 0


@given(
    st.sampled_from(["quantity", "notional", "equity"]),
    st.floats(1e-6, 1e6),
    st.floats(1e-4, 1e6),
    st.decimals(0, 10**9, places=4),
)
def test_no_entry_is_more_than_its_size_and_all_are_on_the_lot(
    mode: Mode, size: float, price: float, equity: Decimal
) -> None:
    quantity = _quantity(mode, size, price, str(equity))
    assert quantity >= 0
    assert BTC.is_on_lot(quantity)
    worth = Decimal(repr(size)) if mode != "equity" else equity * Decimal(repr(size))
    if mode == "quantity":
        assert quantity <= worth
    else:
        assert quantity * Decimal(repr(price)) <= worth


def test_a_size_beyond_what_one_order_may_be_is_refused_with_its_numbers() -> None:
    bounded = msgspec.structs.replace(
        BTC, min_quantity=Decimal("0.5"), max_quantity=Decimal(2)
    )
    for amount, code, text in (
        (0.499, "QUANTITY_BELOW_MINIMUM", "quantity 0.499 is below min_quantity 0.5"),
        (2.001, "QUANTITY_ABOVE_MAXIMUM", "quantity 2.001 is above max_quantity 2"),
    ):
        size = Size("quantity", amount)
        refused = refusal(size, bounded, Decimal(str(amount)), 100.0)
        assert refused is not None
        assert refused.code == code
        assert refused.text.startswith(text)
    for amount in (0.5, 2.0):
        size = Size("quantity", amount)
        assert refusal(size, bounded, Decimal(str(amount)), 100.0) is None
