"""Loading scripts: what is wrong is named with the script's own line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.strategy.fakes import write_script
from workstation.model.errors import ScriptError
from workstation.signals import Interrupted
from workstation.strategy.question import Function
from workstation.strategy.script import describe, load_script

T = TypeVar("T")

WHOLE = """
def detect_opportunity(m, c, i): return None
def filter_commitment(m, c, i): return None
def manage_position(m, c, i): return None
"""


def _load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    load_script(path)


def test_a_whole_script_is_loaded_with_its_parameters(tmp_path: Path) -> None:
    head = "PARAMS = {'n': 3, 'x': {'default': 0.5, 'min': 0, 'max': 1, 'help': 'h'}}\n"
    script = load_script(write_script(tmp_path, head=head))
    assert [(p.name, p.default, p.maximum) for p in script.params] == [
        ("n", 3, None),
        ("x", 0.5, 1),
    ]
    assert script.resolve({}) == {"n": 3, "x": 0.5}
    assert script.resolve({"x": 1}) == {"n": 3, "x": 1.0}
    assert script.functions[Function.DETECT](None, {}, None) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\ndef detect(:\n", "bad.py:2: invalid syntax"),
        ("x = 1\n\nraise ValueError('no')\n", "bad.py:3: ValueError: no"),
        ("import sys\nsys.exit(3)\n", "bad.py:2: SystemExit: 3"),
        ("raise KeyboardInterrupt\n", "bad.py:1: KeyboardInterrupt"),
        ("class B(BaseException): ...\nraise B(3)\n", "bad.py:2: B: 3"),
        (
            "class D(dict):\n    def items(self): exit()\n" + WHOLE + "PARAMS = D()\n",
            "bad.py:2: SystemExit",
        ),
        ("import no_such_module_at_all\n", "bad.py:1: ModuleNotFoundError"),
        ("def detect_opportunity(m, c, i): ...\n", "bad.py: misses filter_commitment"),
        (WHOLE + "detect_opportunity = 3\n", "bad.py: misses detect_opportunity"),
        (WHOLE + "PARAMS = [1]\n", "PARAMS must be a dict"),
        (WHOLE + "PARAMS = {'a': {'min': 1}}\n", "must have default"),
        (WHOLE + "PARAMS = {'a': {'default': 1, 'mix': 1}}\n", "must have default"),
        (WHOLE + "PARAMS = {'a': [1]}\n", "a list is no number"),
        (WHOLE + "PARAMS = {'a': None}\n", "a NoneType is no number"),
        (WHOLE + "PARAMS = {'a': {'default': 1, 'min': 'x'}}\n", "min and max are"),
        (WHOLE + "PARAMS = {'a': {'default': 1, 'help': 3}}\n", "help text"),
        (WHOLE + "PARAMS = {3: 1}\n", "name and help text"),
        (WHOLE + "PARAMS = {'a': {'default': 1, 'min': 2}}\n", "must be in 2"),
        (WHOLE + "PARAMS = {'a': float('nan')}\n", "must be finite"),
        ("\x00", "null bytes"),
    ],
)
def test_what_is_wrong_with_a_script_is_named(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ScriptError) as caught:
        _load(tmp_path, text)
    assert said in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.py"
    os.mkfifo(pipe)
    with pytest.raises(ScriptError, match=r"pipe\.py: cannot be read: Is a pipe"):
        load_script(pipe)


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"gone\.py: cannot be read: No such file"):
        load_script(tmp_path / "gone.py")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"m": 1}, "unknown parameter 'm'; it declares: n, x, on, word"),
        ({"n": 1.5}, "n = 1.5 must be int"),
        ({"n": True}, "n = True must be int"),
        ({"n": "3"}, "n = '3' must be int"),
        ({"n": 0}, "n = 0 must be in 1 … 9"),
        ({"n": 10}, "n = 10 must be in 1 … 9"),
        ({"x": float("nan")}, "must be finite"),
        ({"x": float("inf")}, "must be finite"),
        ({"on": 1}, "on = 1 must be bool"),
        ({"word": 1}, "word = 1 must be str"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_is_right(
    tmp_path: Path, given: dict[str, bool | int | float | str], said: str
) -> None:
    head = (
        "PARAMS = {'n': {'default': 3, 'min': 1, 'max': 9}, 'x': 0.5, 'on': True, "
        "'word': 'w'}\n"
    )
    script = load_script(write_script(tmp_path, head=head))
    with pytest.raises(ScriptError) as caught:
        script.resolve(given)
    assert said in str(caught.value)


def test_a_script_is_loaded_by_the_runner_that_is_given(tmp_path: Path) -> None:
    ran: list[Path] = []

    class Interruption(BaseException):
        passes_scripts = True

    def interrupted(path: Path, source: bytes, load: Callable[[], T]) -> T:
        ran.append(path)
        load()
        raise Interruption

    path = write_script(tmp_path)
    with pytest.raises(Interruption):
        load_script(path, interrupted)
    assert ran == [path]


def test_the_end_of_the_run_passes_through_a_script(tmp_path: Path) -> None:
    head = "from workstation.signals import Interrupted\nraise Interrupted('SIGTERM')\n"
    with pytest.raises(Interrupted):
        load_script(write_script(tmp_path, head=head))


def test_two_loads_of_one_file_share_nothing(tmp_path: Path) -> None:
    path = write_script(
        tmp_path, head="seen = []\n", detect="seen.append(1); return {}"
    )
    first, second = load_script(path), load_script(path)
    first.functions[Function.DETECT](None, {}, None)
    assert first.functions[Function.DETECT].__globals__["seen"] == [1]
    assert second.functions[Function.DETECT].__globals__["seen"] == []
    assert first.hash == second.hash


def test_the_hash_is_of_the_text(tmp_path: Path) -> None:
    one = load_script(write_script(tmp_path, name="a.py"))
    same = load_script(write_script(tmp_path, name="b.py"))
    other = load_script(write_script(tmp_path, name="c.py", head="# a word\n"))
    assert one.hash == same.hash != other.hash


class _Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


def test_an_error_is_told_in_one_line_that_is_the_same_in_every_run() -> None:
    assert describe(ValueError(object())) == "ValueError: <object object>"
    assert describe(ValueError("a\n  b")) == "ValueError: a b"
    assert describe(ValueError("\ud800")) == "ValueError: \\ud800"
    assert len(describe(ValueError("x" * 10_000))) < 400
    assert describe(ValueError()) == "ValueError"
    assert describe(_Silent()) == "_Silent"


def test_a_script_in_another_encoding_is_refused_for_a_replay_would_differ(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(b"# -*- coding: latin-1 -*-\nWORD = '\xe9'\n")
    with pytest.raises(ScriptError, match="is no UTF-8 text"):
        load_script(path)
