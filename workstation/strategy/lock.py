"""A row's lock in manual: on or off, and the time at which it ends by itself.

The operator's hand sets it; while it is on the script is not asked. Every change is
on record.
"""

from __future__ import annotations

from collections.abc import Callable

from workstation.kernel.clock import Timer
from workstation.model.ports import Core
from workstation.model.records import LockRecord

__all__ = ["Lock"]


def _nobody(_: LockRecord) -> None:
    pass


class Lock:
    """The lock of one row; ``told`` hears of each change beside the record."""

    __slots__ = ("_instrument", "_strategy", "_timer", "on", "told", "until_ns")

    def __init__(self, strategy: str, instrument: str) -> None:
        self.on = False
        self.until_ns: int | None = None
        self._strategy = strategy
        self._instrument = instrument
        self._timer: Timer | None = None
        self.told: Callable[[LockRecord], None] = _nobody

    def set(
        self, core: Core, on: bool, until_ns: int | None, reason: str, who: str
    ) -> None:
        """Lock, or end the lock; ``until_ns`` ends it by itself."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        before, self.on = self.on, on
        self.until_ns = until_ns if on else None
        record = LockRecord(
            seq=core.seq,
            ts=core.ts,
            strategy=self._strategy,
            instrument=self._instrument,
            before=before,
            after=on,
            until_ns=self.until_ns,
            who=who,
            reason=reason,
        )
        self.told(record)
        core.record(record)
        if on and until_ns is not None:
            self._timer = core.call_at(
                until_ns,
                f"unlock:{self._strategy}/{self._instrument}",
                lambda: self.set(core, False, None, "lock expired", "engine"),
            )
