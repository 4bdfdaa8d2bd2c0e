"""What one types for a parameter, and whether it may be that. Pure.

The engine asks the script again and has the last word.
"""

from __future__ import annotations

from decimal import Decimal
from math import isinf

from workstation.engine.frames import ParamRow
from workstation.strategy.script import ParamValue
from workstation.ui.panels.params import range_text, value_text
from workstation.ui.typed_numbers import number_of

__all__ = ["change_words", "read_value", "remark", "wrong_with"]


_LARGEST = 2**63 - 1
# A whole number of a journal and of Lua has 64 bits, with its sign.


def read_value(row: ParamRow, text: str) -> ParamValue | None:
    """Return the value that a text stands for; None where it is none of this kind."""
    if row.kind == "bool":
        return {"true": True, "false": False}.get(text.lower())
    if row.kind == "str":
        return text
    number = number_of(text)
    if number is None or _is_too_large(row, number):
        return None
    if row.kind == "int":
        return int(number) if number == number.to_integral_value() else None
    return float(number)


def _is_too_large(row: ParamRow, number: Decimal) -> bool:
    if row.kind == "int":
        # Looked at before it is made one: 1e999999999 would fill the memory.
        return not -_LARGEST - 1 <= number <= _LARGEST
    return isinf(float(number))


def wrong_with(row: ParamRow, text: str) -> str:
    """Return what is wrong with a text, or nothing; a text may be empty."""
    if row.kind == "str":
        return ""
    if not text:
        return "a number is missing"
    number = number_of(text)
    if row.kind != "bool" and number is not None and _is_too_large(row, number):
        return "too large: 64 bits at most" if row.kind == "int" else "too large"
    value = read_value(row, text)
    if value is None:
        return "a whole number" if row.kind == "int" else "not a number"
    low, high = row.minimum, row.maximum
    assert not isinstance(value, str)
    # Compared as it is: a float has not all digits of a large whole number.
    if (low is not None and value < low) or (high is not None and value > high):
        return f"must be {range_text(row)}"
    return ""


def remark(row: ParamRow) -> str:
    """Return what stands behind the field: range and default."""
    parts = (range_text(row), f"default {value_text(row.default)}")
    return "  ".join(part for part in parts if part)


def change_words(row: ParamRow, value: ParamValue) -> str:
    """Return ``fast 10 → 12``."""
    before, after = (value_text(each) or '""' for each in (row.value, value))
    return f"{row.name} {before} → {after}"
