"""The opportunity detector: edges between the venues of a market, and wide spreads.

The Aggregator tells it of each confirmed change of best prices and of lost trust; it
emits ``OpportunityFound`` and ``OpportunityClosed``, records and publishes both, and
trades nothing. A quote costs as many float tests as its market has other venues.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial

from workstation.market.errors import MissingFees
from workstation.market.live import LiveInstrument, TopWatcher
from workstation.market.pairs import Leg, Offer, Pair
from workstation.market.settings import OpportunitySettings
from workstation.model.events import OpportunityClosed, OpportunityFound
from workstation.model.fees import VenueFees
from workstation.model.instruments import Instrument
from workstation.model.opportunities import Opportunity, OpportunityEnd, OpportunityKind
from workstation.model.ports import Core
from workstation.model.records import OpportunityRecord
from workstation.model.timeframes import NS_PER_MS, NS_PER_S

__all__ = ["OpportunityDetector"]

_Why = tuple[OpportunityEnd, str]


class OpportunityDetector:
    """Watch the instruments of a run for edges that are left after all fees.

    ``fees`` are by venue. Prices in different currencies are compared only where all
    are in ``equal_currencies``; ``apart`` says which are not, and why.
    """

    def __init__(
        self,
        settings: OpportunitySettings,
        instruments: Sequence[Instrument],
        fees: Mapping[str, VenueFees],
        equal_currencies: Collection[str] = (),
    ) -> None:
        self.settings = settings
        self.pairs: tuple[Pair, ...] = ()
        """Every ordered pair that is watched, in the order of the instruments."""
        self.apart: tuple[str, ...] = ()
        """Why instruments of one market are not compared, a sentence each."""
        self.found = 0
        self._instruments = tuple(instruments)
        self._fees = fees
        self._equal = frozenset(equal_currencies)
        self._by_instrument: dict[str, tuple[Pair, ...]] = {}
        self._limit_ns = 0
        self._cooldown_ns = settings.cooldown_ms * NS_PER_MS
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def watch(self, live: Mapping[str, LiveInstrument], stale_ns: int) -> None:
        """Follow these instruments; quotes older than ``stale_ns`` never count.

        Raises MissingFees for a venue whose fees nobody has given.
        """
        self._limit_ns = min(self.settings.max_age_ms * NS_PER_MS, stale_ns)
        if not self.settings.enabled:
            return
        legs = [
            Leg(each, live[each.id], self._taker_fee(each.venue))
            for each in self._instruments
        ]
        self.pairs = (*self._crossings(legs), *self._spreads(legs))
        for leg in legs:
            mine = [pair for pair in self.pairs if leg in (pair.buy, pair.sell)]
            self._by_instrument[leg.instrument.id] = tuple(mine)
            watchers: list[TopWatcher] = [
                partial(self._on_spread, pair) for pair in mine if pair.is_spread
            ]
            crossings = tuple(pair for pair in mine if not pair.is_spread)
            if crossings:
                watchers.append(partial(self._on_top, crossings))
            if mine:
                leg.live.top_watchers = (*leg.live.top_watchers, *watchers)
                leg.live.break_watchers = (*leg.live.break_watchers, self._on_break)

    @property
    def markets(self) -> int:
        """Return how many markets have two venues or more that are compared."""
        return len({pair.market for pair in self.pairs if not pair.is_spread})

    def digest(self) -> object:
        """Return the whole state for the state hash."""
        return self.found, [pair.digest() for pair in self.pairs]

    # --- pairs ---------------------------------------------------------------------

    def _crossings(self, legs: Sequence[Leg]) -> Iterator[Pair]:
        """Yield both directions between all venues of each market."""
        apart: dict[str, None] = {}
        for place, one in enumerate(legs):
            for other in legs[place + 1 :]:
                market = one.instrument.common_symbol
                if market != other.instrument.common_symbol:
                    continue
                if one.instrument.venue == other.instrument.venue:
                    continue
                if not self._same_money(one.instrument, other.instrument):
                    apart[_apart(market, one.instrument, other.instrument)] = None
                    continue
                for buy, sell in ((one, other), (other, one)):
                    yield Pair(
                        OpportunityKind.ARBITRAGE,
                        market,
                        buy,
                        sell,
                        self.settings.min_edge_bps,
                        self.settings.min_notional,
                    )
        self.apart = tuple(apart)

    def _spreads(self, legs: Sequence[Leg]) -> Iterator[Pair]:
        least = self.settings.wide_spread_bps
        for leg in legs if least is not None else ():
            yield Pair(
                OpportunityKind.WIDE_SPREAD,
                leg.instrument.common_symbol,
                leg,
                leg,
                least or 0.0,
                self.settings.min_notional,
            )

    def _taker_fee(self, venue: str) -> Decimal:
        fees = self._fees.get(venue)
        if fees is None:
            raise MissingFees(venue, self._fees)
        return fees.taker

    def _same_money(self, one: Instrument, other: Instrument) -> bool:
        return one.quote == other.quote or {one.quote, other.quote} <= self._equal

    # --- the hot path --------------------------------------------------------------

    def _on_top(self, pairs: tuple[Pair, ...], live: LiveInstrument, ts: int) -> None:
        for pair in pairs:
            if (
                pair.sell_live.bid >= pair.buy_live.ask * pair.ratio
                or pair.opportunity is not None
            ):
                self._look(pair)

    def _on_spread(self, pair: Pair, live: LiveInstrument, ts: int) -> None:
        if live.ask >= live.bid * pair.ratio or pair.opportunity is not None:
            self._look(pair)

    def _on_break(self, live: LiveInstrument) -> None:
        """Close what rests on an instrument that has just lost its trust."""
        for pair in self._by_instrument[live.instrument]:
            if pair.opportunity is not None:
                self._look(pair)

    # --- a life --------------------------------------------------------------------

    def _look(self, pair: Pair) -> None:
        """Open, update or close what the figures of now say."""
        now = self._core.ts
        is_open = pair.opportunity is not None
        if not is_open and now < pair.ready_ns:
            return
        why = self._fault(pair, now)
        if why is None:
            if is_open and pair.figures() == pair.shown:
                return
            offer = pair.offer()
            end = pair.refusal(offer)
            if end is None:
                self._show(pair, offer, now)
                return
            why = (end, "")
        if is_open:
            self._close(pair, now, *why)

    def _fault(self, pair: Pair, now: int) -> _Why | None:
        """Return why these quotes are not to be compared, or None."""
        limit = self._limit_ns
        for leg in (pair.buy, pair.sell):
            live = leg.live
            age = now - live.quote_ns
            if age > limit:
                text = f"quote {age / NS_PER_S:.1f} s old"
                return OpportunityEnd.STALE, f"{live.instrument}: {text}"
            reason = live.distrust(now, limit)
            if reason is not None:
                return OpportunityEnd.DISTRUSTED, f"{live.instrument}: {reason}"
        return None

    def _show(self, pair: Pair, offer: Offer, now: int) -> None:
        before = pair.opportunity
        if before is None:
            self.found += 1
            pair.seen += 1
        net_bps = offer.bps(offer.gross - offer.fees)
        opportunity = pair.opportunity = Opportunity(
            number=self.found if before is None else before.number,
            kind=pair.kind,
            market=pair.market,
            buy=pair.buy.instrument.id,
            sell=pair.sell.instrument.id,
            buy_price=offer.buy_price,
            sell_price=offer.sell_price,
            size=offer.size,
            gross_bps=offer.bps(offer.gross),
            fees_bps=offer.bps(offer.fees),
            net_bps=net_bps,
            opened_ns=now if before is None else before.opened_ns,
        )
        pair.shown = pair.figures()
        pair.best_bps = net_bps if before is None else max(pair.best_bps, net_bps)
        if before is not None:
            return
        core = self._core
        core.record(
            OpportunityRecord(
                seq=core.seq, ts=now, opportunity=opportunity, best_bps=net_bps
            )
        )
        event = OpportunityFound(pair.market, now, opportunity)
        core.emit(event)
        core.publish(event)
        self._expect_age(pair, opportunity.number)

    def _close(self, pair: Pair, now: int, end: OpportunityEnd, reason: str) -> None:
        opportunity = pair.opportunity
        assert opportunity is not None
        pair.opportunity = pair.shown = None
        pair.ready_ns = now + self._cooldown_ns
        if pair.timer is not None:
            pair.timer.cancel()
            pair.timer = None
        core = self._core
        core.record(
            OpportunityRecord(
                seq=core.seq,
                ts=now,
                opportunity=opportunity,
                best_bps=pair.best_bps,
                end=end,
                reason=reason,
            )
        )
        event = pair.closed = OpportunityClosed(
            market=pair.market,
            ts=now,
            opportunity=opportunity,
            best_bps=pair.best_bps,
            end=end,
            reason=reason,
        )
        core.emit(event)
        core.publish(event)

    def _expect_age(self, pair: Pair, number: int) -> None:
        """Look again when the older quote would be too old, if nothing comes."""
        older = min(pair.buy.live.quote_ns, pair.sell.live.quote_ns)
        pair.timer = self._core.call_at(
            older + self._limit_ns + 1,
            f"opportunity {number}",
            partial(self._on_age, pair, number),
        )

    def _on_age(self, pair: Pair, number: int) -> None:
        self._look(pair)
        if pair.opportunity is not None:
            self._expect_age(pair, number)


def _apart(market: str, one: Instrument, other: Instrument) -> str:
    return (
        f"{market}: {one.venue} quotes {one.quote}, {other.venue} {other.quote}; not "
        f"compared unless [account] equal_currencies says they are worth the same"
    )
