"""Wrong scripts and parameters are wrong use for any command: all, with places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workstation.cli import main
from workstation.paths import shipped_folder

Capture = pytest.CaptureFixture[str]

CONFIG = """\
[[feeds]]
name = "market"
type = "simulated"
symbols = ["BTCUSDT", "ETHUSDT"]
duration = "5m"
[[strategies]]
name = "one"
script = "ema_cross.py"
[journal]
path = ""
"""
COMMANDS = {
    "check": ["check", "x.toml"],
    "backtest": ["backtest", "x.toml", "--export", "out"],
    "headless": ["run", "x.toml", "--headless", "--json"],
    "screen": ["run", "x.toml"],
}
QUIET = """\
def detect_opportunity(market, context, indicators): pass
def filter_commitment(market, context, indicators): pass
def manage_position(market, context, indicators): pass
"""
MISSED = "detect_opportunity, filter_commitment, manage_position"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory of the commands, on a terminal as far as they see.

    A screen that is opened all the same fails the test.
    """
    from workstation.ui import app

    def run_app(config: object, **options: object) -> int:
        pytest.fail("the screen was opened")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app, "run_app", run_app)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    return tmp_path


@pytest.fixture
def said(capsys: Capture) -> Callable[[str, str], list[str]]:
    """Return what gives the lines with which a command refuses a config."""

    def refusal(command: str, text: str) -> list[str]:
        Path("x.toml").write_text(text)
        before = sorted(Path().iterdir())
        assert main(COMMANDS[command]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert sorted(Path().iterdir()) == before
        return [line.partition("; it declares")[0] for line in err.splitlines()]

    return refusal


@pytest.mark.parametrize("command", COMMANDS)
def test_each_wrong_parameter_is_wrong_use_with_its_line(
    command: str, said: Callable[[str, str], list[str]]
) -> None:
    given = 'params = { nope = 1, fast = 1 }\nsymbol_params.BTCUSDT = { slow = "x" }\n'
    where = "strategies.0"
    assert said(command, CONFIG.replace("[journal]", f"{given}[journal]")) == [
        f"x.toml:9: {where}.params.nope: ema_cross.py: unknown parameter 'nope'",
        f"x.toml:9: {where}.params.fast: ema_cross.py: parameter fast = 1 must be in "
        "2 … 500",
        f"x.toml:10: {where}.symbol_params.BTCUSDT.slow: ema_cross.py: parameter "
        "slow = 'x' must be int, such as 20",
    ]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.py", "def x(:\n", "a.py:1: invalid syntax (strategy one)"),
        ("a.py", "\nraise ValueError(1)\n", "a.py:2: ValueError: 1 (strategy one)"),
        (
            "a.py",
            "x = 1\n",
            f"x.toml:8: strategies.0.script: a.py: misses {MISSED}; a script defines "
            f"{MISSED}",
        ),
        (
            "a.lua",
            "function detect_opportunity(",
            "a.lua:1: <name> or '...' expected near <eof> (strategy one)",
        ),
    ],
)
def test_a_script_that_does_not_load_is_wrong_use(
    command: str,
    name: str,
    text: str,
    line: str,
    said: Callable[[str, str], list[str]],
) -> None:
    Path(name).write_text(text)
    assert said(command, CONFIG.replace("ema_cross.py", name)) == [line]


def test_a_script_that_fails_while_it_runs_is_no_wrong_use(capsys: Capture) -> None:
    fails = QUIET.replace("): pass", "): raise ValueError(1)", 1)
    Path("a.py").write_text(fails)
    Path("x.toml").write_text(CONFIG.replace("ema_cross.py", "a.py"))
    assert main(["backtest", "x.toml"]) == 0
    assert "one: failed" in capsys.readouterr().out


def test_a_script_that_breaks_after_it_was_looked_at_is_wrong_use(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a.py").write_text(
        "import pathlib\n"
        "if pathlib.Path('seen').exists(): raise ValueError('again')\n"
        f"pathlib.Path('seen').touch()\n{QUIET}"
    )
    Path("x.toml").write_text(CONFIG.replace("ema_cross.py", "a.py"))
    assert main(["backtest", "x.toml", "--export", "out"]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "workstation: a.py:2: ValueError: again\n")
    assert list(Path("out").iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_mistakes_of_the_config_hide_none_of_scripts_and_parameters(
    command: str, said: Callable[[str, str], list[str]]
) -> None:
    Path("broken.py").write_text("def x(:\n")
    text = CONFIG.replace("[[feeds]]", "seed = 0.5\n[[feeds]]")
    text = text.replace('"5m"', '"5 minutes"')
    text = text.replace(
        "[journal]",
        "size = 0\nparams = { nope = 1, fast = [3] }\n"
        '[[strategies]]\nname = "two"\nscript = "broken.py"\ntimeframe = "x"\n'
        '[[strategies]]\nname = "three"\nscript = "gone.py"\nparams = { a = 1 }\n'
        '[[strategies]]\nname = "four"\nscript = "ema_cross.lua"\n'
        "symbol_params = { BTCUSDT = { fsat = 3 }, NOPE = { stop = 9 } }\n"
        "[journal]",
    )
    places = [line.split(": ")[:2] for line in said(command, text)]
    assert places == [
        ["x.toml:1", "seed"],
        ["x.toml:6", "feeds.0.duration"],
        ["x.toml:10", "strategies.0.size"],
        ["x.toml:11", "strategies.0.params.fast"],
        ["x.toml:11", "strategies.0.params.nope"],
        ["x.toml:15", "strategies.1.timeframe"],
        ["x.toml:18", "strategies.2.script"],
        ["x.toml:23", "strategies.3.symbol_params.NOPE"],
        ["x.toml:23", "strategies.3.symbol_params.BTCUSDT.fsat"],
        ["x.toml:23", "strategies.3.symbol_params.NOPE.stop"],
        ["broken.py:1", "invalid syntax (strategy two)"],
    ]


def test_a_wrong_number_is_told_once_though_the_script_would_refuse_it_too(
    said: Callable[[str, str], list[str]],
) -> None:
    text = CONFIG.replace("[journal]", "params = { stop = nan }\n[journal]")
    assert said("check", text) == [
        "x.toml:9: strategies.0.params.stop: found nan; allowed: a finite number"
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_wrong_processor_is_named(
    command: str, said: Callable[[str, str], list[str]]
) -> None:
    Path("a.py").write_text("def x(:\n")
    Path("b.py").write_text("x = 1\n")
    text = '[pipeline]\nprocessors = [\n  "a.py",\n  "b.py",\n]\n'
    assert said(command, text + CONFIG) == [
        "x.toml:4: pipeline.processors.1: b.py: must declare FIGURES, names to units, "
        'such as {"my_spread": "bps"}',
        "a.py:1: invalid syntax (pipeline)",
    ]


def test_a_processor_out_of_order_is_named_unless_the_list_is_wrong_anyway(
    said: Callable[[str, str], list[str]],
) -> None:
    Path("a.py").write_text(
        'FIGURES = {"own": "bps"}\nNEEDS = ["volatility_bps"]\n'
        "def on_quote(*given): pass\n"
    )
    text = '[pipeline]\nprocessors = ["a.py", "volatility"]\n'
    (line,) = said("check", text + CONFIG)
    assert line.startswith("x.toml:2: pipeline.processors: a.py needs 'volatility")
    (line,) = said("check", text.replace('"v', '"w') + CONFIG)
    assert line.startswith('x.toml:2: pipeline.processors.1: found "wolatility"')


def test_the_shipped_configs_have_nothing_to_complain_about(capsys: Capture) -> None:
    for path in sorted(shipped_folder("config").glob("*.toml")):
        assert main(["check", str(path)]) == 0
    assert capsys.readouterr().err == ""
