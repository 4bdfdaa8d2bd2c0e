"""Rate budgets: what of a broker's limits is used, and what may go now.

Sliding windows on the run's clock, asked before an order leaves and told of every
request. A share is kept for cancels and protection, which are never held back: they
may use that share, and even go beyond it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from workstation.model.rates import RateLimit, RequestKind

__all__ = ["RateBudgets"]

# More than any run sends at once: stands for "as many as you like".
_NO_LIMIT = 1_000_000_000


class _Window:
    """One limit: the weights of the last ``window_ns``, oldest first."""

    __slots__ = ("entries", "limit", "ordinary", "used", "window_ns")

    def __init__(self, limit: RateLimit, share: float) -> None:
        self.limit = limit
        self.window_ns = round(limit.window_s * 1_000_000_000)
        self.ordinary = limit.ordinary(share)
        self.entries: deque[tuple[int, int]] = deque()
        self.used = 0

    def used_at(self, now_ns: int) -> int:
        """Return the weight in the window; reading drops nothing."""
        used, first = self.used, now_ns - self.window_ns
        for since_ns, weight in self.entries:
            if since_ns > first:
                break
            used -= weight
        return used

    def add(self, now_ns: int, weight: int) -> None:
        entries, first = self.entries, now_ns - self.window_ns
        while entries and entries[0][0] <= first:
            self.used -= entries.popleft()[1]
        if not weight:
            return
        self.used += weight
        if entries and entries[-1][0] == now_ns:
            entries[-1] = now_ns, entries[-1][1] + weight
        else:
            entries.append((now_ns, weight))

    def settle(self, now_ns: int) -> int:
        later = max((since_ns for since_ns, _ in self.entries), default=now_ns) - now_ns
        # The runs of an account may overlap by their clocks.
        self.entries = deque(
            sorted((min(since_ns, now_ns), weight) for since_ns, weight in self.entries)
        )
        return max(0, later)

    def free_at(self, weight: int, now_ns: int) -> int:
        """Return when so much weight is free for what is no cancel."""
        too_much = self.used + weight - self.ordinary if weight else 0
        free_ns = now_ns
        for since_ns, spent in self.entries:
            if too_much <= 0:
                break
            too_much -= spent
            free_ns = max(now_ns, since_ns + self.window_ns)
        return free_ns


class RateBudgets:
    """The windows of one broker; without limits everything may go."""

    def __init__(
        self, limits: Sequence[RateLimit] = (), cancel_share: float = 0.2
    ) -> None:
        self._windows = [_Window(limit, cancel_share) for limit in limits]

    def spend(self, kind: RequestKind, now_ns: int, count: int = 1) -> None:
        """Count requests that leave now; ``count`` of them as one batch."""
        for window in self._windows:
            window.add(now_ns, window.limit.weight_of(kind, count))

    def settle(self, now_ns: int) -> int:
        """Count as spent now what is later; return by how much the last of it was.

        Earlier runs of an account may have had a clock that was ahead of this one.
        """
        return max((window.settle(now_ns) for window in self._windows), default=0)

    def room(self, kind: RequestKind, now_ns: int, batch: int = 1) -> int:
        """Return how many places or changes may go now, ``batch`` at most at once."""
        room = _NO_LIMIT
        for window in self._windows:
            limit = window.limit
            whole = limit.weight_of(kind, batch)
            if whole:
                free = max(0, window.ordinary - window.used_at(now_ns))
                batches, rest = divmod(free, whole)
                rest = rest // limit.weight_of(kind) * limit.batch
                room = min(room, batches * batch + min(rest, batch))
        return room

    def free_at(self, kind: RequestKind, now_ns: int) -> int:
        """Return when one such request may go, ns of the run's clock."""
        return max(
            (
                window.free_at(window.limit.weight_of(kind), now_ns)
                for window in self._windows
            ),
            default=now_ns,
        )

    def refusal(self, kind: RequestKind, now_ns: int) -> str | None:
        """Return why none of these may go now, with the numbers, or None."""
        for window in self._windows:
            limit = window.limit
            weight = limit.weight_of(kind)
            used = window.used_at(now_ns)
            if weight and used + weight > window.ordinary:
                wait_s = (self.free_at(kind, now_ns) - now_ns) / 1e9
                return (
                    f"{used} of {window.ordinary} used in "
                    f"{limit.window_s:g} s, {limit.weight - window.ordinary} of "
                    f"{limit.weight} are kept for cancels; {kind} weighs {weight}, "
                    f"free in {wait_s:.2f} s"
                )
        return None

    def used(self, now_ns: int) -> float | None:
        """Return the use of the fullest window, 1.0 is all; None without limits."""
        return max(
            (window.used_at(now_ns) / window.limit.weight for window in self._windows),
            default=None,
        )

    def digest(self) -> object:
        """Return what has been spent, in plain values."""
        return tuple(tuple(window.entries) for window in self._windows)
