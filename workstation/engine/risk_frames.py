"""What the risk panel shows: gauges as they are compared, and the last denials.

Denials come as records (a sink of the core); called by ``FrameSource`` between two
inputs, it only reads.
"""

from __future__ import annotations

from collections import deque

from workstation.engine.engine import Engine
from workstation.engine.frames import DenialRow, RiskTable
from workstation.execution.executor import Executor
from workstation.execution.limits import UNITS
from workstation.model.records import DenyRecord, Record

__all__ = ["RiskFrames"]

_KEPT = 100
"""Denials kept: more than any screen shows; the log and the journal have all."""


class RiskFrames:
    """Risk tables of one session; ``kinds`` are the types of records it wants."""

    kinds = (DenyRecord,)

    def __init__(self, engine: Engine, executor: Executor) -> None:
        self._engine = engine
        self._executor = executor
        self._denials: deque[DenialRow] = deque(maxlen=_KEPT)
        self._denied = 0

    def __call__(self, record: Record, encoded: bytes) -> None:
        """Keep a denial (a sink of the core)."""
        if isinstance(record, DenyRecord):
            self._denied += 1
            self._denials.appendleft(
                DenialRow(
                    number=self._denied,
                    ts=record.ts,
                    owner=record.owner,
                    instrument=record.instrument,
                    code=record.code,
                    text=record.text,
                    role=record.role.value,
                )
            )

    def risk(self) -> RiskTable:
        """Return the limits as of now."""
        executor, ts = self._executor, self._engine.core.ts
        controls = executor.controls
        return RiskTable(
            gauges=tuple(executor.limits.gauges(ts)),
            denials=tuple(self._denials),
            denied=self._denied,
            on_breach=executor.limits.settings.on_breach,
            cooling_until_ns=controls.cooling_until_ns,
            ramp_share=float(executor.risk.entries.ramp(controls.ramp_from_ns, ts)),
            settable=frozenset(UNITS),
        )
