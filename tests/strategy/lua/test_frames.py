"""Streams are cut into the same messages however they arrive, and bounded at once."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategy.lua.workers import load, question
from workstation.strategy.lua.frames import (
    Decoder,
    MessageError,
    decode_from_worker,
    decode_to_worker,
    encode,
)
from workstation.strategy.lua.wire import MAX_MESSAGE, Ask


@given(
    st.lists(st.binary(max_size=50), max_size=5),
    st.lists(st.integers(1, 40), max_size=20),
)
def test_a_stream_is_cut_into_the_same_bodies_however_it_arrives(
    bodies: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(struct.pack(">I", len(body)) + body for body in bodies)
    decoder, found = Decoder(), []
    while stream:
        size = cuts.pop() if cuts else len(stream)
        decoder.feed(stream[:size])
        stream = stream[size:]
        while (body := decoder.next()) is not None:
            found.append(body)
    assert found == bodies
    assert decoder.held == 0


def test_a_length_beyond_the_bound_is_refused_before_anything_is_held_for_it() -> None:
    decoder = Decoder()
    decoder.feed(struct.pack(">I", MAX_MESSAGE + 1))
    with pytest.raises(MessageError, match="at most"):
        decoder.next()


def test_a_message_beyond_the_bound_is_not_sent() -> None:
    with pytest.raises(MessageError, match="at most"):
        encode(load("x" * (MAX_MESSAGE + 1)))


def test_a_number_that_no_message_can_hold_is_not_sent() -> None:
    with pytest.raises(MessageError):
        encode(Ask((question(params={"a": 2**64}),)))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    for decode in (decode_to_worker, decode_from_worker):
        with pytest.raises(MessageError):
            decode(data)
