"""The section ``[ui]``: how the screen looks, from the config and the user's own file.

What the config says goes before what the user has chosen on the screen. Loads no
Textual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import structs

from workstation.config.document import Document
from workstation.config.problems import Problems, did_you_mean
from workstation.config.tables import Checked, check_table
from workstation.config.values import show
from workstation.indicators import IndicatorError, Request
from workstation.paths import theme_folders, user_settings_file
from workstation.ui.keymap import KeymapError, read_keymap
from workstation.ui.settings import TEXTUAL_THEMES, UiSettings, theme_names

__all__ = ["read_ui"]


def read_ui(document: Document, problems: Problems, *, theme: bool) -> UiSettings:
    """Return the screen's settings: the config's over what the user has chosen."""
    themes = theme_names(theme_folders(document.path)) if theme else None
    remembered = _remembered(problems, themes)
    table = document.data.get("ui", {})
    checked = check_table(table, UiSettings, ("ui",), problems)
    _check_theme(checked, themes, problems)
    _check_charts(checked, problems)
    written = table if isinstance(table, dict) else {}
    chosen = {name: checked.get(name) for name in written if name in checked.values}
    if "keymap" in chosen:
        chosen["keymap"] = {**remembered.keymap, **chosen["keymap"]}
        _check_keymap(chosen["keymap"], problems)
    return structs.replace(remembered, **chosen)


def _remembered(problems: Problems, themes: Sequence[str] | None) -> UiSettings:
    path = user_settings_file()
    if not path.exists():
        return UiSettings()
    document = Document(path, order=2)
    own = Problems(document)
    checked = None
    if document.read(own):
        table = document.data.pop("ui", {})
        for name in document.data:
            own.add((name,), f"unknown section; known: ui{did_you_mean(name, ['ui'])}")
        checked = check_table(table, UiSettings, ("ui",), own)
        _check_theme(checked, themes, own)
        _check_charts(checked, own)
        _check_keymap(checked.get("keymap") or {}, own)
    problems.extend(own)
    return checked.build() if checked is not None and not len(own) else UiSettings()


def _check_theme(
    checked: Checked[UiSettings], themes: Sequence[str] | None, problems: Problems
) -> None:
    """Refuse a theme that is not there; None: whether it is does not matter."""
    theme = checked.get("theme")
    if themes is not None and theme is not None and theme not in themes:
        own = [name for name in themes if name not in TEXTUAL_THEMES]
        problems.add(
            ("ui", "theme"),
            f"found {show(theme)}; allowed: {', '.join(own)}, or of Textual: "
            f"{', '.join(TEXTUAL_THEMES)}{did_you_mean(theme, themes)}",
        )


def _check_charts(checked: Checked[UiSettings], problems: Problems) -> None:
    """Refuse what is no indicator of the registry with its parameters."""
    for name in ("chart", "chart2"):
        for place, word in enumerate(checked.get(name) or ()):
            try:
                Request.parse(word)
            except IndicatorError as error:
                problems.add(("ui", name, place), str(error))


def _check_keymap(keymap: Mapping[str, str], problems: Problems) -> None:
    try:
        read_keymap(keymap)
    except KeymapError as error:
        for sentence in error.problems:
            # Most begin with the action they are about, a clash with the key.
            action, _, message = sentence.partition(": ")
            if action in keymap:
                problems.add(("ui", "keymap", action), message)
            else:
                problems.add(("ui", "keymap"), sentence)
