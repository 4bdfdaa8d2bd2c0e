"""docs/reconciliation.md names every verdict, and the settings as they are."""

from __future__ import annotations

import re
from pathlib import Path

from workstation.execution.denials import DenialCode
from workstation.execution.settings import ReconciliationSettings
from workstation.model.reconciliation import Resolution, Verdict
from workstation.model.rehearsal import HandOrder, Transfer
from workstation.ui.actions import action

TEXT = (Path(__file__).parents[1] / "docs" / "reconciliation.md").read_text("utf-8")


def test_every_verdict_has_its_row() -> None:
    table = TEXT.split("| verdict |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [
        *(verdict.value for verdict in Verdict)
    ]


def test_every_resolution_is_told_of() -> None:
    words = {
        Resolution.ADOPT: "| adopt |",
        Resolution.ATTRIBUTE: "| to a strategy |",
        Resolution.CANCEL: "| cancel |",
        Resolution.IGNORE: "| ignore |",
    }
    assert set(words) == set(Resolution)
    assert all(word in TEXT for word in words.values())


def test_the_defaults_are_those_of_the_settings() -> None:
    settings = ReconciliationSettings()
    assert f"`[reconciliation] every_s` ({settings.every_s:g} s" in TEXT
    assert f"`confirm_ms` ({settings.confirm_ms:,})" in TEXT


def test_codes_keys_and_happenings_are_those_of_the_code() -> None:
    assert f"`{DenialCode.UNRECONCILED.value}`" in TEXT
    assert DenialCode.RECONCILING.value in TEXT
    assert f"`{action('account.reconciliation').glyph}` opens the screen" in TEXT
    for happening in (HandOrder, Transfer):
        assert f"- **{happening.__name__}**" in TEXT
