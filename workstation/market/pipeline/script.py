"""A user's script as a processor: its figures, its functions, what becomes of errors.

A script is loaded by the engine, which also passes in how its functions are called
(within their time budget). An error is counted and told, and makes its figures unknown;
too many switch the script off for that instrument. It never reaches the tick.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from workstation.market.pipeline.figures import Figure, Figures
from workstation.market.pipeline.processor import Ground
from workstation.model.errors import ScriptError, ScriptTimeout
from workstation.model.market import Bar, Quote, Trade
from workstation.model.plain import plain

if TYPE_CHECKING:
    from workstation.market.live import LiveInstrument

__all__ = [
    "FUNCTIONS",
    "OwnFigures",
    "ProcessorFault",
    "ProcessorScript",
    "ScriptCall",
    "ScriptProcessor",
]

FUNCTIONS = ("on_quote", "on_trade", "on_bar")
# Any: what a script returns is not looked at.
ScriptFunction = Callable[..., Any]


class ProcessorScript(Struct, frozen=True, kw_only=True):
    """A loaded script: ``needs`` are figures that must come before it in the chain."""

    name: str
    path: str
    hash: str
    gives: tuple[Figure, ...]
    needs: tuple[str, ...] = ()
    on_quote: ScriptFunction | None = None
    on_trade: ScriptFunction | None = None
    on_bar: ScriptFunction | None = None


class ScriptCall(Protocol):
    """Calls a script's function within its time budget."""

    def __call__(
        self,
        call: str,
        instrument: str,
        function: ScriptFunction,
        arguments: tuple[object, ...],
    ) -> object:
        """Return what it returns; raises ScriptError or ScriptTimeout.

        ``call`` names this one call: no other of the run has the same.
        """


class ProcessorFault(Protocol):
    """Hears of a script's error, and whether that was the last."""

    def __call__(
        self, script: str, instrument: str, error: ScriptError, *, off: bool
    ) -> None:
        """Make it a counted, visible fault."""


class OwnFigures:
    """What a script's function gets: figures before it to read, its own to set."""

    __slots__ = ("_figures", "_values")

    def __init__(self, figures: Figures, values: dict[str, float | None]) -> None:
        object.__setattr__(self, "_figures", figures)
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str) -> float | None:
        """Return a figure; None = not known."""
        values: dict[str, float | None] = object.__getattribute__(self, "_values")
        if name in values:
            return values[name]
        figures: Figures = object.__getattribute__(self, "_figures")
        found: float | None = getattr(figures, name)
        return found

    def __setattr__(self, name: str, value: float | None) -> None:
        """Set one of the script's own figures to a finite number or None."""
        values: dict[str, float | None] = object.__getattribute__(self, "_values")
        if name not in values:
            own = ", ".join(values)
            raise AttributeError(f"{name} is not in FIGURES; this script sets: {own}")
        if value is not None:
            if isinstance(value, bool) or not isinstance(value, int | float):
                kind = type(value).__name__
                raise TypeError(f"{name} must be a number or None, not a {kind}")
            value = float(value)
            if not math.isfinite(value):
                raise ValueError(f"{name} = {value} must be finite; None = not known")
        values[name] = value


class ScriptProcessor:
    """One script on one instrument; its context is its own and part of the hash."""

    def __init__(
        self,
        script: ProcessorScript,
        call: ScriptCall,
        fault: ProcessorFault,
        *,
        max_errors: int,
    ) -> None:
        self.name = script.name
        self.errors = 0
        self.off = False
        self.context: dict[str, Any] = {}
        self._script = script
        self._call = call
        self._fault = fault
        self._max_errors = max_errors
        self._calls = 0
        self._instrument = ""
        self._values: dict[str, float | None] = {
            figure.name: None for figure in script.gives
        }
        self._figures: OwnFigures

    def attach(self, ground: Ground) -> None:
        """Watch what the script has functions for."""
        live = ground.live
        self._instrument = live.instrument
        self._figures = OwnFigures(ground.figures, self._values)
        script = self._script
        if script.on_quote is not None:
            live.top_watchers = (*live.top_watchers, self._on_top)
        if script.on_trade is not None:
            live.trade_watchers = (*live.trade_watchers, self._on_trade)
        if script.on_bar is not None:
            live.bar_watchers = (*live.bar_watchers, self._on_bar)

    def value(self, name: str) -> float | None:
        """Return one of its figures."""
        return self._values[name]

    def _on_top(self, live: LiveInstrument, ts: int) -> None:
        if self.off or not 0.0 < live.bid <= live.ask:
            return
        quote = Quote(
            live.instrument, ts, live.bid, live.bid_size, live.ask, live.ask_size
        )
        self._ask(self._script.on_quote, quote)

    def _on_trade(self, live: LiveInstrument, trade: Trade) -> None:
        if not self.off:
            self._ask(self._script.on_trade, trade)

    def _on_bar(self, live: LiveInstrument, bar: Bar) -> None:
        if not self.off:
            self._ask(self._script.on_bar, bar)

    def _ask(self, function: ScriptFunction | None, event: object) -> None:
        assert function is not None
        self._calls += 1
        call = f"{self.name}#{self._calls}"
        try:
            self._call(
                call, self._instrument, function, (self._figures, event, self.context)
            )
        except ScriptError as error:  # the edge of the script: a visible fault
            self._failed(error)

    def _failed(self, error: ScriptError) -> None:
        self.errors += 1
        for name in self._values:
            self._values[name] = None
        # What a half-finished call left could not be had again by a replay.
        runaway = isinstance(error, ScriptTimeout)
        if runaway:
            self.context.clear()
        self.off = runaway or self.errors >= self._max_errors
        self._fault(self.name, self._instrument, error, off=self.off)

    def digest(self) -> tuple[object, ...]:
        """Return the whole state for the state hash."""
        return (
            self._script.hash,
            list(self._values.items()),
            plain(self.context),
            (self._calls, self.errors, self.off),
        )
