"""What people type is the number they mean, or none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.model.money import is_figure
from workstation.ui.typed_numbers import amount_of, number_of, wrong_amount

D = Decimal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234.56", "1234.56"),
        ("12,345,678", "12345678"),
        (" −0.5 ", "-0.5"),
        ("+3", "3"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("0.10", "0.10"),
    ],
)
def test_a_number_is_understood(text: str, value: str) -> None:
    assert number_of(text) == D(value)
    assert wrong_amount(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "-", "x", "1 000", "1_000", "٣", "１", "NaN", "Infinity", "0x10"),
        *(
            "1,5",
            "0,1",
            "0,125",
            "00,250",
            "-0,001",
            "2500,00",
            "1,2345",
            "12,34,567",
            "1,234,5",
            ",5",
            "1..2",
        ),
        *("1e", "e5", "1e99999999999", "--1", "1\n2"),
    ],
)
def test_what_is_none_or_could_be_two_is_refused(text: str) -> None:
    assert number_of(text) is None
    assert amount_of(text) is None
    assert wrong_amount(text)


def test_a_decimal_comma_is_called_one() -> None:
    assert wrong_amount("0,1") == "a decimal has a point: 0.1"
    assert wrong_amount("2500,00") == "a decimal has a point: 0.1"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("1,234", "could be 1.234 or 1234"),
        ("-61,680", "could be -61.680 or -61680"),
        ("1,234e1", "could be 1.234e1 or 1234e1"),
        ("0,500", "a decimal has a point: 0.1"),
        ("1,234.", ""),
        ("1,234.5", ""),
        ("12,345,678", ""),
        ("1234", ""),
    ],
)
def test_what_an_order_is_made_of_takes_no_comma_that_could_be_a_point(
    text: str, wrong: str
) -> None:
    assert wrong_amount(text, strict=True) == wrong
    assert (amount_of(text, strict=True) is None) is bool(wrong)


@given(st.decimals("0.001", "999999999", places=3))
def test_a_decimal_comma_never_makes_an_order_a_thousand_times_as_large(
    meant: Decimal,
) -> None:
    assert amount_of(str(meant).replace(".", ","), strict=True) is None


@pytest.mark.parametrize("text", ["1e15", "9" * 5_000, "1e-19", "1e999999999"])
def test_a_number_that_no_order_can_have_is_no_amount(text: str) -> None:
    assert number_of(text) is not None
    assert amount_of(text) is None
    assert wrong_amount(text) == "too large, or finer than 18 decimals"


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_wrong(text: str) -> None:
    value = amount_of(text)
    assert (value is None) is bool(wrong_amount(text))
    if value is not None:
        assert is_figure(value)
        # What is reckoned with it stays exact.
        assert value % D("0.00000001") is not None


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_a_figure_is_finite_and_bounded(value: Decimal) -> None:
    found = is_figure(value)
    if found:
        assert value.is_finite()
        assert abs(value) < D("1e15")
        exponent = value.as_tuple().exponent
        assert not value or (isinstance(exponent, int) and exponent >= -18)
