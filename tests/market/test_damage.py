"""Recordings that were damaged, read by the real reader: right, or not trusted.

Lines are deleted, doubled, swapped and cut in half at random. Whole books are put in
between, as a venue answers one who asks, so that the book comes back after a break.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.captures import decode, head
from tests.market.fakes import market
from tests.reference import reference
from workstation.market.book import Book
from workstation.model.market import BookDelta, BookSnapshot, MarketEvent
from workstation.model.states import BookTrust
from workstation.venues.file.feed import FileFeed
from workstation.venues.file.settings import FileFeedSettings

pytestmark = pytest.mark.reference

BTC = "BTCUSDT"
KINDS = ("delete", "double", "swap", "swap bodies", "cut")
Damage = tuple[str, float, int]
"""Kind, place as a share of the lines, and how many lines it spans."""


def damaged(lines: Iterable[str], damage: Iterable[Damage]) -> list[str]:
    """Return the lines with each damage done at its place."""
    found = list(lines)
    for kind, share, span in damage:
        at = min(int(share * len(found)), len(found) - 1)
        other = min(at + span, len(found) - 1)
        if kind == "delete":
            del found[at:other]
        elif kind == "double":
            found.insert(other, found[at])
        elif kind == "swap":
            found[at], found[other] = found[other], found[at]
        elif kind == "swap bodies":
            # In time order, so that it is the book's to notice.
            left, right = found[at], found[other]
            found[at] = left[:19] + right[19:]
            found[other] = right[:19] + left[19:]
        else:
            found[at] = found[at][: len(found[at]) // 2]
    return found


class Naive:
    """The undamaged book in two dicts; it is moved on to an update id."""

    def __init__(self, events: Sequence[MarketEvent]) -> None:
        (start,) = (event for event in events if isinstance(event, BookSnapshot))
        self.bids, self.asks = dict(start.bids), dict(start.asks)
        self.update_id = start.last_id
        self._left: Iterator[BookDelta] = (
            event
            for event in events
            if isinstance(event, BookDelta) and event.last_id > start.last_id
        )
        self._next = next(self._left, None)

    def move_to(self, update_id: int) -> None:
        """Apply what a book of this id has applied."""
        assert update_id >= self.update_id
        while self._next is not None and self._next.last_id <= update_id:
            for side, levels in (
                (self.bids, self._next.bids),
                (self.asks, self._next.asks),
            ):
                for price, size in levels:
                    if size:
                        side[price] = size
                    else:
                        side.pop(price, None)
            self.update_id = self._next.last_id
            self._next = next(self._left, None)
        assert self.update_id == update_id

    def check(self, book: Book) -> None:
        """Hold a book against this one, level by level."""
        self.move_to(book.update_id)
        n = max(book.depth())
        assert dict(book.bids(n)) == self.bids
        assert dict(book.asks(n)) == self.asks
        assert book.best_bid() == max(self.bids.items())
        assert book.best_ask() == min(self.asks.items())


def answered(lines: Iterable[str], every: int) -> tuple[str, ...]:
    """Return book lines with a whole book after every so many differences."""
    known = [line for line in lines if "@depth" in line or '{"lastUpdateId"' in line]
    naive = Naive([decode(line, BTC) for line in known])
    made: list[str] = []
    answers: list[tuple[int, str]] = []
    for index, line in enumerate(known):
        made.append(line)
        event = decode(line, BTC)
        if isinstance(event, BookDelta) and event.last_id > naive.update_id:
            naive.move_to(event.last_id)
            if index % every == 0:
                # It shows a moment that is some differences ago when it arrives.
                answers.append((index + index // every % 4, _snapshot(naive)))
        while answers and answers[0][0] <= index:
            made.append(f"{line[:19]} {answers.pop(0)[1]}")
    return tuple(made)


def _snapshot(naive: Naive) -> str:
    sides = {
        name: [(repr(price), repr(size)) for price, size in side.items()]
        for name, side in (("bids", naive.bids), ("asks", naive.asks))
    }
    return msgspec.json.encode({"lastUpdateId": naive.update_id, **sides}).decode()


def replay(lines: Iterable[str], naive: Naive, every: int) -> Book:
    """Run lines through reader, Aggregator and book; check at every so many events."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "damaged.txt")
        path.write_text("".join(f"{line.rstrip()}\n" for line in lines))
        feed = FileFeed(
            FileFeedSettings(
                name="file",
                format="binance-raw",
                files=(path.name,),
                symbols=(BTC,),
                on_error="skip",
                max_skipped=100_000,
            ),
            [path],
            {BTC: BTC},
        )
        part, core = market(BTC)
        live = part.instrument(BTC)
        trusted = checked = 0
        while (item := feed.next()) is not None:
            core.feed(part, [item[1]])
            book = live.book
            assert book is not None
            if book.trust is not BookTrust.TRUSTED:
                assert part.distrust(BTC, core.ts) is not None
                continue
            trusted += 1
            assert (live.bid, live.bid_size) == book.best_bid()
            if trusted % every == 0 or book.update_id == naive.update_id:
                naive.check(book)
                checked += 1
        feed.close()
        assert live.book is not None
        for entry in part.gap_ledger():
            assert entry.until_ns is None or entry.until_ns >= entry.when_ns
        assert checked or not trusted // every
        return live.book


@cache
def piece(folder: str, length: int) -> tuple[tuple[str, ...], tuple[MarketEvent, ...]]:
    """Return the book lines of a capture's head, and the events of the undamaged book.

    There is a whole book after every 40 differences.
    """
    path = reference("data", "binance", folder, "btcusdt_20240808.gz")
    lines = answered(head(path, length), 40)
    events = [decode(line, BTC) for line in lines]
    start = next(event for event in events if isinstance(event, BookSnapshot))
    # Without the books that were put in.
    return lines, tuple(
        event
        for event in events
        if event is start or not isinstance(event, BookSnapshot)
    )


@pytest.mark.parametrize("folder", ["spot-ws", "usdm-ws"])
def test_an_undamaged_recording_is_trusted_to_its_end(folder: str) -> None:
    lines, events = piece(folder, 1_200)
    book = replay(lines, Naive(events), every=1)
    assert (book.trust, book.gaps, book.crossed) == (BookTrust.TRUSTED, 0, 0)
    assert book.replaced + book.refused == 1 + len(lines) - len(events) > 2


@pytest.mark.parametrize("folder", ["spot-ws", "usdm-ws"])
@settings(max_examples=20, deadline=None)
@given(
    damage=st.lists(
        st.tuples(st.sampled_from(KINDS), st.floats(0.0, 1.0), st.integers(1, 9)),
        min_size=1,
        max_size=5,
    )
)
def test_a_damaged_recording_is_never_silently_wrong(
    folder: str, damage: list[Damage]
) -> None:
    lines, events = piece(folder, 1_200)
    replay(damaged(lines, damage), Naive(events), every=2)


@pytest.mark.parametrize("folder", ["spot-ws", "usdm-ws"])
def test_a_longer_recording_with_many_damages_is_never_silently_wrong(
    folder: str,
) -> None:
    lines, events = piece(folder, 18_000)
    rng = random.Random(3)
    damage = [
        (rng.choice(KINDS), rng.random(), rng.randrange(1, 6))
        for _ in range(len(lines) // 20)
    ]
    book = replay(damaged(lines, damage), Naive(events), every=25)
    assert len(damage) > 60
    assert book.gaps > 15
    assert book.replaced > 10
    assert book.applied > len(lines) // 4


def test_levels_of_both_sides_are_compared() -> None:
    lines, events = piece("spot-ws", 1_200)
    for is_bid in (True, False):
        naive = Naive(events)
        if is_bid:
            naive.bids[min(naive.bids)] += 1.0
        else:
            naive.asks[max(naive.asks)] += 1.0
        with pytest.raises(AssertionError):
            replay(lines, naive, every=1)
