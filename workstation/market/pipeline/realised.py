"""Realised variance and its kin over evenly sampled returns: pure functions.

Returns may be in any unit u (the pipeline's are bps of the mid, the reference's are
prices): sums are in u². ``per_root_second`` is the one place that makes u/√s of them.
Sums are plain Python in order of time: no decision rests on how numpy adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import gamma, pi, sqrt

from msgspec import Struct

__all__ = [
    "Realised",
    "bipower_variance",
    "jump_statistic",
    "lag_corrected_variance",
    "median_variance",
    "moves_of",
    "noise_variance",
    "per_root_second",
    "realised",
    "realised_variance",
    "realised_variance_error",
    "tripower_quarticity",
    "two_scale_variance",
]

Moves = Sequence[float]

_MEDIAN_SCALE = pi / (6.0 - 4.0 * sqrt(3.0) + pi)
_TRIPOWER_SCALE: float = (2.0 ** (2.0 / 3.0) * gamma(7.0 / 6.0) / gamma(0.5)) ** -3
_JUMP_SCALE = pi * pi / 4.0 + pi - 5.0


class Realised(Struct, frozen=True):
    """All estimates over one window, in u/√s; None where one is not defined.

    ``sigma`` from realised variance, with its standard error; ``bipower`` and
    ``median`` without jumps; ``jump_z`` in standard deviations; ``two_scale`` without
    the noise of quotes; ``noise`` the standard deviation of that noise, in u.
    """

    sigma: float
    error: float | None
    bipower: float
    median: float
    jump_z: float | None
    two_scale: float | None
    noise: float


def realised(path: Sequence[float], step_s: float, scale: int) -> Realised:
    """Return all estimates over a path of levels, sampled every ``step_s`` seconds.

    Needs more than ``scale`` returns, and three.
    """
    moves = moves_of(path)
    n = len(moves)
    seconds = n * step_s
    variance = realised_variance(moves)
    sigma = per_root_second(variance, seconds)
    error = realised_variance_error(moves) / seconds
    two_scale = two_scale_variance(path, scale)
    return Realised(
        sigma=sigma,
        error=error / (2.0 * sigma) if sigma > 0.0 else None,
        bipower=per_root_second(bipower_variance(moves), seconds),
        median=per_root_second(median_variance(moves), seconds),
        jump_z=jump_statistic(moves),
        two_scale=per_root_second(two_scale, seconds) if two_scale >= 0.0 else None,
        noise=sqrt(noise_variance(moves)),
    )


def per_root_second(variance: float, seconds: float) -> float:
    """Return σ in u/√s from a variance in u² that built up over ``seconds``."""
    return sqrt(variance / seconds)


def moves_of(path: Sequence[float]) -> list[float]:
    """Return the returns between the levels of a path."""
    return [after - before for before, after in pairwise(path)]


def realised_variance(moves: Moves) -> float:
    """Return RV = Σ r²."""
    return sum(move * move for move in moves)


def realised_variance_error(moves: Moves) -> float:
    """Return the standard error of RV: √(2/3 Σ r⁴)."""
    return sqrt(2.0 / 3.0 * sum((move * move) ** 2 for move in moves))


def bipower_variance(moves: Moves) -> float:
    """Return BV = π/2 · n/(n−1) · Σ |rᵢ||rᵢ₋₁|."""
    n = len(moves)
    total = sum(abs(before) * abs(after) for before, after in pairwise(moves))
    return pi / 2.0 * n / (n - 1) * total


def median_variance(moves: Moves) -> float:
    """Return MedRV = π/(6−4√3+π) · n/(n−2) · Σ med(|rᵢ₋₁|, |rᵢ|, |rᵢ₊₁|)²."""
    n = len(moves)
    sizes = [abs(move) for move in moves]
    total = 0.0
    for three in zip(sizes, sizes[1:], sizes[2:], strict=False):
        middle = sorted(three)[1]
        total += middle * middle
    return _MEDIAN_SCALE * n / (n - 2) * total


def tripower_quarticity(moves: Moves) -> float:
    """Return TQ = n μ₄⸝₃⁻³ · n/(n−2) · Σ (|rᵢ||rᵢ₋₁||rᵢ₋₂|)^(4/3)."""
    n = len(moves)
    sizes = [abs(move) for move in moves]
    total = 0.0
    for one, two, three in zip(sizes, sizes[1:], sizes[2:], strict=False):
        total += (one * two * three) ** (4.0 / 3.0)
    return n * _TRIPOWER_SCALE * n / (n - 2) * total


def jump_statistic(moves: Moves) -> float | None:
    """Return z of the share of jumps in RV; above 3 there was one.

    None where nothing moved, or too little next to each other to tell.
    """
    variance = realised_variance(moves)
    bipower = bipower_variance(moves)
    if not (variance > 0.0 and bipower * bipower > 0.0):
        return None
    spread = max(1.0, tripower_quarticity(moves) / (bipower * bipower))
    return (1.0 - bipower / variance) / sqrt(_JUMP_SCALE / len(moves) * spread)


def two_scale_variance(path: Sequence[float], scale: int) -> float:
    """Return the two-scale estimate, unbiased in finite samples; may be negative.

    (RV_K − (n̄/n) RV) · nK/((n−K+1)(K−1)), n̄ = (n−K+1)/K: noise that each level has
    by itself cancels.
    """
    n = len(path) - 1
    wide = (
        sum(
            (after - before) ** 2
            for before, after in zip(path, path[scale:], strict=False)
        )
        / scale
    )
    mean_n = (n - scale + 1) / scale
    narrow = realised_variance(moves_of(path))
    factor = n * scale / ((n - scale + 1) * (scale - 1))
    return (wide - mean_n / n * narrow) * factor


def noise_variance(moves: Moves) -> float:
    """Return RV/(2n): what noise each level would have if all RV were noise."""
    return realised_variance(moves) / (2.0 * len(moves))


def lag_corrected_variance(moves: Moves) -> float:
    """Return RV + 2 · n/(n−1) · Σ rᵢrᵢ₋₁: a cheap check for noise."""
    n = len(moves)
    products = sum(before * after for before, after in pairwise(moves))
    return realised_variance(moves) + 2.0 * n / (n - 1) * products
