"""Writes what a panel shows to a file: CSV for tables, text for single columns.

Plain: ASCII minus, no grouping, full precision. Names carry the run's clock, so that an
export is never overwritten by the next.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

__all__ = ["export_rows"]

_MOST_NAMES = 1_000


def export_rows(folder: Path, name: str, rows: Sequence[Sequence[str]]) -> Path:
    """Write ``rows`` to a new file in ``folder`` and return it.

    Raises OSError where the folder cannot be written; no half file is left then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = any(len(row) > 1 for row in rows)
    path = _free(folder, name, "csv" if table else "txt")
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as stream:
            if table:
                csv.writer(stream, lineterminator="\n").writerows(rows)
            else:
                stream.writelines(f"{row[0]}\n" for row in rows if row)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _free(folder: Path, name: str, suffix: str) -> Path:
    for number in range(1, _MOST_NAMES):
        tail = "" if number == 1 else f"-{number}"
        path = folder / f"{name}{tail}.{suffix}"
        if not path.exists():
            return path
    raise FileExistsError(f"{folder}: too many files named {name}; move some away")
