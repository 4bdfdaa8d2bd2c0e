"""What is written for the user: remembered settings and the starter folder."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.config import load_config, save_setting
from workstation.config.starter import make_starter
from workstation.model.errors import ConfigError
from workstation.paths import shipped_folder, theme_folders, user_settings_file


def entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_setting_is_saved_with_all_comments_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('# mine\n[ui]\ntheme = "a" # dark\n\n[other]\nx = 1\n')
    save_setting(path, "ui.theme", "b")
    assert path.read_text() == '# mine\n[ui]\ntheme = "b" # dark\n\n[other]\nx = 1\n'
    save_setting(path, "ui.layout", 7)
    assert '# mine\n[ui]\ntheme = "b" # dark\nlayout = 7\n' in path.read_text()
    assert entries(tmp_path) == ["settings.toml"]


def test_a_setting_is_saved_where_no_file_and_no_folder_is() -> None:
    save_setting(user_settings_file(), "ui.theme", "okabe-dark")
    assert load_config(None).ui.theme == "okabe-dark"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20))
def test_any_text_that_is_saved_is_read_again(value: str) -> None:
    path = user_settings_file()
    save_setting(path, "ui.theme", value)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["ui"]["theme"] == value


def test_a_file_that_is_not_toml_is_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[ui\n")
    with pytest.raises(ConfigError, match="not TOML, so not changed"):
        save_setting(path, "ui.theme", "b")
    assert path.read_text() == "[ui\n"
    assert entries(tmp_path) == ["settings.toml"]


def test_a_value_in_the_way_of_a_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("ui = 1\n")
    with pytest.raises(ConfigError, match="ui is one value, not a table"):
        save_setting(path, "ui.theme", "b")


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[ui]\ntheme = "a"\n')

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ConfigError, match="not saved: No space left on device"):
        save_setting(path, "ui.theme", "b")
    assert path.read_text() == '[ui]\ntheme = "a"\n'
    assert entries(tmp_path) == ["settings.toml"]


def test_permissions_and_links_stay_as_they_were(tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_text("")
    real.chmod(0o640)
    link = tmp_path / "settings.toml"
    link.symlink_to(real)
    save_setting(link, "ui.bell", True)
    assert link.is_symlink()
    assert real.read_text() == "[ui]\nbell = true\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_the_starter_has_all_shipped_files_and_its_configs_are_good(
    tmp_path: Path,
) -> None:
    target = tmp_path / "mine"
    files = make_starter(target)
    shipped = [
        path.relative_to(shipped_folder("config").parent)
        for kind in ("config", "strategies", "themes")
        for path in (shipped_folder("config").parent / kind).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert [path.relative_to(target) for path in files] == sorted(shipped)
    for config in (target / "config").glob("*.toml"):
        load_config(config)


def test_a_strategy_changed_in_the_starter_is_the_one_that_runs(tmp_path: Path) -> None:
    make_starter(tmp_path / "mine")
    run = load_config(tmp_path / "mine/config/default.toml").run
    assert run.strategies[0].script == str(tmp_path / "mine/strategies/ema_cross.py")


def test_themes_of_the_starter_and_of_the_user_win_over_the_shipped(
    tmp_path: Path, home: Path
) -> None:
    shipped, users = shipped_folder("themes"), home / "config/workstation/themes"
    mine = tmp_path / "mine/config/default.toml"
    assert theme_folders(None) == [shipped, users]
    assert theme_folders(mine) == [shipped, users, tmp_path / "mine/themes"]
    assert theme_folders(shipped_folder("config") / "x.toml") == [shipped, users]


def test_the_starter_goes_into_a_folder_that_is_there_and_empty(tmp_path: Path) -> None:
    make_starter(tmp_path)
    assert entries(tmp_path) == ["config", "strategies", "themes"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_the_starter_overwrites_nothing(kind: str, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    if kind == "file":
        target.write_text("kept")
    else:
        target.mkdir()
        (target / "kept").write_text("kept")
    with pytest.raises(ConfigError, match="nothing is overwritten"):
        make_starter(target)
    assert entries(tmp_path) == ["mine"]
    assert kind == "file" or entries(target) == ["kept"]


def test_a_starter_that_cannot_be_finished_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ConfigError, match="cannot be made: No space left on device"):
        make_starter(tmp_path / "mine")
    assert entries(tmp_path) == []
