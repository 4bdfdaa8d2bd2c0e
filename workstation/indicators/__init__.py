"""Indicators: pure functions over arrays, each with an O(1) streaming twin.

Config, strategies, chart and documentation look indicators up here with ``get`` and
``names``. Takes floats only, knows nothing of the rest of the project, and never loads
numpy until a batch is asked for: streams and listings must not delay the first paint.
"""

from __future__ import annotations

from workstation.indicators.definition import Indicator, Pane, Param
from workstation.indicators.errors import (
    BadColumns,
    BadParameter,
    BadState,
    IndicatorError,
    UnknownIndicator,
)
from workstation.indicators.registry import get, names
from workstation.indicators.stream import Bar, Stream

__all__ = [
    "BadColumns",
    "BadParameter",
    "BadState",
    "Bar",
    "Indicator",
    "IndicatorError",
    "Pane",
    "Param",
    "Stream",
    "UnknownIndicator",
    "get",
    "names",
]
