"""The theme of a config: ``check`` names one that is not there, a run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.theme import BUILTIN_THEMES

from tests.test_imports import HEAVY, loaded_by
from tests.ui import fakes
from workstation.cli import main
from workstation.config import load_config
from workstation.config.starter import make_starter
from workstation.ui.app import WorkstationApp
from workstation.ui.settings import TEXTUAL_THEMES

Capture = pytest.CaptureFixture[str]

WRONG = ["--set", 'ui.theme="harbour-dark"']


def test_check_names_a_theme_that_is_not_there_and_those_that_are(
    capsys: Capture,
) -> None:
    assert main(["check", *WRONG]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        '--set ui.theme="harbour-dark": ui.theme: found "harbour-dark"; allowed: '
        "harbor-dark, okabe-dark, paper-light, or of Textual: textual-dark, "
    )
    assert line.endswith('tokyo-night; did you mean "harbor-dark"?')


def test_check_names_the_file_that_remembers_a_theme_which_is_gone(
    home: Path, capsys: Capture
) -> None:
    own = home / "config/workstation/settings.toml"
    own.parent.mkdir(parents=True)
    own.write_text('[ui]\ntheme = "nordd"\n')
    assert main(["check"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f'{own}:2: ui.theme: found "nordd"; allowed: harbor-dark, ')
    assert err.endswith('did you mean "nord"?\n')


def test_themes_of_textual_of_the_user_and_beside_the_config_are_there(
    home: Path, tmp_path: Path, capsys: Capture
) -> None:
    make_starter(tmp_path / "mine")
    config = str(tmp_path / "mine/config/default.toml")
    for folder in (home / "config/workstation/themes", tmp_path / "mine/themes"):
        folder.mkdir(parents=True, exist_ok=True)
    (home / "config/workstation/themes/one.toml").touch()
    (tmp_path / "mine/themes/two.toml").touch()
    for name in ("nord", "one", "two"):
        assert main(["check", config, "--set", f'ui.theme="{name}"']) == 0
    assert capsys.readouterr().err == ""


def test_the_themes_of_textual_are_those_that_it_has() -> None:
    assert sorted(TEXTUAL_THEMES) == sorted(BUILTIN_THEMES)


def test_looking_for_a_theme_loads_no_screen() -> None:
    statement = (
        f"from workstation.cli import main; assert main({['check', *WRONG]!r}) == 2"
    )
    assert not loaded_by(statement) & HEAVY


def test_a_run_does_without_the_theme(capsys: Capture) -> None:
    given = ["--headless", "--until", "events=9", "--set", 'journal.path=""']
    assert main(["run", *given, *WRONG]) == 0
    assert capsys.readouterr().err == ""


async def test_a_screen_takes_the_usual_theme_and_says_which_was_meant() -> None:
    app = WorkstationApp(
        fakes.config('ui.theme="harbour-dark"'),
        session=fakes.FakeSession(),
        environ={"TERM": "xterm-256color"},
    )
    assert app.theme == "harbor-dark"
    (alert,) = app.alerts.waiting(None)
    assert alert.text.startswith(
        'theme harbour-dark: no such theme, did you mean "harbor-dark"?'
    )


async def test_a_screen_has_the_themes_beside_its_config(tmp_path: Path) -> None:
    make_starter(tmp_path / "mine")
    text = (tmp_path / "mine/themes/paper-light.toml").read_text()
    (tmp_path / "mine/themes/own.toml").write_text(text)
    config = load_config(
        tmp_path / "mine/config/default.toml", ['ui.theme="own"', 'journal.path=""']
    )
    app = WorkstationApp(
        config, session=fakes.FakeSession(), environ={"TERM": "xterm-256color"}
    )
    assert app.theme == "own"
    assert app.alerts.waiting(None) == ()
