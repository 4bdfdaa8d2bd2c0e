"""Loads the scripts of strategies, of either language, for a run or its replay.

Python scripts are loaded here under the guard of a load; Lua ones in a worker of their
own. A replay takes the texts that the journal kept and starts no worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workstation import indicators
from workstation.engine.lua_edge import LuaEdge
from workstation.engine.runaway import ScriptGuard
from workstation.engine.settings import RunSettings
from workstation.kernel import Clock
from workstation.model.errors import ScriptError
from workstation.model.randomness import random_stream
from workstation.strategy.host import ScriptHost
from workstation.strategy.lua.lua_host import LuaHost
from workstation.strategy.python_host import PythonHost
from workstation.strategy.script import Script, failed_script, load_text, source_of
from workstation.strategy.settings import StrategySettings

__all__ = ["ScriptLoader", "is_lua"]

_LONGEST_TEXT = 64


def is_lua(path: str) -> bool:
    """Tell whether a script is a Lua script: by its file's name."""
    return path.endswith(".lua")


class ScriptLoader:
    """Scripts of one run; ``edge`` has the workers of the Lua ones.

    ``journalled`` are the scripts by strategy as a journal has them, in a replay.
    """

    def __init__(
        self,
        run: RunSettings,
        guard: ScriptGuard,
        wall: Clock,
        figures: tuple[str, ...],
        journalled: Mapping[str, Script] | None = None,
    ) -> None:
        self._run = run
        self._guard = guard
        self._journalled = journalled
        self.edge = LuaEdge(
            driven=run.mode != "live",
            indicators=tuple(indicators.names()),
            figures=figures,
            cpu_s=run.engine.script_budget_ms / 1_000,
            wall=wall,
        )

    def first(self, settings: StrategySettings, *, tolerant: bool) -> Script:
        """Return the script that a strategy begins with.

        Raises ScriptError, or with ``tolerant`` returns a stand-in that says why.
        """
        path = Path(settings.script)
        given = settings.params_of(*settings.symbol_params)
        kept = self._journalled and self._journalled.get(settings.name)
        if kept and kept.failure:
            return failed_script(path, given, kept.failure)
        try:
            source = kept.text.encode() if kept else source_of(path)
            script = self.load(settings, source)
            for name in ("", *settings.symbol_params):
                script.resolve(settings.params_of(name))
        except ScriptError as error:
            if not tolerant:
                self.edge.close()
                self._guard.close()
                raise
            return failed_script(path, given, str(error))
        if is_lua(settings.script) and self._journalled is None:
            self.edge.use(settings.name, script.hash)
        return script

    def load(self, settings: StrategySettings, source: bytes) -> Script:
        """Load a version of a script beside what runs; raises ScriptError."""
        path = Path(settings.script)
        if not is_lua(settings.script):
            return load_text(path, source, self._guard.load)
        if self._journalled is not None:
            return self._journalled[settings.name]
        seed = random_stream(self._run.seed, f"script/{settings.name}").getrandbits(63)
        return self.edge.prepare(
            settings.name, path, source, seed, self._texts(settings)
        )

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
