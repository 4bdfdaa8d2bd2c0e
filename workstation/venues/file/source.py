"""Bytes of one recorded file as numbered lines, plain, packed or Parquet.

Lanes pull lines from it. It reads in blocks, so memory does not grow with the file,
and turns every fault of the container into ``Damaged``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from workstation.venues.file.damage import Damaged
from workstation.venues.file.packed import UNPACKABLE, unpacked
from workstation.venues.file.parquet import ParquetStream

__all__ = ["SourceFile"]

_BLOCK = 1 << 16
# A snapshot of 5,000 levels a side is 300 kB; longer lines are no lines.
_LONGEST_LINE = 1 << 24
_BOM = b"\xef\xbb\xbf"
_FETCH_AGAIN = "copy or download it again"


class SourceFile:
    """One file, opened on the first line that is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.total_bytes = path.stat().st_size
        self.line = 0
        """Number of the line given last; 1 is the first."""
        self.consumed_bytes = 0
        """How much of the file, as it is on disk, has been read."""
        self._raw: IO[bytes] | None = None
        self._hash: str | None = None

    def content_hash(self) -> str:
        """Return the blake2b of the file's bytes as 32 hex digits, computed once.

        Raises OSError where the file cannot be read.
        """
        if self._hash is None:
            self._hash = self.fresh_hash()
        return self._hash

    def fresh_hash(self) -> str:
        """Return the hash of what the file holds now."""
        with self.path.open("rb") as stream:
            digest = hashlib.file_digest(
                stream, lambda: hashlib.blake2b(digest_size=16)
            )
        return digest.hexdigest()

    def head(self, count: int) -> list[bytes]:
        """Return the first lines without reading on; fewer where it is damaged."""
        lines: list[bytes] = []
        probe = SourceFile(self.path)
        try:
            for line in probe.lines():
                lines.append(line)
                if len(lines) == count:
                    break
        except Damaged:
            pass
        finally:
            probe.close()
        return lines

    def lines(self) -> Iterator[bytes]:
        """Yield each line without its end. Raises Damaged where the data ends badly.

        ``line`` is advanced before each; on Damaged it names the place.
        """
        rest = b""
        try:
            for block in self._blocks():
                lines = (rest + block).split(b"\n")
                rest = lines.pop()
                if len(rest) > _LONGEST_LINE:
                    raise Damaged(
                        f"line is longer than {_LONGEST_LINE} bytes",
                        "name a file of text lines",
                    )
                for line in lines:
                    self.line += 1
                    yield line
        except Damaged:
            self.line += 1
            raise
        except UNPACKABLE as error:
            self.line += 1
            raise Damaged(
                f"packed data is cut short or damaged: {error}", _FETCH_AGAIN
            ) from error
        except (NotImplementedError, RuntimeError) as error:  # zip: method, password
            self.line += 1
            raise Damaged(
                f"cannot be unpacked: {error}", "unpack it and name what it holds"
            ) from error
        except OSError as error:
            self.line += 1
            raise Damaged(
                f"cannot be read: {error.strerror or error}",
                "make it readable for this user",
            ) from error
        if rest:
            self.line += 1
            yield rest
        self.consumed_bytes = self.total_bytes

    def _blocks(self) -> Iterator[bytes]:
        self._raw = self.path.open("rb")
        suffix = self.path.suffix.lower()
        if suffix == ".parquet":
            table = ParquetStream(self._raw)
            while block := table.read1(_BLOCK):
                self.consumed_bytes = int(self.total_bytes * table.done)
                yield block
            return
        stream = unpacked(self._raw, suffix)
        is_first = True
        while block := stream.read1(_BLOCK):
            self.consumed_bytes = min(self._raw.tell(), self.total_bytes)
            yield block.removeprefix(_BOM) if is_first else block
            is_first = False

    def close(self) -> None:
        """Close the file; counts stay known."""
        if self._raw is not None:
            self._raw.close()
            self._raw = None
