"""What keys say where they do nothing, and what is true of the row below the cursor."""

from __future__ import annotations

import pytest

from tests.ui.test_app import opened, text_of
from workstation.ui.actions import ACTIONS, PANEL_SCOPES, Action
from workstation.ui.facts import not_here

_ROOM = 80 - len("  ctrl+k KILL ") - 1
"""Cells of a sentence in the footer of the smallest screen."""


@pytest.mark.parametrize(
    "entry",
    [each for each in ACTIONS if each.scope in PANEL_SCOPES],
    ids=lambda e: e.id,
)
def test_where_a_key_is_heard_fits_into_80_columns(entry: Action) -> None:
    assert len(not_here(entry, entry.keys[0])) <= _ROOM


async def test_the_smallest_screen_says_in_full_where_a_key_is_heard() -> None:
    async with opened(size=(80, 24)) as (app, pilot, _):
        await pilot.press("R")
        assert "R (reload) needs: task, feed, strategy. " in text_of(app)
