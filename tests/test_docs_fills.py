"""docs/fills.md names every model and key there is, and what results say."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from msgspec import structs

from workstation.model.orders import TimeInForce
from workstation.venues.matching.level import TELLING_NS
from workstation.venues.paper.settings import FillModel, PaperBrokerSettings

TEXT = (Path(__file__).parents[1] / "docs" / "fills.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("model", get_args(FillModel))
def test_every_fill_model_is_in_the_table(model: str) -> None:
    assert f"\n| `{model}` |" in TEXT


def test_every_key_that_decides_a_fill_is_explained() -> None:
    others = {"name", "cash", "maker_fee_bps", "taker_fee_bps", "rates", "cancel_share"}
    keys = {field.name for field in structs.fields(PaperBrokerSettings)} - others
    assert [key for key in sorted(keys) if f"`{key}" not in TEXT] == []


def test_the_figures_are_those_of_the_code() -> None:
    assert f"next {TELLING_NS // 1_000_000} ms" in TEXT
    assert all(each.value in TEXT for each in TimeInForce if each.value != "GTC")
