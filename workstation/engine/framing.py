"""Makes frames: reads the parts between two inputs, for the panels a reader shows.

A panel that is not shown is not made. The header, the rows, the feeds and the focus
have makers of their own; here is what they become: one frame, with its records and
alerts.
"""

from __future__ import annotations

from collections.abc import Callable

from workstation.engine.alerts import Alerts
from workstation.engine.charting import ChartFrames
from workstation.engine.control import Control
from workstation.engine.drivers import PlayDriver
from workstation.engine.engine import Engine
from workstation.engine.feed_frames import FeedFrames
from workstation.engine.focusing import FocusFrames
from workstation.engine.frames import Alert, Focus, Frame
from workstation.engine.header_frames import HeaderFrames
from workstation.engine.marks import Marks
from workstation.engine.opportunity_frames import OpportunityFrames
from workstation.engine.row_frames import RowFrames
from workstation.engine.settings import RunSettings
from workstation.execution.executor import Executor
from workstation.kernel import TaskStats
from workstation.market.aggregator import Aggregator
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["FrameSource"]


class FrameSource:
    """Frames of one session."""

    def __init__(
        self,
        run: RunSettings,
        engine: Engine,
        aggregator: Aggregator,
        strategies: tuple[ScriptedStrategy, ...],
        executor: Executor,
        control: Control,
        driver: PlayDriver,
    ) -> None:
        instruments = {i.id: i for i in run.instruments}
        self._engine = engine
        self._control = control
        self._strategies = strategies
        self._alerts = Alerts(
            (feed.name for feed in engine.sources.feeds), self._can_be_asked
        )
        self._told_failure = False
        marks = Marks()
        engine.core.sinks += [self._alerts, marks]
        self._charts = ChartFrames(aggregator, strategies, executor, instruments, marks)
        self._focus = FocusFrames(aggregator, strategies, executor, instruments)
        self._header = HeaderFrames(
            run, engine, aggregator, executor, driver, instruments
        )
        self._rows = RowFrames(
            engine, aggregator, strategies, executor, self._focus, instruments
        )
        feeds = FeedFrames(engine, aggregator, instruments)
        self._makers: dict[str, Callable[[], object]] = {
            "orders": self._rows.orders,
            "positions": self._rows.positions,
            "feeds": feeds.feeds,
            "gaps": feeds.gaps,
            "tasks": self._tasks,
            "channels": engine.bus.stats,
            "indicators": self._focus.indicators,
            "opportunities": OpportunityFrames(engine, aggregator).opportunities,
        }

    def frame(
        self, cursor: int, panels: frozenset[str], focus: Focus | None = None
    ) -> Frame:
        """Return a frame; ``cursor`` is the ``cursor`` of the reader's last one."""
        engine = self._engine
        records = engine.store.since(cursor)
        number = engine.store.number
        parts: dict[str, object] = {
            name: make() for name, make in self._makers.items() if name in panels
        }
        rows = self._rows.symbols() if panels & {"symbols", "machine"} else ()
        if "symbols" in panels:
            parts["symbols"] = rows
        if focus is not None:
            if "chart" in panels:
                parts["chart"] = self._charts.chart(focus)
            if "book" in panels:
                parts["book"] = self._focus.book(focus)
            if "machine" in panels:
                parts["machine"] = self._focus.machine(focus, rows)
        return Frame(
            seq=engine.core.seq,
            ts=engine.core.ts,
            cursor=number,
            missed=max(0, number - cursor - len(records)),
            header=self._header.header(),
            alerts=self.alerts(),
            records=tuple(records),
            injected=frozenset(self._control.injected),
            **parts,  # type: ignore[arg-type]
        )

    def _tasks(self) -> tuple[TaskStats, ...]:
        registry = self._engine.registry
        for strategy in self._strategies:
            handle = registry.get(strategy.name)
            handle.withheld = len(strategy.withheld)
            handle.lost = strategy.lost
        return tuple(handle.stats() for handle in registry)

    def alerts(self) -> tuple[Alert, ...]:
        """Return the alerts, the worst active one first."""
        journal = self._engine.journal
        if journal is not None and journal.failure and not self._told_failure:
            self._told_failure = True
            self._alerts.raise_(
                ("journal", "journal"),
                "bad",
                self._engine.core.ts,
                journal.failure,
                "Free some space and start a new run to journal again.",
            )
        return self._alerts.all(self._engine.core.ts)

    def _can_be_asked(self, instrument: str) -> bool:
        feed = self._engine.sources.bringing(instrument)
        return feed is not None and feed.resync is not None
