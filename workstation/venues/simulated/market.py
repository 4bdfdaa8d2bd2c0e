"""One simulated symbol: when it quotes, trades, differs and bursts.

The feed keeps markets in a heap by ``due`` and calls ``step`` for the earliest. All
randomness is the symbol's own stream; the common factor is shared and read-only.
"""

from __future__ import annotations

from math import floor, log
from random import Random

from workstation.model.instruments import Instrument
from workstation.model.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    MarketEvent,
    Quote,
    Trade,
)
from workstation.model.timeframes import NS_PER_MS, NS_PER_S, Timeframe
from workstation.venues.simulated.ladder import Ladder
from workstation.venues.simulated.price import Factor, PricePath
from workstation.venues.simulated.settings import SimulatedFeedSettings
from workstation.venues.simulated.shared import FollowedPath, SharedPath

__all__ = ["NEVER", "Market"]

NEVER = 2**63 - 1

# Shape of the market; rates and volatility are settings.
_SPREAD_BPS = 0.25  # mean of what the spread has above one tick, in calm times
_LEVEL_GAP_BPS = 0.6  # mean distance of book levels
_QUOTE_NOTIONAL = 25_000.0  # mean worth of a book level in dollars
_TRADE_NOTIONAL = 2_500.0  # mean worth of a trade in dollars
_FOLLOW_UP = 0.25  # share of events that come at once after another …
_FOLLOW_UP_SPEED = 10.0  # … ten times faster than the mean
_BURST_SPEED = 10.0
_BURST_S = (2.0, 8.0)
_LATENCY_MS = (3.0, 4.0)  # least, and mean of what comes on top
_WORTH = {"BTC": 1 / 61_700, "ETH": 1 / 2_684, "JPY": 147.0}  # of a dollar


class Market:
    """Makes the events of one instrument, in time order."""

    def __init__(
        self,
        settings: SimulatedFeedSettings,
        instrument: Instrument,
        start_price: float,
        rng: Random,
        factor: Factor,
        start_ns: int,
        delay_ns: int = 0,
        shared: SharedPath | None = None,
    ) -> None:
        """Open at ``start_ns``; the first snapshot arrives ``delay_ns`` later.

        With ``shared`` the fair price is that one, as this venue sees it.
        """
        tick, lot = float(instrument.tick_size), float(instrument.lot_size)
        worth = _WORTH.get(instrument.quote, 1.0)
        self._name = instrument.id
        self._rng = rng
        self._random = rng.random
        self._price: PricePath | FollowedPath
        if shared is not None:
            self._price = FollowedPath(rng, shared, start_ns, settings.noise_bps)
        else:
            self._price = PricePath(
                rng,
                factor,
                start_ns,
                start_price / tick,
                settings.volatility_bps,
                settings.correlation,
            )
        per_bps = start_price * 1e-4 / tick
        self._spread_ticks = _SPREAD_BPS * per_bps
        self._trade_lots = _TRADE_NOTIONAL * worth / start_price / lot
        self._book = Ladder(
            rng,
            levels=settings.depth_levels,
            gap_ticks=_LEVEL_GAP_BPS * per_bps,
            mean_lots=_QUOTE_NOTIONAL * worth / start_price / lot,
            tick=_units(instrument.price_decimals, tick),
            lot=_units(instrument.quantity_decimals, lot),
            update_id=rng.randrange(10**9, 10**10),
        )
        self._trade_id = rng.randrange(10**8, 10**9)
        burst_share = settings.bursts_per_hour * sum(_BURST_S) / 2 / 3_600
        calm = 1.0 + (_BURST_SPEED - 1.0) * min(1.0, burst_share)
        # Of all events _FOLLOW_UP come faster; the others wait longer for the mean.
        slow = (1.0 - _FOLLOW_UP / _FOLLOW_UP_SPEED) / (1.0 - _FOLLOW_UP)
        self._quote_wait_ns = NS_PER_S * calm * slow / settings.quotes_per_s
        self._trade_wait_ns = NS_PER_S * calm * slow / settings.trades_per_s
        self._quick = 1.0 / (slow * _FOLLOW_UP_SPEED)
        self._depth_ns = settings.depth_interval_ms * NS_PER_MS
        per_depth = self._depth_ns / NS_PER_S / 3_600
        self._gap_chance = settings.gaps_per_hour * per_depth
        self._burst_chance = settings.bursts_per_hour * per_depth
        self._burst_end = 0
        self._spread = 1
        self._buying = True
        self._last_event_ts = 0
        self._requote(start_ns)
        self._book.drain()  # the first snapshot tells it
        self._sent_id = self._book.update_id
        self._bars = Timeframe.parse(settings.bars) if settings.bars else None
        self._bar_ns = int(self._bars.size) if self._bars else 0
        self._bar: list[float] = []
        self._last_price = 0.0
        self.lost = 0
        first = start_ns + delay_ns
        self._snapshot_due = first
        self._quote_due = first + self._wait(first, self._quote_wait_ns)
        self._trade_due = first + self._wait(first, self._trade_wait_ns)
        self._depth_due = first + 1 + int(self._random() * self._depth_ns)
        self._bar_open = self._bar_due = NEVER
        if self._bar_ns:
            # A bar that began before the market did would be a lie: wait for a whole.
            self._bar_open = -(-start_ns // self._bar_ns) * self._bar_ns
            self._bar_due = self._bar_open + self._bar_ns
        self.due = first

    def step(self) -> MarketEvent | None:
        """Make the event that is due; None where nothing is to be told of it."""
        ts = self.due
        event: MarketEvent | None
        if ts == self._bar_due:
            event = self._close_bar(ts)
        elif ts == self._snapshot_due:
            self._snapshot_due = NEVER
            bids, asks = self._book.whole()
            # Drawn once only: the market must not depend on who asks for a book.
            sent = self._last_event_ts or self._sent(ts)
            event = BookSnapshot(self._name, ts, self._book.update_id, bids, asks, sent)
        elif ts == self._quote_due:
            event = self._quote(ts)
        elif ts == self._trade_due:
            event = self._trade(ts)
        else:
            event = self._difference(ts)
        self.due = self._next_due()
        return event

    @property
    def is_answering(self) -> bool:
        """Tell whether a whole book is on its way."""
        return self._snapshot_due != NEVER

    def answer(self, ts: int) -> None:
        """Send the whole book at ``ts``, to one who asked for it."""
        self._snapshot_due = ts
        self.due = self._next_due()

    def _next_due(self) -> int:
        return min(
            self._quote_due,
            self._trade_due,
            self._depth_due,
            self._snapshot_due,
            self._bar_due,
        )

    def _quote(self, ts: int) -> Quote:
        self._requote(ts)
        self._quote_due = ts + self._wait(ts, self._quote_wait_ns)
        book = self._book
        bid, ask = book.bids[-1], book.asks[-1]
        return Quote(
            self._name,
            ts,
            book.price(bid),
            book.size(book.sizes[bid]),
            book.price(ask),
            book.size(book.sizes[ask]),
            self._sent(ts),
            book.update_id,
        )

    def _requote(self, ts: int) -> None:
        """Put the best prices around the fair one, or change a size at the top."""
        fair = self._price.ticks_at(ts)
        book = self._book
        before = book.update_id
        if self._random() < 0.2 or not book.bids:
            mean = self._spread_ticks * self._price.wildness
            self._spread = 1 + int(-mean * log(1.0 - self._random()))
        elif book.bids[-1] < fair < book.asks[-1]:
            book.refresh(self._random() < 0.5, 0)
            return
        bid = max(1, floor(fair - self._spread / 2))
        if book.bids and bid != book.bids[-1]:
            self._buying = bid > book.bids[-1]
        book.move(bid, bid + self._spread)
        if book.update_id == before:
            book.refresh(self._random() < 0.5, 0)

    def _trade(self, ts: int) -> Trade:
        self._trade_due = ts + self._wait(ts, self._trade_wait_ns)
        # Takers follow the last move in six cases of ten, and one another.
        buys = self._buying if self._random() < 0.6 else self._random() < 0.5
        wanted = 1 + int(-self._trade_lots * log(1.0 - self._random()))
        ticks, lots = self._book.take(not buys, wanted)
        price, size = self._book.price(ticks), self._book.size(lots)
        self._trade_id += 1
        self._last_price = price
        if self._bar_ns and ts >= self._bar_open:
            self._add_to_bar(price, size)
        return Trade(
            self._name,
            ts,
            price,
            size,
            1 if buys else -1,
            self._trade_id,
            self._sent(ts),
        )

    def _difference(self, ts: int) -> BookDelta | None:
        self._depth_due = ts + self._depth_ns
        self._price.evolve(self._depth_ns / NS_PER_S)
        if self._random() < self._burst_chance:
            self._burst_end = ts + int(self._rng.uniform(*_BURST_S) * NS_PER_S)
            self._price.excite(0.15)
            self._quote_due = min(self._quote_due, ts + NS_PER_MS)
            self._trade_due = min(self._trade_due, ts + 2 * NS_PER_MS)
        book = self._book
        first = self._sent_id + 1
        last = self._sent_id = book.update_id
        if first > last:
            return None
        bids, asks = book.drain()
        # Orders come and go below the top; that is the start of the next difference.
        for _ in range(2):
            book.refresh(self._random() < 0.5, 1 + int(12 * self._random()))
        if self._random() < self._gap_chance:
            self.lost += 1
            return None
        return BookDelta(self._name, ts, first, last, bids, asks, self._sent(ts))

    def _add_to_bar(self, price: float, size: float) -> None:
        bar = self._bar
        if not bar:
            self._bar = [price, price, price, price, size, price * size, 1]
            return
        if price > bar[1]:
            bar[1] = price
        elif price < bar[2]:
            bar[2] = price
        bar[3] = price
        bar[4] += size
        bar[5] += price * size
        bar[6] += 1

    def _close_bar(self, ts: int) -> Bar | None:
        """Close the bar; one without trades stands at the last price, if any."""
        assert self._bars is not None
        opened, self._bar_open = self._bar_open, ts
        self._bar_due = ts + self._bar_ns
        bar, self._bar = self._bar, []
        if not bar:
            if not self._last_price:
                return None
            bar = [self._last_price] * 4 + [0.0, 0.0, 0]
        first, high, low, last, volume, turnover, trades = bar
        return Bar(
            self._name,
            ts,
            self._bars,
            opened,
            first,
            high,
            low,
            last,
            volume,
            turnover,
            int(trades),
            ts,
        )

    def _wait(self, ts: int, mean_ns: float) -> int:
        """Return ns to the next event of a kind: bunched, and fast in a burst."""
        if self._random() < _FOLLOW_UP:
            mean_ns *= self._quick
        if ts < self._burst_end:
            mean_ns /= _BURST_SPEED
        return 1 + int(-mean_ns * log(1.0 - self._random()))

    def _sent(self, ts: int) -> int:
        """Return the venue's time of what arrives at ``ts``: whole ms, never back."""
        least, more = _LATENCY_MS
        latency_ms = least - more * log(1.0 - self._random())
        sent = (ts - int(latency_ms * NS_PER_MS)) // NS_PER_MS * NS_PER_MS
        if sent > self._last_event_ts:
            self._last_event_ts = sent
        return self._last_event_ts


def _units(decimals: int, step: float) -> tuple[int, float]:
    scale = 10.0**decimals
    return round(step * scale), scale
