"""The one list of indicators. To add one: write its module, name it here.

Read by config, strategies, chart and documentation through ``get`` and ``names``.
"""

from __future__ import annotations

from workstation.indicators import bollinger, ema, macd, rsi, sma
from workstation.indicators.definition import Indicator
from workstation.indicators.errors import UnknownIndicator

_INDICATORS: dict[str, Indicator] = {
    module.INDICATOR.name: module.INDICATOR
    for module in (sma, ema, rsi, macd, bollinger)
}


def names() -> tuple[str, ...]:
    """Return the names of all indicators, in the order they are documented."""
    return tuple(_INDICATORS)


def get(name: str) -> Indicator:
    """Return the indicator called ``name``, or raise ``UnknownIndicator``."""
    try:
        return _INDICATORS[name]
    except KeyError:
        raise UnknownIndicator(name, names()) from None
