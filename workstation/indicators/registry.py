"""The one list of indicators. To add one: write its module, name it here.

Read by config, strategies, chart and documentation through ``get`` and ``names``.
"""

from __future__ import annotations

from workstation.indicators import (
    adx,
    atr,
    bollinger,
    donchian,
    ema,
    keltner,
    macd,
    obv,
    rma,
    rsi,
    sma,
    stochastic,
    supertrend,
    true_range,
    vwap,
)
from workstation.indicators.definition import Indicator
from workstation.indicators.errors import UnknownIndicator

_INDICATORS: dict[str, Indicator] = {
    module.INDICATOR.name: module.INDICATOR
    for module in (
        sma,
        ema,
        rma,
        rsi,
        macd,
        bollinger,
        true_range,
        atr,
        vwap,
        stochastic,
        adx,
        donchian,
        keltner,
        obv,
        supertrend,
    )
}

_ALSO = {
    other: indicator for indicator in _INDICATORS.values() for other in indicator.also
}


def names() -> tuple[str, ...]:
    """Return the names of all indicators, in the order they are documented."""
    return tuple(_INDICATORS)


def get(name: str) -> Indicator:
    """Return the indicator called ``name``, or raise ``UnknownIndicator``."""
    found = _INDICATORS.get(name) or _ALSO.get(name)
    if found is None:
        raise UnknownIndicator(name, names())
    return found
