"""Columns in and out of a batch: what is sound, what is left out, what is NaN.

Called by ``Indicator.batch`` only. The one place that says how bad rows are handled, so
that every kernel may rely on finite input. Loads numpy; nothing may import it early.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.indicators.errors import BadColumns
from workstation.indicators.stream import LIMIT

Floats = NDArray[np.float64]
# What is beside the prices keeps its type: int64 (times in ns) or float64.
Row = NDArray[Any]

FIELDS = ("open", "high", "low", "close", "volume")
"""The fields of a bar; only these decide whether a row is sound."""


def evaluate(
    kernel: Callable[[list[Row | None]], tuple[Floats, ...]],
    columns: Mapping[str, Row],
    inputs: tuple[str, ...],
    optional: tuple[str, ...],
    outputs: tuple[str, ...],
) -> dict[str, Floats]:
    """Return the named outputs of ``kernel`` over the sound rows of ``columns``.

    The kernel gets the inputs, then the optional columns, None for one not given.
    """
    fields = _read(columns, inputs, optional)
    given = [fields.get(name) for name in (*inputs, *optional)]
    sound = _sound_rows(fields)
    if sound is None:
        return dict(zip(outputs, kernel(given), strict=True))
    results = kernel([field if field is None else field[sound] for field in given])
    spread = {}
    for name, result in zip(outputs, results, strict=True):
        spread[name] = np.full(len(sound), np.nan)
        spread[name][sound] = result
    return spread


def _read(
    columns: Mapping[str, Row], inputs: tuple[str, ...], optional: tuple[str, ...]
) -> dict[str, Row]:
    missing = [name for name in inputs if name not in columns]
    if missing:
        raise BadColumns(
            f"column {missing[0]!r} is needed (given: {', '.join(columns) or 'none'})"
        )
    fields = {}
    for name in (*inputs, *FIELDS, *optional):
        if name not in columns:
            continue
        kind = None if name in optional else np.float64
        field = fields[name] = np.asarray(columns[name], dtype=kind)
        if field.dtype.kind not in "iuf":
            raise BadColumns(f"column {name!r} must be numbers, not {field.dtype}")
        if field.ndim != 1:
            raise BadColumns(f"column {name!r} must have one dimension: {field.shape}")
        length = len(fields[inputs[0]])
        if len(field) != length:
            raise BadColumns(
                f"column {name!r} has {len(field)} rows, {inputs[0]!r} has {length}"
            )
    return fields


def _sound_rows(fields: Mapping[str, Row]) -> NDArray[np.bool_] | None:
    """Return which rows are sound, or None for all (the usual case, without a mask)."""
    if all(
        len(field) == 0
        or (_lowest(name, float(field.min())) and float(field.max()) < LIMIT)
        for name, field in fields.items()
    ):
        return None
    length = len(next(iter(fields.values())))
    sound = np.ones(length, dtype=np.bool_)
    for name, field in fields.items():
        sound &= field >= 0.0 if name == "volume" else field > -LIMIT
        sound &= field < LIMIT
    return sound


def _lowest(name: str, value: float) -> bool:
    return value >= 0.0 if name == "volume" else value > -LIMIT
