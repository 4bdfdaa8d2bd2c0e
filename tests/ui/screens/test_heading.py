"""The header: a kill is done or only asked for, the risk is that of one limit."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from tests.ui.screens.scenes import HEADER
from workstation.ui.screens.heading import (
    compact_line,
    kill_words,
    money_line,
    trust_line,
)
from workstation.ui.widgets.status_lines import lay_fields


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


@pytest.mark.parametrize(
    ("band", "used", "wide", "narrow"),
    [
        ("normal", None, "risk NORMAL ·", "risk ·"),
        ("normal", 0.0, "risk NORMAL 0%", "risk 0%"),
        ("normal", 61.0, "risk NORMAL 61%", "risk 61%"),
        ("normal", 72.0, "risk WARNING 72%", "risk 72%!"),
        ("normal", 86.0, "risk CRITICAL 86%", "risk 86%!"),
        # All of it is used when it is, and not before.
        ("normal", 99.86, "risk CRITICAL 99%", "risk 99%!"),
        ("normal", 100.0, "risk CRITICAL 100%", "risk 100%!"),
        ("over_limit", 100.2, "risk OVER LIMIT 101%", "risk OVER 101%"),
        ("normal", 624.0, "risk OVER LIMIT 624%", "risk OVER 624%"),
        # The position limit's own band is left a little later.
        ("warning", 67.0, "risk WARNING 67%", "risk 67%!"),
        ("warning", 624.0, "risk OVER LIMIT 624%", "risk OVER 624%"),
    ],
)
def test_the_word_of_the_risk_is_that_of_its_percentage(
    band: str, used: float | None, wide: str, narrow: str
) -> None:
    header = structs.replace(HEADER, band=band, limit_percent=used)
    for fields, cells, said in (
        (money_line(header), 120, wide),
        (compact_line(header), 80, narrow),
    ):
        text = "".join(part for part, _ in lay_fields(fields, cells))
        assert said in [each.strip() for each in text.split("  ")]


def test_what_the_risk_says_takes_the_place_of_the_day_s_percentage_first() -> None:
    header = structs.replace(HEADER, limit_percent=624.0)
    text = "".join(part for part, _ in lay_fields(compact_line(header), 80))
    assert "day +412.10  risk OVER 624%  pos 1" in text


@pytest.mark.parametrize(
    ("changes", "locked", "said"),
    [
        ({}, False, "SIM ×4 RUN 23"),
        ({"word": "PAUSED", "stands": True}, True, "SIM ×4 PAUSED LOCKED 23"),
        ({"word": "HOLD", "hold_since_ns": 1}, False, "SIM ×4 HOLD 23"),
        (
            {"word": "STEP", "hold_since_ns": 1, "stands": True},
            *(True, "SIM ×4 HOLD STEP LOCKED 23"),
        ),
        (
            {"word": "HOLD", "hold_since_ns": 1, "stands": True},
            *(False, "SIM ×4 HOLD PAUSED 23"),
        ),
        (
            {"word": "KILLED", "kill": "cancel", "stands": True},
            *(False, "SIM ×4 KILLED PAUSED 23"),
        ),
        ({"word": "STEP", "kill": "hold"}, False, "SIM ×4 HALTED STEP 23"),
        ({"word": "END", "hold_since_ns": 1}, False, "SIM ×4 HOLD END 23"),
    ],
)
def test_no_word_of_the_header_hides_another(
    changes: dict[str, Any], locked: bool, said: str
) -> None:
    header = structs.replace(HEADER, **changes)
    line = lay_fields(compact_line(header, locked=locked), 80)
    text = "".join(part for part, _ in line)
    assert text.strip().startswith(said)
    assert len(text) <= 80
    assert "bk 7/8!" in text
    wide = lay_fields(trust_line(header, locked=locked), 120)
    assert "".join(part for part, _ in wide).strip().startswith(said[:-3])
