"""Rows of a Parquet file as the CSV text that the table formats read.

``SourceFile`` opens it like any other container. Batches are read one by one, so that
memory grows with neither file nor row group; line 1 is the names of the columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import IO

from workstation.venues.file.damage import Damaged

__all__ = ["ParquetStream"]

_BATCH_ROWS = 8_192
_READ_BYTES = 1 << 16


class ParquetStream:
    """A ``packed.Stream`` of CSV; tells how much of the rows has been read."""

    def __init__(self, raw: IO[bytes]) -> None:
        self.done = 0.0
        """Share of the rows that has been given, 0 … 1."""
        self._blocks = self._read(raw)

    def read1(self, size: int, /) -> bytes:
        """Return the next batch, whatever its size."""
        return next(self._blocks, b"")

    def _read(self, raw: IO[bytes]) -> Iterator[bytes]:
        import pyarrow
        from pyarrow import csv, parquet

        try:
            # Not buffered ahead: that holds whole row groups in memory.
            table = parquet.ParquetFile(
                raw,
                buffer_size=_READ_BYTES,
                pre_buffer=False,
                page_checksum_verification=True,
            )
            total = max(1, table.metadata.num_rows)
            given = 0
            yield _text(csv, pyarrow.Table.from_batches([], table.schema_arrow), True)
            for batch in table.iter_batches(_BATCH_ROWS, use_threads=False):
                given += batch.num_rows
                self.done = given / total
                yield _text(csv, batch, False)
        except (pyarrow.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            reason = str(error).partition("\n")[0]
            raise Damaged(
                f"is no Parquet file of plain columns, or damaged: {reason}",
                "copy or export it again",
            ) from error


# Any: pyarrow ships no types.
def _text(csv: object, rows: object, is_head: bool) -> bytes:
    target = BytesIO()
    options = csv.WriteOptions(include_header=is_head)  # type: ignore[attr-defined]
    csv.write_csv(rows, target, options)  # type: ignore[attr-defined]
    return target.getvalue()
