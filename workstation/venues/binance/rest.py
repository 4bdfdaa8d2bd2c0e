"""Calls of Binance's REST API: signed, timed, and honest about what is not known.

A call ends in an answer, in ``BinanceRefused`` (the venue has certainly not done it)
or in ``VenueSilent`` (it may have). Nothing is tried again here but what a wrong clock
had refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from workstation.kernel.clock import Clock, RealClock, steady_clock
from workstation.model.errors import VenueSilent, WorkstationError
from workstation.model.timeframes import NS_PER_MS, NS_PER_S
from workstation.venues.binance.allowance import (
    WEIGHT,
    Allowance,
    weight_of_call,
)
from workstation.venues.binance.settings import BinanceVenueSettings
from workstation.venues.binance.signing import signed_query

__all__ = ["BinanceRefused", "BinanceRest"]

# Codes after which the order may live: unknown error, internal error, unexpected
# response, time-out within the venue.
_UNSURE = frozenset({-1000, -1001, -1006, -1007})
_WRONG_CLOCK = -1021
# Who had it may not have had all of it, or has passed it on.
_TIMED_OUT = 408
_MINUTE_NS = 60 * NS_PER_S
# A signed query is good for as long as its receive window: it is in no text.
_ADDRESS = re.compile(r"\S*(?:://|[?&]signature=)\S*")


class BinanceRefused(WorkstationError):
    """The venue refused: its code (0 where there was none) and its words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"{message} (code {code}, HTTP {status})")
        self.status = status
        self.code = code
        self.message = message


class _Problem(msgspec.Struct):
    code: int = 0
    msg: str = ""


class _Time(msgspec.Struct):
    serverTime: int


class BinanceRest:
    """One account's connection; made in a running loop, closed with ``close``."""

    def __init__(
        self,
        settings: BinanceVenueSettings,
        clock: Clock | None = None,
        steady: Clock | None = None,
    ) -> None:
        """``steady`` is what waits and the venue's clock are told by.

        The machine's ``clock`` may be set at any time, also back.
        """
        self.answers = 0
        """How many calls were answered for certain, with a refusal or with more."""
        self._settings = settings
        self._clock = clock or RealClock()
        self._steady = steady or steady_clock()
        self._session: aiohttp.ClientSession | None = None
        # What the venue's clock shows less the steady one, and less ours.
        self._ahead_ns: int | None = None
        self._offset_ns = 0
        self._allowance = Allowance(settings.weight_per_minute)

    async def call(
        self, method: str, path: str, params: Sequence[tuple[str, str]], kind: type[Any]
    ) -> Any:  # Any: an instance of ``kind``
        """Return the answer to a signed request, decoded as ``kind``."""
        if self._ahead_ns is None:
            await self._measure_clock()
        try:
            return await self._signed(method, path, params, kind)
        except BinanceRefused as refusal:
            if refusal.code != _WRONG_CLOCK:
                raise
        # It never reached the matching engine: the same request may go again.
        await self._measure_clock()
        return await self._signed(method, path, params, kind)

    def rests(self) -> str:
        """Return why nothing is to be polled now; empty when it may be."""
        return self._allowance.rest(self._steady.now(), self._minute())

    def holds_s(self, weight: int) -> float:
        """Return for how long a question of this weight is to wait, s; 0 for not.

        While there is a ban nothing waits: the question is told of it.
        """
        there_ns, allowance = self._now_there(), self._allowance
        minute = there_ns // _MINUTE_NS
        if allowance.bar(self._steady.now()) or not allowance.holds(weight, minute):
            return 0.0
        return ((minute + 1) * _MINUTE_NS - there_ns) / NS_PER_S

    async def room(self, where: str, *, of_symbol: bool = True) -> None:
        """Return once there is room for one more call of a long question."""
        weight = weight_of_call(where, of_symbol=of_symbol)
        steady = self._steady
        while wait_s := self.holds_s(weight):
            await steady.sleep_until(steady.now() + int(wait_s * NS_PER_S))

    def there_ns(self, ns: int) -> int:
        """Return what the venue's clock showed at a time of ours, as last measured."""
        return ns + self._offset_ns

    async def _signed(
        self, method: str, path: str, params: Sequence[tuple[str, str]], kind: type[Any]
    ) -> Any:
        settings = self._settings
        now_ms = self._now_there() // NS_PER_MS
        query = signed_query(
            settings.secret,
            [
                *params,
                ("recvWindow", str(settings.recv_window_ms)),
                ("timestamp", str(now_ms)),
            ],
        )
        answer = await self._fetch(method, f"{path}?{query}", kind)
        self._allowance.welcomed()
        return answer

    async def _measure_clock(self) -> None:
        clock, steady = self._clock, self._steady
        sent_ns, began_ns = clock.now(), steady.now()
        server: _Time = await self._fetch("GET", "/api/v3/time", _Time)
        there_ns = server.serverTime * NS_PER_MS
        self._offset_ns = there_ns - (sent_ns + clock.now()) // 2
        self._ahead_ns = there_ns - (began_ns + steady.now()) // 2

    def _now_there(self) -> int:
        """Return what the venue's clock shows now; ours before it was measured."""
        if self._ahead_ns is None:
            return self._clock.now()
        return self._steady.now() + self._ahead_ns

    async def _fetch(self, method: str, target: str, kind: type[Any]) -> Any:
        allowance, sent_in = self._allowance, self._minute()
        if barred := allowance.bar(self._steady.now()):
            raise BinanceRefused(429, 0, barred)
        session = self._session
        if session is None:
            session = self._session = aiohttp.ClientSession(
                # A cancel that waits for a connection has no answer in time.
                connector=aiohttp.TCPConnector(limit=0),
                headers={"X-MBX-APIKEY": self._settings.key},
                timeout=aiohttp.ClientTimeout(total=self._settings.timeout_s),
            )
        path, _, query = target.partition("?")
        where = f"{method} {path}"
        weight = weight_of_call(where, of_symbol="symbol=" in query)
        told = False
        allowance.leaves(weight)
        try:
            async with session.request(
                method,
                # As it was signed: else ids with a colon or a slash are encoded anew.
                URL(f"{self._settings.base_url}{target}", encoded=True),
                # Key and signature are for this host.
                allow_redirects=False,
            ) as response:
                status, body = response.status, await response.read()
                headers = response.headers
                told = WEIGHT in headers
        except aiohttp.ClientConnectorError as error:
            # No connection: nothing was sent.
            words = f"{where}: no connection: {_without_address(error)}"
            raise BinanceRefused(0, 0, words) from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            words = _without_address(error)
            words = words or f"no answer in {self._settings.timeout_s:g} s"
            raise VenueSilent(f"{where}: {words}") from None
        finally:
            allowance.returns(weight, self._minute(), told=told)
        minute = self._minute()
        counted_in = minute if minute == sent_in else None
        allowance.heard(status, headers, self._steady.now(), counted_in)
        if status == 200:
            try:
                answer = msgspec.json.decode(body, type=kind)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise VenueSilent(f"{where}: not understood: {error}") from error
            self.answers += 1
            return answer
        failure = _failure(where, status, body)
        if isinstance(failure, BinanceRefused):
            self.answers += 1
        raise failure

    def _minute(self) -> int:
        return self._now_there() // _MINUTE_NS

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _failure(where: str, status: int, body: bytes) -> WorkstationError:
    """Return what an answer other than 200 means for the request."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        problem = _Problem(0, f"HTTP {status}")
    refused = 400 <= status < 500 and status != _TIMED_OUT
    if not refused or problem.code in _UNSURE:
        return VenueSilent(f"{where}: HTTP {status}: {problem.msg}")
    return BinanceRefused(status, problem.code, problem.msg)


def _without_address(error: Exception) -> str:
    return _ADDRESS.sub("(address)", str(error))
