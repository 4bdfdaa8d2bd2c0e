"""Runs for the tests of the engine: small, quick, and the same each time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from workstation.config import load_config
from workstation.engine import journal as journal_module
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.frames import Focus, Frame
from workstation.engine.session import Session
from workstation.engine.settings import RunSettings
from workstation.kernel import Clock, SimClock
from workstation.model.market import MarketEvent, Quote
from workstation.model.records import Record
from workstation.paths import shipped_folder

SHIPPED = shipped_folder("config")
DEFAULT = SHIPPED / "default.toml"
BINANCE = SHIPPED / "recording-binance.toml"
KLINES = SHIPPED / "recording-klines.toml"
TWO_VENUES = SHIPPED / "two-venues.toml"
SMALL = (
    'feeds.0.symbols=["BTCUSDT","ETHUSDT"]',
    'feeds.0.duration="3m"',
    'strategies.0.timeframe="1s"',
)
"""Two symbols, three minutes, bars of a second: some 3,500 events and 20 fills."""

PANELS = frozenset(
    {
        "symbols",
        "orders",
        "positions",
        "feeds",
        "gaps",
        "tasks",
        "channels",
        "indicators",
        "figures",
        "opportunities",
        "chart",
        "book",
        "tape",
        "machine",
    }
)


FOCUS = Focus("ema_cross", "BTCUSDT", bars=50, levels=10)


def settings(*overrides: str, config: Path = DEFAULT) -> RunSettings:
    """Return a shipped config without journal, with overrides as of ``--set``."""
    return load_config(config, ['journal.path=""', *overrides]).run


def small(
    *overrides: str,
    journal: Path | None = None,
    paused: bool = True,
    wall: Clock | None = None,
) -> Session:
    """Return a session of the small simulated run."""
    kept = () if journal is None else (f"journal.path={json.dumps(str(journal))}",)
    return assemble_session(
        settings(*SMALL, *overrides, *kept), paused=paused, wall=wall
    )


def with_script(path: Path) -> tuple[str, str]:
    """Return the overrides that put a script without parameters in the first place."""
    return f"strategies.0.script={json.dumps(str(path))}", "strategies.0.params={}"


def finish(session: Session, until: Until | None = None) -> str:
    """Run to the end, close, and return the state hash."""
    run_backtest(session.engine, until)
    session.close()
    return session.engine.state_hash()


def running(events: int = 2_000) -> Session:
    """Return the small run after some events."""
    session = small()
    run_backtest(session.engine, Until(events=events))
    return session


def frame_of(session: Session, cursor: int = 0, *panels: str) -> Frame:
    """Return a frame of these panels, or of all of them."""
    return session.frame(cursor, frozenset(panels) or PANELS, FOCUS)


def kept(session: Session) -> list[Record]:
    """Return the list into which all records go from now on."""
    records: list[Record] = []

    def keep(record: Record, encoded: bytes) -> None:
        records.append(record)

    session.engine.core.sinks.append(keep)
    return records


class Wall(SimClock):
    """A wall clock that moves by ``tick_ns`` each time somebody looks."""

    def __init__(self, tick_ns: int) -> None:
        super().__init__(1)
        self.tick_ns = tick_ns

    def now(self) -> int:
        self.advance_to(super().now() + self.tick_ns)
        return super().now()


class ListFeed:
    """A ``model.Connector`` of given events; ``fail_at`` raises instead of the nth."""

    def __init__(
        self,
        name: str,
        events: Iterable[MarketEvent],
        *,
        fail_at: int | None = None,
    ) -> None:
        self.name = name
        self.closed = False
        self._events = list(events)
        self._next = 0
        self._fail_at = fail_at

    def next(self) -> tuple[int, MarketEvent] | None:
        if self._next == self._fail_at:
            raise OSError("the disk is gone")
        if self._next >= len(self._events):
            return None
        event = self._events[self._next]
        self._next += 1
        return event.ts_recv, event

    def identity(self) -> Mapping[str, str]:
        return {"name": self.name}

    def close(self) -> None:
        self.closed = True


class Deaf:
    """A ``model.Part`` that calls ``on`` with each event of its types, if given."""

    def __init__(
        self,
        name: str,
        *types: type,
        on: Callable[[Any, Any], None] | None = None,
    ) -> None:
        self.name = name
        self.subscriptions = types
        self.core: Any = None
        self._on = on

    def attach(self, core: Any) -> None:
        self.core = core

    def handle_event(self, event: object) -> None:
        if self._on is not None:
            self._on(self.core, event)


def quote(ts: int, bid: float = 100.0, instrument: str = "BTC") -> Quote:
    """Return a quote with a spread of one."""
    return Quote(instrument, ts, bid, 1.0, bid + 1.0, 1.0)


def small_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let journals be written to a disk that takes twelve pages."""
    real = journal_module._connect

    def connect(path: Path, synced: bool) -> sqlite3.Connection:
        connection = real(path, synced)
        connection.execute("pragma max_page_count=12")
        return connection

    monkeypatch.setattr(journal_module, "_connect", connect)
