"""Exports: whole files, plain, never over another."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from workstation.ui.export import export_rows

ROWS = [["SYMBOL", "LAST"], ["BTC,USDT", "61685.99"]]


def test_a_table_is_csv_that_reads_back(tmp_path: Path) -> None:
    path = export_rows(tmp_path / "new" / "folder", "symbols", ROWS)
    assert path.name == "symbols.csv"
    with path.open(newline="") as stream:
        assert list(csv.reader(stream)) == ROWS


def test_single_columns_are_text(tmp_path: Path) -> None:
    path = export_rows(tmp_path, "log", [["a, b"], ["c"]])
    assert path.suffix == ".txt"
    assert path.read_text() == "a, b\nc\n"


def test_an_export_never_overwrites(tmp_path: Path) -> None:
    names = [export_rows(tmp_path, "symbols", ROWS).name for _ in range(3)]
    assert names == ["symbols.csv", "symbols-2.csv", "symbols-3.csv"]


def test_a_failed_export_leaves_no_half_file(tmp_path: Path) -> None:
    class Bad(list[str]):
        def __iter__(self):  # type: ignore[no-untyped-def]
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        export_rows(tmp_path, "symbols", [["a", "b"], Bad(["x", "y"])])
    assert list(tmp_path.iterdir()) == []
