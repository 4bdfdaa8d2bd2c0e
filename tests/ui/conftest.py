"""For tests of the screen: what an app leaves behind is let go with its test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual._styles_cache import StylesCache

from tests.ui.idling import until_idle


@pytest.fixture(autouse=True)
def idling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pilot ask the loop whether the app has anything left to do."""
    monkeypatch.setattr("textual.pilot.wait_for_idle", until_idle)
    monkeypatch.setattr("textual.app.wait_for_idle", until_idle)


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Let go of the painted lines that Textual keeps of widgets which are gone.

    Up to 1,024 of them, 200,000 objects that each full collection would go through.
    """
    yield
    StylesCache.get_inner_outer.cache_clear()
