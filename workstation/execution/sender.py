"""The sender: the one road of requests from an Executor to its broker.

The order desk sends through it. It counts what requests weigh, and gathers those that
are made together where the broker takes batches; it never holds one back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby

from workstation.execution.rates import RateBudgets
from workstation.model.ports import Core
from workstation.model.rates import BrokerAbilities, RequestKind
from workstation.model.requests import (
    BatchRequest,
    CancelOrder,
    QueryAccount,
    QueryOrder,
    ReplaceOrder,
    Request,
    SingleRequest,
    SubmitOrder,
)

__all__ = ["Sender"]

_KINDS: dict[type, RequestKind] = {
    SubmitOrder: RequestKind.PLACE,
    ReplaceOrder: RequestKind.MODIFY,
    CancelOrder: RequestKind.CANCEL,
    QueryOrder: RequestKind.QUERY,
    QueryAccount: RequestKind.QUERY,
}
_QUESTIONS = (QueryOrder, QueryAccount)


class Sender:
    """Sends the requests of one Executor within what its broker can do."""

    def __init__(
        self,
        rates: RateBudgets | None = None,
        abilities: BrokerAbilities | None = None,
    ) -> None:
        self.rates = rates or RateBudgets()
        self.abilities = abilities or BrokerAbilities()
        self._gathered: list[SingleRequest] | None = None
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way to the broker."""
        self._core = core

    def send(self, request: SingleRequest) -> None:
        """Send a request now, or with the batch that is being gathered."""
        if self._gathered is not None:
            self._gathered.append(request)
            return
        core = self._core
        self.rates.spend(_KINDS[type(request)], core.ts)
        core.request(request)

    @contextmanager
    def gather(self) -> Iterator[None]:
        """Send what is asked for inside in batches of one kind, in order, at the end.

        They leave also where something inside fails: their orders say they have.
        """
        if self.abilities.batch == 1 or self._gathered is not None:
            yield
            return
        self._gathered = []
        try:
            yield
        finally:
            gathered, self._gathered = self._gathered, None
            for kind, same in groupby(gathered, key=type):
                self._send_alike(_KINDS[kind], tuple(same))

    def _send_alike(self, kind: RequestKind, alike: tuple[SingleRequest, ...]) -> None:
        core = self._core
        # A venue is asked one thing at a time.
        size = 1 if kind is RequestKind.QUERY else self.abilities.batch
        for start in range(0, len(alike), size):
            part = alike[start : start + size]
            self.rates.spend(kind, core.ts, len(part))
            request: Request = part[0]
            if len(part) > 1:
                request = BatchRequest(
                    tuple(each for each in part if not isinstance(each, _QUESTIONS))
                )
            core.request(request)
