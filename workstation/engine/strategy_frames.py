"""Strategies, their parameters, their log and what blocked them, as a frame shows them.

Called by ``FrameSource`` between two inputs; it only reads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from workstation.engine.call_times import CallTimes
from workstation.engine.engine import Engine
from workstation.engine.frames import (
    BlockTable,
    Focus,
    ParamRow,
    ParamTable,
    ScriptLog,
    StrategyRow,
)
from workstation.engine.gating import RowGates
from workstation.engine.reloading import ReloadReport
from workstation.engine.script_loading import is_lua
from workstation.engine.script_log import ScriptLogs
from workstation.model.states import SymbolState
from workstation.model.timeframes import NS_PER_S
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["StrategyFrames"]

_VERSION = 8
# Enough of a hash to tell two versions apart at a glance.
_RATE_NS = 60 * NS_PER_S
# A rate is of so much of the run's time, for bars close in bursts.


class StrategyFrames:
    """What the screen of strategies shows of one session."""

    def __init__(
        self,
        engine: Engine,
        strategies: Sequence[ScriptedStrategy],
        gates: RowGates,
        logs: ScriptLogs,
        times: CallTimes,
        report: Callable[[str], ReloadReport | None],
    ) -> None:
        self._engine = engine
        self._strategies = {strategy.name: strategy for strategy in strategies}
        self._gates = gates
        self._logs = logs
        self._times = times
        self._report = report
        self._samples: dict[str, deque[tuple[int, int]]] = {
            name: deque() for name in self._strategies
        }

    def strategies(self) -> tuple[StrategyRow, ...]:
        """Return the strategies in the order of the config."""
        return tuple(self._strategy(each) for each in self._strategies.values())

    def _strategy(self, strategy: ScriptedStrategy) -> StrategyRow:
        handle = self._engine.registry.get(strategy.name)
        script, rows = strategy.script, strategy.rows.values()
        worker = self._engine.core.scripts.edge.worker(strategy.name)
        free = [row.state for row in rows if not row.locked]
        return StrategyRow(
            name=strategy.name,
            language="Lua" if is_lua(script.path) else "Python",
            script=script.name,
            version=script.hash[:_VERSION],
            timeframe=str(strategy.timeframe),
            symbols=len(rows),
            watch=free.count(SymbolState.WATCH),
            close_watch=free.count(SymbolState.CLOSE_WATCH),
            in_trade=free.count(SymbolState.IN_TRADE),
            manual=len(rows) - len(free),
            calls=strategy.calls,
            rate=self._rate(strategy),
            p99_ns=self._times.p99_ns(strategy.name),
            errors=handle.errors,
            memory_bytes=None if worker is None else worker.memory_bytes,
            state=handle.state.value,
            restarts=handle.restarts,
            withheld=len(strategy.withheld),
            last_error=self._logs.last_error(strategy.name) or handle.last_error,
            confinement="" if worker is None else worker.confinement,
            reload=self._report(strategy.name),
        )

    def _rate(self, strategy: ScriptedStrategy) -> float | None:
        now, calls = self._engine.core.ts, strategy.calls
        samples = self._samples[strategy.name]
        # One stays, however old: a fast run leaves minutes between two frames.
        while len(samples) > 1 and now - samples[0][0] > _RATE_NS:
            samples.popleft()
        if not samples or now - samples[-1][0] >= NS_PER_S:
            samples.append((now, calls))
        ts, before = samples[0]
        return None if now == ts else (calls - before) * NS_PER_S / (now - ts)

    def params(self, focus: Focus) -> ParamTable | None:
        """Return the focused row's parameters, or None where no strategy has it."""
        strategy = self._strategies.get(focus.strategy)
        row = None if strategy is None else strategy.rows.get(focus.instrument)
        if strategy is None or row is None:
            return None
        values = row.market.params
        others = [each.market.params for each in strategy.rows.values()]
        return ParamTable(
            strategy=strategy.name,
            instrument=focus.instrument,
            instruments=tuple(strategy.rows),
            params=tuple(
                ParamRow(
                    name=spec.name,
                    kind=type(spec.default).__name__,
                    value=values[spec.name],
                    default=spec.default,
                    minimum=spec.minimum,
                    maximum=spec.maximum,
                    help=spec.help,
                    differs=any(o[spec.name] != values[spec.name] for o in others),
                )
                for spec in strategy.script.params
            ),
        )

    def log(self, focus: Focus) -> ScriptLog | None:
        """Return the focused strategy's log, or None where it is none of the run."""
        strategy = self._strategies.get(focus.strategy)
        if strategy is None:
            return None
        return ScriptLog(
            strategy=strategy.name,
            script=strategy.script.name,
            lines=self._logs.of(strategy.name),
        )

    def blocks(self, focus: Focus) -> BlockTable:
        """Return what stopped the focused row's entries, and all rows'."""
        strategy = self._strategies.get(focus.strategy)
        row = None if strategy is None else strategy.rows.get(focus.instrument)
        return self._gates.blocks(row)
