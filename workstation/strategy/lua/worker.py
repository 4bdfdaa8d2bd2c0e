"""A process that runs one untrusted script: reads messages, answers them, nothing else.

Started by ``host.py`` with a socket as its standard input and the parent's process id
as its argument. Imports as little as it can, is jailed before it reads its first
message, and ends at the end of the stream or at a message that it cannot read.
"""

from __future__ import annotations

import gc
import os
import sys

from workstation.strategy.lua.frames import (
    Decoder,
    MessageError,
    decode_to_worker,
    encode,
)
from workstation.strategy.lua.jail import confine
from workstation.strategy.lua.replies import Refused
from workstation.strategy.lua.vm import Vm, versions
from workstation.strategy.lua.wire import (
    FUNCTIONS,
    MARKET_FIELDS,
    Answer,
    Answers,
    Ask,
    ConfinementReport,
    Failed,
    FailureKind,
    FromWorker,
    Load,
    Loaded,
    LoadFailed,
    Needs,
    Question,
    Versions,
)

__all__ = ["Worker", "main"]

_SOCKET = 0
_READ = 256 * 1024
# Exit codes; the parent shows them.
_UNREADABLE = 3
# Calls of one post that may run over their budgets before the rest is not made: with
# many rows a loop without end would else take the time of all of them.
_STRIKES = 3
_OVERRUNS = (FailureKind.BUDGET, FailureKind.TIME, FailureKind.MEMORY)


class Worker:
    """Answer messages: a Load first, then questions."""

    def __init__(self, confinement: ConfinementReport, running: Versions) -> None:
        self._confinement = confinement
        self._versions = running
        self._vm: Vm | None = None
        self._strikes = 0

    def answer(self, message: Load | Ask) -> FromWorker:
        """Return the reply to a message; raises MessageError for one out of place."""
        if isinstance(message, Load):
            return self._load(message)
        vm = self._vm
        if vm is None:
            raise MessageError("a question before a script is loaded")
        if message.first:
            self._strikes = 0
        replies = tuple(self._ask(vm, question) for question in message.questions)
        return Answers(replies=replies, memory=vm.memory, rebuilds=vm.rebuilds)

    def _load(self, message: Load) -> Loaded | LoadFailed:
        try:
            vm = Vm(message)
        except Refused as refused:
            return refused.reply
        self._vm = vm
        return Loaded(
            params=vm.params,
            functions=vm.functions,
            strings=vm.strings,
            confinement=self._confinement,
            versions=self._versions,
        )

    def _ask(self, vm: Vm, question: Question) -> Answer | Needs | Failed:
        if self._strikes >= _STRIKES:
            return Failed(
                kind=FailureKind.SKIPPED,
                message="not called: the script ran over its budget "
                f"{_STRIKES} times for other rows just before",
            )
        reply = vm.ask(question)
        if isinstance(reply, Failed) and reply.kind in _OVERRUNS:
            self._strikes += 1
        return reply


def main() -> None:
    """Serve the socket until it ends."""
    running = _warm_up()
    worker = Worker(confine(int(sys.argv[1])), running)
    # What lives now lives as long as the process.
    gc.freeze()
    decoder = Decoder()
    try:
        while data := os.read(_SOCKET, _READ):
            decoder.feed(data)
            while (body := decoder.next()) is not None:
                _write(encode(worker.answer(decode_to_worker(body))))
    except MessageError:
        sys.exit(_UNREADABLE)
    except (BrokenPipeError, ConnectionResetError):
        return


def _warm_up() -> Versions:
    """Do once what may import something late: the jail has no files."""
    running = versions()
    source = "".join(
        f"function {name}() return {{signal = 1}} end " for name in FUNCTIONS
    )
    worker = Worker(ConfinementReport(), running)
    question = Question(
        row=0, call=0, function=0, symbol="signal", market=(None,) * len(MARKET_FIELDS)
    )
    messages: tuple[Load | Ask, ...] = (
        Load(name="warm-up", source="no script", seed=0, driven=False),
        Load(name="warm-up", source=source, seed=0, driven=False),
        Ask((question,)),
    )
    for message in messages:
        encode(worker.answer(decode_to_worker(encode(message)[4:])))
    return running


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(_SOCKET, view) :]


if __name__ == "__main__":
    main()
