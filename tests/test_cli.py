"""Commands, exit codes, and what goes to which stream."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workstation import __version__, cli
from workstation.cli import main
from workstation.paths import shipped_folder
from workstation.signals import Interrupted, between_steps
from workstation.ui.settings import UiSettings

DEFAULT = str(shipped_folder("config") / "default.toml")
KLINES = str(shipped_folder("config") / "recording-klines.toml")
NO_JOURNAL = ["--set", 'journal.path=""']
REPORT = {
    "mode",
    "seed",
    "events",
    "inputs",
    "first_ts",
    "last_ts",
    "wall_s",
    "state_hash",
    "orders",
    "fills",
    "fees",
    "realized_pnl",
    "unrealized_pnl",
    "equity",
    "positions",
    "states",
    "feeds",
    "books",
}

Capture = pytest.CaptureFixture[str]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "workstation", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_version_is_printed(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["run", "--nonsense"],
        ["run", "--head"],
        ["run", "--seed", "x"],
        ["replay"],
        ["backtest"],
        ["init"],
    ],
)
def test_wrong_use_is_told_on_stderr_with_code_2(
    arguments: list[str], capsys: Capture
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: workstation")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--until", "events=1"], "--until needs --headless"),
        (["run", "--json"], "--json needs --headless"),
        (["run"], "the screen needs a terminal; without one: --headless"),
        ([], "the screen needs a terminal; without one: --headless"),
        (
            ["run", "--headless"],
            "the feeds of default.toml never end, so a run without a screen needs "
            "--until: events=N, fills=N, time=10m, or an ISO time",
        ),
        (["backtest", DEFAULT], "the feeds of default.toml never end"),
        (["run", "--headless", "--until", "soon"], "--until: until 'soon' is none of"),
        (
            ["run", "--headless", "--read-only"],
            "--read-only is for the screen; --headless has none and runs at full speed",
        ),
        (["run", "--headless", "--paused"], "--paused is for the screen"),
        (["run", "--headless", "--speed", "2"], "--speed is for the screen"),
        (["replay", "absent.sqlite"], "absent.sqlite: no such journal"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(
    arguments: list[str], message: str, capsys: Capture, home: Path
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"workstation: {message}")
    assert list(home.iterdir()) == []


def test_a_wrong_config_lists_everything_with_code_2(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.toml").write_text("seed = 0.5\n[engine]\nspeed = 0\n")
    for word in ("check", "run", "backtest"):
        assert main([word, "x.toml"]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.splitlines()[0] == (
            "x.toml:1: seed: found 0.5; allowed: a whole number of at most 63 bits"
        )
        assert "x.toml:3: engine.speed: found 0; allowed" in err


@pytest.mark.parametrize("option", ["--speed", "--paused"])
def test_options_of_play_are_settings_of_the_engine(
    option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = cli._parser().parse_args(["run", option, *["3"][: option == "--speed"]])
    engine = cli._load(arguments).run.engine
    assert (engine.speed, engine.start_paused) == (
        (3, False) if option == "--speed" else (4, True)
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--speed", "inf"],
            "--speed inf: engine.speed: found inf; allowed: a number, more than 0, at "
            "most 100000",
        ),
        (
            ["--seed", "9223372036854775808"],
            "--seed 9223372036854775808: seed: found 9223372036854775808; allowed: a "
            "whole number of at most 63 bits",
        ),
        (
            ["--paused", "--set", "engine=1"],
            "--paused: engine.start_paused: engine is one value and has no "
            "start_paused\n--set engine=1: engine: found 1; allowed: a table [engine]",
        ),
    ],
)
def test_a_wrong_option_is_named_by_its_own_name(
    arguments: list[str], said: str, capsys: Capture
) -> None:
    assert main(["run", *arguments]) == 2
    assert capsys.readouterr().err == f"{said}\n"


@pytest.mark.parametrize("name", ["default", "recording-binance", "recording-klines"])
def test_the_shipped_configs_pass_check(name: str, capsys: Capture) -> None:
    assert main(["check", str(shipped_folder("config") / f"{name}.toml")]) == 0
    out, err = capsys.readouterr()
    assert f"{name}.toml: good\n" in out
    assert "paper fill_model: queue, shrinks behind\n" in out
    assert err == ""


def test_a_result_says_by_which_fill_model_it_came(capsys: Capture) -> None:
    arguments = ["run", DEFAULT, "--headless", "--until", "events=200", "--json"]
    arguments += ["--set", 'journal.path=""', "--set"]
    for given, words in (("touch", "touch"), ("queue", "queue, shrinks behind")):
        assert main([*arguments, f'brokers.0.fill_model="{given}"']) == 0
        report = json.loads(capsys.readouterr().out)
        assert report["fill_model"] == given
        assert report["assumptions"]["fill_model"] == words
        assert report["filled_from"]["BTCUSDT"] == "book"


def test_check_reads_the_scripts_too(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.py").write_text("def detect_opportunity(:\n")
    arguments = ["check", DEFAULT, "--set", 'strategies.0.script="./broken.py"']
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("broken.py:1: ")
    assert main(["check", DEFAULT, "--set", "strategies.0.params.fats=3"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "--set strategies.0.params.fats=3: strategies.0.params.fats:"
    )
    assert "unknown parameter 'fats'" in said


@pytest.mark.parametrize("name", ["ema_cross", "rsi_reversion", "range_breakout"])
@pytest.mark.parametrize("suffix", ["py", "lua"])
def test_the_shipped_scripts_pass_check(
    name: str, suffix: str, capsys: Capture
) -> None:
    script = f'strategies.0.script="{name}.{suffix}"'
    assert main(["check", DEFAULT, "--set", script]) in (0, 2)
    # The config's own parameters are those of ema_cross.
    said = capsys.readouterr().err
    assert ("unknown parameter" in said) is (name != "ema_cross")
    bare = ["--set", "strategies.0.params={}"]
    assert main(["check", DEFAULT, "--set", script, *bare]) == 0


def test_check_reads_lua_scripts_as_lua(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.lua").write_text("\nfunction detect_opportunity(\n")
    arguments = ["check", DEFAULT, "--set", 'strategies.0.script="./broken.lua"']
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("broken.lua:3: ")
    Path("endless.lua").write_text("while true do end\n")
    arguments = ["check", DEFAULT, "--set", 'strategies.0.script="./endless.lua"']
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("endless.lua:1: used more than 20,000,000 instructions")


def test_check_says_where_a_symbol_has_a_wrong_parameter(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (shipped_folder("config") / "default.toml").read_text("utf-8")
    own = "symbol_params = { BTCUSDT = { fast = 1, slwo = 3 } }"
    path = Path("mine.toml")
    path.write_text(text.replace("params = { fast", f"{own}\nparams = {{ fast"))
    line = path.read_text().splitlines().index(own) + 1
    assert main(["check", "mine.toml"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    head = f"mine.toml:{line}: strategies.0.symbol_params.BTCUSDT"
    assert first == (
        f"{head}.fast: ema_cross.py: parameter fast = 1 must be in 2 … 500"
    )
    assert second.startswith(f"{head}.slwo: ema_cross.py: unknown parameter 'slwo'")
    assert second.endswith("did you mean 'slow'?")


def test_check_says_what_a_lua_script_lacks_and_of_which_symbol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = [DEFAULT, "--set", "strategies.0.params={}"]
    shipped = 'strategies.0.script="ema_cross.lua"'
    assert main(["check", *mine, "--set", shipped]) == 0
    Path("broken.lua").write_text("function detect_opportunity(\n")
    assert main(["check", *mine, "--set", 'strategies.0.script="./broken.lua"']) == 2
    err = capsys.readouterr().err
    assert "broken.lua:" in err
    assert "(strategy ema_cross)" in err
    given = "strategies.0.symbol_params={ BTCUSDT = { fats = 3 } }"
    assert main(["check", *mine, "--set", shipped, "--set", given]) == 2
    assert "fats" in capsys.readouterr().err


def test_check_does_not_wait_for_a_script_that_never_finishes_loading(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop.py").write_text("while True: pass\n")
    arguments = ["check", DEFAULT, "--set", 'strategies.0.script="./loop.py"']
    assert main([*arguments, "--set", "engine.script_budget_ms=20"]) == 2
    said = "loop.py:1: did not finish loading within 160 ms (strategy ema_cross)\n"
    assert capsys.readouterr().err == said


def test_json_is_one_object_with_all_its_keys(capsys: Capture) -> None:
    arguments = ["run", "--headless", "--json", "--until", "events=2000", *NO_JOURNAL]
    assert main([*arguments, "--seed", "11"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    report = json.loads(out)
    assert set(report) >= REPORT
    assert (report["mode"], report["seed"], report["events"]) == (
        "simulation",
        11,
        2000,
    )
    assert len(report["books"]) == 8


def test_backtest_is_run_headless(capsys: Capture) -> None:
    hashes = []
    for words in (["backtest"], ["run", "--headless"]):
        assert main([*words, KLINES, "--json", *NO_JOURNAL]) == 0
        report = json.loads(capsys.readouterr().out)
        assert report["fills"] > 0
        hashes.append(report["state_hash"])
    assert hashes[0] == hashes[1]


def test_without_json_the_report_is_lines(capsys: Capture) -> None:
    assert main(["backtest", KLINES, *NO_JOURNAL]) == 0
    out, _ = capsys.readouterr()
    assert "state_hash" in out
    assert "ema_cross: BTCUSDT" in out


def test_the_shipped_recording_has_no_gaps_and_trades(capsys: Capture) -> None:
    path = str(shipped_folder("config") / "recording-binance.toml")
    assert main(["backtest", path, "--json", *NO_JOURNAL]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["fills"] > 0
    assert report["feeds"]["spot"]["gaps"] == 0
    assert [book["crossed"] for book in report["books"].values()] == [0, 0]


def test_a_run_is_journalled_and_its_replay_matches(
    tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "journals"
    override = ["--set", f"journal.path={json.dumps(str(folder))}"]
    assert main(["backtest", KLINES, "--json", *override]) == 0
    run = json.loads(capsys.readouterr().out)
    (journal,) = folder.glob("*.sqlite")
    assert main(["replay", str(journal), "--json"]) == 0
    replay = json.loads(capsys.readouterr().out)
    assert replay["matches"] is True
    assert replay["first_difference"] is None
    assert replay["state_hash"] == run["state_hash"]


def test_a_damaged_row_ends_the_run_with_code_1_and_its_place(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = (shipped_folder("config") / "demo-klines-btcusdt-1h.csv").read_text()
    lines = rows.splitlines()[:20]
    lines[9] = "1717232400000,what"
    Path("bad.csv").write_text("\n".join(lines))
    override = ["--set", 'feeds.0.files=["bad.csv"]']
    assert main(["backtest", KLINES, *override, *NO_JOURNAL]) == 1
    err = capsys.readouterr().err
    assert "bad.csv:10: " in err
    skipping = ["--set", 'feeds.0.on_error="skip"', "--json"]
    assert main(["backtest", KLINES, *override, *skipping, *NO_JOURNAL]) == 0
    assert json.loads(capsys.readouterr().out)["feeds"]["candles"]["skipped"] == 1


def test_a_file_that_is_no_journal_is_wrong_use(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_text("no journal at all, but text that goes on for a while\n" * 30)
    result = command("replay", str(path))
    assert (result.returncode, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith(f"workstation: journal {path}: ")


def test_a_run_onto_a_journal_that_holds_one_is_refused_and_leaves_it_as_it_is(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j.sqlite"
    override = ["--set", f"journal.path={json.dumps(str(path))}"]
    assert main(["backtest", KLINES, *override]) == 0
    before = path.read_bytes()
    capsys.readouterr()
    said = f"workstation: journal {path}: holds a run already; name a new file"
    assert main(["backtest", KLINES, *override]) == 2
    assert capsys.readouterr().err.startswith(said)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert main(["run", KLINES, *override]) == 2
    assert capsys.readouterr().err.startswith(said)
    assert path.read_bytes() == before


def test_a_journal_whose_sources_have_changed_fails_with_code_1(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = (shipped_folder("config") / "demo-klines-btcusdt-1h.csv").read_bytes()
    Path("k.csv").write_bytes(rows)
    override = ["--set", 'feeds.0.files=["k.csv"]', "--set"]
    assert main(["backtest", KLINES, *override, 'journal.path="j.sqlite"']) == 0
    Path("k.csv").write_bytes(rows[:-200])
    capsys.readouterr()
    (journal,) = tmp_path.rglob("*.sqlite")
    assert main(["replay", str(journal)]) == 1
    assert capsys.readouterr().err.startswith("workstation: journal ")


def test_init_copies_the_shipped_files_once(tmp_path: Path, capsys: Capture) -> None:
    target = tmp_path / "mine"
    assert main(["init", str(target)]) == 0
    assert str(target / "config" / "default.toml") in capsys.readouterr().out
    assert main(["check", str(target / "config" / "default.toml")]) == 0
    assert main(["init", str(target)]) == 2
    assert "nothing is overwritten" in capsys.readouterr().err


def test_something_unexpected_is_one_line_and_a_log(
    home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(arguments: object) -> int:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(cli, "_check", explode)
    assert main(["check"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("workstation: failed with ZeroDivisionError: by nothing; ")
    assert err.count("\n") == 1
    log = Path(err.rsplit(" ", 1)[1].strip())
    assert log.is_relative_to(home)
    assert "in explode" in log.read_text()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_ends_a_run_between_steps_and_its_journal_replays(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    from workstation.strategy.scripted import ScriptedStrategy

    # It comes in the middle of a step, which is then finished.
    original = ScriptedStrategy.handlers

    def handlers(self: ScriptedStrategy) -> object:
        table = dict(original(self))

        def signalled(event: object) -> None:
            if len(calls) == 20:
                signal.raise_signal(getattr(signal, name))
            calls.append(event)
            real(event)

        kind, real = next(iter(table.items()))
        table[kind] = signalled
        return table

    calls: list[object] = []
    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(ScriptedStrategy, "handlers", handlers)
        override = ["--set", f"journal.path={json.dumps(str(tmp_path / 'j.sqlite'))}"]
        code = main(["run", "--headless", "--until", "events=90000", *override])
    assert code == 1
    ending = f"ended by {name} before it was done"
    out, err = capsys.readouterr()
    assert err == f"workstation: {ending}\n"
    assert out.endswith(f"failures:\n  {ending}\n")
    assert len(calls) >= 21
    assert signal.getsignal(signal.SIGTERM) is before
    assert main(["replay", str(tmp_path / "j.sqlite"), "--json"]) == 0
    replay = json.loads(capsys.readouterr().out)
    assert replay["matches"] is True
    assert 20 < replay["inputs"] < 90_000


def test_a_second_signal_does_not_wait_for_the_step() -> None:
    def twice() -> None:
        with between_steps():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            pytest.fail("the second signal was kept")

    with pytest.raises(Interrupted, match="SIGTERM"):
        twice()


def test_a_signal_of_the_last_step_is_not_lost() -> None:
    with pytest.raises(Interrupted, match="SIGINT"), between_steps():
        signal.raise_signal(signal.SIGINT)


def test_the_module_is_the_command() -> None:
    result = command("--version")
    assert (result.returncode, result.stdout) == (0, f"{__version__}\n")


def test_a_reader_that_goes_away_causes_no_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "workstation", "check"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_the_screen_gets_the_config_and_a_way_to_remember(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("workstation.ui.app", reason="the screen is not there yet")
    from workstation.ui import app

    given: dict[str, object] = {}

    def run_app(config: object, **options: object) -> int:
        given.update(options, config=config)
        return 0

    monkeypatch.setattr(app, "run_app", run_app)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert main(["run", "--read-only", "--paused"]) == 0
    assert given["read_only"] is True
    remember = given["save_setting"]
    assert callable(remember)
    remember("ui.theme", "okabe-dark")
    ui = cli._load(cli._parser().parse_args([])).ui
    assert ui == UiSettings(theme="okabe-dark")
