"""Indicators: pure functions over arrays, each with an O(1) streaming twin.

Config, strategies, chart and documentation look indicators up here with ``get`` and
``names``. Takes numbers only, knows nothing of the rest of the project, and never loads
numpy until a batch is asked for: streams and listings must not delay the first paint.
"""

from __future__ import annotations

from workstation.indicators.definition import Drawing, Indicator, Pane
from workstation.indicators.errors import (
    BadColumns,
    BadParameter,
    BadRequest,
    BadState,
    IndicatorError,
    UnknownIndicator,
)
from workstation.indicators.parameters import Choice, Param, Value, Values
from workstation.indicators.registry import get, names
from workstation.indicators.request import Request
from workstation.indicators.stream import Bar, CloseStream, Stream

__all__ = [
    "BadColumns",
    "BadParameter",
    "BadRequest",
    "BadState",
    "Bar",
    "Choice",
    "CloseStream",
    "Drawing",
    "Indicator",
    "IndicatorError",
    "Pane",
    "Param",
    "Request",
    "Stream",
    "UnknownIndicator",
    "Value",
    "Values",
    "get",
    "names",
]
