"""The streaming side of an indicator: what every O(1) twin can do.

Strategies, the market's shared instances and the chart hold streams. A stream takes
closed bars (``update``; ``step`` takes bare closes where these are enough), shows the
forming bar without taking it (``peek``), and never loads numpy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from math import isfinite
from typing import Protocol, Self, TypeVar

from workstation.indicators.errors import BadState

LIMIT = 1e100
"""Values of this size or more are rejected like infinity.

Squares and sums of smaller ones cannot overflow; an overflow would poison running sums.
The hot paths repeat it as a literal: a constant loads faster than a global.
"""

State = tuple[int | float, ...]


class Bar(Protocol):
    """A bar as the indicators see it: five floats."""

    @property
    def open(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def close(self) -> float: ...
    @property
    def volume(self) -> float: ...


def is_sound(bar: Bar) -> bool:
    """Tell whether every field of ``bar`` is finite and its volume not negative."""
    return (
        -1e100 < bar.open < 1e100
        and -1e100 < bar.high < 1e100
        and -1e100 < bar.low < 1e100
        and -1e100 < bar.close < 1e100
        and 0.0 <= bar.volume < 1e100
    )


class Stream(ABC):
    """Compute one indicator bar by bar.

    ``rejected`` counts inputs that were NaN, infinite, beyond ``LIMIT`` or had negative
    volume; they give None and leave the state as it was. The counter is not part of
    ``state()``: equal accepted inputs give equal states.
    """

    __slots__ = ("rejected",)

    rejected: int

    @abstractmethod
    def update(self, bar: Bar) -> tuple[float, ...] | None:
        """Take one closed bar and return all outputs, or None while there are none.

        Where some outputs begin later than others, these are NaN until then.
        """

    def peek(self, bar: Bar) -> tuple[float, ...] | None:
        """Return what ``update(bar)`` would, without taking the bar."""
        return self.copy().update(bar)

    def copy(self) -> Self:
        """Return an independent stream in the same state, counter included."""
        twin = type(self).__new__(type(self))
        for name in _fields(type(self)):
            value = getattr(self, name)
            if type(value) is list:
                value = value[:]
            elif isinstance(value, Stream):
                value = value.copy()
            setattr(twin, name, value)
        return twin

    @abstractmethod
    def state(self) -> State:
        """Return the state as plain numbers, of fixed length for given parameters."""

    @abstractmethod
    def restore(self, state: State) -> None:
        """Continue from what ``state()`` gave on a stream with the same parameters.

        Outputs that follow are the same bit for bit. Raise ``BadState`` when the
        numbers cannot be such a state; the stream is then as it was.
        """


Part = TypeVar("Part", bound=Stream)


@cache
def _fields(kind: type[Stream]) -> tuple[str, ...]:
    return tuple(
        slot for base in kind.__mro__ for slot in getattr(base, "__slots__", ())
    )


class CloseStream(Stream):
    """A stream over closes: it also takes bare values."""

    __slots__ = ()

    @abstractmethod
    def step(self, x: float) -> float | tuple[float, ...] | None:
        """Take one value and return the output, or None while there is none.

        Single-output streams return a float, others a tuple in the order of the
        indicator's ``outputs``.
        """


class LineStream(CloseStream):
    """A stream over closes with one output."""

    __slots__ = ()

    @abstractmethod
    def step(self, x: float) -> float | None: ...

    def update(self, bar: Bar) -> tuple[float] | None:
        """Take the close of ``bar``."""
        if not is_sound(bar):
            self.rejected += 1
            return None
        value = self.step(bar.close)
        return None if value is None else (value,)


class LinesStream(CloseStream):
    """A stream over closes with several outputs."""

    __slots__ = ()

    @abstractmethod
    def step(self, x: float) -> tuple[float, ...] | None: ...

    def update(self, bar: Bar) -> tuple[float, ...] | None:
        """Take the close of ``bar``."""
        if not is_sound(bar):
            self.rejected += 1
            return None
        return self.step(bar.close)


def check_state(
    stream: Stream, state: State, valid: Callable[[State], bool] = lambda state: True
) -> None:
    """Raise ``BadState`` unless ``state`` has the shape of the stream's own."""
    size = len(stream.state())
    if (
        len(state) != size
        or not all(type(x) in (int, float) and isfinite(x) for x in state)
        or not valid(state)
    ):
        raise BadState(
            f"not a state of this {type(stream).__name__}: {size} finite numbers"
            f" are needed, from a stream with the same parameters; got {len(state)}"
        )


def restored(part: Part, state: State) -> Part:
    """Return a copy of ``part`` that continues from ``state``.

    The part itself stays as it is, so that a refusal leaves no stream half restored.
    """
    twin = part.copy()
    twin.restore(state)
    return twin
