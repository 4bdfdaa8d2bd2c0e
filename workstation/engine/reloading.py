"""Hot reload: notices saved scripts, tries them in the shadow, and hands them over.

Pumped by whoever has the loop (the screen, at each of its ticks), a few milliseconds at
a time; while there is work it asks the loop for more turns. A reload is an input like
any command: the journal keeps the text, and a replay loads it there. What fails to
load, raises, or lacks a function leaves the version that runs, and says why.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from workstation.engine.control import Control, Outcome
from workstation.engine.engine import Engine
from workstation.engine.script_bench import Bench, Ready, Scene
from workstation.engine.shadow import Difference, Steps, differences
from workstation.kernel import Clock
from workstation.model.commands import ReloadScript
from workstation.model.errors import ScriptError
from workstation.model.timeframes import NS_PER_MS
from workstation.strategy.script import Script, describe, hash_of, source_of
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["ReloadAnswer", "ReloadReport", "Reloading"]

_LOOK_NS = 400 * NS_PER_MS
"""Between two looks at the files: two of them and a load stay within two seconds."""
_SLICE_NS = 3 * NS_PER_MS
"""Work of one tick; the screen draws in between."""
_PAUSE_S = 0.005
"""Between two slices of a version's work, which may be a second in all: at the screen's
ten ticks a second alone it would take half a minute."""
_WAIT_S = 0.001
"""Until it is looked again whether a worker has answered, hundreds of times in a
version's work and mostly within this time; the loop's timers are no finer."""
_VERSIONS = 10
"""Versions of a script that can be gone back to."""
_SHOWN = 50
"""Differences that are kept of a shadow run: the newest."""


class ReloadReport(Struct, frozen=True, kw_only=True):
    """What became of the last version of a script; for the screen."""

    strategy: str
    version: str
    accepted: bool
    text: str
    bars: int = 0
    """Bars of the shadow run; 0 where there was none."""
    differences: tuple[Difference, ...] = ()
    more: int = 0
    """Differences that were left out, older than these."""


class ReloadAnswer(Struct, frozen=True):
    """Whether what was asked has begun, and what is done or why not."""

    accepted: bool
    detail: str


class _Job:
    """A version of one strategy's script that is tried, or waits for its turn."""

    __slots__ = ("saved", "strategy", "work")

    def __init__(
        self, strategy: str, work: Steps[None], *, saved: bool = False
    ) -> None:
        self.strategy = strategy
        self.work = work
        self.saved = saved


Stamp = tuple[int, int, int, int]
"""Times of the last change of a file and of its rights, its size and inode."""


class _Watched:
    """One strategy's file and its versions, newest last."""

    def __init__(self, script: Script) -> None:
        self.path = Path(script.path)
        self.versions: deque[Script] = deque([script], maxlen=_VERSIONS)
        self.seen = _stamp(self.path)
        self.changed = False
        """It looked otherwise at the last look, and is read at the next one."""
        self.refused = ""
        """Hash of the text that was refused last: it is not tried twice."""
        self.report: ReloadReport | None = None


class Reloading:
    """Versions of the scripts of one run."""

    def __init__(
        self,
        engine: Engine,
        control: Control,
        strategies: tuple[ScriptedStrategy, ...],
        bench: Bench,
        scene: Callable[[ScriptedStrategy], Scene],
        offer: Callable[[str, Script, Callable[[], None]], None],
        wall: Clock,
    ) -> None:
        self._engine = engine
        self._control = control
        self._strategies = {each.name: each for each in strategies}
        self._bench = bench
        self._scene = scene
        self._offer = offer
        self._wall = wall
        self._watched = {each.name: _Watched(each.script) for each in strategies}
        self.on_undone: Callable[[str], None] = lambda strategy: None
        """Told when a file that was refused is the version that runs again."""
        self._next_ns = 0
        self._job: _Job | None = None
        self._waiting: deque[_Job] = deque()
        self._news: list[ReloadReport] = []
        self._turn: asyncio.TimerHandle | None = None

    # What the screen does.

    @property
    def busy(self) -> bool:
        """Tell whether a version is being tried: the next tick should come soon."""
        return self._job is not None or bool(self._waiting)

    def tick(self) -> None:
        """Look at the files if it is time, and go on with a version that is tried."""
        now = self._wall.now()
        if now >= self._next_ns:
            self._next_ns = now + _LOOK_NS
            for name, watched in self._watched.items():
                self._look(name, watched)
        if self._turn is None:
            self._go_on()

    def reload(self, strategy: str) -> ReloadAnswer:
        """Try the file as it is now, by hand."""
        watched = self._watched.get(strategy)
        if watched is None:
            return ReloadAnswer(False, f"{strategy} has no script")
        try:
            source = source_of(watched.path)
        except ScriptError as error:
            return ReloadAnswer(False, str(error))
        found = hash_of(source)
        if found == watched.versions[-1].hash and not self._is_pending(strategy):
            said = f"{watched.path.name} is the version that runs"
            return ReloadAnswer(False, said)
        watched.seen = _stamp(watched.path)
        work = self._try(strategy, source, "reloaded by hand")
        self._waiting.append(_Job(strategy, work))
        return ReloadAnswer(True, f"{watched.path.name} is tried in the shadow")

    def roll_back(self, strategy: str) -> ReloadAnswer:
        """Go back to the version before."""
        watched = self._watched.get(strategy)
        if watched is None:
            return ReloadAnswer(False, f"{strategy} has no script")
        if len(watched.versions) < 2:
            said = f"{watched.path.name} has no version before this one"
            return ReloadAnswer(False, said)
        self._waiting.append(_Job(strategy, self._roll_back(strategy)))
        return ReloadAnswer(True, f"{watched.path.name} goes back to the one before")

    def versions(self, strategy: str) -> tuple[str, ...]:
        """Return the hashes of what can be run, newest last; none without a script."""
        watched = self._watched.get(strategy)
        return () if watched is None else tuple(each.hash for each in watched.versions)

    def report(self, strategy: str) -> ReloadReport | None:
        """Return what became of the last version that was tried."""
        return self._watched[strategy].report

    def news(self) -> tuple[ReloadReport, ...]:
        """Return what has become of versions since this was last asked."""
        news, self._news = tuple(self._news), []
        return news

    def close(self) -> None:
        """Give up what is being tried."""
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        for job in (self._job, *self._waiting):
            if job is not None:
                job.work.close()
        self._job = None
        self._waiting.clear()

    # Inside.

    def _is_pending(self, name: str) -> bool:
        """Tell whether another version may be the one that runs before long."""
        jobs = (self._job, *self._waiting)
        return any(job is not None and job.strategy == name for job in jobs)

    def _look(self, name: str, watched: _Watched) -> None:
        stamp = _stamp(watched.path)
        if stamp is None or stamp == watched.seen:
            watched.changed = False
            return
        if not watched.changed:
            # An editor may still be writing. Not until it looks the same twice: what
            # is saved again and again has to be read in time as well.
            watched.changed = True
            return
        watched.seen = stamp
        watched.changed = False
        try:
            source = source_of(watched.path)
        except ScriptError as error:
            self._refuse(name, "", str(error))
            return
        # Saved again before its turn came: only the newest is worth trying.
        for job in tuple(self._waiting):
            if job.saved and job.strategy == name:
                self._waiting.remove(job)
                job.work.close()
        # What it is compared with may be another version when its turn comes.
        self._waiting.append(_Job(name, self._try_saved(name, source), saved=True))

    def _go_on(self) -> None:
        """Do a slice of the work; where a loop runs, the next one follows soon."""
        self._turn = None
        waits = self._advance(self._wall.now() + _SLICE_NS)
        if self._job is None and not self._waiting:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._turn = loop.call_later(_WAIT_S if waits else _PAUSE_S, self._go_on)

    def _advance(self, until_ns: int) -> bool:
        """Work until then; tell whether it was left because there is an answer due."""
        while True:
            if self._job is None:
                if not self._waiting:
                    return False
                self._job = self._waiting.popleft()
            job = self._job
            try:
                if next(job.work) is None:
                    return True
            except StopIteration:
                self._job = None
            except Exception as error:  # the edge: the screen must live on
                self._job = None
                script = self._watched[job.strategy].path.name
                self._refuse(
                    job.strategy, "", f"{script}: cannot be tried: {describe(error)}"
                )
            if self._wall.now() >= until_ns:
                return False

    def _try_saved(self, name: str, source: bytes) -> Steps[None]:
        if hash_of(source) != self._watched[name].refused:
            yield from self._try(name, source, "saved")

    def _try(self, name: str, source: bytes, cause: str) -> Steps[None]:
        watched = self._watched[name]
        strategy = self._strategies[name]
        if hash_of(source) == watched.versions[-1].hash:
            self._undone(name)
            return
        try:
            tried = yield from self._bench.compare(
                self._scene(strategy), watched.versions[-1], source
            )
        except ScriptError as error:
            watched.refused = hash_of(source)
            self._refuse(name, hash_of(source), str(error))
            return
        ready = tried.ready
        found = differences(tried.before.intents, tried.after.intents)
        outcome = yield from self._hand_over(name, ready, cause)
        self._tell(
            ReloadReport(
                strategy=name,
                version=ready.script.hash,
                accepted=outcome.accepted,
                text=outcome.detail,
                bars=tried.after.bars,
                differences=found[-_SHOWN:],
                more=max(0, len(found) - _SHOWN),
            )
        )
        if outcome.accepted:
            if watched.versions[-1].failure:
                # It never ran: nobody wants it back.
                watched.versions.clear()
            watched.versions.append(ready.script)
            watched.refused = ""
        else:
            watched.refused = ready.script.hash

    def _undone(self, name: str) -> None:
        """Forget what was refused: the file has the version that runs."""
        watched = self._watched[name]
        watched.refused = ""
        if watched.report is not None and not watched.report.accepted:
            watched.report = None
            self.on_undone(name)

    def _roll_back(self, name: str) -> Steps[None]:
        watched = self._watched[name]
        if len(watched.versions) < 2:
            return
        target = watched.versions[-2]
        settings = self._strategies[name].settings
        try:
            ready = yield from self._bench.load(settings, target.text.encode())
        except ScriptError as error:
            self._refuse(name, target.hash, str(error))
            return
        left = watched.versions[-1]
        outcome = yield from self._hand_over(name, ready, "rolled back")
        self._tell(
            ReloadReport(
                strategy=name,
                version=ready.script.hash,
                accepted=outcome.accepted,
                text=outcome.detail,
            )
        )
        if outcome.accepted:
            watched.versions.pop()
            # The file still has it; saved again unchanged it must not come back.
            watched.refused = left.hash

    def _hand_over(self, name: str, ready: Ready, cause: str) -> Steps[Outcome]:
        """Swap at a boundary: when no script is awaited."""
        engine = self._engine
        try:
            while engine.awaiting:
                yield None
            script = ready.script
            self._offer(name, script, ready.use)
            if engine.journal is not None:
                engine.journal.script(name, script.for_journal())
            outcome = self._control.execute(
                ReloadScript(strategy=name, version=script.hash, reason=cause)
            )
        except BaseException:
            ready.drop()
            raise
        if not outcome.accepted:
            ready.drop()
        return outcome

    def _refuse(self, name: str, version: str, text: str) -> None:
        outcome = self._control.execute(
            ReloadScript(strategy=name, version=version, failure=text)
        )
        self._tell(
            ReloadReport(
                strategy=name, version=version, accepted=False, text=outcome.detail
            )
        )

    def _tell(self, report: ReloadReport) -> None:
        self._watched[report.strategy].report = report
        self._news.append(report)


def _stamp(path: Path) -> Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
