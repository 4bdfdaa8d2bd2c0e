"""What the parameters of an indicator are: numbers with a range, or one of some words.

Read by config, dialogs and documentation; ``Indicator.resolve`` asks them what they
accept.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

__all__ = [
    "COMPAT",
    "PERIOD_LIMIT",
    "TALIB",
    "TRADINGVIEW",
    "Choice",
    "Param",
    "Value",
    "Values",
    "compat",
]

Value = int | float | str
Values = Mapping[str, Value]

PERIOD_LIMIT = 5000
"""The longest period: a window of ~40 KB per stream, days of one-minute bars."""

COMPAT = "compat"
TALIB = "talib"
TRADINGVIEW = "tradingview"


class Param(Struct, frozen=True):
    """A number: whole where the default is an int."""

    name: str
    default: int | float
    minimum: int | float
    maximum: int | float
    help: str

    @property
    def allowed(self) -> str:
        """Say which values are allowed, for messages and documentation."""
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        return f"{kind} from {self.minimum} to {self.maximum}"

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` has the right type and lies in the range."""
        kinds = int if isinstance(self.default, int) else (int, float)
        return (
            isinstance(value, kinds)
            and not isinstance(value, bool)
            and self.minimum <= value <= self.maximum
        )


class Choice(Struct, frozen=True):
    """A word out of ``choices``."""

    name: str
    default: str
    choices: tuple[str, ...]
    help: str

    @property
    def allowed(self) -> str:
        """Say which words are allowed, for messages and documentation."""
        return " or ".join(self.choices)

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is one of the words."""
        return isinstance(value, str) and value in self.choices


def compat(difference: str) -> Choice:
    """Return the parameter that chooses whose values are given.

    ``difference`` says what TradingView does otherwise than TA-Lib.
    """
    return Choice(
        COMPAT,
        TALIB,
        (TALIB, TRADINGVIEW),
        f"whose rules where they differ; {TRADINGVIEW}: {difference}",
    )
