"""What follows a position change: its record, bands, margin figures, equity sample.

Called by the Executor after each booking; it owns the bands and whether margin has
been warned of, and decides nothing.
"""

from __future__ import annotations

from decimal import Decimal

from workstation.execution import margin
from workstation.execution.ledger import Ledger
from workstation.execution.limits import Limits
from workstation.model.events import (
    MarginWarning,
    PositionChanged,
    PositionStateChanged,
    RiskMetricsUpdated,
)
from workstation.model.limits import BreakerState
from workstation.model.ports import Core
from workstation.model.positions import Position
from workstation.model.records import BandRecord, BreakerRecord, PositionRecord
from workstation.model.states import PositionBand

__all__ = ["Accounting"]

_NORMAL = PositionBand.NORMAL


class Accounting:
    """Bands per instrument and the margin warning of one account."""

    def __init__(self, limits: Limits, ledger: Ledger) -> None:
        self._limits = limits
        self._ledger = ledger
        self._bands: dict[str, PositionBand] = {}
        self._warned = False
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def band(self, instrument: str) -> PositionBand:
        """Return the band the account's position is in."""
        return self._bands.get(instrument, _NORMAL)

    def position_changed(self, before: Position, after: Position) -> None:
        """Tell of an owner's position change that has been booked, and judge it."""
        self.tell(before, after)
        net = self._ledger.exposed(after.instrument)
        self._update_band(after.instrument, net)
        self._update_margin(after.instrument, net)

    def tell(self, before: Position, after: Position) -> None:
        """Tell of a position change, and put it on record."""
        core = self._core
        core.record(PositionRecord(core.seq, core.ts, before, after))
        changed = PositionChanged(before, after, core.ts)
        core.publish(changed)
        core.emit(changed)

    def judge_bands(self) -> None:
        """Judge all positions by the limit that is in force now."""
        held = (position.instrument for position in self._ledger.open_positions())
        for instrument in dict.fromkeys([*self._bands, *held]):
            self._update_band(instrument, self._ledger.exposed(instrument))

    def _update_band(self, instrument: str, net: Decimal) -> None:
        limit = self._limits.settings.max_position_value
        before = self._bands.get(instrument, _NORMAL)
        after = _NORMAL
        if net and limit is not None:
            price = self._ledger.mark(instrument)
            if price is None:
                return
            after = margin.band(abs(net) * price / limit, before)
        if after is before:
            return
        self._bands[instrument] = after
        core = self._core
        core.record(BandRecord(core.seq, core.ts, instrument, before, after, net))
        core.publish(PositionStateChanged(instrument, before, after, net, core.ts))

    def _update_margin(self, instrument: str, net: Decimal) -> None:
        core, settings = self._core, self._limits.settings
        value = self._ledger.value()
        self._ledger.see(core.ts, value.equity)
        used = margin.initial_margin(value.exposure, settings.leverage)
        free = margin.available(value.equity, used, settings.margin_buffer)
        core.publish(RiskMetricsUpdated(instrument, net, used, free, core.ts))
        low = margin.is_low(free, used, before=self._warned)
        if low is self._warned:
            return
        self._warned = low
        threshold = margin.MARGIN_WARNING * used
        if low:
            core.publish(MarginWarning(free, used, threshold, core.ts))
        calm, warned = BreakerState.CALM, BreakerState.WARNED
        core.record(
            BreakerRecord(
                seq=core.seq,
                ts=core.ts,
                name="margin",
                before=calm if low else warned,
                after=warned if low else calm,
                value=free,
                limit=threshold,
            )
        )

    def digest(self) -> object:
        """Return bands and warning in plain values."""
        return (
            tuple((name, band.value) for name, band in self._bands.items()),
            self._warned,
        )
