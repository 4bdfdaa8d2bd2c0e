"""The workers of Lua strategies, one process each: loaded, asked, restarted, swapped.

A ``ScriptEdge``. Nothing here waits for a worker except a load and ``collect`` with a
time: a worker that hangs is killed at its deadline, and what it was asked is answered
by that fault. One that died starts again after a back-off, with the next question.
"""

from __future__ import annotations

import asyncio
import select
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from workstation.engine.call_times import CallTimes
from workstation.engine.script_calls import WorkerState
from workstation.kernel import Clock
from workstation.model.errors import ScriptError
from workstation.model.timeframes import NS_PER_MS, NS_PER_S
from workstation.strategy.lua.frames import MessageError
from workstation.strategy.lua.host import (
    DRIVEN_DEADLINE_S,
    LIVE_DEADLINE_S,
    LuaWorker,
    WorkerFault,
)
from workstation.strategy.lua.judging import rendered
from workstation.strategy.lua.lexer import strings_of
from workstation.strategy.lua.lua_host import Posted
from workstation.strategy.lua.restarts import Restarts
from workstation.strategy.lua.wire import (
    Answer,
    Answers,
    Budget,
    Failed,
    Load,
    Loaded,
    LoadFailed,
    Needs,
    Param,
)
from workstation.strategy.replies import ScriptAnswered, ScriptReply
from workstation.strategy.script import ParamSpec, Script, hash_of

__all__ = ["LuaEdge", "Preparing"]

_LOAD_S = 10.0


class Preparing:
    """A version of a script in a worker that answers nobody yet."""

    def __init__(self, path: Path, version: str, worker: LuaWorker, load: Load) -> None:
        self.worker = worker
        self.load = load
        self.confinement = ""
        self._path = path
        self._version = version

    def wait(self) -> Script:
        """Wait until it is loaded and return it; raises ScriptError."""
        return self.script(self.worker.receive(_LOAD_S))

    def script(self, reply: Loaded | LoadFailed | Answers | WorkerFault) -> Script:
        """Return the script of a worker's reply to a load.

        Raises ScriptError with the script's own line; the worker is gone then.
        """
        if not isinstance(reply, Loaded):
            self.worker.close()
            line = reply.line if isinstance(reply, LoadFailed) else None
            said = "was not loaded" if isinstance(reply, Answers) else reply.message
            raise ScriptError(self._path.name, said, line)
        self.confinement = reply.confinement.line()
        return Script(
            name=self._path.name,
            path=str(self._path),
            hash=self._version,
            text=self.load.source,
            params=tuple(map(_spec, reply.params)),
            texts_cross=True,
        )


class _Station:
    """One strategy's worker, and what it has been asked."""

    def __init__(self, strategy: str, worker: LuaWorker, load: Load) -> None:
        self.strategy = strategy
        self.worker: LuaWorker | None = worker
        self.load = load
        self.strings = frozenset(strings_of(load))
        self.restarts = Restarts()
        self.confinement = ""
        self.deaths = 0
        self.instructions = 0
        self.queue: deque[tuple[int, list[Posted]]] = deque()
        self.sent = 0
        """How many batches of the queue the worker has been sent."""
        self.deadline_ns = 0
        self.start_ns = 0


class LuaEdge:
    """All workers of a run."""

    def __init__(
        self,
        *,
        driven: bool,
        indicators: tuple[str, ...],
        figures: tuple[str, ...],
        cpu_s: float,
        wall: Clock,
        times: CallTimes | None = None,
        worker: Callable[[], LuaWorker] = LuaWorker,
    ) -> None:
        self._driven = driven
        self._indicators = indicators
        self._figures = figures
        self._budget = Budget(cpu_s=cpu_s)
        self._deadline_s = DRIVEN_DEADLINE_S if driven else LIVE_DEADLINE_S
        self._wall = wall
        self._times = CallTimes() if times is None else times
        self._worker = worker
        self._stations: dict[str, _Station] = {}

    # Scripts.

    def prepare(
        self, path: Path, source: bytes, seed: int, strings: Iterable[str] = ()
    ) -> Preparing:
        """Begin to load a version of a script in a worker of its own.

        Whatever runs goes on running. Raises ScriptError where there is no worker.
        """
        name = path.name
        try:
            text = source.decode()
        except UnicodeDecodeError as error:
            raise ScriptError(name, f"is no UTF-8 text: {error.reason}") from error
        load = Load(
            name=name,
            source=text,
            seed=seed,
            driven=self._driven,
            strings=tuple(dict.fromkeys(strings)),
            indicators=self._indicators,
            figures=self._figures,
            budget=self._budget,
        )
        worker = self._worker()
        try:
            worker.start()
            worker.post_load(load)
        except (OSError, MessageError) as error:
            worker.close()
            raise ScriptError(name, f"its worker cannot start: {error}") from error
        return Preparing(path, hash_of(source), worker, load)

    def use(self, strategy: str, prepared: Preparing) -> None:
        """Let a prepared version answer from now on; the one before it ends."""
        before = self._stations.get(strategy)
        station = _Station(strategy, prepared.worker, prepared.load)
        station.confinement = prepared.confinement
        self._stations[strategy] = station
        if before is not None:
            station.deaths = before.deaths
            if before.worker is not None:
                before.worker.close()

    def respond(
        self, worker: LuaWorker, strategy: str, questions: Sequence[Posted]
    ) -> Generator[None, None, ScriptAnswered]:
        """Ask a worker that does not answer for the strategy; gives way meanwhile."""
        worker.post([each.question for each in questions])
        reply = yield from self.hear(worker)
        if isinstance(reply, Answers):
            replies = tuple(
                _reply(strategy, asked, each)
                for asked, each in zip(questions, reply.replies, strict=True)
            )
            return ScriptAnswered(strategy=strategy, batch=0, replies=replies)
        fault = "answered with a script" if isinstance(reply, Loaded) else reply.message
        return ScriptAnswered(strategy=strategy, batch=0, fault=fault)

    def hear(
        self, worker: LuaWorker
    ) -> Generator[None, None, Loaded | LoadFailed | Answers | WorkerFault]:
        """Return a worker's next reply; gives way while there is none."""
        deadline_ns = self._wall.now() + round(_LOAD_S * NS_PER_S)
        while (reply := worker.receive_ready()) is None:
            if self._wall.now() >= deadline_ns:
                return worker.expire(_LOAD_S)
            worker.flush()
            yield
        return reply

    def rearm(self, strategy: str) -> None:
        """Forget how often a worker has died: the operator wants it to run again."""
        station = self._stations.get(strategy)
        if station is not None:
            station.restarts.rearm()
            station.start_ns = 0

    def worker(self, strategy: str) -> WorkerState | None:
        """Return what the screen shows of a worker; None where there is none."""
        station = self._stations.get(strategy)
        if station is None:
            return None
        worker = station.worker
        return WorkerState(
            confinement=station.confinement,
            memory_bytes=None if worker is None else worker.memory(),
            cpu_ns=None if worker is None else worker.cpu_ns(),
            deaths=station.deaths,
            instructions=station.instructions,
            running=worker is not None,
        )

    # Questions.

    def post(self, strategy: str, batch: int, questions: Sequence[Any]) -> None:
        """Send a batch of ``Posted``; never waits for the worker."""
        station = self._stations[strategy]
        station.queue.append((batch, list(questions)))
        self._send(station)

    def collect(self, timeout_s: float | None) -> Sequence[ScriptAnswered]:
        """Return what has been answered; see ``ScriptEdge``."""
        answers = self._ready()
        end = None if timeout_s is None else self._wall.now() + round(timeout_s * 1e9)
        while not answers and any(each.queue for each in self._stations.values()):
            now = self._wall.now()
            if end is not None and now >= end:
                break
            self._wait(self._next_ns(end) - now)
            answers = self._ready()
        return answers

    async def arrival(self) -> None:
        """Return once a worker has said something, or its time is up."""
        loop = asyncio.get_running_loop()
        come: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            if not come.done():
                come.set_result(None)

        readers, writers = self._files()
        for each in readers:
            loop.add_reader(each, wake)
        for each in writers:
            loop.add_writer(each, wake)
        due_s = max(0, self._next_ns(None) - self._wall.now()) / NS_PER_S
        timer = loop.call_later(due_s, wake)
        try:
            await come
        finally:
            timer.cancel()
            for each in readers:
                loop.remove_reader(each)
            for each in writers:
                loop.remove_writer(each)

    def close(self) -> None:
        """End all workers."""
        for station in self._stations.values():
            if station.worker is not None:
                station.worker.close()
                station.worker = None

    # Inside.

    def _send(self, station: _Station) -> None:
        """Send what waits, to a new worker where the last one died."""
        if station.worker is None and not self._start(station):
            return
        worker = station.worker
        assert worker is not None
        while station.sent < len(station.queue) and worker.fault is None:
            posted = station.queue[station.sent][1]
            missing = _texts(posted) - station.strings
            if missing:
                self._load_with(station, worker, missing)
            if not station.sent:
                self._arm(station)
            worker.post([each.question for each in posted])
            station.sent += 1

    def _arm(self, station: _Station) -> None:
        station.deadline_ns = self._wall.now() + round(self._deadline_s * NS_PER_S)

    def _load_with(
        self, station: _Station, worker: LuaWorker, texts: Iterable[str]
    ) -> None:
        """Let more texts cross: a parameter was set to one that the script lacks."""
        strings = (*station.load.strings, *sorted(texts))
        station.load = msgspec.structs.replace(station.load, strings=strings)
        station.strings = frozenset(strings_of(station.load))
        worker.post_load(station.load)

    def _start(self, station: _Station) -> bool:
        if station.restarts.gave_up or self._wall.now() < station.start_ns:
            return False
        worker = self._worker()
        try:
            worker.start()
        except OSError:
            worker.close()
            self._bury(station)
            return False
        station.worker = worker
        worker.post_load(station.load)
        return True

    def _bury(self, station: _Station) -> None:
        """Note that a worker has died, and when there may be another."""
        station.worker = None
        station.sent = 0
        station.deaths += 1
        station.start_ns = station.restarts.died(self._wall.now()) or 0

    def _ready(self) -> list[ScriptAnswered]:
        answers: list[ScriptAnswered] = []
        for station in self._stations.values():
            if not station.queue:
                continue
            self._send(station)
            if station.worker is None:
                if station.restarts.gave_up:
                    said = "its worker has died too often; restart the strategy"
                    answers += self._fail(station, said)
                continue
            station.worker.flush()
            answers += self._read(station, station.worker)
        return answers

    def _read(self, station: _Station, worker: LuaWorker) -> list[ScriptAnswered]:
        answers: list[ScriptAnswered] = []
        while station.queue:
            reply = worker.receive_ready()
            if reply is None:
                if self._wall.now() < station.deadline_ns:
                    return answers
                reply = worker.expire(self._deadline_s)
            if isinstance(reply, Answers):
                batch, posted = station.queue.popleft()
                station.sent -= 1
                self._arm(station)
                answers.append(self._answered(station, batch, posted, reply))
            elif isinstance(reply, Loaded):
                station.confinement = reply.confinement.line()
            else:
                if not isinstance(reply, WorkerFault):
                    worker.close()
                self._bury(station)
                return [*answers, *self._fail(station, reply.message)]
        return answers

    def _fail(self, station: _Station, fault: str) -> list[ScriptAnswered]:
        failed = [
            ScriptAnswered(strategy=station.strategy, batch=batch, fault=fault)
            for batch, _ in station.queue
        ]
        station.queue.clear()
        station.sent = 0
        return failed

    def _answered(
        self,
        station: _Station,
        batch: int,
        posted: Sequence[Posted],
        answers: Answers,
    ) -> ScriptAnswered:
        replies = []
        times = self._times[station.strategy]
        for asked, reply in zip(posted, answers.replies, strict=True):
            station.instructions = reply.instructions
            times.append(reply.cpu_ns)
            replies.append(_reply(station.strategy, asked, reply))
        return ScriptAnswered(
            strategy=station.strategy, batch=batch, replies=tuple(replies)
        )

    def _next_ns(self, end: int | None) -> int:
        """Return when something must happen even if no worker says anything."""
        dues = [
            station.start_ns if station.worker is None else station.deadline_ns
            for station in self._stations.values()
            if station.queue
        ]
        if end is not None:
            dues.append(end)
        return min(dues, default=self._wall.now())

    def _files(self) -> tuple[list[int], list[int]]:
        """Return what to watch for reading, and for writing."""
        asked = [
            each.worker
            for each in self._stations.values()
            if each.queue and each.worker is not None and each.worker.fileno() >= 0
        ]
        return (
            [worker.fileno() for worker in asked],
            [worker.fileno() for worker in asked if worker.wants_write],
        )

    def _wait(self, most_ns: int) -> None:
        readers, writers = self._files()
        poll = select.poll()
        for each in readers:
            poll.register(each, select.POLLIN | (select.POLLOUT * (each in writers)))
        # Rounded up: a wait of 0 ms would spin through the last one.
        poll.poll(max(0, most_ns) // NS_PER_MS + 1)


def _spec(param: Param) -> ParamSpec:
    return ParamSpec(
        param.name, param.default, param.minimum, param.maximum, param.help
    )


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
    """Return the texts of values in questions; keys are the script's own."""
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
