"""The ledger in files: complete, exact, the same again from the journal."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from workstation.cli import main
from workstation.engine.ledger_export import LedgerExport
from workstation.execution.ledger import Ledger
from workstation.model.errors import ExportError
from workstation.paths import shipped_folder

KLINES = str(shipped_folder("config") / "recording-klines.toml")
NAMES = ("fills", "trades", "positions", "days", "sums", "equity")
Capture = pytest.CaptureFixture[str]


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="ascii", newline="") as stream:
        return list(csv.DictReader(stream))


def total(rows: list[dict[str, str]], name: str) -> Decimal:
    return sum((Decimal(row[name]) for row in rows), Decimal(0))


def backtest(folder: Path, *more: str) -> int:
    return main(["backtest", KLINES, "--export", str(folder), *more])


def test_all_tables_agree_with_the_report_and_with_each_other(
    tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "out"
    assert backtest(folder, "--json", "--set", 'journal.path=""') == 0
    report = json.loads(capsys.readouterr().out)
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        f"{name}.{kind}" for name in NAMES for kind in ("csv", "json")
    )
    fills, trades = table(folder, "fills"), table(folder, "trades")
    assert len(fills) == report["fills"] > 0
    assert len(trades) > 0
    assert {row["exit_reason"] for row in trades} != {""}
    for name in ("days", "sums", "positions"):
        rows = table(folder, name)
        assert total(rows, "realized") == Decimal(report["realized_pnl"])
        assert total(rows, "fees") == Decimal(report["fees"]) == total(fills, "fee")
        assert total(rows, "fills") == report["fills"]
    days = table(folder, "days")
    assert days[-1]["equity_end"] == report["equity"]
    assert total(days, "change") == Decimal(report["equity"]) - Decimal(
        days[0]["equity_start"]
    )
    assert total(table(folder, "sums"), "trades") == len(trades)


def test_csv_and_json_hold_the_same_in_plain_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert backtest(folder, "--set", 'journal.path=""') == 0
    for name in NAMES:
        text = (folder / f"{name}.json").read_text("ascii")
        held: list[dict[str, Any]] = json.loads(text)
        assert [
            {
                key: "" if cell is None else str(cell).replace("False", "false")
                for key, cell in row.items()
            }
            for row in held
        ] == table(folder, name)
    assert "E-" not in (folder / "trades.csv").read_text("ascii")


def test_a_replay_exports_the_same_bytes(tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    journal = tmp_path / "run.journal"
    assert backtest(first, "--set", f'journal.path="{journal}"') == 0
    (found,) = [p for p in (journal, *journal.glob("*")) if p.is_file()]
    assert main(["replay", str(found), "--export", str(again)]) == 0
    for path in first.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_an_export_never_overwrites_another(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "trades.json").write_text("mine")
    assert backtest(tmp_path, "--set", 'journal.path=""') == 2
    assert "holds trades.json already; name a new folder" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["trades.json"]


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="name a folder"):
        LedgerExport(tmp_path / "file" / "out")


def test_a_run_that_fails_leaves_no_half_file(tmp_path: Path) -> None:
    export = LedgerExport(tmp_path)
    assert list(tmp_path.iterdir())
    export.close()
    assert not list(tmp_path.iterdir())


def test_the_screen_exports_by_key_not_by_option(capsys: Capture) -> None:
    assert main(["run", "--export", "x"]) == 2
    assert "--export needs --headless" in capsys.readouterr().err


def test_a_full_disk_ends_the_export_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def full(ledger: Ledger) -> Any:
        raise OSError(28, "No space left on device")
        yield

    monkeypatch.setattr("workstation.engine.ledger_export.day_rows", full)
    assert backtest(tmp_path / "out", "--set", 'journal.path=""') == 1
    assert "No space left on device" in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())
