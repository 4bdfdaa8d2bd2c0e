"""Makes frames: reads the parts between two inputs, for the panels a reader shows.

A panel that is not shown is not made. The header, the rows, the feeds and the focus
have makers of their own; here is what they become: one frame, with its records and
alerts.
"""

from __future__ import annotations

from collections.abc import Callable

from workstation.engine.alerts import Alerts
from workstation.engine.book_frames import BookFrames
from workstation.engine.call_times import CallTimes
from workstation.engine.charting import ChartFrames
from workstation.engine.control import Control
from workstation.engine.drivers import PlayDriver
from workstation.engine.engine import Engine
from workstation.engine.feed_frames import FeedFrames
from workstation.engine.figure_frames import FigureFrames
from workstation.engine.focusing import FocusFrames
from workstation.engine.frames import Alert, Focus, Frame, MachineFrame
from workstation.engine.gating import RowGates
from workstation.engine.header_frames import HeaderFrames
from workstation.engine.indicator_frames import IndicatorFrames
from workstation.engine.ledger_frames import LedgerFrames
from workstation.engine.marks import Marks
from workstation.engine.opportunity_frames import OpportunityFrames
from workstation.engine.recorder import Recorder
from workstation.engine.reloading import ReloadReport
from workstation.engine.risk_frames import RiskFrames
from workstation.engine.row_frames import RowFrames
from workstation.engine.script_log import ScriptLogs
from workstation.engine.settings import RunSettings
from workstation.engine.strategy_frames import StrategyFrames
from workstation.engine.trade_frames import TradeFrames
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
        recorder: Recorder,
        times: CallTimes,
        report: Callable[[str], ReloadReport | None],
    ) -> None:
        instruments = {i.id: i for i in run.instruments}
        self._engine = engine
        self._control = control
        self._strategies = strategies
        self._alerts = Alerts(
            (feed.name for feed in engine.sources.feeds), self._can_be_asked
        )
        self._recorder = recorder
        self._told: dict[tuple[str, str], str] = {}
        marks = Marks()
        logs = ScriptLogs(strategies)
        risk = RiskFrames(engine, executor)
        for sink in (self._alerts, marks, logs, risk):
            engine.core.hear(sink.kinds, sink)
        engine.fault_sinks.append(logs.fault)
        gates = RowGates(aggregator, strategies, executor)
        self._charts = ChartFrames(aggregator, strategies, executor, instruments, marks)
        self._focus = FocusFrames(strategies, executor, gates)
        self._scripts = StrategyFrames(engine, strategies, gates, logs, times, report)
        self._header = HeaderFrames(
            run, engine, aggregator, executor, driver, instruments
        )
        self._rows = RowFrames(
            engine, aggregator, strategies, executor, gates, instruments
        )
        self._books = BookFrames(engine, aggregator, executor, instruments)
        self._trades = TradeFrames(engine, aggregator, instruments)
        self._ledger = LedgerFrames(engine, executor, instruments)
        self._feeds = FeedFrames(engine, aggregator, recorder, instruments)
        self._makers: dict[str, Callable[[], object]] = {
            "symbols": self._rows.symbols,
            "orders": self._rows.orders,
            "positions": self._rows.positions,
            "risk": risk.risk,
            "fills": self._ledger.fills,
            "trades": self._ledger.trades,
            "equity": self._ledger.equity,
            "sums": self._ledger.sums,
            "reconciliation": executor.reconciliation_view,
            "gaps": self._feeds.gaps,
            "tasks": self._tasks,
            "channels": engine.bus.stats,
            "indicators": IndicatorFrames(aggregator, instruments).indicators,
            "figures": FigureFrames(engine, aggregator, instruments).figures,
            "strategies": self._scripts.strategies,
            "opportunities": OpportunityFrames(engine, aggregator).opportunities,
        }
        self._focused: dict[str, Callable[[Focus], object]] = {
            "machine": self._machine,
            "chart": self._charts.chart,
            "tape": self._trades.tape,
            "params": self._scripts.params,
            "script_log": self._scripts.log,
            "blocks": self._scripts.blocks,
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
        alerts = self.alerts()
        if "feeds" in panels:
            parts["feeds"] = self._feeds.feeds(with_books="feed_books" in panels)
        if focus is not None:
            if "book" in panels:
                parts["book"] = self._books.book(
                    focus, self._alerts.book_remedy(focus.instrument)
                )
            parts |= {
                name: make(focus)
                for name, make in self._focused.items()
                if name in panels
            }
        return Frame(
            seq=engine.core.seq,
            ts=engine.core.ts,
            cursor=number,
            missed=max(0, number - cursor - len(records)),
            header=self._header.header(),
            alerts=alerts,
            records=tuple(records),
            injected=frozenset(self._control.injected),
            **parts,  # type: ignore[arg-type]
        )

    def _machine(self, focus: Focus) -> MachineFrame | None:
        row = self._rows.symbol(focus.strategy, focus.instrument)
        return None if row is None else self._focus.machine(row)

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
        self._tell(
            ("journal", "journal"),
            None if journal is None else journal.failure,
            "Free some space and start a new run to journal again.",
        )
        self._tell(
            ("recording", "recording"),
            self._recorder.failure,
            "Free some space, or give another folder as [recording] path.",
        )
        for broker in self._engine.distant:
            why = broker.silence
            self._tell(
                ("silence", broker.name),
                f"no news from {broker.name}: {why}" if why else "",
                "What has no answer becomes Unknown and is asked about.",
            )
            why = broker.unguarded
            self._tell(
                ("watchdog", broker.name),
                f"no watchdog for {broker.name}: {why}" if why else "",
                "Another is started, now and then; no entry leaves before.",
            )
        for feed in self._engine.sources.feeds:
            # What a recording lacks from its start is no record of this run.
            note = getattr(feed.connector, "note", "")
            remedy = "workstation check names what is there."
            self._tell((feed.name, feed.name), note, remedy, "info")
        return self._alerts.all(self._engine.core.ts)

    def script_undone(self, strategy: str) -> None:
        """Mend the alert of a script that is saved as it runs again.

        No record says so: nothing has changed for the run.
        """
        self._alerts.mend(("script", strategy), self._engine.core.ts)

    def _can_be_asked(self, instrument: str) -> bool:
        feed = self._engine.sources.bringing(instrument)
        return feed is not None and feed.resync is not None

    def _tell(
        self,
        cause: tuple[str, str],
        text: str | None,
        remedy: str,
        severity: str = "bad",
    ) -> None:
        """Raise the alert of what is no record, once per text, until it is over."""
        ts = self._engine.core.ts
        if not text:
            if self._told.pop(cause, None) is not None:
                self._alerts.mend(cause, ts)
        elif self._told.get(cause) != text:
            self._told[cause] = text
            self._alerts.raise_(cause, severity, ts, text, remedy)
