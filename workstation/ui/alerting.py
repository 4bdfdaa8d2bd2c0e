"""Alerts as the operator sees them: the engine's and the screen's own, and which wait.

Acknowledging is the screen's business: the engine keeps a cause until it is mended.
"""

from __future__ import annotations

import msgspec

from workstation.engine.frames import Alert, Frame

__all__ = ["AlertDesk"]

_RANK = {"bad": 0, "warn": 1, "info": 2}


class AlertDesk:
    """The screen's own alerts, what was acknowledged, what has rung."""

    def __init__(self) -> None:
        self.own: list[Alert] = []
        self._acknowledged: set[int] = set()
        self._rung: set[int] = set()

    def warn(
        self, subject: str, text: str, remedy: str, severity: str = "warn"
    ) -> None:
        """Raise an alert of the screen itself; the same text is raised once."""
        if any(alert.text == text for alert in self.own):
            return
        self.own.append(
            Alert(
                # Below zero, where the engine's numbers never are.
                id=-1 - len(self.own),
                ts=0,
                last_ts=0,
                severity=severity,
                subject=subject,
                instrument="",
                text=text,
                remedy=remedy,
                count=1,
                active=True,
            )
        )

    def merged(self, frame: Frame) -> Frame:
        """Return the frame with the screen's own alerts among its."""
        if not self.own:
            return frame
        now = frame.ts
        own = [msgspec.structs.replace(each, ts=now, last_ts=now) for each in self.own]
        alerts = sorted(
            (*own, *frame.alerts),
            key=lambda each: (not each.active, _RANK[each.severity]),
        )
        return msgspec.structs.replace(frame, alerts=tuple(alerts))

    def waiting(self, frame: Frame | None) -> tuple[Alert, ...]:
        """Return the active alerts nobody has acknowledged, the worst first."""
        alerts = tuple(self.own) if frame is None else self.merged(frame).alerts
        return tuple(a for a in alerts if a.active and a.id not in self._acknowledged)

    def is_acknowledged(self, alert: Alert) -> bool:
        """Tell whether the operator has acknowledged an alert."""
        return alert.id in self._acknowledged

    def acknowledge(self, ids: frozenset[int]) -> None:
        """Take these alerts off the line."""
        self._acknowledged |= ids

    def rings(self, waiting: tuple[Alert, ...]) -> bool:
        """Tell whether a bad alert is among them that was not there before."""
        fresh = {alert.id for alert in waiting if alert.severity == "bad"} - self._rung
        self._rung |= fresh
        return bool(fresh)
