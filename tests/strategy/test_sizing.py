"""Sizes of entries: on the lot, rounded down, in each of the three modes."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategy.fakes import BTC
from workstation.strategy.settings import StrategySettings
from workstation.strategy.sizing import entry_quantity

Mode = Literal["quantity", "notional", "equity"]


def _quantity(
    mode: Mode,
    size: float,
    price: float = 100.0,
    equity: str = "10000",
    asked: float | None = None,
) -> Decimal:
    settings = StrategySettings(name="s", script="s.py", size_mode=mode, size=size)
    return entry_quantity(settings, BTC, price, Decimal(equity), asked)


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


def test_what_the_script_asks_for_wins_over_the_settings() -> None:
    assert _quantity("equity", 0.5, asked=0.0129) == Decimal("0.012")


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
