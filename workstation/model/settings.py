"""Base of all settings, and types with ranges that several parts use.

Each package keeps its own settings in a light ``settings.py``; ``config.py`` puts
them together from TOML. Attribute docstrings are the manual of the config file.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

__all__ = [
    "Bps",
    "Fraction",
    "Milliseconds",
    "Name",
    "PositiveInt",
    "Settings",
    "at_least_zero",
    "more_than_zero",
]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section of the configuration."""


Name = Annotated[str, Meta(pattern="^[A-Za-z0-9_.-]+$", max_length=40)]
PositiveInt = Annotated[int, Meta(ge=1)]
Milliseconds = Annotated[int, Meta(ge=0, le=86_400_000)]
Bps = Annotated[float, Meta(ge=-10_000, le=10_000)]
Fraction = Annotated[float, Meta(ge=0, le=1)]


def more_than_zero(settings: Settings, *names: str) -> None:
    """Raise ValueError unless each named Decimal is > 0 (None passes)."""
    for name in names:
        value: Decimal | None = getattr(settings, name)
        if value is not None and not value > 0:
            raise ValueError(f"{name} = {value} must be more than 0")


def at_least_zero(settings: Settings, *names: str) -> None:
    """Raise ValueError unless each named Decimal is ≥ 0 (None passes)."""
    for name in names:
        value: Decimal | None = getattr(settings, name)
        if value is not None and not value >= 0:
            raise ValueError(f"{name} = {value} must be 0 or more")
