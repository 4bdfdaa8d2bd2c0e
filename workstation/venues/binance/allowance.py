"""How much of us the venue hears: its weight limit, its bans, its closed doors.

The connection tells what it sends and what each answer says of it, and asks before it
sends. Polling asks for more room than a question about an order, and that for more than
a cancel or an exit, which go as long as anything may.
"""

from __future__ import annotations

from collections.abc import Mapping

from workstation.model.timeframes import NS_PER_S

__all__ = ["WEIGHT", "Allowance", "weight_of_call"]

# What polling leaves of the weight to cancels, exits and questions about orders.
_POLLS_UP_TO = 0.8
# What questions leave to cancels and exits.
_QUESTIONS_UP_TO = 0.9
# After a refusal of the key (401) or of the address (403): knocking on makes it worse.
_CLOSED_NS = 300 * NS_PER_S
WEIGHT = "X-MBX-USED-WEIGHT-1M"
"""The header that says what is used of this minute."""
# What a call weighs at most; one that succeeds may cost nothing. Lists of open orders
# weigh more without a symbol.
_WEIGHTS = {
    "GET /api/v3/order": 4,
    "GET /api/v3/openOrders": 6,
    "GET /api/v3/allOrders": 20,
    "GET /api/v3/myTrades": 5,
    "GET /api/v3/account": 20,
}
_WHOLE = 80


def weight_of_call(where: str, *, of_symbol: bool = True) -> int:
    """Return what one call weighs, by method and path."""
    if where == "GET /api/v3/openOrders" and not of_symbol:
        return _WHOLE
    return _WEIGHTS.get(where, 1)


class Allowance:
    """One address and key; minutes are the venue's, which it counts.

    Times are those of a steady clock: a ban must not last longer for a clock set back.
    """

    def __init__(self, weight_per_minute: int) -> None:
        self._used = 0
        self._minute = 0
        self._under_way = 0
        self._most = int(weight_per_minute * _POLLS_UP_TO)
        self._most_asked = int(weight_per_minute * _QUESTIONS_UP_TO)
        self._barred_until_ns = 0
        self._barred = ""
        self._closed_until_ns = 0
        self._closed = ""

    def bar(self, now_ns: int) -> str:
        """Return why nothing at all may be sent; empty when it may."""
        return self._barred if now_ns < self._barred_until_ns else ""

    def rest(self, now_ns: int, minute: int) -> str:
        """Return why nothing is polled now, in this minute; empty when it may be."""
        if now_ns < self._closed_until_ns:
            return self._closed
        used = self._so_far(minute)
        if used >= self._most:
            return (
                f"not polled until the minute is over: {used} of weight are "
                f"used, what is beyond {self._most} is kept for cancels and exits"
            )
        return self.bar(now_ns)

    def holds(self, weight: int, minute: int) -> bool:
        """Tell whether a question of this weight is to wait for the next minute.

        One that is too large for any minute goes when half of one is free.
        """
        most = self._most_asked
        return self._so_far(minute) + min(weight, most // 2) > most

    def leaves(self, weight: int) -> None:
        """Count a request that is sent now; ``returns`` must follow."""
        self._under_way += weight

    def returns(self, weight: int, minute: int, *, told: bool) -> None:
        """Count a request no more as on its way: the answers tell what was used.

        Unless they were not ``told``: then it may have been counted in this minute.
        """
        self._under_way -= weight
        if not told:
            kept = self._used if minute == self._minute else 0
            self._used, self._minute = kept + weight, minute

    def heard(
        self, status: int, headers: Mapping[str, str], now_ns: int, minute: int | None
    ) -> None:
        """Take what an answer says of limits.

        ``minute`` is the one it was counted in; None where that is not known.
        """
        used = headers.get(WEIGHT, "")
        if used.isdecimal() and minute is not None:
            # Answers overtake each other.
            kept = self._used if minute == self._minute else 0
            self._used, self._minute = max(kept, int(used)), minute
        if status in (418, 429):
            after = headers.get("Retry-After", "")
            wait_s = int(after) if after.isdecimal() else 1
            until_ns = now_ns + wait_s * NS_PER_S
            # A request that was under way may be told of a shorter wait than the ban.
            if until_ns > self._barred_until_ns:
                self._barred_until_ns = until_ns
                self._barred = (
                    f"too many requests; the venue hears us again in {wait_s} s"
                )
        elif status in (401, 403):
            self._closed_until_ns = now_ns + _CLOSED_NS
            what = "key" if status == 401 else "address"
            self._closed = (
                f"HTTP {status}: the {what} is refused; not polled for "
                f"{_CLOSED_NS // NS_PER_S} s, or until another request is answered"
            )

    def welcomed(self) -> None:
        """Take it that a signed request was carried out: key and address are good."""
        self._closed_until_ns = 0

    def _so_far(self, minute: int) -> int:
        """Return what is used in a minute, with what is on its way."""
        used = self._used if minute == self._minute else 0
        return used + self._under_way
