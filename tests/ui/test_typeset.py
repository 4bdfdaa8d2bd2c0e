from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from workstation.ui import typeset

SECOND = 1_000_000_000
LATE = 1_723_161_312_450_000_000
numbers = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=8, max_value=10**12),
    st.floats(allow_nan=False, allow_infinity=False, width=64),
    st.integers(-(10**15), 10**15),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (typeset.price(Decimal("61685.99"), 2), "61,685.99"),
        (typeset.price(0.10112, 5), "0.10112"),
        (typeset.price(None, 2), "·"),
        (typeset.price(math.nan, 2), "·"),
        (typeset.quantity(Decimal("1"), 3, sign=True), "+1.000"),
        (typeset.quantity(Decimal("-1"), 3, sign=True), "−1.000"),
        (typeset.money(-0.001, 2, sign=True), "0.00"),
        (typeset.money(Decimal("-0.00"), 2), "0.00"),
        (typeset.percent(0.41), "+0.41"),
        (typeset.percent(-2, 1, unit=True), "−2.0%"),
        (typeset.percent(None, unit=True), "·"),
        (typeset.bps(3.14, unit=True), "3.1 bp"),
        (typeset.number(math.inf, 2), "∞"),
        (typeset.number(1234567, 0, group=False), "1234567"),
    ],
)
def test_numbers_are_typeset_as_the_sketch_shows(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize(
    ("ns", "age", "duration"),
    [
        (None, "·", "·"),
        (40_000_000, "40ms", "0:00"),
        (999_999_999, "999ms", "0:00"),
        (int(1.29 * SECOND), "1.2s", "0:01"),
        (9 * SECOND, "9.0s", "0:09"),
        (32 * SECOND, "32s", "0:32"),
        (134 * SECOND, "2:14", "2:14"),
        (591 * SECOND, "9:51", "9:51"),
        (3_600 * SECOND, "1h00", "1h00"),
        (11_100 * SECOND, "3h05", "3h05"),
        (2 * 86_400 * SECOND + 4 * 3_600 * SECOND, "2d04", "2d04"),
        (-40_000_000, "−40ms", "−0:00"),
    ],
)
def test_ages_and_durations_have_their_short_forms(
    ns: int | None, age: str, duration: str
) -> None:
    assert (typeset.age(ns), typeset.duration(ns)) == (age, duration)


@given(st.integers(0, 10**6 * SECOND))
def test_an_age_never_needs_more_than_five_cells(ns: int) -> None:
    assert typeset.width(typeset.age(ns)) <= 5


def test_clocks_are_utc_and_cut_never_rounded() -> None:
    assert typeset.utc_clock(LATE) == "2024-08-08 23:55:12"
    assert typeset.utc_compact(LATE) == "23:55:12Z"
    assert typeset.utc_time(LATE, 1) == "23:55:12.4"
    assert typeset.utc_time(LATE + 549_999_999, 3) == "23:55:12.999"
    assert typeset.utc_minute(LATE) == "23:55"
    assert typeset.utc_clock(None) == "·"


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_plain_decimals_lose_nothing(value: Decimal) -> None:
    text = typeset.plain(value)
    assert text.isascii()
    assert Decimal(text) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_plain_floats_come_back_equal(value: float) -> None:
    text = typeset.plain(value)
    assert "e" not in text.lower()
    assert float(text) == value


@given(numbers, st.integers(0, 8), st.booleans())
def test_the_typeset_text_made_plain_is_the_rounded_value(
    value: Decimal | float | int, decimals: int, sign: bool
) -> None:
    text = typeset.plain_text(typeset.number(value, decimals, sign=sign))
    assert Decimal(text) == Decimal(format(value, f".{decimals}f"))


def test_plain_text_keeps_commas_that_do_not_group() -> None:
    assert typeset.plain_text("a, b 1,234,567.5 −3") == "a, b 1234567.5 -3"
    assert typeset.plain_text("·") == ""


@given(st.text(), st.integers(0, 40), st.sampled_from(["left", "right"]))
def test_fit_gives_exactly_the_cells_asked_for(
    text: str, cells: int, align: typeset.Align
) -> None:
    assert cell_len(typeset.fit(text, cells, align)) == cells


@given(numbers, st.integers(0, 8), st.integers(0, 20))
def test_a_fitted_number_is_whole_or_not_there(
    value: Decimal | float | int, decimals: int, cells: int
) -> None:
    text = typeset.number(value, decimals)
    fitted = typeset.fit_number(text, cells)
    assert cell_len(fitted) == cells
    assert set(fitted) <= {"#"} or typeset.plain_text(fitted) == typeset.plain_text(
        text
    )


def test_a_number_gives_up_its_commas_before_itself() -> None:
    assert typeset.fit_number("1,234,567", 9) == "1,234,567"
    assert typeset.fit_number("1,234,567", 8) == " 1234567"
    assert typeset.fit_number("1,234,567", 6) == "######"


@given(st.text(), st.integers(0, 30))
def test_a_truncated_text_says_so(text: str, cells: int) -> None:
    text = typeset.clean(text)
    cut = typeset.truncate(text, cells)
    assert cell_len(cut) <= cells
    assert cut == text or cells == 0 or cut.endswith("…")


@given(st.text())
def test_no_control_character_survives_cleaning(text: str) -> None:
    assert typeset.clean(text).isprintable()


def test_an_escape_sequence_from_outside_is_made_harmless() -> None:
    assert typeset.clean("a\x1b[2Jb\n") == "a?[2Jb "


@given(st.lists(numbers, min_size=1, max_size=8))
def test_points_stand_in_one_column(values: list[Decimal | float | int]) -> None:
    texts = [typeset.number(value, index % 4) for index, value in enumerate(values)]
    aligned = typeset.align_point(texts)
    assert len({cell_len(text) for text in aligned}) == 1
    points = {text.index(".") for text in aligned if "." in text}
    assert len(points) <= 1


def test_a_price_is_rounded_to_the_tick() -> None:
    assert typeset.round_to(Decimal("61685.987"), Decimal("0.01")) == Decimal(
        "61685.99"
    )
