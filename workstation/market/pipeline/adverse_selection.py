"""Adverse selection: how far the mid moves against us once we are filled.

Own fills are marked at several horizons; a horizon is reached at the first best prices
after it and takes the mid before them. Until own fills say enough, the makers of public
trades stand in for us: the same formula with the side opposite to the aggressor's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from heapq import heappop, heappush
from typing import TYPE_CHECKING, ClassVar

from workstation.market.pipeline.figures import Figure
from workstation.market.pipeline.markouts import Marked, SideMarkouts, side_markouts
from workstation.market.pipeline.mids import NEVER, Mids
from workstation.market.pipeline.processor import Ground, Shipped
from workstation.market.pipeline.settings import AdverseSelectionSettings
from workstation.model.instruments import Side
from workstation.model.market import Trade
from workstation.model.orders import Fill
from workstation.model.timeframes import NS_PER_S

if TYPE_CHECKING:
    from workstation.market.live import LiveInstrument

__all__ = ["AdverseSelection", "Belief"]

_BPS = 10_000.0
_NO_FILLS: Mapping[int, tuple[float, int]] = {+1: (0.0, 0), -1: (0.0, 0)}
_PUBLIC_PENDING = 20_000
"""Public trades that wait for their horizon: 4,000 a second at 5 s; no more."""


class Belief:
    """A mean over about the last ``memory`` moves of one side, shrunk towards zero."""

    __slots__ = ("_kept", "count", "sum")

    def __init__(self, memory: int) -> None:
        self._kept = 1.0 - 1.0 / memory
        self.count = 0.0
        self.sum = 0.0

    def take(self, move: float) -> None:
        """Take a move in bps."""
        self.count = self.count * self._kept + 1.0
        self.sum = self.sum * self._kept + move


class AdverseSelection(Shipped):
    """Expected adverse move after a fill, in bps of its price, never below 0.

    ε̂ = (Σ own + n₀·p)/(n + n₀): n own resting fills, n₀ = `shrinkage`, and p what the
    makers of public trades met, shrunk the same way (0 without ``public_trades``, which
    leaves n/(n + n₀) · own mean). Fills that took liquidity are marked but not counted.
    """

    __slots__ = (
        "_both",
        "_fills",
        "_horizon",
        "_horizon_ns",
        "_is_old",
        "_known",
        "_last",
        "_mids",
        "_number",
        "_pending",
        "_public",
        "_public_pending",
        "_settings",
        "unmarked",
    )

    name = "adverse_selection"
    gives: ClassVar[tuple[Figure, ...]] = (
        Figure(
            "adverse_selection",
            "bps",
            "expected move of the mid against us within `horizon_s` after a resting "
            "fill of either side, shrunk, ≥ 0",
            "no fill and no public trade has reached the horizon",
            lasting=True,
        ),
        Figure(
            "adverse_bid",
            "bps",
            "the same for our buys: the mid falls",
            "as above",
            lasting=True,
        ),
        Figure(
            "adverse_ask",
            "bps",
            "the same for our sells: the mid rises",
            "as above",
            lasting=True,
        ),
        Figure(
            "adverse_fills",
            "fills",
            "own resting fills behind these figures; 0: they are an estimate from "
            "public trades alone",
            "never",
            lasting=True,
        ),
    )

    def __init__(self, settings: AdverseSelectionSettings) -> None:
        self._settings = settings
        self._horizon = settings.horizons_s.index(settings.horizon_s)
        self._horizon_ns = round(settings.horizon_s * NS_PER_S)
        self._mids: Mids
        self.unmarked = 0
        """Own fills at which no mid was known."""
        self._fills: deque[Marked] | None = None
        # (due, number, horizon, fill): the number orders what is due at one time.
        self._pending: list[tuple[int, int, int, Marked]] | None = None
        # (due, our side, mid, price) of public trades, in order of time.
        self._public_pending: deque[tuple[int, int, float, float]] | None = None
        # By side, until the first trade none: thousands of symbols have no fill.
        self._public: dict[int, Belief] | None = None
        # Time and aggressor of the last public trade: a sweep is one market order.
        self._last = (-1, 0)
        self._number = 0
        # Σ and n of own resting fills by side, until another horizon is reached.
        self._known: Mapping[int, tuple[float, int]] | None = _NO_FILLS
        # What is said of both sides, until a move is learnt: it is told more often.
        self._both: float | None = None
        self._is_old = False

    def attach(self, ground: Ground) -> None:
        """Hear own fills, public trades and the mids at their horizons."""
        live = ground.live
        self._mids = ground.mids
        self._mids.attach(live)
        self._mids.join(self)
        live.fill_watchers = (*live.fill_watchers, self._on_fill)
        if self._settings.public_trades:
            live.trade_watchers = (*live.trade_watchers, self._on_trade)

    # --- what is heard -------------------------------------------------------------

    def _on_fill(self, live: LiveInstrument, fill: Fill) -> None:
        mid = self._mids.mid
        if not mid:
            self.unmarked += 1
            return
        horizons_s = self._settings.horizons_s
        marked = Marked(
            fill.ts / NS_PER_S,
            1 if fill.side is Side.BUY else -1,
            float(fill.price),
            mid,
            horizons=len(horizons_s),
            is_maker=fill.maker,
        )
        if self._fills is None or self._pending is None:
            self._fills = deque(maxlen=self._settings.fills)
            self._pending = []
        self._fills.append(marked)
        self._known = None
        self._is_old = True
        for index, horizon_s in enumerate(horizons_s):
            due = fill.ts + round(horizon_s * NS_PER_S)
            heappush(self._pending, (due, self._number, index, marked))
            self._number += 1
            self._mids.want(due)

    def _on_trade(self, live: LiveInstrument, trade: Trade) -> None:
        mid = self._mids.mid
        if not mid:
            # A feed of trades alone has none: this is called for each of them.
            return
        aggressor = trade.aggressor
        ts = trade.ts_recv
        if not aggressor or (ts, aggressor) == self._last:
            return
        if not trade.price > 0.0:
            return
        self._last = (ts, aggressor)
        pending = self._public_pending
        if pending is None:
            pending = self._public_pending = deque()
            self._public = {side: Belief(self._settings.fills) for side in (+1, -1)}
        if len(pending) < _PUBLIC_PENDING:
            due = ts + self._horizon_ns
            pending.append((due, -aggressor, mid, trade.price))
            self._mids.want(due)

    def wake(self, ts: int, mid: float) -> int:
        """Mark what was due before ``ts`` with the mid that held until then.

        0.0 as mid: those horizons fell into a break and are never known.
        """
        pending = self._pending
        while pending and pending[0][0] < ts:
            _, _, horizon, marked = heappop(pending)
            if mid:
                marked.mids[horizon] = mid
                self._known = None
                self._is_old = True
        due = pending[0][0] if pending else NEVER
        public = self._public_pending
        if public:
            beliefs = self._public
            while public and public[0][0] < ts:
                _, side, before, price = public.popleft()
                if mid and beliefs is not None:
                    beliefs[side].take(-side * (mid - before) / price * _BPS)
                    self._is_old = True
            if public and public[0][0] < due:
                due = public[0][0]
        return due

    # --- what is said --------------------------------------------------------------

    @property
    def adverse_selection(self) -> float | None:
        """Return the expected adverse move of both sides together, in bps, ≥ 0."""
        if self._is_old:
            self._is_old = False
            self._both = self._expected(+1, -1)
        return self._both

    @property
    def adverse_bid(self) -> float | None:
        """Return it for our buys, in bps, ≥ 0."""
        return self._expected(+1)

    @property
    def adverse_ask(self) -> float | None:
        """Return it for our sells, in bps, ≥ 0."""
        return self._expected(-1)

    @property
    def adverse_fills(self) -> float:
        """Return how many own resting fills have reached the horizon."""
        return float(sum(count for _, count in self._own().values()))

    def markouts(self, *, makers: bool = True) -> tuple[SideMarkouts, ...]:
        """Return the own fills' figures per horizon and side, buys first.

        Of resting fills, or of those that took liquidity.
        """
        fills = [fill for fill in self._fills or () if fill.is_maker == makers]
        return tuple(
            side_markouts(fills, side, index, horizon_s)
            for index, horizon_s in enumerate(self._settings.horizons_s)
            for side in (+1, -1)
        )

    def pending(self) -> int:
        """Return how many horizons of own fills lie ahead."""
        return len(self._pending or ())

    def _own(self) -> Mapping[int, tuple[float, int]]:
        if self._known is None:
            known = dict(_NO_FILLS)
            for fill in self._fills or ():
                move = fill.adverse_bps(self._horizon)
                if move is not None and fill.is_maker:
                    total, count = known[fill.side]
                    known[fill.side] = (total + move, count + 1)
            self._known = known
        return self._known

    def _expected(self, *sides: int) -> float | None:
        own = self._own()
        total = sum(own[side][0] for side in sides)
        count = sum(own[side][1] for side in sides)
        beliefs = [] if self._public is None else [self._public[s] for s in sides]
        seen = sum(belief.count for belief in beliefs)
        if not count and not seen:
            return None
        prior = self._settings.shrinkage
        believed = 0.0
        if seen:
            believed = sum(belief.sum for belief in beliefs) / (seen + prior)
        if count + prior > 0.0:
            believed = (total + prior * believed) / (count + prior)
        return max(0.0, believed)

    def digest(self) -> tuple[object, ...]:
        """Return the whole state for the state hash."""
        return (
            [fill.digest() for fill in self._fills or ()],
            sorted((due, n, index) for due, n, index, _ in self._pending or ()),
            list(self._public_pending or ()),
            [(each.count, each.sum) for each in (self._public or {}).values()],
            (self._last, self.unmarked),
        )
