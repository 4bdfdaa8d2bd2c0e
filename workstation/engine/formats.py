"""Formats of the journal: which one this version writes, and how older ones are read.

Whoever changes what records, inputs or the header look like raises FORMAT and adds the
step from the format before. Readers ask here, before they believe a word of a file; and
what is read of a table is held against the proof that was written with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from workstation import __version__
from workstation.model.errors import JournalError
from workstation.model.money import times
from workstation.model.records import Record

__all__ = [
    "FORMAT",
    "PROVEN",
    "STEPS",
    "Proof",
    "Step",
    "check_format",
    "proven",
    "record_decoder",
    "to_replay",
]

FORMAT = 4
"""What is written. 1 had no answers of scripts; 2 began before rows said who moved
them and positions what they cost; 3 had no proof of its rows."""
PROVEN = 4
"""The first format that has one: without it a journal of today is damaged."""

Plain = dict[str, Any]  # Any: decoded msgpack, whose shape is that of an older version.


class Step(NamedTuple):
    """What takes a record of one format to the next; it may change what it is given."""

    record: Callable[[Plain], Plain]


def _as_it_was(record: Plain) -> Plain:
    return record


def _from_2(record: Plain) -> Plain:
    kind = record["type"]
    if kind == "state":
        # Early files of this format do not say it.
        record.setdefault("who", "unknown")
    elif kind == "reconcile":
        record["type"] = "requote"
    elif kind == "position":
        for side in ("before", "after"):
            position = record[side]
            if "cost" not in position:
                held = Decimal(position.get("quantity", "0"))
                price = Decimal(position.get("average_price", "0"))
                position["cost"] = str(times(held, price))
    return record


STEPS: Mapping[int, Step] = {
    1: Step(_as_it_was),
    2: Step(_from_2),
    3: Step(_as_it_was),
}
"""By the format they lead away from; without a gap up to FORMAT."""

_decode: Callable[[bytes], Record] = msgspec.msgpack.Decoder(Record).decode
_encode_row = msgspec.msgpack.Encoder().encode
_decode_plain = msgspec.msgpack.Decoder(Plain).decode


def check_format(header: Mapping[str, object], path: Path) -> int:
    """Return the format of a journal whose records this version can read.

    Raises JournalError that says which version wrote it, and what to do.
    """
    found = header.get("format")
    if not isinstance(found, int) or isinstance(found, bool):
        raise JournalError(f"journal {path}: damaged: its header has no format")
    if found > FORMAT:
        raise JournalError(
            f"journal {path}: format {found}, written by {_writer(header)}; this is "
            f"workstation {__version__}, which reads up to format {FORMAT}. Start the "
            "version that wrote it, or a newer one; nothing was changed here"
        )
    if found < min(STEPS):
        raise JournalError(
            f"journal {path}: format {found}, written by {_writer(header)}; this is "
            f"workstation {__version__}, which reads formats {min(STEPS)} to {FORMAT}. "
            "Start the version that wrote it"
        )
    return found


def to_replay(header: Mapping[str, object], path: Path) -> None:
    """Raise JournalError unless a replay of this journal can prove anything."""
    found = check_format(header, path)
    if found < FORMAT:
        raise JournalError(
            f"journal {path}: format {found}, written by {_writer(header)}; this is "
            f"workstation {__version__}, which decides and records differently (format "
            f"{FORMAT}), so that a replay would prove nothing. Replay it with the "
            "version that wrote it; an account is taken up from it all the same"
        )


def record_decoder(found: int) -> Callable[[bytes], Record]:
    """Return what decodes a record of this format as one of today's.

    It raises MsgspecError or TypeError where a record is damaged.
    """
    if found == FORMAT:
        return _decode
    steps = [STEPS[each].record for each in range(found, FORMAT)]

    def decode(blob: bytes) -> Record:
        plain = _decode_plain(blob)
        try:
            for step in steps:
                plain = step(plain)
        except (KeyError, AttributeError, ArithmeticError) as error:
            raise TypeError(f"no record of format {found}: {error!r}") from error
        return cast(Record, msgspec.convert(plain, Record))

    return decode


class Proof:
    """A running count and digest of a table's rows, in the order of writing."""

    def __init__(self) -> None:
        self.count = 0
        self._digest = blake2b(digest_size=16)

    def after(self, rows: list[tuple[Any, ...]]) -> Proof:  # Any: columns of a table
        """Return what proves these rows, too; this one stays as it is.

        Raises OverflowError for a number that no table holds.
        """
        proof = Proof()
        proof.count = self.count + len(rows)
        proof._digest = self._digest.copy()
        proof._digest.update(b"".join(map(_encode_row, rows)))
        return proof

    @property
    def mark(self) -> tuple[int, bytes]:
        """Return what is stored with the commit that ends here."""
        return self.count, self._digest.digest()


def proven(
    rows: Iterable[tuple[Any, ...]], marks: Iterable[tuple[int, bytes]]
) -> Iterator[tuple[Any, ...]]:
    """Yield rows, each once a mark of its commit has shown that it is what was written.

    Raises ValueError that says behind which row something is not.
    """
    rows = iter(rows)
    proof, mark = Proof(), None
    for mark in marks:
        count, _ = mark
        chunk = list(islice(rows, max(0, count - proof.count)))
        wanted = proof.after(chunk)
        if wanted.mark != mark:
            raise ValueError(
                f"what is behind row {proof.count} is not what was written"
            )
        proof = wanted
        yield from chunk
    if mark is None or next(rows, None) is not None:
        raise ValueError(f"what is behind row {proof.count} was not written by us")


def _writer(header: Mapping[str, object]) -> str:
    return f"workstation {header.get('version', 'of an unknown version')}"
