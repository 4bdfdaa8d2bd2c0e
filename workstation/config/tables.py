"""Checks one table of the config against its settings type, key by key.

Each key is converted by itself. The cross-checks of ``__post_init__`` end at the first
mistake, so they are tried again without it: one wrong key hides no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import (
    Annotated,
    Any,
    Generic,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from msgspec import NODEFAULT, Struct, inspect, structs

from workstation.config.problems import Key, Problems, did_you_mean
from workstation.config.values import INVALID, check_value, describe, show
from workstation.model.settings import Settings

__all__ = ["Checked", "array_of_tables", "check_table", "check_tagged"]

S = TypeVar("S", bound=Settings)

# For a required value that is wrong or missing while others are checked against it.
# Numbers are large: what depends on one must be less than it.
_STAND_INS = {Decimal: Decimal(10**12), int: 10**12, float: 1e12, str: "x"}

_CROSS_CHECK = re.compile(
    r"^([A-Za-z_]\w*)((?:\.\w+)*) = (.*) must be (.*)$", re.DOTALL
)


class Checked(Generic[S]):
    """What a table holds so far: its right values, to be completed and then built."""

    def __init__(
        self,
        settings: type[S],
        key: Key,
        values: dict[str, Any],
        *,
        right: bool = True,
    ) -> None:
        self.settings = settings
        self.key = key
        self.values = values
        self.right = right
        """Whether no problem was found in the table."""

    def get(self, name: str) -> Any:
        """Return a right value or the default; None where it is wrong or missing."""
        return self.values.get(name)

    def build(self) -> S:
        """Make the settings; only when no problem was found in the table."""
        return self.settings(**self.values)


def check_table(
    table: Any, settings: type[S], key: Key, problems: Problems
) -> Checked[S]:
    """Return what is right in a table, after noting the problems of the rest."""
    if not isinstance(table, dict):
        place = ".".join(map(str, key))
        problems.add(key, f"found {show(table)}; allowed: a table [{place}]")
        return Checked(settings, key, {}, right=False)
    found = len(problems)
    hints = get_type_hints(settings, include_extras=True)
    fields = structs.fields(settings)
    names = [field.name for field in fields]
    tag_field = settings.__struct_config__.tag_field
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name == tag_field:
            continue
        if name not in names:
            known = [*([tag_field] if tag_field else []), *names]
            problems.add((*key, name), _unknown(name, known))
            continue
        hint = hints[name]
        if isinstance(hint, type) and issubclass(hint, Settings):
            before = len(problems)
            nested = check_table(value, hint, (*key, name), problems)
            if len(problems) == before:
                values[name] = nested.build()
            continue
        item = _item_settings(hint)
        if item is not None and isinstance(value, list):
            before = len(problems)
            rows = [
                check_table(each, item, (*key, name, index), problems)
                for index, each in enumerate(value)
            ]
            if len(problems) == before:
                values[name] = tuple(each.build() for each in rows)
            continue
        checked = check_value(value, hint, (*key, name), problems)
        if checked is not INVALID:
            values[name] = checked
    required = [field.name for field in fields if _is_required(field)]
    for name in required:
        if name not in table:
            words = describe(inspect.type_info(hints[name]))
            problems.add((*key, name), f"missing; allowed: {words}")
    stand_ins = {name: _stand_in(hints[name]) for name in required}
    if all(name in values or stand_ins[name] is not None for name in required):
        _cross_check(settings, values, stand_ins, key, problems)
    defaults = {
        field.name: field.default
        if field.default is not NODEFAULT
        else field.default_factory()
        for field in fields
        if field.name not in table and not _is_required(field)
    }
    right = len(problems) == found
    return Checked(settings, key, {**defaults, **values}, right=right)


def _item_settings(hint: Any) -> type[Settings] | None:
    """Return what a list of tables holds; None where ``hint`` is no such list."""
    item = get_args(hint)[0] if get_origin(hint) is tuple else None
    return item if isinstance(item, type) and issubclass(item, Settings) else None


def check_tagged(
    table: Any,
    choices: Mapping[str, type[S]],
    later: Iterable[str],
    key: Key,
    problems: Problems,
) -> Checked[S] | None:
    """Return the table as its ``type`` says; ``later`` are words not yet here.

    None where the type is not known, so that nothing else can be checked.
    """
    if not isinstance(table, dict):
        problems.add(key, f"found {show(table)}; allowed: a table")
        return None
    allowed = "one of " + ", ".join(f'"{word}"' for word in choices)
    if len(choices) == 1:
        allowed = f'"{next(iter(choices))}"'
    where = (*key, "type")
    if "type" not in table:
        problems.add(where, f"missing; allowed: {allowed}")
        return None
    word = table["type"]
    if isinstance(word, str) and word in choices:
        return check_table(table, choices[word], key, problems)
    if word in tuple(later):
        if problems.names(where):
            return None
        message = f'"{word}" is not available in this version; allowed: {allowed}'
    else:
        hint = did_you_mean(word, choices) if isinstance(word, str) else ""
        message = f"found {show(word)}; allowed: {allowed}{hint}"
    problems.add(where, message)
    return None


def array_of_tables(
    data: Mapping[str, Any], name: str, problems: Problems
) -> list[Any]:
    """Return the elements of ``[[name]]``; none after noting that it is no array."""
    value = data.get(name, [])
    if isinstance(value, list):
        return value
    problems.add((name,), f"found {show(value)}; allowed: [[{name}]], once for each")
    return []


def _unknown(name: str, known: Iterable[str]) -> str:
    words = list(known)
    return f"unknown key; known: {', '.join(words)}{did_you_mean(name, words)}"


def _is_required(field: structs.FieldInfo) -> bool:
    return field.default is NODEFAULT and field.default_factory is NODEFAULT


def _stand_in(hint: Any) -> Any:
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return _STAND_INS.get(plain) if isinstance(plain, type) else None


def _cross_check(
    settings: type[Struct],
    values: Mapping[str, Any],
    stand_ins: Mapping[str, Any],
    key: Key,
    problems: Problems,
) -> None:
    """Note what ``__post_init__`` refuses, one after the other.

    What was refused is left out; what cannot be left out has a stand-in.
    """
    base = {name: values.get(name, other) for name, other in stand_ins.items()}
    rest = {**base, **values}
    while True:
        try:
            settings(**rest)
            return
        except ValueError as error:
            message = str(error)
        name = _blamed(settings, rest, base, message)
        if name in base and rest[name] is stand_ins[name]:
            return  # nobody wrote it
        _add_cross_check(key if name is None else (*key, name), key, message, problems)
        if name is None:
            return
        if name not in base:
            del rest[name]
        elif stand_ins[name] is not None:
            base[name] = rest[name] = stand_ins[name]
        else:
            return


def _blamed(
    settings: type[Struct],
    values: Mapping[str, Any],
    base: Mapping[str, Any],
    message: str,
) -> str | None:
    """Return which of the values a cross-check complains about; None: of no single."""
    match = _CROSS_CHECK.match(message)
    if match is not None and match[1] in values:
        return match[1]
    for name, value in values.items():
        try:
            settings(**{**base, name: value})
        except ValueError as error:
            if str(error) == message:
                return name
    return None


def _add_cross_check(where: Key, table: Key, message: str, problems: Problems) -> None:
    match = _CROSS_CHECK.match(message)
    if match is None:
        problems.add(where, message)
        return
    rest = tuple(match[2].split(".")[1:])
    problems.add((*table, match[1], *rest), f"found {match[3]}; allowed: {match[4]}")
