"""The watchdog: what it knows of the entries, when it acts, and how it insists."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from workstation.model.errors import VenueSilent
from workstation.model.rates import BrokerAbilities
from workstation.model.reports import CancelRejected, OrderCanceled, Report
from workstation.model.requests import CancelOrder, Request
from workstation.venues import watchdog as module
from workstation.venues.watchdog import Watchdog


class Venue:
    """Cancels what it is asked to, after ``silent`` calls that nobody answers."""

    name = "fake"
    abilities = BrokerAbilities()

    def __init__(self, silent: int = 0, refuses: str = "") -> None:
        self.silent = silent
        self.refuses = refuses
        self.asked: list[Request] = []
        self.closed = False

    async def send(self, request: Request) -> Sequence[Report]:
        self.asked.append(request)
        assert isinstance(request, CancelOrder)
        if self.silent:
            self.silent -= 1
            raise VenueSilent("no answer")
        if request.order_id == self.refuses:
            return (CancelRejected(request.order_id, "Unknown order sent."),)
        return (OrderCanceled(request.order_id),)

    async def news(self) -> Sequence[Report]:
        return ()

    def account(self) -> None:
        return None

    async def close(self) -> None:
        self.closed = True


def _lines(*lines: bytes, end: bool = False) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    for line in lines:
        reader.feed_data(line + b"\n")
    if end:
        reader.feed_eof()
    return reader


SENT = b'{"sent":{"a":"BTCUSDT","b":"ETHUSDT"}}'


async def test_it_knows_what_was_sent_and_is_not_gone() -> None:
    watchdog = Watchdog(Venue())
    lines = _lines(SENT, b"", b'{"gone":["a","never"]}', end=True)
    assert await watchdog.watch(lines, 60) == "gone without a word"
    assert watchdog.entries == {"b": "ETHUSDT"}


async def test_silence_counts_as_death() -> None:
    watchdog = Watchdog(Venue())
    assert await watchdog.watch(_lines(SENT), 0.01) == "silent for 0.01 s"


async def test_a_farewell_leaves_everything_as_it_is() -> None:
    watchdog = Watchdog(Venue())
    assert await watchdog.watch(_lines(SENT, b'{"bye":true}', end=True), 60) == ""


async def test_it_cancels_every_entry_and_tells_what_became_of_each() -> None:
    venue = Venue(refuses="b")
    watchdog = Watchdog(venue)
    watchdog.take(SENT)
    fates = await watchdog.cancel()
    assert fates == {"a": "canceled", "b": "Unknown order sent."}
    assert venue.asked == [CancelOrder("a", "BTCUSDT"), CancelOrder("b", "ETHUSDT")]
    assert venue.closed


async def test_it_insists_while_the_venue_is_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0)
    watchdog = Watchdog(Venue(silent=5))
    watchdog.take(SENT)
    assert await watchdog.cancel() == {"a": "canceled", "b": "canceled"}
    monkeypatch.setattr(module, "TRIES", 3)
    watchdog.take(SENT)
    fates = await Watchdog(Venue(silent=99)).cancel()
    assert fates == {}
    lost = Watchdog(Venue(silent=99))
    lost.take(SENT)
    assert await lost.cancel() == {"a": "no answer", "b": "no answer"}


async def test_a_line_that_is_no_json_ends_it_loudly() -> None:
    with pytest.raises(msgspec.DecodeError):
        await Watchdog(Venue()).watch(_lines(b"nonsense"), 60)
