"""When a worker that died may start again, and when it has died too often.

Times are the caller's, in ns of whatever clock it runs on.
"""

from __future__ import annotations

from collections import deque

__all__ = ["Restarts"]

_FIRST_NS = 500_000_000
_LONGEST_NS = 30_000_000_000
_MOST = 5
_WINDOW_NS = 600_000_000_000


class Restarts:
    """Back off with doubling; give up after ``most`` restarts within a window."""

    def __init__(
        self,
        first_ns: int = _FIRST_NS,
        longest_ns: int = _LONGEST_NS,
        most: int = _MOST,
        window_ns: int = _WINDOW_NS,
    ) -> None:
        self._first_ns = first_ns
        self._longest_ns = longest_ns
        self._most = most
        self._window_ns = window_ns
        self._deaths: deque[int] = deque()
        self.gave_up = False
        """Whether it is over until ``rearm``."""

    @property
    def recent(self) -> int:
        """Return how many deaths the window held when the last one came."""
        return len(self._deaths)

    def died(self, now_ns: int) -> int | None:
        """Return when to start again, or None: it has died too often."""
        if self.gave_up:
            return None
        while self._deaths and self._deaths[0] <= now_ns - self._window_ns:
            self._deaths.popleft()
        if len(self._deaths) >= self._most:
            self.gave_up = True
            return None
        # Only as many as may be kept, so the shift stays small.
        delay_ns = min(self._first_ns << len(self._deaths), self._longest_ns)
        self._deaths.append(now_ns)
        return now_ns + delay_ns

    def rearm(self) -> None:
        """Forget all deaths: the operator wants it to run again."""
        self._deaths.clear()
        self.gave_up = False
