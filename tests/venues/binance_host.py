"""A host in this process that answers a Binance account's calls as a test says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from workstation.kernel.clock import RealClock
from workstation.model.timeframes import NS_PER_MS, NS_PER_S

__all__ = ["Host", "hosted", "placed", "stored"]


class Host:
    """``answers`` are by call ("GET order"): a value, or what makes one of the query.

    A value is a body, or a response. ``seen`` are the calls but for the time, with the
    symbol where one was given.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.headers: dict[str, str] = {}
        self.seen: list[str] = []
        # The first second of a minute: limits are counted by minutes.
        self.ns = 1_800_000_000 * NS_PER_S
        # By how much the machine's clock was set back; time goes on all the same.
        self.set_back_ns = 0
        self.clock = RealClock(lambda: self.ns - self.set_back_ns)
        self.steady = RealClock(lambda: self.ns)
        self.url = ""

    def pass_s(self, seconds: int) -> None:
        """Let time go by."""
        self.ns += seconds * NS_PER_S

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        name = f"{request.method} {request.path.rpartition('/')[2]}"
        if name == "GET time":
            body: Any = {"serverTime": self.ns // NS_PER_MS}
        else:
            self.seen.append(f"{name} {request.query.get('symbol', '')}".strip())
            body = self.answers[name]
            if callable(body):
                body = body(request.query)
        if isinstance(body, web.StreamResponse):
            return body
        return web.json_response(text=json.dumps(body), headers=self.headers)


@asynccontextmanager
async def hosted(
    answer: Callable[[web.Request], Any] | None = None,
) -> AsyncIterator[Host]:
    """Serve a host on loopback while the context lasts."""
    host = Host()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer or host.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield host
    finally:
        await runner.cleanup()


def placed(query: Mapping[str, str]) -> dict[str, Any]:
    """Return the answer to an order that rests."""
    return {
        "orderId": 1,
        "clientOrderId": query["newClientOrderId"],
        "transactTime": 1,
        "status": "NEW",
        "executedQty": "0",
        "fills": [],
    }


def stored(order_id: str, symbol: str, **more: str) -> dict[str, Any]:
    """Return an order as a query and a list have it."""
    return {
        "symbol": symbol,
        "orderId": 1,
        "clientOrderId": order_id,
        "status": "NEW",
        "executedQty": "0",
        "updateTime": 1,
        **more,
    }
