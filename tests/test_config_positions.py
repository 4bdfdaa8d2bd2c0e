"""Lines of keys in TOML texts of every shape."""

from __future__ import annotations

import tomllib

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from workstation.config.positions import key_lines, line_of
from workstation.config.problems import Key

TEXT = '''\
# comment = 1
top = "a # b" # c
"quoted key" = 'x'
long = """
[not.a.table]
key = 1
""\\" still""""
raw = \'\'\'
it's = 2\'\'\'
list = [ # comment ]
  1,
  [2,
   3],
  { a = 4, b.c = "}" },
]
[table]
a.b = 1
 [table.sub] # comment
 x = {}
[[many]]
n = 1
[[many.deep]]
d = 1
[[many.deep]]
d = 2
[[many]]
n = 2
[many.one]
o = 2024-08-08 00:00:00
[[many.deep]]
d = 3
'''


def test_every_shape_of_key_is_found_on_its_line() -> None:
    tomllib.loads(TEXT)
    lines = key_lines(TEXT)
    wanted: dict[Key, int] = {
        ("top",): 2,
        ("quoted key",): 3,
        ("long",): 4,
        ("raw",): 8,
        ("list",): 10,
        ("list", 0): 11,
        ("list", 1): 12,
        ("list", 1, 1): 13,
        ("list", 2): 14,
        ("list", 2, "b", "c"): 14,
        ("table",): 16,
        ("table", "a", "b"): 17,
        ("table", "sub"): 18,
        ("table", "sub", "x"): 19,
        ("many", 0): 20,
        ("many", 0, "n"): 21,
        ("many", 0, "deep", 0): 22,
        ("many", 0, "deep", 1, "d"): 25,
        ("many", 1): 26,
        ("many", 1, "one", "o"): 29,
        ("many", 1, "deep", 0, "d"): 31,
    }
    assert {key: lines.get(key) for key in wanted} == wanted


def test_a_key_that_is_not_there_has_the_line_of_what_is_around_it() -> None:
    lines = key_lines(TEXT)
    assert line_of(lines, ("many", 1, "one", "absent")) == 28
    assert line_of(lines, ("many", 1, "absent", 3)) == 26
    assert line_of(lines, ("absent",)) == 1


names = st.text(st.sampled_from("abc.-_ #=[]\"'\n"), min_size=1, max_size=5)
scalars = (
    st.integers(-(10**6), 10**6)
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.sampled_from("ab[]{}=,#\"'\\\n "), max_size=8)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)
    ),
    max_leaves=8,
)


def flat(value: object, key: Key = ()) -> list[Key]:
    """Return the keys of all tables, values and elements."""
    found = [key] if key else []
    if isinstance(value, dict):
        for name, item in value.items():
            found += flat(item, (*key, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += flat(item, (*key, index))
    return found


@given(st.dictionaries(names, values, max_size=4))
def test_the_walk_finds_exactly_the_keys_that_the_parser_finds(
    data: dict[str, object],
) -> None:
    text = tomlkit.dumps(data)
    parsed = tomllib.loads(text)
    assert set(key_lines(text)) == set(flat(parsed))


@given(st.lists(scalars, max_size=4), st.integers(0, 5))
def test_lines_above_move_every_key_down(items: list[object], above: int) -> None:
    text = tomlkit.dumps({"a": items, "b": 1})
    first = key_lines(text)
    second = key_lines("# x\n" * above + text)
    assert second == {key: line + above for key, line in first.items()}
