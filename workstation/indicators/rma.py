"""Wilder's moving average, seeded with the mean of the first ``period`` closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.indicators.average import Average
from workstation.indicators.definition import Indicator, Pane
from workstation.indicators.parameters import PERIOD_LIMIT, Param

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats


class Rma(Average):
    """Stream Wilder's average."""

    __slots__ = ()

    def __init__(self, period: int = 14) -> None:
        super().__init__(period, 1.0 / period)


def _batch(close: Floats, *, period: int) -> tuple[Floats]:
    from workstation.indicators.arrays import averages

    return (averages.average(close, period, 1.0 / period),)


INDICATOR = Indicator(
    name="rma",
    title="Wilder's moving average",
    rule="y ← y + (close − y)/period, seeded with the mean of the first period closes",
    params=(Param("period", 14, 1, PERIOD_LIMIT, "bars of the average"),),
    outputs=("rma",),
    pane=Pane.PRICE,
    first=lambda period: int(period) - 1,
    kernel=_batch,
    twin=Rma,
)
