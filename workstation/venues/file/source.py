"""Bytes of one recorded file as numbered lines: plain, ``.gz`` or ``.zip``.

Lanes pull lines from it. It reads in blocks, so memory does not grow with the file,
and turns every fault of the container into ``Damaged``.
"""

from __future__ import annotations

import gzip
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import IO

from workstation.venues.file.damage import Damaged

__all__ = ["SourceFile", "file_hash"]

_BLOCK = 1 << 16
# A snapshot of 5,000 levels a side is 300 kB; longer lines are no lines.
_LONGEST_LINE = 1 << 24
_BOM = b"\xef\xbb\xbf"


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
            self._raw = self.path.open("rb")
            stream = _unpacked(self._raw, self.path.suffix.lower())
            first = True
            while block := stream.read1(_BLOCK):
                self.consumed_bytes = min(self._raw.tell(), self.total_bytes)
                if first:
                    block = block.removeprefix(_BOM)
                    first = False
                lines = (rest + block).split(b"\n")
                rest = lines.pop()
                if len(rest) > _LONGEST_LINE:
                    raise Damaged(f"line is longer than {_LONGEST_LINE} bytes")
                for line in lines:
                    self.line += 1
                    yield line
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            self.line += 1
            raise Damaged(f"packed data is cut short or damaged: {error}") from error
        except (NotImplementedError, RuntimeError) as error:  # zip: method, password
            self.line += 1
            raise Damaged(f"cannot be unpacked: {error}") from error
        except OSError as error:
            self.line += 1
            raise Damaged(f"cannot be read: {error.strerror or error}") from error
        if rest:
            self.line += 1
            yield rest
        self.consumed_bytes = self.total_bytes

    def close(self) -> None:
        """Close the file; counts stay known."""
        if self._raw is not None:
            self._raw.close()
            self._raw = None


def _unpacked(raw: IO[bytes], suffix: str) -> BufferedIOBase:
    """Return the stream of the content; ``read1`` gives what is there before a cut."""
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=raw)
    if suffix != ".zip":
        return raw  # type: ignore[return-value]  # a BufferedReader, typed as IO
    archive = zipfile.ZipFile(raw)
    names = [name for name in archive.namelist() if not name.endswith("/")]
    wanted = [name for name in names if name.lower().endswith((".csv", ".txt"))]
    if len(wanted) != 1:
        held = ", ".join(names[:5]) or "nothing"
        raise Damaged(f"zip must hold one CSV file, but holds {held}")
    return archive.open(wanted[0])  # type: ignore[return-value]  # it is a ZipExtFile


def file_hash(path: Path) -> str:
    """Return the blake2b of a file's bytes as 32 hex digits."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16))
    return digest.hexdigest()
