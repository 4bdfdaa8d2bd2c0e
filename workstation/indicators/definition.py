"""What the registry knows of one indicator, and how it is asked for values.

Each indicator's module makes one ``Indicator``; config, strategies, chart and docs read
them. Parameters and columns are checked here, once, so that kernels and streams may
rely on them. Must not import numpy: ``batch`` does when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from workstation.indicators.errors import BadParameter
from workstation.indicators.stream import Stream

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Values = Mapping[str, int | float]

PERIOD_LIMIT = 5000
"""The longest period: a window of ~40 KB per stream, days of one-minute bars."""


class Pane(Enum):
    """Where a chart draws an indicator."""

    PRICE = "price"
    OWN = "own"


class Param(Struct, frozen=True):
    """One parameter: an int where the default is one, else a float."""

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


class Indicator(Struct, frozen=True, kw_only=True):
    """One indicator: what it is called, takes and gives, and both ways to compute it.

    ``rule`` is its definition in one line, ``pane`` and ``bounds`` tell a chart where
    to draw it and between which values it stays, ``constraint`` is what parameters must
    fulfil together. ``first``, ``kernel``, ``twin`` and ``check`` are its parts;
    callers use ``warmup``, ``batch``, ``stream``, ``resolve``: these check parameters.
    """

    name: str
    title: str
    rule: str
    params: tuple[Param, ...]
    outputs: tuple[str, ...]
    pane: Pane
    first: Callable[..., int]
    kernel: Callable[..., tuple[Floats, ...]]
    twin: Callable[..., Stream]
    inputs: tuple[str, ...] = ("close",)
    bounds: tuple[float, float] | None = None
    constraint: str = ""
    check: Callable[[Values], None] = lambda values: None

    def resolve(self, **params: object) -> dict[str, int | float]:
        """Return all parameters, defaults filled in, in the order of ``params``.

        Equal results mean equal values, so they can key shared instances. Raise
        ``BadParameter`` for an unknown name or a value that is not allowed.
        """
        known = [param.name for param in self.params]
        for name, value in params.items():
            if name not in known:
                raise BadParameter.unknown(self.name, name, value, known)
        values: dict[str, int | float] = {}
        for param in self.params:
            value = params.get(param.name, param.default)
            if not param.accepts(value):
                raise BadParameter(self.name, param.name, value, param.allowed)
            assert isinstance(value, int | float)
            values[param.name] = type(param.default)(value)
        self.check(values)
        return values

    def warmup(self, **params: object) -> int:
        """Return the index of the first value: how many sound inputs precede it."""
        return self.first(**self.resolve(**params))

    def stream(self, **params: object) -> Stream:
        """Return a fresh stream."""
        return self.twin(**self.resolve(**params))

    def batch(
        self, columns: Mapping[str, Floats], **params: object
    ) -> dict[str, Floats]:
        """Return every output over whole columns (same length, NaN where no value).

        ``columns`` needs ``inputs``; other price and volume columns, if there, only
        decide which rows are rejected, as ``Stream.update`` does with bars. A rejected
        row is NaN and the rest is computed as if it were not there. The columns are not
        changed and not kept. Raise ``BadColumns`` when they do not fit.
        """
        values = self.resolve(**params)
        from workstation.indicators import columns as table

        return table.evaluate(
            lambda arrays: self.kernel(*arrays, **values),
            columns,
            self.inputs,
            self.outputs,
        )
