"""Writes the ledger of a run to a folder: each table as CSV and as JSON.

A sink of records: fills and trades are written as they come, however many there are;
the rest at the end. Files carry their names only once all of them are whole.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from workstation.engine.ledger_tables import (
    DAYS,
    EQUITY,
    FILLS,
    POSITIONS,
    SUMS,
    TRADES,
    Cell,
    day_rows,
    equity_rows,
    fill_row,
    position_row,
    sum_rows,
    trade_row,
)
from workstation.execution.ledger import Ledger
from workstation.model.errors import ExportError
from workstation.model.records import FillRecord, Record, TradeRecord

__all__ = ["LedgerExport"]

_COLUMNS = {
    "fills": FILLS,
    "trades": TRADES,
    "positions": POSITIONS,
    "days": DAYS,
    "sums": SUMS,
    "equity": EQUITY,
}


class _Table:
    """One table in its two files."""

    def __init__(
        self, folder: Path, name: str, columns: Sequence[str], open_: ExitStack
    ) -> None:
        self.paths = [folder / f"{name}.csv", folder / f"{name}.json"]
        self.parts = [path.with_name(f".{path.name}.part") for path in self.paths]
        self._columns = columns
        table, self._json = (
            open_.enter_context(part.open("w", encoding="utf-8", newline=""))
            for part in self.parts
        )
        self._csv = csv.writer(table, lineterminator="\n")
        self._csv.writerow(columns)
        self._json.write("[")
        self._rows = 0

    def write(self, row: Sequence[Cell]) -> None:
        """Add a row."""
        self._csv.writerow([_text(cell) for cell in row])
        named = dict(zip(self._columns, row, strict=True))
        self._json.write(",\n" if self._rows else "\n")
        self._json.write(json.dumps(named, ensure_ascii=True))
        self._rows += 1

    def end(self) -> None:
        """Close the list."""
        self._json.write("\n]\n" if self._rows else "]\n")


def _text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else str(cell)


class LedgerExport:
    """Twelve files in a folder; ``failure`` says why there will be none.

    Raises ExportError where the folder cannot be written, or holds an export already.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.failure: str | None = None
        self._open = ExitStack()
        self._tables: dict[str, _Table] = {}
        names = [f"{name}.{kind}" for name in _COLUMNS for kind in ("csv", "json")]
        taken = [name for name in names if (folder / name).exists()]
        if taken:
            raise ExportError(
                f"export {folder}: holds {taken[0]} already; name a new folder"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, columns in _COLUMNS.items():
                self._tables[name] = _Table(folder, name, columns, self._open)
        except OSError as error:
            self.close()
            raise ExportError(
                f"export {folder}: {error.strerror or error}; name a folder that can "
                "be written"
            ) from error

    def __call__(self, record: Record, encoded: bytes) -> None:
        """Write a fill or a trade (a sink of the core)."""
        kind = type(record)
        if kind is FillRecord:
            assert isinstance(record, FillRecord)
            self._write("fills", [fill_row(record.fill)])
        elif kind is TradeRecord:
            assert isinstance(record, TradeRecord)
            self._write("trades", [trade_row(record.trade)])

    def _write(self, name: str, rows: Iterable[Sequence[Cell]]) -> None:
        if self.failure is not None:
            return
        try:
            for row in rows:
                self._tables[name].write(row)
        except OSError as error:
            # The run goes on: what it decides does not rest on a file.
            self.failure = f"export {self.folder}: {error.strerror or error}"

    def finish(self, ledger: Ledger) -> None:
        """Write what the run came to, and give the files their names."""
        self._write(
            "positions",
            (
                position_row(
                    each,
                    ledger.mark(each.instrument),
                    ledger.worth(each),
                    ledger.open_pnl(each),
                )
                for each in ledger.positions()
            ),
        )
        self._write("days", day_rows(ledger))
        self._write("sums", sum_rows(ledger))
        self._write("equity", equity_rows(ledger.curve.points))
        if self.failure is None:
            try:
                for table in self._tables.values():
                    table.end()
                self._open.close()
                self._name()
            except OSError as error:
                self.failure = f"export {self.folder}: {error.strerror or error}"
        self.close()

    def _name(self) -> None:
        """Give all files their names, or none where one cannot have it."""
        named: list[Path] = []
        try:
            for table in self._tables.values():
                for part, path in zip(table.parts, table.paths, strict=True):
                    # First: a signal may come between the two.
                    named.append(path)
                    os.replace(part, path)
        except BaseException:
            for path in named:
                path.unlink(missing_ok=True)
            raise

    def close(self) -> None:
        """Close the files; what has no name yet is removed. Harmless again."""
        try:
            self._open.close()
        except OSError as error:
            self.failure = f"export {self.folder}: {error.strerror or error}"
        for table in self._tables.values():
            for part in table.parts:
                part.unlink(missing_ok=True)
