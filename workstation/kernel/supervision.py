"""What to do when a task fails: how long to wait, and when to give up.

Used by the scheduler's runners. Knows no clock: times are handed in.
"""

from __future__ import annotations

import random
from collections import deque

import msgspec

from workstation.kernel.errors import InvalidSetting


class Supervision(msgspec.Struct, frozen=True):
    """Set the back-off after an error and how many restarts a window allows.

    The n-th error in a row waits ``backoff_ns * backoff_factor ** (n - 1)``, at most
    ``backoff_max_ns``, spread by ±``jitter`` (a share). More than ``max_restarts``
    errors within ``window_ns`` and the task has failed.
    """

    backoff_ns: int = 1_000_000_000
    backoff_factor: float = 2.0
    backoff_max_ns: int = 60_000_000_000
    jitter: float = 0.2
    max_restarts: int = 5
    window_ns: int = 300_000_000_000

    def __post_init__(self) -> None:
        if self.backoff_ns < 0:
            raise InvalidSetting("backoff_ns", self.backoff_ns, "0 or more")
        if self.backoff_factor < 1.0:
            raise InvalidSetting("backoff_factor", self.backoff_factor, "1 or more")
        if self.backoff_max_ns < self.backoff_ns:
            raise InvalidSetting(
                "backoff_max_ns", self.backoff_max_ns, f"{self.backoff_ns} or more"
            )
        if not 0.0 <= self.jitter < 1.0:
            raise InvalidSetting("jitter", self.jitter, "from 0 to below 1")
        if self.max_restarts < 0:
            raise InvalidSetting("max_restarts", self.max_restarts, "0 or more")
        if self.window_ns < 1:
            raise InvalidSetting("window_ns", self.window_ns, "1 or more")


class Failures:
    """Remember a task's recent failures and say what follows from the next one."""

    def __init__(self, policy: Supervision, rng: random.Random) -> None:
        self._policy = policy
        self._rng = rng
        self._times: deque[int] = deque()
        self._base_ns = 0

    def add(self, now_ns: int) -> int | None:
        """Count a failure; return how long to wait in ns, or None to give up."""
        policy = self._policy
        times = self._times
        times.append(now_ns)
        while times[0] <= now_ns - policy.window_ns:
            times.popleft()
        if len(times) > policy.max_restarts:
            return None
        if self._base_ns:
            grown = self._base_ns * policy.backoff_factor
            self._base_ns = int(min(policy.backoff_max_ns, grown))
        else:
            self._base_ns = policy.backoff_ns
        spread = 1.0 + policy.jitter * (2.0 * self._rng.random() - 1.0)
        return min(policy.backoff_max_ns, int(self._base_ns * spread))

    def succeeded(self) -> None:
        """Let the next back-off be the first again; the window still counts."""
        self._base_ns = 0

    def forget(self) -> None:
        """Start from a clean sheet, as after a restart by hand."""
        self._times.clear()
        self._base_ns = 0
