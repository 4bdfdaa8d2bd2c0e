"""Hashes of a run: the decision hash over records, the state hash over the end.

Canonical means msgpack of frozen Structs in field order: no wall time, no counters,
nothing that depends on the order of a set or on ``PYTHONHASHSEED``.
"""

from __future__ import annotations

import hashlib

import msgspec

__all__ = ["DecisionHash", "digest_of", "encode"]

_ENCODER = msgspec.msgpack.Encoder(decimal_format="string")

encode = _ENCODER.encode


def digest_of(state: object) -> bytes:
    """Return the 16-byte digest of a canonical structure."""
    return hashlib.blake2b(encode(state), digest_size=16).digest()


class DecisionHash:
    """A running hash over every record of a run; ``update`` adds an encoded one."""

    __slots__ = ("_hash", "update")

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        # The C method itself: it is called for every record.
        self.update = self._hash.update

    def digest(self) -> bytes:
        """Return the hash of all records so far."""
        return self._hash.copy().digest()

    def state_hash(self, snapshot: object) -> str:
        """Return H(decision hash ‖ digest of the final snapshot), hex."""
        joined = self.digest() + digest_of(snapshot)
        return hashlib.blake2b(joined, digest_size=16).hexdigest()
