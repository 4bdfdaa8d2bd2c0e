"""Exponential moving average, seeded with the mean of the first ``period`` closes.

TradingView's published equivalent is seeded with the first close instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.indicators.average import Average, ema_gain
from workstation.indicators.definition import Indicator, Pane
from workstation.indicators.parameters import PERIOD_LIMIT, TALIB, Param, compat

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats


def _seeds(period: int, compat: str) -> int:
    return period if compat == TALIB else 1


class Ema(Average):
    """Stream the exponential average."""

    __slots__ = ()

    def __init__(self, period: int = 20, compat: str = TALIB) -> None:
        super().__init__(_seeds(period, compat), ema_gain(period))


def _batch(close: Floats, *, period: int, compat: str) -> tuple[Floats]:
    from workstation.indicators.arrays import averages

    return (averages.average(close, _seeds(period, compat), ema_gain(period)),)


INDICATOR = Indicator(
    name="ema",
    title="Exponential moving average",
    rule="y ← y + 2/(period + 1)·(close − y), seeded with the mean of the first period"
    " closes",
    params=(
        Param("period", 20, 2, PERIOD_LIMIT, "bars of the equivalent window"),
        compat("seeded with the first close, from bar 0 on"),
    ),
    outputs=("ema",),
    pane=Pane.PRICE,
    first=lambda period, compat: _seeds(period, compat) - 1,
    kernel=_batch,
    twin=Ema,
)
