"""Settings of one strategy."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from workstation.model.settings import Name, Settings

__all__ = ["StrategySettings"]


class StrategySettings(Settings, frozen=True):
    """One script on some symbols."""

    name: Name
    script: str
    """File beside the config, in the user's folder, or among the shipped ones."""
    symbols: tuple[str, ...] = ("*",)
    """Symbols or instrument ids; ``*`` means every instrument of the run."""
    timeframe: str = "1m"
    """The script is asked at the close of each bar of this length."""
    params: dict[str, bool | int | float | str] = {}
    """Parameters that the script declares."""
    size_mode: Literal["quantity", "notional", "equity"] = "equity"
    """What ``size`` means: base quantity, quote notional, fraction of equity."""
    size: Annotated[float, Meta(gt=0)] = 0.1
    """Size of an entry that names no quantity itself."""
    close_watch_bars: Annotated[int, Meta(ge=1, le=10_000)] = 10
    """CloseWatch falls back to Watch after this many bars without a commitment."""
    max_errors: Annotated[int, Meta(ge=1, le=1_000)] = 5
    """Script errors in ten minutes that stop the strategy."""
