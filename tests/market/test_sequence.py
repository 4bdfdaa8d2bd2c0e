"""Whatever is lost, doubled or swapped: a trusted book equals the venue's."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.captures import decode, head
from tests.reference import reference
from workstation.market.book import Book
from workstation.model.market import BookDelta, BookSnapshot
from workstation.model.states import BookTrust

BookEvent = BookDelta | BookSnapshot
Sides = tuple[dict[float, float], dict[float, float]]


# --- a venue of our own, whose book is known at every update id


@cache
def venue(usdm: bool) -> tuple[tuple[BookEvent, ...], dict[int, Sides]]:
    """Return a stream with a snapshot every 25 differences, and each id's book."""
    rng = random.Random(11)
    bids = {100.0 - i: 1.0 + i for i in range(5)}
    asks = {101.0 + i: 1.0 + i for i in range(5)}
    update_id = 1_000
    states: dict[int, Sides] = {}
    events: list[BookEvent] = []
    for index in range(120):
        before = update_id
        first = update_id + (rng.randrange(1, 4) if usdm else 1)
        changes: tuple[dict[float, float], dict[float, float]] = ({}, {})
        update_id = first - 1
        for _ in range(rng.randrange(1, 4)):
            update_id += 1
            side = rng.randrange(2)
            price = 101.0 + rng.randrange(8) if side else 100.0 - rng.randrange(8)
            size = rng.choice((0.0, rng.randrange(1, 9) / 2))
            changes[side][price] = size
            book = asks if side else bids
            if size:
                book[price] = size
            else:
                book.pop(price, None)
            states[update_id] = (dict(bids), dict(asks))
        events.append(
            BookDelta(
                "X",
                index,
                first,
                update_id,
                tuple(changes[0].items()),
                tuple(changes[1].items()),
                None,
                before if usdm else None,
            )
        )
        if index % 25 == 4:
            # A snapshot arrives some differences after the moment it shows.
            shown = events[-1 - rng.randrange(3)]
            assert isinstance(shown, BookDelta)
            left, right = states[shown.last_id]
            events.append(
                BookSnapshot(
                    "X",
                    index,
                    shown.last_id,
                    tuple(left.items()),
                    tuple(right.items()),
                )
            )
    return tuple(events), states


@pytest.mark.parametrize("usdm", [False, True], ids=["spot", "usdm"])
def test_the_undamaged_stream_is_followed_to_its_end(usdm: bool) -> None:
    events, states = venue(usdm)
    book = play(list(events), states)
    assert book.trust is BookTrust.TRUSTED
    assert book.update_id == max(states)
    assert book.gaps == 0


@settings(max_examples=150, deadline=None)
@given(
    st.booleans(),
    st.lists(
        st.tuples(
            st.sampled_from(["delete", "double", "swap"]),
            st.integers(0, 123),
            st.integers(1, 12),
        ),
        max_size=6,
    ),
)
def test_a_damaged_stream_never_gives_a_wrong_book_that_is_trusted(
    usdm: bool, damage: list[tuple[str, int, int]]
) -> None:
    events, states = venue(usdm)
    stream = list(events)
    for kind, at, span in damage:
        other = min(at + span, len(stream) - 1)
        if at >= len(stream):
            continue
        if kind == "delete":
            del stream[at:other]
        elif kind == "double":
            stream.insert(other, stream[at])
        else:
            stream[at], stream[other] = stream[other], stream[at]
    play(stream, states)


def play(events: list[BookEvent], states: dict[int, Sides]) -> Book:
    book = Book()
    for event in events:
        if isinstance(event, BookDelta):
            book.delta(event)
        else:
            book.snapshot(event)
        if book.trust is BookTrust.TRUSTED:
            bids, asks = states[book.update_id]
            assert dict(book.bids(99)) == bids
            assert dict(book.asks(99)) == asks
    return book


# --- the recording


@pytest.mark.reference
def test_every_single_lost_difference_of_a_recording_is_noticed() -> None:
    path = reference("data", "binance", "spot-ws", "btcusdt_20240808.gz")
    lines = [
        line
        for line in head(path, 4_000)
        if "@depth" in line or '{"lastUpdateId"' in line
    ]
    start = next(i for i, line in enumerate(lines) if '{"lastUpdateId"' in line)
    events = [decode(line, "BTCUSDT") for line in lines[: start + 60]]
    for lost in range(start + 1, start + 59):
        book = Book()
        for event in (*events[:lost], *events[lost + 1 :]):
            if isinstance(event, BookDelta):
                book.delta(event)
            elif isinstance(event, BookSnapshot):
                book.snapshot(event)
        assert book.trust is BookTrust.UNTRUSTED
        assert book.gaps == 1
