"""What a script sees: the market of its row, its indicators, its own context.

Made once per row and refreshed before each call, so a call costs no set-up. Nothing
shows a forming bar or the future; between bars only quote and book are newer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from workstation.model.market import Bar
from workstation.model.ports import BarsView, FiguresView, InstrumentView, MarketView
from workstation.model.positions import Position
from workstation.model.timeframes import Timeframe

__all__ = ["Asked", "Indicators", "Market", "PreviousBar"]

# Lines a call may log, and characters of each: a script in a loop must not fill the
# journal, and a line of the log shows no more.
_NOTES = 5
_NOTE_LENGTH = 200
# Points a call may plot, and characters of a series' name: a chart shows no more.
_PLOTS = 16
_PLOT_NAME_LENGTH = 24


class PreviousBar(NamedTuple):
    """The bar before the one that has closed; ``timestamp`` is its open time in ns."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    timestamp: int


def _none() -> int:
    return 0


class Market:
    """Market data of one row at the close of a bar, floats in the quote currency."""

    __slots__ = (
        "_bars",
        "_notes",
        "_plots",
        "bar",
        "count_orders",
        "entry_price",
        "now",
        "params",
        "position",
        "reference",
        "stop",
        "symbol",
        "target",
        "view",
    )

    def __init__(self, symbol: str, view: InstrumentView, bars: BarsView) -> None:
        self.symbol = symbol
        self.view = view
        self._bars = bars
        # Made when a call writes: most never do.
        self._notes: list[str] | None = None
        self._plots: dict[str, float] | None = None
        self.bar: Bar | None = None
        self.now = 0
        self.count_orders: Callable[[], int] = _none
        self.reference = 0.0
        self.params: dict[str, Any] = {}
        self.position = 0.0
        self.entry_price = 0.0
        self.stop: float | None = None
        self.target: float | None = None

    def refresh(self, bar: Bar, now: int, position: Position, *, at_bar: bool) -> None:
        """Set what a call sees; what the last one logged and plotted is forgotten.

        ``reference`` is the price that its answer is judged and sized by: the close at
        the close of a bar, the middle of bid and ask between bars.
        """
        self._notes = self._plots = None
        self.reference = self._bars.close() if at_bar else self.mid_price
        self.bar = bar
        self.now = now
        self.position = float(position.quantity)
        self.entry_price = float(position.average_price)

    def log(self, text: str, *more: str | float | bool | None) -> None:
        """Write one line to the log: 5 lines a call, 200 characters each.

        ``more`` follows with blanks in between. More lines, and blank ones, are left
        out. Raises TypeError for what is no text, or no plain value after it.
        """
        if not isinstance(text, str):
            raise TypeError(f"log takes text, not a {type(text).__name__}")
        for value in more:
            if value is not None and not isinstance(value, str | int | float):
                raise TypeError(
                    f"log takes text, numbers and bools after the first text, not a "
                    f"{type(value).__name__}"
                )
        notes = self._notes
        if notes is None:
            notes = self._notes = []
        if len(notes) < _NOTES:
            whole = " ".join([text, *(str(value) for value in more)])
            line = _plain(whole)[:_NOTE_LENGTH].rstrip()
            if line:
                notes.append(line)

    def plot(self, name: str, value: float | None) -> None:
        """Draw a value at this bar into the chart, as the series ``name``.

        Sixteen names a call, 24 characters each; None draws nothing. Raises TypeError
        or ValueError for what is no finite number, no name, or a name too many.
        """
        if not isinstance(name, str):
            raise TypeError(f"plot takes a name, not a {type(name).__name__}")
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"plot takes a number, not a {type(value).__name__}")
        if not math.isfinite(value):
            raise ValueError(f"plot {name!r}: {value} is not finite")
        name = _plain(name)[:_PLOT_NAME_LENGTH]
        if not name:
            raise ValueError("plot takes a name that can be read")
        plots = self._plots
        if plots is None:
            plots = self._plots = {}
        if name not in plots and len(plots) >= _PLOTS:
            raise ValueError(f"plot {name!r}: a call plots {_PLOTS} names at most")
        plots[name] = float(value)

    @property
    def has_said(self) -> bool:
        """Tell whether the call has logged or plotted anything."""
        return self._notes is not None or self._plots is not None

    def plots(self) -> dict[str, float]:
        """Return what the call has plotted so far."""
        return dict(self._plots or {})

    def notes(self) -> tuple[str, ...]:
        """Return what the call has logged so far."""
        return tuple(self._notes or ())

    @property
    def timestamp(self) -> int:
        """Return the run's clock in ns."""
        return self.now

    @property
    def open(self) -> float:
        """Return the open of the closed bar."""
        return self._bars.open()

    @property
    def high(self) -> float:
        """Return its high."""
        return self._bars.high()

    @property
    def low(self) -> float:
        """Return its low."""
        return self._bars.low()

    @property
    def close(self) -> float:
        """Return its close."""
        return self._bars.close()

    @property
    def volume(self) -> float:
        """Return its volume in base units."""
        return self._bars.volume()

    @property
    def orders(self) -> int:
        """Return how many orders of the row are not final, held ones too."""
        return self.count_orders()

    @property
    def previous(self) -> PreviousBar | None:
        """Return the bar before the closed one; None where there is none."""
        bars = self._bars
        if len(bars) < 2:
            return None
        return PreviousBar(
            bars.open(1),
            bars.high(1),
            bars.low(1),
            bars.close(1),
            bars.volume(1),
            bars.ts_open(1),
        )

    @property
    def bid(self) -> float:
        """Return the best bid, or the close where there are no quotes."""
        return self.view.bid or self._bars.close()

    @property
    def ask(self) -> float:
        """Return the best ask, or the close where there are no quotes."""
        return self.view.ask or self._bars.close()

    @property
    def mid_price(self) -> float:
        """Return the middle of bid and ask."""
        return (self.bid + self.ask) / 2

    @property
    def bid_size(self) -> float:
        """Return the size at the best bid in base units; 0.0 where it is not known."""
        return self.view.bid_size

    @property
    def ask_size(self) -> float:
        """Return the size at the best ask in base units; 0.0 where it is not known."""
        return self.view.ask_size

    @property
    def spread_bps(self) -> float | None:
        """Return the spread in bps of the middle; None where there are no quotes."""
        bid, ask = self.view.bid, self.view.ask
        if not (bid > 0 and ask > 0):
            return None
        return (ask - bid) / ((bid + ask) / 2) * 10_000

    def bars(self) -> int:
        """Return how many closed bars are known."""
        return len(self._bars)

    def closes(self, back: int) -> float:
        """Return the close ``back`` bars ago; raises IndexError where none is kept."""
        bars = self._bars
        if not 0 <= back < len(bars):
            raise IndexError(
                f"market.closes({back}): the bars are 0 to {len(bars) - 1}; "
                "market.bars() tells how many there are"
            )
        return bars.close(back)

    def highest(self, n: int, back: int = 0) -> float | None:
        """Return the highest high of n bars ending ``back`` bars ago."""
        return self._bars.highest(n, back)

    def lowest(self, n: int, back: int = 0) -> float | None:
        """Return the lowest low of n bars ending ``back`` bars ago."""
        return self._bars.lowest(n, back)

    def average_volume(self, n: int, back: int = 0) -> float | None:
        """Return the mean volume of n bars ending ``back`` bars ago."""
        return self._bars.average_volume(n, back)

    @property
    def figures(self) -> FiguresView:
        """Return what the chain of processors says, such as ``volatility_bps``."""
        return self.view.figures

    def imbalance(self, n: int = 5) -> float | None:
        """Return (bids − asks)/(bids + asks) of the n best sizes, or None."""
        book = self.view.book
        return None if book is None else book.imbalance(n)


def _plain(text: str) -> str:
    """Return one line that any screen and file can hold: no control characters."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(shown.split())


Value = float | tuple[float, ...] | None
Asked = tuple[
    str, tuple[int | float | str, ...], tuple[tuple[str, int | float | str], ...]
]
"""One request of a script: the indicator, its parameters by place and by name."""


class Indicators:
    """Indicators of one row by registry name: ``indicators.ema(10)``.

    One output gives a float, several a tuple; None before the first value, NaN for
    an output that begins later than the others.
    ``back=1`` is the value at the bar before.
    """

    def __init__(
        self,
        market: MarketView,
        instrument: str,
        timeframe: Timeframe,
        order_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        self._market = market
        self._instrument = instrument
        self._timeframe = timeframe
        self._order_of = order_of
        # Made with the first request: a script may ask for none.
        self._views: dict[Asked, Any] | None = None

    def __getattr__(self, name: str) -> Callable[..., Value]:
        """Return the function of a registered indicator."""
        if name.startswith("_"):
            raise AttributeError(name)
        names = self._order_of(name)

        def value(*values: float | str, back: int = 0, **params: float | str) -> Value:
            return self._value((name, values, tuple(params.items())), names, back)

        # Kept on the instance: the next use of the name does not come here.
        self.__dict__[name] = value
        return value

    def __len__(self) -> int:
        """Return for how many different indicators was asked so far."""
        return len(self._views or ())

    def asked(self) -> tuple[Asked, ...]:
        """Return what was asked for so far, in order: each is part of the state."""
        return tuple(self._views or ())

    def ask_again(self, asked: tuple[Asked, ...]) -> None:
        """Ask for what an interrupted call had asked for."""
        for key in asked:
            self._view(key, self._order_of(key[0]))

    def _view(self, key: Asked, names: tuple[str, ...]) -> Any:
        name, values, params = key
        if len(values) > len(names):
            raise TypeError(
                f"{name}{values} has {len(values)} parameters; it takes "
                f"{', '.join(names)}"
            )
        named = dict(zip(names, values, strict=False)) | dict(params)
        view = self._market.indicator(self._instrument, self._timeframe, name, **named)
        if self._views is None:
            self._views = {}
        self._views[key] = view
        return view

    def _value(self, key: Asked, names: tuple[str, ...], back: int) -> Value:
        view = None if self._views is None else self._views.get(key)
        if view is None:
            view = self._view(key, names)
        if back not in (0, 1):
            raise ValueError(f"back = {back}: 0 is this bar, 1 the one before")
        outputs: tuple[float, ...] | None = view.previous if back else view.value
        if outputs is None or len(outputs) != 1:
            return outputs
        return outputs[0]
