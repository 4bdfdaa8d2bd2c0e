"""Numbers as people type them: ``1,234.56``, a real minus, nothing doubtful.

A comma that is no thousands group is refused: ``0,1`` is a tenth to one half of the
world, and taken as 1 it would be ten times the order. ``1,234`` is a group to one half
and a decimal to the other: what an order is made of (``strict``) takes a comma only
where it can be nothing else, as in ``1,234.5`` and ``12,345,678``.
"""

from __future__ import annotations

import re
from decimal import Decimal

from workstation.model.money import is_figure

__all__ = ["amount_of", "number_of", "wrong_amount"]

_NUMBER = re.compile(
    r"[+-]?(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,9})?"
)


_DOUBTFUL = re.compile(r"[+-]?[0-9]{1,3},[0-9]{3}(?:[eE][+-]?[0-9]+)?")


def number_of(text: str, *, strict: bool = False) -> Decimal | None:
    """Return the number of a typed text, None where it is none or could be two.

    ``strict`` refuses one comma before three digits, whatever is behind it.
    """
    plain = text.strip().replace("−", "-")
    if strict and _DOUBTFUL.fullmatch(plain):
        return None
    if not _NUMBER.fullmatch(plain) or not any(map(str.isdigit, plain)):
        return None
    try:
        return Decimal(plain.replace(",", ""))
    except ArithmeticError:
        return None


def amount_of(text: str, *, strict: bool = False) -> Decimal | None:
    """Return a price, a size or a sum of money; None where it can be none."""
    value = number_of(text, strict=strict)
    return value if value is not None and is_figure(value) else None


def wrong_amount(text: str, wanted: str = "", *, strict: bool = False) -> str:
    """Return why a text is no amount, and what would be right; "" where it is one.

    ``wanted`` says what would be right where anything else may be typed, too.
    """
    value = number_of(text, strict=strict)
    if value is None:
        if number_of(text) is not None:
            typed = text.strip()
            return f"could be {typed.replace(',', '.')} or {typed.replace(',', '')}"
        comma = "," in text and number_of(text.replace(",", ".", 1)) is not None
        if comma:
            return "a decimal has a point: 0.1"
        return wanted or f"{text.strip()} is no number"
    return "" if is_figure(value) else "too large, or finer than 18 decimals"
