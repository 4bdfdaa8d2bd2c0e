"""The mid of the last sound best prices, and wake-ups for who wants it at some time.

One watcher of an instrument's best prices that its processors share. "The mid at t" is
the last one at or before t: it is known at the first best prices after t, and who
waits for it is woken then. Nothing is carried across a break of the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from workstation.market.live import LiveInstrument

__all__ = ["NEVER", "Mids", "Sleeper"]

NEVER = 1 << 62
"""No wake-up wanted: later than any time in ns."""
_NOW = -1


class Sleeper(Protocol):
    """Who wants the mid at times of its own."""

    def wake(self, ts: int, mid: float) -> int:
        """Take the mid that held until ``ts``; return the next time wanted.

        0.0 means that it is not known: prices begin at ``ts``, or begin again. Woken
        for others too, so a sleeper looks at its own time first.
        """


class Mids:
    """Watch best prices; ``mid`` is 0.0 before the first and after a break."""

    __slots__ = ("_sleepers", "due_ns", "mid", "ts")

    def __init__(self) -> None:
        self.mid = 0.0
        self.ts = 0
        self.due_ns = NEVER
        self._sleepers: tuple[Sleeper, ...] = ()

    def join(self, sleeper: Sleeper) -> None:
        """Wake ``sleeper`` at the first best prices, and when it wants."""
        self._sleepers = (*self._sleepers, sleeper)
        self.due_ns = _NOW

    def attach(self, live: LiveInstrument) -> None:
        """Watch the instrument, once, before any of the sleepers' own watchers."""
        if self._take not in live.top_watchers:
            live.top_watchers = (*live.top_watchers, self._take)
            live.break_watchers = (*live.break_watchers, self.broken)

    def _take(self, live: LiveInstrument, ts: int) -> None:
        bid = live.bid
        ask = live.ask
        if 0.0 < bid <= ask:
            if ts > self.due_ns:
                self._wake(ts)
            self.mid = (bid + ask) * 0.5
            self.ts = ts
        else:
            self.broken(live)

    def broken(self, live: LiveInstrument) -> None:
        """Forget the mid: what comes next does not continue what was."""
        if self.mid:
            self.mid = 0.0
            self.due_ns = _NOW if self._sleepers else NEVER

    def want(self, due_ns: int) -> None:
        """Wake the sleepers after ``due_ns`` too."""
        if due_ns < self.due_ns:
            self.due_ns = due_ns

    def _wake(self, ts: int) -> None:
        mid = self.mid
        due = NEVER
        for sleeper in self._sleepers:
            wanted = sleeper.wake(ts, mid)
            if wanted < due:
                due = wanted
        self.due_ns = due

    def digest(self) -> tuple[object, ...]:
        """Return the whole state for the state hash."""
        return (self.mid, self.ts, self.due_ns)
