"""Figures in cells: never wider than their column, never a rounded-up age."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.ui.panels.cells import short_age, short_size, short_why, spaced_age

S = 1_000_000_000


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (None, "·"),
        (0, "0ms"),
        (40_000_000, "40ms"),
        (999_999_999, "0.9s"),
        (9_900_000_000, "9.9s"),
        (32 * S, "32s"),
        (134 * S, "2:14"),
        (754 * S, "12m"),
        (11_100 * S, "3h05"),
        (99 * 3_600 * S, "99h"),
        (10 * 86_400 * S, "10d"),
        (-1, "−0s"),
        (-5 * S, "−5s"),
    ],
)
def test_ages_have_four_cells(ns: int | None, text: str) -> None:
    assert short_age(ns) == text


@given(st.integers(min_value=-(10**14), max_value=900 * 86_400 * S))
def test_no_age_is_wider_than_its_column(ns: int) -> None:
    assert 1 <= len(short_age(ns)) <= 4


def test_ages_in_prose_have_their_unit_set_off() -> None:
    assert spaced_age(40_000_000) == "40 ms"
    assert spaced_age(32 * S) == "32 s"
    assert spaced_age(134 * S) == "2:14"


@pytest.mark.parametrize(
    ("value", "decimals", "cells", "text"),
    [
        ("1", 3, 7, "+1.000"),
        ("0.16220", 5, 7, "+0.1622"),
        ("-0.1622", 5, 9, "−0.16220"),
        ("0", 3, 7, "·"),
        ("29906.7", 1, 7, "+29,907"),
    ],
)
def test_quantities_lose_decimals_before_their_column_overflows(
    value: str, decimals: int, cells: int, text: str
) -> None:
    assert short_size(Decimal(value), decimals, cells) == text


def test_reasons_are_squeezed_for_narrow_columns() -> None:
    assert short_why("spread 3.1 > 2.0 bp") == "spread 3.1>2.0"
