"""The manual page is what the registry says."""

from __future__ import annotations

from pathlib import Path

from workstation import indicators
from workstation.indicators.documentation import markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "indicators.md"


def test_the_page_is_the_generated_text() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), (
        "print it anew: python -m workstation.indicators.documentation"
    )


def test_every_indicator_output_and_parameter_is_named() -> None:
    page = markdown()
    for name in indicators.names():
        indicator = indicators.get(name)
        for word in (name, *indicator.outputs, *(p.name for p in indicator.params)):
            assert f"`{word}`" in page
