"""What a row asks its script now, and what the answer does to it.

Called by the strategy. In Watch it detects, in CloseWatch it filters, in InTrade it
manages; an answer moves the row or becomes a wish. A wrong answer moves nothing. A host
answers at once or later: asking and applying are two steps, each an input at most.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from workstation.model.errors import ScriptError
from workstation.model.ports import Core, PositionView
from workstation.model.records import NoteRecord
from workstation.model.states import SymbolState
from workstation.strategy.actions import (
    Action,
    ActionKind,
    Asked,
    parse_action,
    parse_opportunity,
)
from workstation.strategy.host import PENDING, ScriptHost
from workstation.strategy.machine import Trigger
from workstation.strategy.question import Function, Question
from workstation.strategy.row import SCRIPT, Row
from workstation.strategy.script import describe, is_the_scripts
from workstation.strategy.settings import StrategySettings
from workstation.strategy.tally import Stop
from workstation.strategy.wishes import Wishes

__all__ = ["Questions"]

T = TypeVar("T")

# Bound once: looking a member up in its enum costs ten times a global (3.11).
_WATCH, _CLOSE_WATCH = SymbolState.WATCH, SymbolState.CLOSE_WATCH
_DETECT, _FILTER, _MANAGE = Function
# As much of a reason as a line of the log can show.
_REASON_KEPT = 200


class Questions:
    """Asks one script for its rows; ``calls`` counts how often."""

    def __init__(
        self,
        settings: StrategySettings,
        script: str,
        host: ScriptHost,
        positions: PositionView,
    ) -> None:
        self.calls = 0
        self._settings = settings
        self._script = script
        self._host = host
        self._positions = positions
        self._wishes = Wishes(settings, positions)
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core
        self._wishes.attach(core)

    def take_version(self, script: str, host: ScriptHost) -> None:
        """Ask another version from now on."""
        self._script = script
        self._host = host

    def due(self, row: Row, *, at_bar: bool = True) -> Question | None:
        """Return what to ask of the row as it is now, or None.

        Nothing before the first bar, on an occasion that the settings leave out, while
        an answer is awaited, and while orders are on their way that would make any
        answer late.
        """
        if row.bar is None or row.asked is not None or row.committing:
            return None
        ask = self._settings.ask
        by_bar = ask.occasion(row.state) == "bar"
        if by_bar and not at_bar:
            return None
        held = row.held
        if row.state is _WATCH:
            if by_bar and row.bars_seen % ask.watch_bars:
                return None
            function = _DETECT
        elif row.state is _CLOSE_WATCH:
            function = _FILTER
        elif row.is_closing() or (not held and not row.has_resting_entry()):
            return None
        else:
            function = _MANAGE
        return Question(
            function=function,
            state=row.state,
            moves=row.moves,
            position=held,
            at_bar=at_bar,
        )

    def ask(self, row: Row, *, at_bar: bool = True) -> None:
        """Ask what is due, if anything, and apply what is answered at once.

        Raises ScriptError.
        """
        question = self.due(row, at_bar=at_bar)
        if at_bar and _is_taken(row):
            row.tally.count(Stop.IN_TRADE)
        if question is None:
            return
        self._show(row, at_bar=at_bar)
        self.calls += 1
        row.calls += 1
        row.asked = question
        answer: object
        try:
            answer = self._host.ask(row, question.function)
        except ScriptError as error:
            answer = error
        except BaseException:
            row.asked = None
            raise
        if answer is not PENDING:
            # Answered at once: nothing can have gone on meanwhile.
            row.asked = None
            self._take(row, question, answer)

    def apply(
        self, row: Row, function: Function, answer: object, gone: str = ""
    ) -> None:
        """Do what the script answered to the question that the row waits for.

        ``answer`` is a plain value or a ScriptError, which is raised. An answer is
        dropped with a note when ``gone`` says why it has no use, when the row is not
        in the state and position any more in which it was asked, or awaits none.
        """
        asked, row.asked = row.asked, None
        gone = gone or self._has_gone_on(row, function, asked)
        if gone or asked is None:
            if asked is not None and asked.function is not Function.MANAGE:
                row.tally.count(Stop.TOO_LATE)
            row.answer = f"{function} answered too late: {gone}"
            self._note(row, row.answer)
            return
        self._take(row, asked, answer)

    def _take(self, row: Row, asked: Question, answer: object) -> None:
        if isinstance(answer, ScriptError):
            # What it logged goes with it: an interrupted call cannot be had again, and
            # the others follow the same rule.
            self._failed(row, answer)
            raise answer
        function = asked.function
        if function is _DETECT:
            self._detected(row, answer)
        elif function is _FILTER:
            self._filtered(row, asked, answer)
        else:
            self._managed(row, asked, answer)

    def _has_gone_on(self, row: Row, function: Function, asked: Question | None) -> str:
        if asked is None or asked.function is not function:
            return "the row does not wait for it"
        if row.state is not asked.state:
            return f"the row is in {row.state} by now"
        if row.moves != asked.moves:
            return f"the row has left {row.state} and come back meanwhile"
        if row.held != asked.position:
            return f"the position was {asked.position} and is {row.held}"
        return ""

    def _show(self, row: Row, *, at_bar: bool) -> None:
        bar = row.bar
        assert bar is not None
        position = self._positions.position(row.strategy, row.instrument.id)
        row.market.refresh(bar, self._core.ts, position, at_bar=at_bar)
        row.market.stop = None if row.stop is None else float(row.stop)
        row.market.target = None if row.target is None else float(row.target)

    def _detected(self, row: Row, given: object) -> None:
        answer = None
        if given is None:
            self._say(row)
        else:
            answer = self._read(row, partial(parse_opportunity, self._script, given))
        if answer is None:
            row.answer = "no signal"
            row.tally.count(Stop.NO_SIGNAL)
            return
        row.tally.count(Stop.NOT_COMMITTED)
        row.context["opportunity"] = answer
        reason = str(answer.get("reason") or answer.get("signal") or "opportunity")
        reason = reason[:_REASON_KEPT]
        row.answer = f"opportunity: {reason}"
        row.move(self._core, Trigger.OPPORTUNITY, reason, SCRIPT)

    def _filtered(self, row: Row, asked: Question, given: object) -> None:
        action = self._action(row, asked, given)
        if action is None:
            row.tally.count(Stop.NOT_COMMITTED)
            row.willing = False
            left = row.bars_left - asked.at_bar
            row.answer = f"waits to commit, {left} bars left"
            if asked.at_bar:
                row.count_bar(self._core)
        elif action.kind is ActionKind.CANCEL_ANALYSIS:
            row.tally.count(Stop.GIVEN_UP)
            row.answer = f"given up: {action.reason}"
            row.move(self._core, Trigger.CANCEL, action.reason, SCRIPT)
        else:
            self._wishes.enter(row, action)

    def _managed(self, row: Row, asked: Question, given: object) -> None:
        action = self._action(row, asked, given)
        row.answer = "holds" if action is None else f"{action.kind}: {action.reason}"
        if action is None:
            return
        if action.kind is ActionKind.EXIT:
            self._wishes.exit(row, action)
        elif action.kind is ActionKind.CANCEL_ENTRY:
            self._wishes.cancel_entry(row, action)
        elif action.kind in (ActionKind.ENTER_LONG, ActionKind.ENTER_SHORT):
            self._wishes.enter(row, action)
        else:
            self._wishes.protect(row, action)

    def _action(self, row: Row, asked: Question, given: object) -> Action | None:
        if given is None:
            self._say(row)
            return None
        basis = Asked(
            in_trade=asked.function is _MANAGE,
            market=row.market.reference,
            position=float(asked.position),
            size_mode=self._settings.size_mode,
        )
        return self._read(row, partial(parse_action, self._script, given, basis))

    def _read(self, row: Row, parse: Callable[[], T]) -> T:
        try:
            answer = self._parsed(parse)
        except ScriptError as error:
            self._failed(row, error)
            raise
        self._say(row)
        return answer

    def _say(self, row: Row) -> None:
        """Keep what a call that ended well has logged and plotted."""
        market = row.market
        if not market.has_said:
            return
        for text in market.notes():
            self._note(row, text)
        if row.bar is not None:
            for name, value in market.plots().items():
                row.plots.add(name, row.bar.ts_open, value)

    def _failed(self, row: Row, error: ScriptError) -> None:
        row.answer = f"script error: {error}"
        row.willing = False
        if row.state is not SymbolState.IN_TRADE:
            row.tally.count(Stop.SCRIPT_ERROR)

    def _parsed(self, parse: Callable[[], T]) -> T:
        try:
            return parse()
        except ScriptError:
            raise
        except BaseException as error:  # a dict of the script's own kind, read
            if not is_the_scripts(error):
                raise
            said = f"its answer cannot be read: {describe(error)}"
            raise ScriptError(self._script, said) from error

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


def _is_taken(row: Row) -> bool:
    """Tell whether the row is in trade or on its way, so that nothing is asked."""
    in_trade = row.state is SymbolState.IN_TRADE or row.committing
    return in_trade and row.bar is not None and row.asked is None
