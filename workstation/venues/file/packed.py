"""Content of packed files as a stream: ``.gz``, ``.zip`` and ``.zst``.

``SourceFile`` opens them. A stream gives what is there before a cut, and then raises;
an end that was cut never passes as the end.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from typing import IO, Protocol

from workstation.venues.file.damage import Damaged

__all__ = ["UNPACKABLE", "Stream", "unpacked"]

UNPACKABLE = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile)
"""What a stream raises where the packed data is cut short or damaged."""

# A block of 4 bytes may hold 128 KiB of zeros, so that this much is at most 32 MiB.
_ZSTD_CHUNK = 1 << 10


class Stream(Protocol):
    """What content is read from."""

    def read1(self, size: int, /) -> bytes:
        """Return some bytes, about ``size`` of them; none at the end."""


def unpacked(raw: IO[bytes], suffix: str) -> Stream:
    """Return the content of an open file. Raises what is in ``UNPACKABLE``, Damaged."""
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=raw)
    if suffix == ".zst":
        return _ZstdStream(raw)
    if suffix != ".zip":
        return raw  # type: ignore[return-value]  # a BufferedReader, typed as IO
    archive = zipfile.ZipFile(raw)
    names = [name for name in archive.namelist() if not name.endswith("/")]
    wanted = [name for name in names if name.lower().endswith((".csv", ".txt"))]
    if len(wanted) != 1:
        held = ", ".join(names[:5]) or "nothing"
        raise Damaged(
            f"zip must hold one CSV file, but holds {held}",
            "unpack it and name the files one by one",
        )
    return archive.open(wanted[0])  # type: ignore[return-value]  # it is a ZipExtFile


class _ZstdStream:
    """Frames in turn; the stream of ``zstandard`` itself takes a cut for the end."""

    def __init__(self, raw: IO[bytes]) -> None:
        import zstandard

        self._raw = raw
        self._unpacker = zstandard.ZstdDecompressor()
        self._error = zstandard.ZstdError
        self._frame = self._unpacker.decompressobj()
        self._is_begun = False
        self._fault: str | None = None

    def read1(self, size: int, /) -> bytes:
        parts: list[bytes] = []
        length = 0
        while length < size and self._fault is None:
            try:
                part = self._next()
            except self._error as error:
                self._fault = str(error)
                break
            if part is None:
                break
            parts.append(part)
            length += len(part)
        # What was read before the fault comes first.
        if self._fault is not None and not length:
            raise EOFError(self._fault)
        return b"".join(parts)

    def _next(self) -> bytes | None:
        frame = self._frame
        chunk = (frame.unused_data if frame.eof else b"") or self._raw.read(_ZSTD_CHUNK)
        if not chunk:
            if self._is_begun and not frame.eof:
                self._fault = "the last frame has no end"
            return None
        if frame.eof:
            frame = self._frame = self._unpacker.decompressobj()
        self._is_begun = True
        return frame.decompress(chunk)
