"""Amounts in words: all digits, no exponent, no idle zeros."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.model.money import grouped, plain


@pytest.mark.parametrize(
    ("value", "bare", "apart"),
    [
        ("6170801000.50", "6170801000.5", "6,170,801,000.5"),
        ("1E+6", "1000000", "1,000,000"),
        ("-1234.500", "-1234.5", "-1,234.5"),
        ("-0.0400", "-0.04", "-0.04"),
        ("0E-9", "0", "0"),
        ("-0.0", "0", "0"),
        ("999", "999", "999"),
    ],
)
def test_amounts_have_all_their_digits_and_no_more(
    value: str, bare: str, apart: str
) -> None:
    assert plain(Decimal(value)) == bare
    assert grouped(Decimal(value)) == apart


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8))
def test_what_is_written_is_the_amount(value: Decimal) -> None:
    assert Decimal(plain(value)) == value
    assert Decimal(grouped(value).replace(",", "")) == value
