"""What one types for a parameter, and whether it may be that. Pure.

The engine asks the script again and has the last word.
"""

from __future__ import annotations

from workstation.engine.frames import ParamRow
from workstation.strategy.script import ParamValue
from workstation.ui.panels.params import range_text, value_text
from workstation.ui.screens.fields import number_of

__all__ = ["change_words", "read_value", "remark", "wrong_with"]


def read_value(row: ParamRow, text: str) -> ParamValue | None:
    """Return the value that a text stands for; None where it is none of this kind."""
    if row.kind == "bool":
        return {"true": True, "false": False}.get(text.lower())
    if row.kind == "str":
        return text
    number = number_of(text)
    if number is None:
        return None
    if row.kind == "int":
        return int(number) if number == number.to_integral_value() else None
    return float(number)


def wrong_with(row: ParamRow, text: str) -> str:
    """Return what is wrong with a text, or nothing."""
    if row.kind == "str":
        return "" if text else "a text is missing"
    if not text:
        return "a number is missing"
    value = read_value(row, text)
    if value is None:
        return "a whole number" if row.kind == "int" else "not a number"
    low, high = row.minimum, row.maximum
    below = low is not None and float(value) < low
    if below or (high is not None and float(value) > high):
        return f"must be {range_text(row)}"
    return ""


def remark(row: ParamRow) -> str:
    """Return what stands behind the field: range and default."""
    parts = (range_text(row), f"default {value_text(row.default)}")
    return "  ".join(part for part in parts if part)


def change_words(row: ParamRow, value: ParamValue) -> str:
    """Return ``fast 10 → 12``."""
    return f"{row.name} {value_text(row.value)} → {value_text(value)}"
