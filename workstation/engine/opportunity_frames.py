"""Opportunities, as a frame shows them: those open, and those that have just ended.

Called by ``FrameSource`` between two inputs; it only reads.
"""

from __future__ import annotations

from workstation.engine.engine import Engine
from workstation.engine.figures import coarse
from workstation.engine.frames import OpportunityRow, OpportunityTable
from workstation.market.aggregator import Aggregator
from workstation.market.pairs import Pair
from workstation.model.timeframes import NS_PER_S

__all__ = ["OpportunityFrames"]

# Long enough to read what has just gone by, at the run's own time.
_SHOWN_NS = 60 * NS_PER_S


class OpportunityFrames:
    """Rows of the detector's pairs of one session."""

    def __init__(
        self,
        engine: Engine,
        aggregator: Aggregator,
    ) -> None:
        self._engine = engine
        self._detector = aggregator.opportunities

    def opportunities(self) -> OpportunityTable:
        """Return one row for each pair of late, in the order of the config."""
        detector = self._detector
        if detector is None:
            return OpportunityTable(enabled=False)
        rows = [self._row(pair) for pair in detector.pairs if pair.seen]
        return OpportunityTable(
            enabled=detector.settings.enabled,
            markets=detector.markets,
            watches_spreads=detector.settings.wide_spread_bps is not None,
            found=detector.found,
            apart=detector.apart,
            rows=tuple(row for row in rows if row is not None),
        )

    def _row(self, pair: Pair) -> OpportunityRow | None:
        now = self._engine.core.ts
        opportunity, end = pair.opportunity, ""
        if opportunity is not None:
            age_ns = now - opportunity.opened_ns
        elif pair.closed is not None and now - pair.closed.ts <= _SHOWN_NS:
            opportunity, end = pair.closed.opportunity, pair.closed.end.value
            age_ns = pair.closed.ts - opportunity.opened_ns
        else:
            return None
        buy, sell = pair.buy.instrument, pair.sell.instrument
        return OpportunityRow(
            opportunity=opportunity,
            buy_venue=buy.venue,
            sell_venue=sell.venue,
            buy_decimals=buy.price_decimals,
            sell_decimals=sell.price_decimals,
            quantity_decimals=min(buy.quantity_decimals, sell.quantity_decimals),
            age_ns=coarse(age_ns),
            best_bps=pair.best_bps,
            seen=pair.seen,
            end=end,
            reason="" if pair.closed is None or not end else pair.closed.reason,
        )
