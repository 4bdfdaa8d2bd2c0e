"""What a row asks its script at the close of a bar, and what the answer does to it.

Called by the strategy. In Watch it detects, in CloseWatch it filters, in InTrade it
manages; an answer moves the row or becomes a wish. A wrong answer moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from workstation.model.errors import ScriptError
from workstation.model.ports import Core, OrdersView, PositionView
from workstation.model.records import NoteRecord
from workstation.model.states import SymbolState
from workstation.strategy.actions import (
    Action,
    ActionKind,
    parse_action,
    parse_opportunity,
)
from workstation.strategy.machine import Trigger
from workstation.strategy.row import Row
from workstation.strategy.script import (
    Script,
    ScriptFunction,
    describe,
    is_the_scripts,
)
from workstation.strategy.settings import StrategySettings
from workstation.strategy.tally import Stop
from workstation.strategy.wishes import Wishes

__all__ = ["CallGuard", "Questions"]

T = TypeVar("T")

# As much of a reason as a line of the log can show.
_REASON_KEPT = 200


class CallGuard(Protocol):
    """Calls a script within its time budget."""

    def __call__(
        self, strategy: str, instrument: str, function: ScriptFunction, row: Row
    ) -> object:
        """Return the script's answer; raises ScriptError or ScriptTimeout."""


class Questions:
    """Asks one script for its rows; ``calls`` counts how often."""

    def __init__(
        self,
        settings: StrategySettings,
        script: Script,
        positions: PositionView,
        orders: OrdersView,
        guard: CallGuard,
    ) -> None:
        self.calls = 0
        self._settings = settings
        self._script = script
        self._positions = positions
        self._orders = orders
        self._guard = guard
        self._wishes = Wishes(settings, positions)
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core
        self._wishes.attach(core)

    def ask(self, row: Row) -> None:
        """Ask what the row's state asks for; raises ScriptError."""
        bar = row.bar
        if bar is None:
            return
        position = self._positions.position(row.strategy, row.instrument.id)
        row.market.refresh(bar, self._core.ts, position)
        row.market.stop = None if row.stop is None else float(row.stop)
        row.market.target = None if row.target is None else float(row.target)
        if row.state is SymbolState.WATCH:
            self._detect(row)
        elif row.state is SymbolState.CLOSE_WATCH and not row.committing:
            self._filter(row)
        else:
            row.tally.count(Stop.IN_TRADE)
            held = row.state is SymbolState.IN_TRADE and not position.is_flat
            if held and not row.is_closing(self._orders):
                self._manage(row)

    def _detect(self, row: Row) -> None:
        answer = self._call(
            row,
            self._script.detect_opportunity,
            lambda given: parse_opportunity(self._script.name, given),
        )
        if answer is None:
            row.answer = "no signal"
            row.tally.count(Stop.NO_SIGNAL)
            return
        row.tally.count(Stop.NOT_COMMITTED)
        row.context["opportunity"] = answer
        row.bars_left = self._settings.close_watch_bars
        reason = str(answer.get("reason") or answer.get("signal") or "opportunity")
        reason = reason[:_REASON_KEPT]
        row.answer = f"opportunity: {reason}"
        row.move(self._core, Trigger.OPPORTUNITY, reason)

    def _filter(self, row: Row) -> None:
        action = self._action(row, self._script.filter_commitment, in_trade=False)
        if action is None:
            row.tally.count(Stop.NOT_COMMITTED)
            row.willing = False
            row.bars_left -= 1
            row.answer = f"waits to commit, {row.bars_left} bars left"
            if row.bars_left <= 0:
                row.move(self._core, Trigger.EXPIRE, "no commitment in time")
        elif action.kind is ActionKind.CANCEL_ANALYSIS:
            row.tally.count(Stop.GIVEN_UP)
            row.answer = f"given up: {action.reason}"
            row.move(self._core, Trigger.CANCEL, action.reason)
        else:
            self._wishes.enter(row, action)

    def _manage(self, row: Row) -> None:
        action = self._action(row, self._script.manage_position, in_trade=True)
        row.answer = "holds" if action is None else f"{action.kind}: {action.reason}"
        if action is None:
            return
        if action.kind is ActionKind.EXIT:
            self._wishes.exit(row, action)
        else:
            self._wishes.protect(row, action)

    def _action(
        self, row: Row, function: ScriptFunction, *, in_trade: bool
    ) -> Action | None:
        return self._call(
            row,
            function,
            lambda given: parse_action(
                self._script.name, given, in_trade=in_trade, market=row.market.close
            ),
        )

    def _call(
        self, row: Row, function: ScriptFunction, parse: Callable[[object], T]
    ) -> T:
        self.calls += 1
        row.calls += 1
        try:
            given = self._guard(row.strategy, row.instrument.id, function, row)
            answer = self._parsed(parse, given)
        except ScriptError as error:
            # What it logged goes with it: an interrupted call cannot be had again, and
            # the others follow the same rule.
            row.answer = f"script error: {error}"
            row.willing = False
            if row.state is not SymbolState.IN_TRADE:
                row.tally.count(Stop.SCRIPT_ERROR)
            raise
        for text in row.market.notes():
            self._note(row, text)
        return answer

    def _parsed(self, parse: Callable[[object], T], given: object) -> T:
        try:
            return parse(given)
        except ScriptError:
            raise
        except BaseException as error:  # a dict of the script's own kind, read
            if not is_the_scripts(error):
                raise
            said = f"its answer cannot be read: {describe(error)}"
            raise ScriptError(self._script.name, said) from error

    def _note(self, row: Row, text: str) -> None:
        core = self._core
        core.record(
            NoteRecord(
                seq=core.seq,
                ts=core.ts,
                strategy=row.strategy,
                instrument=row.instrument.id,
                text=text,
            )
        )
