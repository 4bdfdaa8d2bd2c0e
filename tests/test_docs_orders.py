"""docs/orders.md has the table and the settings that the code has."""

from __future__ import annotations

import re
from pathlib import Path

from docs.order_table import table
from workstation.execution.risk import DenialCode
from workstation.execution.settings import OrderSettings

TEXT = (Path(__file__).parents[1] / "docs" / "orders.md").read_text(encoding="utf-8")


def test_the_table_is_the_machines() -> None:
    assert table() in TEXT


def test_every_setting_and_code_it_names_exists() -> None:
    named = set(re.findall(r"`([a-z_]+_ms)`", TEXT))
    assert named == {n for n in OrderSettings.__struct_fields__ if n.endswith("_ms")}
    codes = {
        code for code in re.findall(r"`([A-Z_]{6,})`", TEXT) if "ORDER_" not in code
    }
    assert codes <= set(DenialCode)
