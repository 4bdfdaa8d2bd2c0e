"""How long requests and reports of the paper broker travel.

Drawn from the run's generator, so the same seed gives the same delays. Nothing about
one order overtakes what was sent about it before, in either direction.
"""

from __future__ import annotations

from random import Random

from workstation.model.requests import (
    CancelOrder,
    ReplaceOrder,
    Request,
    SubmitOrder,
)
from workstation.model.timeframes import NS_PER_MS
from workstation.venues.paper.settings import PaperBrokerSettings

__all__ = ["Latency", "quantile"]

_LEVELS = (0.0, 0.5, 0.9, 0.99, 1.0)
# Orders whose last times are kept; older ones have arrived long ago.
_KEEP = 10_000


def quantile(values: tuple[float, ...], share: float) -> float:
    """Return the value that ``share`` (0 … 1) stays below: straight between the five.

    ``values`` are those at 0, 50, 90, 99 and 100 %, or one for all.
    """
    if len(values) == 1:
        return values[0]
    low = 0
    while low < len(_LEVELS) - 2 and share > _LEVELS[low + 1]:
        low += 1
    part = (share - _LEVELS[low]) / (_LEVELS[low + 1] - _LEVELS[low])
    return values[low] + (values[low + 1] - values[low]) * part


class Latency:
    """When a request arrives and when a report is there, ns."""

    def __init__(self, settings: PaperBrokerSettings, draws: Random) -> None:
        fixed = (float(settings.latency_ms),)
        self._place = settings.place_ms or fixed
        self._cancel = settings.cancel_ms or fixed
        self._replace = settings.replace_ms or fixed
        self._report = settings.report_ms or fixed
        self._draws = draws
        self._arrivals: dict[str, int] = {}
        self._reports: dict[str, int] = {}

    def arrival(self, request: Request, order_id: str, now_ns: int) -> int:
        """Return when a request that leaves now is at the venue."""
        if isinstance(request, CancelOrder):
            values = self._cancel
        elif isinstance(request, ReplaceOrder):
            values = self._replace
        else:
            values = self._place
        if isinstance(request, SubmitOrder | ReplaceOrder):
            # It leaves once the cancels that clear its way are there.
            there = [self._arrivals.get(each, 0) for each in request.after]
            now_ns = max([now_ns, *there])
        return self._due(self._arrivals, order_id, now_ns, values)

    def report(self, order_id: str, now_ns: int) -> int:
        """Return when a report that leaves the venue now is here."""
        return self._due(self._reports, order_id, now_ns, self._report)

    def _due(
        self,
        last: dict[str, int],
        order_id: str,
        now_ns: int,
        values: tuple[float, ...],
    ) -> int:
        if len(values) == 1:
            drawn = values[0]
        else:
            drawn = quantile(values, self._draws.random())
        due = max(now_ns + round(drawn * NS_PER_MS), last.pop(order_id, 0))
        last[order_id] = due
        if len(last) > _KEEP:
            del last[next(iter(last))]
        return due

    def digest(self) -> object:
        """Return in plain values what decides the next delays."""
        return ([*self._arrivals.items()], [*self._reports.items()])
