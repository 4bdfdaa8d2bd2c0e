"""The reference numbers of the market-making models."""

from __future__ import annotations

import json
from typing import Any

from tests.reference import reference


def model(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return inputs and expected values of a model; Any: JSON."""
    path = reference("models", "market-making-ref.json")
    found = json.loads(path.read_text(encoding="utf-8"))[name]
    return found["inputs"], found["expected"]
