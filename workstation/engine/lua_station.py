"""One strategy's worker: what it was asked, what it answered, how often it has died.

Owned by ``LuaEdge``. Nothing here waits for the worker: one that hangs is killed at its
deadline, and what it was asked is answered by that fault.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import msgspec

from workstation.engine.script_calls import WorkerState
from workstation.kernel import Clock
from workstation.model.timeframes import NS_PER_S
from workstation.strategy.lua.frames import MessageError
from workstation.strategy.lua.host import LuaWorker, WorkerFault
from workstation.strategy.lua.judging import rendered
from workstation.strategy.lua.lexer import strings_of
from workstation.strategy.lua.lua_host import Posted
from workstation.strategy.lua.restarts import Restarts
from workstation.strategy.lua.wire import Answer, Answers, Failed, Load, Loaded, Needs
from workstation.strategy.replies import ScriptAnswered, ScriptReply

__all__ = ["Station", "script_answered"]


class Station:
    """A worker and its queue; ``times`` takes the CPU time of each call, ns."""

    def __init__(
        self,
        strategy: str,
        worker: LuaWorker,
        load: Load,
        *,
        spawn: Callable[[], LuaWorker],
        deadline_s: float,
        wall: Clock,
        times: deque[int],
    ) -> None:
        self.strategy = strategy
        self.worker: LuaWorker | None = worker
        self.confinement = ""
        self.restarts = Restarts()
        self.deaths = 0
        self.deadline_s = deadline_s
        self._first = load
        self._use(load)
        self._spawn = spawn
        self._wall = wall
        self._times = times
        self._queue: deque[tuple[int, list[Posted]]] = deque()
        # How many batches of the queue the worker has been sent.
        self._sent = 0
        # What became of batches that no message can hold.
        self._refused: list[ScriptAnswered] = []
        self._deadline_ns = 0
        self._start_ns = 0

    @property
    def waits(self) -> bool:
        """Tell whether something was asked and not answered."""
        return bool(self._queue or self._refused)

    @property
    def due_ns(self) -> int:
        """Return when something must happen even if the worker says nothing."""
        if self._refused:
            return 0
        return self._start_ns if self.worker is None else self._deadline_ns

    def state(self) -> WorkerState:
        """Return what the screen shows of it."""
        worker = self.worker
        return WorkerState(
            confinement=self.confinement,
            memory_bytes=None if worker is None else worker.memory(),
            deaths=self.deaths,
            running=worker is not None,
        )

    def rearm(self) -> None:
        """Forget how often the worker has died, and start at the next question."""
        self.restarts.rearm()
        self._start_ns = 0

    def close(self) -> None:
        """End the worker."""
        if self.worker is not None:
            self.worker.close()
            self.worker = None

    def post(self, batch: int, posted: Sequence[Posted]) -> None:
        """Ask a batch of questions; never waits for the worker."""
        self._queue.append((batch, list(posted)))
        self._send()

    def collect(self) -> list[ScriptAnswered]:
        """Return what has been answered, or has become of the worker."""
        if self._queue:
            self._send()
        refused, self._refused = self._refused, []
        worker = self.worker
        if not self._queue:
            return refused
        if worker is None:
            if self.restarts.gave_up:
                said = "its worker has died too often; restart the strategy"
                return [*refused, *self._fail(said)]
            return refused
        worker.flush()
        return [*refused, *self._read(worker)]

    def _send(self) -> None:
        """Send what waits, to a new worker where the last one died."""
        if self.worker is None and not self._start():
            return
        worker = self.worker
        assert worker is not None
        while self._sent < len(self._queue) and worker.fault is None:
            batch, posted = self._queue[self._sent]
            try:
                missing = _texts(posted) - self._strings
                if missing:
                    self._load_with(worker, missing)
                worker.post([each.question for each in posted])
            except MessageError as error:
                del self._queue[self._sent]
                said = f"it cannot be asked: {error}"
                self._refused.append(self._fault(batch, said))
                continue
            if not self._sent:
                self._arm()
            self._sent += 1

    def _arm(self) -> None:
        self._deadline_ns = self._wall.now() + round(self.deadline_s * NS_PER_S)

    def _load_with(self, worker: LuaWorker, texts: Iterable[str]) -> None:
        """Let more texts cross: a parameter was set to one that the script lacks."""
        strings = (*self._load.strings, *sorted(texts))
        load = msgspec.structs.replace(self._load, strings=strings)
        worker.post_load(load)
        self._use(load)

    def _use(self, load: Load) -> None:
        """Load this from now on, wherever the script is loaded anew."""
        self._load = load
        self._strings = frozenset(strings_of(load))

    def _start(self) -> bool:
        if self.restarts.gave_up or self._wall.now() < self._start_ns:
            return False
        worker = self._spawn()
        try:
            worker.start()
        except OSError:
            worker.close()
            self._bury()
            return False
        self.worker = worker
        worker.post_load(self._load)
        return True

    def _bury(self) -> None:
        """Note that the worker has died, and when there may be another."""
        self.worker = None
        self._sent = 0
        self.deaths += 1
        self._start_ns = self.restarts.died(self._wall.now()) or 0

    def _read(self, worker: LuaWorker) -> list[ScriptAnswered]:
        answers: list[ScriptAnswered] = []
        while self._queue:
            reply = worker.receive_ready()
            if reply is None:
                if self._wall.now() < self._deadline_ns:
                    return answers
                reply = worker.expire(self.deadline_s)
            if isinstance(reply, Answers):
                batch, posted = self._queue.popleft()
                self._sent -= 1
                self._arm()
                answers.append(script_answered(self.strategy, batch, posted, reply))
                self._times.extend(each.cpu_ns for each in reply.replies)
            elif isinstance(reply, Loaded):
                self.confinement = reply.confinement.line()
            else:
                if not isinstance(reply, WorkerFault):
                    worker.close()
                    # Whatever was refused: this one has been loaded before.
                    self._use(self._first)
                self._bury()
                return [*answers, *self._fail(reply.message)]
        return answers

    def _fail(self, fault: str) -> list[ScriptAnswered]:
        failed = [self._fault(batch, fault) for batch, _ in self._queue]
        self._queue.clear()
        self._sent = 0
        return failed

    def _fault(self, batch: int, fault: str) -> ScriptAnswered:
        return ScriptAnswered(strategy=self.strategy, batch=batch, fault=fault)


def script_answered(
    strategy: str, batch: int, posted: Sequence[Posted], answers: Answers
) -> ScriptAnswered:
    """Return a worker's answers as the input that the core takes."""
    replies = tuple(
        _reply(strategy, asked, reply)
        for asked, reply in zip(posted, answers.replies, strict=True)
    )
    return ScriptAnswered(strategy=strategy, batch=batch, replies=replies)


def _reply(strategy: str, asked: Posted, reply: Answer | Needs | Failed) -> ScriptReply:
    if isinstance(reply, Answer):
        return ScriptReply(
            strategy=strategy,
            instrument=asked.instrument,
            function=asked.function,
            answer=reply.answer,
            context=reply.context,
            notes=tuple(map(rendered, reply.notes)),
            plots=reply.plots,
        )
    return ScriptReply(
        strategy=strategy,
        instrument=asked.instrument,
        function=asked.function,
        needs=reply.needs if isinstance(reply, Needs) else (),
        error=reply.message if isinstance(reply, Failed) else "",
        line=reply.line,
    )


def _texts(posted: Iterable[Posted]) -> set[str]:
    """Return the texts of questions that must cross: symbols, keys and values."""
    found: set[str] = set()
    for each in posted:
        question = each.question
        found.add(question.symbol)
        for table in (question.params, question.context, question.opportunity or {}):
            for key, value in table.items():
                found.add(key)
                if isinstance(value, str):
                    found.add(value)
    return found
