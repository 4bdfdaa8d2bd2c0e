"""Indicators that run along with the bars, each shared by all who ask for it.

The Aggregator keeps one per (instrument, timeframe, name, parameters) and updates it on
every closed bar before anyone hears of that bar.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from workstation import indicators
from workstation.indicators import Indicator, Value, Values
from workstation.model.market import Bar

NAN = float("nan")

__all__ = ["TRAIL", "IndicatorKey", "RunningIndicator", "parameters"]

TRAIL = 24
"""Bars that the trail of an indicator goes back: what a table has room for."""

IndicatorKey = tuple[str, tuple[tuple[str, Value], ...]]
"""Name and all parameters in the order of the definition, defaults filled in."""


class RunningIndicator:
    """Hold an indicator's outputs at the last two bars (``IndicatorView``).

    ``trail`` is for the screen: the first output at the last bars, NaN for none. It is
    no state that anything is decided on.
    """

    __slots__ = ("_next", "_trail", "key", "outputs", "previous", "stream", "value")

    def __init__(self, key: IndicatorKey, definition: Indicator) -> None:
        self.key = key
        self.outputs = definition.outputs
        self.stream = definition.stream(**dict(key[1]))
        self.value: tuple[float, ...] | None = None
        self.previous: tuple[float, ...] | None = None
        # A ring of plain doubles: a list of them would take four times the memory.
        self._trail = array("d", [NAN]) * TRAIL
        self._next = 0

    def update(self, bar: Bar) -> None:
        """Take a closed bar."""
        self.previous = self.value
        value = self.value = self.stream.update(bar)
        at = self._next
        self._trail[at] = NAN if value is None else value[0]
        self._next = at + 1 if at + 1 < TRAIL else 0

    @property
    def trail(self) -> tuple[float, ...]:
        """Return the first output at the last ``TRAIL`` bars, oldest first."""
        ring, at = self._trail, self._next
        return (*ring[at:], *ring[:at])

    def warm(self, bars: Iterable[Bar]) -> None:
        """Take the bars that closed before anyone asked, oldest first."""
        for bar in bars:
            self.update(bar)

    def peek(self, bar: Bar) -> tuple[float, ...] | None:
        """Return what a forming bar would give, without taking it."""
        return self.stream.peek(bar)

    def digest(self) -> tuple[object, ...]:
        """Return the whole state for the state hash."""
        return (self.key, self.value, self.previous, self.stream.state())


def parameters(name: str, params: Values) -> tuple[IndicatorKey, Indicator]:
    """Return what equal requests have in common, and the definition.

    A whole float serves where a count is wanted: Lua has no other numbers. Raises the
    errors of ``workstation.indicators`` for what is unknown or not allowed.
    """
    definition = indicators.get(name)
    counts = {param.name for param in definition.params if type(param.default) is int}
    values = {
        key: int(value)
        if key in counts and isinstance(value, float) and value.is_integer()
        else value
        for key, value in params.items()
    }
    resolved = definition.resolve(**values)
    return (definition.name, tuple(resolved.items())), definition
