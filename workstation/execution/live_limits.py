"""Limits that were set while earlier runs went on, and what of them still holds.

``Recovering`` tells of the runs in order. A limit set live holds as long as the config
says what it said then. Where the config was changed since, the tighter of the two
does: no word of the operator is lost, and a restart lets nothing more pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from workstation.execution.limits import UNITS, loosens
from workstation.execution.settings import RiskSettings
from workstation.model.records import LimitRecord

__all__ = ["LiveLimits", "SetLive"]


class _Unknown:
    """A config that does not say: one of a version without this limit."""


_UNKNOWN = _Unknown()
_Config = Decimal | None | _Unknown


class SetLive(NamedTuple):
    """A limit in force that is not the config's; None = no limit."""

    config: Decimal | None
    value: Decimal | None
    reason: str


class LiveLimits:
    """The limits set live, by name, each beside what the config said then."""

    def __init__(self) -> None:
        self._config: dict[str, _Config] = {}
        self._live: dict[str, tuple[Decimal | None, _Config, str]] = {}

    def begins(self, risk: Mapping[str, object]) -> None:
        """Note that a run began with these values of ``[risk]``."""
        self._begin({name: _value(risk, name) for name in UNITS})

    def _begin(self, config: dict[str, _Config]) -> None:
        self._config = config
        for name, (value, then, reason) in list(self._live.items()):
            now = config[name]
            if now == then:
                continue
            if isinstance(now, _Unknown) or loosens(value, now):
                self._live[name] = value, now, reason
            else:
                del self._live[name]

    def take(self, record: LimitRecord) -> None:
        """Note that a limit was set."""
        name, config = record.name, self._config.get(record.name, _UNKNOWN)
        if record.after == config:
            self._live.pop(name, None)
        else:
            self._live[name] = record.after, config, record.reason

    def holding(self, settings: RiskSettings) -> dict[str, SetLive]:
        """Return what holds besides a run that begins with these settings."""
        config: dict[str, Decimal | None] = {}
        for name in UNITS:
            value = getattr(settings, name)
            config[name] = None if value is None else Decimal(value)
        self._begin(dict(config))
        return {
            name: SetLive(config[name], value, reason)
            for name, (value, _, reason) in self._live.items()
            if value != config[name]
        }


def _value(risk: Mapping[str, object], name: str) -> _Config:
    found = risk.get(name, _UNKNOWN)
    if found is None or isinstance(found, _Unknown):
        return found
    try:
        return Decimal(str(found))
    except InvalidOperation:
        return _UNKNOWN
