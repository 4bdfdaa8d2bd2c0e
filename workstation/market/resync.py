"""Resyncs: the core's wish for a whole book, told again until it comes.

``Books`` says which book is wanted and which is had; the engine passes the wish to the
feed if that can be asked. Nothing here depends on whether it can, nor on its answer
but through the book: so a run and its recording decide alike.
"""

from __future__ import annotations

from functools import partial

from workstation.kernel.clock import Timer
from workstation.market.gaps import GapLedger
from workstation.model.events import ResyncWanted
from workstation.model.ports import Core
from workstation.model.records import ResyncRecord
from workstation.model.timeframes import NS_PER_S

__all__ = ["FIRST_WAIT_NS", "LONGEST_WAIT_NS", "Resyncs"]

FIRST_WAIT_NS = NS_PER_S
"""How long an answer is waited for before the second try; it doubles from there."""
LONGEST_WAIT_NS = 60 * NS_PER_S
"""A whole book is dear (Binance: weight 250 of 6,000 a minute): no more than that."""


class _Wish:
    """What is known of the tries for one instrument; ``timer`` is set while it is open.

    ``attempt`` counts from the break on. ``wait_ns`` outlives it until as much time
    has passed in peace: who breaks again and again is asked for ever more rarely.
    """

    __slots__ = ("asked_ns", "attempt", "reason", "timer", "wait_ns")

    def __init__(self) -> None:
        self.asked_ns: int | None = None
        self.attempt = 0
        self.reason = ""
        self.timer: Timer | None = None
        self.wait_ns = FIRST_WAIT_NS


class Resyncs:
    """Tries by instrument, with back-off on the run's clock; one in flight each."""

    def __init__(self, gaps: GapLedger) -> None:
        self._gaps = gaps
        self._wishes: dict[str, _Wish] = {}
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def want(self, instrument: str, reason: str, patience_ns: int = 0) -> None:
        """Ask for the whole book after ``patience_ns``, and again until it is had.

        Harmless where it is wanted already.
        """
        wish = self._wishes.setdefault(instrument, _Wish())
        if wish.timer is not None:
            return
        wish.attempt = 0
        wish.reason = reason
        now = self._core.ts
        due = now + patience_ns
        if wish.asked_ns is not None:
            if now - wish.asked_ns >= wish.wait_ns:
                wish.wait_ns = FIRST_WAIT_NS
            else:
                due = max(due, wish.asked_ns + wish.wait_ns)
        if due <= now:
            self._ask(instrument, wish)
        else:
            self._wait(instrument, wish, due)

    def drop(self, instrument: str) -> None:
        """Ask no more: the book is had, or its feed has stopped."""
        wish = self._wishes.get(instrument)
        if wish is not None and wish.timer is not None:
            wish.timer.cancel()
            wish.timer = None

    def digest(self) -> object:
        """Return the state in plain values for the state hash."""
        return [
            (
                instrument,
                wish.attempt,
                wish.reason,
                wish.asked_ns,
                wish.wait_ns,
                None if wish.timer is None else wish.timer.due_ns,
            )
            for instrument, wish in self._wishes.items()
        ]

    def _wait(self, instrument: str, wish: _Wish, due_ns: int) -> None:
        fire = partial(self._ask, instrument, wish)
        wish.timer = self._core.call_at(due_ns, f"resync:{instrument}", fire)

    def _ask(self, instrument: str, wish: _Wish) -> None:
        core = self._core
        now = core.ts
        wish.attempt += 1
        wish.asked_ns = now
        again = now + wish.wait_ns
        wish.wait_ns = min(2 * wish.wait_ns, LONGEST_WAIT_NS)
        self._gaps.tried(instrument)
        core.record(
            ResyncRecord(
                seq=core.seq,
                ts=now,
                instrument=instrument,
                attempt=wish.attempt,
                again_ns=again,
                reason=wish.reason,
            )
        )
        core.emit(ResyncWanted(instrument, now, wish.attempt))
        self._wait(instrument, wish, again)
