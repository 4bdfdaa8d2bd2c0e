"""The scale of depth bars: round sizes that stay while the book breathes.

A bar as long as there is room stands for the scale. It grows at once, so no bar is cut,
and shrinks only after the sizes have been small for a while. Knows no widget.
"""

from __future__ import annotations

from math import floor, log10

__all__ = ["DepthScale", "round_up"]

_STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0)
_CALM = 30
"""Books in a row that need less before it shrinks: three seconds of frames."""


def round_up(value: float) -> float:
    """Return the next of 1, 1.5, 2, 3, 4, 6, 8 times a power of ten."""
    if not value > 0.0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next((s * power for s in _STEPS if s * power >= value), 10.0 * power)


class DepthScale:
    """The scale of one ladder; ``key`` is what it shows, another one starts anew."""

    def __init__(self) -> None:
        self.full = 1.0
        self._key: object = None
        self._calm = 0
        self._needed = 0.0

    def take(self, key: object, largest: float) -> float:
        """Look at the largest size of a new book; return the scale."""
        wanted = round_up(largest)
        if key != self._key or wanted >= self.full:
            self._key, self.full, self._calm, self._needed = key, wanted, 0, 0.0
            return self.full
        self._calm += 1
        self._needed = max(self._needed, wanted)
        if self._calm >= _CALM:
            self.full, self._calm, self._needed = self._needed, 0, 0.0
        return self.full
