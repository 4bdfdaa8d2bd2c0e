"""The watchdog: what it knows of the entries, when it acts, and how it insists."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import msgspec
import pytest

from tests.venues.binance_host import hosted
from workstation.kernel.clock import SimClock
from workstation.model.errors import VenueSilent
from workstation.model.orders import OrderStatus
from workstation.model.rates import BrokerAbilities
from workstation.model.reports import (
    CancelRejected,
    OrderCanceled,
    OrderStatusReport,
    Report,
)
from workstation.model.requests import CancelOrder, Request
from workstation.model.timeframes import NS_PER_S
from workstation.venues.watchdog import Watchdog

BEGAN = 1_000 * NS_PER_S
WATCHDOG = (sys.executable, "-m", "workstation.venues.watchdog")


class Hasty(SimClock):
    """Sleeps by moving its own time."""

    def __init__(self) -> None:
        super().__init__(BEGAN)

    async def sleep_until(self, ns: int) -> None:
        self.advance_to(ns)
        await asyncio.sleep(0)


class Venue:
    """Answers a cancel by ``answer``, given the seconds since the watch ended."""

    name = "fake"
    abilities = BrokerAbilities()

    def __init__(self, answer: Callable[[str, float], Sequence[Report]]) -> None:
        self.clock = Hasty()
        self.answer = answer
        self.asked: list[Request] = []
        self.closed = False

    @property
    def passed_s(self) -> float:
        return (self.clock.now() - BEGAN) / NS_PER_S

    async def send(self, request: Request) -> Sequence[Report]:
        self.asked.append(request)
        assert isinstance(request, CancelOrder)
        return self.answer(request.order_id, self.passed_s)

    async def news(self) -> Sequence[Report]:
        return ()

    def account(self) -> None:
        return None

    async def close(self) -> None:
        self.closed = True


def canceled(order_id: str, _: float) -> Sequence[Report]:
    return (OrderCanceled(order_id),)


def refused(order_id: str, status: OrderStatus | None) -> Sequence[Report]:
    said = CancelRejected(order_id, "Unknown order sent.")
    return (said, OrderStatusReport(order_id, status))


def watchdog_of(venue: Venue, recv_window_ms: int = 5_000) -> Watchdog:
    found = Watchdog(venue, recv_window_ms=recv_window_ms, clock=venue.clock)
    found.take(SENT)
    return found


def _lines(*lines: bytes, end: bool = False) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    for line in lines:
        reader.feed_data(line + b"\n")
    if end:
        reader.feed_eof()
    return reader


SENT = b'{"sent":{"a":"BTCUSDT","b":"ETHUSDT"}}'


async def test_it_knows_what_was_sent_and_is_not_gone() -> None:
    watchdog = Watchdog(Venue(canceled))
    lines = _lines(SENT, b"", b'{"gone":["a","never"]}', end=True)
    assert await watchdog.watch(lines, 60) == "gone without a word"
    assert watchdog.entries == {"b": "ETHUSDT"}


async def test_silence_counts_as_death() -> None:
    watchdog = Watchdog(Venue(canceled))
    assert await watchdog.watch(_lines(SENT), 0.01) == "silent for 0.01 s"


async def test_a_farewell_leaves_everything_as_it_is() -> None:
    watchdog = Watchdog(Venue(canceled))
    assert await watchdog.watch(_lines(SENT, b'{"bye":true}', end=True), 60) == ""


async def test_a_line_that_a_kill_has_cut_off_is_not_taken() -> None:
    watchdog = Watchdog(Venue(canceled))
    lines = _lines(SENT)
    lines.feed_data(b'{"sent":{"c')
    lines.feed_eof()
    assert await watchdog.watch(lines, 60) == "gone without a word"
    assert set(watchdog.entries) == {"a", "b"}


async def test_it_cancels_every_entry_and_tells_what_became_of_each() -> None:
    venue = Venue(
        lambda order_id, passed_s: (
            refused(order_id, OrderStatus.FILLED)
            if order_id == "b"
            else canceled(order_id, passed_s)
        )
    )
    watchdog = watchdog_of(venue)
    assert await watchdog.cancel() == {"a": "canceled", "b": "filled"}
    assert venue.asked == [CancelOrder("a", "BTCUSDT"), CancelOrder("b", "ETHUSDT")]
    assert venue.passed_s == 0
    assert venue.closed


async def test_it_insists_while_the_venue_is_silent() -> None:
    def answer(order_id: str, passed_s: float) -> Sequence[Report]:
        if passed_s < 5:
            raise VenueSilent("no answer")
        return canceled(order_id, passed_s)

    venue = Venue(answer)
    assert await watchdog_of(venue).cancel() == {"a": "canceled", "b": "canceled"}
    assert venue.passed_s == 5


async def test_it_outlasts_a_ban_but_not_every_one() -> None:
    def answer(order_id: str, passed_s: float) -> Sequence[Report]:
        if passed_s < ban_s:
            raise VenueSilent("too many requests")
        return canceled(order_id, passed_s)

    ban_s = 120
    venue = Venue(answer)
    assert await watchdog_of(venue).cancel() == {"a": "canceled", "b": "canceled"}
    ban_s = 3 * 86_400
    venue = Venue(answer)
    watchdog = watchdog_of(venue)
    said = "too many requests"
    assert await watchdog.cancel() == {"a": said, "b": said}
    assert venue.passed_s == 3_600
    assert set(watchdog.entries) == {"a", "b"}
    # Every second for a minute, then every ten.
    assert len(venue.asked) == 2 * (60 + 354 + 1)


async def test_an_order_that_is_still_on_its_way_is_canceled_when_it_is_there() -> None:
    def answer(order_id: str, passed_s: float) -> Sequence[Report]:
        if passed_s < 2:
            return refused(order_id, None)
        return canceled(order_id, passed_s)

    venue = Venue(answer)
    assert await watchdog_of(venue).cancel() == {"a": "canceled", "b": "canceled"}


async def test_no_such_order_counts_once_none_can_be_on_its_way() -> None:
    venue = Venue(lambda order_id, _: refused(order_id, None))
    watchdog = watchdog_of(venue, recv_window_ms=5_000)
    said = "Unknown order sent."
    assert await watchdog.cancel() == {"a": said, "b": said}
    assert watchdog.entries == {}
    # The receive window, and ten seconds for the venue to show what it has.
    assert venue.passed_s == 15


async def test_an_entry_that_nobody_can_ask_about_is_given_up_as_late() -> None:
    said = "this account has no KRAKEN"
    venue = Venue(lambda order_id, _: (CancelRejected(order_id, said),))
    assert await watchdog_of(venue).cancel() == {"a": said, "b": said}
    assert venue.passed_s == 15


async def test_a_cancel_refused_while_the_order_is_open_is_tried_again() -> None:
    def answer(order_id: str, passed_s: float) -> Sequence[Report]:
        if passed_s < 30:
            return refused(order_id, OrderStatus.PARTIALLY_FILLED)
        return canceled(order_id, passed_s)

    venue = Venue(answer)
    assert await watchdog_of(venue).cancel() == {"a": "canceled", "b": "canceled"}
    assert venue.passed_s == 30


async def test_an_error_about_one_entry_leaves_no_other_behind() -> None:
    def answer(order_id: str, passed_s: float) -> Sequence[Report]:
        if order_id == "a":
            raise KeyError(order_id)
        return canceled(order_id, passed_s)

    venue = Venue(answer)
    watchdog = watchdog_of(venue)
    assert await watchdog.cancel() == {"a": "KeyError: 'a'", "b": "canceled"}
    assert set(watchdog.entries) == {"a"}


@contextmanager
def first_of(url: str, silence_s: float) -> Iterator[int]:
    """Give what a watchdog is started with, as a descriptor."""
    symbols = {"BTCUSDT": "BTCUSDT", "ETHUSDT": "ETHUSDT"}
    account = {"venue": {"base_url": url}, "symbols": symbols, "silence_s": silence_s}
    with open(os.memfd_create("first"), "w+b") as first:
        first.write(msgspec.json.encode(account) + b"\n" + SENT + b"\n")
        first.seek(0)
        yield first.fileno()


def test_once_it_acts_it_hears_no_more_and_whoever_writes_notices() -> None:
    # Nobody listens there: it would insist for an hour.
    with first_of("http://127.0.0.1:9", 0.2) as first:
        process = subprocess.Popen(
            [*WATCHDOG, str(first)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(first,),
        )
    assert process.stdin is not None
    assert process.stderr is not None
    pipe = process.stdin.fileno()
    os.write(pipe, b'{"sent":{"c":"BTCUSDT"}}\n')
    try:
        assert process.stderr.readline() == (
            b"watchdog: the engine is silent for 0.2 s; entries to cancel: 3\n"
        )
        with pytest.raises(BrokenPipeError):
            os.write(pipe, b"\n")
    finally:
        process.kill()
        process.communicate()


@contextmanager
def closed_terminal() -> Iterator[int]:
    ours, its = pty.openpty()
    os.close(ours)
    yield its
    os.close(its)


@contextmanager
def closed_pipe() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@contextmanager
def full_pipe() -> Iterator[int]:
    reading, writing = os.pipe()
    size = fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ)
    assert os.write(writing, bytes(size)) == size
    yield writing
    os.close(writing)
    os.close(reading)


@pytest.mark.parametrize("unheard", [closed_terminal, closed_pipe, full_pipe])
async def test_it_cancels_also_where_nobody_can_hear_what_it_says(
    unheard: Callable[[], AbstractContextManager[int]],
) -> None:
    async with asyncio.timeout(60), hosted() as host:
        host.answers["DELETE order"] = {
            "orderId": 1,
            "origClientOrderId": "",
            "transactTime": 1,
            "executedQty": "0",
        }
        with first_of(host.url, 600.0) as first, unheard() as stderr:
            process = await asyncio.create_subprocess_exec(
                *WATCHDOG,
                str(first),
                stdin=subprocess.PIPE,
                stderr=stderr,
                pass_fds=(first,),
                start_new_session=True,
            )
            assert process.stdin is not None
            # The engine was killed.
            process.stdin.close()
            assert await process.wait() == 0
    assert host.seen == ["DELETE order BTCUSDT", "DELETE order ETHUSDT"]


async def test_a_line_that_is_no_json_ends_it_loudly() -> None:
    with pytest.raises(msgspec.DecodeError):
        await Watchdog(Venue(canceled)).watch(_lines(b"nonsense"), 60)
