"""Settings of one strategy."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from workstation.model.settings import Name, Settings
from workstation.model.states import SymbolState
from workstation.strategy.actions import SizeMode

__all__ = ["AskSettings", "StrategySettings"]

# Bound once: looking a member up in its enum costs ten times a global (3.11).
_WATCH, _CLOSE_WATCH = SymbolState.WATCH, SymbolState.CLOSE_WATCH

Occasion = Literal["bar", "event"]
ParamValue = bool | int | float | str


class AskSettings(Settings, frozen=True, kw_only=True):
    """On what occasion a row asks its script, by the state it is in.

    ``bar`` is the close of a bar of the strategy's timeframe, ``event`` is that and
    every quote and trade. A row that asks at bars pays nothing for what is between.
    """

    watch: Occasion = "bar"
    """In Watch."""
    close_watch: Occasion = "bar"
    """In CloseWatch; whatever it is, ``close_watch_bars`` counts bars."""
    in_trade: Occasion = "bar"
    """In InTrade; stops and targets are met at every event, also without the script."""
    watch_bars: Annotated[int, Meta(ge=1, le=10_000)] = 1
    """In Watch at bars: only at each so-many-th of them."""
    event_ms: Annotated[int, Meta(ge=0, le=3_600_000)] = 0
    """Least time between two events that are asked about, of the run's clock."""

    def occasion(self, state: SymbolState) -> Occasion:
        """Return on what occasion a row in this state asks."""
        if state is _WATCH:
            return self.watch
        if state is _CLOSE_WATCH:
            return self.close_watch
        return self.in_trade


class StrategySettings(Settings, frozen=True):
    """One script on some symbols."""

    name: Name
    script: str
    """File beside the config, in the user's folder, or among the shipped ones."""
    symbols: tuple[str, ...] = ("*",)
    """Symbols or instrument ids; ``*`` means every instrument of the run."""
    timeframe: str = "1m"
    """The script is asked at the close of each bar of this length."""
    ask: AskSettings = AskSettings()
    """Where a state is to be asked about more, or less, often than each bar."""
    params: dict[str, ParamValue] = {}
    """Parameters that the script declares."""
    symbol_params: dict[str, dict[str, ParamValue]] = {}
    """Parameters of single symbols, over ``params``: a table for each of them."""
    size_mode: SizeMode = "equity"
    """What ``size`` means: base quantity, quote notional, fraction of equity, or
    fraction of equity that is lost at the entry's stop."""
    size: Annotated[float, Meta(gt=0)] = 0.1
    """Size of an entry that names none itself."""
    close_watch_bars: Annotated[int, Meta(ge=1, le=10_000)] = 10
    """CloseWatch falls back to Watch after this many bars without a commitment."""
    close_watch_s: Annotated[float, Meta(gt=0, le=31_536_000)] | None = None
    """It also does so after this many seconds of the run's clock; none = never."""
    untrusted: Literal["watch", "keep"] = "watch"
    """What CloseWatch does when the market data breaks: fall back to Watch, or stay."""
    max_errors: Annotated[int, Meta(ge=1, le=1_000)] = 5
    """Script errors in ten minutes that stop the strategy."""

    def params_of(self, *names: str) -> dict[str, ParamValue]:
        """Return the parameters of the symbol, and instrument id, of these names."""
        found = dict(self.params)
        for name in names:
            found |= self.symbol_params.get(name, {})
        return found
