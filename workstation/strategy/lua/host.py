"""The core's side of one worker: posts questions, takes checked replies, kills.

Used by the engine, with ``receive`` from a driver that waits or with ``fileno`` and
``receive_ready`` from an event loop. Apart from ``receive`` and the start nothing here
waits, whatever the worker does. A fault is final: the process is gone by the time it
is returned, and a new worker takes over with the contexts that the core holds.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from typing import TypeAlias

import msgspec
from msgspec import Struct

from workstation.strategy.lua.frames import (
    Decoder,
    MessageError,
    decode_from_worker,
    encode,
)
from workstation.strategy.lua.judging import Judge, Untrue
from workstation.strategy.lua.process import COMMAND, Process
from workstation.strategy.lua.wire import (
    MAX_BATCH,
    MAX_MESSAGE,
    Answer,
    Answers,
    Ask,
    Failed,
    FromWorker,
    Load,
    Loaded,
    LoadFailed,
    Needs,
    Question,
)

__all__ = [
    "DRIVEN_DEADLINE_S",
    "FaultKind",
    "LuaWorker",
    "Reply",
    "WorkerFault",
    "live_deadline_s",
]

DRIVEN_DEADLINE_S = 10.0
"""How long a driven run waits: longer than any call within its instructions takes."""

# Bytes that may wait for a worker to read them; one that reads nothing is stuck.
_MOST_UNSENT = 8 * MAX_MESSAGE
# Reads of one call of receive_ready, 256 KiB each: a flood must not hold the loop up.
_READS = 8


def live_deadline_s(cpu_s: float) -> float:
    """Return how long a live run waits for a post's answers, s.

    Three calls over their CPU time ``cpu_s`` end a post, and what they spoilt is made
    anew in between; a machine that is busy needs a second for less.
    """
    return max(1.0, 4 * cpu_s)


class FaultKind(StrEnum):
    """Why a worker is gone."""

    DEAD = "dead"
    """It ended by itself, or was killed because it did not answer."""
    PROTOCOL = "protocol"
    """It said what no worker says, and was killed."""


class WorkerFault(Struct, frozen=True, kw_only=True):
    """The end of a worker that was not asked to end."""

    kind: FaultKind
    message: str
    exit_code: int | None = None
    signal: str | None = None
    """Name of the signal that ended it; SIGKILL where the workstation did."""


Reply: TypeAlias = Loaded | LoadFailed | Answers


class _Post:
    """What was posted and has no answer yet."""

    __slots__ = ("batches", "judge", "replies")

    def __init__(self, batches: Sequence[int], judge: Judge | None = None) -> None:
        self.batches = deque(batches)
        self.judge = judge
        self.replies: list[Answer | Needs | Failed] = []


class LuaWorker:
    """One worker process; ``start``, then ``load``, then posts."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self.fault: WorkerFault | None = None
        self._command = tuple(command)
        self._process: Process | None = None
        self._decoder = Decoder()
        self._judge: Judge | None = None
        self._posts: deque[_Post] = deque()
        # It takes nothing any more; what it still said is read first.
        self._deaf = False

    def start(self) -> None:
        """Start the process; returns before it is ready. Raises OSError.

        Call it from the thread that lives as long as the run: on Linux a worker ends
        with the thread that started it.
        """
        if self._process is not None:
            raise RuntimeError("a worker starts once")
        self._process = Process(self._command)

    @property
    def pid(self) -> int | None:
        """Return the process id, None before the start."""
        return None if self._process is None else self._process.pid

    @property
    def waiting(self) -> int:
        """Return how many posts have no reply yet."""
        return len(self._posts)

    @property
    def wants_write(self) -> bool:
        """Tell whether ``flush`` is to be called once the socket takes more."""
        return self._process is not None and self._process.unsent > 0

    def fileno(self) -> int:
        """Return what to watch for reading; -1 when the worker is gone."""
        return -1 if self._process is None else self._process.fileno()

    def load(self, load: Load, timeout_s: float) -> Loaded | LoadFailed | WorkerFault:
        """Load a script and wait for the outcome."""
        fault = self.post_load(load)
        if fault is not None:
            return fault
        reply = self.receive(timeout_s)
        assert not isinstance(reply, Answers)
        return reply

    def post_load(self, load: Load) -> WorkerFault | None:
        """Send a script; its reply comes in its turn.

        Raises MessageError where the source is larger than a message may be.
        """
        judge = Judge(load)
        return self._post(_Post((), judge), [encode(load)])

    def post(self, questions: Sequence[Question]) -> WorkerFault | None:
        """Send questions; one Answers with as many replies will be received.

        Raises MessageError where a question is larger than a message may be.
        """
        batches = [
            tuple(questions[at : at + MAX_BATCH])
            for at in range(0, len(questions), MAX_BATCH)
        ] or [()]
        messages = [
            encode(Ask(batch, first=number == 0))
            for number, batch in enumerate(batches)
        ]
        return self._post(_Post([len(batch) for batch in batches]), messages)

    def flush(self) -> WorkerFault | None:
        """Send what waits, as far as the socket takes it."""
        if self.fault is not None or self._process is None:
            return self.fault
        try:
            self._process.flush()
        except OSError:
            self._deaf = True
        return None

    def receive(self, timeout_s: float) -> Reply | WorkerFault:
        """Wait for the next reply; a worker that takes longer is killed."""
        deadline = time.monotonic() + timeout_s
        while True:
            reply = self.receive_ready()
            if reply is not None:
                return reply
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return self.expire(timeout_s)
            self.flush()
            poll = select.poll()
            events = select.POLLIN | (select.POLLOUT if self.wants_write else 0)
            poll.register(self.fileno(), events)
            # Rounded up: a wait of 0 ms would spin through the last one.
            poll.poll(left_s * 1000 + 1)

    def receive_ready(self) -> Reply | WorkerFault | None:
        """Return the next reply that has arrived whole, None where none has.

        Call it until it returns None: two replies may have come with one read.
        """
        if self.fault is not None:
            return self.fault
        if self._process is None:
            raise RuntimeError("start the worker first")
        try:
            for _ in range(_READS):
                reply = self._decoded()
                if reply is not None:
                    return reply
                data = self._process.read()
                if data is None and self._deaf:
                    return self._end(FaultKind.DEAD, "the worker hears nothing and")
                if data is None:
                    return None
                if not data:
                    return self._end(FaultKind.DEAD, "the worker")
                self._decoder.feed(data)
            # Of the last read too: the deadline may be over by the next call.
            return self._decoded()
        except (MessageError, Untrue) as error:
            return self._end(FaultKind.PROTOCOL, f"the worker sent {error} and")

    def expire(self, after_s: float) -> WorkerFault:
        """Kill a worker that has not answered in time."""
        return self._end(
            FaultKind.DEAD, f"the worker did not answer within {after_s:g} s and"
        )

    def close(self) -> None:
        """End the process at once, whatever it does; later calls return a fault.

        Harmless when it is gone or was never started: a worker has nothing to save.
        """
        if self._process is not None:
            self._end(FaultKind.DEAD, "the worker was closed and")

    def memory(self) -> int | None:
        """Return the bytes of memory that the process holds; None where unknown."""
        return None if self._process is None else self._process.memory()

    def _post(self, post: _Post, messages: list[bytes]) -> WorkerFault | None:
        if self.fault is not None:
            return self.fault
        if self._process is None:
            raise RuntimeError("start the worker first")
        size = sum(map(len, messages))
        if self._process.unsent + size > _MOST_UNSENT:
            return self._end(FaultKind.DEAD, "the worker does not read and")
        self._posts.append(post)
        try:
            for message in messages:
                self._process.write(message)
        except OSError:
            self._deaf = True
        return None

    def _decoded(self) -> Reply | None:
        """Return the next reply of what was read; raises MessageError and Untrue."""
        while (body := self._decoder.next()) is not None:
            reply = self._take(decode_from_worker(body))
            if reply is not None:
                return reply
        return None

    def _take(self, message: FromWorker) -> Reply | None:
        """Return the reply that a message completes; raises Untrue."""
        if not self._posts:
            raise Untrue("an answer to no question")
        post = self._posts[0]
        if isinstance(message, Answers):
            if post.judge is not None or self._judge is None:
                raise Untrue("answers to a script")
            if len(message.replies) != post.batches.popleft():
                raise Untrue("more or fewer answers than there were questions")
            self._judge.answers(message)
            post.replies += message.replies
            if post.batches:
                return None
            self._posts.popleft()
            return msgspec.structs.replace(message, replies=tuple(post.replies))
        if post.judge is None:
            raise Untrue("a loaded script to a question")
        if isinstance(message, Loaded):
            post.judge.loaded(message)
            self._judge = post.judge
        else:
            post.judge.load_failed(message)
        self._posts.popleft()
        return message

    def _end(self, kind: FaultKind, what: str) -> WorkerFault:
        if self.fault is None:
            if self._process is None:
                raise RuntimeError("start the worker first")
            ended = self._process.kill()
            self._posts.clear()
            self.fault = WorkerFault(
                kind=kind,
                message=f"{what} {ended}",
                exit_code=ended.exit_code,
                signal=ended.signal,
            )
        return self.fault
