"""Requests on their way to a venue: each waits until what led to it is on disk.

The core puts requests in, the edge of the broker takes them out, in order. A journal
that has failed proves nothing any more: then only what reduces risk leaves.
"""

from __future__ import annotations

from collections import deque

from workstation.engine.journal import Journal
from workstation.model.requests import (
    CancelOrder,
    QueryAccount,
    QueryOrder,
    SingleRequest,
    SubmitOrder,
)

__all__ = ["Outbox", "protects"]


class Outbox:
    """The queue between one core and one venue; without a journal nothing waits."""

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._waiting: deque[tuple[int, SingleRequest]] = deque()

    def __len__(self) -> int:
        """Return how many requests have not left."""
        return len(self._waiting)

    def put(self, request: SingleRequest) -> None:
        """Queue a request behind all rows that the journal has been given so far."""
        journal = self._journal
        self._waiting.append((0 if journal is None else journal.rows, request))

    def withdraw(self, order_id: str) -> bool:
        """Take an order out that has not left; tell whether it was here."""
        for waiting in self._waiting:
            request = waiting[1]
            if isinstance(request, SubmitOrder) and request.order.id == order_id:
                self._waiting.remove(waiting)
                return True
        return False

    def drop_the_rest(self) -> None:
        """Keep cancels and what reduces a position: nothing else is to leave."""
        self._waiting = deque(each for each in self._waiting if protects(each[1]))

    def take(self) -> tuple[list[SingleRequest], list[SingleRequest]]:
        """Return what may leave now, and what may not leave at all.

        Called at the edge, where no input is being dispatched.
        """
        journal, waiting = self._journal, self._waiting
        if journal is not None and waiting:
            journal.whole()
        leaving: list[SingleRequest] = []
        refused: list[SingleRequest] = []
        # Read before the mark: a failure between the two only makes us wait.
        failed = journal is not None and journal.failure is not None
        durable = 0 if journal is None else journal.durable_rows
        while waiting:
            mark, request = waiting[0]
            if journal is not None and mark > durable:
                if not failed:
                    break
                if not _reduces(request):
                    refused.append(request)
                    waiting.popleft()
                    continue
            leaving.append(request)
            waiting.popleft()
        return leaving, refused


def _reduces(request: SingleRequest) -> bool:
    return protects(request) or isinstance(request, QueryOrder | QueryAccount)


def protects(request: SingleRequest) -> bool:
    """Tell whether a request cancels, or reduces a position."""
    if isinstance(request, SubmitOrder):
        return request.order.reduce_only
    return isinstance(request, CancelOrder)
