"""For tests of the screen: what an app leaves behind is let go with its test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual._styles_cache import StylesCache


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Let go of the painted lines that Textual keeps of widgets which are gone.

    Up to 1,024 of them, 200,000 objects that each full collection would go through.
    """
    yield
    StylesCache.get_inner_outer.cache_clear()
