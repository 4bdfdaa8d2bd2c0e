"""docs/risk.md names every key and every code, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import structs

from workstation.execution.denials import DenialCode
from workstation.execution.settings import RiskSettings

TEXT = (Path(__file__).parents[1] / "docs" / "risk.md").read_text(encoding="utf-8")


def test_every_key_is_explained() -> None:
    named = set(re.findall(r"`(\w+)`", TEXT))
    assert {field.name for field in structs.fields(RiskSettings)} <= named


def test_every_code_is_in_the_table_once_and_no_other() -> None:
    codes = re.findall(r"^\| `([A-Z_]+)` \|", TEXT, re.MULTILINE)
    assert sorted(codes) == sorted(code.value for code in DenialCode)
