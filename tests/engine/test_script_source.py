"""The text of a script as the screen shows it: what ran, and whether it changed."""

from __future__ import annotations

from pathlib import Path

from tests.strategy.fakes import write_script
from workstation.engine.script_source import read_source
from workstation.strategy.script import failed_script, load_script


def test_the_lines_of_the_file_are_those_that_were_loaded(tmp_path: Path) -> None:
    path = write_script(tmp_path)
    source = read_source(load_script(path))
    assert source.lines == tuple(path.read_text().splitlines())
    assert source.note == ""
    assert source.path == str(path)


def test_lines_that_ran_are_shown_though_the_file_has_changed(tmp_path: Path) -> None:
    path = write_script(tmp_path)
    script = load_script(path)
    lines = tuple(path.read_text().splitlines())
    path.write_text("# other\n" + path.read_text())
    source = read_source(script)
    assert source.lines == lines
    assert source.note == "The file has changed since; these are the lines that ran."


def test_so_are_those_of_a_file_that_is_gone(tmp_path: Path) -> None:
    path = write_script(tmp_path)
    script = load_script(path)
    lines = tuple(path.read_text().splitlines())
    path.unlink()
    source = read_source(script)
    assert source.lines == lines
    assert source.note == "The file cannot be read: No such file or directory."


def test_of_a_script_that_never_loaded_no_change_is_claimed(tmp_path: Path) -> None:
    path = write_script(tmp_path)
    assert read_source(failed_script(path, {}, "no")).note == ""
