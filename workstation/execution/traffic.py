"""Traffic: what left for the venue and what was filled, counted in sliding windows.

The order desk tells of each message, the Executor of each fill; the limits read the
counts. Times are those of the run's clock, which never goes back, but was perhaps ahead
of this one's in an earlier run: ``settle`` is for those.
"""

from __future__ import annotations

from collections import deque

from workstation.model.timeframes import NS_PER_S

__all__ = ["Traffic", "Window"]


class Window:
    """How often something was in the last ``span_s`` seconds; O(1) amortised."""

    __slots__ = ("_span_ns", "_times")

    def __init__(self, span_s: float) -> None:
        self._span_ns = round(span_s * NS_PER_S)
        self._times: deque[int] = deque()

    def add(self, ts: int) -> None:
        """Count one at ``ts``."""
        times = self._times
        if times and times[0] <= ts - self._span_ns:
            self._forget(ts)
        times.append(ts)

    def count(self, ts: int) -> int:
        """Return how many there were after ``ts`` − span, up to ``ts``."""
        times = self._times
        if times and times[0] <= ts - self._span_ns:
            self._forget(ts)
        return len(times)

    def settle(self, ts: int) -> int:
        """Count as of ``ts`` what is later; return by how much the last of it was."""
        later = max(self._times, default=ts) - ts
        # The runs of an account may overlap by their clocks.
        self._times = deque(sorted(min(each, ts) for each in self._times))
        return max(0, later)

    def _forget(self, ts: int) -> None:
        times, since = self._times, ts - self._span_ns
        while times and times[0] <= since:
            times.popleft()

    def digest(self, ts: int) -> tuple[int, ...]:
        """Return the times that still count at ``ts``."""
        # Whoever looked in between must not show.
        self._forget(ts)
        return tuple(self._times)


class Traffic:
    """Orders in the window of their rate; messages and fills in that of their ratio."""

    def __init__(self, order_rate_s: float, message_ratio_s: float) -> None:
        self.orders = Window(order_rate_s)
        self.messages = Window(message_ratio_s)
        self.fills = Window(message_ratio_s)

    def sent(self, ts: int, order: bool) -> None:
        """Count a message; ``order`` where it is a new order."""
        self.messages.add(ts)
        if order:
            self.orders.add(ts)

    def settle(self, ts: int) -> int:
        """Count as of ``ts`` what is later; return by how much the last of it was."""
        return max(each.settle(ts) for each in (self.orders, self.messages, self.fills))

    def digest(self, ts: int) -> object:
        """Return what still counts at ``ts``."""
        return (
            self.orders.digest(ts),
            self.messages.digest(ts),
            self.fills.digest(ts),
        )
