"""How long the last calls of each strategy's script took, by the machine's clock.

Written by the guard that makes the calls, read by the screen. It belongs to the edge:
no record, digest or hash knows of it, and no decision may.
"""

from __future__ import annotations

from collections import deque

__all__ = ["CallTimes"]

_KEPT = 512
# Five calls are above the 99th part of them; 4 KiB a strategy.


class CallTimes(dict[str, deque[int]]):
    """The ring of each strategy's last calls, ns; made when it is first asked for."""

    def __missing__(self, strategy: str) -> deque[int]:
        """Make the ring of a strategy."""
        ring = self[strategy] = deque(maxlen=_KEPT)
        return ring

    def p99_ns(self, strategy: str) -> int | None:
        """Return what 99 of 100 of the last calls did not exceed; None without any."""
        ring = self.get(strategy)
        if not ring:
            return None
        return sorted(ring)[(len(ring) * 99 - 1) // 100]
