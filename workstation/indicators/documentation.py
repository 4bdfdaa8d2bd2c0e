"""The manual page of the indicators, written from the registry.

``python -m workstation.indicators.documentation`` prints it; ``docs/indicators.md`` is
that output, and a test keeps it so.
"""

from __future__ import annotations

from workstation.indicators.definition import Drawing, Indicator, Pane
from workstation.indicators.parameters import COMPAT, Choice, Param
from workstation.indicators.registry import get, names

_INTRODUCTION = """\
# Indicators

This page is printed by `python -m workstation.indicators.documentation`.

Every indicator exists twice: over whole columns, and as a stream that takes one bar
after the other in constant time. Both give the same values.

- Bars count from 0. Before its first value an indicator has none: NaN in columns,
  None (`nil` in Lua) from a stream. It is never zero and never looks ahead.
- Only closed bars change a stream. The forming bar is looked at with `peek`.
- A bar with a NaN, an infinity, a number of 1e100 or more, or negative volume is
  rejected: it is counted, has no value, and later values are as if it had not been.
- Where outputs of one indicator begin at different bars, the table names the last of
  them; a stream gives NaN for those that are still missing.
- Recursive averages are seeded with the mean of their first inputs, as TA-Lib does.
  They forget the seed slowly: give them 250 bars before you trust the last digits.
- Where charts of TradingView follow other rules, `compat = "tradingview"` gives their
  values.
"""

_DRAWN = {
    Drawing.HISTOGRAM: "drawn as a histogram",
    Drawing.DOTS: "drawn as dots",
    Drawing.HIDDEN: "not drawn",
}


def markdown() -> str:
    """Return the manual page."""
    indicators = [get(name) for name in names()]
    table = [
        "| name | indicator | parameters | outputs | first value | drawn |",
        "|---|---|---|---|---|---|",
        *(_row(indicator) for indicator in indicators),
    ]
    sections = [_section(indicator) for indicator in indicators]
    return "\n".join([_INTRODUCTION, *table, "", "\n".join(sections)])


def _row(indicator: Indicator) -> str:
    defaults = ", ".join(
        f"{param.name} {param.default}"
        for param in indicator.params
        if param.name != COMPAT
    )
    drawn = "on the price" if indicator.pane is Pane.PRICE else "below"
    if indicator.bounds is not None:
        drawn += f", {indicator.bounds[0]:g} to {indicator.bounds[1]:g}"
    cells = (
        f"`{indicator.name}`",
        indicator.title,
        defaults,
        ", ".join(f"`{output}`" for output in indicator.outputs),
        f"bar {indicator.warmup()}",
        drawn,
    )
    return f"| {' | '.join(cells)} |"


def _section(indicator: Indicator) -> str:
    lines = [
        f"## {indicator.title} (`{indicator.name}`)",
        "",
        f"From {', '.join(indicator.inputs)}: {indicator.rule}.",
    ]
    points = [*_drawn(indicator), *map(_parameter, indicator.params)]
    if indicator.constraint:
        points.append(f"- Together: {indicator.constraint}.")
    if indicator.also:
        points.append(f"- Also called {', '.join(f'`{n}`' for n in indicator.also)}.")
    if points:
        lines += ["", *points]
    return "\n".join([*lines, ""])


def _drawn(indicator: Indicator) -> list[str]:
    """Return a line on each output that is not drawn as a line."""
    return [
        f"- `{output}` is {_DRAWN[style]}."
        for output in indicator.outputs
        if (style := indicator.drawing(output)) is not Drawing.LINE
    ]


def _parameter(param: Param | Choice) -> str:
    return f"- `{param.name}` = {param.default}: {param.help}; {param.allowed}."


if __name__ == "__main__":
    print(markdown(), end="")
