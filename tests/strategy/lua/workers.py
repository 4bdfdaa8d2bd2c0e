"""Scripts, questions and workers for the tests of Lua strategies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workstation.strategy.lua.wire import (
    FUNCTIONS,
    MARKET_FIELDS,
    Budget,
    Load,
    Question,
)

INDICATORS = ("ema", "macd", "atr")
FIGURES = ("ofi", "volatility_bps")
STRINGS = ("BTCUSDT", "ETHUSDT")
PATIENCE_S = 20.0
"""A deadline for what takes milliseconds; only a hang reaches it."""

NUMBERS: dict[str, float | int | None] = {
    "now": 1_700_000_060_000_000_000,
    "timestamp": 1_700_000_060_000_000_000,
    "open": 100.0,
    "high": 103.0,
    "low": 99.0,
    "close": 101.5,
    "volume": 12.0,
    "bid": 101.4,
    "ask": 101.6,
    "bid_size": 2.0,
    "ask_size": 1.0,
    "mid_price": 101.5,
    "spread_bps": 19.7,
    "position": 0.0,
    "orders": 0,
    "bars": 50,
    "previous_timestamp": 1_700_000_000_000_000_000,
    "previous_open": 98.0,
    "previous_high": 101.0,
    "previous_low": 97.5,
    "previous_close": 100.0,
    "previous_volume": 9.0,
}

GOOD = 'return {action = "exit", reason = "good"}'


def market(**changed: float | int | None) -> tuple[float | int | None, ...]:
    """Return the fields of a market in their order."""
    values = NUMBERS | changed
    return tuple(values.get(name) for name in MARKET_FIELDS)


def script(
    detect: str = "return nil",
    filter_: str = GOOD,
    manage: str = "return nil",
    before: str = "",
) -> str:
    """Return a script with these bodies; a body's first line is line 2 of the script.

    ``before`` stands on line 1.
    """
    bodies = zip(FUNCTIONS, (detect, filter_, manage), strict=True)
    parts = [
        f"function {name}(market, context, indicators)\n{body}\nend"
        for name, body in bodies
    ]
    return f"{before} " + "\n".join(parts)


def load(source: str, **options: Any) -> Load:
    """Return a Load of a source; driven, unless told otherwise."""
    given: dict[str, Any] = {
        "name": "test.lua",
        "seed": 1,
        "driven": True,
        "strings": STRINGS,
        "indicators": INDICATORS,
        "figures": FIGURES,
    }
    return Load(source=source, **(given | options))


def budget(**limits: Any) -> Budget:
    """Return a budget; 1 M instructions, unless told otherwise."""
    return Budget(**({"instructions": 1_000_000} | limits))


def question(function: int = 0, **given: Any) -> Question:
    """Return a question of row 1."""
    values: dict[str, Any] = {
        "row": 1,
        "call": 1,
        "symbol": "BTCUSDT",
        "market": market(),
    }
    return Question(function=function, **(values | given))


def questions(count: int, function: int = 0) -> Sequence[Question]:
    """Return questions of as many rows."""
    return [question(function, row=row) for row in range(count)]
