"""The action table: complete, without double meanings, and the docs made from it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from workstation.ui.actions import (
    ACTIONS,
    PANEL_SCOPES,
    Danger,
    Fact,
    Scope,
    action,
    actions_of,
    find_key,
    footer_for,
    shown_keys,
    visible,
)
from workstation.ui.keys_page import document

ROOT = Path(__file__).resolve().parents[2]
ALL = set(Fact)


def words(scope: Scope, facts: set[Fact]) -> str:
    return "  ".join(f"{hint.glyph} {hint.label}" for hint in footer_for(scope, facts))


def test_ids_are_unique_and_say_area_and_verb() -> None:
    ids = [entry.id for entry in ACTIONS]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", id) for id in ids)


def test_titles_are_plain_sentences_without_a_full_stop() -> None:
    for entry in ACTIONS:
        assert entry.title
        assert entry.title[0].islower()
        assert not entry.title.endswith(".")
        assert "!" not in entry.title


def test_no_key_has_two_meanings_where_both_are_heard() -> None:
    for panel in PANEL_SCOPES:
        heard = (Scope.GLOBAL_PRIORITY, Scope.GLOBAL, Scope.CLOCK, panel)
        for entry in ACTIONS:
            for key in entry.keys:
                assert len(find_key(key, heard)) <= 1, (panel, key)
    for entry in actions_of(Scope.DIALOG):
        for key in entry.keys:
            assert len(find_key(key, (Scope.GLOBAL_PRIORITY, Scope.DIALOG))) == 1


def test_a_letter_means_one_verb_in_all_panels() -> None:
    meanings: dict[str, set[str]] = {}
    for entry in ACTIONS:
        if entry.scope is Scope.DIALOG:
            continue
        for key in entry.keys:
            if len(key) == 1:
                verb = entry.id.split(".")[1]
                meanings.setdefault(key, set()).add(verb)
    assert {key: verbs for key, verbs in meanings.items() if len(verbs) > 1} == {}


def test_only_upper_case_and_ctrl_keys_touch_trading() -> None:
    for entry in ACTIONS:
        if entry.danger is Danger.TRADING:
            key = entry.keys[0]
            assert key.startswith("ctrl+") or key.isupper()


def test_what_acts_needs_an_unlocked_screen_but_kill_never_does() -> None:
    for entry in ACTIONS:
        if entry.danger is not Danger.LOOK and entry.id != "app.kill":
            assert Fact.UNLOCKED in entry.needs, entry.id
    assert visible(action("app.kill"), set())


def test_keys_of_later_versions_are_not_there() -> None:
    for key in ("left_square_bracket", "right_square_bracket"):
        assert find_key(key) == ()
    for digit in "5689":
        assert find_key(digit) == ()


def test_the_footer_starts_with_the_panels_own_keys_and_ends_with_keys() -> None:
    line = words(Scope.ROW, ALL)
    assert line.startswith("o override  F flatten  b order  enter detail")
    assert line.endswith("? keys")


def test_the_footer_hides_what_cannot_act() -> None:
    line = words(Scope.ROW, {Fact.UNLOCKED, Fact.ROW})
    assert "o override" in line
    assert "order" not in line
    assert "flatten" not in line
    locked = words(Scope.ROW, {Fact.ROW, Fact.POSITION})
    assert "override" not in locked
    assert "H hold" not in locked


def test_neighbours_of_one_label_share_it() -> None:
    assert "< > speed" in words(Scope.CLOCK, ALL)
    assert "+ - scale" in words(Scope.CHART, ALL)


def test_the_clock_keys_are_absent_in_a_run_that_cannot_be_driven() -> None:
    assert footer_for(Scope.CLOCK, {Fact.UNLOCKED}) == ()


def test_the_footer_shows_the_keys_of_the_keymap() -> None:
    hints = footer_for(Scope.CLOCK, ALL, {"clock.slower": ("f6",), "clock.play": ()})
    glyphs = [hint.glyph for hint in hints]
    assert "F6 >" in glyphs
    assert "space" not in glyphs


def test_keys_are_shown_by_their_glyphs() -> None:
    assert shown_keys(action("app.kill").keys) == "ctrl+k F9"
    assert action("app.help").glyph == "?"
    assert action("clock.to_bookmark").glyph == "'"


def test_the_action_names_its_call() -> None:
    assert action("row.override").call == "app.act('row.override')"


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(KeyError, match=r"row\.sell"):
        action("row.sell")


def test_docs_are_what_the_table_prints() -> None:
    assert (ROOT / "docs" / "keys.md").read_text(encoding="utf-8") == document()


def test_the_table_knows_no_textual() -> None:
    code = (
        "import sys, workstation.ui.actions, workstation.ui.keymap;"
        "print('textual' in sys.modules or 'rich' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
