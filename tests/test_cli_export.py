"""``--export`` of runs that end early, and names that are none."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from workstation.cli import main
from workstation.paths import shipped_folder

Capture = pytest.CaptureFixture[str]

DEFAULT = str(shipped_folder("config") / "default.toml")
KLINES = str(shipped_folder("config") / "recording-klines.toml")
NO_JOURNAL = ["--set", 'journal.path=""']
FILES = 12


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory of the commands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_whose_feed_fails_exports_what_it_came_to_and_says_so(
    capsys: Capture,
) -> None:
    rows = (shipped_folder("config") / "demo-klines-btcusdt-1h.csv").read_text()
    lines = rows.splitlines()
    lines[499] = "1717232400000,what"
    Path("bad.csv").write_text("\n".join(lines))
    given = ["--set", 'feeds.0.files=["bad.csv"]', *NO_JOURNAL, "--export", "out"]
    assert main(["backtest", KLINES, *given, "--json"]) == 1
    out, err = capsys.readouterr()
    report = json.loads(out)
    (failure,) = report["failures"]
    assert failure.startswith("feed candles: bad.csv:500: ")
    assert err == f"workstation: {failure}\n"
    assert len(list(Path("out").iterdir())) == FILES
    fills = json.loads(Path("out/fills.json").read_text())
    assert len(fills) == report["fills"] > 0


def test_a_run_that_did_not_fail_has_an_empty_list_of_failures(
    capsys: Capture,
) -> None:
    assert main(["backtest", KLINES, *NO_JOURNAL, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failures"] == []


@pytest.mark.parametrize("again", [False, True], ids=["between steps", "in a step"])
def test_a_run_that_a_signal_ends_between_steps_is_exported_as_its_replay_is(
    again: bool, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workstation.strategy.scripted import ScriptedStrategy

    original, calls = ScriptedStrategy.handlers, [0]

    def handlers(self: ScriptedStrategy) -> object:
        table = dict(original(self))
        kind, real = next(iter(table.items()))

        def signalled(event: object) -> None:
            calls[0] += 1
            if calls[0] == 400:
                signal.raise_signal(signal.SIGTERM)
                if again:
                    signal.raise_signal(signal.SIGTERM)
            real(event)

        table[kind] = signalled
        return table

    given = ["run", "--headless", "--until", "events=90000", "--export", "out"]
    with monkeypatch.context() as patch:
        patch.setattr(ScriptedStrategy, "handlers", handlers)
        assert main([*given, "--json", "--set", 'journal.path="./j.sqlite"']) == 1
    out, err = capsys.readouterr()
    failure = "ended by SIGTERM before it was done"
    assert err == f"workstation: {failure}\n"
    files = sorted(path.name for path in Path("out").iterdir())
    if again:
        # The step is torn: no figure of it could be trusted.
        assert (out, files) == ("", [])
        return
    report = json.loads(out)
    assert report["failures"] == [failure]
    assert len(files) == FILES
    assert main(["replay", "j.sqlite", "--export", "replayed"]) == 0
    for name in files:
        assert Path("out", name).read_bytes() == Path("replayed", name).read_bytes()


def test_the_report_in_lines_says_what_failed(capsys: Capture) -> None:
    Path("bad.csv").write_text("1717232400000,what\n")
    given = ["--set", 'feeds.0.files=["bad.csv"]', *NO_JOURNAL]
    assert main(["backtest", KLINES, *given]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[lines.index("failures:") + 1].startswith("  feed candles: bad.csv:1: ")


def test_no_file_has_its_name_unless_all_can_have_theirs(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, names = os.replace, [0]

    def refuse(source: Path, target: Path) -> None:
        names[0] += 1
        if names[0] == 3:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    given = ["--set", "feeds.0.cache=false", *NO_JOURNAL, "--export", "out"]
    assert main(["backtest", KLINES, *given]) == 1
    assert "export out: No space left on device" in capsys.readouterr().err
    assert list(Path("out").iterdir()) == []


@pytest.mark.parametrize("name", ["", " "])
@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["run", DEFAULT, "--headless", "--until", "events=9", "--export"], "--export"),
        (["backtest", KLINES, "--export"], "--export"),
        (["replay", "j.sqlite", "--export"], "--export"),
        (["backtest"], "CONFIG"),
        (["run"], "CONFIG"),
        (["check"], "CONFIG"),
        (["replay"], "JOURNAL"),
        (["init"], "DIR"),
    ],
)
def test_an_empty_name_is_not_the_working_directory(
    arguments: list[str], what: str, name: str, capsys: Capture
) -> None:
    assert main([*arguments, name]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(
        f'argument {what}: found "{name}"; allowed: a name, or . for the working '
        "directory\n"
    )
    assert list(Path().iterdir()) == []


def test_an_empty_goal_needs_no_screen_either(capsys: Capture) -> None:
    assert main(["run", DEFAULT, "--until", ""]) == 2
    assert capsys.readouterr().err == "workstation: --until needs --headless\n"
