"""What can be wrong with a request to the indicators.

    IndicatorError
    ├── UnknownIndicator   no indicator of that name
    ├── BadParameter       an unknown parameter, or a value outside its range
    ├── BadRequest         a word that is no indicator with its parameters
    ├── BadColumns         batch input that is missing, ragged or not one-dimensional
    └── BadState           a saved state that does not fit the stream

Bad *prices* are never errors: they are rejected and counted (``Stream.rejected``).
"""

from __future__ import annotations

from collections.abc import Sequence


class IndicatorError(Exception):
    """Be the root of every error of this package."""


def _did_you_mean(wrong: str, right: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(wrong, right, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


class UnknownIndicator(IndicatorError):
    """Say that no indicator is called ``name``, and which ``known`` ones there are."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(
            f"unknown indicator {name!r}{_did_you_mean(str(name), known)}"
            f" (known: {', '.join(known)})"
        )


class BadParameter(IndicatorError):
    """Say which parameter of which indicator is wrong, its value, what is allowed."""

    def __init__(self, indicator: str, name: str, value: object, allowed: str) -> None:
        self.indicator = indicator
        self.name = name
        self.value = value
        self.allowed = allowed
        super().__init__(f"{indicator}: {name} = {value!r} must be {allowed}")

    @classmethod
    def unknown(
        cls, indicator: str, name: str, value: object, known: Sequence[str]
    ) -> BadParameter:
        """Return the error for a parameter that ``indicator`` does not have."""
        error = cls(indicator, name, value, f"one of {', '.join(known)}")
        error.args = (
            f"{indicator} has no parameter {name!r}{_did_you_mean(name, known)}"
            f" (known: {', '.join(known)})",
        )
        return error


class BadRequest(IndicatorError):
    """Say what is wrong with a word such as ``ema(20)``."""


class BadColumns(IndicatorError):
    """Say what is wrong with the columns given to a batch."""


class BadState(IndicatorError):
    """Say that a saved state is not one of this stream with these parameters."""
