"""Running totals that keep the rounding they lose, and what is made of them.

A total of a million terms is right to the last place, whatever came before it: nothing
is ever taken off again, a new session begins at zero.
"""

from __future__ import annotations

import numpy as np

from workstation.indicators.arrays.blocks import Flags, Floats, blocks

BLOCK = 32
"""Terms of a block: the totals of all blocks take their k-th term in one operation."""


def obv(close: Floats, volume: Floats, with_first: bool) -> Floats:
    """Return the volume of rises less that of falls, from the first volume or 0."""
    signed = np.sign(np.diff(close, prepend=close[:1]))
    signed *= volume
    if with_first:
        signed[:1] = volume[:1]
    return _sum(*totals(signed))


def vwap(price: Floats, volume: Floats, starts: Flags | None) -> Floats:
    """Return the mean price by volume since the last start, NaN before any volume."""
    worth = _sum(*totals(price * volume, starts))
    traded = _sum(*totals(volume, starts))
    out = np.full(len(price), np.nan)
    np.divide(worth, traded, out=out, where=traded > 0.0)
    return out


def totals(x: Floats, starts: Flags | None = None) -> tuple[Floats, Floats]:
    """Return the running totals of ``x`` and what they lost to rounding.

    Both together are exact to about twice the digits of a float. A start is the first
    term of a new total.
    """
    return _totals(x, np.zeros_like(x), starts)


def _sum(total: Floats, lost: Floats) -> Floats:
    total += lost
    return total


def _totals(x: Floats, lost: Floats, starts: Flags | None) -> tuple[Floats, Floats]:
    # A row for each place in the block, so that every step is a run of memory. What a
    # block hands to the next are the same totals over the blocks' ends.
    high, low = blocks(x, BLOCK).T.copy(), blocks(lost, BLOCK).T.copy()
    fresh = opened = None
    if starts is not None:
        fresh = blocks(starts, BLOCK).T.copy()
        opened = np.logical_or.accumulate(fresh, axis=0)
    for at in range(1, BLOCK):
        _add(high[at], low[at], high[at - 1], low[at - 1], fresh, at)
    if high.shape[1] > 1:
        ends = _totals(high[-1], low[-1], None if opened is None else opened[-1])
        carried, missed = (end[:-1] for end in ends)
        if opened is not None:
            opened = opened[:, 1:]
        for at in range(BLOCK):
            _add(high[at, 1:], low[at, 1:], carried, missed, opened, at)
    return high.T.reshape(-1)[: len(x)], low.T.reshape(-1)[: len(x)]


def _add(
    high: Floats,
    low: Floats,
    more: Floats,
    missed: Floats,
    closed: Flags | None,
    at: int,
) -> None:
    """Add ``more`` to ``high`` and what that loses to ``low``, except where closed."""
    if closed is not None:
        keep = ~closed[at]
        more, missed = more * keep, missed * keep
    total = high + more
    added = total - high
    low += (high - (total - added)) + (more - added)
    low += missed
    high[:] = total
