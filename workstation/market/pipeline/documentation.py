"""The manual page of the processors, written from the catalog and the settings.

``python -m workstation.market.pipeline.documentation`` prints it;
``docs/processors.md`` is that output, and a test keeps it so.
"""

from __future__ import annotations

from inspect import getdoc

from msgspec import structs

from workstation.market.pipeline import (
    adverse_selection,
    flow,
    imbalance,
    settings,
    volatility,
)
from workstation.market.pipeline.chain import CATALOG
from workstation.market.pipeline.figures import Figure

__all__ = ["markdown"]

_MODULES = {
    "imbalance": imbalance,
    "volatility": volatility,
    "adverse_selection": adverse_selection,
    "flow": flow,
}
_SOURCES = {
    "imbalance": "arithmetic of the book, no model.",
    "volatility": "Barndorff-Nielsen and Shephard 2002, 2004 (realised variance, its "
    "error, bipower); Andersen, Dobrev, Schaumburg 2012 (median); Huang, Tauchen 2005 "
    "(jumps); Zhang, Mykland, Aït-Sahalia 2005 (two scales).",
    "adverse_selection": "the identity markout = spread capture − adverse move.",
    "flow": "Cont, Kukanov, Stoikov 2014, *The price impact of order book events*.",
}

_INTRODUCTION = """\
# Processors

This page is printed by `python -m workstation.market.pipeline.documentation`.

A processor follows the ticks of a symbol and gives figures beside its prices. Which
ones run, and in what order, is `processors` in `[pipeline]`; each symbol has its own
chain. Strategies read `market.figures.volatility_bps`; observers of MarketDataUpdated
hear `imbalance`, `volatility_bps`, `vol_uncertainty_bps` and `adverse_selection`.

- **None means not known**, never zero: before there is enough, and, but for figures of
  the past (adverse selection), while the data cannot be trusted: stale, crossed,
  one-sided, of an untrusted book, or of a feed that is stopped.
- One unit for each: volatility is in bps of the mid per √second everywhere; multiply by
  10⁻⁴ · mid for a price per √second, by √seconds for a longer time.
- "The mid at t" is the last one at or before t. It is known at the first best prices
  after t; nothing is carried or differenced across a break of the data (a gap or resync
  of the book, a stopped feed, a crossed quote).
- A figure whose processor is not in the list is an error to read, and says which
  processor gives it. The state of all of them is part of the run's hash.
"""

_SCRIPTS = '''\
## Your own, in a script

`processors = ["imbalance", "volatility", "my_spread.py"]`: a Python file, looked for
like a strategy's (beside the config, in `strategies/`, in your folder). It is trusted
code.

```python
FIGURES = {"my_spread": "bps"}  # the figures it gives: names to units
NEEDS = ["volatility_bps"]  # figures that must come before it; may be left out


def on_quote(figures, quote, context):
    """Best prices that are sound: quote.bid, .bid_size, .ask, .ask_size, .ts_recv."""
    width = 2 * (quote.ask - quote.bid) / (quote.ask + quote.bid) * 10_000
    mean = context.get("mean", width)
    context["mean"] = mean + 0.1 * (width - mean)
    volatility = figures.volatility_bps
    figures.my_spread = None if volatility is None else context["mean"]
```

It defines one or more of `on_quote`, `on_trade` and `on_bar` (a closed bar of any built
timeframe: `bar.timeframe`), called for each event of its symbol, in the order of the
list.

- `figures` reads what the processors before it found at this very tick, and sets its
  own: a finite number, or None. Other names are an error.
- `context` is a dict of its own for each symbol. It persists, and is part of the hash
  with the figures and the script's text; a replay refuses a script that has changed.
- An error names the script's line, is counted, shown and recorded, and makes its
  figures None until it sets them again; `max_errors` of them on one symbol switch it
  off there, with an alert. A call that lasts longer than `[engine] script_budget_ms`
  does so at once. The tick goes on in any case.
- A script is called for every quote and costs more than a shipped processor does.
'''


def markdown() -> str:
    """Return the manual page."""
    default = settings.PipelineSettings().processors
    parts = [
        _INTRODUCTION,
        f"Default: {', '.join(f'`{name}`' for name in default)}.\n",
        *(_section(name) for name in CATALOG),
        _SCRIPTS,
    ]
    return "\n".join(parts)


def _section(name: str) -> str:
    processor = CATALOG[name]
    lines = [
        f"## `{name}`",
        "",
        getdoc(_MODULES[name]) or "",
        "",
        getdoc(processor) or "",
        "",
        "| figure | unit | what it is | None when |",
        "|---|---|---|---|",
        *(_row(figure) for figure in processor.gives),
        "",
        f"Settings in `[pipeline.{name}]`: {_settings(name)}.",
        "",
        f"Source: {_SOURCES[name]}",
        "",
    ]
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    # A bar would end the cell.
    text, none_when = (
        part.replace("|", "\\|") for part in (figure.text, figure.none_when)
    )
    return f"| `{figure.name}` | {figure.unit} | {text} | {none_when} |"


def _settings(name: str) -> str:
    chosen = getattr(settings.PipelineSettings(), name)
    return ", ".join(
        f"`{field.name}` = {_shown(getattr(chosen, field.name))}"
        for field in structs.fields(chosen)
    )


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_shown(each) for each in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    print(markdown(), end="")
