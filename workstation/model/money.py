"""Exact arithmetic of money: sums and products never round, shares round to a grain.

The interpreter's own context keeps 28 digits, which a price of 18 decimals times a size
of 12 exceeds without a word. Here whatever ticks, lots and fees can make is exact, and
the one operation that has no end of decimals, a share, is rounded to a stated place.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

__all__ = [
    "GRAIN",
    "beyond",
    "figure_error",
    "grouped",
    "is_figure",
    "minus",
    "plain",
    "plus",
    "ratio",
    "share",
    "times",
]

GRAIN = Decimal("1e-18")
"""What shares are rounded to, half to even: the finest unit that any venue books in."""

# 18 digits before the point, as many as a price, a size and a fee have together behind
# it, and a dozen for a quotient to be rounded once more without harm.
_EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN)
_divide, _quantize = _EXACT.divide, _EXACT.quantize

# Ten times what all money of the world is in its smallest unit, and the grain.
_MOST_DIGITS, _MOST_DECIMALS = 15, 18

plus = _EXACT.add
"""Return a sum, exact."""
minus = _EXACT.subtract
"""Return a difference, exact."""
times = _EXACT.multiply
"""Return a product, exact."""
beyond = _EXACT.remainder
"""Return what an amount has beyond whole steps, exact and of its sign."""


def ratio(whole: Decimal, parts: Decimal) -> Decimal:
    """Return ``whole`` divided by ``parts``, rounded to the grain."""
    found = _divide(whole, parts)
    rounded = _quantize(found, GRAIN)
    # An exact quotient keeps its short form: 100, not 100 and eighteen zeros.
    return found if found == rounded else rounded


def share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """Return the share ``part`` ÷ ``of`` of an amount, rounded to the grain.

    What is left is the amount minus the share, so that nothing is lost between them.
    """
    return whole if part == of else ratio(times(whole, part), of)


def is_figure(value: Decimal) -> bool:
    """Tell whether a price, a size or a sum can be that: finite, below 10^15.

    And no finer than the grain. Whatever passes can be reckoned with exactly.
    """
    if not value.is_finite():
        return False
    if not value:
        return True
    exponent = value.as_tuple().exponent
    return (
        isinstance(exponent, int)
        and exponent >= -_MOST_DECIMALS
        and value.adjusted() < _MOST_DIGITS
    )


def figure_error(values: Mapping[str, object]) -> str:
    """Return which amount of named values can be none, and why; "" when all can."""
    for name, value in values.items():
        if isinstance(value, Decimal) and not is_figure(value):
            return (
                f"{name} {value:.3e} is no figure below 10^{_MOST_DIGITS} with "
                f"{_MOST_DECIMALS} decimals"
            )
    return ""


def grouped(value: Decimal) -> str:
    """Return all digits of an amount as ``plain`` does, thousands apart by commas."""
    text = plain(value)
    whole, dot, rest = text.partition(".")
    return f"{int(whole):,}{dot}{rest}" if whole.lstrip("-") != "0" else text


def plain(value: Decimal) -> str:
    """Return all digits of an amount without exponent, grouping or idle zeros."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
