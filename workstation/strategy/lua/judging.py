"""What the core believes of a worker: nothing that was not checked here.

Called by ``host.py`` with each decoded message. The worker may have been taken over by
its script; the types are right by then, so this looks at texts, numbers and counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from workstation.strategy.lua.lexer import strings_of
from workstation.strategy.lua.wire import (
    FARTHEST,
    FUNCTIONS,
    MAX_SOURCE,
    MAX_STRINGS,
    Answer,
    Answers,
    Failed,
    Flat,
    Load,
    Loaded,
    LoadFailed,
    Need,
    NeedKind,
    Needs,
    Param,
)

__all__ = ["Judge", "Untrue", "rendered"]

# The least that each argument of a need may be; an indicator has those that it takes.
_LEAST = {
    NeedKind.FIGURE: (),
    NeedKind.CLOSES: (0,),
    NeedKind.IMBALANCE: (1,),
    NeedKind.HIGHEST: (1, 0),
    NeedKind.LOWEST: (1, 0),
    NeedKind.AVERAGE_VOLUME: (1, 0),
}


class Untrue(Exception):
    """A worker said what no worker says."""


class Judge:
    """Check the messages of a worker that was sent one Load."""

    def __init__(self, load: Load) -> None:
        self.strings: frozenset[str] = frozenset()
        """What may cross; empty until the script is loaded."""
        self._load = load

    def loaded(self, message: Loaded) -> None:
        """Check a Loaded; raises Untrue."""
        # Read here again: a worker could otherwise choose what may cross.
        expected = strings_of(self._load)
        if message.strings != expected or len(expected) > MAX_STRINGS:
            raise Untrue("other texts than the script has")
        self.strings = frozenset(expected)
        if tuple(message.functions) != FUNCTIONS:
            raise Untrue("other functions than a script has")
        names = [param.name for param in message.params]
        if names != sorted(set(names)):
            raise Untrue("parameters that are doubled or in no order")
        for param in message.params:
            self._param(param)
        report = message.confinement
        running = message.versions
        _printable(
            *report.limits, *report.missing, running.lua, running.lupa, running.python
        )

    def load_failed(self, message: LoadFailed) -> None:
        """Check a LoadFailed; raises Untrue."""
        _printable(message.message)
        _line(message.line)

    def answers(self, message: Answers) -> None:
        """Check the replies of an Answers; raises Untrue."""
        for reply in message.replies:
            if isinstance(reply, Answer):
                self._answer(reply)
            elif isinstance(reply, Needs):
                _line(reply.line)
                for need in reply.needs:
                    self._need(need)
            else:
                self._failed(reply)

    def _answer(self, reply: Answer) -> None:
        for table in (reply.answer, reply.context):
            if table is not None:
                self._flat(table)
        if reply.context is not None and "opportunity" in reply.context:
            raise Untrue("an opportunity of its own")
        for parts in reply.notes:
            # A line of the log may tell of a number that is not finite.
            self._values(part for part in parts if isinstance(part, str))
        for name, value in reply.plots:
            self._values((name, value))
            if not name.strip():
                raise Untrue("a plot without a name")

    def _failed(self, reply: Failed) -> None:
        _printable(reply.message)
        _line(reply.line)

    def _need(self, need: Need) -> None:
        load = self._load
        if need.kind is NeedKind.INDICATOR:
            known = need.name in load.indicators
        elif need.kind is NeedKind.FIGURE:
            known = need.name in load.figures
        else:
            known = need.name == ""
        least = _LEAST.get(need.kind)
        if not known:
            raise Untrue("a need that no script can have")
        if least is not None:
            _places(need, least)
        self._values(need.args)
        for name, value in need.named:
            self._values((name, value))

    def _flat(self, table: Flat) -> None:
        self._values(table)
        self._values(table.values())

    def _values(self, values: Iterable[int | float | str]) -> None:
        strings = self.strings
        for value in values:
            if isinstance(value, str):
                if value not in strings:
                    raise Untrue("a text that is not the script's")
            elif not math.isfinite(value):
                raise Untrue("a number that is not finite")

    def _param(self, param: Param) -> None:
        _printable(param.help)
        bounds = [each for each in (param.minimum, param.maximum) if each is not None]
        self._values((param.name, param.default, *bounds))


def rendered(parts: tuple[int | float | str, ...]) -> str:
    """Return a line of the log from its parts; numbers as Lua writes them."""
    return " ".join(
        _number(part) if isinstance(part, float) else str(part) for part in parts
    )


def _number(value: float) -> str:
    text = f"{value:.14g}"
    return text if any(each in ".en" for each in text) else f"{text}.0"


def _places(need: Need, least: tuple[int, ...]) -> None:
    """Check the bars that a need spans and lies back: 1, or 0, to 1,000,000."""
    if len(need.args) != len(least) or need.named:
        raise Untrue("a need that no script can have")
    for place, lowest in zip(need.args, least, strict=True):
        if not isinstance(place, int) or not lowest <= place <= FARTHEST:
            raise Untrue(f"a place that is no whole number in {lowest} … {FARTHEST}")


def _printable(*texts: str) -> None:
    if not all(text.isprintable() for text in texts):
        raise Untrue("a text with control characters")


def _line(line: int | None) -> None:
    # A script of so many bytes has no more lines.
    if line is not None and line > MAX_SOURCE + 1:
        raise Untrue("a line that the script does not have")
