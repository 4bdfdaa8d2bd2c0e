"""The workers of Lua strategies, one process each: loaded, asked, restarted, swapped.

A ``ScriptEdge``. Nothing here waits for a worker except a first load and ``collect``
with a time. Each strategy has a ``Station`` with the worker that answers for it;
versions that are tried have workers of their own until they take over.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

from workstation.engine.call_times import CallTimes
from workstation.engine.lua_station import Station, script_answered
from workstation.engine.script_calls import WorkerState
from workstation.kernel import Clock
from workstation.model.errors import ScriptError
from workstation.model.timeframes import NS_PER_MS, NS_PER_S
from workstation.strategy.lua.frames import MessageError
from workstation.strategy.lua.host import (
    DRIVEN_DEADLINE_S,
    LuaWorker,
    WorkerFault,
    live_deadline_s,
)
from workstation.strategy.lua.lua_host import Posted
from workstation.strategy.lua.wire import (
    Answers,
    Budget,
    Load,
    Loaded,
    LoadFailed,
    Param,
)
from workstation.strategy.replies import ScriptAnswered
from workstation.strategy.script import ParamSpec, Script, hash_of

__all__ = ["LuaEdge", "Preparing"]

_LOAD_S = 10.0


class Preparing:
    """A version of a script in a worker that answers nobody yet."""

    def __init__(
        self, path: Path, version: str, worker: LuaWorker, load: Load, load_s: float
    ) -> None:
        self.worker = worker
        self.load = load
        self.confinement = ""
        self._path = path
        self._version = version
        self._load_s = load_s

    def wait(self) -> Script:
        """Wait until it is loaded and return it; raises ScriptError."""
        return self.script(self.worker.receive(self._load_s))

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
        self._deadline_s = DRIVEN_DEADLINE_S if driven else live_deadline_s(cpu_s)
        # A load may use as much CPU time as a call.
        self._load_s = max(_LOAD_S, self._deadline_s)
        self._wall = wall
        self._times = CallTimes() if times is None else times
        self._worker = worker
        self._stations: dict[str, Station] = {}

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
        return Preparing(path, hash_of(source), worker, load, self._load_s)

    def use(self, strategy: str, prepared: Preparing) -> None:
        """Let a prepared version answer from now on; the one before it ends."""
        before = self._stations.get(strategy)
        station = Station(
            strategy,
            prepared.worker,
            prepared.load,
            spawn=self._worker,
            deadline_s=self._deadline_s,
            wall=self._wall,
            times=self._times[strategy],
        )
        station.confinement = prepared.confinement
        self._stations[strategy] = station
        if before is not None:
            station.deaths = before.deaths
            before.close()

    def respond(
        self, worker: LuaWorker, strategy: str, questions: Sequence[Posted]
    ) -> Generator[None, None, ScriptAnswered]:
        """Ask a worker that does not answer for the strategy; gives way meanwhile."""
        worker.post([each.question for each in questions])
        reply = yield from self.hear(worker)
        if isinstance(reply, Answers):
            return script_answered(strategy, 0, questions, reply)
        fault = "answered with a script" if isinstance(reply, Loaded) else reply.message
        return ScriptAnswered(strategy=strategy, batch=0, fault=fault)

    def hear(
        self, worker: LuaWorker
    ) -> Generator[None, None, Loaded | LoadFailed | Answers | WorkerFault]:
        """Return a worker's next reply; gives way while there is none."""
        deadline_ns = self._wall.now() + round(self._load_s * NS_PER_S)
        while (reply := worker.receive_ready()) is None:
            if self._wall.now() >= deadline_ns:
                return worker.expire(self._load_s)
            worker.flush()
            yield
        return reply

    def rearm(self, strategy: str) -> None:
        """Forget how often a worker has died: the operator wants it to run again."""
        station = self._stations.get(strategy)
        if station is not None:
            station.rearm()

    def worker(self, strategy: str) -> WorkerState | None:
        """Return what the screen shows of a worker; None where there is none."""
        station = self._stations.get(strategy)
        return None if station is None else station.state()

    # Questions.

    def post(self, strategy: str, batch: int, questions: Sequence[Any]) -> None:
        """Send a batch of ``Posted``; never waits for the worker."""
        self._stations[strategy].post(batch, questions)

    def collect(self, timeout_s: float | None) -> Sequence[ScriptAnswered]:
        """Return what has been answered; see ``ScriptEdge``."""
        answers = self._ready()
        end = (
            None
            if timeout_s is None
            else self._wall.now() + round(timeout_s * NS_PER_S)
        )
        while not answers and any(each.waits for each in self._stations.values()):
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
            station.close()

    # Inside.

    def _ready(self) -> list[ScriptAnswered]:
        return [
            answered
            for station in self._stations.values()
            for answered in station.collect()
        ]

    def _next_ns(self, end: int | None) -> int:
        """Return when something must happen even if no worker says anything."""
        dues = [each.due_ns for each in self._stations.values() if each.waits]
        if end is not None:
            dues.append(end)
        return min(dues, default=self._wall.now())

    def _files(self) -> tuple[list[int], list[int]]:
        """Return what to watch for reading, and for writing."""
        asked = [
            each.worker
            for each in self._stations.values()
            if each.waits and each.worker is not None and each.worker.fileno() >= 0
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
