"""Breakers: daily loss and drawdown watched while positions are open.

The Executor asks at a market event once ``due_ns`` has passed: at most once a second
of the run's clock, and never while nothing is open, so that a tick costs nothing more.
Beyond its limit a figure climbs the kill ladder; nothing here ever goes down it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from workstation.execution.controls import Controls
from workstation.execution.entry_limits import lost_text
from workstation.execution.ledger import Ledger
from workstation.execution.limits import Limits
from workstation.model.commands import Kill, KillLevel
from workstation.model.limits import BreakerState, Gauge
from workstation.model.ports import Core
from workstation.model.records import BreakerRecord, LossBaseRecord
from workstation.model.timeframes import NS_PER_S

__all__ = ["NEVER", "Breakers", "state_of"]

NEVER = 1 << 62
"""Later than any time of a run (2116), in ns."""
_EVERY_NS = NS_PER_S
_CALM, _WARNED, _TRIPPED = BreakerState
_ZERO = Decimal(0)
_WARN_AT = Decimal("0.8")
# A state is left only this far below its bound, or it would flip at every look.
_HYSTERESIS = Decimal("0.05")
# A restart loses at most so much of the highest equity: below any sensible drawdown,
# and few records even in a year that doubles it (700).
_PEAK_STEP = Decimal("1.001")


def state_of(
    share: Decimal | None, before: BreakerState, *, armed: bool = False
) -> BreakerState:
    """Return the state at this use of a limit (1 = all of it), with hysteresis.

    It trips above 1 and warns from .80 on; it is calm again below .75. Where trading
    is ``armed``, one that tripped is ready to trip again as soon as entries pass.
    """
    if share is None:
        return _CALM
    stays = before is _TRIPPED and not armed and share > 1 - _HYSTERESIS
    if share > 1 or stays:
        return _TRIPPED
    if share >= _WARN_AT or (before is not _CALM and share >= _WARN_AT - _HYSTERESIS):
        return _WARNED
    return _CALM


class Breakers:
    """Watches the losses of one account; ``kill`` climbs the ladder."""

    def __init__(
        self,
        limits: Limits,
        ledger: Ledger,
        controls: Controls,
        kill: Callable[[Kill], None],
    ) -> None:
        self.due_ns = NEVER
        """When they are to be looked at next."""
        self._limits = limits
        self._ledger = ledger
        self._controls = controls
        self._kill = kill
        self._states: dict[str, BreakerState] = {}
        # Whether any of them is not calm.
        self._stirred = False
        self._kept: tuple[int, Decimal, Decimal] | None = None
        """Day, its first equity and the peak, as they are on record."""
        self._bases: tuple[Decimal | None, Decimal | None] = (None, None)
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def wake(self) -> None:
        """Have them looked at with the next market event: something has changed."""
        self.due_ns = 0

    def look(self, ts: int, equity: Decimal | None = None) -> None:
        """Compare the losses at the marks of now; climb where one is too large.

        ``equity`` is that of now, where the ledger has sampled it just before.
        """
        ledger = self._ledger
        if equity is None:
            equity = ledger.sample(ts)
        lost = ledger.day_lost
        if lost is not None:
            # What a day came to in its last second, or until the day after had a price.
            ledger.day_lost = None
            self._judge(self._limits.gauge("max_daily_loss", max(_ZERO, lost)), ts)
        # The objects, not the figures: nearly always nothing has been put there.
        bases = ledger.day_start, ledger.curve.peak
        if bases[0] is not self._bases[0] or bases[1] is not self._bases[1]:
            self._bases = bases
            self._keep()
        if self._stirred or self._limits.are_losses_near(equity):
            for gauge in self._limits.losses(equity):
                self._judge(gauge, ts)
        self.due_ns = ts + _EVERY_NS if ledger.is_holding else NEVER

    def _keep(self) -> None:
        """Put on record what losses are measured from, where that has changed."""
        ledger, kept = self._ledger, self._kept
        day, start, peak = ledger.day_ns, ledger.day_start, ledger.curve.peak
        if day is None:
            return
        if kept is not None and (day, start) == kept[:2]:
            before = kept[2]
            if before <= peak and (peak == before or peak < before * _PEAK_STEP):
                return
        self._kept = day, start, peak
        core = self._core
        core.record(
            LossBaseRecord(
                seq=core.seq,
                ts=core.ts,
                day_ns=day,
                day_start=start,
                peak=peak,
                initial=ledger.initial,
            )
        )

    def resume(self, name: str, state: BreakerState) -> None:
        """Go on with the state that a loss had in an earlier run."""
        self._states[name] = state
        self._stirred = True

    def _judge(self, gauge: Gauge, ts: int) -> None:
        before = self._states.get(gauge.name, _CALM)
        armed = self._controls.kill_level is None
        after = state_of(gauge.share, before, armed=armed)
        if after is before:
            return
        self._enter(gauge, before, after)
        if after is _TRIPPED:
            self._climb(gauge, ts)

    def _enter(self, gauge: Gauge, before: BreakerState, after: BreakerState) -> None:
        self._states[gauge.name] = after
        self._stirred = any(each is not _CALM for each in self._states.values())
        core = self._core
        core.record(
            BreakerRecord(
                seq=core.seq,
                ts=core.ts,
                name=gauge.name,
                before=before,
                after=after,
                value=gauge.value or _ZERO,
                limit=gauge.limit or _ZERO,
            )
        )

    def _climb(self, gauge: Gauge, ts: int) -> None:
        settings, controls = self._limits.settings, self._controls
        level = KillLevel(settings.on_breach)
        rungs = tuple(KillLevel)
        now = controls.kill_level
        if now is None or rungs.index(level) > rungs.index(now):
            reason = f"{gauge.name.upper()}: {lost_text(gauge)}"
            self._kill(Kill(level=level, origin="breaker", reason=reason))
        controls.cool(ts + round(settings.cooling_s * NS_PER_S))

    def rearmed(self) -> None:
        """Begin anew after a re-arm: the drawdown from the equity of now.

        What is still beyond its limit stays tripped: it climbs once, and entries are
        denied for it as long as it is.
        """
        equity = self._ledger.value().equity
        if self._states.get("max_drawdown") is _TRIPPED:
            self._ledger.curve.begin_anew(equity)
            # Now: the run may end before the market's next event.
            self._keep()
        for gauge in self._limits.losses(equity):
            before = self._states.get(gauge.name, _CALM)
            if before is not _CALM and not gauge.is_exceeded:
                self._enter(gauge, before, _CALM)
        self.wake()

    def states(self) -> dict[str, BreakerState]:
        """Return the state of each loss that ever was near its limit."""
        return dict(self._states)

    def digest(self) -> object:
        """Return the states, and what is on record of the bases, in plain values."""
        kept = None if self._kept is None else tuple(map(str, self._kept))
        return kept, tuple((name, state.value) for name, state in self._states.items())
