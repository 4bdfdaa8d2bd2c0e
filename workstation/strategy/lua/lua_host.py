"""The host of a Lua script: turns a row into a question, and a reply into an answer.

On the core's side: it makes messages of what the row sees and never touches a process;
the edge carries them. What a script asks for whose value depends on arguments comes
back as a need; the question is then asked again with the value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from msgspec import Struct

from workstation import indicators
from workstation.model.errors import ScriptError
from workstation.strategy.host import PENDING
from workstation.strategy.inputs import Market
from workstation.strategy.lua.wire import (
    MAX_NEEDS,
    Need,
    NeedKind,
    NeedValue,
    Question,
)
from workstation.strategy.question import Function
from workstation.strategy.replies import Plain, ScriptReply
from workstation.strategy.row import OVERRIDE, Row
from workstation.strategy.script import describe

__all__ = ["LuaHost", "Posted"]

# What the machine puts into a context; the script reads a copy of it.
_OPPORTUNITY = "opportunity"
_NUMBERS = {function: number for number, function in enumerate(Function)}


class Posted(Struct, frozen=True):
    """A question on its way: whose it is, beside what the worker is told."""

    instrument: str
    function: Function
    question: Question


class _Known:
    """What one row's calls have turned out to need, oldest first."""

    __slots__ = ("needs", "number", "rounds")

    def __init__(self, number: int) -> None:
        self.number = number
        self.needs: dict[Need, None] = {}
        self.rounds = 0


class LuaHost:
    """A ``DistantHost`` of one script; ``rows`` are the instruments in their order."""

    def __init__(self, script: str, rows: tuple[str, ...]) -> None:
        self._script = script
        self._known = {row: _Known(number) for number, row in enumerate(rows)}
        self._post: Callable[[str, object], None]

    def attach(self, post: Callable[[str, object], None]) -> None:
        """Receive the way to the worker: a strategy's name and a question."""
        self._post = post

    def ask(self, row: Row, function: Function) -> object:
        """Send the question; the answer comes in an input of its own.

        Raises ScriptError where what the script needs cannot be had any more.
        """
        self._known[row.instrument.id].rounds = 0
        self._send(row, function, line=None)
        return PENDING

    def take(self, row: Row, reply: ScriptReply) -> object:
        """Return what the script answers, a ScriptError, or PENDING: asked again."""
        if reply.error:
            return ScriptError(self._script, reply.error, reply.line)
        if reply.needs:
            return self._ask_again(row, reply)
        if reply.context is not None:
            found = row.context.get(_OPPORTUNITY)
            row.context.clear()
            row.context.update(reply.context)
            if found is not None:
                row.context[_OPPORTUNITY] = found
        for text in reply.notes:
            row.market.log(text)
        for name, value in reply.plots:
            row.market.plot(name, value)
        return reply.answer

    def _ask_again(self, row: Row, reply: ScriptReply) -> object:
        known = self._known[row.instrument.id]
        known.rounds += len(reply.needs)
        if known.rounds > MAX_NEEDS:
            said = f"asked for more than {MAX_NEEDS} different values in one call"
            return ScriptError(self._script, said, reply.line)
        for need in reply.needs:
            known.needs.pop(need, None)
            known.needs[need] = None
        # A window that grows from bar to bar is another need each time.
        while len(known.needs) > MAX_NEEDS:
            del known.needs[next(iter(known.needs))]
        try:
            self._send(row, reply.function, reply.line)
        except ScriptError as error:
            for need in reply.needs:
                del known.needs[need]
            return error
        return PENDING

    def _send(self, row: Row, function: Function, line: int | None) -> None:
        known = self._known[row.instrument.id]
        try:
            needs = tuple((need, _value(row, need)) for need in known.needs)
        except Exception as error:  # what a script asked for: its visible fault
            raise ScriptError(self._script, describe(error), line) from error
        found = row.context.get(_OPPORTUNITY)
        question = Question(
            row=known.number,
            call=row.calls,
            function=_NUMBERS[function],
            symbol=row.market.symbol,
            market=_fields(row.market),
            params=row.market.params,
            context={k: v for k, v in row.context.items() if k != _OPPORTUNITY},
            opportunity=None if found is None else _told(found),
            needs=needs,
        )
        self._post(row.strategy, Posted(row.instrument.id, function, question))


def _told(opportunity: Mapping[str, Plain]) -> dict[str, Plain]:
    """Return what a script reads of an opportunity: an override in one word.

    What the operator wrote may have any length and characters, so it must not cross.
    """
    if opportunity.get("signal") == OVERRIDE:
        return {**opportunity, "reason": OVERRIDE}
    return dict(opportunity)


def _fields(market: Market) -> tuple[int | float | None, ...]:
    """Return the figures in the order of ``MARKET_FIELDS``."""
    before = market.previous
    return (
        market.now,
        market.timestamp,
        market.open,
        market.high,
        market.low,
        market.close,
        market.volume,
        market.bid,
        market.ask,
        market.bid_size,
        market.ask_size,
        market.mid_price,
        market.spread_bps,
        market.position,
        market.entry_price,
        market.stop,
        market.target,
        market.orders,
        market.bars(),
        *(
            (None,) * 6
            if before is None
            else (
                before.timestamp,
                before.open,
                before.high,
                before.low,
                before.close,
                before.volume,
            )
        ),
    )


def _value(row: Row, need: Need) -> NeedValue:
    """Return what the row sees of a need; raises what a Python script would meet."""
    market, kind = row.market, need.kind
    if kind is NeedKind.INDICATOR:
        outputs = len(indicators.get(need.name).outputs)
        # Any: an indicator's parameters are checked by its own definition.
        found = getattr(row.indicators, need.name)(*need.args, **dict(need.named))
        if found is None:
            return (None,) * outputs
        return tuple(map(_finite, found if isinstance(found, tuple) else (found,)))
    value: float | None
    if kind is NeedKind.FIGURE:
        value = market.figures.get(need.name)
    elif kind is NeedKind.CLOSES:
        value = market.closes(*_places(need))
    elif kind is NeedKind.HIGHEST:
        value = market.highest(*_places(need))
    elif kind is NeedKind.LOWEST:
        value = market.lowest(*_places(need))
    elif kind is NeedKind.AVERAGE_VOLUME:
        value = market.average_volume(*_places(need))
    else:
        value = market.imbalance(*_places(need))
    return (None if value is None else _finite(value),)


def _places(need: Need) -> list[int]:
    return [int(each) for each in need.args]


def _finite(value: float) -> float | None:
    """Return None for what is not there yet: Lua has nil for it."""
    return value if math.isfinite(value) else None
