"""Hold, kill ladder, pause and locks: the switches that the risk stage asks.

The operator's commands turn them through the Executor; the engine sets pause and
locks. A switch that is already there, or has nothing to undo, refuses.
"""

from __future__ import annotations

from collections.abc import Callable

from workstation.model.commands import Hold, Kill, KillLevel, Rearm
from workstation.model.errors import CommandRefused
from workstation.model.ports import Core
from workstation.model.records import ControlRecord
from workstation.model.timeframes import NS_PER_S

__all__ = ["Controls", "record_control"]

_LADDER = {level: rung for rung, level in enumerate(KillLevel)}


def _never(*_: str) -> bool:
    return False


def _running(_: str) -> str:
    return "running"


class Controls:
    """State of the switches; ``set_`` methods return (before, after) for the record.

    The questions are the engine's to answer: whether a row is locked, as what (running,
    paused, stopped or failed) a strategy is known, and whether it is being stepped just
    now.
    """

    def __init__(self) -> None:
        self.paused = False
        self.row_locked: Callable[[str, str], bool] = _never
        self.strategy_state: Callable[[str], str] = _running
        self.stepped: Callable[[str], bool] = _never
        self.hold = False
        self.hold_since_ns: int | None = None
        self.kill_level: KillLevel | None = None
        self.kill_reason = ""
        self.killed_ns: int | None = None
        self.asked: set[str] = set()
        """Orders of an earlier run that the venue has not been heard of yet."""
        self.account_asked = False
        """Whether the venue has not answered yet for the account it is taken up at."""
        self.unreconciled: dict[str, str] = {}
        """Currencies about which books and venue differ, and what each says."""
        self.cooling_until_ns: int | None = None
        """Before this time a breaker's kill cannot be re-armed."""
        self.tripped = False
        """Whether a breaker climbed the ladder, and not only the operator."""
        self.ramp_from_ns: int | None = None
        """When the kill of a breaker was last re-armed."""

    def state_of(self, owner: str) -> str:
        """Return running, paused, stopped or failed; a stepped strategy is running."""
        state = self.strategy_state(owner)
        return "running" if state == "paused" and self.stepped(owner) else state

    def set_hold(self, command: Hold, ts: int) -> tuple[str, str]:
        """Start or end the hold."""
        if command.on == self.hold:
            raise CommandRefused(
                "new entries are on hold already"
                if self.hold
                else "there is no hold to lift"
            )
        self.hold = command.on
        self.hold_since_ns = ts if command.on else None
        return ("on", "off") if not command.on else ("off", "on")

    def set_kill(self, command: Kill, ts: int) -> tuple[str, str]:
        """Climb the ladder; going down takes a re-arm."""
        before = self.kill_level
        if before is not None and _LADDER[command.level] <= _LADDER[before]:
            raise CommandRefused(
                f"killed at {before.value} already; the next rung up is allowed, or "
                "re-arm"
            )
        self.kill_level = command.level
        self.kill_reason = command.reason
        self.killed_ns = ts
        return before.value if before is not None else "armed", command.level.value

    def cool(self, until_ns: int) -> None:
        """Note that a breaker has climbed the ladder, and what that delays."""
        self.tripped = True
        self.cooling_until_ns = until_ns

    def settle(self, ts: int, cooling_ns: int) -> int:
        """Let begin at ``ts`` what earlier runs began later; return how much later.

        Their clock was ahead of this one. ``cooling_ns`` is how long a breaker's kill
        cools.
        """
        later = 0

        def settled(since_ns: int | None) -> int | None:
            nonlocal later
            if since_ns is None or since_ns <= ts:
                return since_ns
            later = max(later, since_ns - ts)
            return ts

        self.hold_since_ns = settled(self.hold_since_ns)
        self.killed_ns = settled(self.killed_ns)
        self.ramp_from_ns = settled(self.ramp_from_ns)
        if self.cooling_until_ns is not None:
            began_ns = settled(self.cooling_until_ns - cooling_ns)
            self.cooling_until_ns = None if began_ns is None else began_ns + cooling_ns
        return later

    def rearm(self, command: Rearm, ts: int) -> tuple[str, str]:
        """Allow orders again; a breaker's kill only once it has cooled."""
        before = self.kill_level
        if before is None:
            raise CommandRefused("nothing is killed; there is nothing to re-arm")
        until = self.cooling_until_ns
        if until is not None and ts < until:
            raise CommandRefused(
                f"{self.kill_reason}; cooling, re-arm in "
                f"{-((ts - until) // NS_PER_S)} s"
            )
        if self.tripped:
            self.ramp_from_ns = ts
        self.tripped = False
        self.cooling_until_ns = None
        self.kill_level = None
        self.kill_reason = ""
        self.killed_ns = None
        return before.value, "armed"


def record_control(
    core: Core, name: str, before: str, after: str, who: str, reason: str
) -> None:
    """Put on record that a switch was turned."""
    core.record(
        ControlRecord(
            seq=core.seq,
            ts=core.ts,
            name=name,
            before=before,
            after=after,
            who=who,
            reason=reason,
        )
    )
