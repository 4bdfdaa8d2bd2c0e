"""Messages as bytes: msgpack behind a length of 4 bytes, in both directions.

Used by the worker and by ``host.py``; what does not decode exactly is no message.
"""

from __future__ import annotations

import struct

import msgspec

from workstation.strategy.lua.wire import MAX_MESSAGE, FromWorker, ToWorker

__all__ = [
    "Decoder",
    "MessageError",
    "decode_from_worker",
    "decode_to_worker",
    "encode",
]


class MessageError(Exception):
    """Bytes that are no message: too long, not msgpack, or of another shape."""


_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
_to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


def encode(message: ToWorker | FromWorker) -> bytes:
    """Return a message with its length.

    Raises MessageError where it is too long or has a whole number beyond 64 bits.
    """
    try:
        body = _encoder.encode(message)
    except OverflowError as error:
        raise MessageError(str(error)) from error
    if len(body) > MAX_MESSAGE:
        raise MessageError(f"a message of {len(body)} bytes; at most {MAX_MESSAGE}")
    return _LENGTH.pack(len(body)) + body


def decode_to_worker(body: bytes) -> ToWorker:
    """Return what the core sent; raises MessageError."""
    try:
        return _to_worker.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(str(error)) from error


def decode_from_worker(body: bytes) -> FromWorker:
    """Return what a worker sent; raises MessageError."""
    try:
        return _from_worker.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(str(error)) from error


class Decoder:
    """Cut a stream into messages' bodies; holds at most one message and a read."""

    def __init__(self) -> None:
        self._held = bytearray()

    @property
    def held(self) -> int:
        """Return how many bytes wait for the rest of their message."""
        return len(self._held)

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        self._held += data

    def next(self) -> bytes | None:
        """Return the next body, or None; raises MessageError for a length too great."""
        if len(self._held) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._held)
        if length > MAX_MESSAGE:
            raise MessageError(f"a message of {length} bytes; at most {MAX_MESSAGE}")
        end = _LENGTH.size + length
        if len(self._held) < end:
            return None
        body = bytes(self._held[_LENGTH.size : end])
        del self._held[:end]
        return body
