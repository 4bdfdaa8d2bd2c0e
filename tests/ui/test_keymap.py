"""The keymap: every mistake is found, and all of them at once."""

from __future__ import annotations

import re
import string
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.keys import Keys, _character_to_key

from workstation.ui.actions import ACTIONS, Scope
from workstation.ui.key_names import NAMES, key_glyph, key_name
from workstation.ui.keymap import KeymapError, read_keymap
from workstation.ui.keys_page import document


def problems(keymap: dict[str, str]) -> list[str]:
    with pytest.raises(KeymapError) as error:
        read_keymap(keymap)
    return error.value.problems


def test_no_keymap_gives_the_keys_of_the_table() -> None:
    assert read_keymap({}) == {entry.id: entry.keys for entry in ACTIONS}


def test_new_keys_replace_the_default_ones() -> None:
    keys = read_keymap({"clock.play": "space, F5", "find.filter": "f3"})
    assert keys["clock.play"] == ("space", "f5")
    assert keys["find.filter"] == ("f3",)


def test_an_unknown_id_gets_a_suggestion() -> None:
    assert problems({"clock.slowr": "f6"}) == [
        "clock.slowr: no such action; did you mean clock.slower or clock.bar?"
    ]


def test_an_unknown_key_gets_a_suggestion() -> None:
    (problem,) = problems({"clock.event": "fulstop"})
    assert problem.startswith(
        "clock.event: no such key 'fulstop'; did you mean full_stop"
    )


def test_all_problems_come_at_once() -> None:
    found = problems(
        {"clock.slowr": "f6", "app.kill": "k", "view.back": "", "task.step": "up"}
    )
    assert len(found) == 4


@pytest.mark.parametrize(
    "keymap",
    [
        {"row.override": "space"},
        {"row.override": "n"},
        {"row.override": "ctrl+k"},
        {"clock.play": "a"},
        {"row.override": "F"},
        {"task.pause": "s"},
        {"dialog.go": "ctrl+q"},
    ],
)
def test_a_clash_is_found(keymap: dict[str, str]) -> None:
    (problem,) = problems(keymap)
    assert "both" in problem
    assert next(iter(keymap)) in problem


def test_two_panels_may_use_the_same_key() -> None:
    assert read_keymap({"task.pause": "o"})["task.pause"] == ("o",)


def test_a_dialog_may_use_a_key_of_the_panels() -> None:
    assert read_keymap({"dialog.go": "o"})["dialog.go"] == ("o",)


def test_swapping_two_keys_is_no_clash() -> None:
    keys = read_keymap({"task.pause": "s", "task.step": "p"})
    assert keys["task.pause"] == ("s",)


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+i", "ctrl+m", "ctrl+z", "up", "enter"])
def test_reserved_keys_are_kept(key: str) -> None:
    (problem,) = problems({"row.override": key})
    assert "cannot be given away" in problem


@pytest.mark.parametrize("id", ["app.kill", "app.quit", "view.back", "dialog.back"])
def test_what_is_needed_keeps_a_key(id: str) -> None:
    assert problems({id: ""}) == [f"{id}: must keep a key; give it one"]


def test_the_page_names_keys_that_can_be_given() -> None:
    page = document().replace("\n", " ")
    names = re.search(r"or a name: ([^.]*)\.", page)
    assert names is not None
    for name in re.findall(r"`([^`]+)`", names[1]):
        with_it = {"table.sort": name}
        taken = [p for p in _problems(with_it) if "both" not in p]
        assert taken == [], name


def test_the_page_names_what_must_keep_a_key() -> None:
    page = document().replace("\n", " ")
    said = re.search(r"off the keyboard \(not ([a-z, ]+) and the keys of", page)
    assert said is not None
    titles = {each.strip() for each in said[1].split(",")}
    kept = {
        entry.id.split(".")[1]
        for entry in ACTIONS
        if entry.scope is not Scope.DIALOG and _problems({entry.id: ""})
    }
    assert titles == kept


def _problems(keymap: dict[str, str]) -> list[str]:
    try:
        read_keymap(keymap)
    except KeymapError as error:
        return error.problems
    return []


def test_others_can_be_taken_off_the_keyboard() -> None:
    assert read_keymap({"table.sort": ""})["table.sort"] == ()


def test_a_key_heard_in_text_may_not_be_text() -> None:
    (problem,) = problems({"app.kill": "k"})
    assert "swallowed by text fields" in problem


def test_key_names_are_textuals() -> None:
    for character in string.punctuation + " " + string.ascii_letters + string.digits:
        if character != ",":
            assert key_name(character) == _character_to_key(character), character
    known = {key.value for key in Keys}
    for name in NAMES - {_character_to_key(c) for c in string.punctuation + " "}:
        assert name in known, name


def test_every_key_of_the_table_is_a_name_the_keymap_takes() -> None:
    for entry in ACTIONS:
        for key in entry.keys:
            assert key_name(key) == key
            assert key_glyph(key)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ctrl+T", "ctrl+t"),
        ("shift+n", "N"),
        ("N", "N"),
        ("F5", "f5"),
        ("shift+ctrl+up", "ctrl+shift+up"),
        ("ctrl+", None),
        ("hyper+x", None),
        ("ctrl+ctrl+x", None),
        ("ß", None),
        ("", None),
    ],
)
def test_a_key_may_be_written_as_people_do(text: str, name: str | None) -> None:
    assert key_name(text) == name


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=4))
def test_no_keymap_makes_it_fail_otherwise(keymap: dict[str, str]) -> None:
    try:
        assert set(read_keymap(keymap)) == {entry.id for entry in ACTIONS}
    except KeymapError:
        return


def test_the_example_of_the_docs_is_a_good_keymap() -> None:
    block = re.search(r"```toml\n(.*?)```", document(), re.DOTALL)
    assert block is not None
    keymap = tomllib.loads(block.group(1))["ui"]["keymap"]
    keys = read_keymap(keymap)
    assert keys["clock.slower"] == ("f6",)
