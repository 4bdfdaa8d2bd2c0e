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
from workstation.indicators.parameters import Choice, Param, Value, Values
from workstation.indicators.stream import Stream

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    # Rows beside the prices keep their type: times in ns do not fit a float.
    Row = NDArray[np.float64] | NDArray[np.int64]


class Pane(Enum):
    """Where a chart draws an indicator."""

    PRICE = "price"
    OWN = "own"


class Drawing(Enum):
    """How a chart draws an output; HIDDEN ones are for scripts and tables."""

    LINE = "line"
    HISTOGRAM = "histogram"
    DOTS = "dots"
    HIDDEN = "hidden"


class Indicator(Struct, frozen=True, kw_only=True):
    """One indicator: what it is called, takes and gives, and both ways to compute it.

    ``rule`` is its definition in one line. ``pane``, ``bounds`` (between which values
    it stays) and ``drawings`` (one per output; none given means lines) are what a chart
    needs. ``also`` are other names it answers to, ``optional`` columns that are read
    where they are given, ``constraint`` what parameters must fulfil together.
    ``first``, ``kernel``, ``twin`` and ``check`` are its parts; callers use ``warmup``,
    ``batch``, ``stream``, ``resolve``: these check parameters.
    """

    name: str
    title: str
    rule: str
    params: tuple[Param | Choice, ...]
    outputs: tuple[str, ...]
    pane: Pane
    first: Callable[..., int]
    kernel: Callable[..., tuple[Floats, ...]]
    twin: Callable[..., Stream]
    inputs: tuple[str, ...] = ("close",)
    optional: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    drawings: tuple[Drawing, ...] = ()
    constraint: str = ""
    check: Callable[[Values], None] = lambda values: None

    def drawing(self, output: str) -> Drawing:
        """Return how a chart draws ``output``."""
        at = self.outputs.index(output)
        return self.drawings[at] if self.drawings else Drawing.LINE

    def resolve(self, **params: object) -> dict[str, Value]:
        """Return all parameters, defaults filled in, in the order of ``params``.

        Equal results mean equal values, so they can key shared instances. Raise
        ``BadParameter`` for an unknown name or a value that is not allowed.
        """
        known = [param.name for param in self.params]
        for name, value in params.items():
            if name not in known:
                raise BadParameter.unknown(self.name, name, value, known)
        values: dict[str, Value] = {}
        for param in self.params:
            value = params.get(param.name, param.default)
            if not param.accepts(value):
                raise BadParameter(self.name, param.name, value, param.allowed)
            assert isinstance(value, int | float | str)
            values[param.name] = type(param.default)(value)
        self.check(values)
        return values

    def label(self, values: Values) -> str:
        """Return resolved parameters in short: numbers, and words that are not usual.

        ``20 2`` for the bands, ``14 tradingview`` for an average true range like that.
        """
        shown = []
        for param in self.params:
            value = values[param.name]
            if not isinstance(value, str):
                shown.append(f"{value:g}")
            elif value != param.default:
                shown.append(value)
        return " ".join(shown)

    def warmup(self, **params: object) -> int:
        """Return the index of the first bar where every output has a value."""
        return self.first(**self.resolve(**params))

    def stream(self, **params: object) -> Stream:
        """Return a fresh stream; one over closes alone has ``step`` as well."""
        return self.twin(**self.resolve(**params))

    def batch(self, columns: Mapping[str, Row], **params: object) -> dict[str, Floats]:
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
            self.optional,
            self.outputs,
        )
