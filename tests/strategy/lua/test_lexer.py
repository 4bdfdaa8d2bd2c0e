"""The lexer finds every text that the VM would see, and none is cut wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategy.lua.workers import load
from workstation.strategy.lua.lexer import strings_of, texts
from workstation.strategy.lua.vm import lua
from workstation.strategy.lua.wire import API_STRINGS, LONGEST_STRING

PLAIN = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_characters="\\"),
    max_size=20,
)
ESCAPES = st.sampled_from(
    [
        "\\n",
        "\\t",
        "\\\\",
        "\\'",
        '\\"',
        "\\a",
        "\\x41",
        "\\65x",
        "\\0650",
        "\\u{48}",
        "\\u{20AC}",
        "\\z  \n  ",
        "\\\n",
        "\\\r\n",
        "é",
        "--",
        "[[",
        "]]",
        "a",
        " ",
        "0",
    ]
)
WORDS = st.lists(st.one_of(ESCAPES, st.sampled_from("xyz01")), max_size=8).map("".join)


def value_of(literal: str) -> str:
    """Return what Lua's own parser makes of a literal."""
    runtime = lua.LuaRuntime(encoding="latin-1")
    value: str = runtime.execute(f"return {literal}".encode())
    return value.encode("latin-1").decode()


@given(WORDS, st.sampled_from("'\""))
def test_a_quoted_literal_is_what_lua_reads(body: str, quote: str) -> None:
    other = {"'": '"', '"': "'"}[quote]
    literal = quote + body.replace(f"\\{quote}", other).replace(quote, other) + quote
    expected = value_of(literal)
    shown = [expected] if expected.isprintable() else []
    assert texts(f"local name = {literal} -- end") == tuple(
        dict.fromkeys(("local", "name", *shown))
    )


@given(PLAIN, st.integers(0, 2), st.sampled_from(["", "\n", "\r\n", "\n\r", "\r"]))
def test_a_long_literal_is_what_lua_reads(body: str, level: int, newline: str) -> None:
    equals = "=" * level
    literal = f"[{equals}[{newline}{body.replace(']', ')')}]{equals}]"
    expected = value_of(literal)
    assert texts(literal) == ((expected,) if expected.isprintable() else ())


@given(st.text(st.sampled_from("ab\"'[]=-\\\n z09"), max_size=40))
def test_a_literal_amid_comments_and_noise_is_found(source: str) -> None:
    # No operator of these makes a text: what is returned stands in the source.
    chunk = f"return {source}\n"
    found = texts(chunk)
    try:
        value = lua.LuaRuntime(encoding="latin-1").execute(chunk.encode())
    except lua.LuaError:
        return
    if isinstance(value, str):
        assert value in found or not value.isprintable()


@given(st.text(max_size=200))
def test_no_text_at_all_breaks_the_lexer(source: str) -> None:
    assert all(len(text) <= LONGEST_STRING for text in texts(source))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('-- "no"\nlocal a', ("local", "a")),
        ('--[[ "no"\n"no" ]] b', ("b",)),
        ('--[==[ ]] "no" ]==] b', ("b",)),
        ('--[ "no"\nb', ("b",)),
        ("a--[[x]]b", ("a", "b")),
        ("x = 'it''s'", ("x", "it", "s")),
        ('"a\\"b"', ('a"b',)),
        ("'a--b' c", ("a--b", "c")),
        ("t[ [[k]] ]", ("t", "k")),
        ("[=[a]]b]=]", ("a]]b",)),
        ('"\\xff"', ()),
        ('"\\u{D800}"', ()),
        ('"\\u{7FFFFFFF}"', ()),
        ("'" + "x" * 65 + "'", ()),
        ("'" + "x" * 64 + "'", ("x" * 64,)),
        ("'é' -- é", ("é",)),
        ('"open\nnext', ("open", "next")),
        ("[[never closed", ()),
        ('"a\0b"', ()),
        ('"\\27[2J" "\\n" "\\u{202E}"', ()),
    ],
)
def test_texts_and_names_are_found_in_order(
    source: str, expected: tuple[str, ...]
) -> None:
    assert texts(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"' + "\\z  " * 50_000,
        '"' + "\\\n" * 50_000,
        "'\"" * 100_000,
        "[=" * 100_000,
        "--[=" * 50_000,
        "[[" * 100_000,
        "--[==[" * 40_000,
        '"\\z\n' * 50_000,
        "\\" * 200_000,
        '"' + '\\"' * 100_000,
        "'" + "\\'" * 100_000,
        '"' + "\\z\\'" * 60_000,
    ],
    ids=lambda source: source[:6],
)
def test_a_source_made_to_be_slow_is_read_in_one_pass(source: str) -> None:
    # A reader that went back would need longer than a test may take.
    texts(source)


def test_the_api_comes_first_and_nothing_twice() -> None:
    found = strings_of(load("ema = 'action'", strings=("BTCUSDT", "action")))
    assert found[: len(API_STRINGS)] == API_STRINGS
    assert len(found) == len(set(found))
    assert {"BTCUSDT", "ema", "macd", "ofi"} <= set(found)
