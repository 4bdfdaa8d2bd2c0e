"""One Lua VM with one script: built from the source, asked, and thrown away on a trip.

Lives in the worker only. No Python object enters the VM and only numbers go in during
calls, for a text that is passed while its memory is full would abort the process.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from lupa import lua54 as lua  # the one place that chooses the VM: PUC Lua 5.4
from lupa.version import __version__ as LUPA_VERSION

from workstation.strategy.lua.lexer import strings_of
from workstation.strategy.lua.replies import Reading, Refused, ReplyError, said
from workstation.strategy.lua.wire import (
    FARTHEST,
    FUNCTIONS,
    LONGEST_STRING,
    MAX_ARGUMENTS,
    MAX_KEYS,
    MAX_NEEDS,
    MAX_NOTE_PARTS,
    MAX_NOTES,
    MAX_PLOTS,
    MAX_SOURCE,
    MAX_STRINGS,
    NEED_KINDS,
    Answer,
    Failed,
    FailureKind,
    Flat,
    Load,
    LoadFailed,
    Need,
    NeedKind,
    Needs,
    Param,
    Question,
    Versions,
)

__all__ = ["Refused", "Vm", "lua", "versions"]

_HERE = Path(__file__).parent
# In the order in which they run.
_CHUNKS = {
    name: (_HERE / f"{name}.lua").read_bytes()
    for name in ("sandbox", "library", "market", "calls")
}

# Of 2**64 over the golden ratio: rows next to each other get seeds far apart.
_SPREAD = 0x9E3779B97F4A7C15
# Needs that have a slot; more than all rows of a strategy use at once. When they are
# used up, all slots are given anew.
_SLOTS = 4096
# Share of its memory that a VM may hold between two calls: the rest is for what is
# passed to it, which must not fail.
_AT_REST = 0.75

# What a function of the VM takes and gives: numbers, booleans, texts of errors.
_Function: TypeAlias = Callable[..., Any]


def versions() -> Versions:
    """Return what runs scripts here."""
    return Versions(
        lua=str(lua.LuaRuntime(**_OPTIONS).lua_implementation),
        lupa=LUPA_VERSION,
        python=platform.python_version(),
    )


def _no_attribute(*_: object) -> object:
    raise AttributeError("not available")


_OPTIONS: dict[str, Any] = {  # of LuaRuntime, which has no types
    "encoding": "latin-1",
    "register_eval": False,
    "register_builtins": False,
    "unpack_returned_tuples": False,
    "attribute_handlers": (_no_attribute, _no_attribute),
}


class Vm:
    """Answer questions with a script; raises Refused where it does not load."""

    def __init__(self, load: Load) -> None:
        self.rebuilds = 0
        self.params: tuple[Param, ...] = ()
        self.functions: dict[str, int] = {}
        self.strings: tuple[str, ...] = ()
        self.load = load
        self._source = load.source.encode("utf-8", "surrogatepass")
        if len(self._source) > MAX_SOURCE:
            raise Refused(
                _refusal(f"is {len(self._source)} bytes long; at most {MAX_SOURCE}")
            )
        self.strings = strings_of(load)
        if len(self.strings) > MAX_STRINGS:
            raise Refused(
                _refusal(
                    f"has {len(self.strings)} different texts and names; "
                    f"at most {MAX_STRINGS}"
                )
            )
        for text in self.strings:
            if len(text) > LONGEST_STRING or not text.isprintable():
                raise Refused(
                    _refusal(
                        f"is given the text {text!r}; texts have at most "
                        f"{LONGEST_STRING} characters, all of them printable"
                    )
                )
        # A Lua array begins at 1.
        self._ids = {text: i for i, text in enumerate(self.strings, 1)}
        self._reading = Reading(self.strings)
        self._slots: dict[Need, int] = {}
        self._runtime: Any = None
        self._dispatch: _Function
        self._register: _Function
        self._forget: _Function
        self._build()

    @property
    def memory(self) -> int:
        """Return how many bytes the VM holds; 0 while it is thrown away."""
        if self._runtime is None:
            return 0
        return int(self._runtime.get_memory_used() or 0)

    def ask(self, question: Question) -> Answer | Needs | Failed:
        """Return what the script says to one question."""
        began = time.thread_time_ns()
        if self._runtime is None:
            try:
                self._build()
            except Refused as refused:
                return Failed(
                    kind=refused.reply.kind,
                    message=refused.reply.message,
                    line=refused.reply.line,
                    cpu_ns=time.thread_time_ns() - began,
                )
            self.rebuilds += 1
            began = time.thread_time_ns()
        try:
            given = self._dispatch(*self._arguments(question))
        except KeyError as error:
            return Failed(
                kind=FailureKind.QUESTION,
                message=said(f"the text {error.args[0]!r} may not cross"),
            )
        except (lua.LuaError, MemoryError, OverflowError):
            self._discard()
            return Failed(
                kind=FailureKind.MEMORY,
                message=self._over(FailureKind.MEMORY),
                cpu_ns=time.thread_time_ns() - began,
            )
        cpu_ns = time.thread_time_ns() - began
        try:
            reply = self._reading.reply(given, cpu_ns)
        except ReplyError as error:
            self._discard()
            return Failed(kind=FailureKind.SCRIPT, message=said(str(error)))
        if isinstance(reply, Failed) and reply.kind is not FailureKind.SCRIPT:
            self._discard()
            return Failed(
                kind=reply.kind,
                message=self._over(reply.kind),
                line=reply.line,
                instructions=reply.instructions,
                cpu_ns=cpu_ns,
            )
        if self._is_full():
            self._discard()
            return Failed(
                kind=FailureKind.MEMORY,
                message="the script keeps more memory between calls than it may: "
                "keep less outside of functions",
                instructions=reply.instructions,
                cpu_ns=cpu_ns,
            )
        return reply

    def _is_full(self) -> bool:
        at_rest = self.load.budget.memory * _AT_REST
        if self.memory <= at_rest:
            return False
        self._runtime.gccollect()
        return self.memory > at_rest

    def _discard(self) -> None:
        self._runtime = None
        del self._dispatch, self._register, self._forget
        self._slots.clear()

    def _over(self, kind: FailureKind) -> str:
        budget = self.load.budget
        if kind is FailureKind.BUDGET:
            return (
                f"used more than {budget.instructions:,} instructions in one call: "
                "look for a loop that does not end"
            )
        if kind is FailureKind.TIME:
            return (
                f"used more than {budget.cpu_s:g} s of CPU time in one call: "
                "look for a loop that does not end"
            )
        return (
            f"used more than {budget.memory // 1024 // 1024} MB of memory: "
            "look for a table or text that grows"
        )

    def _build(self) -> None:
        """Make the VM and load the script into it; raises Refused."""
        kind = FailureKind.MEMORY
        refused = Refused(LoadFailed(kind=kind, message=self._over(kind)))
        try:
            self._make()
        except (lua.LuaError, MemoryError) as error:
            raise refused from error
        if self._is_full():
            self._discard()
            raise refused

    def _make(self) -> None:
        load = self.load
        runtime = lua.LuaRuntime(**_OPTIONS, max_memory=load.budget.memory)
        settings = runtime.table_from(
            {
                b"instructions": load.budget.instructions,
                b"cpu_s": False if load.driven else load.budget.cpu_s,
                b"max_keys": MAX_KEYS,
                b"max_needs": MAX_NEEDS,
                b"max_arguments": MAX_ARGUMENTS,
                b"max_notes": MAX_NOTES,
                b"max_note_parts": MAX_NOTE_PARTS,
                b"max_plots": MAX_PLOTS,
                b"longest": LONGEST_STRING,
                b"farthest": FARTHEST,
            }
        )
        kinds = runtime.table(*(kind.encode() for kind in NEED_KINDS))

        def run(name: str, *arguments: Any) -> Any:
            return runtime.execute(
                _CHUNKS[name], *arguments, name=f"={name}".encode(), mode="t"
            )

        tools = run("sandbox")
        run("library", tools)
        intern, name_all, register, forget = run("market", tools, settings, kinds)
        dispatch, start = run("calls", tools, settings)
        for text, number in self._ids.items():
            intern(number, text.encode("utf-8", "surrogatepass"))
        name_all(*self._named())
        names = runtime.table(*(name.encode() for name in FUNCTIONS))
        given = start(self._source, load.seed, names)
        self.params, self.functions = self._reading.load(given, self._over)
        # Last: of a VM that cannot be made nothing is kept, nor the memory it holds.
        self._dispatch, self._register, self._forget = dispatch, register, forget
        self._runtime = runtime

    def _named(self) -> list[int]:
        """Return the names of indicators and figures as (kind, text) numbers."""
        flat: list[int] = []
        for kind, names in (
            (NeedKind.INDICATOR, self.load.indicators),
            (NeedKind.FIGURE, self.load.figures),
        ):
            for name in names:
                flat += (_KIND_NUMBERS[kind], self._ids[name])
        return flat

    def _arguments(self, question: Question) -> list[int | float]:
        """Return a question as the numbers that dispatch takes."""
        seed = self.load.seed + question.row * _SPREAD
        flat: list[int | float] = [
            question.function + 1,
            (seed + 2**63) % 2**64 - 2**63,
            question.call,
            self._ids[question.symbol],
        ]
        flat += [False if value is None else value for value in question.market]
        self._append(flat, question.params)
        self._append(flat, question.context)
        if question.opportunity is None:
            flat.append(-1)
        else:
            self._append(flat, question.opportunity)
        needs = question.needs
        if len(self._slots) + len(needs) > _SLOTS:
            self._slots.clear()
            self._forget()
        flat.append(len(needs))
        for need, value in needs:
            slot = self._slots.get(need)
            if slot is None:
                slot = self._give_slot(need)
            flat += (slot, len(value))
            flat += [False if each is None else each for each in value]
        return flat

    def _append(self, flat: list[int | float], table: Flat) -> None:
        flat.append(len(table))
        ids = self._ids
        for key, value in table.items():
            if isinstance(value, str):
                flat += (-ids[key], ids[value])
            else:
                flat += (ids[key], value)

    def _give_slot(self, need: Need) -> int:
        slot = len(self._slots) + 1
        flat: list[int | float] = [
            slot,
            _KIND_NUMBERS[need.kind],
            self._ids[need.name] if need.name else 0,
            len(need.args),
        ]
        for argument in need.args:
            flat += self._argument(argument)
        flat.append(len(need.named))
        for name, argument in need.named:
            flat += self._argument(name)
            flat += self._argument(argument)
        self._register(*flat)
        self._slots[need] = slot
        return slot

    def _argument(self, value: int | float | str) -> tuple[int | float, ...]:
        return (False, self._ids[value]) if isinstance(value, str) else (value,)


_KIND_NUMBERS = {kind: number for number, kind in enumerate(NEED_KINDS, 1)}


def _refusal(message: str) -> LoadFailed:
    return LoadFailed(kind=FailureKind.SCRIPT, message=said(message))
