"""What a VM gave back, numbers and booleans in a row, made into messages.

Used by ``vm.py`` in the worker. What does not read is an error of the VM, never
guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from workstation.strategy.lua.wire import (
    FUNCTIONS,
    LONGEST_TEXT,
    NEED_KINDS,
    Answer,
    Failed,
    FailureKind,
    Flat,
    LoadFailed,
    Need,
    Needs,
    Param,
)

__all__ = ["Reading", "Refused", "ReplyError", "said"]

# Values that came out of the VM: their types are checked where they are used.
Given: TypeAlias = tuple[Any, ...]

_OK, _NEED, _FAILED = range(3)
_PER_PARAM = 5
# "script:12: message", as the compiler writes it.
_PLACE = re.compile(r"script:(\d+): (.*)", re.DOTALL)


class ReplyError(Exception):
    """The VM gave something that is no reply."""


class Refused(Exception):
    """The script cannot be loaded; ``reply`` says why."""

    def __init__(self, reply: LoadFailed) -> None:
        super().__init__(reply.message)
        self.reply = reply


class Reading:
    """Read what one VM gives, with the texts that it knows."""

    def __init__(self, strings: tuple[str, ...]) -> None:
        self._strings = strings

    def reply(self, given: Given, cpu_ns: int) -> Answer | Needs | Failed:
        """Return the reply to a question; raises ReplyError."""
        try:
            rest = iter(given)
            status, instructions = next(rest), next(rest)
            if status == _OK:
                return self._answer(rest, instructions, cpu_ns)
            if status == _NEED:
                return self._needs(rest, instructions, cpu_ns)
            line, kind, message = rest
            return Failed(
                kind=FailureKind(kind),
                message=said(_decoded(message)),
                line=line or None,
                instructions=instructions,
                cpu_ns=cpu_ns,
            )
        except (StopIteration, IndexError, TypeError, ValueError) as error:
            raise ReplyError("the VM gave no reply that can be read") from error

    def load(
        self, given: Given, over: Callable[[FailureKind], str]
    ) -> tuple[tuple[Param, ...], dict[str, int]]:
        """Return parameters and the functions' lines of a load.

        Raises Refused; ``over`` says what a kind of overrun means.
        """
        status, _, *rest = given
        if status != _OK:
            raise Refused(_load_failed(rest, over))
        lines, values = rest[: len(FUNCTIONS)], rest[len(FUNCTIONS) :]
        params = [
            _param(values[at : at + _PER_PARAM])
            for at in range(0, len(values), _PER_PARAM)
        ]
        params.sort(key=lambda param: param.name)
        return tuple(params), dict(zip(FUNCTIONS, lines, strict=True))

    def _answer(self, rest: Iterator[Any], instructions: int, cpu_ns: int) -> Answer:
        answer, context = self._flat(rest), self._flat(rest)
        notes = tuple(self._values(rest, next(rest)) for _ in range(next(rest)))
        plots = sorted(
            (self._strings[next(rest) - 1], next(rest)) for _ in range(next(rest))
        )
        return Answer(
            answer=answer,
            context=context,
            notes=notes,
            plots=tuple(plots),
            instructions=instructions,
            cpu_ns=cpu_ns,
        )

    def _needs(self, rest: Iterator[Any], instructions: int, cpu_ns: int) -> Needs:
        line, kind, name, count = next(rest), next(rest), next(rest), next(rest)
        args = self._values(rest, count)
        named = self._values(rest, 2 * next(rest))
        need = Need(
            kind=NEED_KINDS[kind - 1],
            name=self._strings[name - 1] if name else "",
            args=args,
            named=tuple(zip(named[::2], named[1::2], strict=True)),
        )
        return Needs(
            needs=(need,), line=line or None, instructions=instructions, cpu_ns=cpu_ns
        )

    def _flat(self, rest: Iterator[Any]) -> Flat | None:
        count = next(rest)
        if count < 0:
            return None
        table: Flat = {}
        for _ in range(count):
            key, value = next(rest), next(rest)
            if key < 0:
                key, value = -key, self._strings[value - 1]
            table[self._strings[key - 1]] = value
        # The VM's own order differs from run to run.
        return dict(sorted(table.items()))

    def _values(self, rest: Iterator[Any], count: int) -> tuple[Any, ...]:
        """Return values of which each may be a text: False and its number."""
        found = []
        for _ in range(count):
            value = next(rest)
            found.append(self._strings[next(rest) - 1] if value is False else value)
        return tuple(found)


def said(text: str) -> str:
    """Return one printable line that fits into a message."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(shown.split())[:LONGEST_TEXT]


def _decoded(text: str) -> str:
    # Bytes of the VM come as latin-1, which never fails; scripts are UTF-8.
    return text.encode("latin-1").decode("utf-8", "replace")


def _load_failed(rest: list[Any], over: Callable[[FailureKind], str]) -> LoadFailed:
    line, kind, message = rest
    text = _decoded(message)
    if line == -1:
        place = _PLACE.match(text)
        line, text = (int(place[1]), place[2]) if place else (0, text)
    failure = FailureKind(kind)
    return LoadFailed(
        kind=failure,
        message=said(text) if failure is FailureKind.SCRIPT else over(failure),
        line=line or None,
    )


def _param(values: list[Any]) -> Param:
    name, default, minimum, maximum, help_text = values
    return Param(
        name=_decoded(name),
        default=_decoded(default) if isinstance(default, str) else default,
        minimum=None if minimum is False else minimum,
        maximum=None if maximum is False else maximum,
        help=said(_decoded(help_text)),
    )
