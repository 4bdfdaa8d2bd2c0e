"""The index of a recording: what was recorded, line by line, and how it ended.

``index.jsonl`` has one JSON object a line. Each ends with a check over itself and the
check before it, so that a line that is changed, lost or put in is seen.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec
from msgspec import Struct

__all__ = ["INDEX", "Began", "Begin", "End", "Gap", "Halted", "Hole", "Index"]
__all__ += ["Line", "Over", "Segment", "encode_line", "read_index"]

INDEX = "index.jsonl"
_CHECK = re.compile(rb'^(\{.*),"check":"([0-9a-f]{16})"\}$')


class Begin(Struct, frozen=True, kw_only=True, tag_field="kind", tag="begin"):
    """The first line: whose index it is; ``header`` digests header.json."""

    id: str
    header: str


class Began(Struct, frozen=True, kw_only=True, tag_field="kind", tag="began"):
    """A feed is recorded from its next event, number ``event``, on.

    ``whole`` says that it is the feed's first event of the run; where it is not,
    ``snapshots`` are the books as they stood, written in front of it.
    """

    feed: str
    event: int
    ts: int | None
    seq: int
    whole: bool
    snapshots: int = 0


class Halted(Struct, frozen=True, kw_only=True, tag_field="kind", tag="halted"):
    """The operator ended the recording of a feed; ``event`` would come next."""

    feed: str
    event: int
    ts: int | None
    seq: int


class Hole(Struct, frozen=True, kw_only=True, tag_field="kind", tag="hole"):
    """Before event ``event`` of a feed others are missing."""

    feed: str
    event: int
    detail: str


class Segment(Struct, frozen=True, kw_only=True, tag_field="kind", tag="segment"):
    """A finished file: its events (``first`` is the number of the first), or frames.

    ``bytes`` and ``digest`` (blake2b) are of the file as it is on disk.
    """

    feed: str
    file: str
    number: int
    first: int
    items: int
    first_ts: int
    last_ts: int
    bytes: int
    digest: str


class Gap(Struct, frozen=True, kw_only=True, tag_field="kind", tag="gap"):
    """An entry of the gap ledger: a book's trust was lost, or mended."""

    what: str
    instrument: str
    ts: int
    seq: int
    reason: str
    expected: int | None = None
    got: int | None = None


class Over(Struct, frozen=True, kw_only=True, tag_field="kind", tag="over"):
    """A feed ended (``ended``), failed (``failed``) or was itself cut (``cut``)."""

    feed: str
    how: str
    event: int
    detail: str = ""


class End(Struct, frozen=True, kw_only=True, tag_field="kind", tag="end"):
    """The last line: ``stopped`` (the run), ``ended`` (its feeds), ``broken`` (this).

    ``events`` are all that were delivered, ``recorded`` those of each recorded feed
    that are here. ``by_hand`` counts commands and interrupted scripts: a run that had
    any is not made again by its events alone.
    """

    how: str
    reason: str = ""
    events: int = 0
    inputs: int = 0
    by_hand: int = 0
    state_hash: str = ""
    recorded: dict[str, int] = {}


Line = Begin | Began | Halted | Hole | Segment | Gap | Over | End

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


class Index(Struct, frozen=True, kw_only=True):
    """The lines that could be read, and what is wrong with the rest."""

    lines: tuple[Line, ...]
    damage: tuple[str, ...] = ()


def encode_line(line: Line, check: str) -> tuple[bytes, str]:
    """Return the bytes of a line that follows one with ``check``, and its own."""
    body = _encode(line)[:-1]
    own = _own_check(check, body)
    return body + f',"check":"{own}"}}\n'.encode(), own


def read_index(folder: Path) -> Index:
    """Return the index of a recording.

    A last line without its end is one that was being written, and no damage.
    """
    path = folder / INDEX
    try:
        *texts, _ = path.read_bytes().split(b"\n")
    except OSError as error:
        return Index(lines=(), damage=(f"{INDEX}: {error.strerror or error}",))
    lines: list[Line] = []
    damage: list[str] = []
    check = ""
    for number, text in enumerate(texts, 1):
        where = f"{INDEX}:{number}"
        match = _CHECK.match(text)
        if match is None:
            damage.append(f"{where}: no line of an index, which ends with its check")
            continue
        body, found = match[1], match[2].decode()
        expected = _own_check(check, body)
        check = found
        if found != expected:
            damage.append(
                f"{where}: check {found} where {expected} was expected: this line or "
                "the one before it was changed or is missing"
            )
            continue
        try:
            lines.append(_decode(body + b"}"))
        except msgspec.MsgspecError as error:
            damage.append(f"{where}: {error}")
    return Index(lines=tuple(lines), damage=tuple(damage))


def _own_check(before: str, body: bytes) -> str:
    return hashlib.blake2b(before.encode() + body, digest_size=8).hexdigest()
