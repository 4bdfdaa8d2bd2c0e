"""Loads the scripts of strategies, of either language, for a run or its replay.

Python scripts are loaded here under the guard of a load; Lua ones in a worker of their
own. A replay takes the texts that the journal kept and starts no worker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from workstation import indicators
from workstation.engine.lua_edge import LuaEdge, Preparing
from workstation.engine.runaway import ScriptGuard
from workstation.engine.settings import RunSettings
from workstation.kernel import Clock
from workstation.model.errors import ScriptError
from workstation.model.randomness import random_stream
from workstation.strategy.host import ScriptHost
from workstation.strategy.lua.lua_host import LuaHost
from workstation.strategy.python_host import PythonHost
from workstation.strategy.script import Script, failed_script, load_text, source_of
from workstation.strategy.scripted import ScriptedStrategy
from workstation.strategy.settings import StrategySettings

__all__ = ["KeptScripts", "ScriptLoader", "Version", "is_lua"]

_LONGEST_TEXT = 64


def is_lua(path: str) -> bool:
    """Tell whether a script is a Lua script: by its file's name."""
    return path.endswith(".lua")


class KeptScripts(Struct, frozen=True):
    """The scripts that a journal has kept, for a replay."""

    first: Mapping[str, Script]
    """What each strategy began with."""
    later: Mapping[tuple[str, str], Script] = {}
    """What was loaded during the run, by strategy and hash."""


class Version(Struct, frozen=True):
    """A version of a script that a strategy may go on with."""

    script: Script
    use: Callable[[], None] = lambda: None
    """Lets its worker answer for the strategy; done in the input that swaps it."""


class ScriptLoader:
    """Scripts of one run; ``edge`` has the workers of the Lua ones.

    ``kept`` are those of a journal: a replay loads nothing else.
    """

    def __init__(
        self,
        run: RunSettings,
        guard: ScriptGuard,
        wall: Clock,
        figures: tuple[str, ...],
        kept: KeptScripts | None = None,
    ) -> None:
        self._run = run
        self._guard = guard
        self._kept = kept
        self._ready: dict[tuple[str, str], Version] = {}
        self.edge = LuaEdge(
            driven=run.mode != "live",
            indicators=tuple(indicators.names()),
            figures=figures,
            cpu_s=run.engine.script_budget_ms / 1_000,
            wall=wall,
            times=guard.times,
        )

    def first(self, settings: StrategySettings, *, tolerant: bool) -> Script:
        """Return the script that a strategy begins with.

        Raises ScriptError, or with ``tolerant`` returns a stand-in that says why.
        """
        path = Path(settings.script)
        given = settings.params_of(*settings.symbol_params)
        kept = self._kept and self._kept.first.get(settings.name)
        if kept and kept.failure:
            return failed_script(path, given, kept.failure, kept.failure_line)
        try:
            source = kept.text.encode() if kept else source_of(path)
            return self._load_first(settings, source)
        except ScriptError as error:
            if not tolerant:
                raise
            return failed_script(path, given, str(error), error.line)

    def look_at(self, settings: StrategySettings) -> Script:
        """Load a strategy's script only to look at it; raises ScriptError."""
        source = source_of(Path(settings.script))
        if not is_lua(settings.script):
            return self.load(settings, source)
        prepared = self.prepare(settings, source)
        try:
            return prepared.wait()
        finally:
            prepared.worker.close()

    def _load_first(self, settings: StrategySettings, source: bytes) -> Script:
        if not is_lua(settings.script):
            return _checked(self.load(settings, source), settings)
        if self._kept is not None:
            return _checked(self._kept.first[settings.name], settings)
        prepared = self.prepare(settings, source)
        try:
            script = _checked(prepared.wait(), settings)
        except BaseException:
            prepared.worker.close()
            raise
        self.edge.use(settings.name, prepared)
        return script

    def load(self, settings: StrategySettings, source: bytes) -> Script:
        """Load a version of a Python script; raises ScriptError."""
        return load_text(Path(settings.script), source, self._guard.load)

    def prepare(self, settings: StrategySettings, source: bytes) -> Preparing:
        """Begin to load a version of a Lua script beside what runs."""
        seed = random_stream(self._run.seed, f"script/{settings.name}").getrandbits(63)
        path = Path(settings.script)
        return self.edge.prepare(path, source, seed, self._texts(settings))

    def offer(self, strategy: str, script: Script, use: Callable[[], None]) -> None:
        """Let a strategy go on with a version that was loaded."""
        self._ready[strategy, script.hash] = Version(script, use)

    def version_of(self, strategy: ScriptedStrategy, version: str) -> Version:
        """Return a version that was offered, or that the journal has.

        Raises ScriptError where there is none.
        """
        key = (strategy.name, version)
        offered = self._ready.pop(key, None)
        if offered is not None:
            return offered
        if self._kept is None or key not in self._kept.later:
            raise ScriptError(strategy.script.name, f"has no version {version[:8]}")
        script = self._kept.later[key]
        if not is_lua(script.path):
            script = self.load(strategy.settings, script.text.encode())
        return Version(script)

    def host(self, script: Script, instruments: tuple[str, ...]) -> ScriptHost:
        """Return what calls a loaded script; it fails by itself where that failed."""
        if is_lua(script.path) and not script.failure:
            return LuaHost(script.name, instruments)
        return PythonHost(script, self._guard)

    def _texts(self, settings: StrategySettings) -> list[str]:
        """Return what a script may be told beside its own texts."""
        given = settings.params_of(*settings.symbol_params)
        names = [each.symbol for each in self._run.instruments]
        texts = (*names, *map(str, given.values()))
        return [text for text in texts if len(text) <= _LONGEST_TEXT]


def _checked(script: Script, settings: StrategySettings) -> Script:
    """Return a script that takes the config's parameters; raises ScriptError."""
    for name in ("", *settings.symbol_params):
        script.resolve(settings.params_of(name))
    return script
