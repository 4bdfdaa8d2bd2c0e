"""Themes from TOML files: read, checked value by value, never fatal.

Owns the names of our own theme variables and their defaults for any theme. The app
registers what ``load_themes`` returns and shows its problems; a theme that cannot be
built is left out, so the one in use stays. ``docs`` lists ``VARIABLES``.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.design import ColorSystem
from textual.theme import BUILTIN_THEMES, Theme

DEFAULT_THEME = "harbor-dark"

VARIABLES: dict[str, str] = {
    "text-strong": "text that must be read first",
    "muted": "heads, units, what may be skipped",
    "rule": "lines between panels",
    "header-bg": "background of header, alert line and footer",
    "focus-line": "title and rule of the focused panel",
    "key": "key names in footer and hints",
    "cursor-bg": "cursor row of the focused panel",
    "cursor-blurred-bg": "cursor row of the other panels",
    "mark-bg": "marked rows, the lines one step caused",
    "match-bg": "what find has found",
    "state-watch": "symbol state Watch",
    "state-close-watch": "symbol state CloseWatch",
    "state-in-trade": "symbol state InTrade",
    "state-manual": "symbol state locked by hand",
    "tick-up": "rising, profit, buy",
    "tick-down": "falling, loss, sell",
    "tint-up-bg": "a cell that has just risen",
    "tint-down-bg": "a cell that has just fallen",
    "tint-bg": "a cell that has just changed",
    "severity-info": "notes",
    "severity-warn": "warnings",
    "severity-bad": "what needs the operator now",
    "severity-bad-bg": "the alert line while something is bad",
    "book-bid": "bid prices",
    "book-ask": "ask prices",
    "book-bid-bar": "depth bars of the bids",
    "book-ask-bar": "depth bars of the asks",
    "stale": "what is old or not to be trusted",
    "overlay-1": "first line over the chart",
    "overlay-2": "second line over the chart",
    "overlay-3": "third line over the chart",
    "overlay-4": "fourth line over the chart",
}

_COLORS = (
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "boost",
    "success",
    "warning",
    "error",
)
_NUMBERS = {"luminosity-spread": (0.0, 1.0), "text-alpha": (0.0, 1.0)}
_TOP_LEVEL = ("title", "dark", *_NUMBERS, "colors", "variables")
_STYLE_WORDS = frozenset(
    ("none", "not", "bold", "dim", "italic", "underline", "reverse", "strike")
)
_ALPHA = re.compile(r"\s+\d{1,3}(\.\d+)?%$")
_COLOR_HELP = 'use "#rrggbb", "rgb(r, g, b)" or a colour name'

_ANSI = {
    "text-strong": "ansi_default",
    "muted": "ansi_bright_black",
    "rule": "ansi_bright_black",
    "header-bg": "ansi_default",
    "focus-line": "ansi_cyan",
    "key": "ansi_cyan",
    "cursor-bg": "ansi_default",
    "cursor-blurred-bg": "ansi_default",
    "mark-bg": "ansi_default",
    "match-bg": "ansi_default",
    "state-watch": "ansi_default",
    "state-close-watch": "ansi_yellow",
    "state-in-trade": "ansi_cyan",
    "state-manual": "ansi_magenta",
    "tick-up": "ansi_green",
    "tick-down": "ansi_red",
    "tint-up-bg": "ansi_default",
    "tint-down-bg": "ansi_default",
    "tint-bg": "ansi_default",
    "severity-info": "ansi_default",
    "severity-warn": "ansi_yellow",
    "severity-bad": "ansi_red",
    "severity-bad-bg": "ansi_default",
    "book-bid": "ansi_green",
    "book-ask": "ansi_red",
    "book-bid-bar": "ansi_green",
    "book-ask-bar": "ansi_red",
    "stale": "ansi_bright_black",
    "overlay-1": "ansi_yellow",
    "overlay-2": "ansi_cyan",
    "overlay-3": "ansi_magenta",
    "overlay-4": "ansi_green",
}
# Sixteen colours have no quiet background; the inks of cursor, mark and match turn to
# text styles there.


class ThemeError(ValueError):
    """A theme file that cannot be used; ``problems`` has one line for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def default_variables(theme: Theme) -> dict[str, str]:
    """Return a value for each of ``VARIABLES``, derived from the theme's own colours.

    For ``App.get_theme_variable_defaults``, which makes every theme of Textual usable.
    """
    if theme.ansi:
        return dict(_ANSI)
    base = theme.to_color_system().generate()

    def color(name: str) -> Color:
        return Color.parse(base[name])

    back, fore = color("background"), color("foreground")
    primary, success = color("primary"), color("success")
    warning, error = color("warning"), color("error")
    secondary, accent = color("secondary"), color("accent")

    def text(tone: Color) -> str:
        return fore.blend(tone, 0.75, alpha=1).hex

    def tint(tone: Color, share: float = 0.2) -> str:
        return back.blend(tone, share, alpha=1).hex

    return {
        "text-strong": fore.hex,
        "muted": tint(fore, 0.6),
        "rule": tint(fore, 0.25),
        "header-bg": tint(fore, 0.07),
        "focus-line": text(primary),
        "key": text(primary),
        "cursor-bg": tint(primary, 0.25),
        "cursor-blurred-bg": tint(primary, 0.12),
        "mark-bg": tint(accent),
        "match-bg": tint(warning, 0.35),
        "state-watch": tint(fore, 0.75),
        "state-close-watch": text(warning),
        "state-in-trade": text(primary),
        "state-manual": text(secondary),
        "tick-up": text(success),
        "tick-down": text(error),
        "tint-up-bg": tint(success),
        "tint-down-bg": tint(error),
        "tint-bg": tint(primary),
        "severity-info": tint(fore, 0.75),
        "severity-warn": text(warning),
        "severity-bad": text(error),
        "severity-bad-bg": tint(error),
        "book-bid": text(success),
        "book-ask": text(error),
        "book-bid-bar": tint(success, 0.55),
        "book-ask-bar": tint(error, 0.55),
        "stale": tint(fore, 0.5),
        "overlay-1": text(warning),
        "overlay-2": text(primary),
        "overlay-3": text(accent),
        "overlay-4": text(success),
    }


DEFAULT_VARIABLES: dict[str, str] = default_variables(BUILTIN_THEMES["textual-dark"])
"""A value for each of ``VARIABLES`` when no theme is at hand."""

_TEXTUAL_VARIABLES = frozenset(
    BUILTIN_THEMES["textual-dark"].to_color_system().generate()
)


def load_themes(folders: Iterable[Path]) -> tuple[list[Theme], list[str]]:
    """Read every ``*.toml`` of ``folders``; a later folder wins by file name.

    Returns the usable themes, sorted by name, and one line for each thing wrong. A
    broken file is left out, and a sound one of that name in an earlier folder stays.
    Folders that do not exist are skipped.
    """
    themes: dict[str, Theme] = {}
    problems: list[str] = []
    for folder in folders:
        if not folder.is_dir():
            continue
        for path in sorted(folder.glob("*.toml")):
            try:
                themes[path.stem] = read_theme(path)
            except ThemeError as error:
                problems.extend(error.problems)
    return [themes[name] for name in sorted(themes)], problems


def read_theme(path: Path) -> Theme:
    """Read one theme file; its name is the file's. Raises ``ThemeError``."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ThemeError([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ThemeError(
            [f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8"]
        ) from error
    return parse_theme(text, name=path.stem, source=str(path))


def parse_theme(text: str, *, name: str, source: str) -> Theme:
    """Make a theme from TOML text; ``source`` is what errors call the file.

    Raises ``ThemeError`` with everything that is wrong, each with its line.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        where = re.search(r"\(at line (\d+), column \d+\)", message)
        line = where.group(1) if where else "end"
        message = re.sub(r" \(at .*\)$", "", message)
        raise ThemeError([f"{source}:{line}: not TOML: {message}"]) from error
    reader = _Reader(text, source)
    theme = reader.theme(name, data)
    if theme is None:
        raise ThemeError(reader.problems)
    return theme


class _Reader:
    """Check one file, collecting every problem with the line it is on."""

    def __init__(self, text: str, source: str) -> None:
        self.lines = text.splitlines()
        self.source = source
        self.problems: list[str] = []

    def theme(self, name: str, data: dict[str, Any]) -> Theme | None:
        # Any: what a TOML document may hold.
        for key in data:
            if key not in _TOP_LEVEL:
                self.unknown("", key, _TOP_LEVEL)
        dark = data.get("dark", True)
        if not isinstance(dark, bool):
            self.problem("", "dark", dark, "use true or false")
        numbers = {key: self.number(key, data) for key in _NUMBERS if key in data}
        colors = self.table(data, "colors")
        variables = self.table(data, "variables")
        for key, value in colors.items():
            if key not in _COLORS:
                self.unknown("colors", key, _COLORS)
            elif not _is_color(value):
                self.problem("colors", key, value, _COLOR_HELP)
        if "primary" not in colors:
            self.problems.append(
                f'{self.source}: [colors] has no primary; add primary = "#rrggbb"'
            )
        for key, value in variables.items():
            self.variable(key, value)
        if self.problems:
            return None
        theme = Theme(
            name=name,
            dark=dark,
            variables={key: str(value) for key, value in variables.items()},
            luminosity_spread=numbers.get("luminosity-spread", 0.15),
            text_alpha=numbers.get("text-alpha", 0.95),
            **colors,
        )
        try:
            system: ColorSystem = theme.to_color_system()
            system.generate()
            default_variables(theme)
        except (ColorParseError, ValueError, KeyError, ZeroDivisionError) as error:
            self.problems.append(
                f"{self.source}: these colours do not make a theme: {error}"
            )
            return None
        return theme

    def table(self, data: Mapping[str, Any], name: str) -> dict[str, Any]:
        value = data.get(name, {})
        if isinstance(value, dict):
            return value
        self.problem("", name, value, f"make it a table: [{name}]")
        return {}

    def number(self, key: str, data: Mapping[str, Any]) -> float:
        low, high = _NUMBERS[key]
        value = data[key]
        sound = isinstance(value, int | float) and not isinstance(value, bool)
        if not sound or not low <= value <= high:
            self.problem("", key, value, f"use a number from {low:g} to {high:g}")
            return low
        return float(value)

    def variable(self, key: str, value: object) -> None:
        if key not in VARIABLES and key not in _TEXTUAL_VARIABLES:
            self.unknown("variables", key, (*VARIABLES, *sorted(_TEXTUAL_VARIABLES)))
        elif not key.endswith("-style"):
            base = value
            if isinstance(value, str) and key in _TEXTUAL_VARIABLES:
                base = _ALPHA.sub("", value.strip())
                if base == "auto":
                    return
            if not _is_color(base):
                self.problem("variables", key, value, _COLOR_HELP)
        elif not isinstance(value, str) or not set(value.split()) <= _STYLE_WORDS:
            words = ", ".join(sorted(_STYLE_WORDS))
            self.problem("variables", key, value, f"use words of: {words}")

    def problem(self, section: str, key: str, value: object, remedy: str) -> None:
        shown = f'"{value}"' if isinstance(value, str) else repr(value)
        self.problems.append(
            f"{self.source}:{self.line_of(section, key)}: {key} = {shown}: {remedy}"
        )

    def unknown(self, section: str, key: str, allowed: Iterable[str]) -> None:
        names = list(allowed)
        close = difflib.get_close_matches(key, names, n=1)
        if close:
            remedy = f"did you mean {close[0]}?"
        else:
            shown = names if len(names) <= 12 else list(VARIABLES)
            remedy = f"known are {', '.join(shown)}"
        where = f"[{section}] " if section else ""
        self.problems.append(
            f"{self.source}:{self.line_of(section, key)}: {where}{key} is unknown: "
            f"{remedy}"
        )

    def line_of(self, section: str, key: str) -> int:
        """Find the line of a key by scanning the text; tomllib keeps no positions."""
        inside = ""
        name = re.escape(key)
        assignment = re.compile(rf"""\s*(["']?){name}\1\s*[=.]""")
        dotted = re.compile(rf"""\s*{re.escape(section)}\s*\.\s*(["']?){name}\1\s*=""")
        heading = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+")
        for index, line in enumerate(self.lines, start=1):
            if found := heading.match(line):
                inside = found.group(1).strip("\"'")
                if not section and inside.split(".")[0] == key:
                    return index
            elif (inside == section and assignment.match(line)) or (
                section and not inside and dotted.match(line)
            ):
                return index
        return 1


def _is_color(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        Color.parse(value)
    except ColorParseError:
        return False
    return True
