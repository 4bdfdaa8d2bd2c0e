"""Arrays in rows of equal length: how the kernels beside it take many steps at once."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Kind = TypeVar("Kind", np.float64, np.bool_)


def blocks(x: NDArray[Kind], size: int) -> NDArray[Kind]:
    """Return ``x`` in rows of ``size``, the last one filled up with zeros."""
    rows = -(-len(x) // size)
    if rows * size == len(x):
        return x.reshape(rows, size)
    table = np.zeros((rows, size), dtype=x.dtype)
    table.reshape(-1)[: len(x)] = x
    return table


def by_start(table: Floats, x: Floats) -> Floats:
    """Return a flat view over the full windows of ``x``, by their first value."""
    return table.reshape(-1)[: len(x) - table.shape[1] + 1]


def unknown(count: int, length: int) -> tuple[Floats, ...]:
    """Return ``count`` outputs without any value yet."""
    return tuple(np.full((count, length), np.nan))
