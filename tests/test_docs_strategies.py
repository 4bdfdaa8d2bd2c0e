"""docs/strategies.md names all that scripts may say and see, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from msgspec import structs

from workstation.strategy.actions import _KEYS, Action, ActionKind, SizeMode
from workstation.strategy.inputs import Market, PreviousBar
from workstation.strategy.machine import TABLE, Trigger
from workstation.strategy.question import Function
from workstation.strategy.settings import AskSettings

DOCS = (Path(__file__).parents[1] / "docs" / "strategies.md").read_text("utf-8")
WORDS = set(re.findall(r"`+\"?([A-Za-z_]+)", DOCS))
# What the engine itself reads of a market, and no script needs.
_NOT_FOR_SCRIPTS = {"bar", "view", "refresh", "notes", "plots", "reference"} | {
    "count_orders",
    "has_said",
}


def seen() -> set[str]:
    """Return the names a script finds on its market."""
    return {n for n in dir(Market) if not n.startswith("_")} - _NOT_FOR_SCRIPTS


def table(begin: str) -> list[list[str]]:
    """Return the cells of the first table after a heading."""
    part = DOCS[DOCS.index(begin) :]
    lines = part[part.index("\n|") :].lstrip("\n").splitlines()
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows[2:]


@pytest.mark.parametrize("name", sorted(seen()))
def test_every_name_of_the_market_is_documented(name: str) -> None:
    assert name in WORDS


def test_the_table_of_the_market_names_nothing_that_is_not_there() -> None:
    named = {
        name
        for names, *_ in table("## What a script sees")
        for name in re.findall(r"`(\w+)", names)
    }
    assert named - {"market"} == seen()


def test_keys_of_actions_are_documented_with_the_actions_that_take_them() -> None:
    given: dict[str, set[str]] = {}
    for keys, of, _ in table("## Actions"):
        for key in re.findall(r"`(\w+)`", keys):
            kinds = set(re.findall(r"`(\w+)`", of))
            if "entries" in of:
                kinds |= {"enter_long", "enter_short"}
            if of == "all":
                kinds = set(ActionKind)
            given.setdefault(key, set()).update(kinds)
    expected = {
        field.name: {kind for kind, keys in _KEYS.items() if field.name in keys}
        for field in structs.fields(Action)
        if field.name != "kind"
    }
    expected["reason"] = set(ActionKind)
    assert given == expected


@pytest.mark.parametrize(
    "word",
    [
        *Function,
        *ActionKind,
        *get_args(SizeMode),
        *(field.name for field in structs.fields(AskSettings)),
        *PreviousBar._fields,
    ],
)
def test_every_word_is_documented(word: str) -> None:
    assert word in WORDS


def test_every_line_of_the_machine_is_documented() -> None:
    named: set[tuple[str, str]] = set()
    for state, triggers, *_ in table("## The symbol machine"):
        for trigger in re.findall(r"`(\w+)`", triggers):
            named.add((state, trigger))
    overrides = {t.value for t in Trigger if t.value.startswith("override")}
    assert {trigger for state, trigger in named if state == "any"} == overrides
    lines = {(s.value, t.value) for s, t in TABLE if t.value not in overrides}
    assert {line for line in named if line[0] != "any"} == lines
