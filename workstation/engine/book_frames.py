"""The order book of one symbol as a frame shows it: levels, trust, own orders.

Called by ``FrameSource`` between two inputs; it only reads. Levels may be gathered into
coarser price steps: bids round down, asks up, so a step never looks better than it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from workstation.engine.engine import Engine
from workstation.engine.figures import age, spread_bps
from workstation.engine.frames import BookFrame, Focus, OwnLevel
from workstation.execution.executor import Executor
from workstation.market.aggregator import Aggregator
from workstation.market.book import Book
from workstation.model.instruments import Instrument
from workstation.model.market import Level
from workstation.model.orders import OrderStatus
from workstation.model.states import BookTrust

__all__ = ["IMBALANCE_LEVELS", "BookFrames", "gathered"]

IMBALANCE_LEVELS = 5
_MOST_LEVELS = 4_096
"""Levels looked at for coarse steps: the depth that Binance sends, 0.4 ms."""

Sides = tuple[tuple[Level, ...], tuple[Level, ...]]


class BookFrames:
    """Books of one session."""

    def __init__(
        self,
        engine: Engine,
        aggregator: Aggregator,
        executor: Executor,
        instruments: Mapping[str, Instrument],
    ) -> None:
        self._engine = engine
        self._aggregator = aggregator
        self._executor = executor
        self._instruments = instruments
        self._coarse: tuple[object, Sides] = (None, ((), ()))

    def book(self, focus: Focus, remedy: str = "") -> BookFrame | None:
        """Return the focused book, or None where the feed brings none.

        ``remedy`` is what the alerts say will mend it.
        """
        view = self._aggregator.instrument(focus.instrument)
        book = view.book
        if book is None:
            return None
        instrument = self._instruments[focus.instrument]
        now = self._engine.core.ts
        why = self._aggregator.distrust(focus.instrument, now)
        bids, asks = self._levels(book, focus, instrument)
        bid, ask = book.best_bid(), book.best_ask()
        return BookFrame(
            instrument=instrument.id,
            symbol=instrument.id,
            decimals=instrument.price_decimals,
            quantity_decimals=instrument.quantity_decimals,
            trust=book.trust,
            reason=book.reason,
            distrust=why,
            distrust_ns=None if why is None else self._since(focus.instrument, book),
            remedy=remedy,
            tick=float(instrument.tick_size),
            group=focus.group,
            bids=bids,
            asks=asks,
            spread=None if bid is None or ask is None else ask[0] - bid[0],
            # Of the book, not of a newer ticker: the two must agree with each other.
            spread_bps=None
            if bid is None or ask is None
            else spread_bps(bid[0], ask[0]),
            imbalance=book.imbalance(IMBALANCE_LEVELS),
            microprice=book.microprice(),
            applied=book.applied,
            gaps=book.gaps,
            mine=self._mine(focus.instrument),
        )

    def _levels(self, book: Book, focus: Focus, instrument: Instrument) -> Sides:
        if focus.group == 1:
            return tuple(book.bids(focus.levels)), tuple(book.asks(focus.levels))
        # Of the object too: a run that begins again has other books.
        state = (id(book), book.update_id, book.applied, focus.group, focus.levels)
        if self._coarse[0] != state:
            tick = float(instrument.tick_size)
            most, group = focus.levels, focus.group
            self._coarse = (
                state,
                (
                    gathered(book.bids(_MOST_LEVELS), tick, group, most, up=False),
                    gathered(book.asks(_MOST_LEVELS), tick, group, most, up=True),
                ),
            )
        return self._coarse[1]

    def _since(self, instrument: str, book: Book) -> int | None:
        """Return for how long it has not been trusted, as far as is known."""
        now = self._engine.core.ts
        if book.trust is not BookTrust.TRUSTED:
            for entry in reversed(self._aggregator.gap_ledger()):
                if entry.instrument == instrument:
                    return age(entry.when_ns, now) if entry.until_ns is None else None
            return None
        view = self._aggregator.instrument(instrument)
        return age(view.quote_ns or view.ts_recv, now)

    def _mine(self, instrument: str) -> tuple[OwnLevel, ...]:
        """Return own working orders by price, side and where they are, best first."""
        sums: dict[tuple[float, int, bool], float] = {}
        for tracked in self._executor.desk.orders.open_in(instrument):
            order = tracked.order
            waits = order.is_untriggered or order.price is None
            at = order.trigger if waits else order.price
            if at is None:
                continue
            held = order.status is OrderStatus.HELD
            key = (float(at), order.side.sign, held)
            sums[key] = sums.get(key, 0.0) + float(order.quantity - order.filled)
        return tuple(
            OwnLevel(price=at, side=side, quantity=left, held=held)
            for (at, side, held), left in sorted(sums.items(), reverse=True)
        )


def gathered(
    levels: Iterable[Level], tick: float, group: int, most: int, *, up: bool
) -> tuple[Level, ...]:
    """Return the ``most`` best steps of ``group`` ticks, from levels best first.

    The last step is left out when levels end by the count looked at, as it may lack
    some; a side that is known to its end keeps it.
    """
    sums: dict[int, float] = {}
    count = 0
    for at, size in levels:
        count += 1
        place = round(at / tick)
        step = -(-place // group) if up else place // group
        if step in sums:
            sums[step] += size
        elif len(sums) == most + 1:
            break
        else:
            sums[step] = size
    kept = len(sums) - 1 if count >= _MOST_LEVELS else len(sums)
    # Back by whole ticks: a product of floats would not print as the price it is.
    digits = max(0, len(f"{tick:.12f}".rstrip("0").partition(".")[2]))
    return tuple(
        (round(step * group * tick, digits), size)
        for step, size in islice(sums.items(), min(kept, most))
    )
