"""The banner of a kill says what is done, and what is only asked for."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.ui.screens.scenes import HEADER
from workstation.ui.screens.heading import kill_words


@pytest.mark.parametrize(
    ("level", "positions", "orders", "held", "stands", "said"),
    [
        ("hold", 1, 3, 2, True, "no new orders"),
        ("cancel", 1, 2, 2, True, "entries canceled, no new orders"),
        ("cancel", 1, 3, 2, False, "canceling entries, no new orders"),
        (
            *("cancel", 1, 3, 2, True),
            "canceling entries when the clock moves, no new orders",
        ),
        ("flatten", 0, 0, 0, True, "flattened, no new orders"),
        ("flatten", 2, 0, 0, False, "flattening 2 positions, no new orders"),
        (
            *("flatten", 1, 0, 0, True),
            "flattening 1 position when the clock moves, no new orders",
        ),
    ],
)
def test_a_kill_is_done_once_the_venue_has_answered(
    level: str, positions: int, orders: int, held: int, stands: bool, said: str
) -> None:
    header = structs.replace(
        HEADER,
        kill=level,
        positions=positions,
        orders=orders,
        held_protection=held,
        stands=stands,
    )
    found = kill_words(header, key="^k")
    assert found is not None
    assert found.meaning == said
